package inbox

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// issueSeries counts the issues of a workspace.
const issueSeries = "sync_issue"

// refuse makes the unit an issue: a case of its own, with everything that was
// sent, at one place in the sequence.
func (p *pushing) refuse(u *unit, r core.Refusal) error {
	issue, err := p.open(u, &r, p.c.push.Incarnation)
	if err != nil {
		return err
	}
	for i := range u.members {
		it := u.members[i].item
		p.hold(it, &u.members[i].m, issue.ID)
		it.Receipt = landfall.Receipt{N: it.Key.N, Result: landfall.Issued, Seq: issue.Version, Issue: issue.ID, Kind: r.Kind, Messages: r.Messages}
		if err := p.finish(it, store.WithErrors, string(r.Kind)); err != nil {
			return err
		}
	}
	return nil
}

// open writes a new issue for the unit.
func (j *judging) open(u *unit, r *core.Refusal, incarnation int64) (*landfall.Issue, error) {
	number, err := j.w.Counter(j.ws, issueSeries)
	if err != nil {
		return nil, err
	}
	refused := &u.members[min(r.Step, len(u.members)-1)]
	first := u.members[0].item
	if r, err = j.attended(r, first.User); err != nil {
		return nil, err
	}
	i := &landfall.Issue{
		ID: j.in.cfg.NewID(), Version: j.l.Next(), State: landfall.IssueOpen, Queue: r.Queue, Assignee: r.Assignee,
		Number: number + 1, Kind: r.Kind, Cause: r.Cause, RecordType: refused.item.Type, Record: refused.item.Record,
		Op: refused.item.Op, Transition: refused.m.Transition, Author: first.User, Device: first.Key.Replica,
		Incarnation: incarnation, N: first.Key.N, Messages: r.Messages, Definition: refused.m.Definition,
		MadeAt: refused.m.MadeAt, ReceivedAt: first.ReceivedAt, Attempts: 1,
	}
	if len(u.members) > 1 {
		i.Group = len(u.members)
	}
	row := &store.IssueRow{Issue: *i, Hash: first.Hash, Then: r.Then}
	row.Next = scheduled(i, 0, j.l.Now())
	for k := range u.members {
		row.Sent = append(row.Sent, u.members[k].raw)
	}
	if row.Base, err = j.base(&refused.m, r.Then); err != nil {
		return nil, err
	}
	var e landfall.Effects
	c := landfall.Change{Action: landfall.Created, To: landfall.IssueOpen, From: landfall.IssueOpen, Author: i.Author}
	if err := j.issueEffects(&e, i, nil, r.Audience, c); err != nil {
		return nil, err
	}
	e.Counters = map[string]int64{issueSeries: i.Number}
	if _, err := j.commit(&e); err != nil {
		return nil, err
	}
	return i, j.w.PutIssue(j.ws, row)
}

// attended is the refusal with its issue in a queue that somebody works: where it
// is routed to, or else where issues go that no rule routes. There is always an
// administrator.
func (j *judging) attended(r *core.Refusal, author string) (*core.Refusal, error) {
	if r.Queue == landfall.FallbackQueue {
		return r, nil
	}
	staffed, known := j.staff[r.Queue]
	if !known {
		var err error
		if staffed, err = store.Staffed(j.w, j.ws, j.app.Members(r.Queue), ""); err != nil {
			return nil, err
		}
		j.staff[r.Queue] = staffed
	}
	if staffed {
		return r, nil
	}
	return r.Unrouted(author), nil
}

// issueEffects adds the issue, as the record that it is, to the effects of a verdict.
func (j *judging) issueEffects(e *landfall.Effects, i, was *landfall.Issue, audience []string, c landfall.Change) error {
	rec, err := i.AsRecord()
	if err != nil {
		return err
	}
	rec.CreatedAt, rec.UpdatedAt, rec.Definition = i.ReceivedAt, j.l.Now(), j.app.Version
	c.Type, c.ID, c.At, c.Edited, c.Issue = landfall.IssueType, i.ID, j.l.Now(), j.l.Now(), i.ID
	if was != nil && (was.Queue != i.Queue || was.Assignee != i.Assignee) {
		c.Set = landfall.Fields{"queue": text(i.Queue), "assignee": text(i.Assignee)}
		c.Was = landfall.Fields{"queue": text(was.Queue), "assignee": text(was.Assignee)}
	}
	e.Writes = append(e.Writes, landfall.Write{Record: rec, Audience: audience})
	e.Changes = append(e.Changes, c)
	return nil
}

// base is the record as the author saw it: what the refusal found, with what
// changed since the base undone, and what the author says that they saw.
func (j *judging) base(m *landfall.Mutation, then *landfall.Record) (*landfall.Record, error) {
	if m.Base == nil || then == nil || m.Base.Version == 0 {
		return nil, nil
	}
	b := then.Clone()
	if then.Version > m.Base.Version && !m.Base.Lost {
		changes, err := j.w.Changes(j.ws, m.ID, m.Base.Version)
		if err != nil {
			return nil, err
		}
		for _, c := range slices.Backward(changes) {
			for name, v := range c.Was {
				b.Fields.Put(name, v)
			}
			if c.From != c.To {
				b.Status = c.From
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.Base.Was)) {
		b.Fields.Put(name, m.Base.Was[name])
	}
	if m.Base.Status != "" {
		b.Status = m.Base.Status
	}
	b.Version = m.Base.Version
	return core.ConvertBase(j.app, m.Definition, b), nil
}

// ending is how an issue is settled.
type ending struct {
	settlement landfall.Settlement
	decider    string
	note       string
	through    int64
}

// tookEffect: what was sent is in the record, or what stands for it.
func tookEffect(s landfall.Settlement) bool {
	return s == landfall.SettledApplied || s == landfall.SettledMerged || s == landfall.SettledAmended
}

// settle ends an issue together with the effects that end it, at one place, and
// lets the items that it covers go with the outcome. What it holds besides is
// set free and judged in turn.
func (j *judging) settle(row *store.IssueRow, e landfall.Effects, covered []*store.Item, end ending) (seq int64, released []released, err error) {
	was := row.Issue
	now := j.l.Now()
	i := &row.Issue
	i.State, i.Version, i.Settlement, i.Decider, i.DecidedAt = landfall.IssueResolved, j.l.Next(), end.settlement, end.decider, &now
	i.Note, i.Through = end.note, end.through
	i.Assignee, i.AssignedTo, i.ClaimedUntil = was.Assigned(), nil, nil
	row.Tries = store.Tries{Tried: row.Tried}
	c := landfall.Change{Action: landfall.Moved, Transition: "resolve", From: was.State, To: i.State, Author: end.decider, Note: end.note}
	audience := core.IssueAudience(j.app, i.Author, i.Queue, i.Assigned())
	if err := j.issueEffects(&e, i, &was, audience, c); err != nil {
		return 0, nil, err
	}
	if seq, err = j.commit(&e); err != nil {
		return 0, nil, err
	}
	if err := j.w.PutIssue(j.ws, row); err != nil {
		return 0, nil, err
	}
	state := store.Completed
	if end.settlement == landfall.SettledWithdrawn {
		state = store.Withdrawn
	}
	for _, it := range covered {
		it.Holder = ""
		it.Outcome = &landfall.Outcome{Incarnation: it.Key.Incarnation, N: it.Key.N, Seq: seq, Settlement: end.settlement}
		if it.Key.Incarnation < 0 { // a fork's: the device knows it by the number that it gave
			it.Outcome.Incarnation, it.Outcome.Issue = i.Incarnation, i.ID
		}
		it.Took = it.Took || tookEffect(end.settlement)
		it.History = append(it.History, store.ItemEvent{At: now, State: state, By: end.decider, Text: string(end.settlement)})
		it.State = state
		if err := j.w.PutItem(j.ws, it); err != nil {
			return 0, nil, err
		}
	}
	released, err = j.release(i.ID)
	return seq, released, err
}
