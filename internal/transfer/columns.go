// Package transfer brings the records of a type from a server into a file, and
// from a file to a server. An import can be stopped at any moment and run again:
// the ids of records come from the file, and what is there already is unchanged.
package transfer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/tabular"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The columns that are no fields.
const (
	idColumn      = "id"
	versionColumn = "version"
	statusColumn  = "status"
)

var (
	// given are told by the server alone.
	given = []string{"number", "created_by", "created_at"}
	// told are what a file of refused lines adds; a type may have fields of the
	// first two names, which come first.
	told = []string{"line", "reason", "_line", "_reason"}

	recordID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// space is what all ids that imports make come from. It must never change: the
// same file would make other records.
var space = uuid.MustParse("5d6f3a54-64a2-4f0b-9b5e-6c2f0d8a7e31")

// columns turn the rows of a file into records of a type.
type columns struct {
	t      *definition.Type
	key    string
	ignore []string
	digest string // of the file
	space  uuid.UUID
	seen   map[string]int // lines, by the ids that the file itself gives
}

func newColumns(app string, t *definition.Type, key string, ignore []string, digest string) (*columns, error) {
	if key != "" && t.Fields[key] == nil {
		return nil, definition.Unknown(landfall.CodeInvalid, "field of "+t.Title, key, t.Order)
	}
	return &columns{t: t, key: key, ignore: ignore, digest: digest, seen: map[string]int{}, space: uuid.NewSHA1(space, []byte(app+"\n"+t.Name))}, nil
}

// check refuses a column that means nothing, naming the nearest that does.
func (c *columns) check(name string) *landfall.Error {
	switch {
	case slices.Contains(c.ignore, name), c.t.Fields[name] != nil:
		return nil
	case slices.Contains([]string{idColumn, versionColumn, statusColumn}, name), slices.Contains(told, name):
		return nil
	case slices.Contains(given, name):
		return landfall.Errorf(landfall.CodeInvalid, "%s is given by the server and can't be imported", name).WithHint("pass over it: --ignore %s", name)
	}
	e := definition.Unknown(landfall.CodeInvalid, "field of "+c.t.Title, name, append(slices.Clone(c.t.Order), idColumn, versionColumn, statusColumn))
	return e.WithHint("%s; or pass over it: --ignore %s", e.Hint, name)
}

// header checks the columns of a file at once.
func (c *columns) header(names []string) error {
	fields := 0
	for _, name := range names {
		if e := c.check(name); e != nil {
			e.Message = "line 1: " + e.Message
			return e
		}
		if f := c.t.Fields[name]; f != nil && f.Computed == nil && !slices.Contains(c.ignore, name) {
			fields++
		}
	}
	switch {
	case fields == 0:
		return landfall.Errorf(landfall.CodeInvalid, "line 1: there is no field of %s among the columns", c.t.Title).WithHint("there are: %s", strings.Join(c.t.Order, ", "))
	case c.key != "" && !slices.Contains(names, c.key):
		return landfall.Errorf(landfall.CodeInvalid, "line 1: there is no column %q, which is the key", c.key).WithHint("leave out --key, or name a column of the file")
	}
	return nil
}

// row is what a row of the file asks for, or why it can't be asked.
func (c *columns) row(r *tabular.Row) (wire.ImportRow, *tabular.Fault) {
	out := wire.ImportRow{Line: r.Line, Set: landfall.Fields{}}
	if r.Bad != nil {
		return out, r.Bad
	}
	var faults []tabular.Fault
	empty := true
	for _, cell := range r.Cells {
		fault, some := c.cell(&out, cell)
		if fault != nil {
			faults = append(faults, *fault)
		}
		empty = empty && !some
	}
	switch {
	case len(faults) > 0:
		return out, join(faults)
	case empty && out.ID == "":
		return out, &tabular.Fault{Reason: "there is nothing in it", Hint: "Leave the line out."}
	}
	return out, c.identify(&out)
}

// join makes one fault of many: all reasons, and the first hint.
func join(faults []tabular.Fault) *tabular.Fault {
	var all tabular.Fault
	for i, f := range faults {
		if i > 0 {
			all.Reason += "; "
		}
		all.Reason += strings.TrimSuffix(f.Reason, ".")
		if all.Hint == "" {
			all.Hint = f.Hint
		}
	}
	return &all
}

// cell takes one cell; some says that it holds a value of a field.
func (c *columns) cell(out *wire.ImportRow, cell tabular.Cell) (fault *tabular.Fault, some bool) {
	f := c.t.Fields[cell.Name]
	switch {
	case slices.Contains(c.ignore, cell.Name), f != nil && f.Computed != nil: // the server works it out again
		return nil, false
	case f != nil:
		v, bad := value(f, cell)
		if bad != nil {
			return &tabular.Fault{Reason: bad.Text, Hint: bad.Hint}, true
		}
		out.Set[cell.Name] = v
		return nil, !landfall.IsNull(v)
	case slices.Contains(told, cell.Name):
		return nil, false
	}
	if e := c.check(cell.Name); e != nil {
		return &tabular.Fault{Reason: e.Message, Hint: e.Hint}, false
	}
	text, ok := plain(cell)
	switch cell.Name {
	case idColumn:
		out.ID = strings.ToLower(text)
		ok = ok && (text == "" || recordID.MatchString(out.ID))
	case versionColumn:
		if text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			out.Version, ok = n, ok && err == nil && n >= 0
		}
	default:
		out.Status = text
	}
	if !ok {
		return &tabular.Fault{Reason: "the " + cell.Name + " is not well formed", Hint: "Take it from an export, or leave it empty."}, false
	}
	return nil, false
}

// value is a field's value as a cell has it. Texts are taken as they are; blanks
// around anything else are nobody's intention.
func value(f *definition.Field, cell tabular.Cell) (landfall.Value, *landfall.Message) {
	if cell.JSON != nil {
		return f.Canonical(cell.JSON)
	}
	switch f.Type {
	case definition.Text, definition.LongText, definition.ChoiceOne, definition.ChoiceMany:
		return definition.FromText(f, cell.Text)
	}
	return definition.FromText(f, strings.TrimSpace(cell.Text))
}

// plain is the text of a cell that holds no field's value.
func plain(cell tabular.Cell) (string, bool) {
	if cell.JSON == nil {
		return strings.TrimSpace(cell.Text), true
	}
	var s string
	if landfall.IsNull(cell.JSON) || json.Unmarshal(cell.JSON, &s) == nil {
		return s, true
	}
	var n json.Number
	err := json.Unmarshal(cell.JSON, &n)
	return n.String(), err == nil
}

// identify gives the row the id of its record: its own, one that its key makes,
// or one that the file and its line make. The same file gives the same ids.
func (c *columns) identify(out *wire.ImportRow) *tabular.Fault {
	switch {
	case out.ID != "":
	case c.key != "":
		v := out.Set[c.key]
		if landfall.IsNull(v) {
			return &tabular.Fault{Reason: "it has no " + c.key + ", which is the key", Hint: "Fill it in."}
		}
		out.ID = uuid.NewSHA1(c.space, []byte("key\n"+c.key+"\n"+string(v))).String()
	default:
		out.ID = uuid.NewSHA1(c.space, fmt.Appendf(nil, "line\n%s\n%d", c.digest, out.Line)).String()
		return nil // no other line has it
	}
	if first, again := c.seen[out.ID]; again {
		return &tabular.Fault{Reason: fmt.Sprintf("line %d is about the same record", first), Hint: "Leave one of them out."}
	}
	c.seen[out.ID] = out.Line
	return nil
}
