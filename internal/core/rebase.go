package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Rebase computes what a device shows of one record: the server's state (nil
// when the replica has none), then the pending mutations on it, in order, as if
// they were all applied. It is nil when the view has no such record. A pending
// change of a record that the replica no longer has shows what its author saw
// and entered. Fields that add up or grow together (add, union, append) show
// the sum of both sides. Neither input is changed.
func Rebase(app *definition.App, actor *landfall.Actor, server *landfall.Record, pending []landfall.Mutation) *landfall.Record {
	view := server.Clone()
	for i := range pending {
		m := &pending[i]
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
// actor. view is the record as shown, nil for a creation. Empty means: queue it.
func LocalCheck(app *definition.App, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation) []landfall.Message {
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
		if _, bad := t.Fields[name].Canonical(m.Set[name]); bad != nil {
			out, wrong = append(out, onField(*bad, name)), append(wrong, name)
		}
	}
	if m.Op == landfall.OpTransition {
		if fault := localMove(t, actor, view, m); fault != nil {
			return append(out, *fault)
		}
	}
	after := Rebase(app, actor, view, []landfall.Mutation{*m})
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
		}
	}
	return out
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
