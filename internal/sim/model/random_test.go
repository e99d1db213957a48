package model_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/wire"
)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

// judge steps the inbox until it has nothing to do.
func (w *world) judge() {
	for worked := true; worked; {
		var err error
		worked, err = w.in.Step(context.Background())
		w.must(err)
	}
	for worked := w.rnd.IntN(2) == 0; worked; {
		var err error
		worked, err = w.in.Tend(context.Background())
		w.must(err)
	}
	for _, f := range w.offered {
		f()
	}
	w.offered = nil
}

// act does one thing that people or devices do.
func (w *world) act() {
	w.now = w.now.Add(time.Duration(w.rnd.IntN(90_000)) * time.Millisecond)
	p := pick(w.rnd, w.phones...)
	n := w.rnd.IntN(100)
	if w.tidy && n > 88 {
		n -= 20
	}
	if w.storm && n > 70 {
		n -= 45
	}
	if n == 96 || w.rnd.IntN(40) == 0 {
		w.publish()
	}
	if w.rnd.IntN(8) == 0 {
		w.control(p)
	}
	switch {
	case n < 20:
		p.pull()
	case n < 62:
		for range 1 + w.rnd.IntN(3) {
			p.make()
		}
		if w.rnd.IntN(2) == 0 { // else it has no network
			p.push()
		}
	case n < 64:
		w.imports(p)
	case n < 70:
		w.atDesk(p)
	case n < 82:
		w.decide()
	case n < 87:
		w.retry()
	case n < 92:
		w.handle()
	case n < 96:
		w.grant()
	case n < 97:
	default:
		if len(p.sent) > 0 { // restored from a backup: another history begins
			n := w.rnd.IntN(len(p.sent))
			p.sent, p.next = p.sent[:n], int64(n+1)
			p.acked = min(p.acked, p.next)
			if w.rnd.IntN(2) == 0 {
				p.checkpoint = "gone" // it knows a history that the server lost
			}
			p.add(&landfall.Mutation{Op: landfall.OpVoid, MadeAt: w.now})
			p.push()
			w.judge()
			for range 4 { // in its new incarnation
				p.make()
			}
			p.push()
		}
	}
}

// publish makes another version, in which things are called otherwise.
func (w *world) publish() {
	w.know(w.app.Next(w.policy, w.rnd.IntN(2) == 0, w.rnd.IntN(3) > 0))
	_, err := w.pub.Publish(context.Background(), ws, w.admin, wire.Publish{Source: w.app.Source()})
	w.must(err)
}

func (w *world) atDesk(p *phone) {
	p.pull()
	m := p.mutation()
	do := wire.Do{Op: m.Op, Type: m.Type, ID: m.ID, Set: m.Set, Transition: m.Transition, Note: pick(w.rnd, "", "by phone")}
	if m.Base != nil && w.rnd.IntN(2) == 0 {
		do.Version = m.Base.Version
	}
	_, err := w.in.Do(context.Background(), ws, landfall.Actor{User: p.user}, do)
	w.may(err)
}

// imports brings some rows in, of records that are there and that are not.
func (w *world) imports(p *phone) {
	t := w.app.Types[0]
	req := wire.Import{}
	for n := range 1 + w.rnd.IntN(3) {
		row := wire.ImportRow{Line: n, ID: w.id(), Set: p.fields(t, 3)}
		if len(p.ids) > 0 && w.rnd.IntN(2) == 0 {
			row.ID = pick(w.rnd, p.ids...)
		}
		row.Set[t.Fields[0].Name] = landfall.Value(`"imported"`)
		req.Rows = append(req.Rows, row)
	}
	_, err := w.in.Import(context.Background(), ws, landfall.Actor{User: p.user}, t.Name, req)
	w.may(err)
}

// issue is an issue, mostly an open one.
func (w *world) issue() string {
	var open, all []string
	for _, i := range w.m.Issues() {
		if i.Open() {
			open = append(open, i.ID)
		}
		all = append(all, i.ID)
	}
	switch {
	case len(open) > 0 && w.rnd.IntN(10) > 0:
		return pick(w.rnd, open...)
	case len(all) > 0:
		return pick(w.rnd, all...)
	}
	return "none"
}

// decider is somebody who can sign in.
func (w *world) decider() landfall.Actor {
	for {
		name := pick(w.rnd, "carl", "carl", "lea", "lea", "ada", "will")
		if u := w.m.User(name); !u.Disabled {
			return landfall.Actor{User: name}
		}
	}
}

func (w *world) decide() {
	r := w.rnd
	id := w.issue()
	d := core.Decision{Take: pick(r, core.DeviceSide, core.DeviceSide, core.ServerSide, ""), Note: pick(r, "", "so be it")}
	if w.tidy && r.IntN(2) == 0 {
		_, err := w.in.Resolve(context.Background(), ws, w.decider(), id, wire.Resolve{Decision: d})
		w.may(err)
		return
	}
	for _, i := range w.m.Issues() {
		t := w.app.Type(i.RecordType)
		if i.ID != id || t == nil {
			continue
		}
		f := pick(r, t.Fields...)
		switch r.IntN(6) {
		case 0:
			d.Fields = map[string]core.Side{f.Name: pick(r, core.DeviceSide, core.ServerSide)}
		case 1:
			d.Set = landfall.Fields{f.Name: w.phones[0].value(f), t.Fields[0].Name: landfall.Value(`"decided"`)}
		case 2:
			d.To = pick(r, "user:lea", "queue:planning", "user:gus")
		case 3:
			d.Through = i.N + int64(r.IntN(3))
		}
		if t.Initial != "" && r.IntN(3) == 0 {
			d.Before = []string{pick(r, t.Moves...).Name}
		}
		if t.Initial != "" && r.IntN(4) == 0 {
			d.After = []string{pick(r, t.Moves...).Name}
		}
	}
	_, err := w.in.Resolve(context.Background(), ws, w.decider(), id, wire.Resolve{Decision: d, DryRun: r.IntN(10) == 0})
	w.may(err)
}

func (w *world) retry() {
	id := w.issue()
	_, err := w.in.Retry(context.Background(), ws, w.decider(), wire.Retry{Issues: []string{id}})
	w.may(err)
}

func (w *world) handle() {
	ctx, who, id := context.Background(), w.decider(), w.issue()
	var err error
	switch w.rnd.IntN(6) {
	case 0:
		if _, err = w.desk.Claim(ctx, ws, who, id); err == nil {
			_, err = w.in.Resolve(ctx, ws, w.decider(), id, wire.Resolve{})
		}
	case 4:
		for _, i := range w.m.Issues() {
			if !i.Open() && w.rnd.IntN(3) == 0 {
				id = i.ID
			}
		}
		if _, err = w.desk.Reopen(ctx, ws, who, id, "once more"); err == nil {
			_, err = w.in.Retry(ctx, ws, who, wire.Retry{Issues: []string{id}})
		}
	case 1:
		_, err = w.desk.Release(ctx, ws, who, id)
	case 2:
		_, err = w.desk.Comment(ctx, ws, who, id, "why?")
	case 3:
		_, err = w.desk.Assign(ctx, ws, who, id, wire.Assign{To: pick(w.rnd, "user:lea", "queue:planning", "queue:conflicts")})
	default:
		_, err = w.desk.Reopen(ctx, ws, who, id, "again")
	}
	w.may(err)
}

func (w *world) grant() {
	yes, no := true, false
	name := pick(w.rnd, "will", "wendy", "lea", "gus", "carl")
	c := pick(w.rnd,
		wire.UserChange{Grant: []string{app.Worker}}, wire.UserChange{Revoke: []string{app.Worker}}, wire.UserChange{Grant: []string{app.Lead, app.Worker}},
		wire.UserChange{Revoke: []string{app.Guest}}, wire.UserChange{Grant: []string{app.Guest}}, wire.UserChange{Join: []string{"south"}}, wire.UserChange{Leave: []string{"north"}},
		wire.UserChange{Disabled: &yes}, wire.UserChange{Disabled: &no}, wire.UserChange{Disabled: &no}, wire.UserChange{Grant: []string{app.Clerk}})
	_, err := w.acc.ChangeUser(context.Background(), ws, w.admin, "", name, c)
	w.may(err)
}

// What the program does by itself is what the rules demand.
func TestProgramKeepsTheRules(t *testing.T) {
	const actions = 60
	seeds := uint64(50)
	if testing.Short() {
		seeds = 30
	}
	kinds, failed := map[string]int{}, 0
	for seed := range seeds {
		if failed == 3 {
			break // more of it tells nothing new
		}
		w := newWorld(t, seed, false)
		for n := range actions {
			w.act()
			if len(w.found) > 0 {
				failed++
				t.Errorf("seed %d, action %d:", seed, n)
				for _, v := range w.found {
					t.Error("  ", v)
				}
				break
			}
		}
		for _, c := range w.commits {
			for i := range c.Ops {
				if c.Ops[i].Regrouped != nil {
					kinds["regrouped"]++
				}
				if x := c.Ops[i].Change; x != nil {
					kinds[fmt.Sprint("change ", x.Type, " ", x.Action, map[bool]string{true: " derived"}[x.Derived])]++
					for name := range x.Lost {
						kinds["lost "+name]++
					}
				}
			}
		}
		for it := range w.m.Items() {
			kinds[fmt.Sprint("receipt ", it.Receipt.Result, " ", it.Receipt.Kind, it.Receipt.Waiting)]++
			if it.Outcome != nil {
				kinds[fmt.Sprint("outcome ", it.Outcome.Settlement)]++
			}
		}
	}
	t.Log(kinds)
}
