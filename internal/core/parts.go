package core

import (
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// wholeOf is the id of the record that this one is a part of; "" for none.
func wholeOf(t *definition.Type, r *landfall.Record) string {
	if t == nil || t.PartOf == "" || r == nil {
		return ""
	}
	return text(r.Fields[t.PartOf])
}

// Wholes lists what a mutation's record is a part of, and that of, and so on, up
// to the whole that is no part: what it shares its lane with. A creation says it
// itself; of any other the record is asked for.
func Wholes(app *definition.App, m *landfall.Mutation, record func(id string) (*landfall.Record, error)) ([]string, error) {
	t := app.Types[m.Type]
	if t == nil || t.PartOf == "" {
		return nil, nil
	}
	id := strings.ToLower(text(m.Set[t.PartOf]))
	if m.Op != landfall.OpCreate {
		r, err := record(m.ID)
		if err != nil {
			return nil, err
		}
		id = wholeOf(t, r)
	}
	var out []string
	for t = app.Types[t.PartOf]; id != ""; t = app.Types[t.PartOf] {
		out = append(out, id)
		if t == nil || t.PartOf == "" {
			break
		}
		r, err := record(id)
		if err != nil {
			return nil, err
		}
		id = wholeOf(t, r)
	}
	return out, nil
}

// partIDs lists the parts of one type that a record has as the steps so far leave
// it, by id.
func (j *judging) partIDs(whole string, t *definition.Type) ([]string, error) {
	at := whole + " " + t.Name
	stored, known := j.listed[at]
	if !known {
		if err := j.referrers(whole, t.Name, t.PartOf, func(id string) error {
			stored = append(stored, id)
			return nil
		}); err != nil {
			return nil, err
		}
		if j.listed == nil {
			j.listed = map[string][]string{}
		}
		j.listed[at] = stored
	}
	var out []string
	for _, id := range stored {
		if w := j.work[id]; w == nil || w.now != nil && !w.now.Deleted {
			out = append(out, id)
		}
	}
	for _, id := range j.order {
		w := j.work[id]
		if w.touched && !w.now.Deleted && w.now.Type == t.Name && wholeOf(t, w.now) == whole && !slices.Contains(stored, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, nil
}

// parts are the parts of one type that a record has, each with its computed
// fields worked out.
func (j *judging) parts(whole string, t *definition.Type) ([]*working, error) {
	ids, err := j.partIDs(whole, t)
	if err != nil {
		return nil, err
	}
	out := make([]*working, 0, len(ids))
	for _, id := range ids {
		w, err := j.load(id)
		if err != nil {
			return nil, err
		}
		if err := j.refresh(w); err != nil {
			return nil, err
		}
		if w.now != nil && !w.now.Deleted {
			out = append(out, w)
		}
	}
	return out, nil
}

// withParts lets an expression look at the parts that it names.
func (j *judging) withParts(vars *definition.Vars, e *definition.Expr) error {
	vars.Parts = nil
	for _, name := range e.Parts() {
		t := j.in.App.Types[name]
		list, err := j.parts(vars.Record.ID, t)
		if err != nil {
			return err
		}
		p := definition.Parts{Type: t}
		for _, w := range list {
			p.Records = append(p.Records, w.now)
		}
		vars.Parts = append(vars.Parts, p)
	}
	return nil
}

// wholeThere: what it is to be a part of, or is, was not deleted. One that is not
// there at all, or not the author's to see, is a reference to nothing.
func (j *judging) wholeThere(a *attempt) (*Refusal, error) {
	if a.t.PartOf == "" || a.m.Op == landfall.OpDelete {
		return nil, nil
	}
	id := wholeOf(a.t, a.w.now)
	if a.m.Op == landfall.OpCreate {
		id = strings.ToLower(text(a.m.Set[a.t.PartOf]))
	}
	if id == "" {
		return nil, nil
	}
	w, err := j.load(id)
	if err != nil || w.now == nil || !w.now.Deleted || w.now.Type != a.t.PartOf {
		return nil, err
	}
	if sees, err := j.sees(w); !sees || err != nil {
		return nil, err
	}
	return j.refuse(StageExistence, landfall.KindGone, CodeWholeGone, say(CodeWholeGone, title(j.in.App.Types[a.t.PartOf]))), nil
}

// frozen is the title of the record, or of what it is a part of, that stands in a
// frozen status; "" for none.
func (j *judging) frozen(a *attempt) (string, error) {
	entered := len(a.m.Set) > 0 && a.m.Op != landfall.OpCreate
	if entered && stands(a.t, a.w.now) {
		return title(a.t), nil
	}
	if a.t.PartOf == "" || !entered && a.m.Op == landfall.OpTransition {
		return "", nil
	}
	for t, r := a.t, a.merged; t != nil && t.PartOf != ""; {
		id := wholeOf(t, r)
		if id == "" {
			return "", nil
		}
		w, err := j.load(id)
		if err != nil || w.now == nil || w.now.Type != t.PartOf {
			return "", err // it is a fault of its own
		}
		if sees, err := j.sees(w); !sees || err != nil {
			return "", err // who may not see it is not told how it stands
		}
		if t, r = j.in.App.Types[w.now.Type], w.now; t != nil && stands(t, r) {
			return title(t), nil
		}
	}
	return "", nil
}

// stands reports whether the record is in a status in which nobody sets fields.
func stands(t *definition.Type, r *landfall.Record) bool {
	if t.Lifecycle == nil || r == nil {
		return false
	}
	s := t.Lifecycle.Statuses[r.Status]
	return s != nil && s.Frozen
}

// together deletes, or restores, the parts of a record with it. Those that were
// deleted before it stay so.
func (j *judging) together(a *attempt, whole string, t *definition.Type, action landfall.Action) error {
	for _, name := range t.Parts {
		pt := j.in.App.Types[name]
		ids, err := j.partIDs(whole, pt)
		if action == landfall.Restored {
			ids, err = j.removedParts(whole, pt)
		}
		if err != nil {
			return err
		}
		for _, id := range ids {
			w, err := j.load(id)
			if err != nil {
				return err
			}
			if w.now == nil || w.now.Deleted == (action == landfall.Deleted) {
				continue
			}
			c := j.change(a)
			c.Type, c.ID, c.Action = name, id, action
			r := writable(w.now)
			r.Deleted, r.Queue, r.Assignee = action == landfall.Deleted, "", ""
			if !r.Deleted {
				settle(pt, r, nil)
			}
			w.removed, w.judged = r.Deleted, true
			j.changes, w.made = append(j.changes, c), append(w.made, c)
			j.touch(w, r)
			if len(j.changes) > mostMoved {
				return errTooMany
			}
			if err := j.together(a, id, pt, action); err != nil {
				return err
			}
		}
	}
	return nil
}

// removedParts lists the parts of one type that were deleted with their whole.
func (j *judging) removedParts(whole string, t *definition.Type) ([]string, error) {
	var out []string
	err := j.referrers(whole, t.Name, removedWith+t.PartOf, func(id string) error {
		out = append(out, id)
		return nil
	})
	for _, id := range j.order {
		if w := j.work[id]; w.removed && w.now.Type == t.Name && wholeOf(t, w.now) == whole && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, err
}

// partsChangedByOthers reports whether a part of the record may not be as the
// author of its deletion saw it, by whatever way it is a part.
func (j *judging) partsChangedByOthers(a *attempt, whole string, t *definition.Type) (bool, error) {
	seen := max(a.base.Version, a.base.Seen)
	if a.base.Seen >= j.in.Seq { // nobody has seen that yet: it is of another history
		seen = a.base.Version
	}
	if a.w.stored != nil && lostHistory(a) {
		seen = 0
	}
	for _, name := range t.Parts {
		pt := j.in.App.Types[name]
		ids, err := j.partIDs(whole, pt)
		if err != nil {
			return false, err
		}
		for _, id := range ids {
			w, err := j.load(id)
			if err != nil {
				return false, err
			}
			all, err := j.since(w, seen)
			if err != nil {
				return false, err
			}
			if slices.ContainsFunc(all, func(c landfall.Change) bool { return !c.Derived && !before(a, &c) }) {
				return true, nil
			}
			if changed, err := j.partsChangedByOthers(a, id, pt); changed || err != nil {
				return changed, err
			}
		}
	}
	return false, nil
}

// before reports whether the change is what the same replica did before the
// attempt: its author saw that.
func before(a *attempt, c *landfall.Change) bool {
	o := c.Origin
	return o.Replica == a.m.Replica && (o.Incarnation < a.m.Incarnation || o.Incarnation == a.m.Incarnation && o.N <= a.m.N)
}

// tooMany is the message about a whole that would have too many parts, or nil.
func (j *judging) tooMany(t *definition.Type, w *working) (*landfall.Message, error) {
	if t.PartOf == "" || w.stored != nil && !w.stored.Deleted || j.counted[w.now.Type+wholeOf(t, w.now)] {
		return nil, nil
	}
	if j.counted == nil {
		j.counted = map[string]bool{}
	}
	j.counted[w.now.Type+wholeOf(t, w.now)] = true
	ids, err := j.partIDs(wholeOf(t, w.now), t)
	if err != nil || len(ids) <= definition.MaxParts {
		return nil, err
	}
	m := onField(say(CodeTooManyParts, title(j.in.App.Types[t.PartOf]), strconv.Itoa(definition.MaxParts), title(t)), t.PartOf)
	return &m, nil
}
