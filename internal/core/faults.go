package core

import (
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
