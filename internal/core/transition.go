package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// transition: the definition has the move from the current status, it belongs
// to a role of the actor, its condition holds, and what it requires is there.
// The fields that the mutation sets count as merged already.
func (j *judging) transition(a *attempt) (*Refusal, error) {
	if a.m.Op != landfall.OpTransition {
		return nil, nil
	}
	if a.t.Lifecycle == nil {
		return j.refuse(StageTransition, landfall.KindConfiguration, CodeNoLifecycle, say(CodeNoLifecycle, title(a.t))), nil
	}
	t := a.move
	if t == nil {
		m := suggest(say(CodeUnknownTransition, title(a.t), quoted(a.m.Transition)), a.m.Transition, a.t.Lifecycle.Moves)
		return j.refuse(StageTransition, landfall.KindConfiguration, CodeUnknownTransition, m), nil
	}
	if status := a.w.now.Status; !slices.Contains(t.From, status) {
		// The author saw a status from which it leads: not the definition is at
		// fault, but the case is elsewhere.
		if seen := a.base.Status; seen != "" && seen != status && slices.Contains(t.From, seen) {
			return j.refuse(StageStatus, landfall.KindStatus, CodeStatusMoved, say(CodeStatusMoved, title(a.t))), nil
		}
		return j.refuse(StageTransition, landfall.KindConfiguration, CodeNotFromStatus, say(CodeNotFromStatus, moveTitle(t))), nil
	}
	if !slices.ContainsFunc(t.Roles, j.in.Actor.Has) {
		m := say(CodeTransitionRole, moveTitle(t), title(a.t))
		m.Hint = rolesHint(t.Roles)
		return j.refuse(StageTransition, landfall.KindAuthorization, CodeTransitionRole, m), nil
	}
	if t.When != nil {
		vars := j.vars(a.t, a.merged, a.w.now)
		if err := j.withParts(vars, t.When); err != nil {
			return nil, err
		}
		ok, err := t.When.Bool(vars)
		if err != nil { // the definition's trouble, not the world's
			return j.refuse(StageTransition, landfall.KindConfiguration, CodeExpression, say(CodeExpression, title(a.t))), nil //nolint:nilerr // it is the refusal
		}
		if !ok {
			return j.refuse(StageTransition, landfall.KindAuthorization, CodeTransitionWhen, say(CodeTransitionWhen, moveTitle(t), title(a.t))), nil
		}
	}
	return j.requires(a), nil
}

// requires: what the move requires is there; in a run of several steps it
// counts at the end.
func (j *judging) requires(a *attempt) *Refusal {
	var missing []landfall.Message
	for _, name := range a.move.Requires {
		if j.atEnd() {
			a.w.required = append(a.w.required, need{field: name, move: moveTitle(a.move), step: j.at})
			continue
		}
		if _, faulty := a.w.bad[name]; faulty || !landfall.IsNull(a.merged.Fields[name]) || slices.Contains(a.review, name) {
			continue
		}
		missing = append(missing, requiresMessage(a.t, name, moveTitle(a.move)))
	}
	if len(missing) == 0 {
		return nil
	}
	return j.refuse(StageTransition, landfall.KindValidation, fieldsOf(missing), missing...)
}

func requiresMessage(t *definition.Type, field, move string) landfall.Message {
	m := onField(say(CodeRequires, fieldTitle(t, field), move), field)
	m.Hint = "Enter " + fieldTitle(t, field) + "."
	return m
}
