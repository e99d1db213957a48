package model

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// demand is the right that a mutation needs, and the fields that it writes; ""
// for a bare transition, whose right is its own role.
func (a *attempt) demand() (verb string, fields []string) {
	for _, f := range a.t.Fields {
		if v, set := a.x.Set[f.Name]; set && f.Name != a.t.PartOf && (a.x.Op != landfall.OpCreate || !landfall.IsNull(v)) {
			fields = append(fields, f.Name)
		}
	}
	switch a.x.Op {
	case landfall.OpCreate:
		return "create", fields
	case landfall.OpDelete, landfall.OpRestore:
		return "delete", nil
	case landfall.OpTransition:
		if len(fields) == 0 {
			return "", nil
		}
	}
	return "update", fields
}

// rights are what the actor's roles allow of a verb.
func (r *run) rights(t *app.Type, verb string, on func(app.Right) bool) []app.Right {
	var out []app.Right
	for _, right := range t.Rights {
		if right.Verb == verb && r.actor.Has(right.Role) && on(right) {
			out = append(out, right)
		}
	}
	return out
}

// covered reports whether there is a right at all, and one for each field.
func covered(rights []app.Right, fields []string) bool {
	for _, name := range fields {
		if !slices.ContainsFunc(rights, func(g app.Right) bool { return len(g.Fields) == 0 || slices.Contains(g.Fields, name) }) {
			return false
		}
	}
	return len(rights) > 0
}

// entitled: a role of the actor may do this to this type and these fields at all.
func (r *run) entitled(a *attempt) (landfall.Kind, string) {
	verb, fields := a.demand()
	if verb == "" || covered(r.rights(a.t, verb, func(app.Right) bool { return true }), fields) {
		return "", ""
	}
	return landfall.KindAuthorization, "no right to " + verb
}

// conditions: a right holds on the record as it is (of a creation, as it will
// be), and nobody sets fields in a frozen status.
func (r *run) conditions(a *attempt) (landfall.Kind, string) {
	owner := text(a.fields["owner"])
	if a.x.Op != landfall.OpCreate {
		owner = text(a.w.now.Fields["owner"])
	}
	verb, fields := a.demand()
	own := func(g app.Right) bool { return !g.Own || owner == r.actor.User }
	if verb != "" && !covered(r.rights(a.t, verb, own), fields) {
		return landfall.KindAuthorization, "the right to " + verb + " does not cover this record"
	}
	if r.frozen(a) {
		return landfall.KindStatus, "the status is frozen"
	}
	return "", ""
}
