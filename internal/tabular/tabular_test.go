package tabular

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

// all reads a file and tells each row in a line of text.
func all(t *testing.T, f Format, text string) (out []string) {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), f)
	if err != nil {
		return []string{err.Error()}
	}
	if f == CSV {
		out = append(out, strings.Join(r.Columns, "|"))
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var cells []string
		for _, c := range row.Cells {
			cells = append(cells, c.Text+string(c.JSON))
		}
		s := fmt.Sprintf("%d: %q", row.Line, cells)
		if row.Bad != nil {
			s = fmt.Sprintf("%d: %s", row.Line, row.Bad.Reason)
		}
		out = append(out, s)
	}
}

func TestRead(t *testing.T) {
	long := strings.Repeat("x", MaxRow+10)
	for _, c := range []struct {
		name   string
		format Format
		text   string
		want   []string
	}{
		{"plain", CSV, "a,b\n1,2\n3,4", []string{"a|b", `2: ["1" "2"]`, `3: ["3" "4"]`}},
		{"mark, CRLF and semicolons", CSV, "\ufeffa;\"b,c\";d\r\n1;2,5;3\r\n", []string{"a|b,c|d", `2: ["1" "2,5" "3"]`}},
		{"quotes", CSV, "a,b\n\"1,\"\"x\"\"\",\"\"\n", []string{"a|b", `2: ["1,\"x\"" ""]`}},
		{"lines in a cell are kept as they are", CSV, "a,b\r\n\"1\r\n2\n\n3\",x\r\n4,5\r\n", []string{"a|b", `2: ["1\r\n2\n\n3" "x"]`, `6: ["4" "5"]`}},
		{"blank lines and blanks", CSV, "\n a ,b\n\n 1, \n  \n", []string{"a|b", `4: [" 1" " "]`}},
		{"too few and too many", CSV, "a,b\n1\n1,2,3\n1,2\n", []string{"a|b", "2: it has 1 column, the header has 2", "3: it has 3 columns, the header has 2", `4: ["1" "2"]`}},
		{"a quote within", CSV, "a,b\n5\" nail,1\n\"5\" nail,1\n6,2\n", []string{"a|b", "2: there is a quote in a cell that does not begin with one", "3: something follows the quote that ends a cell", `4: ["6" "2"]`}},
		{"a quote that is never closed takes one line", CSV, "a,b\n\"1,2\n3,4\n5,6\n", []string{"a|b", "2: a quote is opened and never closed", `3: ["3" "4"]`, `4: ["5" "6"]`}},
		{"or that another one seems to close", CSV, "a,b\n\"1,2\n3,4\n\"5\",6\n", []string{"a|b", "2: something follows the quote that ends a cell", `3: ["3" "4"]`, `4: ["5" "6"]`}},
		{"not UTF-8", CSV, "a,b\n\xff,2\nx\xc3,\xa9\n3,é\n", []string{"a|b", "2: it is not written in UTF-8", "3: it is not written in UTF-8", `4: ["3" "é"]`}},
		{"a line too long", CSV, "a,b\n" + long + "\n1,2\n", []string{"a|b", "2: the line is longer than 1 MiB", `3: ["1" "2"]`}},
		{"a cell too long", CSV, "a,b\n1,\"" + strings.Repeat("x\n", MaxRow/2) + "\"\n", nil},
		{"a carriage return at the end", CSV, "a,b\n1,2\r", []string{"a|b", `2: ["1" "2"]`}},
		{"nothing", CSV, "\n\n", []string{"line 1: the file is empty (its first line names the columns)"}},
		{"a column twice", CSV, "a,b,a\n", []string{`line 1: there are two columns "a" (leave one of them out)`}},
		{"a column without a name", CSV, "a,,b\n", []string{"line 1: column 2 has no name (the first line names the columns; is there a separator too many?)"}},
		{"a header that can't be read", CSV, "\"a,b\n", []string{"line 1: a quote is opened and never closed (Close it, or write a quote within a cell twice: \"\".)"}},
		{"UTF-16", CSV, "\xff\xfea\x00", []string{"line 1: the file is written in UTF-16 (save it as UTF-8)"}},

		{"objects", JSONL, "\ufeff{\"a\":1,\"b\":[ true ]}\r\n\n {\"b\" : null} \n", []string{`1: ["1" "[ true ]"]`, `3: ["null"]`}},
		{"not objects", JSONL, "[1]\n{\"a\":1\n{\"a\":1}}\n{\"a\":1,\"a\":2}\n{\"a\":\"\xff\"}\nx\n{}", []string{
			"1: it is not a JSON object", "2: it is not valid JSON in UTF-8", "3: something follows the JSON object", "4: it names a member twice",
			"5: it is not valid JSON in UTF-8", "6: it is not a JSON object", "7: []",
		}},
		{"an object too long", JSONL, "{\"a\":\"" + long + "\"}\n{}\n", []string{"1: the line is longer than 1 MiB", "2: []"}},
		{"nothing at all", JSONL, "", nil},
	} {
		got := all(t, c.format, c.text)
		if c.want == nil && len(got) > 1 {
			if got[1] != "2: a quote is opened and not closed within 1 MiB" || got[2] != "3: it has 1 column, the header has 2" {
				t.Errorf("%s: %q", c.name, got[:3])
			}
			continue
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	if _, err := NewReader(strings.NewReader(""), "xml"); landfall.CodeOf(err) != landfall.CodeInvalid {
		t.Error(err)
	}
}

// What is written is read back byte for byte, whatever it is.
func TestWriteAndReadBack(t *testing.T) {
	texts := []string{"", "=1+1", "@x", " a ", "a,b;c", "\"", "\"\"", "a\r\nb\rc\nd", "\r", "é", "\t", "-1", "\ufeff"}
	for _, f := range []Format{CSV, JSONL} {
		for _, comma := range []byte{',', ';'} {
			var b bytes.Buffer
			w, err := NewWriter(&b, f, comma, []string{"x", "y"})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range texts {
				quoted, err := plainJSON(s)
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Write([]Cell{{Name: "x", Text: s, JSON: quoted}, {Name: "y", Text: s, JSON: []byte("null")}}); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			r, err := NewReader(&b, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range texts {
				row, err := r.Next()
				if err != nil || row.Bad != nil {
					t.Fatalf("%q: %+v %v", s, row, err)
				}
				quoted, err := plainJSON(s)
				if err != nil {
					t.Fatal(err)
				}
				if c := row.Cells; f == CSV && (c[0].Text != s || c[1].Text != s) || f == JSONL && (!bytes.Equal(c[0].JSON, quoted) || string(c[1].JSON) != "null") {
					t.Errorf("%q is read back as %q", s, c)
				}
			}
		}
	}
}

// failing is a disk that is full.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterTellsWhatFails(t *testing.T) {
	w, err := NewWriter(failing{}, CSV, ',', []string{"a"})
	for range 100_000 {
		if err == nil {
			err = w.Write([]Cell{{Text: "x"}})
		}
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Error(err)
	}
}

// refusals reads a file and refuses all of it.
func refusals(t *testing.T, f Format, text string, taken ...string) string {
	t.Helper()
	r, err := NewReader(strings.NewReader(text), f)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w, err := NewRefusals(&b, r, func(name string) bool { return strings.Contains(strings.Join(taken, " "), name) }, false)
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		reason := "why"
		if row.Bad != nil {
			reason = "bad"
		}
		if err := w.Refuse(row, reason); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name   string
		format Format
		text   string
		taken  []string
		want   string
	}{
		{"plain", CSV, "a;b\n1;2\n\"x\ny\";3\n", nil, "line;reason;a;b\r\n2;why;1;2\r\n3;why;\"x\ny\";3\r\n"},
		{"bad", CSV, "a,b\n1\n1,2,3\n\"x,2\n\xff,2\n", nil, "line,reason,a,b\r\n2,bad,1\r\n3,bad,1,2,3\r\n4,bad,\"\"\"x,2\"\r\n5,bad,\xff,2\r\n"},
		{"bad must not look good", CSV, "a\n\"x\n", nil, "line,reason,a\r\n2,bad,\"\"\"x\",\r\n"},
		{"refused before", CSV, "line,reason,a\n7,old,x\n8,old\n", nil, "line,reason,a\r\n2,why,x\r\n3,bad\r\n"},
		{"names that mean something else", CSV, "line,a\n7,x\n", []string{"line"}, "_line,_reason,line,a\r\n2,why,7,x\r\n"},
		{"objects", JSONL, `{"a":1,"line":9,"reason":"old"}` + "\n" + `{"a":` + "\n{\"\xff\n" + `{"line":3,"_raw":"{\"b"}` + "\n", nil,
			`{"line":1,"reason":"why","a":1}` + "\n" + `{"line":2,"reason":"bad","_raw":"{\"a\":"}` + "\n" + `{"line":3,"reason":"bad","_raw":"\"{\\\"\\xff\""}` + "\n" + `{"line":4,"reason":"bad","_raw":"{\"b"}` + "\n"},
	} {
		got, want := refusals(t, c.format, c.text, c.taken...), c.want
		if got != want {
			t.Errorf("%s:\n%q\nwant\n%q", c.name, got, want)
		}
	}
}

// accounted reads a file to its end: every line is in a row, good or bad, or is
// blank, or is in the header, and lines come in order.
func accounted(t *testing.T, f Format, data []byte) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(data), f)
	if err != nil {
		return // the header can't be used, and nothing was read
	}
	w, err := NewRefusals(io.Discard, r, func(string) bool { return false }, false)
	if err != nil {
		t.Fatal(err)
	}
	lines, last, end := r.Blank+r.Head, 0, int64(0)
	blank := r.Blank
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Line <= last || row.Lines < 1 || row.End <= end || row.End > int64(len(data)) {
			t.Fatalf("after line %d, byte %d comes %+v", last, end, row)
		}
		if row.Bad == nil && f == CSV && len(row.Cells) != len(r.Columns) {
			t.Fatalf("%+v has other columns than %q", row, r.Columns)
		}
		if err := w.Refuse(row, "x"); err != nil {
			t.Fatal(err)
		}
		last, end = row.Line+row.Lines-1, row.End
		lines += row.Lines
	}
	lines += r.Blank - blank
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	want := bytes.Count(data, []byte("\n"))
	if len(data) > 0 && data[len(data)-1] != '\n' {
		want++
	}
	if lines != want {
		t.Fatalf("%d lines are accounted for, there are %d in %q", lines, want, data)
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\r\n\"1\r\n\";2\r\n", "a\n\"\n\n\"x\n\"\"\n", "\ufeffa,b\n\"1,2\n3,\"\n", "a,b\n\xff\n\n,\n\"\"\"", "\n\"a\nb\"\n1"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { accounted(t, CSV, data) })
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"{\"a\":1}\n", "{}\r\n\n{\"a\":{\"b\":[1,2]}}", "\ufeff[]\nx\n{\"a\":1,\"a\":2}\n", "{\"_raw\":1}\n{\"_raw\":\"x\"}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) { accounted(t, JSONL, data) })
}
