package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// fill sets what a reference that the attempt set fills in: fields that it does
// not settle itself, and that nobody else set meanwhile. Only what the author may
// refer to fills anything.
func (j *judging) fill(a *attempt, others []landfall.Change) error {
	for _, name := range a.t.Filling {
		f := a.t.Fields[name]
		id := text(a.set[name])
		if id == "" {
			continue
		}
		if ok, err := j.refersTo(f.To, id); !ok || err != nil {
			return err
		}
		target, err := j.load(id)
		if err != nil {
			return err
		}
		if err := j.refresh(target); err != nil {
			return err
		}
		vars := j.vars(a.t, a.merged.Clone(), a.w.now)
		vars.Target, vars.TargetType = target.now, j.in.App.Types[f.To]
		for _, s := range f.Fill {
			if a.settles(s.Field) || changedBy(others, s.Field) {
				continue
			}
			v, err := s.Value.Value(vars, a.t.Fields[s.Field])
			if err != nil {
				a.w.bad[s.Field] = fault{*fieldSay(CodeExpression, a.t, s.Field), j.at}
				continue
			}
			delete(a.w.bad, s.Field)
			a.w.setBy[s.Field] = j.at
			a.put(s.Field, v)
		}
	}
	return nil
}

// settles reports whether the step says itself what becomes of a field: it sets it,
// or it decides that it stays as it is.
func (a *attempt) settles(name string) bool {
	_, set := a.m.Set[name]
	_, asked := a.step.asked[name]
	return set || asked
}

// outside is the message about a reference that names what its condition does not
// let in, or nil. It is asked when the reference changed, or what the condition
// looks at. What the actor may not see is not looked at.
func (j *judging) outside(t *definition.Type, f *definition.Field, w *working) (*landfall.Message, error) {
	if f.Where == nil || landfall.IsNull(w.now.Fields[f.Name]) {
		return nil, nil
	}
	changed := func(name string) bool {
		return w.stored == nil || w.stored.Deleted || !landfall.SameValue(w.stored.Fields[name], w.now.Fields[name])
	}
	if !changed(f.Name) && !slices.ContainsFunc(f.Where.Fields(), changed) {
		return nil, nil
	}
	vars := j.vars(t, w.now, w.stored)
	vars.TargetType = j.in.App.Types[f.To]
	for _, id := range texts(w.now.Fields[f.Name]) {
		if ok, err := j.refersTo(f.To, id); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		target, err := j.load(id)
		if err != nil {
			return nil, err
		}
		if err := j.refresh(target); err != nil {
			return nil, err
		}
		vars.Target = target.now
		if m := narrowed(t, f, vars); m != nil {
			return m, nil
		}
	}
	return nil, nil
}

// narrowed is the message about one target, or nil.
func narrowed(t *definition.Type, f *definition.Field, vars *definition.Vars) *landfall.Message {
	in, err := f.Where.Bool(vars)
	switch {
	case err != nil:
		return fieldSay(CodeExpression, t, f.Name)
	case in:
		return nil
	}
	return fieldSay(CodeWhere, t, f.Name)
}
