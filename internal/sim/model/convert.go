package model

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/store"
)

// converted is a mutation in the names of the app in force: step by step, through
// each version since the one that it was made under.
func (m *Model) converted(x *landfall.Mutation) *landfall.Mutation {
	if x.Definition <= 0 || x.Definition >= m.version {
		return x
	}
	all := m.app.Old(x.Definition, x.Type)
	if len(all) == 0 {
		return x
	}
	out := *x
	if x.Base != nil {
		b := *x.Base
		out.Base = &b
	}
	for _, c := range all {
		out.Set = app.Renamed(c.Fields, out.Set)
		out.Transition = called(c.Moves, out.Transition)
		if out.Base != nil {
			out.Base.Was, out.Base.Status = app.Renamed(c.Fields, out.Base.Was), called(c.Statuses, out.Base.Status)
		}
	}
	return &out
}

func called(names map[string]string, name string) string {
	if to, is := names[name]; is {
		return to
	}
	return name
}

// sets reports whether a change set what is this field now, whatever it was called
// when the change was made.
func (m *Model) sets(c *landfall.Change, name string) bool {
	if c.Action == landfall.Assigned {
		return false
	}
	if _, set := c.Set[name]; set || len(m.app.Convert) == 0 {
		return set
	}
	version, _ := slices.BinarySearch(m.published, c.Seq+1) // how many there were
	for old := range c.Set {
		if m.app.Called(int64(version), c.Type, old) == name {
			return true
		}
	}
	return false
}

// convert gives the stored records of a type the names of the version that is
// published: each with an entry in its history that is nobody's change.
func (r *reading) convert(c app.Conversion, d *store.DefinitionRow, changes []*landfall.Change) {
	for _, id := range slices.Sorted(maps.Keys(r.m.records)) {
		rec := r.m.records[id]
		if rec.Type != c.Type {
			continue
		}
		now := rec.Clone()
		now.Fields, now.Edits, now.Status = app.Renamed(c.Fields, rec.Fields), app.Renamed(c.Fields, rec.Edits), called(c.Statuses, rec.Status)
		want := landfall.Change{Seq: r.seq, Type: rec.Type, ID: id, Action: landfall.Updated, Derived: true, Author: d.By, At: r.now(), Edited: r.now()}
		if now.Status != rec.Status {
			want.Action, want.From, want.To = landfall.Moved, rec.Status, now.Status
		}
		for old, name := range c.Fields {
			if v, is := rec.Fields[old]; is {
				put(&want.Set, old, nil)
				put(&want.Was, old, v)
				put(&want.Set, name, v)
				put(&want.Was, name, nil)
			}
		}
		if want.From == want.To && len(want.Set) == 0 {
			continue
		}
		if now.Version, now.UpdatedAt = r.seq, r.now(); r.m.plainly(now) {
			now.Definition = d.Version
		}
		next := *rec
		next.Record = now
		next.history = append(slices.Clip(next.history), &want)
		r.m.give(rec.Record)
		r.m.records[id] = &next
		r.m.reserve(now)
		r.touched = append(r.touched, id)
		at := slices.IndexFunc(changes, func(c *landfall.Change) bool { return c.ID == id })
		if at < 0 {
			r.complain("convert", "%s keeps its old names in version %d", id, d.Version)
			continue
		}
		if rule, what := same(&want, changes[at]); rule != "" {
			r.complain(rule, "%s is converted to version %d with another %s: %s, not %s", id, d.Version, what, told(changes[at]), told(&want))
		}
		changes[at] = &landfall.Change{}
	}
}

// plainly reports whether a record is valid by itself under the app in force.
func (m *Model) plainly(rec *landfall.Record) bool {
	t := m.app.Type(rec.Type)
	if t == nil || (t.Initial == "") != (rec.Status == "") || t.Initial != "" && t.Status(rec.Status) == nil {
		return false
	}
	return !slices.ContainsFunc(t.Fields, func(f *app.Field) bool { return plain(f, rec) != "" })
}
