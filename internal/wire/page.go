package wire

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"io"
	"strconv"
)

// PullPage is a PullReply whose changes are encoded already: Changes is not
// used, and the elements of the array stand in Encoded, joined by commas, or in
// Packed alone.
type PullPage struct {
	PullReply
	Encoded []byte
	Packed  *Packed
	Count   int // of changes
}

// Packed is a text compressed as DEFLATE blocks (RFC 1951) that end on a byte
// and are not the last, so that it can stand in the middle of a stream.
type Packed struct {
	Blocks []byte
	CRC    uint32 // of the text, IEEE
	Size   int64  // of the text
}

// Text is what was packed. The blocks have no end: one is put behind them.
func (p *Packed) Text() ([]byte, error) {
	end := []byte{0x03, 0x00} // an empty last block
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p.Blocks), bytes.NewReader(end)))
	b := make([]byte, p.Size)
	if _, err := io.ReadFull(r, b); err != nil {
		return nil, err
	}
	return b, r.Close()
}

// emptyChanges begins every reply without changes.
var emptyChanges = []byte(`{"changes":[`)

// Around are the parts of the reply before and after its changes.
func (p *PullPage) Around() (before, after []byte, err error) {
	bare := p.PullReply
	bare.Changes = []Pulled{}
	b, err := json.Marshal(&bare)
	if err != nil || !bytes.HasPrefix(b, emptyChanges) {
		return nil, nil, err
	}
	return emptyChanges, b[len(emptyChanges):], nil
}

// MarshalJSON is the whole reply. It is not for a page that is packed.
func (p *PullPage) MarshalJSON() ([]byte, error) {
	before, after, err := p.Around()
	return bytes.Join([][]byte{before, p.Encoded, after}, nil), err
}

// AppendRecord adds a change that brings a record to the encoded ones.
func (p *PullPage) AppendRecord(seq int64, typ, id string, record []byte) {
	p.begin(seq, typ, id)
	p.Encoded = append(p.Encoded, `,"record":`...)
	p.Encoded = append(append(p.Encoded, record...), '}')
}

// AppendGone adds a change that says that a record is gone.
func (p *PullPage) AppendGone(seq int64, typ, id string) {
	p.begin(seq, typ, id)
	p.Encoded = append(p.Encoded, `,"gone":true}`...)
}

// begin begins a change.
func (p *PullPage) begin(seq int64, typ, id string) {
	if p.Count > 0 {
		p.Encoded = append(p.Encoded, ',')
	}
	p.Count++
	p.Encoded = strconv.AppendInt(append(p.Encoded, `{"seq":`...), seq, 10)
	p.Encoded = appendText(append(p.Encoded, `,"type":`...), typ)
	p.Encoded = appendText(append(p.Encoded, `,"id":`...), id)
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // text can always be marshalled
			}
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
