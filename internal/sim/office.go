package sim

import (
	"context"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/changelog"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// person is somebody at a desk: a lead, a clerk who decides, an administrator.
type person struct {
	w    *world
	name string
	line line
}

func (w *world) newPerson(name string) *person {
	return &person{w: w, name: name, line: line{w: w, name: name + "'s desk", dice: newDice(w.seed, "desk", name)}}
}

// ask calls the server as the person; what comes back is read into out.
func (p *person) ask(what string, out any, do func(ctx context.Context, h *host, who *auth.Caller) (any, error)) error {
	return p.line.call(request{what: what, user: p.name, do: func(who *auth.Caller) (any, error) {
		return do(p.w.ctx, p.w.host, who)
	}}, out)
}

// act lets the person do something, in a flow of its own.
func (p *person) act(what string, f func() error) {
	p.w.start(p.name, func() {
		if err := f(); err != nil {
			p.w.say("%s: %s: %s", p.name, what, err)
			p.w.met("desk: " + what + ": " + string(landfall.CodeOf(err)))
			if landfall.CodeOf(err) == landfall.CodeInternal {
				p.w.violate("desk", "%s: %s fails: %v", p.name, what, err)
			}
		} else {
			p.w.met("desk: " + what)
		}
	})
}

// think is how long a person looks at something before they act on it.
func (p *person) think(d dice) { p.w.sleep(d.span(200*time.Millisecond, p.w.conf.Think)) }

// issues are those that the person may see.
func (p *person) issues(state string) ([]wire.IssueView, error) {
	var l wire.List[wire.IssueView]
	err := p.ask("list issues", &l, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.desk.Issues(ctx, workspace, who.Actor, store.IssueFilter{State: state}, store.Page{Limit: 200})
	})
	return l.Items, err
}

func (p *person) issue(id string) (*wire.IssueDetail, error) {
	out := &wire.IssueDetail{}
	return out, p.ask("show an issue", out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.desk.Issue(ctx, workspace, who.Actor, id)
	})
}

// decide looks at an issue and decides it, as it was seen.
func (p *person) decide(d dice) error {
	all, err := p.issues(store.Unresolved)
	if err != nil || len(all) == 0 {
		return err
	}
	i, err := p.issue(pick(d, all).ID)
	if err != nil {
		return err
	}
	if d.chance(0.2) {
		if err := p.work(d, "claim", i.ID); err != nil {
			return err
		}
	}
	req := wire.Resolve{Decision: p.choose(d, i)}
	if d.chance(0.15) {
		req.DryRun = true
	}
	if d.chance(0.15) {
		p.w.decider(d.IntN(9)).meddle(d, i)
	}
	p.think(d)
	return p.resolve(i, req)
}

// meddle changes what an issue is about while somebody else thinks about it.
func (p *person) meddle(d dice, i *wire.IssueDetail) {
	t := p.w.app().Type(i.RecordType)
	if t == nil || i.Server == nil {
		return
	}
	h := p.hand(d)
	do := wire.Do{Op: landfall.OpUpdate, Type: t.Name, ID: i.Record, Version: i.RecordVersion, Set: h.some(t, i.Record, i.Server.Fields, 2)}
	h.entered(t, i.Record, with(i.Server.Fields, do.Set))
	p.act("change", func() error { return p.do(do) })
}

func (p *person) resolve(i *wire.IssueDetail, req wire.Resolve) error {
	var out wire.Resolution
	err := p.ask("decide an issue", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.resolveSeen(ctx, who, i, req)
	})
	if err == nil {
		p.w.say("%s: decides issue %d (%s): take %s%s", p.name, i.Number, i.Kind, req.Take, dryly(req.DryRun))
		p.w.met("decision: " + string(out.Settlement) + dryly(req.DryRun))
		if len(out.Released) > 0 {
			p.w.met("decision: releases")
		}
	}
	return err
}

func dryly(dry bool) string {
	if dry {
		return ", dry run"
	}
	return ""
}

// choose makes up a decision for what the person sees.
func (p *person) choose(d dice, i *wire.IssueDetail) core.Decision {
	dec := core.Decision{Through: i.Through, Version: i.RecordVersion}
	dec.Take = pick(d, []core.Side{core.DeviceSide, core.DeviceSide, core.ServerSide})
	if i.Server != nil {
		for _, c := range i.Compare {
			if !c.Status && d.chance(0.3) {
				if dec.Fields == nil {
					dec.Fields = map[string]core.Side{}
				}
				dec.Fields[c.Field] = pick(d, []core.Side{core.DeviceSide, core.ServerSide})
			}
		}
		if d.chance(0.3) {
			if t := p.w.app().Type(i.RecordType); t != nil {
				h := p.hand(d)
				dec.Set = h.some(t, i.Record, i.Server.Fields, 1)
			}
		}
	}
	if len(i.Before) > 0 && d.chance(0.3) {
		dec.Before = []string{pick(d, i.Before)}
	}
	if len(i.After) > 0 && d.chance(0.2) {
		dec.After = []string{pick(d, i.After)}
	}
	if d.chance(0.1) {
		dec.To = "queue:planning"
	}
	return dec
}

// work is what people do with an issue beside deciding it.
func (p *person) work(d dice, what, id string) error {
	var out wire.IssueView
	return p.ask(what, &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		switch what {
		case "claim":
			return h.desk.Claim(ctx, workspace, who.Actor, id)
		case "release":
			return h.desk.Release(ctx, workspace, who.Actor, id)
		case "comment":
			return h.desk.Comment(ctx, workspace, who.Actor, id, "I am looking into it.")
		case "reopen":
			return h.desk.Reopen(ctx, workspace, who.Actor, id, "once more")
		}
		return h.desk.Assign(ctx, workspace, who.Actor, id, wire.Assign{To: pick(d, []string{"queue:conflicts", "queue:access", "user:" + pick(d, p.w.users)})})
	})
}

// handle does one of those to an issue.
func (p *person) handle(d dice) error {
	what := pick(d, []string{"claim", "release", "comment", "assign", "reopen"})
	state := store.Unresolved
	if what == "reopen" {
		state = landfall.IssueResolved
	}
	all, err := p.issues(state)
	if err != nil || len(all) == 0 {
		return err
	}
	i := pick(d, all)
	p.think(d)
	err = p.work(d, what, i.ID)
	if err == nil {
		p.w.say("%s: %s issue %d", p.name, what, i.Number)
	}
	return err
}

// retry has issues judged again.
func (p *person) retry(d dice) error {
	all, err := p.issues(store.Unresolved)
	if err != nil || len(all) == 0 {
		return err
	}
	i := pick(d, all)
	req := wire.Retry{Issues: []string{i.ID}, DryRun: d.chance(0.15)}
	switch {
	case d.chance(0.2):
		req = wire.Retry{All: true}
	case d.chance(0.3):
		req = wire.Retry{Cause: i.Cause}
	}
	p.think(d)
	return p.retryAll(d, req)
}

// retryAll asks page by page, as the console does. When it hears nothing, it asks
// for the same page once more: what that settled, is settled already.
func (p *person) retryAll(d dice, req wire.Retry) error {
	for patience := 3; ; p.think(d) {
		next, err := p.retryPage(req)
		switch {
		case landfall.CodeOf(err) == landfall.CodeUnavailable && patience > 0:
			patience--
			p.w.met("retry: a page is asked for again")
		case next == "" || err != nil:
			return err
		default:
			p.w.met("retry: another page")
			req.After = next
		}
	}
}

// retryPage has some issues judged again.
func (p *person) retryPage(req wire.Retry) (next string, err error) {
	var out wire.Retries
	err = p.ask("retry issues", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.retryDry(ctx, who, req)
	})
	for _, r := range out.Items {
		p.w.say("%s: retries issue %d: settled %v %s", p.name, r.Number, r.Settled, r.Kind)
		if r.Settled {
			p.w.met("retry: settled")
		} else {
			p.w.met("retry: still refused")
		}
	}
	return out.Next, err
}

// change makes a change at the desk, with the version that the person saw.
func (p *person) change(d dice) error {
	if d.chance(0.06) {
		return p.restore(d)
	}
	typ := pick(d, []string{"job", "job", "job", "task", "task", "step", "note"})
	h := p.hand(d)
	t := h.app.Type(typ)
	do := wire.Do{Op: landfall.OpCreate, Type: typ}
	all, err := p.records(typ)
	if err != nil {
		return err
	}
	if len(all) == 0 || d.chance(0.15) {
		do.ID, do.Set = (&ids{dice: d, clock: func() time.Time { return p.w.now }}).next(), h.fresh(t)
		h.entered(t, do.ID, do.Set)
	} else {
		r := all[d.IntN(min(len(all), p.w.conf.Hot))]
		do.ID, do.Version = r.ID, r.Version
		if d.chance(0.1) {
			do.Version = 0
		}
		switch roll := d.IntN(12); {
		case roll == 0:
			do.Op = landfall.OpDelete
		case roll < 5 && t.Initial != "":
			do.Op, do.Transition = landfall.OpTransition, pick(d, t.Moves).Name
		default:
			do.Op, do.Set = landfall.OpUpdate, h.some(t, r.ID, r.Fields, 3)
			h.entered(t, r.ID, with(r.Fields, do.Set))
		}
	}
	p.think(d)
	return p.do(do)
}

// hand is the person's own.
func (p *person) hand(d dice) *hand {
	h := &hand{w: p.w, user: p.name, dice: d, app: p.w.app()}
	h.all = func(typ string) []string {
		return slices.DeleteFunc(p.w.model.Visible(p.name), func(id string) bool { r := p.w.model.Record(id); return r == nil || r.Type != typ })
	}
	return h
}

// restore brings back something that was deleted.
func (p *person) restore(d dice) error {
	gone := p.w.model.Deleted()
	if len(gone) == 0 {
		return nil
	}
	r := pick(d, gone)
	p.think(d)
	return p.do(wire.Do{Op: landfall.OpRestore, Type: r.Type, ID: r.ID})
}

// do makes a change at the desk.
func (p *person) do(do wire.Do) error {
	var out wire.Done
	err := p.ask("change a record", &out, func(ctx context.Context, server *host, who *auth.Caller) (any, error) {
		before := server.atDesk(who.Actor.User)
		done, err := server.inbox.Do(ctx, workspace, who.Actor, do)
		if err == nil {
			server.based(who.Actor.User, &do, before)
		}
		return done, err
	})
	if err == nil {
		p.w.say("%s: %ss %s %s at the desk: %s%s", p.name, do.Op, do.Type, short(out.Record.ID), do.Transition, shown(do.Set))
	}
	return err
}

func (p *person) records(typ string) ([]wire.RecordView, error) {
	var l wire.List[wire.RecordView]
	err := p.ask("list records", &l, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.log.Records(ctx, workspace, who.Actor, changelog.Query{Type: typ}, store.Page{Limit: 100})
	})
	return l.Items, err
}

// tellsNothing: of what was cleaned nothing is told that was entered, and nothing by
// which a guess at it could be confirmed.
func (p *person) tellsNothing(items []wire.ItemView) {
	for i := range items {
		it := &items[i]
		if it.CleanedAt != nil && (it.Sent != "" || it.Hash != "" || it.Mutation != nil || len(it.History) > 0) {
			p.w.violate("clean", "%s is told what was sent with %s, which was cleaned", p.name, it.ID)
		}
	}
}

// look reads what a desk shows: histories, the inbox, queues, the worklist.
func (p *person) look(d dice) error {
	switch d.IntN(5) {
	case 0:
		all, err := p.records("job")
		if err != nil || len(all) == 0 {
			return err
		}
		var out []landfall.Change
		return p.ask("show a history", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
			return h.log.History(ctx, workspace, who.Actor, "job", pick(d, all).ID)
		})
	case 1:
		var out wire.List[wire.ItemView]
		err := p.ask("list the inbox", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
			return h.inbox.Items(ctx, workspace, who.Actor, store.ItemFilter{}, store.Page{Limit: 50})
		})
		p.tellsNothing(out.Items)
		return err
	case 2:
		var out wire.List[wire.WorkItem]
		return p.ask("show a queue", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
			return h.desk.Queue(ctx, workspace, who.Actor, pick(d, []string{"conflicts", "planning", "access"}), store.Page{Limit: 50})
		})
	case 3:
		var out wire.List[wire.WorkItem]
		return p.ask("show the worklist", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
			return h.desk.Worklist(ctx, workspace, who.Actor, store.Page{Limit: 50})
		})
	}
	var out []wire.Cause
	return p.ask("list causes", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.desk.Causes(ctx, workspace, who.Actor)
	})
}

// somebody is a user whose rights may be changed: seldom the administrator.
func (p *person) somebody(d dice) string {
	if d.chance(0.8) {
		return pick(d, p.w.staff)
	}
	return pick(d, p.w.users)
}

// administer changes somebody's rights.
func (p *person) administer(d dice, name string) error {
	u := p.w.model.User(name)
	if u == nil {
		return nil
	}
	c := wire.UserChange{}
	role, team := pick(d, p.w.app().Roles), pick(d, teams)
	var what string
	switch roll := d.IntN(10); {
	case roll < 4 && slices.Contains(u.Roles, role):
		c.Revoke, what = []string{role}, "takes the role "+role+" from"
	case roll < 4:
		c.Grant, what = []string{role}, "gives the role "+role+" to"
	case roll < 8 && slices.Contains(u.Teams, team):
		c.Leave, what = []string{team}, "takes out of "+team+":"
	case roll < 8:
		c.Join, what = []string{team}, "puts into "+team+":"
	default:
		off := !u.Disabled
		c.Disabled, what = &off, "enables or disables"
	}
	return p.changeUser(name, what, c)
}

func (p *person) changeUser(name, what string, c wire.UserChange) error {
	var out wire.UserView
	err := p.ask("change a user", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.accounts.ChangeUser(ctx, workspace, who.Actor, "", name, c)
	})
	if err == nil {
		p.w.say("%s %s %s", p.name, what, name)
	}
	return err
}

// publish makes another version of the app the current one.
func (p *person) publish(revised, rename bool) error {
	a := p.w.version(revised, rename)
	var out wire.Published
	err := p.ask("publish", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.publisher.Publish(ctx, workspace, who.Actor, wire.Publish{Source: a.Source()})
	})
	if err == nil {
		p.w.say("%s publishes version %d of the app", p.name, out.Version)
	}
	return err
}

// code is a one-time code for a device of a user.
func (p *person) code(user, name string) (string, error) {
	var out wire.Code
	err := p.ask("make a code", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.accounts.NewCode(ctx, workspace, who.Actor, wire.NewCode{User: user, Name: name})
	})
	return out.Code, err
}

// revoke takes a device's credential away.
func (p *person) revoke(replica string) error {
	var out wire.DeviceView
	return p.ask("revoke a device", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.accounts.Revoke(ctx, workspace, who.Actor, replica)
	})
}
