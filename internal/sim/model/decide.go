package model

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// decided marks the changes that a decision makes.
var decided = landfall.Key{Replica: "desk", Incarnation: 1}

// decision checks what a decider made of an issue: by their own rights, with
// values that are theirs or the device's. It returns the items that it covers.
func (r *reading) decision(effects []*landfall.Change, old *Issue, i *landfall.Issue) []*Item {
	r.mayDecide(old, i)
	own := r.m.lane(old)
	reopened := len(own) == 0
	if reopened {
		own = r.m.again(old)
	}
	covered := covers(own, old, i, reopened)
	for _, it := range own {
		if !reopened && old.Group > 0 && refusedBy(old, it) && it.Record == old.Record && it.Key.N > i.Through {
			r.complain("group", "the decision of issue %s covers %s of its group, and is made through %d", i.ID, it.Key, i.Through)
		}
	}
	run, parts := r.synthesis(effects, old, i)
	asked := r.asked(old, i, covered)
	for k := range run {
		if run[k].mutation.ID == old.Record {
			run[k].asked = asked
		}
	}
	v := r.m.judge(r.m.actor(i.Decider, ""), run, true, r.seq, r.now())
	switch {
	case !v.applied():
		r.complain("decision", "the decision of issue %s by %s should be %s", i.ID, i.Decider, v.String())
	case len(v.changes) != len(parts):
		r.complain("decision", "the decision of issue %s makes %d steps, and should make %d", i.ID, len(parts), len(v.changes))
	default:
		for k := range parts {
			want, got := v.changes[k], parts[k]
			want.Author, want.By, want.Origin = got.Author, got.By, got.Origin
			if rule, what := same(&want, &got); rule != "" {
				r.complain(rule, "the decision of issue %s changes %s with another %s: %s, not %s", i.ID, got.ID, what, told(&got), told(&want))
			}
		}
	}
	r.sources(effects, old, i, covered)
	return covered
}

// covers are the items that a decision through a number ends: what was refused,
// and what follows on its record, up to the first group of which that would be
// only a part.
func covers(own []*Item, old *Issue, i *landfall.Issue, reopened bool) []*Item {
	on := func(it *Item) bool { return it.Record == old.Record || it.Record == "" }
	var out []*Item
	ended := false
	for from := 0; from < len(own); {
		to, whole, some := from, true, false
		for ; to == from || to < len(own) && !reopened && divides(own, to); to++ {
			it := own[to]
			some = some || it.Record == old.Record
			whole = whole && on(it) && it.Key.N <= i.Through && it.Key.Incarnation <= old.Incarnation
		}
		switch {
		case !reopened && old.Group > 0 && refusedBy(old, own[from]), whole && !ended:
			out = append(out, own[from:to]...)
		case some:
			ended = true
		}
		from = to
	}
	return out
}

// mayDecide: a member of the queue, or whom it was given to, who is not kept off
// by another's claim.
func (r *reading) mayDecide(old *Issue, i *landfall.Issue) {
	a := r.m.actor(i.Decider, "")
	claimed := old.Assignee != a.User && r.claimed(old)
	if a.Disabled || claimed || !r.m.decides(&a, &old.Issue) {
		r.complain("issue-right", "%s may not decide issue %s in %s", a.User, i.ID, old.Queue)
	}
	by := func(e *store.AuditEntry) bool {
		return e.Action == store.IssueResolve && e.Object == i.ID && e.By == a.User
	}
	if !slices.ContainsFunc(r.audits, by) {
		r.complain("audit", "issue %s is decided by %s, and the audit does not tell", i.ID, a.User)
	}
}

// synthesis puts the changes of a decision back into the mutations that they
// come from. A change has one author, so that one mutation may be two of them.
func (r *reading) synthesis(effects []*landfall.Change, old *Issue, i *landfall.Issue) (run []step, parts []landfall.Change) {
	for _, c := range effects {
		if c.Action == landfall.Assigned {
			continue
		}
		if n := len(parts) - 1; n >= 0 && c.Action == landfall.Updated && !c.Derived && !parts[n].Derived && parts[n].ID == c.ID && splits(&parts[n], c, old.Record) {
			maps.Copy(parts[n].Set, c.Set)
			maps.Copy(parts[n].Was, c.Was)
			continue
		}
		whole := *c
		whole.Set, whole.Was = landfall.Fields{}, landfall.Fields{}
		maps.Copy(whole.Set, c.Set)
		maps.Copy(whole.Was, c.Was)
		parts = append(parts, whole)
	}
	ops := map[landfall.Action]landfall.Op{
		landfall.Created: landfall.OpCreate, landfall.Updated: landfall.OpUpdate, landfall.Moved: landfall.OpTransition,
		landfall.Deleted: landfall.OpDelete, landfall.Restored: landfall.OpRestore,
	}
	for k := range parts {
		c := &parts[k]
		if c.Derived || r.m.goes(c, effects) {
			continue
		}
		x := &landfall.Mutation{Op: ops[c.Action], Type: c.Type, ID: c.ID, Transition: c.Transition, Set: c.Set.Clone(), Replica: decided.Replica, Incarnation: 1, Definition: r.m.version}
		if t := r.m.app.Type(c.Type); t != nil && c.Action == landfall.Moved {
			if move := t.Move(c.Transition); move != nil {
				delete(x.Set, move.Stamp)
			}
		}
		r.m.entered(x)
		run = append(run, step{mutation: x, edited: r.now(), issue: i.ID, current: true})
	}
	return run, parts
}

// asked is what the device set on the issue's own record. What a decision does not
// store of it has no change: it is so already, or the server's side was taken.
func (r *reading) asked(old *Issue, i *landfall.Issue, covered []*Item) landfall.Fields {
	out := landfall.Fields{}
	for _, it := range covered {
		if it.bad == "" && it.Record == old.Record && it.Key.N <= i.Through {
			maps.Copy(out, r.m.converted(&it.mutation).Set)
		}
	}
	return out
}

// splits reports whether an update is the part of the mutation before it that
// another author entered. On the issue's own record a transition brings no values.
func splits(before, c *landfall.Change, record string) bool {
	return before.Author != c.Author && (before.Action != landfall.Moved || c.ID != record) && before.Action != landfall.Deleted && before.Action != landfall.Restored
}

// sources: each change is the decider's, and each value is the decider's own, or
// the device's: on the issue's record the last, on those of its group each.
func (r *reading) sources(effects []*landfall.Change, old *Issue, i *landfall.Issue, covered []*Item) {
	on := map[string]bool{old.Record: true}
	device := map[string][]landfall.Value{}
	for _, it := range covered {
		on[it.Record] = true
		t := r.m.app.Type(it.mutation.Type)
		if t == nil || it.bad != "" {
			continue
		}
		for name, v := range r.m.converted(&it.mutation).Set {
			if f := t.Field(name); f != nil {
				if c, ok := canonical(f, v); ok {
					v = c
				}
				all := device[it.Record+" "+name]
				if it.Record == old.Record {
					all = nil // only the last counts
				}
				device[it.Record+" "+name] = append(all, orNull(v))
			}
		}
	}
	for _, c := range effects {
		by := ""
		if c.Author != i.Decider {
			by = i.Decider
		}
		if c.Origin != decided || c.Issue != i.ID || c.By != by || !c.Edited.Equal(r.now()) || !on[c.ID] && !c.Derived && !r.m.goes(c, effects) || c.Author != i.Decider && c.Author != old.Author {
			r.complain("decision", "the decision of issue %s by %s changes %s as %s, by %q, from %s", i.ID, i.Decider, c.ID, c.Author, c.By, c.Origin)
		}
		if c.Action == landfall.Assigned {
			r.assigned(c, i)
		}
		if c.Action == landfall.Assigned || c.Action == landfall.Moved || c.Derived {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(c.Set)) {
			if r.m.nobodys(c, name) {
				continue
			}
			if t := r.m.app.Type(c.Type); t != nil && t.Hides(r.m.actor(i.Decider, "").Roles, name) {
				continue // a value of their own that happens to be what was sent is theirs
			}
			sent := slices.ContainsFunc(device[c.ID+" "+name], func(v landfall.Value) bool { return landfall.SameValue(v, c.Set[name]) })
			if sent != (c.Author == old.Author) && i.Decider != old.Author {
				r.complain("decision", "the decision of issue %s says that %s entered %s of %s for %s, who did not", i.ID, c.Author, c.Set[name], name, c.ID)
			}
		}
	}
}

// assigned: a case goes to somebody who is there, or to a queue that is.
func (r *reading) assigned(c *landfall.Change, i *landfall.Issue) {
	user, queue := text(c.Set["assignee"]), text(c.Set["queue"])
	if user != "" && r.m.users[user] == nil || queue != "" && r.m.app.Queue(queue) == nil || c.Author != i.Decider {
		r.complain("decision", "the decision of issue %s puts %s into %q of %q", i.ID, c.ID, queue, user)
	}
}

// kept: what the settlement says of the sides is so.
func (r *reading) kept(old *Issue, i *landfall.Issue, effects []*landfall.Change, covered []*Item) {
	switch i.Settlement {
	case landfall.SettledApplied:
		r.took(old, i, effects, covered)
	case landfall.SettledKept:
		for _, c := range effects {
			if c.Author != i.Decider && c.Action != landfall.Assigned && !c.Derived {
				r.complain("settlement", "issue %s keeps the server's side, and %s of %s is taken from the device", i.ID, c.Action, c.ID)
			}
		}
	case landfall.SettledMerged:
	default:
		r.complain("settlement", "issue %s is decided as %q", i.ID, i.Settlement)
	}
}

// took: the records have all that the device asked for.
func (r *reading) took(old *Issue, i *landfall.Issue, effects []*landfall.Change, covered []*Item) {
	stamped := map[string]bool{}
	for _, c := range effects {
		if c.Action == landfall.Moved {
			for name := range c.Set {
				stamped[c.ID+" "+name] = true
			}
		}
	}
	var ids []string
	want, removed := map[string]landfall.Fields{}, map[string]bool{}
	for _, it := range covered {
		if it.bad != "" || it.Record == old.Record && it.Key.N > i.Through {
			continue
		}
		if want[it.Record] == nil {
			want[it.Record] = landfall.Fields{}
			ids = append(ids, it.Record)
		}
		switch it.mutation.Op {
		case landfall.OpDelete:
			removed[it.Record] = true
		case landfall.OpCreate, landfall.OpRestore:
			removed[it.Record] = false
		}
		maps.Copy(want[it.Record], r.m.converted(&it.mutation).Set)
	}
	for _, id := range ids {
		r.tookOf(i, id, want[id], removed[id], stamped)
	}
}

// tookOf: one record has what the device asked for.
func (r *reading) tookOf(i *landfall.Issue, id string, want landfall.Fields, removed bool, stamped map[string]bool) {
	rec := r.m.records[id]
	if rec == nil {
		if len(want) > 0 && !removed {
			r.complain("settlement", "issue %s is applied, and %s is not there", i.ID, id)
		}
		return
	}
	if rec.Deleted != removed {
		r.complain("settlement", "issue %s is applied, and whether %s is deleted is %v", i.ID, id, rec.Deleted)
	}
	t := r.m.app.Type(rec.Type)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		f := t.Field(name)
		if f == nil || f.Sums != "" || stamped[id+" "+name] || removed {
			continue
		}
		v := want[name]
		if c, ok := canonical(f, v); ok {
			v = c
		}
		if !landfall.SameValue(v, rec.Fields[name]) {
			r.complain("settlement", "issue %s is applied, and %s of %s is %s, not %s", i.ID, name, id, orNull(rec.Fields[name]), v)
		}
	}
}
