package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Create makes a record and returns its id. Defaults are filled in.
func (c *Client) Create(ctx context.Context, typ string, set landfall.Fields) (id string, err error) {
	err = c.Group(ctx, func(g *Group) error {
		id, err = g.Create(typ, set)
		return err
	})
	return id, err
}

// Update sets fields of a record; null clears one.
func (c *Client) Update(ctx context.Context, ref string, set landfall.Fields) error {
	return c.Group(ctx, func(g *Group) error { return g.Update(ref, set) })
}

// Move makes a transition, with fields that go with it.
func (c *Client) Move(ctx context.Context, ref, transition string, set landfall.Fields) error {
	return c.Group(ctx, func(g *Group) error { return g.Move(ref, transition, set) })
}

// Delete deletes a record.
func (c *Client) Delete(ctx context.Context, ref string) error {
	return c.Group(ctx, func(g *Group) error { return g.Delete(ref) })
}

// Group collects changes that are applied all or not at all. One change is no
// group. When f fails, none of them was made.
func (c *Client) Group(ctx context.Context, f func(*Group) error) error {
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		if err := s.mayEnter(); err != nil {
			return err
		}
		app, err := c.compiled(s)
		if err != nil {
			return err
		}
		g := &Group{c: c, tx: tx, s: s, app: app}
		if err := f(g); err != nil {
			return err
		}
		return g.finish()
	})
}

// Group is a set of changes under way.
type Group struct {
	c    *Client
	tx   Tx
	s    *state
	app  *definition.App
	made []landfall.Mutation
}

// Create makes a record and returns its id.
func (g *Group) Create(typ string, set landfall.Fields) (string, error) {
	if g.app.Types[typ] == nil {
		return "", definition.Unknown(landfall.CodeInvalid, "type", typ, g.app.Order)
	}
	all := core.Defaults(g.app, typ, g.s.actor(), g.c.opts.Clock())
	maps.Copy(all, set)
	m := landfall.Mutation{Op: landfall.OpCreate, Type: typ, ID: g.c.opts.NewID(), Set: all, Base: &landfall.Base{}}
	return m.ID, g.add(nil, m)
}

// Update sets fields of a record.
func (g *Group) Update(ref string, set landfall.Fields) error {
	return g.change(ref, landfall.Mutation{Op: landfall.OpUpdate, Set: set})
}

// Move makes a transition.
func (g *Group) Move(ref, transition string, set landfall.Fields) error {
	return g.change(ref, landfall.Mutation{Op: landfall.OpTransition, Transition: transition, Set: set})
}

// Delete deletes a record.
func (g *Group) Delete(ref string) error {
	return g.change(ref, landfall.Mutation{Op: landfall.OpDelete})
}

// change bases a mutation on what its user sees.
func (g *Group) change(ref string, m landfall.Mutation) error {
	v, err := g.c.find(g.tx, g.s, g.app, ref)
	if err != nil {
		return err
	}
	m.Type, m.ID = v.Record.Type, v.Record.ID
	m.Base = &landfall.Base{Status: v.Record.Status, Was: landfall.Fields{}}
	if v.Server != nil {
		m.Base.Version = v.Server.Version
	}
	if t := g.app.Types[m.Type]; t != nil && len(t.Parts) > 0 && m.Op == landfall.OpDelete {
		m.Base.Seen = g.s.Seq
	}
	for name := range m.Set {
		m.Base.Was[name] = landfall.Null
		if old := v.Record.Fields[name]; !landfall.IsNull(old) {
			m.Base.Was[name] = old
		}
	}
	for _, e := range v.entries {
		if e.Incarnation == g.s.Incarnation {
			m.Base.After = e.N
		}
		if e.Issue != "" && !e.Waiting && e.Kind.Amendable() && !e.Reverted {
			m.Amends = &landfall.Amends{Issue: e.Issue}
			if i, err := g.tx.Record(e.Issue); err != nil {
				return err
			} else if i != nil {
				m.Amends.Version = i.Version
			}
		}
	}
	return g.add(v.Record, m)
}

// add gives the mutation its number and puts it into the outbox.
func (g *Group) add(view *landfall.Record, m landfall.Mutation) error {
	t := g.app.Types[m.Type]
	if t == nil {
		return definition.Unknown(landfall.CodeInvalid, "type", m.Type, g.app.Order)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Set)) {
		f := t.Fields[name]
		if f == nil {
			return definition.Unknown(landfall.CodeInvalid, "field", name, t.Order)
		}
		v, msg := f.Canonical(m.Set[name])
		if msg != nil {
			return refusedHere([]landfall.Message{*msg})
		}
		m.Set[name] = v
	}
	m.N, m.Replica, m.Incarnation = g.s.Next, g.s.Replica, g.s.Incarnation
	m.Definition, m.MadeAt = g.app.Version, g.c.opts.Clock().UTC()
	entries, err := g.entriesFor(t)
	if err != nil {
		return err
	}
	targets, failed := (&shelf{g.tx, g.s, g.app, entries}).targets()
	messages := core.LocalCheck(g.app, g.s.actor(), view, &m, targets)
	if *failed != nil {
		return *failed
	}
	if len(messages) > 0 {
		return refusedHere(messages)
	}
	g.s.Next++
	g.made = append(g.made, m)
	return g.put(&m)
}

// entriesFor are what is pending of other records, where the type's rules look at
// those.
func (g *Group) entriesFor(t *definition.Type) (map[string][]*Entry, error) {
	if len(t.Narrowed)+len(t.Filling) == 0 {
		return nil, nil
	}
	return byRecord(g.tx)
}

func (g *Group) put(m *landfall.Mutation) error {
	b, err := encode(m)
	if err != nil {
		return err
	}
	return g.tx.PutEntry(&Entry{Incarnation: m.Incarnation, N: m.N, Bytes: b, Hash: core.Hash(b), State: Pending, Record: m.ID, Type: m.Type})
}

// finish marks the members of a group and stores how far the numbers went.
func (g *Group) finish() error {
	if len(g.made) > 1 {
		if limit := g.limit(); len(g.made) > limit {
			return landfall.Errorf(landfall.CodeInvalid, "a group has at most %d changes", limit)
		}
		mark := &landfall.Group{ID: g.c.opts.NewID(), Of: len(g.made)}
		for i := range g.made {
			g.made[i].Group = mark
			if err := g.put(&g.made[i]); err != nil {
				return err
			}
		}
	}
	return save(g.tx, g.s)
}

func (g *Group) limit() int {
	if n := g.s.Definition.Limits.Batch; n > 0 {
		return n
	}
	return 100
}

func refusedHere(messages []landfall.Message) error {
	e := &landfall.Error{Code: landfall.CodeRefused, Message: messages[0].Text, Hint: messages[0].Hint, Kind: landfall.KindValidation, Messages: messages}
	return e
}

// encode is a mutation as it is hashed, kept and sent: compact, no escapes.
func encode(m *landfall.Mutation) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("client: encode a change: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads an entry's mutation back.
func decode(e *Entry) (landfall.Mutation, error) {
	var m landfall.Mutation
	err := json.Unmarshal(e.Bytes, &m)
	m.Incarnation = e.Incarnation
	return m, err
}

// App is the definition that the changes are made by.
func (g *Group) App() *definition.App { return g.app }

// Get is a record as the changes so far show it.
func (g *Group) Get(ref string) (*View, error) { return g.c.find(g.tx, g.s, g.app, ref) }
