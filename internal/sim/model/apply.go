package model

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// foreign: the base is of a history that the server does not have; then what was
// seen decides alone.
func (r *run) foreign(a *attempt) bool {
	return !a.current && a.w.stored != nil && (a.base.Lost || a.base.Version > a.w.stored.Version)
}

// own reports whether the change is one of the replica's that the author's view
// contained.
func own(a *attempt, c *landfall.Change) bool {
	o := c.Origin
	return o.Replica == a.x.Replica && o.Incarnation == a.x.Incarnation && o.N > 0 && o.N <= a.base.After
}

// others lists the changes since the base that the author did not know of.
func (r *run) others(a *attempt) []*landfall.Change {
	if a.current {
		return nil
	}
	var out []*landfall.Change
	if a.w.stored != nil {
		h := a.w.stored.history
		from, _ := slices.BinarySearchFunc(h, a.base.Version+1, func(c *landfall.Change, seq int64) int { return compare(c.Seq, seq) })
		out = append(out, h[from:]...)
	}
	out = append(out, a.w.made...)
	return slices.DeleteFunc(out, func(c *landfall.Change) bool { return c.Derived || own(a, c) })
}

// changed: somebody else changed the record since the base. Of a lost base this
// is known: what the replica did itself before, its author saw.
func (r *run) changed(a *attempt) bool {
	if !a.current && r.partsChanged(a, a.w.id, a.t.Name) {
		return true
	}
	if !r.foreign(a) {
		return len(r.others(a)) > 0
	}
	h := slices.Concat(a.w.stored.history, a.w.made)
	return slices.ContainsFunc(h, func(c *landfall.Change) bool {
		o := c.Origin
		before := o.Incarnation < a.x.Incarnation || o.Incarnation == a.x.Incarnation && o.N < a.x.N
		return !c.Derived && (o.Replica != a.x.Replica || !before)
	})
}

// merged works out what the fields are with the mutation's values in them. It
// refuses nothing yet.
func (r *run) merged(a *attempt) (landfall.Kind, string) {
	c := landfall.Change{
		Seq: r.seq, Type: a.x.Type, ID: a.x.ID, Author: r.actor.User, At: r.now, Edited: a.edited,
		Origin: a.x.Key(), Issue: a.issue,
	}
	a.change = c
	a.fields = landfall.Fields{}
	if a.w.now != nil {
		a.fields = a.w.now.Fields.Clone()
	}
	if a.fields == nil {
		a.fields = landfall.Fields{}
	}
	if a.x.Op == landfall.OpDelete || a.x.Op == landfall.OpRestore {
		return "", ""
	}
	for name, v := range a.x.Set {
		if a.t.Field(name) != nil {
			continue
		}
		if landfall.IsNull(v) {
			delete(a.w.bad, name)
		} else {
			a.w.bad[name] = r.at
		}
	}
	others := r.others(a)
	for _, f := range a.t.Fields {
		v, set := a.x.Set[f.Name]
		switch {
		case set && f.Sums != "":
			a.w.setBy[f.Name] = r.at
			if delete(a.w.bad, f.Name); !landfall.IsNull(v) {
				a.w.bad[f.Name] = r.at // nobody enters it
			}
		case set:
			r.field(a, f, v, others)
		}
	}
	r.fill(a, others)
	return "", ""
}

// fill sets what references that were set fill in: what the mutation does not set
// itself, no decision leaves as it is, and nobody else set since.
func (r *run) fill(a *attempt, others []*landfall.Change) {
	for _, f := range a.t.Fields {
		id := text(a.change.Set[f.Name])
		if len(f.Fill) == 0 || id == "" {
			continue
		}
		if !r.refers(f, id) {
			return
		}
		target := r.load(id)
		r.refresh(target)
		for _, x := range f.Fill {
			_, own := a.x.Set[x.Field]
			_, stays := a.asked[x.Field]
			if own || stays || slices.ContainsFunc(others, func(c *landfall.Change) bool { return r.m.sets(c, x.Field) }) {
				continue
			}
			delete(a.w.bad, x.Field)
			a.w.setBy[x.Field] = r.at
			a.enter(x.Field, orNull(target.now.Fields[x.From]))
		}
	}
}

// try is a value that could not be taken, and what it counts from.
type try struct {
	value landfall.Value
	base  landfall.Base
}

// shown is a value as a device shows it: as it would be stored, or as it is.
func shown(f *app.Field, v landfall.Value) landfall.Value {
	if c, ok := canonical(f, v); ok {
		return c
	}
	return v
}

// field merges one field. What mends a value that could not be taken counts from
// where the first such one did.
func (r *run) field(a *attempt, f *app.Field, v landfall.Value, others []*landfall.Change) {
	name, made := f.Name, a.base
	if t, is := a.w.tried[name]; is && landfall.SameValue(t.value, shown(f, made.Was[name])) {
		a.base = landfall.Base{Version: t.base.Version, Lost: t.base.Lost, Was: t.base.Was, After: made.After, Status: made.Status}
		others = r.others(a)
	}
	r.fieldFrom(a, f, v, others)
	delete(a.w.tried, name)
	if _, wrong := a.w.bad[name]; wrong {
		a.w.tried[name] = try{shown(f, v), a.base}
	}
	a.base = made
}

func (r *run) fieldFrom(a *attempt, f *app.Field, v landfall.Value, others []*landfall.Change) {
	name := f.Name
	a.w.setBy[name] = r.at
	device, ok := canonical(f, v)
	if ok && name == a.t.PartOf && a.x.Op != landfall.OpCreate {
		ok = landfall.SameValue(device, a.fields[name]) // a part stays where it is
	}
	if !ok {
		a.w.bad[name] = r.at
		return
	}
	delete(a.w.bad, name)
	s := three{current: a.fields[name], device: device}
	if a.x.Op != landfall.OpCreate && !slices.Contains(a.given, name) {
		s.was = a.base.Was[name]
		if c, ok := canonical(f, s.was); ok {
			s.was = c
		}
		changed := r.foreign(a) || slices.ContainsFunc(others, func(c *landfall.Change) bool { return r.m.sets(c, name) })
		s.touched = changed && !landfall.SameValue(s.current, s.was)
		if s.blind = a.t.Hides(r.actor.Roles, name); s.blind {
			s.touched = !a.current && (changed || slices.Contains([]string{"add", "union", "append"}, f.Conflict))
		}
		s.later = a.edited.After(a.w.now.Edits[name].At)
	}
	result, fate := s.merge(f)
	switch fate {
	case taken:
		if !s.blind && landfall.SameValue(a.fields[name], result) {
			return
		}
		a.write(name, result) // what its author can't read is a change, be it the same
	case lost:
		put(&a.change.Lost, name, device)
	case asked:
		a.review = append(a.review, name)
	case cannot:
		a.w.bad[name] = r.at
	}
}

// enter notes a new value, if it is one in the end.
func (a *attempt) enter(name string, v landfall.Value) {
	if landfall.SameValue(a.fields[name], v) {
		return
	}
	a.write(name, v)
	if landfall.SameValue(a.change.Was[name], v) {
		delete(a.change.Set, name)
		delete(a.change.Was, name)
	}
}

// write notes a value, be it a new one or not.
func (a *attempt) write(name string, v landfall.Value) {
	was := a.fields[name]
	if _, again := a.change.Set[name]; !again {
		put(&a.change.Was, name, was)
	}
	put(&a.change.Set, name, v)
	a.fields.Put(name, v)
}

func put(f *landfall.Fields, name string, v landfall.Value) {
	if *f == nil {
		*f = landfall.Fields{}
	}
	(*f)[name] = orNull(v)
}

// apply makes the change that the step comes to, if it comes to any.
func (r *run) apply(a *attempt) {
	c := &a.change
	a.w.last = r.at
	switch a.x.Op {
	case landfall.OpCreate:
		c.Action, c.To = landfall.Created, a.t.Initial
		a.w.created = true
	case landfall.OpTransition:
		c.Action, c.Transition, c.From, c.To = landfall.Moved, a.move.Name, a.w.now.Status, a.move.To
		if name := a.move.Stamp; name != "" {
			a.enter(name, quoted(stamp(r.now)))
			delete(c.Lost, name)
			a.w.setBy[name] = r.at
		}
	case landfall.OpDelete:
		c.Action = landfall.Deleted
	case landfall.OpRestore:
		if !a.w.now.Deleted {
			return
		}
		c.Action = landfall.Restored
		a.w.stale, a.w.staleAt = true, r.at // its parts come back first
	default:
		if len(c.Set) == 0 && len(c.Lost) == 0 {
			return
		}
		c.Action = landfall.Updated
	}
	if c.Action != landfall.Deleted && c.Action != landfall.Restored {
		r.computed(a.t, a.w, func(name string, v landfall.Value) {
			if a.w.now == nil || !landfall.SameValue(a.w.now.Fields[name], v) {
				a.enter(name, v)
			}
		})
	}
	for _, part := range r.split(a) {
		r.make(a.w, &part)
	}
	a.w.judged, a.w.gone = true, false
	if c.Action == landfall.Deleted || c.Action == landfall.Restored {
		r.together(a, a.w.id, a.t.Name)
	}
	r.disturb(a.t, a.w.now)
}

// fold is the record after a change; nil before its creation.
func fold(a *app.App, was *landfall.Record, c *landfall.Change) *landfall.Record {
	r := was.Clone()
	if r == nil {
		r = &landfall.Record{Type: c.Type, ID: c.ID, CreatedBy: c.Author, CreatedAt: c.At}
	}
	if r.Fields == nil {
		r.Fields = landfall.Fields{}
	}
	if r.Edits == nil {
		r.Edits = map[string]landfall.Edit{}
	}
	r.Version, r.UpdatedAt = c.Seq, c.At
	edit := landfall.Edit{Author: c.Author, By: c.By, At: c.Edited, Seq: c.Seq}
	if c.Action == landfall.Assigned {
		if v, set := c.Set["queue"]; set {
			r.Queue = text(v)
		}
		if v, set := c.Set["assignee"]; set {
			r.Assignee = text(v)
		}
		return r
	}
	for name, v := range c.Set {
		r.Fields.Put(name, v)
		r.Edits[name] = edit
	}
	before := r.Status
	switch c.Action {
	case landfall.Created, landfall.Moved:
		if r.Status = c.To; c.To != "" {
			r.StatusEdit = &edit
		}
	case landfall.Deleted:
		r.Deleted, r.Queue, r.Assignee = true, "", ""
	case landfall.Restored:
		r.Deleted = false
	}
	if c.Action == landfall.Restored || r.Status != before {
		settle(a, r)
	}
	return r
}

// settle puts a case where its status says.
func settle(a *app.App, r *landfall.Record) {
	if t := a.Type(r.Type); t != nil {
		if s := t.Status(r.Status); s != nil {
			r.Queue, r.Assignee = s.Queue, ""
		}
	}
}
