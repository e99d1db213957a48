package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// statusMoved: the status has not moved since the author saw it, as far as the
// type's policy minds. Moved and moved back is moved.
func (j *judging) statusMoved(a *attempt) (*Refusal, error) {
	if a.t.Lifecycle == nil || a.m.Op == landfall.OpCreate || a.w.now.Deleted {
		return nil, nil
	}
	policy := a.t.Status
	if policy != definition.Strict && policy != "" && a.m.Op != landfall.OpTransition {
		return nil, nil
	}
	moved, err := j.moved(a)
	if !moved || err != nil {
		return nil, err
	}
	if policy == definition.Legal && (a.move == nil || slices.Contains(a.move.From, a.w.now.Status)) {
		return nil, nil
	}
	return j.refuse(StageStatus, landfall.KindStatus, CodeStatusMoved, say(CodeStatusMoved, title(a.t))), nil
}

// moved reports whether the status changed since the base, other than by the
// replica's own changes that the author's view contained.
func (j *judging) moved(a *attempt) (bool, error) {
	if lostHistory(a) {
		return a.base.Status != "" && a.base.Status != a.w.now.Status, nil
	}
	others, err := j.others(a)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(others, func(c landfall.Change) bool {
		return c.From != "" && c.From != c.To
	}), nil
}
