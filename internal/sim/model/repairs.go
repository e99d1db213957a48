package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// repaired reads the settlement of an issue by a change that somebody edited: in
// the place of what was sent, as its author, and only where both may.
func (r *reading) repaired(effects []*landfall.Change, old *Issue, row *store.IssueRow) []*Item {
	i := &row.Issue
	own := r.m.lane(old)
	if len(own) == 0 {
		own = r.m.again(old)
	}
	if len(row.Repairs) != len(old.Repairs)+1 {
		r.complain("repair", "issue %s is repaired, and has %d repairs after %d", i.ID, len(row.Repairs), len(old.Repairs))
		return own
	}
	p := &row.Repairs[len(old.Repairs)]
	at := slices.IndexFunc(own, func(it *Item) bool { return it.Key == p.Of })
	if at < 0 {
		r.complain("repair", "the repair of issue %s is of %s, which it does not hold", i.ID, p.Of)
		return own
	}
	by := r.m.actor(p.By, "")
	if by.Disabled || p.By != i.Decider || !r.m.decides(&by, &old.Issue) || !p.At.Equal(r.now()) {
		r.complain("issue-right", "%s may not repair issue %s, which is decided by %s", p.By, i.ID, i.Decider)
	}
	mended := r.mended(old, own[at], p)
	var covered []*Item
	for n := len(own); ; n-- {
		if n < max(1, old.Group, at+1) {
			r.complain("repair", "issue %s is repaired by %s, and that should be refused", i.ID, p.By)
			return r.through(own, i)
		}
		if divides(own, n) {
			continue
		}
		all := steps(own[:n], i.ID)
		all[at].mutation, all[at].by, all[at].given = mended, p.By, p.Fields
		v := r.m.judgeBoth(r.m.actor(old.Author, old.Device), &by, all, r.seq, r.now())
		if !v.applied() {
			continue
		}
		r.alike("the repair of issue "+i.ID, v.changes, effects)
		covered = own[:n]
		break
	}
	if covered[len(covered)-1].Key.N != i.Through || i.Settlement != landfall.SettledApplied {
		r.complain("repair", "issue %s is repaired through %d as %s, and should be through %d", i.ID, i.Through, i.Settlement, covered[len(covered)-1].Key.N)
		return r.through(own, i)
	}
	for _, it := range covered {
		if it.took != 0 {
			r.complain("once", "%s took effect at %d, and again by a repair", it.Key, it.took)
		}
	}
	return covered
}

// through is what a settlement covers, by what it says.
func (r *reading) through(own []*Item, i *landfall.Issue) (covered []*Item) {
	for _, it := range own {
		if it.Key.N <= i.Through {
			covered = append(covered, it)
		}
	}
	return covered
}

// mended is what was judged in the place of what was sent. It is another than
// that in what it names only.
func (r *reading) mended(old *Issue, of *Item, p *store.Repair) *landfall.Mutation {
	m := &landfall.Mutation{}
	if json.Unmarshal(p.Mutation, m) != nil {
		r.complain("repair", "the repair of %s can't be read", of.Key)
		return m
	}
	m.Replica, m.Incarnation, m.N = of.Key.Replica, of.Key.Incarnation, of.Key.N
	if of.Unbased && m.Base != nil {
		m.Base.Lost = true
	}
	was := of.mutation
	all := with(was.Set, m.Set)
	for _, name := range p.Fields {
		if _, there := all[name]; !there && !strings.HasPrefix(name, "(") { // (transition) and the like are no fields
			r.complain("repair", "the repair of %s names %s, which was not sent and is not set", of.Key, name)
		}
	}
	if of.bad != "" {
		return m // it is made anew
	}
	named := func(what string) bool { return slices.Contains(p.Fields, what) }
	if m.Op != was.Op || m.Type != was.Type || m.ID != was.ID || !m.MadeAt.Equal(was.MadeAt) || m.Transition != was.Transition && !named("(transition)") {
		r.complain("repair", "the repair of %s is another change: %s %s %s", of.Key, m.Op, m.Type, m.ID)
	}
	if (m.Base == nil) != (was.Base == nil) || m.Base != nil && (m.Base.Version != was.Base.Version || m.Base.After != was.Base.After) {
		r.complain("repair", "the repair of %s is based on something else", of.Key)
	}
	if (m.Group == nil) != (was.Group == nil || old.Group == 0) {
		r.complain("repair", "the repair of %s is in another group", of.Key)
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		a, sent := was.Set[name]
		b, set := m.Set[name]
		if (sent != set || sent && !landfall.SameValue(a, b)) != named(name) {
			r.complain("repair", "the repair of %s sets %s to %s, which was %s, and names %s", of.Key, name, b, a, strings.Join(p.Fields, " "))
		}
	}
	return m
}

func with(a, b landfall.Fields) landfall.Fields {
	out := landfall.Fields{}
	maps.Copy(out, a)
	maps.Copy(out, b)
	return out
}

// toldOf: the history of what was repaired says who did it.
func (r *reading) toldOf(row *store.IssueRow) {
	p := &row.Repairs[len(row.Repairs)-1]
	it := r.m.items[p.Of]
	if it == nil || !slices.ContainsFunc(it.History, func(e store.ItemEvent) bool { return e.By == p.By && e.Issue == row.Issue.ID && e.At.Equal(p.At) }) {
		r.complain("repair", "%s was repaired by %s, and its history does not tell", p.Of, p.By)
	}
}

// sameRepairs: what was repaired before stays, and nothing is added but by a repair.
func (r *reading) sameRepairs(old *Issue, row *store.IssueRow) {
	n := len(old.Repairs)
	same := len(row.Repairs) >= n
	for k := 0; same && k < n; k++ {
		a, b := &old.Repairs[k], &row.Repairs[k]
		same = a.By == b.By && a.Of == b.Of && a.At.Equal(b.At) && string(a.Mutation) == string(b.Mutation)
	}
	if !same || len(row.Repairs) > n && !r.has(store.IssueRepair, row.Issue.ID) {
		r.complain("repair", "issue %s has other repairs than it had", row.Issue.ID)
	}
}

// split divides what a step comes to: what was edited in a repair is a change of
// who repaired it, made at this moment; the rest is the author's.
func (r *run) split(a *attempt) []landfall.Change {
	c := a.change
	if a.by != "" && a.by != c.Author {
		c.By = a.by
	}
	if len(a.given) == 0 {
		return []landfall.Change{c}
	}
	rest, edited := c, c
	rest.Set, rest.Was, edited.Set, edited.Was, edited.Lost = nil, nil, nil, nil, nil
	edited.Action, edited.Transition, edited.From, edited.To = landfall.Updated, "", "", ""
	edited.Author, edited.By, edited.Edited = a.by, "", r.now
	first := "" // of the fields that say which comes first
	for _, f := range a.t.Fields {
		v, set := c.Set[f.Name]
		_, lost := c.Lost[f.Name]
		given := slices.Contains(a.given, f.Name)
		if first == "" && (set || lost) {
			first = map[bool]string{true: "edited", false: "rest"}[given]
		}
		switch {
		case set && given:
			put(&edited.Set, f.Name, v)
			put(&edited.Was, f.Name, c.Was[f.Name])
		case set:
			put(&rest.Set, f.Name, v)
			put(&rest.Was, f.Name, c.Was[f.Name])
		}
	}
	switch whole := c.Action != landfall.Updated; {
	case len(edited.Set) == 0:
		return []landfall.Change{rest}
	case !whole && len(rest.Set) == 0 && len(rest.Lost) == 0:
		return []landfall.Change{edited}
	case !whole && first == "edited":
		return []landfall.Change{edited, rest}
	}
	return []landfall.Change{rest, edited}
}
