package transfer

import (
	"context"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/tabular"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Export is an export of the records of a type that somebody may see.
type Export struct {
	// Page is a page of records after a cursor; "" for the first.
	Page     func(ctx context.Context, after string) (*wire.List[wire.RecordView], error)
	Type     *definition.Type
	Hidden   []string // fields that they may not read; they get no column, since an empty one would clear them
	Format   tabular.Format
	Progress func(records int) // after each page; may be nil
}

// Write writes the records, page by page, and tells how many there were. A
// record that changes meanwhile is in it as it was or as it is.
func (e *Export) Write(ctx context.Context, out io.Writer) (int, error) {
	names := append([]string{idColumn, versionColumn, statusColumn}, e.fields()...)
	w, err := tabular.NewWriter(out, e.Format, ',', names)
	if err != nil {
		return 0, err
	}
	n, after := 0, ""
	for {
		page, err := e.Page(ctx, after)
		if err != nil {
			return n, err
		}
		for i := range page.Items {
			if err := w.Write(e.cells(&page.Items[i].Record)); err != nil {
				return n, err
			}
		}
		n += len(page.Items)
		if err := w.Flush(); err != nil {
			return n, err
		}
		if e.Progress != nil {
			e.Progress(n)
		}
		if after = page.Next; after == "" {
			return n, nil
		}
	}
}

// fields are those with a column.
func (e *Export) fields() []string {
	return slices.DeleteFunc(slices.Clone(e.Type.Order), func(name string) bool { return slices.Contains(e.Hidden, name) })
}

func (e *Export) cells(r *landfall.Record) []tabular.Cell {
	version := strconv.FormatInt(r.Version, 10)
	cells := []tabular.Cell{
		{Name: idColumn, Text: r.ID, JSON: quoted(r.ID)},
		{Name: versionColumn, Text: version, JSON: []byte(version)},
		{Name: statusColumn, Text: r.Status, JSON: quoted(r.Status)},
	}
	for _, name := range e.fields() {
		v := r.Fields[name]
		if landfall.IsNull(v) {
			v = landfall.Null
		}
		cells = append(cells, tabular.Cell{Name: name, Text: definition.ToText(e.Type.Fields[name], v), JSON: v})
	}
	return cells
}

// quoted is an id or a status as JSON; null for none.
func quoted(s string) []byte {
	if s == "" {
		return landfall.Null
	}
	b, err := json.Marshal(s)
	if err != nil {
		return landfall.Null
	}
	return b
}

// Grouped is a number as people read it: 12 345.
func Grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
