package core

import (
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// check: everything that the decision names is there.
func (p *plan) check() error {
	for _, s := range append([]Side{p.d.Take}, slices.Collect(maps.Values(p.d.Fields))...) {
		if s != "" && s != DeviceSide && s != ServerSide {
			return landfall.Errorf(landfall.CodeInvalid, "a side is %q or %q", DeviceSide, ServerSide)
		}
	}
	if p.typ == nil {
		if len(p.d.Fields)+len(p.d.Set)+len(p.d.Before)+len(p.d.After) > 0 || p.d.Take == DeviceSide || p.d.To != "" {
			return landfall.Errorf(landfall.CodeInvalid, "the app has no such type, so nothing of it can be stored").
				WithHint("take the server's side, or publish an app version that has the type")
		}
		return nil
	}
	names := slices.Sorted(maps.Keys(p.d.Fields))
	for _, name := range append(names, slices.Sorted(maps.Keys(p.d.Set))...) {
		if p.typ.Fields[name] != nil {
			continue
		}
		err := landfall.Errorf(landfall.CodeInvalid, "%s has no field %s", title(p.typ), quoted(name))
		if name == "status" {
			return err.WithHint("the status is decided by transitions, before or after")
		}
		return hinted(err, name, p.typ.Order)
	}
	for _, name := range slices.Concat(p.d.Before, p.d.After) {
		if p.typ.Lifecycle == nil {
			return landfall.Errorf(landfall.CodeInvalid, "%s has no lifecycle, so it has no transition %s", title(p.typ), quoted(name))
		}
		if p.typ.Lifecycle.Transitions[name] == nil {
			return hinted(landfall.Errorf(landfall.CodeInvalid, "%s has no transition %s", title(p.typ), quoted(name)), name, p.typ.Lifecycle.Moves)
		}
	}
	return p.checkTarget()
}

func (p *plan) checkTarget() error {
	if p.d.To == "" {
		return nil
	}
	kind, name, _ := strings.Cut(p.d.To, ":")
	switch kind {
	case "user":
		known, err := p.in.World.UserExists(name)
		if err != nil {
			return err
		}
		if !known {
			return landfall.Errorf(landfall.CodeInvalid, "there is no user %s", quoted(name)).WithHint("name a user that exists")
		}
	case "queue":
		if p.in.App.Queues[name] == nil {
			return hinted(landfall.Errorf(landfall.CodeInvalid, "there is no queue %s", quoted(name)), name, slices.Sorted(maps.Keys(p.in.App.Queues)))
		}
	default:
		return landfall.Errorf(landfall.CodeInvalid, "cases go to user:NAME or queue:NAME")
	}
	return nil
}

// hinted adds the name that was probably meant.
func hinted(err *landfall.Error, name string, candidates []string) error {
	if n := definition.Nearest(name, candidates); n != "" {
		return err.WithHint("did you mean %s?", n)
	}
	return err.WithHint("there are: %s", strings.Join(candidates, ", "))
}
