package core

import (
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Label is what people call a record, made of what the actor may read of it: by the
// label of its type, else its number, else its id. A label that can't be made is
// not worth an error.
func Label(app *definition.App, sight *Sight, actor *landfall.Actor, r *landfall.Record, now time.Time) string {
	if app != nil {
		if t := app.Types[r.Type]; t != nil && t.Label != nil {
			text, err := t.Label.Text(&definition.Vars{Type: t, Record: sight.Record(r), Actor: actor, Now: now})
			if text = strings.TrimSpace(text); err == nil && text != "" {
				return text
			}
		}
	}
	return or(r.Number, r.ID)
}

// mostNamed is how many records a record is shown to refer to by their labels.
const mostNamed = 50

// Named are the ids of records that the values of a type's reference fields name,
// each once, in the order of the fields: so many as are shown by their labels.
func Named(t *definition.Type, of func(field string) []landfall.Value) []string {
	var out []string
	if t == nil {
		return out
	}
	for _, name := range t.Order {
		if f := t.Fields[name]; f.Type != definition.Reference && f.Type != definition.References {
			continue
		}
		for _, v := range of(name) {
			for _, id := range texts(v) {
				if len(out) < mostNamed && !contains(out, id) {
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// Labels are the labels of records, by id. get gives nil for those that are not
// there, or that the caller may not see.
func Labels(ids []string, get func(id string) (*landfall.Record, error), label func(*landfall.Record) string) (map[string]string, error) {
	out := map[string]string{}
	for _, id := range ids {
		r, err := get(id)
		if err != nil {
			return nil, err
		}
		if r != nil && !r.Deleted {
			out[id] = label(r)
		}
	}
	return out, nil
}
