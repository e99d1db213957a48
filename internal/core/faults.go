package core

import (
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Faults is what is wrong with a record as it is stored, by the definition of
// its type alone: values of another type, fields that must be there and are
// not, checks that fail. They come in the order of the type's fields. Who and
// what its values name is not looked up. A type that the app does not have has
// no faults, nor has a deleted record.
func Faults(app *definition.App, r *landfall.Record, now time.Time) []landfall.Message {
	t := app.Types[r.Type]
	if t == nil || r.Deleted {
		return nil
	}
	vars := &definition.Vars{Type: t, Record: r, Was: r, Actor: &landfall.Actor{}, Now: now}
	var out []landfall.Message
	for _, name := range t.Order {
		if m := plainFault(t, t.Fields[name], vars); m != nil {
			out = append(out, *m)
		}
	}
	return out
}

// Homeless is what of a record the definition has no place for any more: its
// type, its status, or values in fields that are gone, fields by name.
func Homeless(app *definition.App, r *landfall.Record) []landfall.Message {
	t := app.Types[r.Type]
	if t == nil {
		return []landfall.Message{{Code: CodeUnknownType, Text: "The type " + quoted(r.Type) + " is gone.", Hint: homelessHint}}
	}
	var out []landfall.Message
	switch {
	case t.Lifecycle == nil && r.Status != "":
		out = append(out, landfall.Message{Code: CodeNoLifecycle, Text: title(t) + " has no lifecycle any more, but the record has a status.", Hint: homelessHint})
	case t.Lifecycle != nil && t.Lifecycle.Statuses[r.Status] == nil:
		out = append(out, landfall.Message{Code: CodeUnknownStatus, Text: title(t) + ": the status " + quoted(r.Status) + " is gone.", Hint: homelessHint})
	}
	for _, name := range unknown(t, r.Fields) {
		out = append(out, landfall.Message{Code: CodeUnknownField, Field: name, Text: title(t) + ": the field " + quoted(name) + " is gone, and has values.", Hint: homelessHint})
	}
	return out
}

const homelessHint = "Leave it in the definition, or say in convert: what it is called now."

// CodeUnknownStatus says that the definition has no such status.
const CodeUnknownStatus = "unknown_status"

// Renamed is the record with the names that the app's conversions after its own
// version give its fields and status; it is the record itself where they rename
// nothing of it.
func Renamed(app *definition.App, r *landfall.Record) *landfall.Record {
	out := r
	for i := range app.Convert {
		c := &app.Convert[i]
		if c.Type != r.Type || c.To <= r.Definition {
			continue
		}
		if to := c.Statuses[out.Status]; to != "" {
			out = copied(out, r)
			out.Status = to
		}
		if !slices.ContainsFunc(fieldNames(out), func(name string) bool { return c.Rename[name] != "" }) {
			continue
		}
		out = copied(out, r)
		fields := make(landfall.Fields, len(out.Fields))
		for name, v := range out.Fields {
			fields[or(c.Rename[name], name)] = v
		}
		edits := make(map[string]landfall.Edit, len(out.Edits))
		for name, e := range out.Edits {
			edits[or(c.Rename[name], name)] = e
		}
		out.Fields, out.Edits = fields, edits
	}
	if out != r {
		out.Definition = app.Version
	}
	return out
}

// copied is the record when it is a copy already, else a copy of it.
func copied(out, r *landfall.Record) *landfall.Record {
	if out == r {
		return r.Clone()
	}
	return out
}

func fieldNames(r *landfall.Record) []string {
	out := make([]string, 0, len(r.Fields))
	for name := range r.Fields {
		out = append(out, name)
	}
	return out
}
