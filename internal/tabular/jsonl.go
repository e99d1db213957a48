package tabular

import (
	"bytes"
	"errors"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// RawName is the member that holds a line of JSON Lines that could not be read,
// in a file of refused lines.
const RawName = "_raw"

// readObject reads a line that holds one JSON object.
func readObject(row *Row, text []byte) {
	dec := jsontext.NewDecoder(bytes.NewReader(text))
	bad := func(reason, hint string) { row.Bad, row.Raw = &Fault{reason, hint}, text }
	if dec.PeekKind() != '{' {
		bad("it is not a JSON object", `A line looks like {"name":"value"}.`)
		return
	}
	if _, err := dec.ReadToken(); err != nil {
		bad(notJSON(err))
		return
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadToken()
		if err != nil {
			bad(notJSON(err))
			return
		}
		cell := Cell{Name: name.String()}
		value, err := dec.ReadValue()
		if err != nil {
			bad(notJSON(err))
			return
		}
		cell.JSON = bytes.Clone(value)
		row.Cells = append(row.Cells, cell)
		if cell.Name == RawName {
			row.Cells = nil
			bad("it holds a line that could not be read", "Write that line out as a JSON object of its own.")
			if inner, err := jsontext.AppendUnquote(nil, value); err == nil {
				row.Raw = inner
			}
			return
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		bad(notJSON(err))
		return
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		bad("something follows the JSON object", "Write one object a line.")
	}
}

// notJSON never holds what was read.
func notJSON(err error) (reason, hint string) {
	if errors.Is(err, jsontext.ErrDuplicateName) {
		return "it names a member twice", "Leave one of them out."
	}
	return "it is not valid JSON in UTF-8", "Mend the line."
}
