package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// validity: every record that the run touched is valid as the run leaves it.
// All faults are told at once, one a field.
func (j *judging) validity() (*Refusal, error) {
	var all []landfall.Message
	first := -1
	for _, id := range slices.Clone(j.order) {
		w := j.work[id]
		if w.now == nil || !w.touched && len(w.bad) == 0 {
			continue
		}
		faults, err := j.faults(w)
		if err != nil {
			return nil, err
		}
		if w.sound = len(faults) == 0; !w.judged && len(w.derived) > 0 {
			t := j.in.App.Types[w.now.Type]
			faults = slices.DeleteFunc(faults, func(f fault) bool { return !w.concerns(t, &f.message) })
		}
		for _, f := range faults {
			all = append(all, f.message)
			if first < 0 || f.step < first {
				first = f.step
			}
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	j.at = first
	kind := landfall.KindValidation
	if slices.ContainsFunc(all, func(m landfall.Message) bool { return m.Code == CodeExpression }) {
		kind = landfall.KindConfiguration
	}
	return j.refuse(StageValidity, kind, fieldsOf(all), all...), nil
}

// faults lists what is wrong with one record, by field in the order of the type;
// fields that the type does not have come last.
func (j *judging) faults(w *working) ([]fault, error) {
	r := w.now
	if r.Deleted {
		return nil, nil
	}
	t := j.in.App.Types[r.Type]
	var out []fault
	for _, name := range t.Order {
		f, wrong := w.bad[name]
		if !wrong {
			m, err := j.fieldFault(t, t.Fields[name], w)
			if err != nil {
				return nil, err
			}
			if m == nil {
				if f, wrong = w.lacks(t, name); !wrong {
					continue
				}
			} else {
				step, set := w.setBy[name]
				if !set {
					step = w.last
				}
				f = fault{*m, step}
			}
		}
		out = append(out, f)
	}
	if m, err := j.tooMany(t, w); err != nil {
		return nil, err
	} else if m != nil {
		out = append(out, fault{*m, w.last})
	}
	var strange []string
	for name := range w.bad {
		if t.Fields[name] == nil {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange {
		out = append(out, w.bad[name])
	}
	return out, nil
}

// lacks reports a field that a move of the run requires and that is not there.
func (w *working) lacks(t *definition.Type, name string) (fault, bool) {
	if !landfall.IsNull(w.now.Fields[name]) {
		return fault{}, false
	}
	for _, n := range w.required {
		if n.field == name {
			return fault{requiresMessage(t, name, n.move), n.step}, true
		}
	}
	return fault{}, false
}

// fieldFault is what is wrong with one field of the record, or nil.
func (j *judging) fieldFault(t *definition.Type, f *definition.Field, w *working) (*landfall.Message, error) {
	r := w.now
	v := r.Fields[f.Name]
	m := j.plainFault(t, f, r, w.stored)
	if m != nil || landfall.IsNull(v) {
		return m, nil
	}
	var before landfall.Value
	if w.stored != nil && !w.stored.Deleted {
		before = w.stored.Fields[f.Name]
	}
	if _, set := w.setBy[f.Name]; set && j.sight.Hides(t.Name, f.Name) {
		before = nil // that it may stay would tell that it was there
	}
	if landfall.SameValue(before, v) {
		return j.outside(t, f, w) // who and what it names was checked when it was entered
	}
	if f.Unique {
		taken, err := j.taken(t, f, w, uniqueKey(v))
		if err != nil {
			return nil, err
		}
		if taken {
			return fieldSay(CodeUnique, t, f.Name), nil
		}
	}
	if m, err := j.missing(t, f, v, before); m != nil || err != nil {
		return m, err
	}
	return j.outside(t, f, w)
}

// plainFault is what the value and the record alone tell: the type, whether it
// must be there, and the field's check.
func (j *judging) plainFault(t *definition.Type, f *definition.Field, r, was *landfall.Record) *landfall.Message {
	return plainFault(t, f, j.vars(t, r, was))
}

// plainFault is also what a device checks before it queues a change.
func plainFault(t *definition.Type, f *definition.Field, vars *definition.Vars) *landfall.Message {
	r := vars.Record
	v := r.Fields[f.Name]
	if landfall.IsNull(v) {
		if f.Required || slices.Contains(f.Statuses, r.Status) {
			m := fieldSay(CodeRequired, t, f.Name)
			m.Hint = "Enter " + fieldTitle(t, f.Name) + "."
			return m
		}
		return nil
	}
	if _, bad := f.Canonical(v); bad != nil {
		m := onField(*bad, f.Name)
		return &m
	}
	if f.Check == nil {
		return nil
	}
	// A check that meets an unset field has no answer and does not run.
	answer, err := f.Check.Value(vars, &definition.Field{Name: f.Name, Type: definition.Boolean})
	if err != nil {
		return fieldSay(CodeExpression, t, f.Name)
	}
	if string(answer) != "false" {
		return nil
	}
	m := fieldSay(CodeCheck, t, f.Name)
	if f.Message != "" {
		m.Text = f.Message
	}
	return m
}

// taken reports whether another record holds the value of a unique field, as
// the run leaves it.
func (j *judging) taken(t *definition.Type, f *definition.Field, w *working, key string) (bool, error) {
	for _, id := range j.order {
		o := j.work[id]
		if o != w && o.touched && o.now != nil && !o.now.Deleted && o.now.Type == t.Name &&
			!landfall.IsNull(o.now.Fields[f.Name]) && uniqueKey(o.now.Fields[f.Name]) == key {
			return true, nil
		}
	}
	holder, err := j.in.World.Unique(t.Name, f.Name, key)
	if err != nil || holder == "" || holder == w.id {
		return false, err
	}
	o := j.work[holder]
	return o == nil || !o.touched, nil
}

// missing is the message about names in a value that the actor can't refer to:
// the same whether they are not there or not theirs to see. What was there
// before is left alone.
func (j *judging) missing(t *definition.Type, f *definition.Field, v, was landfall.Value) (*landfall.Message, error) {
	var code string
	var there func(string) (bool, error)
	switch f.Type {
	case definition.UserRef:
		code, there = CodeNoUser, j.in.World.UserExists
	case definition.TeamRef:
		code, there = CodeNoTeam, j.in.World.TeamExists
	case definition.Reference, definition.References:
		code, there = CodeNoRecord, func(id string) (bool, error) { return j.refersTo(f.To, id) }
	default:
		return nil, nil
	}
	before := texts(was)
	for _, name := range texts(v) {
		if contains(before, name) {
			continue
		}
		ok, err := there(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			return fieldSay(code, t, f.Name), nil
		}
	}
	return nil, nil
}

// refersTo reports whether the actor may refer to the record: it is of the type,
// not deleted, and visible to them or made in this very run.
func (j *judging) refersTo(typ, id string) (bool, error) {
	w, err := j.load(id)
	if err != nil {
		return false, err
	}
	if w.now == nil || w.now.Deleted || w.now.Type != typ {
		return false, nil
	}
	if w.created {
		return true, nil
	}
	return j.sees(w)
}
