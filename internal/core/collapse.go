package core

import (
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// wanted is what a lane comes to on one record: per field the last value with
// the first base of its own unbroken chain.
type wanted struct {
	any     bool // the lane says something about the record
	create  bool
	remove  bool // it ends with the record deleted
	restore bool
	set     landfall.Fields
	was     landfall.Fields
	edits   map[string]time.Time
	moves   []string // transitions, in order
	movedAt time.Time
	version int64  // the first base's
	status  string // the status that the first base saw
	through int64  // number of the last mutation that it covers
}

// collapse reads a lane, up to the number through (0: all of it).
func collapse(lane []Step, through int64) wanted {
	w := wanted{set: landfall.Fields{}, was: landfall.Fields{}, edits: map[string]time.Time{}}
	last := map[string]int64{} // number of the last mutation that set a field
	for i := range lane {
		s := &lane[i]
		m := &s.Mutation
		if !judged[m.Op] || through > 0 && m.N > through {
			continue
		}
		var base landfall.Base
		if m.Base != nil {
			base = *m.Base
		}
		if !w.any {
			w.any, w.version, w.status = true, base.Version, base.Status
		}
		w.through = max(w.through, m.N)
		switch m.Op {
		case landfall.OpCreate:
			w.create, w.remove = true, false
		case landfall.OpDelete:
			w.remove = true
		case landfall.OpRestore:
			w.remove, w.restore = false, true
		case landfall.OpTransition:
			w.moves, w.movedAt = append(w.moves, m.Transition), s.Edited
		}
		for name, v := range m.Set {
			before, chained := last[name]
			if !chained || base.After < before {
				w.was[name] = orNull(base.Was[name])
			}
			w.set[name], w.edits[name], last[name] = orNull(v), s.Edited, m.N
		}
	}
	return w
}

// canonical makes the values that have a canonical form canonical, so that they
// compare with what is stored; fields that the type does not have, or that nobody
// enters, are left out.
func (w *wanted) canonical(t *definition.Type) {
	for name := range w.set {
		f := t.Fields[name]
		if f == nil || f.Computed != nil {
			delete(w.set, name)
			delete(w.was, name)
			continue
		}
		w.set[name], w.was[name] = canonicalOr(f, w.set[name]), canonicalOr(f, w.was[name])
	}
}

// statusAfter is the status that the lane's transitions lead to from the one
// that its author saw; "" when the type has no lifecycle.
func (w *wanted) statusAfter(t *definition.Type, seen string) string {
	if t.Lifecycle == nil {
		return ""
	}
	if w.create {
		seen = t.Lifecycle.Initial
	}
	for _, name := range w.moves {
		if m := t.Lifecycle.Transitions[name]; m != nil && (seen == "" || slices.Contains(m.From, seen)) {
			seen = m.To
		}
	}
	return seen
}
