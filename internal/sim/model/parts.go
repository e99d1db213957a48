package model

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// whole is what a record is a part of; "" for none.
func whole(t *app.Type, r *landfall.Record) string {
	if t == nil || t.PartOf == "" || r == nil {
		return ""
	}
	return text(r.Fields[t.PartOf])
}

// wholes are what a mutation's record is a part of, and that of, and so on: with
// them it shares a lane. A creation says it, of others the record tells.
func (m *Model) wholes(x *landfall.Mutation, record func(id string) *landfall.Record) []string {
	t := m.app.Type(x.Type)
	if t == nil || t.PartOf == "" {
		return nil
	}
	id := strings.ToLower(text(x.Set[t.PartOf]))
	if x.Op != landfall.OpCreate {
		id = whole(t, record(x.ID))
	}
	var out []string
	for id != "" && t != nil && t.PartOf != "" {
		out = append(out, id)
		if t = m.app.Type(t.PartOf); t != nil {
			id = whole(t, record(id))
		}
	}
	return out
}

func (m *Model) stored(id string) *landfall.Record {
	if r := m.records[id]; r != nil {
		return r.Record
	}
	return nil
}

// asked is a record as it is, or as its device asks to make it: in the same unit,
// or in what issues hold.
func (m *Model) asked(units []*Item) func(id string) *landfall.Record {
	return func(id string) *landfall.Record {
		if r := m.stored(id); r != nil {
			return r
		}
		all := slices.Clone(units)
		for _, k := range m.lanes[units[0].Key.Replica] {
			all = append(all, m.items[k])
		}
		for _, it := range all {
			if x := &it.mutation; it.bad == "" && x.Op == landfall.OpCreate && x.ID == id {
				return &landfall.Record{Type: x.Type, ID: id, Fields: x.Set}
			}
		}
		return nil
	}
}

// laned: an item names its record, and what that is a part of.
func (r *reading) laned(units []*Item) {
	for _, it := range units {
		if it.bad != "" || !judged(it.mutation.Op) || strings.HasPrefix(it.Key.Replica, deskOf) {
			continue
		}
		want := append([]string{it.Record}, r.m.wholes(&it.mutation, r.m.asked(units))...)
		if !slices.Equal(it.Refs, want) {
			r.complain("lane", "%s is in the lane of %v, not of %v", it.Key, it.Refs, want)
		}
	}
}

// withdrawn is what a withdrawal covers: the lane, and what waits to become a part
// of a record that is not there. A group is covered whole, or not at all.
func (m *Model) withdrawn(i *Issue) []*Item {
	out := m.lane(i)
	if i.Record == "" || m.records[i.Record] != nil {
		return out
	}
	rest := slices.DeleteFunc(m.held(i), func(it *Item) bool { return slices.Contains(out, it) })
	for from := 0; from < len(rest); {
		to := from + 1
		for to < len(rest) && rest[from].grouped() && divides(rest, to) {
			to++
		}
		unit := rest[from:to]
		of := 1
		if unit[0].grouped() {
			of = unit[0].mutation.Group.Of
		}
		if len(unit) == of && !slices.ContainsFunc(unit, func(it *Item) bool { return it.Record == i.Record || !slices.Contains(it.Refs, i.Record) }) {
			out = append(out, unit...)
		}
		from = to
	}
	return out
}

// partsOf lists the parts that a record has of a type, as the run leaves them, by
// id; gone are those that were deleted with it.
func (r *run) partsOf(id string, t *app.Type, gone bool) []*work {
	ids := map[string]bool{}
	for part, rec := range r.m.records {
		if rec.Type == t.Name && whole(t, rec.Record) == id && (!gone || rec.gone) {
			ids[part] = true
		}
	}
	for part, w := range r.work {
		if w.now != nil && w.now.Type == t.Name && whole(t, w.now) == id && (!gone || w.gone) {
			ids[part] = true
		}
	}
	var out []*work
	for _, part := range slices.Sorted(maps.Keys(ids)) {
		w := r.work[part]
		if w == nil && r.m.records[part].Deleted != gone {
			continue
		}
		if w = r.load(part); w.now != nil && w.now.Deleted == gone {
			out = append(out, w)
		}
	}
	return out
}

// sum is what a computed field comes to; false when it does not fit.
func (r *run) sum(id string, f *app.Field) (landfall.Value, bool) {
	typ, name, _ := strings.Cut(f.Sums, ".")
	var n int64
	for _, w := range r.partsOf(id, r.m.app.Type(typ), false) {
		if v, err := strconv.ParseInt(string(w.now.Fields[name]), 10, 64); err == nil {
			n += v
		}
	}
	return canonical(f, landfall.Value(strconv.FormatInt(n, 10)))
}

// computed are the fields of a record that come to something else than they say.
func (r *run) computed(t *app.Type, w *work, put func(name string, v landfall.Value)) {
	for _, f := range t.Fields {
		if f.Sums == "" {
			continue
		}
		v, ok := r.sum(w.id, f)
		if delete(w.broken, f.Name); !ok {
			w.broken[f.Name] = r.at
			continue
		}
		put(f.Name, v)
	}
}

// disturb: a part of a type changed, and what its whole has computed of such parts
// is to be worked out.
func (r *run) disturb(t *app.Type, part *landfall.Record) {
	id := whole(t, part)
	if id == "" {
		return
	}
	wt := r.m.app.Type(t.PartOf)
	if !slices.ContainsFunc(wt.Fields, func(f *app.Field) bool { return strings.HasPrefix(f.Sums, t.Name+".") }) {
		return
	}
	if w := r.load(id); w.now != nil && w.now.Type == wt.Name {
		w.stale, w.staleAt = true, r.at
	}
}

// refresh works out what is computed from parts that changed: by who changed them,
// and nobody's change.
func (r *run) refresh(w *work) {
	if !w.stale {
		return
	}
	w.stale = false
	if w.now.Deleted {
		return
	}
	at := r.at
	r.at = w.staleAt
	defer func() { r.at = at }()
	s := &r.steps[r.at]
	c := landfall.Change{
		Seq: r.seq, Type: w.now.Type, ID: w.id, Action: landfall.Updated, Derived: true, Author: r.actor.User, At: r.now, Edited: s.edited,
		Origin: s.mutation.Key(), Issue: s.issue,
	}
	if s.by != c.Author {
		c.By = s.by // who repaired the change of the part
	}
	r.computed(r.m.app.Type(w.now.Type), w, func(name string, v landfall.Value) {
		if was := w.now.Fields[name]; !landfall.SameValue(was, v) {
			put(&c.Set, name, v)
			put(&c.Was, name, was)
			w.derived = append(w.derived, name)
		}
	})
	if len(c.Set) > 0 {
		r.make(w, &c)
	}
}

func (r *run) refreshAll() {
	for k := 0; k < len(r.order); k++ { // which may grow
		r.refresh(r.work[r.order[k]])
	}
}

// make takes a change into the run.
func (r *run) make(w *work, c *landfall.Change) {
	w.last = r.at
	r.changes = append(r.changes, *c)
	w.made = append(w.made, c)
	w.now = fold(r.m.app, w.now, c)
}

// together deletes the parts of a record with it, and restores those that went
// with it.
func (r *run) together(a *attempt, id, typ string) {
	restored := a.change.Action == landfall.Restored
	for _, t := range r.m.app.Parts(typ) {
		for _, w := range r.partsOf(id, t, restored) {
			c := a.change
			c.Type, c.ID, c.Set, c.Was, c.Lost = t.Name, w.id, nil, nil, nil
			w.gone, w.judged = !restored, true
			r.make(w, &c)
			r.together(a, w.id, t.Name)
		}
	}
}

// wholeThere: what it is a part of was not deleted. One that is not there, or not
// the author's to see, is a reference to nothing, and told with the values.
func (r *run) wholeThere(a *attempt) (landfall.Kind, string) {
	if a.t.PartOf == "" || a.x.Op == landfall.OpDelete {
		return "", ""
	}
	id := whole(a.t, a.w.now)
	if a.x.Op == landfall.OpCreate {
		id = strings.ToLower(text(a.x.Set[a.t.PartOf]))
	}
	if id == "" {
		return "", ""
	}
	if w := r.load(id); w.now != nil && w.now.Deleted && w.now.Type == a.t.PartOf && r.sees(w) {
		return landfall.KindGone, "what it is a part of is deleted"
	}
	return "", ""
}

// frozen: the record, or what it is a part of, is in a status in which nobody sets
// anything. A part's own transition that sets nothing is made.
func (r *run) frozen(a *attempt) bool {
	entered := a.x.Op != landfall.OpCreate && len(a.x.Set) > 0
	stands := func(t *app.Type, rec *landfall.Record) bool {
		s := t.Status(rec.Status)
		return s != nil && s.Frozen
	}
	if entered && stands(a.t, a.w.now) {
		return true
	}
	if !entered && a.x.Op == landfall.OpTransition {
		return false
	}
	t, rec := a.t, &landfall.Record{Fields: a.fields}
	for t.PartOf != "" {
		id := whole(t, rec)
		if id == "" {
			return false
		}
		w := r.load(id)
		if w.now == nil || w.now.Type != t.PartOf || !r.sees(w) {
			return false
		}
		if t, rec = r.m.app.Type(t.PartOf), w.now; stands(t, rec) {
			return true
		}
	}
	return false
}

// partsChanged: somebody else changed a part after what the author of a deletion
// saw of them.
func (r *run) partsChanged(a *attempt, id, typ string) bool {
	seen := max(a.base.Version, a.base.Seen)
	switch {
	case r.foreign(a):
		seen = 0
	case a.base.Seen >= r.seq: // which nobody has seen
		seen = a.base.Version
	}
	for _, t := range r.m.app.Parts(typ) {
		for _, w := range r.partsOf(id, t, false) {
			all := slices.Clone(w.made)
			if w.stored != nil {
				all = append(all, w.stored.history...)
			}
			other := func(c *landfall.Change) bool {
				o := c.Origin
				mine := o.Replica == a.x.Replica && (o.Incarnation < a.x.Incarnation || o.Incarnation == a.x.Incarnation && o.N <= a.x.N)
				return c.Seq > seen && !c.Derived && !mine
			}
			if slices.ContainsFunc(all, other) || r.partsChanged(a, w.id, t.Name) {
				return true
			}
		}
	}
	return false
}

// goes reports whether a change of a part comes of that of its whole: it is deleted,
// or restored, with it.
func (m *Model) goes(c *landfall.Change, changes []*landfall.Change) bool {
	if c.Action != landfall.Deleted && c.Action != landfall.Restored {
		return false
	}
	id := whole(m.app.Type(c.Type), m.stored(c.ID))
	return id != "" && slices.ContainsFunc(changes, func(o *landfall.Change) bool { return o.ID == id && o.Action == c.Action })
}

// entered leaves of a mutation what a person can enter.
func (m *Model) entered(x *landfall.Mutation) {
	t := m.app.Type(x.Type)
	for name := range x.Set {
		if t == nil {
			return
		}
		if f := t.Field(name); f != nil && f.Sums != "" {
			delete(x.Set, name)
		}
	}
}

// nobodys reports whether a change sets a field to what is computed, or filled in by
// a reference that it sets.
func (m *Model) nobodys(c *landfall.Change, name string) bool {
	t := m.app.Type(c.Type)
	return t != nil && slices.ContainsFunc(t.Fields, func(f *app.Field) bool {
		_, set := c.Set[f.Name]
		return f.Name == name && f.Sums != "" || set && slices.ContainsFunc(f.Fill, func(x app.Fill) bool { return x.Field == name })
	})
}
