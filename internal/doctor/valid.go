package doctor

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// valid checks a record under the definition that it is stamped with. A deleted
// one need not be valid; an issue has no definition.
func (w *workspace) valid(r *landfall.Record) error {
	if r.Type == landfall.IssueType || r.Deleted {
		return nil
	}
	w.results[Valid].Checked++
	tell := func(form string, args ...any) {
		w.found(Valid, Finding{Record: r.ID, What: fmt.Sprintf(form, args...)})
	}
	if err := w.holds(r, tell); err != nil {
		return err
	}
	app, err := w.apps.at(r.Definition)
	if err != nil {
		tell("%v", err)
		return nil
	}
	if r, err = w.asStamped(r, app); err != nil {
		tell("%v", err)
		return nil
	}
	t := app.Types[r.Type]
	if t == nil {
		tell("version %d of the definition has no type %q", r.Definition, r.Type)
		return nil
	}
	if l := t.Lifecycle; l == nil && r.Status != "" || l != nil && l.Statuses[r.Status] == nil {
		tell("version %d of the definition has no status %q of %s", r.Definition, r.Status, r.Type)
	}
	for _, name := range t.Order {
		if what := fault(t, t.Fields[name], r); what != "" {
			tell("%s: %s", name, what)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		if t.Fields[name] == nil && !w.hadField(r.Type, name, r.Definition) {
			tell("%s: no version of the definition has such a field", name)
		}
	}
	return nil
}

// asStamped is the record in the names of the version that it is stamped with: one
// that a later version converted, and that is not valid under that, kept its stamp.
func (w *workspace) asStamped(r *landfall.Record, stamped *definition.App) (*landfall.Record, error) {
	if r.Definition >= w.head.Definition {
		return r, nil
	}
	var steps []definition.Conversion
	for old, n := stamped, r.Definition+1; n <= w.head.Definition; n++ {
		next, err := w.apps.at(n)
		if err != nil {
			return nil, err
		}
		steps, old = append(steps, core.Conversions(old, next)...), next
	}
	slices.Reverse(steps)
	for i := range steps {
		steps[i].Rename, steps[i].Statuses = turned(steps[i].Rename), turned(steps[i].Statuses)
	}
	return core.ConvertRecord(steps, r), nil
}

// turned leads from new names to old ones.
func turned(names map[string]string) map[string]string {
	out := make(map[string]string, len(names))
	for _, old := range slices.Sorted(maps.Keys(names)) {
		out[names[old]] = old
	}
	return out
}

// momentary are the words of a condition whose answer was of its moment, or of
// who asked. It can't be asked again.
var momentary = regexp.MustCompile(`\b(me|now|today|was|version|has_role|in_team)\b`)

// fault is what is wrong with a field of the record, or "".
func fault(t *definition.Type, f *definition.Field, r *landfall.Record) string {
	v := r.Fields[f.Name]
	if landfall.IsNull(v) {
		if f.Required || slices.Contains(f.Statuses, r.Status) {
			return "it must be there, and is not"
		}
		return ""
	}
	c, bad := f.Canonical(v)
	switch {
	case bad != nil:
		return "its value is none of the field's: " + bad.Code
	case !landfall.SameValue(c, v):
		return "its value is not written as the field's are"
	case f.Check == nil || momentary.MatchString(f.Check.String()):
		return ""
	}
	answer, err := f.Check.Value(&definition.Vars{Type: t, Record: r, Now: r.UpdatedAt}, &definition.Field{Name: f.Name, Type: definition.Boolean})
	if err != nil || string(answer) != "false" {
		return "" // a check that meets an unset field has no answer
	}
	return "its check fails: " + f.Check.String()
}

// holds: what is unique is so by the definition in force, whatever the record is
// stamped with.
func (w *workspace) holds(r *landfall.Record, tell func(string, ...any)) error {
	app, err := w.apps.at(w.head.Definition)
	if err != nil {
		tell("%v", err)
		return nil
	}
	t := app.Types[r.Type]
	if t == nil {
		return nil
	}
	for _, name := range t.Order {
		if err := w.held(t.Fields[name], r, tell); err != nil {
			return err
		}
	}
	return nil
}

// held: the record is noted as the holder of its unique values.
func (w *workspace) held(f *definition.Field, r *landfall.Record, tell func(string, ...any)) error {
	v := r.Fields[f.Name]
	if !f.Unique || landfall.IsNull(v) {
		return nil
	}
	key := ""
	if json.Unmarshal(v, &key) != nil || key == "" {
		key = string(v)
	}
	holder, err := w.r.Unique(w.ws, r.Type, f.Name, key)
	if err != nil || holder == r.ID {
		return err
	}
	if holder == "" {
		tell("%s: it is unique, but nothing keeps another record from having the same value", f.Name)
		return nil
	}
	tell("%s: it is unique, but the record %s has the same value", f.Name, holder)
	return nil
}

// hadField: a field that a later definition dropped leaves its values behind, and
// what is computed may be newer than the record's stamp.
func (w *workspace) hadField(typ, name string, before int64) bool {
	for n := w.head.Definition; n > 0; n-- {
		app, err := w.apps.at(n)
		if err != nil || app.Types[typ] == nil || app.Types[typ].Fields[name] == nil {
			continue
		}
		if n < before || app.Types[typ].Fields[name].Computed != nil { // worked out since a part changed
			return true
		}
	}
	return false
}
