package core

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Audiences says by which keys a record of a type may be received now; none when
// it is deleted, or not there. A field that was not judged may name a record of
// another type, through which nobody sees anything.
type Audiences func(typ, id string) ([]string, error)

// Audience lists the keys whose holders may receive the record, sorted; nil for
// a deleted record and for a type that the definition does not have. Who may see
// it via another record is asked of others; its errors are passed through.
func Audience(app *definition.App, r *landfall.Record, others Audiences) ([]string, error) {
	t := app.Types[r.Type]
	if t == nil || r.Deleted {
		return nil, nil
	}
	var keys []string
	for _, k := range t.Audience {
		if len(k.Statuses) > 0 && !slices.Contains(k.Statuses, r.Status) {
			continue
		}
		switch k.Kind {
		case definition.AudienceAll:
			keys = append(keys, "all")
		case definition.AudienceRole:
			keys = append(keys, "role:"+k.Name)
		case definition.AudienceUser, definition.AudienceTeam:
			if name := text(r.Fields[k.Name]); name != "" {
				keys = append(keys, string(k.Kind)+":"+name)
			}
		case definition.AudienceVia:
			if id := text(r.Fields[k.Name]); id != "" {
				via, err := others(t.Fields[k.Name].To, id)
				if err != nil {
					return nil, err
				}
				keys = append(keys, via...)
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// Nobody are the audiences of records that are not there.
func Nobody(string, string) ([]string, error) { return nil, nil }

// Sees reports whether the actor holds one of the audience keys.
func Sees(actor *landfall.Actor, keys []string) bool {
	held := actor.Keys()
	return slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(held, k) })
}

// Text is the string in a canonical value, "" when it holds none.
func Text(v landfall.Value) string { return text(v) }

// text is the string in a canonical value, "" when it holds none.
func text(v landfall.Value) string {
	s := ""
	if landfall.IsNull(v) || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// Defaults are the values that a new record of the type starts with. A device
// writes them into the creation; so does the server for people at the desk.
func Defaults(app *definition.App, typ string, actor *landfall.Actor, now time.Time) landfall.Fields {
	out := landfall.Fields{}
	t := app.Types[typ]
	if t == nil {
		return out
	}
	for _, name := range t.Order {
		f := t.Fields[name]
		switch f.DefaultKind {
		case definition.LiteralDefault:
			out.Put(name, landfall.Value(f.Default))
		case definition.MeDefault:
			out.Put(name, quote(actor.User))
		case definition.NowDefault, definition.TodayDefault:
			if v := momentOf(f, now); v != nil {
				out.Put(name, v)
			}
		}
	}
	return out
}

// momentOf is the moment as a canonical value of the field, nil when the field
// can't hold one.
func momentOf(f *definition.Field, now time.Time) landfall.Value {
	now = now.UTC()
	form := now.Format(time.RFC3339Nano)
	switch f.Type {
	case definition.Date:
		form = now.Format(time.DateOnly)
	case definition.Time:
		form = now.Format(time.TimeOnly)
	}
	v, bad := f.Canonical(quote(form))
	if bad != nil {
		return nil
	}
	return v
}

// AudienceIf lists the keys of the record that somebody's mutation is about as if
// it were there: rec is the one that was deleted, or nil when it was never made.
// known is false when no type of the definition describes it.
func AudienceIf(app *definition.App, rec *landfall.Record, author string, m *landfall.Mutation, of Audiences) (keys []string, known bool, err error) {
	if rec == nil {
		now := ConvertMutation(app, *m)
		rec = &landfall.Record{Type: now.Type, ID: now.ID, Fields: landfall.Fields{}, CreatedBy: author}
		for name, value := range now.Set {
			rec.Fields.Put(name, value)
		}
	}
	t := app.Types[rec.Type]
	if t == nil {
		return nil, false, nil
	}
	rec = rec.Clone()
	rec.Deleted = false
	if rec.Status == "" && t.Lifecycle != nil {
		rec.Status = t.Lifecycle.Initial
	}
	keys, err = Audience(app, rec, of)
	return keys, true, err
}
