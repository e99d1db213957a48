package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// compute puts the computed fields of r to what they come to, each after those that
// it looks at. One that can't be worked out is a fault of w, and stays as it is.
func (j *judging) compute(t *definition.Type, w *working, r *landfall.Record) error {
	if len(t.Computes) == 0 {
		return nil
	}
	vars := j.vars(t, r, w.now)
	for _, name := range t.Computes {
		f := t.Fields[name]
		if err := j.withParts(vars, f.Computed); err != nil {
			return err
		}
		v, err := f.Computed.Value(vars, f)
		if err != nil {
			w.bad[name] = fault{*fieldSay(CodeExpression, t, name), j.at}
			continue
		}
		if w.bad[name].message.Code == CodeExpression {
			delete(w.bad, name)
		}
		r.Fields.Put(name, v)
	}
	return nil
}

// computed adds what the server works out to what the attempt changes.
func (j *judging) computed(a *attempt) error {
	if err := j.compute(a.t, a.w, a.merged); err != nil {
		return err
	}
	for _, name := range a.t.Computes {
		var was landfall.Value
		if a.w.now != nil {
			was = a.w.now.Fields[name]
		}
		delete(a.set, name)
		if now := a.merged.Fields[name]; !landfall.SameValue(was, now) {
			a.set[name], a.was[name] = orNull(now), orNull(was)
		}
	}
	return nil
}

// disturb notes that a part of a type changed: what its whole has computed from
// such parts is to be worked out again, and what that is a part of, too.
func (j *judging) disturb(t *definition.Type, part *landfall.Record) error {
	for t != nil && t.PartOf != "" {
		wt := j.in.App.Types[t.PartOf]
		if !slices.ContainsFunc(wt.Computes, func(name string) bool { return slices.Contains(wt.Fields[name].Computed.Parts(), t.Name) }) {
			return nil
		}
		w, err := j.load(wholeOf(t, part))
		if err != nil || w.now == nil || w.now.Type != wt.Name {
			return err
		}
		w.stale, w.staleAt = true, j.at
		t, part = wt, w.now
	}
	return nil
}

// refresh works out what a record has computed from parts that changed.
func (j *judging) refresh(w *working) error {
	if !w.stale {
		return nil
	}
	w.stale = false
	t := j.in.App.Types[w.now.Type]
	if t == nil || w.now.Deleted {
		return nil
	}
	now := writable(w.now)
	at := j.at
	j.at = w.staleAt
	defer func() { j.at = at }()
	if err := j.compute(t, w, now); err != nil {
		return err
	}
	s := &j.in.Run[j.at]
	c := landfall.Change{
		Seq: j.in.Seq, Type: t.Name, ID: w.id, Action: landfall.Updated, Derived: true, Author: j.author(s), At: j.in.Now, Edited: j.edited(s),
		Origin: s.Mutation.Key(), Issue: s.Issue, Note: s.Note,
	}
	c.By = by(s, c.Author)
	for _, name := range t.Computes {
		if was := w.now.Fields[name]; !landfall.SameValue(was, now.Fields[name]) {
			enter(&c.Set, name, now.Fields[name])
			enter(&c.Was, name, was)
			now.Edits[name] = landfall.Edit{Author: c.Author, By: c.By, At: c.Edited, Seq: c.Seq}
			w.derived = append(w.derived, name)
		}
	}
	if len(c.Set) == 0 {
		return nil
	}
	j.changes, w.made = append(j.changes, c), append(w.made, c)
	j.touch(w, now)
	return nil
}

// refreshAll works out all that is left to be.
func (j *judging) refreshAll() error {
	for k := 0; k < len(j.order); k++ { // which may grow
		if err := j.refresh(j.work[j.order[k]]); err != nil {
			return err
		}
	}
	return nil
}

// concerns reports whether a fault of a record comes from what was worked out
// anew, when nothing else of it changed.
func (w *working) concerns(t *definition.Type, m *landfall.Message) bool {
	if slices.Contains(w.derived, m.Field) || m.Code == CodeExpression {
		return true
	}
	f := t.Fields[m.Field]
	return f != nil && f.Check != nil && slices.ContainsFunc(f.Check.Fields(), func(name string) bool { return slices.Contains(w.derived, name) })
}
