package tabular

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Writer writes rows. Flush it at the end. What it wrote it reads back as it was:
// nothing is changed to suit a program that takes text for formulas.
type Writer struct {
	w       *bufio.Writer
	format  Format
	comma   byte
	columns []string
}

// NewWriter begins a file: with a header in CSV. Each row has a cell for every
// column, in that order.
func NewWriter(w io.Writer, f Format, comma byte, columns []string) (*Writer, error) {
	out := Continue(w, f, comma, columns)
	if f != CSV {
		return out, nil
	}
	return out, out.csv(columns)
}

// Continue goes on with a file that NewWriter began.
func Continue(w io.Writer, f Format, comma byte, columns []string) *Writer {
	if comma == 0 {
		comma = ','
	}
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), format: f, comma: comma, columns: columns}
}

// Flush hands on what was written.
func (w *Writer) Flush() error { return w.w.Flush() }

// Write writes a row: the cells' Text in CSV, their JSON in JSON Lines.
func (w *Writer) Write(cells []Cell) error {
	if w.format == CSV {
		texts := make([]string, len(cells))
		for i := range cells {
			texts[i] = cells[i].Text
		}
		return w.csv(texts)
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := plainJSON(cells[i].Name)
		if err != nil {
			return err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(cells[i].JSON)
	}
	b.WriteString("}\n")
	_, err := w.w.Write(b.Bytes())
	return err
}

// csv writes a line by RFC 4180. A line with one empty cell is not blank.
func (w *Writer) csv(texts []string) error {
	for i, s := range texts {
		if i > 0 {
			if err := w.w.WriteByte(w.comma); err != nil {
				return err
			}
		}
		if s == "" && len(texts) == 1 || strings.ContainsAny(s, "\",;\r\n") || strings.TrimSpace(s) != s {
			s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
		}
		if _, err := w.w.WriteString(s); err != nil {
			return err
		}
	}
	_, err := w.w.WriteString("\r\n")
	return err
}

// plainJSON is a text as JSON, without the escapes that only HTML needs.
func plainJSON(s string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(s)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Refusals writes the rows that were refused, with their line and the reason
// before what they had, so that they can be mended and read again.
type Refusals struct {
	*Writer
	line, reason string // names of the first two columns
	width        int    // columns of the original
	kept         []int  // those of them that are written
}

// NewRefusals writes refused rows of a file that r reads. taken tells which names
// mean something else in the file; the two columns have other ones then. A file
// that was begun before goes on without a header.
func NewRefusals(w io.Writer, r *Reader, taken func(string) bool, begun bool) (*Refusals, error) {
	out := &Refusals{line: "line", reason: "reason", width: len(r.Columns)}
	if taken(out.line) || taken(out.reason) {
		out.line, out.reason = "_line", "_reason"
	}
	columns := []string{out.line, out.reason}
	for i, name := range r.Columns {
		if name != out.line && name != out.reason { // of a file that was refused before
			out.kept = append(out.kept, i)
			columns = append(columns, name)
		}
	}
	if begun {
		out.Writer = Continue(w, r.format, r.Comma, columns)
		return out, nil
	}
	inner, err := NewWriter(w, r.format, r.Comma, columns)
	out.Writer = inner
	return out, err
}

// Refuse writes a row. One that could not be read stands there as it was, and
// will be refused again until it is mended.
func (w *Refusals) Refuse(row *Row, reason string) error {
	if w.format == CSV {
		return w.refuseCSV(row, reason)
	}
	text, err := plainJSON(strings.ToValidUTF8(reason, "?"))
	if err != nil {
		return err
	}
	cells := []Cell{{Name: w.line, JSON: strconv.AppendInt(nil, int64(row.Line), 10)}, {Name: w.reason, JSON: text}}
	if row.Bad == nil {
		for _, c := range row.Cells {
			if c.Name != w.line && c.Name != w.reason {
				cells = append(cells, c)
			}
		}
		return w.Write(cells)
	}
	raw := row.Raw
	if !utf8.Valid(raw) { // bytes that no JSON can hold are quoted, so that none is lost
		raw = []byte(strconv.QuoteToASCII(string(raw)))
	}
	if text, err = plainJSON(string(raw)); err != nil {
		return err
	}
	return w.Write(append(cells, Cell{Name: RawName, JSON: text}))
}

func (w *Refusals) refuseCSV(row *Row, reason string) error {
	texts := []string{fmt.Sprint(row.Line), reason}
	switch {
	case len(row.Cells) == w.width:
		for _, i := range w.kept {
			texts = append(texts, row.Cells[i].Text)
		}
		return w.csv(texts)
	case len(row.Cells) > 0:
		for i, c := range row.Cells {
			if i >= w.width || slices.Contains(w.kept, i) {
				texts = append(texts, c.Text)
			}
		}
	case row.Raw != nil:
		texts = append(texts, string(row.Raw))
	}
	if len(texts) == len(w.columns) {
		texts = append(texts, "") // what could not be read must not look as if it could
	}
	return w.csv(texts)
}
