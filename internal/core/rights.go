package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// verb is what a right allows.
type verb string

const (
	toCreate verb = "create"
	toUpdate verb = "update"
	toDelete verb = "delete"
)

// demand is the right that a mutation needs: the verb, and the fields that it
// writes, in the order of the type. There is none for a bare transition, whose
// right is its own role. What a part is a part of needs none.
func demand(a *attempt) (verb, []string, bool) {
	switch a.m.Op {
	case landfall.OpCreate:
		var fields []string
		for _, name := range written(a) {
			if !landfall.IsNull(a.m.Set[name]) {
				fields = append(fields, name)
			}
		}
		return toCreate, fields, true
	case landfall.OpDelete, landfall.OpRestore:
		return toDelete, nil, true
	case landfall.OpTransition:
		fields := written(a)
		return toUpdate, fields, len(fields) > 0
	default:
		return toUpdate, written(a), true
	}
}

// written are the fields that the mutation sets, but for what a part is a part of.
func written(a *attempt) []string {
	fields := known(a.t, a.m.Set)
	if a.t.PartOf == "" {
		return fields
	}
	return slices.DeleteFunc(fields, func(name string) bool { return name == a.t.PartOf })
}

// grants are what the actor's roles allow, in the order of the roles' names.
func (j *judging) grants(t *definition.Type, v verb) []*definition.Grant {
	roles := slices.Clone(j.in.Actor.Roles)
	slices.Sort(roles)
	var out []*definition.Grant
	for _, role := range slices.Compact(roles) {
		if g := grant(t.Rights[role], v); g != nil {
			out = append(out, g)
		}
	}
	return out
}

func grant(r *definition.Right, v verb) *definition.Grant {
	switch {
	case r == nil:
		return nil
	case v == toCreate:
		return r.Create
	case v == toDelete:
		return r.Delete
	default:
		return r.Update
	}
}

func covers(g *definition.Grant, field string) bool {
	return g.Fields == nil || slices.Contains(g.Fields, field)
}

// entitled: a role of the actor may do this to this type and these fields at all.
func (j *judging) entitled(a *attempt) (*Refusal, error) {
	v, fields, needed := demand(a)
	if !needed {
		return nil, nil
	}
	grants := j.grants(a.t, v)
	if len(grants) == 0 {
		m := say(mayNot[v], title(a.t))
		m.Hint = grantHint(a.t, v, "")
		return j.refuse(StageRights, landfall.KindAuthorization, string(v), m), nil
	}
	var denied []landfall.Message
	for _, name := range fields {
		if !slices.ContainsFunc(grants, func(g *definition.Grant) bool { return covers(g, name) }) {
			m := onField(say(CodeMayNotWrite, fieldTitle(a.t, name), title(a.t)), name)
			m.Hint = grantHint(a.t, v, name)
			denied = append(denied, m)
		}
	}
	if len(denied) == 0 {
		return nil, nil
	}
	return j.refuse(StageRights, landfall.KindAuthorization, string(v)+" "+fieldsOf(denied), denied...), nil
}

// conditions: the conditions of the right hold on the current record (of a
// creation, on the new one), and nobody sets fields in a frozen status.
func (j *judging) conditions(a *attempt) (*Refusal, error) {
	on := a.w.now
	if a.m.Op == landfall.OpCreate {
		on = a.merged
	}
	if r, err := j.conditionsOfRight(a, on); r != nil || err != nil {
		return r, err
	}
	what, err := j.frozen(a)
	if what == "" || err != nil {
		return nil, err
	}
	return j.refuse(StageConditions, landfall.KindStatus, CodeFrozen, say(CodeFrozen, what)), nil
}

// conditionsOfRight finds for every field a grant whose condition holds.
func (j *judging) conditionsOfRight(a *attempt, on *landfall.Record) (*Refusal, error) {
	v, fields, needed := demand(a)
	if !needed {
		return nil, nil
	}
	was := a.w.now
	if a.m.Op == landfall.OpCreate {
		was = nil
	}
	vars := j.vars(a.t, on, was)
	var open []*definition.Grant
	for _, g := range j.grants(a.t, v) {
		ok := true
		if g.When != nil {
			err := j.withParts(vars, g.When)
			if err != nil {
				return nil, err
			}
			if ok, err = g.When.Bool(vars); err != nil { // the definition's trouble, not the world's
				return j.refuse(StageConditions, landfall.KindConfiguration, CodeExpression+" "+string(v), say(CodeExpression, title(a.t))), nil //nolint:nilerr // it is the refusal
			}
		}
		if ok {
			open = append(open, g)
		}
	}
	var denied []landfall.Message
	for _, name := range fields {
		if !slices.ContainsFunc(open, func(g *definition.Grant) bool { return covers(g, name) }) {
			denied = append(denied, onField(say(CodeNotThisRecord, string(v), title(a.t)), name))
		}
	}
	switch {
	case len(open) == 0:
		return j.refuse(StageConditions, landfall.KindAuthorization, CodeNotThisRecord+" "+string(v), say(CodeNotThisRecord, string(v), title(a.t))), nil
	case len(denied) > 0:
		return j.refuse(StageConditions, landfall.KindAuthorization, CodeNotThisRecord+" "+string(v)+" "+fieldsOf(denied), denied...), nil
	}
	return nil, nil
}
