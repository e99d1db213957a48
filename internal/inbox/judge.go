package inbox

import (
	"errors"
	"runtime/debug"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// unit is what is judged as one: a mutation, or the members of a group.
type unit struct {
	from, to int // in the push
	members  []member
}

// member is one mutation of a unit as it was sent, and as it was read.
type member struct {
	raw  []byte
	m    landfall.Mutation
	bad  *landfall.Message // why it could not be read, or that its group did not come whole
	item *store.Item
}

// units divides a push. A group that is not complete within it is malformed.
func (in *Inbox) units(p *wire.Push) []unit {
	all := make([]member, len(p.Mutations))
	for i, raw := range p.Mutations {
		m, bad := core.ParseMutation(raw, p.First+int64(i), in.envelope())
		m.Replica, m.Incarnation, m.N = p.Replica, p.Incarnation, p.First+int64(i)
		all[i] = member{raw: raw, m: m, bad: bad}
	}
	var out []unit
	for i := 0; i < len(all); {
		to := i + 1
		if all[i].grouped() {
			g := all[i].m.Group
			for to < len(all) && all[to].grouped() && *all[to].m.Group == *g {
				to++
			}
			if to-i != g.Of {
				for k := i; k < to; k++ {
					all[k].bad = incomplete()
				}
				to = i + 1
			}
		}
		out = append(out, unit{i, to, all[i:to]})
		i = to
	}
	return out
}

// pushing judges one captured push.
type pushing struct {
	*judging
	c     *captured
	seq   *sequence
	actor landfall.Actor
	last  time.Time // when the edit before was made
	lost  bool      // the device knows another history than this one
}

// begin looks at where the replica stands now: another push of it may have been
// judged since this one was captured.
func (p *pushing) begin() error {
	rep, err := p.w.Replica(p.ws, p.c.row.Replica)
	if err != nil {
		return err
	}
	if rep == nil {
		return errNoDevice
	}
	if p.actor, err = p.author(rep.User, rep.ID); err != nil {
		return err
	}
	if p.c.hashes == nil {
		p.c.hashes = hashes(&p.c.push)
	}
	if err := p.losses(rep); err != nil {
		return err
	}
	p.seq = newSequence(p.w, p.ws, rep, &p.c.push, p.c.hashes)
	if err := p.seq.place(); err != nil {
		return err
	}
	if p.c.push.Incarnation == rep.Incarnation {
		p.last = rep.LastEdit
	}
	return p.history()
}

// history checks that the device's versions are of the history that is here. A
// checkpoint that was given out in this epoch and is not part of it proves that
// history was lost, a folder copied back for example: a new epoch begins.
func (p *pushing) history() error {
	token, replica := p.c.push.Checkpoint, p.c.row.Replica
	if token == "" || p.in.cfg.History == nil || p.in.known[replica] == token {
		return nil
	}
	lost, proved, err := p.in.cfg.History.Lost(p.w, p.ws, token)
	if err != nil {
		return err
	}
	if p.lost = lost; !lost {
		p.in.remember(replica, token)
	}
	if !proved || p.l.Begun() {
		return nil
	}
	epoch := p.in.cfg.NewID()
	p.l.Begin(epoch)
	began := store.Done(store.ByServer, store.EpochBegin, epoch, p.l.Now()).With("reason", "history was lost")
	began.Device = replica
	return p.w.AddAudit(p.ws, began)
}

// mostKnown bounds the checkpoints that are remembered.
const mostKnown = 20_000

func (in *Inbox) remember(replica, checkpoint string) {
	if len(in.known) >= mostKnown {
		clear(in.known)
	}
	in.known[replica] = checkpoint
}

// errNoDevice: replicas are never deleted, so this is no device's push.
var errNoDevice = landfall.Errorf(landfall.CodeUnauthorized, "this device is not known").WithHint("enrol it again; its changes are safe there")

// all judges the push and takes it off the captured ones.
func (p *pushing) all() (*wire.PushReply, error) {
	if err := p.begin(); err != nil {
		return nil, err
	}
	if !p.seq.placement.Gap {
		for _, u := range p.c.divided(p.in) {
			if err := p.unit(&u, false); err != nil {
				return nil, err
			}
		}
	}
	if err := p.contact(); err != nil {
		return nil, err
	}
	if p.c.row.ID != 0 {
		if err := p.w.DeletePush(p.ws, p.c.row.ID); err != nil {
			return nil, err
		}
	}
	reply, err := p.seq.reply()
	if reply != nil {
		reply.Clock, reply.Order = p.l.Now(), p.seq.rep.Order()
		if len(p.c.push.Mutations) == 0 {
			rep := p.seq.rep
			reply.Expects, reply.Lost = wire.Expected(rep.Incarnation, rep.Next, rep.LastHash), p.lost
		}
	}
	return reply, err
}

// only judges one unit; poison makes it an issue of kind internal unseen.
func (p *pushing) only(u unit, poison bool) error {
	if err := p.begin(); err != nil || p.seq.placement.Gap {
		return err
	}
	if err := p.unit(&u, poison); err != nil {
		return err
	}
	return p.w.PutReplica(p.ws, p.seq.rep)
}

// unit judges what is new of it, and moves the replica on.
func (p *pushing) unit(u *unit, poison bool) error {
	if !p.alike(u) {
		return p.divided(u)
	}
	switch p.seq.placement.Each[u.from] {
	case core.PlaceReplay:
		return nil
	case core.PlaceFork:
		return p.forked(u)
	}
	for i := range u.members {
		if err := p.item(u, i); err != nil {
			return err
		}
	}
	if err := p.verdict(u, poison); err != nil {
		return err
	}
	for i := range u.members {
		p.seq.given[u.from+i] = &u.members[i].item.Receipt
	}
	rep := p.seq.rep
	if p.c.push.Incarnation > rep.Incarnation {
		rep.Leave(p.c.push.Incarnation)
	}
	rep.Next, rep.LastHash, rep.LastEdit = p.c.push.First+int64(u.to), p.seq.hashes[u.to-1], p.last
	return nil
}

// alike: all members of the unit stand alike in the sequence.
func (p *pushing) alike(u *unit) bool {
	for i := u.from + 1; i < u.to; i++ {
		if p.seq.placement.Each[i] != p.seq.placement.Each[u.from] {
			return false
		}
	}
	return true
}

// divided judges the members of a group of which a part was here before: that
// part has its receipts, and the rest is not the group that it says.
func (p *pushing) divided(u *unit) error {
	for i := range u.members {
		single := unit{u.from + i, u.from + i + 1, u.members[i : i+1]}
		single.members[0].bad = incomplete()
		if err := p.unit(&single, false); err != nil {
			return err
		}
	}
	return nil
}

func incomplete() *landfall.Message {
	return &landfall.Message{Code: "incomplete_group", Text: "The group that this change belongs to did not arrive whole.", Hint: "What was sent is kept; decide each change of it."}
}

// grouped: it is a member of a group that is applied all or not at all.
func (x *member) grouped() bool { return x.bad == nil && x.m.Group != nil && !x.control() }

// control: it is about other changes, or stands for one.
func (x *member) control() bool { return x.m.Op == landfall.OpVoid || x.unjudged() }

// unjudged: the rules have no verdict on it that could be tried again.
func (x *member) unjudged() bool {
	return x.m.Op == landfall.OpWithdraw || x.m.Op == landfall.OpLost
}

// item begins the inbox item of a member: what was sent, and when it was edited.
func (p *pushing) item(u *unit, i int) error {
	x := &u.members[i]
	unbased := x.m.Base != nil && x.m.Base.Version > 0 && (p.lost || x.m.N <= p.c.push.LostThrough)
	if unbased {
		x.m.Base.Lost = true
	}
	edited, err := p.edited(&x.m)
	if err != nil {
		return err
	}
	p.last = edited
	x.item = &store.Item{
		Key: x.m.Key(), User: p.actor.User, Hash: p.seq.hashes[u.from+i], Bytes: x.raw,
		Type: x.m.Type, Record: x.m.ID, Op: x.m.Op, ReceivedAt: p.c.row.Received, EditedAt: edited, Unbased: unbased,
		History: []store.ItemEvent{p.c.arrival()},
	}
	if x.bad != nil {
		s := core.Salvage(x.raw)
		x.item.Type, x.item.Record, x.item.Op = s.Type, s.ID, s.Op
	}
	return p.refs(u, x)
}

// edited is when the edit was made, by the clock-proof rule.
func (p *pushing) edited(m *landfall.Mutation) (time.Time, error) {
	var base time.Time
	if m.Base != nil && m.Base.Version > 0 && !m.Base.Lost && m.ID != "" {
		changes, err := p.w.Changes(p.ws, m.ID, m.Base.Version-1)
		if err != nil {
			return base, err
		}
		if len(changes) > 0 && changes[0].Seq == m.Base.Version {
			base = changes[0].At
		}
	}
	return core.EditTime(p.c.row.Received, p.clock(), m.MadeAt, base, p.last), nil
}

// verdict decides what becomes of a new unit.
func (p *pushing) verdict(u *unit, poison bool) error {
	first := &u.members[0]
	switch {
	case poison:
		return p.refuse(u, core.Refuse(p.app, landfall.KindInternal, p.actor.User, &first.m))
	case first.bad != nil:
		s := core.Salvage(first.raw)
		m := landfall.Mutation{Replica: first.m.Replica, Incarnation: first.m.Incarnation, N: first.m.N, Type: s.Type, ID: s.ID, Op: s.Op}
		return p.refuse(u, core.Refuse(p.app, landfall.KindMalformed, p.actor.User, &m, *first.bad))
	case first.m.Op == landfall.OpLost:
		p.declared(first.item.Key)
		return p.refuse(u, core.Refuse(p.app, landfall.KindLost, p.actor.User, &first.m))
	case first.m.Op == landfall.OpVoid:
		return p.noEffect(u, "void: it was taken back before it was sent")
	case first.m.Op == landfall.OpWithdraw:
		return p.withdraw(u)
	case first.m.Amends != nil:
		done, err := p.amend(u)
		if err != nil || done {
			return err
		}
	}
	v, err := p.safely(p.input(p.actor, false, steps(u, "")...))
	if err != nil {
		return err
	}
	return p.record(u, v)
}

// steps are the members of a unit as core judges them.
func steps(u *unit, issue string) []core.Step {
	out := make([]core.Step, 0, len(u.members))
	for i := range u.members {
		out = append(out, core.Step{Mutation: u.members[i].m, Edited: u.members[i].item.EditedAt, Issue: issue})
	}
	return out
}

// safely judges; a panic is a verdict, too: an issue of kind internal.
func (j *judging) safely(in core.Input) (v core.Verdict, err error) {
	defer func() {
		if r := recover(); r != nil {
			j.in.cfg.Log.Error("judging panicked", "device", in.Run[0].Mutation.Replica, "n", in.Run[0].Mutation.N, "stack", string(debug.Stack()))
			refusal := core.Refuse(j.app, landfall.KindInternal, in.Actor.User, &in.Run[0].Mutation)
			v, err = core.Verdict{Refusal: &refusal}, nil
		}
	}()
	v, err = core.Judge(in)
	if errors.Is(err, errOverrun) {
		j.in.cfg.Log.Error("judging took too long", "device", in.Run[0].Mutation.Replica, "n", in.Run[0].Mutation.N)
		refusal := core.Refuse(j.app, landfall.KindInternal, in.Actor.User, &in.Run[0].Mutation)
		return core.Verdict{Refusal: &refusal}, nil
	}
	return v, err
}

// record writes the verdict on a unit: its effects and receipts, its issue, or
// where it waits.
func (p *pushing) record(u *unit, v core.Verdict) error {
	switch {
	case v.Refusal != nil:
		return p.refuse(u, *v.Refusal)
	case v.Waits != "":
		return p.wait(u, v.Waits)
	}
	seq, err := p.commit(&v.Effects)
	if err != nil {
		return err
	}
	for i := range u.members {
		it := u.members[i].item
		it.Receipt = landfall.Receipt{N: it.Key.N, Result: landfall.Applied, Seq: seq, Note: v.Note}
		if err := p.finish(it, store.Completed, ""); err != nil {
			return err
		}
	}
	return nil
}

// finish writes an item with a new state in its history. What was queued was in
// progress before, as long as the transaction takes.
func (j *judging) finish(it *store.Item, state store.ItemState, text string) error {
	fresh := it.State == ""
	it.State = state
	if state != store.Queued && len(it.History) > 0 && it.History[len(it.History)-1].State == store.Queued {
		it.History = append(it.History, store.ItemEvent{At: j.l.Now(), State: store.InProgress})
	}
	it.History = append(it.History, store.ItemEvent{At: j.l.Now(), State: state, Text: text})
	if fresh {
		return j.w.AddItem(j.ws, it)
	}
	return j.w.PutItem(j.ws, it)
}

// noEffect is a receipt for what changes nothing.
func (p *pushing) noEffect(u *unit, note string) error {
	return p.record(u, core.Verdict{Applied: true, Note: note})
}

// wait holds a unit behind an open issue.
func (p *pushing) wait(u *unit, issue string) error {
	for i := range u.members {
		it := u.members[i].item
		p.hold(it, &u.members[i].m, issue)
		it.Receipt = landfall.Receipt{N: it.Key.N, Result: landfall.Issued, Seq: p.l.Head().Seq, Issue: issue, Waiting: true}
		if err := p.finish(it, store.Queued, "waits behind an open issue"); err != nil {
			return err
		}
	}
	return nil
}

// forked keeps a mutation of another history of the incarnation as an issue,
// and closes the incarnation.
func (p *pushing) forked(u *unit) error {
	if err := p.closeIncarnation(p.c.push.First + int64(u.from)); err != nil {
		return err
	}
	for i := range u.members {
		single := unit{u.from + i, u.from + i + 1, u.members[i : i+1]}
		if p.seq.placement.Each[single.from] == core.PlaceReplay {
			continue
		}
		x := &single.members[0]
		x.m.Group = nil
		if err := p.item(&single, 0); err != nil {
			return err
		}
		x.item.Key = p.seq.forkKey(x.m.N, x.item.Hash)
		if p.seq.err != nil {
			return p.seq.err
		}
		m := x.m
		if x.bad != nil {
			m.Type, m.ID, m.Op = x.item.Type, x.item.Record, x.item.Op // what could be saved of it
		}
		if err := p.refuse(&single, core.Refuse(p.app, landfall.KindFork, p.actor.User, &m)); err != nil {
			return err
		}
		p.seq.given[single.from] = &x.item.Receipt
		p.seq.rep.Forked++
	}
	return nil
}

func (p *pushing) closeIncarnation(n int64) error {
	rep := p.seq.rep
	if rep.Closed >= p.c.push.Incarnation {
		return nil
	}
	rep.Found(store.Mishap{At: p.l.Now(), What: store.MishapFork, Incarnation: p.c.push.Incarnation, From: n, To: p.c.push.First + int64(len(p.c.push.Mutations)) - 1})
	rep.Closed = p.c.push.Incarnation
	return p.w.PutReplica(p.ws, rep)
}
