package model

import (
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// step is one mutation of a run.
type step struct {
	mutation *landfall.Mutation
	edited   time.Time
	issue    string // whose decision or retry it is part of
	// current: it is a decision, based on what is there when its turn comes.
	current bool
	asked   landfall.Fields // what the device set of what is decided: it is set, or stays
	by      string          // who repaired it
	given   []string        // fields whose values they gave
}

// verdict is what the rules say of a run: it is applied, unless it waits or is refused.
type verdict struct {
	waits   string
	kind    landfall.Kind // of a refusal
	at      int           // the step that is refused
	why     string
	changes []landfall.Change
}

// applied: with these changes, if any.
func (v *verdict) applied() bool { return v.waits == "" && v.kind == "" }

// noted: nothing of what was asked for is stored, so the receipt says why.
func (v *verdict) noted() bool {
	return !slices.ContainsFunc(v.changes, func(c landfall.Change) bool { return len(c.Set) > 0 || c.Action != landfall.Updated })
}

// run is a run in the making: all of it counts, or none.
type run struct {
	m     *Model
	actor landfall.Actor
	also  *landfall.Actor // must have the rights, too
	steps []step
	lane  bool // of an open issue: it does not wait, and validity counts at the end
	seq   int64
	now   time.Time

	at      int
	work    map[string]*work
	order   []string
	changes []landfall.Change
}

// work is one record as the steps so far leave it.
type work struct {
	id       string
	stored   *record          // nil for none
	now      *landfall.Record // nil for none
	made     []*landfall.Change
	created  bool
	bad      map[string]int // step that brought a value that can't be kept, by field
	tried    map[string]try // what these were meant to be
	setBy    map[string]int
	last     int
	required []need
	judged   bool // by a step that checks all of it
	gone     bool // deleted with its whole
	stale    bool // a part changed
	staleAt  int
	derived  []string       // computed fields that changed with parts
	broken   map[string]int // step with which a computed field can't be worked out
}

type need struct {
	field string
	step  int
}

// judge says what the rules make of a run.
func (m *Model) judge(actor landfall.Actor, steps []step, lane bool, seq int64, now time.Time) verdict {
	return (&run{m: m, actor: actor, steps: steps, lane: lane, seq: seq, now: now, work: map[string]*work{}}).judge()
}

// judgeBoth says what the rules make of a lane that somebody repaired, who must
// have every right that its author needs.
func (m *Model) judgeBoth(actor landfall.Actor, also *landfall.Actor, steps []step, seq int64, now time.Time) verdict {
	return (&run{m: m, actor: actor, also: also, steps: steps, lane: true, seq: seq, now: now, work: map[string]*work{}}).judge()
}

func (r *run) judge() verdict {
	r.steps = slices.Clone(r.steps)
	for i := range r.steps {
		r.steps[i].mutation = r.m.converted(r.steps[i].mutation)
	}
	if !r.lane {
		if issue := r.m.waits(r.steps); issue != "" {
			return verdict{waits: issue}
		}
	}
	for i := range r.steps {
		r.at = i
		if kind, why := r.step(&r.steps[i]); kind != "" {
			return verdict{kind: kind, at: i, why: why}
		}
	}
	r.refreshAll()
	if kind, at, why := r.faults(); at >= 0 {
		return verdict{kind: kind, at: at, why: why}
	}
	return verdict{changes: r.changes}
}

// waits is the earliest open issue that the run depends on.
func (m *Model) waits(steps []step) string {
	var earliest *Issue
	for i := range steps {
		x := steps[i].mutation
		if !judged(x.Op) {
			continue
		}
		refs, on := m.refs(x), append([]string{x.ID}, m.wholes(x, m.stored)...)
		for _, k := range m.lanes[x.Replica] {
			it := m.items[k]
			depends := slices.ContainsFunc(on, func(id string) bool { return slices.Contains(it.Refs, id) }) || it.Op == landfall.OpCreate && slices.Contains(refs, it.Record)
			if h := m.issues[it.Holder]; depends && (earliest == nil || h.Number < earliest.Number) {
				earliest = h
			}
		}
	}
	if earliest == nil {
		return ""
	}
	return earliest.ID
}

// refs are the records that a mutation refers to.
func (m *Model) refs(x *landfall.Mutation) []string {
	var out []string
	t := m.app.Type(x.Type)
	if t == nil {
		return nil
	}
	for _, f := range t.Fields {
		if f.Type == app.Reference {
			for _, id := range list(x.Set[f.Name]) {
				out = append(out, strings.ToLower(id))
			}
		}
	}
	return out
}

func (r *run) load(id string) *work {
	if w := r.work[id]; w != nil {
		return w
	}
	w := &work{id: id, bad: map[string]int{}, tried: map[string]try{}, setBy: map[string]int{}, broken: map[string]int{}}
	if w.stored = r.m.records[id]; w.stored != nil {
		w.now, w.gone = w.stored.Record, w.stored.gone
	}
	r.work[id], r.order = w, append(r.order, id)
	return w
}

// sees reports whether the actor may see the record as it is; of a deleted one,
// whether they could.
func (r *run) sees(w *work) bool {
	if w.now == nil {
		return false
	}
	keys := r.seers(w.now.Type, w.id)
	return holds(&r.actor, keys) && (r.also == nil || holds(r.also, keys))
}

// seers are who may see a record as the run leaves it; of a deleted one, who could.
func (r *run) seers(typ, id string) []string {
	w := r.load(id)
	switch {
	case w.now == nil || w.now.Type != typ:
		return nil
	case len(w.made) == 0 && !w.now.Deleted:
		return w.stored.keys
	}
	return audience(r.m.app, w.now, r.seers)
}

// both makes a check of the author, and then of who repaired what they made.
func (r *run) both(check func(*attempt) (landfall.Kind, string)) func(*attempt) (landfall.Kind, string) {
	if r.also == nil {
		return check
	}
	return func(a *attempt) (landfall.Kind, string) {
		kind, why := check(a)
		if kind == "" {
			author := r.actor
			r.actor = *r.also
			kind, why = check(a)
			r.actor = author
		}
		return kind, why
	}
}

// attempt is one step on its way through the checks.
type attempt struct {
	*step
	x    *landfall.Mutation
	base landfall.Base
	t    *app.Type
	move *app.Move
	w    *work

	fields landfall.Fields // merged
	change landfall.Change
	review []string
}

// step makes the checks of one mutation, in their order.
func (r *run) step(s *step) (landfall.Kind, string) {
	a := &attempt{step: s, x: s.mutation}
	if a.x.Base != nil {
		a.base = *a.x.Base
	}
	if a.x.Op == landfall.OpVoid {
		return "", ""
	}
	switch u := &r.actor; {
	case u.Disabled, u.Blocked, len(u.Roles) == 0, r.also != nil && (r.also.Disabled || len(r.also.Roles) == 0):
		return landfall.KindAuthorization, "the author may not write at all"
	case a.x.Op == landfall.OpLost:
		return landfall.KindLost, ""
	}
	for _, check := range []func(*attempt) (landfall.Kind, string){r.names, r.exists, r.both(r.entitled), r.moved, r.merged, r.both(r.transition), r.both(r.conditions), r.undecided} {
		if kind, why := check(a); kind != "" {
			return kind, why
		}
	}
	r.apply(a)
	return "", ""
}

// names: what it names is in the definition.
func (r *run) names(a *attempt) (landfall.Kind, string) {
	old := a.x.Definition > 0 && a.x.Definition < r.m.version
	a.t = r.m.app.Type(a.x.Type)
	switch {
	case a.t == nil && old:
		return landfall.KindOutdated, "there is no such type any more"
	case a.t == nil:
		return landfall.KindConfiguration, "there is no such type"
	}
	a.move = a.t.Move(a.x.Transition)
	if !old {
		return "", ""
	}
	if a.x.Op == landfall.OpTransition && a.move == nil || a.base.Status != "" && a.t.Status(a.base.Status) == nil {
		return landfall.KindOutdated, "there is no such transition or status any more"
	}
	for name, v := range a.x.Set {
		if a.t.Field(name) == nil && !landfall.IsNull(v) {
			return landfall.KindOutdated, "there is no such field any more"
		}
	}
	return "", ""
}

// exists: the record is there, and the author may see it; a creation's is not.
func (r *run) exists(a *attempt) (landfall.Kind, string) {
	w := r.load(a.x.ID)
	a.w = w
	r.refresh(w)
	sees := r.sees(w)
	switch {
	case a.x.Op == landfall.OpCreate && w.now == nil:
	case a.x.Op == landfall.OpCreate && sees:
		return landfall.KindDuplicate, ""
	case a.x.Op == landfall.OpCreate, !sees, w.now.Type != a.x.Type:
		return landfall.KindNotAvailable, ""
	case w.now.Deleted && a.x.Op != landfall.OpRestore:
		return landfall.KindGone, ""
	case a.current:
		a.base = landfall.Base{Status: w.now.Status, Was: w.now.Fields, Version: r.seq}
	}
	return r.wholeThere(a)
}

// moved: the status is as the author saw it, as far as the type's policy minds.
func (r *run) moved(a *attempt) (landfall.Kind, string) {
	if a.t.Initial == "" || a.x.Op == landfall.OpCreate || a.w.now.Deleted {
		return "", ""
	}
	status := a.w.now.Status
	if a.t.Policy != "strict" && a.t.Policy != "" && a.x.Op != landfall.OpTransition {
		return "", ""
	}
	moved := slices.ContainsFunc(r.others(a), func(c *landfall.Change) bool { return c.From != "" && c.From != c.To })
	if r.foreign(a) {
		moved = a.base.Status != "" && a.base.Status != status
	}
	legal := a.t.Policy == "legal" && (a.move == nil || slices.Contains(a.move.From, status))
	if moved && !legal {
		return landfall.KindStatus, "the status has moved since the base"
	}
	return "", ""
}

// transition: the move leads from here, the actor has the role, and what it
// requires is there.
func (r *run) transition(a *attempt) (landfall.Kind, string) {
	if a.x.Op != landfall.OpTransition {
		return "", ""
	}
	status := a.w.now.Status
	switch {
	case a.move == nil:
		return landfall.KindConfiguration, "there is no such transition"
	case !slices.Contains(a.move.From, status) && a.base.Status != "" && slices.Contains(a.move.From, a.base.Status):
		return landfall.KindStatus, "the case is elsewhere than its author saw it"
	case !slices.Contains(a.move.From, status):
		return landfall.KindConfiguration, a.move.Name + " does not lead from " + status
	case !slices.ContainsFunc(a.move.Roles, r.actor.Has):
		return landfall.KindAuthorization, "no role for " + a.move.Name
	case a.move.NotOwner && text(a.fields["owner"]) == r.actor.User:
		return landfall.KindAuthorization, a.move.Name + " is not for the owner"
	}
	for _, name := range a.move.Requires {
		_, bad := a.w.bad[name]
		switch {
		case r.lane || len(r.steps) > 1:
			a.w.required = append(a.w.required, need{name, r.at})
		case landfall.IsNull(a.fields[name]) && !bad && !slices.Contains(a.review, name):
			return landfall.KindValidation, a.move.Name + " requires " + name
		}
	}
	return "", ""
}

// undecided: no field needs a person, and what is deleted is as the author saw it.
func (r *run) undecided(a *attempt) (landfall.Kind, string) {
	if a.x.Op == landfall.OpDelete && r.changed(a) {
		return landfall.KindField, "somebody else changed what is deleted"
	}
	if len(a.review) > 0 {
		return landfall.KindField, "review of " + strings.Join(a.review, ", ")
	}
	return "", ""
}
