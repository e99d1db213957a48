package tabular

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
)

// splitter divides a row of CSV into cells. A row goes on over lines while a
// quote is open.
type splitter struct {
	comma byte
	cells [][]byte
	cell  []byte
	where place
}

// place is where in a row the splitter stands.
type place int

const (
	atStart  place = iota // of a cell
	inPlain               // in a cell without quotes
	inQuotes              // in a cell with quotes
	afterEnd              // after a quote in a quoted cell: its end, or one of two
)

// feed takes a line. It is done when the row ends with it; a fault ends the row, too.
func (s *splitter) feed(b []byte) (done bool, fault *Fault) {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if s.where == inQuotes {
			if c == '"' {
				s.where = afterEnd
			} else {
				s.cell = append(s.cell, c)
			}
			continue
		}
		if c == '\n' || c == '\r' && i == len(b)-2 && b[i+1] == '\n' || c == '\r' && i == len(b)-1 {
			break // of the line; a quote that is open was dealt with above
		}
		switch {
		case c == s.comma:
			s.end()
		case c == '"' && s.where == atStart:
			s.where = inQuotes
		case c == '"' && s.where == afterEnd:
			s.cell, s.where = append(s.cell, c), inQuotes
		case s.where == afterEnd:
			return true, &Fault{"something follows the quote that ends a cell", `Write a quote within a cell twice: "".`}
		case c == '"':
			return true, &Fault{"there is a quote in a cell that does not begin with one", `Put the cell in quotes, and write a quote within it twice: "".`}
		default:
			s.cell, s.where = append(s.cell, c), inPlain
		}
	}
	if s.where == inQuotes {
		return false, nil
	}
	s.end()
	return true, nil
}

func (s *splitter) end() {
	s.cells = append(s.cells, s.cell)
	s.cell, s.where = nil, atStart
}

// split divides the row that begins with a line. When it can't be divided, only
// that line is taken: what made it wrong may be a single quote too many, and the
// lines after it are rows then.
func (r *Reader) split(first line) (cells [][]byte, took []line, fault *Fault, err error) {
	s := splitter{comma: r.Comma}
	size := 0
	for l := first; ; {
		took = append(took, l)
		size += len(l.bytes)
		var done bool
		var bad *Fault
		if !l.long && size <= MaxRow+2 {
			done, bad = s.feed(l.bytes)
		} else {
			bad = &Fault{"a quote is opened and not closed within 1 MiB", `Close it, or write a quote within a cell twice: "".`}
		}
		if !done && bad == nil {
			if l, err = r.in.next(); err == nil {
				continue
			}
			if !errors.Is(err, io.EOF) {
				return nil, took, nil, err
			}
			bad = &Fault{"a quote is opened and never closed", `Close it, or write a quote within a cell twice: "".`}
		}
		if bad != nil {
			r.in.unread(took[1:])
			return nil, took[:1], bad, nil
		}
		return s.cells, took, nil, nil
	}
}

// csv reads the row that begins with a line.
func (r *Reader) csv(row *Row, first line) error {
	cells, took, fault, err := r.split(first)
	if err != nil {
		return err
	}
	row.Lines = len(took)
	for i, c := range cells {
		name := ""
		if i < len(r.Columns) {
			name = r.Columns[i]
		}
		row.Cells = append(row.Cells, Cell{Name: name, Text: string(c)})
	}
	row.Bad = fault
	switch {
	case fault != nil:
	case slices.ContainsFunc(cells, func(c []byte) bool { return !utf8.Valid(c) }):
		row.Bad = &Fault{"it is not written in UTF-8", "Save the file as UTF-8."}
	case len(cells) != len(r.Columns):
		row.Bad = &Fault{fmt.Sprintf("it has %s, the header has %d", count(len(cells), "column"), len(r.Columns)), "Put a cell that holds a separator in quotes."}
	}
	if row.Bad != nil {
		var raw []byte
		for _, l := range took {
			raw = append(raw, l.bytes...)
		}
		row.Raw = line{bytes: raw}.text()
	}
	return nil
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// header reads the names of the columns.
func (r *Reader) header() error {
	wrong := func(format string, args ...any) *landfall.Error {
		return landfall.Errorf(landfall.CodeInvalid, "line 1: "+format, args...)
	}
	first, err := r.in.next()
	for err == nil && !first.long && first.blank() {
		r.Blank++
		first, err = r.in.next()
	}
	switch {
	case errors.Is(err, io.EOF):
		return wrong("the file is empty").WithHint("its first line names the columns")
	case err != nil:
		return err
	case first.long:
		return wrong("it is longer than 1 MiB").WithHint("the first line names the columns")
	}
	r.Comma = separator(first.bytes)
	cells, took, fault, err := r.split(first)
	if err != nil {
		return err
	}
	if fault != nil {
		return wrong("%s", fault.Reason).WithHint("%s", fault.Hint)
	}
	r.Head = len(took)
	seen := map[string]bool{}
	for i, c := range cells {
		name := strings.TrimSpace(string(c))
		switch {
		case !utf8.ValidString(name):
			return wrong("it is not written in UTF-8").WithHint("save the file as UTF-8")
		case name == "":
			return wrong("column %d has no name", i+1).WithHint("the first line names the columns; is there a separator too many?")
		case seen[name]:
			return wrong("there are two columns %q", name).WithHint("leave one of them out")
		}
		seen[name] = true
		r.Columns = append(r.Columns, name)
	}
	return nil
}

// separator is what a header has between its names: a comma, or the semicolon
// of programs where the comma belongs to numbers.
func separator(b []byte) byte {
	commas, semicolons, quoted := 0, 0, false
	for _, c := range b {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			commas++
		case c == ';':
			semicolons++
		}
	}
	if semicolons > commas {
		return ';'
	}
	return ','
}
