package core

import (
	"fmt"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Judge makes the verdict on a run: the checks from the lane to the commit, in
// their order. The run is judged step by step on an overlay of working records;
// nothing of it counts unless all of it passes. The error is trouble with the
// World only, passed through.
func Judge(in Input) (Verdict, error) {
	j := newJudging(in)
	if !in.Lane {
		issue, err := j.waits()
		if err != nil || issue != "" {
			return Verdict{Waits: issue}, err
		}
	}
	if r, err := j.run(); r != nil || err != nil {
		return Verdict{Refusal: r}, err
	}
	return j.commit()
}

// run makes all checks; a refusal is complete with its route.
func (j *judging) run() (*Refusal, error) {
	for i := range j.in.Run {
		j.at = i
		r, err := j.step(&j.in.Run[i])
		if err != nil {
			return nil, err
		}
		if r != nil {
			return j.place(r)
		}
	}
	if err := j.refreshAll(); err != nil {
		return nil, err
	}
	r, err := j.validity()
	if r == nil || err != nil {
		return nil, err
	}
	return j.place(r)
}

// attempt is one step on its way through the stages.
type attempt struct {
	step *Step
	m    *landfall.Mutation
	base landfall.Base
	t    *definition.Type
	w    *working
	move *definition.Transition // of a transition that the definition has

	merged *landfall.Record // the record with the device's values merged in
	set    landfall.Fields  // new values of the fields that changed; null for cleared
	was    landfall.Fields
	lost   landfall.Fields // values that lost by a declared policy
	review []string        // fields that need a decision
}

// stage is one check. It may add to the attempt what later ones need.
type stage func(*attempt) (*Refusal, error)

// step makes the checks of one mutation and applies it to the overlay.
func (j *judging) step(s *Step) (*Refusal, error) {
	a := &attempt{step: s, m: &s.Mutation}
	if a.m.Base != nil {
		a.base = *a.m.Base
	}
	if a.m.Op == landfall.OpVoid {
		j.note = noteVoid
		return nil, nil
	}
	if r, err := j.both(j.mayWriteAtAll)(a); r != nil || err != nil {
		return r, err
	}
	if a.m.Op == landfall.OpLost {
		return j.refuse(StageNames, landfall.KindLost, "", say(CodeLost, "")), nil
	}
	if !judged[a.m.Op] {
		return nil, fmt.Errorf("core: a mutation of op %q is not judged", a.m.Op)
	}
	for _, check := range []stage{j.names, j.exists, j.both(j.entitled), j.statusMoved, j.merge, j.both(j.transition), j.both(j.conditions), j.undecided, j.apply} {
		if r, err := check(a); r != nil || err != nil {
			return r, err
		}
	}
	return nil, nil
}

// judged are the operations that change a record.
var judged = map[landfall.Op]bool{
	landfall.OpCreate: true, landfall.OpUpdate: true, landfall.OpTransition: true,
	landfall.OpDelete: true, landfall.OpRestore: true,
}

// atEnd reports whether required fields, requires and validity count at the end
// of the run only.
func (j *judging) atEnd() bool { return j.in.Lane || len(j.in.Run) > 1 }

// mayWriteAtAll: a disabled user, a blocked device and a user without any role
// may deposit, and nothing more.
func (j *judging) mayWriteAtAll(at *attempt) (*Refusal, error) {
	code := depositing(&j.in.Actor)
	if code == "" {
		return nil, nil
	}
	whose := j.in.Actor.User
	if code == CodeDeviceBlocked {
		whose = at.m.Replica
	}
	r := j.refuse(StageAuthor, landfall.KindAuthorization, code, say(code, ""))
	// The account or the device is at fault, whatever it asks for.
	r.Cause = fingerprint(string(landfall.KindAuthorization), code, whose)
	return r, nil
}

// depositing is why the actor may deposit, and nothing more; "" when they may write.
func depositing(a *landfall.Actor) string {
	switch {
	case a.Disabled:
		return CodeUserDisabled
	case a.Blocked:
		return CodeDeviceBlocked
	case len(a.Roles) == 0:
		return CodeNoRoles
	}
	return ""
}

// Deposits reports whether what the actor sends is kept, and changes nothing: they
// are disabled, their device is blocked, or they have no role at all.
func Deposits(a *landfall.Actor) bool { return depositing(a) != "" }

// both makes a check of rights of the actor, and then of who answers for the run
// with them.
func (j *judging) both(check stage) stage {
	if j.in.Also == nil {
		return check
	}
	return func(a *attempt) (*Refusal, error) {
		actor := j.in.Actor
		defer func() { j.in.Actor = actor }()
		for _, who := range []landfall.Actor{actor, *j.in.Also} {
			j.in.Actor = who
			r, err := check(a)
			if r != nil && r.Kind == landfall.KindAuthorization {
				r.Lacks = who.User
			}
			if r != nil || err != nil {
				return r, err
			}
		}
		return nil, nil
	}
}

// vars are what a condition looks at.
func (j *judging) vars(t *definition.Type, record, was *landfall.Record) *definition.Vars {
	return &definition.Vars{Type: t, Record: record, Was: was, Actor: &j.in.Actor, Now: j.in.Now}
}
