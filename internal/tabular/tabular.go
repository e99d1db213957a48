// Package tabular reads and writes records as files that other programs know:
// CSV (RFC 4180) and JSON Lines. It knows nothing of types, servers or files:
// bytes come in and rows come out. Every line of a file is part of a row, part
// of one that can't be read, or blank; nothing ends the reading but the file.
package tabular

import (
	"io"
	"strings"

	"github.com/landfall-sync/landfall"
)

// MaxRow bounds one row, in bytes, so that no file needs more memory than others.
const MaxRow = 1 << 20

// Format is how a file is written.
type Format string

// The formats.
const (
	CSV   Format = "csv"
	JSONL Format = "jsonl"
)

// FormatOf is the format that the name of a file tells, or "".
func FormatOf(path string) Format {
	path = strings.ToLower(path)
	switch {
	case strings.HasSuffix(path, ".csv"):
		return CSV
	case strings.HasSuffix(path, ".jsonl"), strings.HasSuffix(path, ".ndjson"):
		return JSONL
	}
	return ""
}

// Cell is one value of a row: Text in CSV, JSON in JSON Lines.
type Cell struct {
	Name string // of the column; "" when the header has none for it
	Text string
	JSON []byte
}

// Fault is why a row can't be read, and what to do.
type Fault struct{ Reason, Hint string }

// Row is one row of a file.
type Row struct {
	Line  int   // on which it begins, from 1
	Lines int   // how many it takes
	End   int64 // bytes of the file up to its end
	// Cells are in the file's order. A row that can't be read has those that
	// could be told apart.
	Cells []Cell
	Bad   *Fault // nil when it can be read
	// Raw is a row that can't be read as it stands in the file, without the end
	// of its line; nil when it is larger than MaxRow.
	Raw []byte
}

// Reader reads rows.
type Reader struct {
	in     *lines
	format Format
	// Columns are the names in the header of CSV, and Comma what stands between
	// two cells.
	Columns []string
	Comma   byte
	// Blank counts the lines with nothing on them, which are passed over, and
	// Head those of the header.
	Blank, Head int
}

// NewReader begins to read: a header in CSV, nothing in JSON Lines. A header
// that can't be used is CodeInvalid, and names line 1.
func NewReader(r io.Reader, f Format) (*Reader, error) {
	out := &Reader{in: newLines(r), format: f}
	if err := out.in.begin(); err != nil {
		return nil, err
	}
	switch f {
	case CSV:
		return out, out.header()
	case JSONL:
		return out, nil
	}
	return nil, landfall.Errorf(landfall.CodeInvalid, "%q is no format", f).WithHint("there are csv and jsonl")
}

// Next is the next row, or io.EOF. Any other error is the file's: it could not
// be read on.
func (r *Reader) Next() (*Row, error) {
	for {
		l, err := r.in.next()
		if err != nil {
			return nil, err
		}
		if !l.long && l.blank() {
			r.Blank++
			continue
		}
		row := &Row{Line: l.number, Lines: 1}
		switch {
		case l.long:
			row.Bad = &Fault{"the line is longer than 1 MiB", "It is in the original file alone; divide it there."}
		case r.format == CSV:
			err = r.csv(row, l)
		default:
			readObject(row, l.text())
		}
		if err != nil {
			return nil, err
		}
		row.End = r.in.offset()
		return row, nil
	}
}
