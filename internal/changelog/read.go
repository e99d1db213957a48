package changelog

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// inForce is the published definition; nil before the first.
func (l *Log) inForce(r store.Reader, ws string, head *store.Head) (*definition.App, error) {
	if head.Definition == 0 {
		return nil, nil
	}
	return l.defs.At(headed{r, head}, ws)
}

// headed is a reader whose head was read already.
type headed struct {
	store.Reader
	head *store.Head
}

func (h headed) Head(string) (*store.Head, error) { return h.head, nil }

// eyes take out of encoded records what the caller may not read.
type eyes struct {
	*core.Sight
	names map[string][][]byte // of hidden fields as members of an object, by type
	in    bytes.Buffer
	dec   *jsontext.Decoder
	out   []byte
}

func newEyes(s *core.Sight) *eyes {
	return &eyes{Sight: s, names: map[string][][]byte{}}
}

// record is an encoded record as the caller may read it, until the next call. What
// is left is as it was, byte for byte.
func (e *eyes) record(typ string, raw []byte) ([]byte, error) {
	hidden := e.Hidden(typ)
	if len(hidden) == 0 {
		return raw, nil
	}
	names, known := e.names[typ]
	if !known {
		for _, name := range hidden {
			names = append(names, []byte(`"`+name+`":`))
		}
		e.names[typ] = names
	}
	for _, name := range names {
		if bytes.Contains(raw, name) {
			return e.without(raw, names)
		}
	}
	return raw, nil
}

// without copies a record without some of its fields. names are they as the
// members of an object begin.
func (e *eyes) without(raw []byte, names [][]byte) ([]byte, error) {
	e.in.Reset()
	e.in.Write(raw)
	if e.dec == nil {
		e.dec = jsontext.NewDecoder(&e.in, jsontext.AllowDuplicateNames(true))
	} else {
		e.dec.Reset(&e.in, jsontext.AllowDuplicateNames(true))
	}
	e.out = e.out[:0]
	if _, err := e.dec.ReadToken(); err != nil { // the record's brace
		return nil, err
	}
	copied := 0
	for e.dec.PeekKind() == '"' {
		name, err := e.dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if string(name) != `"fields"` || e.dec.PeekKind() != '{' {
			if err := e.dec.SkipValue(); err != nil {
				return nil, err
			}
			continue
		}
		if copied, err = e.members(raw, copied, names); err != nil {
			return nil, err
		}
	}
	if _, err := e.dec.ReadToken(); err != nil { // what is not whole is not sent
		return nil, err
	}
	return append(e.out, raw[copied:]...), nil
}

// members copies the object of the fields, and all before it since copied, without
// those of names; it returns up to where all is done.
func (e *eyes) members(raw []byte, copied int, names [][]byte) (int, error) {
	if _, err := e.dec.ReadToken(); err != nil {
		return 0, err
	}
	e.out = append(e.out, raw[copied:e.dec.InputOffset()]...)
	first := true
	for e.dec.PeekKind() == '"' {
		name, err := e.dec.ReadValue()
		if err != nil {
			return 0, err
		}
		end := int(e.dec.InputOffset())
		begin, hidden := end-len(name), false
		for _, h := range names {
			hidden = hidden || bytes.Equal(name, h[:len(h)-1])
		}
		if err := e.dec.SkipValue(); err != nil {
			return 0, err
		}
		if hidden {
			continue
		}
		if !first {
			e.out = append(e.out, ',')
		}
		first = false
		e.out = append(e.out, raw[begin:e.dec.InputOffset()]...)
	}
	end := int(e.dec.InputOffset())
	_, err := e.dec.ReadToken()
	return end + bytes.IndexByte(raw[end:], '}'), err
}
