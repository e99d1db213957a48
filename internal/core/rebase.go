package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Targets are the records that a device has, as it shows them; nil for one that
// it has not. None at all is nil, too.
type Targets func(id string) *landfall.Record

func (f Targets) of(id string) *landfall.Record {
	if f == nil || id == "" {
		return nil
	}
	return f(id)
}

// Rebase computes what a device shows of one record: the server's state (nil
// when the replica has none), then the pending mutations on it, in order, as if
// they were all applied. It is nil when the view has no such record. A pending
// change of a record that the replica no longer has shows what its author saw
// and entered. Fields that add up or grow together (add, union, append) show
// the sum of both sides. What the server works out is the server's. A reference
// fills other fields as far as targets has what it names. No input is changed.
func Rebase(app *definition.App, actor *landfall.Actor, server *landfall.Record, pending []landfall.Mutation, targets Targets) *landfall.Record {
	view := server.Clone()
	for i := range pending {
		converted := ConvertMutation(app, pending[i])
		m := &converted
		if !judged[m.Op] {
			continue
		}
		t := app.Types[m.Type]
		if view == nil {
			view = begin(t, actor, m)
		}
		view = writable(view)
		switch m.Op {
		case landfall.OpDelete:
			view.Deleted = true
			continue
		case landfall.OpRestore:
			view.Deleted = false
			continue
		}
		overlay(t, view, m)
		if t != nil && len(t.Filling) > 0 {
			pretendFill(app, t, actor, view, m, targets)
		}
		if m.Op == landfall.OpTransition {
			pretend(t, actor, view, m)
		}
	}
	if view == nil || view.Deleted {
		return nil
	}
	return view
}

// begin is the record that a pending mutation finds where the replica has none.
func begin(t *definition.Type, actor *landfall.Actor, m *landfall.Mutation) *landfall.Record {
	r := &landfall.Record{Type: m.Type, ID: m.ID, Fields: landfall.Fields{}}
	if m.Op == landfall.OpCreate {
		r.CreatedBy, r.CreatedAt = actor.User, m.MadeAt
		if t != nil && t.Lifecycle != nil {
			r.Status = t.Lifecycle.Initial
			settle(t, r, nil)
		}
		return r
	}
	if m.Base != nil {
		r.Status = m.Base.Status
		for name, v := range m.Base.Was {
			r.Fields.Put(name, v)
		}
	}
	return r
}

// overlay puts the mutation's values into the view.
func overlay(t *definition.Type, view *landfall.Record, m *landfall.Mutation) {
	for name, v := range m.Set {
		if t == nil || t.Fields[name] == nil {
			view.Fields.Put(name, v)
			continue
		}
		f := t.Fields[name]
		if f.Computed != nil {
			continue
		}
		v = canonicalOr(f, v)
		if m.Base != nil && m.Op != landfall.OpCreate {
			v = together(f, view.Fields[name], v, canonicalOr(f, m.Base.Was[name]))
		}
		view.Fields.Put(name, v)
	}
}

// together is the value that the view shows of a field that both sides may
// have changed.
func together(f *definition.Field, current, device, was landfall.Value) landfall.Value {
	switch f.Policy {
	case definition.Add, definition.Union, definition.Append:
	default:
		return device
	}
	s := sides{was: was, current: current, device: device, touched: !landfall.SameValue(current, was)}
	v, fate := s.merge(f)
	if fate != merged {
		return device
	}
	if v, bad := f.Canonical(v); bad == nil {
		return v
	}
	return device
}

// pretendFill shows what the references of a mutation fill in.
func pretendFill(app *definition.App, t *definition.Type, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation, targets Targets) {
	for _, name := range t.Filling {
		f := t.Fields[name]
		target := targets.of(text(m.Set[name]))
		if target == nil || target.Type != f.To || m.Base != nil && m.Op != landfall.OpCreate && landfall.SameValue(m.Base.Was[name], m.Set[name]) {
			continue
		}
		vars := &definition.Vars{Type: t, Record: view.Clone(), Actor: actor, Now: m.MadeAt, Target: target, TargetType: app.Types[f.To]}
		for _, s := range f.Fill {
			if _, own := m.Set[s.Field]; own {
				continue
			}
			if v, err := s.Value.Value(vars, t.Fields[s.Field]); err == nil {
				view.Fields.Put(s.Field, v)
			}
		}
	}
}

// pretend shows the transition as made: its status and what it sets, as far as
// the device can tell.
func pretend(t *definition.Type, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation) {
	if t == nil || t.Lifecycle == nil || t.Lifecycle.Transitions[m.Transition] == nil {
		return
	}
	move := t.Lifecycle.Transitions[m.Transition]
	before := view.Clone()
	vars := &definition.Vars{Type: t, Record: before, Was: before, Actor: actor, Now: m.MadeAt}
	for _, s := range move.Set {
		if len(s.Value.Parts()) > 0 || t.Fields[s.Field].Computed != nil {
			continue // the server's alone
		}
		if v, err := s.Value.Value(vars, t.Fields[s.Field]); err == nil {
			view.Fields.Put(s.Field, v)
		}
	}
	view.Status = move.To
	settle(t, view, before)
}

// LocalCheck is what a device can know of a mutation before it queues it: that
// names exist, values have their type, required fields are there, checks hold,
// and the transition leads from the status shown and belongs to a role of the
// actor, and that references name what their conditions let in, of what targets
// has. view is the record as shown, nil for a creation. Empty means: queue it.
func LocalCheck(app *definition.App, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation, targets Targets) []landfall.Message {
	t := app.Types[m.Type]
	if t == nil {
		return []landfall.Message{nearest(say(CodeUnknownType, quoted(m.Type)), m.Type, app.Order)}
	}
	if m.Op == landfall.OpDelete || m.Op == landfall.OpRestore || !judged[m.Op] {
		return nil
	}
	var out []landfall.Message
	for _, name := range unknown(t, m.Set) {
		out = append(out, onField(nearest(say(CodeUnknownField, title(t), quoted(name)), name, t.Order), name))
	}
	var wrong []string
	for _, name := range known(t, m.Set) {
		if fault := notEntered(t, view, m, name); fault != nil {
			out, wrong = append(out, *fault), append(wrong, name)
			continue
		}
		if _, bad := t.Fields[name].Canonical(m.Set[name]); bad != nil {
			out, wrong = append(out, onField(*bad, name)), append(wrong, name)
		}
	}
	if m.Op == landfall.OpTransition {
		if fault := localMove(t, actor, view, m); fault != nil {
			return append(out, *fault)
		}
	}
	after := Rebase(app, actor, view, []landfall.Mutation{*m}, targets)
	if after == nil {
		return out
	}
	vars := &definition.Vars{Type: t, Record: after, Was: view, Actor: actor, Now: m.MadeAt}
	sight := SightOf(app, actor)
	for _, name := range t.Order {
		if _, set := m.Set[name]; slices.Contains(wrong, name) || !set && view != nil && view.Version > 0 && sight.Hides(t.Name, name) {
			continue // the server has it, for all that the device knows
		}
		if fault := plainFault(t, t.Fields[name], vars); fault != nil {
			out = append(out, *fault)
		} else if m.Op == landfall.OpTransition && landfall.IsNull(after.Fields[name]) {
			move := t.Lifecycle.Transitions[m.Transition]
			if slices.Contains(move.Requires, name) {
				out = append(out, requiresMessage(t, name, moveTitle(move)))
			}
		} else if fault := localTarget(app, t, t.Fields[name], vars, targets); fault != nil {
			out = append(out, *fault)
		}
	}
	return out
}

// notEntered is why nobody enters a field that the mutation sets, or nil.
func notEntered(t *definition.Type, view *landfall.Record, m *landfall.Mutation, name string) *landfall.Message {
	switch {
	case t.Fields[name].Computed != nil && !landfall.IsNull(m.Set[name]):
		return fieldSay(CodeComputed, t, name)
	case name == t.PartOf && view != nil && m.Op != landfall.OpCreate && !landfall.SameValue(view.Fields[name], canonicalOr(t.Fields[name], m.Set[name])):
		return fieldSay(CodePartFixed, t, name)
	}
	return nil
}

// localTarget is the message about a reference that the mutation changed, or whose
// condition looks at what it changed, and that names what it may not, or nil.
func localTarget(app *definition.App, t *definition.Type, f *definition.Field, vars *definition.Vars, targets Targets) *landfall.Message {
	if f.Where == nil {
		return nil
	}
	changed := func(name string) bool {
		return vars.Was == nil || !landfall.SameValue(vars.Was.Fields[name], vars.Record.Fields[name])
	}
	if !changed(f.Name) && !slices.ContainsFunc(f.Where.Fields(), changed) {
		return nil
	}
	of := *vars
	for _, id := range texts(vars.Record.Fields[f.Name]) {
		if of.Target, of.TargetType = targets.of(id), app.Types[f.To]; of.Target == nil || of.Target.Type != f.To {
			continue
		}
		if m := narrowed(t, f, &of); m != nil {
			return m
		}
	}
	return nil
}

// localMove is what keeps the actor from making the transition in view, or nil.
func localMove(t *definition.Type, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation) *landfall.Message {
	if t.Lifecycle == nil {
		fault := say(CodeNoLifecycle, title(t))
		return &fault
	}
	move := t.Lifecycle.Transitions[m.Transition]
	if move == nil {
		fault := nearest(say(CodeUnknownTransition, title(t), quoted(m.Transition)), m.Transition, t.Lifecycle.Moves)
		return &fault
	}
	if view != nil && !slices.Contains(move.From, view.Status) {
		fault := say(CodeNotFromStatus, moveTitle(move))
		return &fault
	}
	if !slices.ContainsFunc(move.Roles, actor.Has) {
		fault := say(CodeTransitionRole, moveTitle(move), title(t))
		fault.Hint = rolesHint(move.Roles)
		return &fault
	}
	return nil
}
