package model

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/store"
)

// now is the server's time of the commit. One that took no place does not say;
// its items do.
func (r *reading) now() time.Time {
	if r.head != nil {
		return r.head.Time
	}
	for i := range r.main {
		if it := r.main[i].Item; it != nil && len(it.History) > 0 {
			return it.History[len(it.History)-1].At
		}
		if row := r.main[i].Issue; row != nil && r.vainly(row) {
			return row.Tried[len(row.Tried)-1].At
		}
	}
	return r.was.Time
}

// begin takes in what a commit may bring that all else rests on.
func (r *reading) begin() {
	for i := range r.sides {
		op := &r.sides[i]
		switch {
		case op.Created != nil:
			r.m.head, r.was = *op.Created, *op.Created
			r.seq = op.Created.Seq
		case op.Team != nil:
			r.m.teams[op.Team.Name] = true
			r.audited("audit", store.TeamAdd, op.Team.Name)
		case op.Push != nil:
			r.m.pushes[op.Push.ID] = op.Push
			r.m.note(op.Push)
		case op.Replica != nil && r.m.devices[op.Replica.ID] == nil:
			r.enrolled(op.Replica)
		}
	}
}

// fold takes the changes of one verdict in, and checks that nothing else is
// overwritten than they say.
func (r *reading) fold(changes []*landfall.Change) {
	var ids []string
	for _, c := range changes {
		if c.Type == landfall.IssueType {
			continue
		}
		was := r.m.records[c.ID]
		r.follows(was, c)
		next := &record{}
		var before *landfall.Record
		if was != nil {
			before = was.Record
			*next = *was
		}
		next.Record = fold(r.m.app, before, c)
		if t := r.m.app.Type(c.Type); t != nil && t.Number != "" && c.Action == landfall.Created {
			r.m.counters[c.Type]++
			next.Number = t.Number + strconv.FormatInt(r.m.counters[c.Type], 10)
		}
		if c.Action != landfall.Assigned && !c.Derived {
			next.Definition = r.m.version
		}
		next.gone = c.Action == landfall.Deleted && r.m.goes(c, changes)
		next.history = append(slices.Clip(next.history), c)
		if !slices.Contains(ids, c.ID) {
			ids = append(ids, c.ID)
			r.m.give(before)
		}
		r.m.records[c.ID] = next
	}
	for _, id := range ids {
		rec := r.m.records[id]
		r.m.reserve(rec.Record)
		if at := slices.IndexFunc(changes, func(c *landfall.Change) bool { return c.ID == id && c.Derived }); at >= 0 && r.m.plainly(rec.Record) {
			rec.Definition = r.m.version // which it is found valid by
		}
	}
	r.follow(ids)
	for _, id := range ids {
		if !slices.Contains(r.touched, id) {
			r.touched = append(r.touched, id)
		}
		r.valid(r.m.records[id])
	}
}

// give gives the unique values of a record back, as it was before a run.
func (m *Model) give(was *landfall.Record) {
	if was == nil {
		return
	}
	for name, v := range was.Fields {
		if k := uniqueKey(was.Type, name, v); m.unique[k] == was.ID {
			delete(m.unique, k)
		}
	}
}

// reserve keeps the unique values of a record, as a run leaves it.
func (m *Model) reserve(now *landfall.Record) {
	t := m.app.Type(now.Type)
	if t == nil || now.Deleted {
		return
	}
	for _, f := range t.Fields {
		if v := now.Fields[f.Name]; f.Unique && !landfall.IsNull(v) {
			m.unique[uniqueKey(t.Name, f.Name, v)] = now.ID
		}
	}
}

// follows: the change begins where the record is.
func (r *reading) follows(was *record, c *landfall.Change) {
	if (was == nil) != (c.Action == landfall.Created) {
		r.complain("fold", "change of %s at %d is %s, but there is a record before it: %v", c.ID, c.Seq, c.Action, was != nil)
		return
	}
	before := &landfall.Record{Type: c.Type}
	if was != nil {
		before = was.Record
	}
	if before.Type != c.Type || before.Deleted != (c.Action == landfall.Restored) {
		r.complain("fold", "change of %s at %d is %s of type %s, but the record is of type %s, deleted: %v", c.ID, c.Seq, c.Action, c.Type, before.Type, before.Deleted)
	}
	fields := before.Fields
	if c.Action == landfall.Assigned {
		fields = landfall.Fields{"queue": quoted(before.Queue), "assignee": quoted(before.Assignee)}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		if v, told := c.Was[name]; !told || !landfall.SameValue(v, fields[name]) {
			r.complain("fold", "change of %s at %d says that %s was %s, but it was %s", c.ID, c.Seq, name, v, orNull(fields[name]))
		}
	}
	if len(c.Was) != len(c.Set) {
		r.complain("fold", "change of %s at %d sets %d fields and tells what %d were", c.ID, c.Seq, len(c.Set), len(c.Was))
	}
	r.leads(before, c)
}

// leads: a change of status is a move of the definition, from there, that
// whoever made it had the role for.
func (r *reading) leads(before *landfall.Record, c *landfall.Change) {
	t := r.m.app.Type(c.Type)
	switch {
	case t == nil:
		r.complain("transition", "change of %s at %d is of the type %s, which the app does not have", c.ID, c.Seq, c.Type)
	case c.Action == landfall.Created:
		if c.To != t.Initial || c.From != "" {
			r.complain("transition", "%s begins at %d in %q, not in %q", c.ID, c.Seq, c.To, t.Initial)
		}
	case c.Action != landfall.Moved:
		if c.From != "" || c.To != "" || c.Transition != "" {
			r.complain("transition", "change of %s at %d is %s and moves it from %q to %q", c.ID, c.Seq, c.Action, c.From, c.To)
		}
	default:
		r.move(t, before, c)
	}
}

func (r *reading) move(t *app.Type, before *landfall.Record, c *landfall.Change) {
	move := t.Move(c.Transition)
	if move == nil || c.From != before.Status || c.To != move.To || !slices.Contains(move.From, c.From) {
		r.complain("transition", "%s moves %s at %d from %q (it is in %q) to %q, which the app does not have", c.Transition, c.ID, c.Seq, c.From, before.Status, c.To)
		return
	}
	who := c.Author
	if c.By != "" {
		who = c.By
	}
	a := r.m.actor(who, c.Origin.Replica)
	if a.Disabled || a.Blocked || !slices.ContainsFunc(move.Roles, a.Has) {
		r.complain("transition", "%s moves %s at %d by %s, which is not theirs", who, c.ID, c.Seq, c.Transition)
	}
}

// valid: the record is valid by the definition that it is stamped with.
func (r *reading) valid(rec *record) {
	t := r.m.app.Type(rec.Type)
	if t == nil || rec.Deleted || rec.Definition != r.m.version {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(rec.Fields)) {
		if t.Field(name) == nil {
			r.complain("valid", "%s has the field %s, which its type does not have", rec.ID, name)
		}
	}
	for _, f := range t.Fields {
		v := rec.Fields[f.Name]
		if what := plain(f, rec.Record); what != "" {
			r.complain("valid", "%s is stored at %d, though its %s %s", rec.ID, rec.Version, f.Name, what)
		} else if c, _ := canonical(f, v); !bytes.Equal(orNull(v), c) {
			r.complain("valid", "%s of %s is kept as %s, not as %s", f.Name, rec.ID, v, c)
		}
		if f.Unique && !landfall.IsNull(v) && r.m.unique[uniqueKey(t.Name, f.Name, v)] != rec.ID {
			r.complain("valid", "%s of %s is another record's, too", f.Name, rec.ID)
		}
	}
}
