// Package diagram draws a compiled definition: the lifecycle of each type and
// the types with what they refer to. It is pure: the same definition gives the
// same bytes, so a picture can be committed and compared.
package diagram

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Options says what to draw.
type Options struct {
	Type string // the only type to draw, with its neighbours; empty for all
}

// What is larger than this is not readable as a picture, and would take long.
const (
	maxStatuses    = 120
	maxTransitions = 240
	maxTypes       = 300
)

// chosen is what of an app is drawn.
type chosen struct {
	app   *definition.App
	cases []*definition.Type // with a lifecycle
	types []*definition.Type // in the entity diagram
	focus *definition.Type   // nil: every type is drawn with all its fields
}

func choose(app *definition.App, o Options) (*chosen, error) {
	c := &chosen{app: app}
	if o.Type != "" {
		if c.focus = app.Types[o.Type]; c.focus == nil {
			return nil, definition.Unknown(landfall.CodeNotFound, "type", o.Type, app.Order)
		}
	}
	for _, name := range app.Order {
		t := app.Types[name]
		if c.focus != nil && !c.near(t) {
			continue
		}
		c.types = append(c.types, t)
		if t.Lifecycle != nil && (c.focus == nil || c.focus == t) {
			c.cases = append(c.cases, t)
		}
	}
	return c, nil
}

// near says whether t is the type in focus or refers to it or is referred to by it.
func (c *chosen) near(t *definition.Type) bool {
	return t == c.focus || refersTo(t, c.focus.Name) || refersTo(c.focus, t.Name)
}

func refersTo(t *definition.Type, name string) bool {
	return slices.ContainsFunc(t.Order, func(f string) bool { return t.Fields[f].To == name })
}

// fields are the fields of t that are drawn: all, or of a neighbour of the type
// in focus those that refer to it.
func (c *chosen) fields(t *definition.Type) []*definition.Field {
	var out []*definition.Field
	for _, name := range t.Order {
		if f := t.Fields[name]; c.focus == nil || c.focus == t || f.To == c.focus.Name {
			out = append(out, f)
		}
	}
	return out
}

// drawable refuses what would be a wall of boxes.
func (c *chosen) drawable() error {
	for _, t := range c.cases {
		if l := t.Lifecycle; len(l.Order) > maxStatuses || len(l.Moves) > maxTransitions {
			return landfall.Errorf(landfall.CodeTooLarge, "the lifecycle of %s is too large for a picture: %d statuses and %d transitions", t.Name, len(l.Order), len(l.Moves)).
				WithHint("draw another type with --type, or use --format mermaid; at most %d statuses and %d transitions make a picture", maxStatuses, maxTransitions)
		}
	}
	if len(c.types) > maxTypes {
		return landfall.Errorf(landfall.CodeTooLarge, "%d types are too many for a picture", len(c.types)).
			WithHint("draw one type with --type, or use --format mermaid; at most %d types make a picture", maxTypes)
	}
	return nil
}
