package core

import (
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// merge computes the record with the device's values in it, field by field. It
// refuses nothing: values that can't be taken are told with the other faults of
// validity, fields that need a person are refused when the checks before pass.
func (j *judging) merge(a *attempt) (*Refusal, error) {
	n := len(a.m.Set)
	a.set, a.was, a.lost = make(landfall.Fields, n), make(landfall.Fields, n), landfall.Fields{}
	switch a.m.Op {
	case landfall.OpCreate:
		a.merged = j.newRecord(a)
	case landfall.OpRestore:
		a.merged = writable(a.w.now)
		return nil, nil
	default:
		a.merged = writable(a.w.now)
	}
	if a.m.Op == landfall.OpDelete {
		return nil, nil
	}
	for _, name := range unknown(a.t, a.m.Set) {
		a.w.bad[name] = fault{onField(suggest(say(CodeUnknownField, title(a.t), quoted(name)), name, a.t.Order), name), j.at}
	}
	for name := range a.w.bad {
		if v, again := a.m.Set[name]; again && landfall.IsNull(v) && a.t.Fields[name] == nil {
			delete(a.w.bad, name)
		}
	}
	names := known(a.t, a.m.Set)
	if len(names) == 0 {
		return nil, j.compute(a.t, a.w, a.merged)
	}
	others, err := j.others(a)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		f := a.t.Fields[name]
		a.w.setBy[name] = j.at
		if f.Computed != nil {
			if delete(a.w.bad, name); !landfall.IsNull(a.m.Set[name]) {
				a.w.bad[name] = fault{*fieldSay(CodeComputed, a.t, name), j.at}
			}
			continue
		}
		seen, changes := a.seen(f), others
		if seen != a {
			if changes, err = j.others(seen); err != nil {
				return nil, err
			}
		}
		value, bad := f.Canonical(a.m.Set[name])
		if bad == nil && name == a.t.PartOf && a.m.Op != landfall.OpCreate && !landfall.SameValue(value, a.merged.Fields[name]) {
			bad = fieldSay(CodePartFixed, a.t, name)
		}
		if bad == nil {
			delete(a.w.bad, name)
			j.mergeField(a, f, value, seen, changes)
		} else {
			a.w.bad[name] = fault{onField(*bad, name), j.at}
		}
		a.tried(f, seen)
	}
	if err := j.fill(a, others); err != nil {
		return nil, err
	}
	return nil, j.compute(a.t, a.w, a.merged)
}

// try is a value that can't be taken, and what its author saw before it.
type try struct {
	value landfall.Value
	base  landfall.Base
}

// tried keeps what can't be taken, for who mends it.
func (a *attempt) tried(f *definition.Field, seen *attempt) {
	if _, wrong := a.w.bad[f.Name]; !wrong {
		delete(a.w.tried, f.Name)
		return
	}
	if a.w.tried == nil {
		a.w.tried = map[string]try{}
	}
	a.w.tried[f.Name] = try{canonicalOr(f, a.m.Set[f.Name]), seen.base}
}

// seen is the attempt with the base that the value of the field counts from.
// What its author mends has never become part of the record: it counts from the
// base of the first try, in an unbroken chain.
func (a *attempt) seen(f *definition.Field) *attempt {
	t, tried := a.w.tried[f.Name]
	if !tried || !landfall.SameValue(t.value, canonicalOr(f, a.base.Was[f.Name])) {
		return a
	}
	first := *a
	first.base.Version, first.base.Lost, first.base.Was = t.base.Version, t.base.Lost, t.base.Was
	return &first
}

// newRecord is the empty record that a creation begins with.
func (j *judging) newRecord(a *attempt) *landfall.Record {
	r := &landfall.Record{
		Type: a.m.Type, ID: a.m.ID, Fields: make(landfall.Fields, len(a.t.Order)), Edits: make(map[string]landfall.Edit, len(a.m.Set)),
		CreatedBy: j.author(a.step), CreatedAt: j.in.Now,
	}
	if l := a.t.Lifecycle; l != nil {
		r.Status = l.Initial
	}
	return r
}

// writable is a copy of the record that can be written into.
func writable(r *landfall.Record) *landfall.Record {
	c := r.Clone()
	if c.Fields == nil {
		c.Fields = landfall.Fields{}
	}
	if c.Edits == nil {
		c.Edits = map[string]landfall.Edit{}
	}
	return c
}

// mergeField puts the result of one field into the attempt.
func (j *judging) mergeField(a *attempt, f *definition.Field, value landfall.Value, seen *attempt, others []landfall.Change) {
	s := sides{current: a.merged.Fields[f.Name], device: value}
	if a.m.Op != landfall.OpCreate && !a.step.Given[f.Name] {
		s.was = canonicalOr(f, seen.base.Was[f.Name])
		s.blind = j.sight.Hides(a.t.Name, f.Name)
		changed := lostHistory(seen) || changedBy(others, f.Name)
		switch {
		case !s.blind:
			s.touched = changed && !landfall.SameValue(s.current, s.was)
		case !a.step.current: // what is decided is based on what is there
			s.touched = changed || combines(f.Policy)
		}
		s.later = j.edited(a.step).After(a.merged.Edits[f.Name].At)
	}
	result, fate := s.merge(f)
	switch fate {
	case undecided:
		a.review = append(a.review, f.Name)
		return
	case outOfRange:
		a.w.bad[f.Name] = fault{onField(say(CodeRange, fieldTitle(a.t, f.Name)), f.Name), j.at}
		return
	case deviceLost:
		a.lost[f.Name] = value
		return
	}
	if !landfall.SameValue(result, value) { // which is canonical
		var bad *landfall.Message
		if result, bad = f.Canonical(result); bad != nil {
			a.w.bad[f.Name] = fault{onField(*bad, f.Name), j.at}
			return
		}
	}
	if s.blind {
		a.write(f.Name, result)
		return
	}
	a.put(f.Name, result)
}

// put notes the new value of a field, if it is another one. What a transition
// sets back to what is stored has not changed.
func (a *attempt) put(name string, v landfall.Value) {
	if landfall.SameValue(a.merged.Fields[name], v) {
		return
	}
	a.write(name, v)
	if landfall.SameValue(a.was[name], v) {
		delete(a.set, name)
		delete(a.was, name)
	}
}

// write notes the value of a field, be it another one or not. What somebody sets
// who may not read the field always counts as a change: that nothing changes would
// tell them the value.
func (a *attempt) write(name string, v landfall.Value) {
	if _, again := a.set[name]; !again {
		a.was[name] = orNull(a.merged.Fields[name])
	}
	a.set[name] = orNull(v)
	a.merged.Fields.Put(name, v)
}

// changedBy reports whether one of the changes set the field.
func changedBy(changes []landfall.Change, name string) bool {
	return slices.ContainsFunc(changes, func(c landfall.Change) bool {
		_, set := c.Set[name]
		return set && c.Action != landfall.Assigned
	})
}

// canonicalOr is the canonical form of a value, or the value where it has none.
func canonicalOr(f *definition.Field, v landfall.Value) landfall.Value {
	if c, bad := f.Canonical(v); bad == nil {
		return c
	}
	return v
}

// undecided: no field needs a person's decision, and what is deleted is as the
// author saw it.
func (j *judging) undecided(a *attempt) (*Refusal, error) {
	if a.m.Op == landfall.OpDelete {
		changed, err := j.changedByOthers(a)
		if err != nil {
			return nil, err
		}
		if changed {
			return j.refuse(StageMerge, landfall.KindField, CodeRecordChanged, say(CodeRecordChanged, title(a.t))), nil
		}
		return nil, nil
	}
	if len(a.review) == 0 {
		return nil, nil
	}
	var messages []landfall.Message
	for _, name := range a.review {
		messages = append(messages, onField(say(CodeFieldChanged, fieldTitle(a.t, name)), name))
	}
	return j.refuse(StageMerge, landfall.KindField, fieldsOf(messages), messages...), nil
}

// edited is when the step's edit was made.
func (j *judging) edited(s *Step) time.Time {
	if s.Edited.IsZero() {
		return j.in.Now
	}
	return s.Edited
}

// author is who entered the step.
func (j *judging) author(s *Step) string {
	if s.Author != "" {
		return s.Author
	}
	return j.in.Actor.User
}
