package model

import (
	"maps"
	"math/big"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// faults finds the first step that leaves something that is not valid; at is -1
// when all records that the run touched are valid.
func (r *run) faults() (kind landfall.Kind, at int, why string) {
	kind, at = landfall.KindValidation, -1
	for _, id := range slices.Clone(r.order) {
		w := r.work[id]
		if w.now == nil || w.now.Deleted || len(w.made)+len(w.bad)+len(w.broken) == 0 {
			continue
		}
		t := r.m.app.Type(w.now.Type)
		note := func(step int, field, what string) {
			if !w.judged && len(w.derived) > 0 && !slices.Contains(w.derived, field) && what != unworked {
				return // what is wrong with a whole does not keep its parts from changing
			}
			if what == unworked {
				kind = landfall.KindConfiguration
			}
			if at < 0 || step < at {
				at, why = step, field+" "+what
			}
		}
		for _, name := range slices.Sorted(maps.Keys(w.bad)) {
			note(w.bad[name], name, "has no such value")
		}
		for _, f := range t.Fields {
			if _, bad := w.bad[f.Name]; bad {
				continue
			}
			if step, broken := w.broken[f.Name]; broken {
				note(step, f.Name, unworked)
				continue
			}
			if what := r.fault(t, f, w); what != "" {
				step, set := w.setBy[f.Name]
				if !set {
					step = w.last
				}
				note(step, f.Name, what)
				continue
			}
			for _, n := range w.required {
				if n.field == f.Name && landfall.IsNull(w.now.Fields[f.Name]) {
					note(n.step, f.Name, "is required by a transition")
					break
				}
			}
		}
	}
	return kind, at, why
}

// unworked is said of a computed field that comes to nothing that it can hold.
const unworked = "can't be worked out"

// fault is what is wrong with one field of a record.
func (r *run) fault(t *app.Type, f *app.Field, w *work) string {
	if what := plain(f, w.now); what != "" {
		return what
	}
	v := w.now.Fields[f.Name]
	var before landfall.Value
	if w.stored != nil && !w.stored.Deleted {
		before = w.stored.Fields[f.Name]
	}
	if _, set := w.setBy[f.Name]; set && t.Hides(r.actor.Roles, f.Name) {
		before = nil
	}
	if landfall.IsNull(v) {
		return ""
	}
	if landfall.SameValue(before, v) {
		return r.outside(f, w) // what and who it names was looked up when it was entered
	}
	if f.Unique && r.held(t, f, w, v) {
		return "is another record's"
	}
	switch name := text(v); f.Type {
	case app.User:
		if r.m.users[name] == nil {
			return "is no user"
		}
	case app.Team:
		if !r.m.teams[name] {
			return "is no team"
		}
	case app.Reference:
		if !r.refers(f, name) {
			return "refers to no record that is there to refer to"
		}
	}
	return r.outside(f, w)
}

// refers: the record is there for the actor to refer to.
func (r *run) refers(f *app.Field, id string) bool {
	to := r.load(id)
	return to.now != nil && !to.now.Deleted && to.now.Type == f.To && (to.created || r.sees(to))
}

// outside: a reference that changed, or whose condition looks at what changed, names
// what it may.
func (r *run) outside(f *app.Field, w *work) string {
	if f.Where == nil {
		return ""
	}
	changed := func(name string) bool {
		return w.stored == nil || w.stored.Deleted || !landfall.SameValue(w.stored.Fields[name], w.now.Fields[name])
	}
	id := text(w.now.Fields[f.Name])
	if !changed(f.Name) && !changed(f.Where.Unless) || !r.refers(f, id) {
		return ""
	}
	to := r.load(id)
	r.refresh(to)
	if to.now.Status == f.Where.Not && !landfall.IsNull(w.now.Fields[f.Where.Unless]) {
		return "names what it may not"
	}
	return ""
}

// plain is what the record alone tells of a field.
func plain(f *app.Field, rec *landfall.Record) string {
	v := rec.Fields[f.Name]
	if landfall.IsNull(v) {
		if f.Required {
			return "is missing"
		}
		return ""
	}
	if _, ok := canonical(f, v); !ok {
		return "has no such value"
	}
	if f.Most > 0 && number(v).Cmp(big.NewRat(f.Most, 1)) > 0 {
		return "is too much"
	}
	if f.Positive && number(v).Sign() <= 0 {
		return "is not positive"
	}
	return ""
}

func uniqueKey(typ, field string, v landfall.Value) string {
	return typ + " " + field + " " + string(v)
}

// held reports whether another record has the value, as the run leaves it.
func (r *run) held(t *app.Type, f *app.Field, w *work, v landfall.Value) bool {
	for _, o := range r.work {
		if o != w && len(o.made) > 0 && !o.now.Deleted && o.now.Type == t.Name && landfall.SameValue(o.now.Fields[f.Name], v) {
			return true
		}
	}
	holder := r.m.unique[uniqueKey(t.Name, f.Name, v)]
	if holder == "" || holder == w.id {
		return false
	}
	o := r.work[holder]
	return o == nil || len(o.made) == 0
}
