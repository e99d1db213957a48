package inbox

import (
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func text(s string) landfall.Value {
	b, err := json.Marshal(s)
	if err != nil || s == "" {
		return landfall.Null
	}
	return b
}

// reread is a member again from its item.
func (in *Inbox) reread(it *store.Item) member {
	x := member{raw: it.Bytes, item: it}
	x.m, x.bad = core.ParseMutation(it.Bytes, it.Key.N, core.Limits{})
	if it.Unbased && x.m.Base != nil {
		x.m.Base.Lost = true
	}
	x.m.Replica, x.m.Incarnation, x.m.N = it.Key.Replica, it.Key.Incarnation, it.Key.N
	return x
}

// lane is what an issue holds, in order: on its own record (for a group: its
// members, and what follows on their records), and elsewhere.
type lane struct {
	own, others []*store.Item
	group       []*store.Item // members of the refused group
}

func (j *judging) lane(i *landfall.Issue) (lane, error) {
	held, err := j.w.Held(j.ws, i.ID)
	if err != nil {
		return lane{}, err
	}
	var l lane
	grouped, count := map[string]bool{}, map[string]int{}
	for _, it := range held {
		if i.Group > 0 && refusedAs(i, it) && it.Key.N >= i.N && it.Key.N < i.N+int64(i.Group) {
			l.group = append(l.group, it)
			grouped[it.Record] = true
		}
	}
	onRecord := func(it *store.Item) bool {
		return it.Key.Replica == i.Device && it.Record != "" && (it.Record == i.Record || grouped[it.Record])
	}
	for _, it := range held {
		if x := j.in.reread(it); x.grouped() && onRecord(it) {
			count[x.m.Group.ID]++
		}
	}
	divided := false // a group that waits is never divided: it ends the lane
	for _, it := range held {
		refused := it.Key.N == i.N && refusedAs(i, it)
		x := j.in.reread(it)
		divided = divided || onRecord(it) && !slices.Contains(l.group, it) && !refused && x.grouped() && count[x.m.Group.ID] < x.m.Group.Of
		if refused || onRecord(it) && !divided {
			l.own = append(l.own, it)
		} else {
			l.others = append(l.others, it)
		}
	}
	return l, nil
}

// refusedAs: the item is what became the issue, not what waits in it. A fork has
// the number of another change, which may wait behind it.
func refusedAs(i *landfall.Issue, it *store.Item) bool {
	if it.Key.Replica != i.Device {
		return false
	}
	if o := it.Outcome; o != nil {
		return o.Issue == i.ID && o.Kind != ""
	}
	return it.Receipt.Issue == i.ID && !it.Receipt.Waiting
}

// run is the items as one run, for the author of the issue.
func (in *Inbox) run(items []*store.Item, issue string) (u unit, run []core.Step) {
	for _, it := range items {
		u.members = append(u.members, in.reread(it))
	}
	u.to = len(u.members)
	return u, steps(&u, issue)
}

// released is what became of an item that waited.
type released = wire.Released

// release judges again, in order and as their author, what an issue held and
// its settlement did not cover.
func (j *judging) release(issue string) ([]released, error) {
	held, err := j.w.Held(j.ws, issue)
	if err != nil {
		return nil, err
	}
	for _, it := range held {
		it.Holder = "" // free first, or they would wait for each other
		if err := j.w.PutItem(j.ws, it); err != nil {
			return nil, err
		}
	}
	var out []released
	for k := 0; k < len(held); {
		u := unit{members: []member{j.in.reread(held[k])}}
		k++
		if g := u.members[0].m.Group; g != nil {
			for k < len(held) && len(u.members) < g.Of {
				next := j.in.reread(held[k])
				if next.m.Group == nil || *next.m.Group != *g {
					break
				}
				u.members = append(u.members, next)
				k++
			}
		}
		done, err := j.again(&u)
		if err != nil {
			return nil, err
		}
		out = append(out, done...)
	}
	return out, nil
}

// again judges a unit that waited; its receipts stay, its outcome is new.
func (j *judging) again(u *unit) ([]released, error) {
	first := u.members[0].item
	a, err := j.author(first.User, first.Key.Replica)
	if err != nil {
		return nil, err
	}
	for i := range u.members {
		if err := j.refs(u, &u.members[i]); err != nil { // what it is a part of may be there by now
			return nil, err
		}
	}
	v, err := j.safely(j.input(a, false, steps(u, "")...))
	if err != nil {
		return nil, err
	}
	var seq int64
	outcome := landfall.Outcome{Settlement: landfall.SettledApplied}
	state, note := store.Completed, "judged after waiting"
	line := released{Result: landfall.Applied}
	switch {
	case v.Refusal != nil:
		i, err := j.open(u, v.Refusal, first.Key.Incarnation)
		if err != nil {
			return nil, err
		}
		seq, state, note = i.Version, store.WithErrors, string(i.Kind)
		outcome = landfall.Outcome{Settlement: landfall.SettledMoved, Issue: i.ID, Kind: i.Kind}
		line = released{Result: landfall.Issued, Issue: i.ID, Kind: i.Kind, Messages: i.Messages}
	case v.Waits != "":
		seq, state, note = j.l.Head().Seq, store.Queued, "waits behind an open issue"
		outcome = landfall.Outcome{Settlement: landfall.SettledMoved, Issue: v.Waits}
		line = released{Result: landfall.Issued, Issue: v.Waits}
	default:
		if seq, err = j.commit(&v.Effects); err != nil {
			return nil, err
		}
	}
	var out []released
	for i := range u.members {
		it := u.members[i].item
		o := outcome
		o.Incarnation, o.N, o.Seq = it.Key.Incarnation, it.Key.N, seq
		it.Outcome, it.Took = &o, it.Took || tookEffect(o.Settlement)
		j.hold(it, &u.members[i].m, o.Issue)
		if err := j.finish(it, state, note); err != nil {
			return nil, err
		}
		l := line
		l.ID, l.N, l.Record = it.Key.String(), it.Key.N, it.Record
		out = append(out, l)
	}
	return out, nil
}

// withdraw takes back all of an issue's lane on its record, and on the parts of one
// that was never made.
func (p *pushing) withdraw(u *unit) error {
	row, err := p.w.Issue(p.ws, u.members[0].m.Issue)
	if err != nil {
		return err
	}
	var issue *landfall.Issue
	if row != nil {
		issue = &row.Issue
	}
	if ok, note := core.MayWithdraw(issue, &p.actor); !ok {
		return p.noEffect(u, note)
	}
	l, err := p.lane(issue)
	if err != nil {
		return err
	}
	covered, err := p.withParts(issue, &l)
	if err != nil {
		return err
	}
	through := issue.N
	for _, it := range covered {
		through = max(through, it.Key.N)
	}
	if _, _, err := p.settle(row, landfall.Effects{}, covered, ending{settlement: landfall.SettledWithdrawn, decider: p.actor.User, through: through}); err != nil {
		return err
	}
	it := u.members[0].item
	it.Record, it.Type = issue.Record, issue.RecordType
	return p.noEffect(u, "withdrawn")
}

// amend judges the lane of an issue as one run with what its author adds. It
// is done unless there is no such issue to amend any more, or its author may only
// deposit: then it waits in the lane, and the issue stays as it is.
func (p *pushing) amend(u *unit) (done bool, err error) {
	if core.Deposits(&p.actor) {
		return false, nil
	}
	row, err := p.w.Issue(p.ws, u.members[0].m.Amends.Issue)
	if err != nil || row == nil || !row.Issue.Open() || row.Issue.Author != p.actor.User || !row.Issue.Kind.Amendable() {
		return false, err
	}
	l, err := p.lane(&row.Issue)
	if err != nil {
		return false, err
	}
	inLane := false
	for _, it := range l.own {
		inLane = inLane || it.Record == u.members[0].m.ID && it.Key.Replica == u.members[0].m.Replica
	}
	if !inLane {
		return false, nil
	}
	_, run := p.in.run(l.own, row.Issue.ID)
	v, err := p.safely(p.input(p.actor, true, append(run, steps(u, row.Issue.ID)...)...))
	if err != nil {
		return false, err
	}
	if v.Refusal != nil {
		if err := p.attempted(&attempt{row: row}, v.Refusal); err != nil {
			return false, err
		}
		return true, p.wait(u, row.Issue.ID)
	}
	last := u.members[len(u.members)-1].m.N
	seq, _, err := p.settle(row, v.Effects, l.own, ending{settlement: landfall.SettledAmended, decider: p.actor.User, through: last})
	if err != nil {
		return false, err
	}
	for i := range u.members {
		it := u.members[i].item
		it.Receipt = landfall.Receipt{N: it.Key.N, Result: landfall.Applied, Seq: seq}
		if err := p.finish(it, store.Completed, "amended an issue"); err != nil {
			return false, err
		}
	}
	return true, nil
}

// attempted notes on the issue why another try did not pass. Of one that the
// server made by itself nobody hears unless it brought something new.
func (j *judging) attempted(t *attempt, r *core.Refusal) error {
	row := t.row
	was := row.Issue
	i := &row.Issue
	if r.Kind != landfall.KindInternal {
		i.Kind, i.Cause, i.Messages = r.Kind, r.Cause, r.Messages
	}
	if t.unaided && i.Kind == was.Kind && i.Cause == was.Cause && slices.Equal(i.Messages, was.Messages) {
		return j.inVain(row, r.Kind)
	}
	i.Version, i.Attempts = j.l.Next(), i.Attempts+1
	var e landfall.Effects
	c := landfall.Change{Action: landfall.Updated, From: i.State, To: i.State, Author: i.Author, Note: "tried again"}
	if err := j.issueEffects(&e, i, &was, core.IssueAudience(j.app, i.Author, i.Queue, i.Assigned()), c); err != nil {
		return err
	}
	if _, err := j.commit(&e); err != nil {
		return err
	}
	if t.unaided {
		return j.inVain(row, r.Kind)
	}
	if byItself[i.Kind] != byItself[was.Kind] {
		row.Next, row.Why = scheduled(i, row.InVain, j.l.Now()), ""
	}
	return j.w.PutIssue(j.ws, row)
}
