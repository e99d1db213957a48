package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
)

// judging is one verdict in the making: the overlay of records as the steps so
// far leave them.
type judging struct {
	in       Input
	at       int // index of the step
	work     map[string]*working
	order    []string // ids in the order in which they were first looked at
	changes  []landfall.Change
	counters map[string]int64
	note     string
	viewers  [][]string // audience keys of the actor, and of who answers for the run with them
	sight    *Sight     // of the actor

	listed   map[string][]string // stored parts, by whole and type
	counted  map[string]bool     // wholes whose parts were counted
	regroups []landfall.Regroup
}

func newJudging(in Input) *judging {
	in.Run = convertRun(in.App, in.Run)
	j := &judging{in: in, work: map[string]*working{}, counters: map[string]int64{}, viewers: [][]string{in.Actor.Keys()}, sight: SightOf(in.App, &in.Actor)}
	if in.Also != nil {
		j.viewers = append(j.viewers, in.Also.Keys())
	}
	return j
}

// working is one record in the overlay.
type working struct {
	id       string
	stored   *landfall.Record // as the World has it; nil for none
	now      *landfall.Record // as the steps so far leave it; nil for none
	touched  bool             // by a step of this run
	judged   bool             // by a step that checks validity
	created  bool             // by a step of this run
	keys     []string         // stored audience, once asked for
	asked    bool
	made     []landfall.Change // by this run
	history  map[int64][]landfall.Change
	bad      map[string]fault // values that can't be taken, by field
	tried    map[string]try   // what these were meant to be
	setBy    map[string]int   // the step that set a field last
	last     int              // the step that touched it last
	required []need           // what transitions of this run require
	stale    bool             // a part changed: computed fields are to be worked out again
	staleAt  int              // the step that changed it
	derived  []string         // fields that were worked out since parts changed
	removed  bool             // deleted with its whole
	sound    bool             // valid under this version, though no step was held to it
}

// fault is a message about a field and the step that it comes from.
type fault struct {
	message landfall.Message
	step    int
}

// need is a field that a transition requires.
type need struct {
	field, move string
	step        int
}

// load brings a record into the overlay.
func (j *judging) load(id string) (*working, error) {
	if w := j.work[id]; w != nil {
		return w, nil
	}
	r, err := j.in.World.Record(id)
	if err != nil {
		return nil, err
	}
	w := &working{id: id, stored: r, now: r, bad: map[string]fault{}, setBy: map[string]int{}}
	j.work[id] = w
	j.order = append(j.order, id)
	return w, nil
}

// sees reports whether the actor may see the record as it now is. Of a deleted
// record it is who could see it at the end.
func (j *judging) sees(w *working) (bool, error) {
	if w.now == nil {
		return false, nil
	}
	if !w.touched && !w.now.Deleted {
		keys, err := j.storedKeys(w)
		return j.holds(keys), err
	}
	r := *w.now
	r.Deleted = false
	keys, err := Audience(j.in.App, &r, j.lastSeen)
	return j.holds(keys), err
}

// storedKeys are the keys under which the record is stored.
func (j *judging) storedKeys(w *working) ([]string, error) {
	if w.asked || w.stored == nil {
		return w.keys, nil
	}
	keys, err := j.in.World.Audience(w.id)
	if err != nil {
		return nil, err
	}
	w.keys, w.asked = keys, true
	return keys, nil
}

// lastSeen is who may see a record as the steps so far leave it; of a deleted one,
// who could at the end.
func (j *judging) lastSeen(typ, id string) ([]string, error) {
	w, err := j.load(id)
	if err != nil || w.now == nil || w.now.Type != typ {
		return nil, err
	}
	if !w.touched && !w.now.Deleted {
		return j.storedKeys(w)
	}
	r := *w.now
	r.Deleted = false
	return Audience(j.in.App, &r, j.lastSeen)
}

// holds reports whether all who must see it hold one of the keys.
func (j *judging) holds(keys []string) bool {
	for _, held := range j.viewers {
		if !slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(held, k) }) {
			return false
		}
	}
	return true
}

// since lists the record's changes after version, in the names of now, those of
// this run last.
func (j *judging) since(w *working, version int64) ([]landfall.Change, error) {
	if w.stored == nil || w.stored.Version <= version {
		return w.made, nil
	}
	past, known := w.history[version]
	if !known {
		var err error
		if past, err = j.in.World.Changes(w.id, version); err != nil {
			return nil, err
		}
		past = convertChanges(j.in.App, past)
		if w.history == nil {
			w.history = map[int64][]landfall.Change{}
		}
		w.history[version] = past
	}
	if len(w.made) == 0 {
		return past, nil
	}
	return append(slices.Clone(past), w.made...), nil
}

// others lists the changes since the base of the attempt that are not the
// replica's own applied ones up to base.after.
func (j *judging) others(a *attempt) ([]landfall.Change, error) {
	all, err := j.since(a.w, a.base.Version)
	if err != nil {
		return nil, err
	}
	out := make([]landfall.Change, 0, len(all))
	for i := range all {
		if !all[i].Derived && !own(a, &all[i], j.in.Seq) {
			out = append(out, all[i])
		}
	}
	return out, nil
}

// own reports whether the change is one of the replica's own that the view of
// the attempt's author contained. Changes by people at the desk have number 0
// and are their own within one run only.
func own(a *attempt, c *landfall.Change, seq int64) bool {
	return c.Origin.Replica == a.m.Replica && c.Origin.Incarnation == a.m.Incarnation &&
		c.Origin.N <= a.base.After && (c.Origin.N > 0 || c.Seq == seq)
}

// lostHistory reports whether the base is of a history that the server does
// not have: then was and status alone are compared.
func lostHistory(a *attempt) bool {
	return a.w.stored != nil && (a.base.Lost || a.base.Version > a.w.stored.Version)
}

// changedByOthers reports whether the record may not be as the author saw it. Of
// a lost base only this is known: what the replica did itself, its author saw.
func (j *judging) changedByOthers(a *attempt) (bool, error) {
	if len(a.t.Parts) > 0 && !a.step.current {
		if changed, err := j.partsChangedByOthers(a, a.w.id, a.t); changed || err != nil {
			return changed, err
		}
	}
	if !lostHistory(a) {
		others, err := j.others(a)
		return len(others) > 0, err
	}
	all, err := j.since(a.w, 0)
	return len(all) == 0 || slices.ContainsFunc(all, func(c landfall.Change) bool {
		o := c.Origin
		return !c.Derived && (o.Replica != a.m.Replica || o.Incarnation > a.m.Incarnation || o.Incarnation == a.m.Incarnation && o.N >= a.m.N)
	}), err
}

// touch makes the attempt's record the current one of the overlay.
func (j *judging) touch(w *working, r *landfall.Record) {
	w.now, w.touched, w.last = r, true, j.at
}
