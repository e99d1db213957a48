package core

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// names looks up what the mutation names. What an older definition had and the
// current one has not is outdated; what no definition that the author's client
// could know has is a fault of configuration (types, transitions) or, with the
// other validation, of the field. Once another definition is published, the two can't
// be told apart by the mutation alone: see NeverKnown.
func (j *judging) names(a *attempt) (*Refusal, error) {
	app := j.in.App
	old := a.m.Definition > 0 && a.m.Definition < app.Version
	a.t = app.Types[a.m.Type]
	if a.t == nil {
		if old {
			return j.refuse(StageNames, landfall.KindOutdated, CodeUnknownType, say(CodeOutdated, quoted(a.m.Type))), nil
		}
		return j.refuse(StageNames, landfall.KindConfiguration, CodeUnknownType,
			suggest(say(CodeUnknownType, quoted(a.m.Type)), a.m.Type, app.Order)), nil
	}
	if a.t.Lifecycle != nil && a.m.Op == landfall.OpTransition {
		a.move = a.t.Lifecycle.Transitions[a.m.Transition]
	}
	if !old {
		return nil, nil
	}
	var gone []landfall.Message
	if a.m.Op == landfall.OpTransition && a.move == nil {
		gone = append(gone, say(CodeOutdated, quoted(a.m.Transition)))
	}
	if s := a.base.Status; s != "" && (a.t.Lifecycle == nil || a.t.Lifecycle.Statuses[s] == nil) {
		gone = append(gone, say(CodeOutdated, quoted(s)))
	}
	for _, name := range unknown(a.t, a.m.Set) {
		gone = append(gone, onField(say(CodeOutdated, quoted(name)), name))
	}
	if len(gone) == 0 {
		return nil, nil
	}
	return j.refuse(StageNames, landfall.KindOutdated, fieldsOf(gone), gone...), nil
}

// unknown lists the fields that are set and that the type does not have, sorted.
// Clearing what is not there is no fault.
func unknown(t *definition.Type, set landfall.Fields) []string {
	var out []string
	for name, v := range set {
		if t.Fields[name] == nil && !landfall.IsNull(v) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// known lists the fields that are set and that the type has, in its order.
func known(t *definition.Type, set landfall.Fields) []string {
	var out []string
	for _, name := range t.Order {
		if _, is := set[name]; is {
			out = append(out, name)
		}
	}
	return out
}

// suggest puts the name that was probably meant before what else can be done.
func suggest(m landfall.Message, name string, candidates []string) landfall.Message {
	if n := definition.Nearest(name, candidates); n != "" {
		m.Hint = "Did you mean " + n + "? " + m.Hint
	}
	return m
}

// nearest is the name that was probably meant in the place of a hint, for who has
// just entered it.
func nearest(m landfall.Message, name string, candidates []string) landfall.Message {
	if n := definition.Nearest(name, candidates); n != "" {
		m.Hint = "Did you mean " + n + "?"
	}
	return m
}

// quoted is a name as people see it, cut where it is longer than any name is.
func quoted(name string) string {
	if r := []rune(name); len(r) > 64 {
		name = string(r[:64]) + "…"
	}
	return `"` + strings.ToValidUTF8(name, "?") + `"`
}

// UnknownField says that a type has no such field, and which is nearest.
func UnknownField(app *definition.App, typ, field string) error {
	t := app.Types[typ]
	if t == nil {
		return landfall.Errorf(landfall.CodeInvalid, "the app has no type %s", quoted(typ)).WithHint("name one of %s", strings.Join(app.Order, ", "))
	}
	err := landfall.Errorf(landfall.CodeInvalid, "%s has no field %s", title(t), quoted(field))
	if n := definition.Nearest(field, t.Order); n != "" {
		return err.WithHint("did you mean %s?", n)
	}
	return err.WithHint("it has %s", strings.Join(t.Order, ", "))
}

// NeverKnown reports whether a change that was refused for names that the definition
// did not have is refused now because a later one has not got them, either. Then they
// are not outdated: they never were.
func NeverKnown(was *landfall.Issue, r *Refusal) bool {
	if was.Kind != landfall.KindConfiguration && was.Kind != landfall.KindValidation || r.Kind != landfall.KindOutdated {
		return false
	}
	return !slices.ContainsFunc(r.Messages, func(now landfall.Message) bool {
		return !slices.ContainsFunc(was.Messages, func(m landfall.Message) bool {
			return m.Field == now.Field && (m.Code == CodeUnknownType || m.Code == CodeUnknownField || m.Code == CodeUnknownTransition)
		})
	})
}
