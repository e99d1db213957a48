package inbox

import (
	"context"
	"errors"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// errDry rolls a dry run back.
var errDry = errors.New("inbox: dry run")

// try runs f in a transaction of verdicts that is rolled back when dry.
func (in *Inbox) try(ctx context.Context, ws string, dry bool, f func(*judging) error) error {
	err := in.judge(ctx, ws, func(j *judging) error {
		if err := f(j); err != nil {
			return err
		}
		if dry {
			return errDry
		}
		return nil
	})
	if errors.Is(err, errDry) {
		return nil
	}
	return err
}

// Resolve decides an issue, or with DryRun tells what the decision would do.
// What the rules refuse is CodeRefused, and nothing is committed then.
func (in *Inbox) Resolve(ctx context.Context, ws string, actor landfall.Actor, issue string, req wire.Resolve) (*wire.Resolution, error) {
	out := &wire.Resolution{DryRun: req.DryRun}
	err := in.try(ctx, ws, req.DryRun, func(j *judging) error {
		a, err := j.actor(actor.User)
		if err != nil {
			return err
		}
		row, err := j.mayDecide(issue, &a)
		if err != nil {
			return err
		}
		if err := j.decide(row, a, req.Decision, out); err != nil {
			return err
		}
		return j.w.AddAudit(ws, issueEntry(store.IssueResolve, a.User, row, j.l.Now()).With("settlement", string(out.Settlement)))
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// mayDecide finds an open issue that the actor may decide.
func (j *judging) mayDecide(id string, a *landfall.Actor) (*store.IssueRow, error) {
	row, err := j.w.Issue(j.ws, id)
	if err != nil {
		return nil, err
	}
	absent := landfall.Errorf(landfall.CodeNotFound, "there is no such issue, or you may not see it").WithHint("see `landfall issue list`")
	if row == nil {
		return nil, absent
	}
	i := &row.Issue
	claimed, err := j.claimed(i, a.User)
	if err != nil {
		return nil, err
	}
	if !core.Sees(a, core.IssueAudience(j.app, i.Author, i.Queue, i.Assigned())) {
		return nil, absent
	}
	switch {
	case a.Disabled:
		return nil, errDisabled
	case !core.Decides(j.app, i, a):
		return nil, landfall.Errorf(landfall.CodeForbidden, "only members of the queue decide this issue").WithHint("its author can amend or withdraw it, or comment")
	case !i.Open():
		return nil, landfall.Errorf(landfall.CodeConflict, "the issue is decided already, by %s", i.Decider).WithHint("look at it again; it can be reopened")
	case claimed:
		return nil, landfall.Errorf(landfall.CodeConflict, "%s is at work on this issue until %s", i.Assignee, i.ClaimedUntil.Format("15:04")).WithHint("ask them, or wait")
	}
	return row, nil
}

// claimed reports whether the claim of somebody else than user holds.
func (j *judging) claimed(i *landfall.Issue, user string) (bool, error) {
	if i.State != landfall.IssueClaimed || i.Assignee == user {
		return false, nil
	}
	holder, err := j.actor(i.Assignee)
	return err == nil && core.Claimed(j.app, i, &holder, j.l.Now()), err
}

// errDisabled: the account was disabled after its user was let in.
var errDisabled = landfall.Errorf(landfall.CodeForbidden, "this account is disabled").WithHint("an administrator can enable it")

func (j *judging) decide(row *store.IssueRow, a landfall.Actor, d core.Decision, out *wire.Resolution) error {
	l, err := j.lane(&row.Issue)
	if err != nil {
		return err
	}
	held := core.Held{Issue: row.Issue}
	own, group := l.own, l.group
	if len(own) == 0 { // reopened: it holds nothing any more
		if own, err = j.resent(row); err != nil {
			return err
		}
		l.own, group = own, nil
	}
	covered := j.in.decidable(&row.Issue, own, group, d.Through)
	for _, it := range covered {
		if it.Record == row.Issue.Record {
			_, run := j.in.run([]*store.Item{it}, row.Issue.ID)
			held.Lane = append(held.Lane, run...)
			d.Through = max(d.Through, it.Key.N)
		}
	}
	if row.Issue.Group > 0 {
		_, held.Group = j.in.run(group, row.Issue.ID)
	}
	dec, err := core.Decide(j.input(a, true), held, d)
	if err != nil {
		return err
	}
	if r := dec.Verdict.Refusal; r != nil {
		return refused(r, "the decision is refused, and nothing was changed")
	}
	through := max(dec.Through, row.Issue.N)
	end := ending{settlement: dec.Settlement, decider: a.User, note: d.Note, through: through}
	_, out.Released, err = j.settle(row, dec.Verdict.Effects, covered, end)
	if err != nil {
		return err
	}
	out.Settlement, out.Compare = dec.Settlement, dec.Columns
	out.Issue = issueView(row)
	keys, err := j.keysOf(&dec)
	if err != nil {
		return err
	}
	if core.Sees(&a, keys) {
		out.Record = dec.Record
	} else {
		out.Compare = nil // what waited took it out of the decider's sight
	}
	return nil
}

// keysOf are the keys that the record of a decision is under in the end; those that
// it would be under, where it was never made.
func (j *judging) keysOf(dec *core.Decided) ([]string, error) {
	switch {
	case dec.Record != nil:
		return j.w.Audience(j.ws, dec.Record.ID)
	case dec.Asked != nil:
		return core.Audience(j.app, dec.Asked, store.Audiences(j.w, j.ws))
	}
	return nil, nil
}

// decidable are the items that a decision covers: what was refused, and what
// follows on the issue's record, up to the number through (0: all of it). It ends
// before a group of which it would cover only a part.
func (in *Inbox) decidable(i *landfall.Issue, own, group []*store.Item, through int64) []*store.Item {
	follows := func(it *store.Item) bool {
		if it.Key.Incarnation > i.Incarnation {
			return false // made after a fork, and numbered anew
		}
		return (it.Record == i.Record || it.Record == "") && (through == 0 || it.Key.N <= max(through, i.N))
	}
	var out []*store.Item
	ended := false
	for k := 0; k < len(own); {
		to := k + 1 // of what is settled already, each has an outcome of its own
		if own[k].Holder != "" {
			to = k + in.together(own[k:])
		}
		whole := !slices.ContainsFunc(own[k:to], func(it *store.Item) bool { return !follows(it) })
		onRecord := slices.ContainsFunc(own[k:to], func(it *store.Item) bool { return it.Record == i.Record })
		switch {
		case slices.Contains(group, own[k]):
			out = append(out, own[k:to]...)
		case whole && !ended:
			out = append(out, own[k:to]...)
		case onRecord:
			ended = true
		}
		k = to
	}
	return out
}

// together counts the first items that are judged as one: those of a group.
func (in *Inbox) together(items []*store.Item) int {
	first, n := in.reread(items[0]), 1
	for first.grouped() && n < len(items) {
		next := in.reread(items[n])
		if !next.grouped() || *next.m.Group != *first.m.Group {
			break
		}
		n++
	}
	return n
}

// resent are the items of an issue that was settled and reopened.
func (j *judging) resent(row *store.IssueRow) ([]*store.Item, error) {
	out := make([]*store.Item, 0, len(row.Sent))
	for k, raw := range row.Sent {
		s := &sequence{r: j.w, ws: j.ws, rep: &store.Replica{ID: row.Issue.Device}, p: &wire.Push{Incarnation: row.Issue.Incarnation}}
		key, hash := s.key(row.Issue.N+int64(k)), core.Hash(raw)
		it, err := j.w.Item(j.ws, key)
		if err == nil && (it == nil || it.Hash != hash) { // it came with a fork, whatever the issue's kind is by now
			it, err = j.w.Item(j.ws, s.forkKey(key.N, hash))
		}
		if err = errors.Join(err, s.err); err != nil {
			return nil, err
		}
		if it == nil {
			return nil, landfall.Errorf(landfall.CodeInternal, "the item %s of the issue is not there", key)
		}
		if it.Cleaned != nil { // the issue kept what was sent
			it.Bytes, it.Cleaned = raw, nil
		}
		out = append(out, it)
	}
	return out, nil
}

func issueView(row *store.IssueRow) wire.IssueView {
	i := row.Issue
	return wire.IssueView{Issue: i, ID: i.ID, Version: i.Version, State: i.State, Queue: i.Queue, Assignee: i.Assignee}
}

// refused is a refusal as people at the desk get it.
func refused(r *core.Refusal, what string) error {
	e := &landfall.Error{Code: landfall.CodeRefused, Message: what, Kind: r.Kind, Messages: r.Messages}
	if len(r.Messages) > 0 {
		e.Message += ": " + r.Messages[0].Text
		e.Hint = r.Messages[0].Hint
	}
	return e
}
