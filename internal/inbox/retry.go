package inbox

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What one call, and one transaction of it, does at most: others wait for the
// end of a transaction, and whoever asked sees how far it is.
const (
	retryMost  = 200
	retryTime  = time.Second
	retryBatch = 25
	retrySlice = 40 * time.Millisecond
	retrySeen  = 2000 // issues looked at, of which the actor may not retry all
)

// Retry judges issues again as their authors: the lane as one, else the prefix
// of it that passes. It tries a bounded number, in transactions of a few each;
// with a dry run each alone, on the state as it is. Retrying what is settled
// changes nothing, so it can be ended and begun again at any moment.
func (in *Inbox) Retry(ctx context.Context, ws string, actor landfall.Actor, req wire.Retry) (*wire.Retries, error) {
	if len(req.Issues) == 0 && req.Cause == "" && !req.All {
		return nil, landfall.Errorf(landfall.CodeInvalid, "say which issues to retry").WithHint("name them, or a cause, or all")
	}
	r := &retrying{in: in, ws: ws, actor: actor, req: req, until: in.cfg.Clock().Add(retryTime), out: &wire.Retries{Items: []wire.Retried{}}}
	for {
		ids, err := r.next(ctx)
		if err != nil {
			return r.out, err
		}
		for len(ids) > 0 {
			n, err := r.some(ctx, ids)
			if err != nil {
				return r.out, err
			}
			ids = ids[n:]
			if len(ids) > 0 && r.enough() {
				r.stopBefore(ids[0])
				return r.out, nil
			}
		}
		if r.out.Next == "" || r.enough() {
			return r.out, nil
		}
		r.req.After = r.out.Next
	}
}

// retrying is one call of Retry.
type retrying struct {
	in    *Inbox
	ws    string
	actor landfall.Actor
	req   wire.Retry
	until time.Time
	seen  int
	out   *wire.Retries

	numbers map[string]string // cursors of the issues of this page
}

func (r *retrying) enough() bool {
	return len(r.out.Items) >= r.in.cfg.RetryPage || r.seen >= retrySeen || r.in.cfg.Clock().After(r.until)
}

// stopBefore makes the next call begin with an issue of this page.
func (r *retrying) stopBefore(id string) {
	done := r.out.Items[len(r.out.Items)-1].Issue
	r.out.Next = r.numbers[done]
	if len(r.req.Issues) > 0 {
		r.out.Next = strconv.Itoa(slices.Index(r.req.Issues, id))
	}
}

// next lists the issues that are tried next, and sets the cursor behind them.
func (r *retrying) next(ctx context.Context) (ids []string, err error) {
	if len(r.req.Issues) > 0 {
		return r.named()
	}
	err = r.in.cfg.Store.View(ctx, func(s store.Reader) error {
		ids, err = r.page(s)
		return err
	})
	return ids, err
}

// named are the issues that the caller names; the cursor counts those done.
func (r *retrying) named() ([]string, error) {
	from, all := 0, r.req.Issues
	if r.req.After != "" {
		n, err := strconv.Atoi(r.req.After)
		if err != nil || n < 0 || n > len(all) {
			return nil, landfall.Errorf(landfall.CodeInvalid, "this is not where the retry can go on").WithHint("use what the last answer gave as next, with the same issues")
		}
		from = n
	} else {
		r.out.Total = len(all)
	}
	to := min(len(all), from+r.in.cfg.RetryPage)
	r.out.Next = ""
	if to < len(all) {
		r.out.Next = strconv.Itoa(to)
	}
	return all[from:to], nil
}

// page reads the next issues of a cause, or of all, newest first.
func (r *retrying) page(s store.Reader) (ids []string, err error) {
	j, err := r.in.looking(s, r.ws)
	if err != nil {
		return nil, err
	}
	a, err := j.actor(r.actor.User)
	if err != nil {
		return nil, err
	}
	if r.req.After == "" {
		if r.out.Total, err = j.retriable(&a, r.req.Cause); err != nil {
			return nil, err
		}
	}
	rows, err := s.Issues(r.ws, store.IssueFilter{State: store.Unresolved, Cause: r.req.Cause}, store.Page{After: r.req.After, Limit: r.in.cfg.RetryPage})
	if err != nil {
		return nil, err
	}
	r.numbers, r.out.Next = map[string]string{}, ""
	for _, row := range rows {
		if j.mayRetry(&row.Issue, &a) {
			ids = append(ids, row.Issue.ID)
			r.numbers[row.Issue.ID] = number(row.Issue.Number)
		}
	}
	r.seen += len(rows)
	if len(rows) == r.in.cfg.RetryPage {
		r.out.Next = number(rows[len(rows)-1].Issue.Number)
	}
	return ids, nil
}

// retriable counts the open issues that the actor may retry.
func (j *judging) retriable(a *landfall.Actor, cause string) (n int, err error) {
	groups, err := j.w.IssueGroups(j.ws, cause)
	for _, g := range groups {
		if j.mayRetry(&landfall.Issue{Queue: g.Queue, Assignee: g.Assignee, Author: g.Author, Kind: g.Kind}, a) {
			n += g.Count
		}
	}
	return n, err
}

// some tries the first of the issues, and returns how many.
func (r *retrying) some(ctx context.Context, ids []string) (n int, err error) {
	ids = ids[:min(len(ids), retryBatch, max(1, r.in.cfg.RetryPage-len(r.out.Items)))]
	if r.req.DryRun {
		ids = ids[:1]
	}
	done, err := r.together(ctx, ids)
	if err != nil && len(ids) > 1 && ctx.Err() == nil && landfall.CodeOf(err) != landfall.CodeUnavailable {
		done, err = r.together(ctx, ids[:1]) // one of them can't be stored: the others can
	}
	if err != nil && len(ids) == 1 && len(r.req.Issues) != 1 && ownTrouble(err) {
		done, err = []wire.Retried{notRetried(ids[0], err)}, nil
	}
	r.out.Items = append(r.out.Items, done...)
	return len(done), err
}

// together tries issues in one transaction, for as long as others may wait.
func (r *retrying) together(ctx context.Context, ids []string) (out []wire.Retried, err error) {
	err = r.in.try(ctx, r.ws, r.req.DryRun, func(j *judging) error {
		out = nil
		end := r.in.cfg.Clock().Add(retrySlice)
		for k, id := range ids {
			if k > 0 && r.in.cfg.Clock().After(end) {
				return nil
			}
			one, err := j.retry(id, r.actor.User)
			if err != nil && len(ids) > 1 && ownTrouble(err) { // which is found before anything is written
				one, err = notRetried(id, err), nil
			}
			if err != nil {
				return err
			}
			out = append(out, one)
		}
		return nil
	})
	return out, err
}

// ownTrouble: the issue can't be retried; others may.
func ownTrouble(err error) bool {
	switch landfall.CodeOf(err) {
	case landfall.CodeConflict, landfall.CodeNotFound, landfall.CodeForbidden:
		return true
	default:
		return false
	}
}

// notRetried says why, among the results of the others.
func notRetried(id string, err error) wire.Retried {
	out := wire.Retried{Issue: id}
	if e := (*landfall.Error)(nil); errors.As(err, &e) {
		out.Messages = []landfall.Message{{Code: string(e.Code), Text: e.Message, Hint: e.Hint}}
	}
	return out
}

func (j *judging) mayRetry(i *landfall.Issue, a *landfall.Actor) bool {
	return core.Decides(j.app, i, a) || i.Author == a.User && i.Kind.Amendable()
}

func (j *judging) retry(id, by string) (wire.Retried, error) {
	out := wire.Retried{Issue: id}
	a, err := j.actor(by)
	if err != nil {
		return out, err
	}
	row, err := j.w.Issue(j.ws, id)
	if err != nil {
		return out, err
	}
	if row == nil || !core.Sees(&a, core.IssueAudience(j.app, row.Issue.Author, row.Issue.Queue, row.Issue.Assigned())) {
		return out, landfall.Errorf(landfall.CodeNotFound, "there is no such issue, or you may not see it").WithHint("see `landfall issue list`")
	}
	if a.Disabled {
		return out, errDisabled
	}
	if !j.mayRetry(&row.Issue, &a) {
		return out, landfall.Errorf(landfall.CodeForbidden, "only members of the queue retry this issue").WithHint("its author can amend or withdraw it, or comment")
	}
	out.Number = row.Issue.Number
	if !row.Issue.Open() {
		out.Settled, out.Settle = true, row.Issue.Settlement
		return out, nil
	}
	if err := j.judgeLane(&attempt{row: row, decider: by, note: "retried"}, &out); err != nil {
		return out, err
	}
	return out, j.w.AddAudit(j.ws, issueEntry(store.IssueRetry, by, row, j.l.Now()).With("settled", strconv.FormatBool(out.Settled)))
}

// divides reports whether a cut before the n-th item would divide a group.
func (in *Inbox) divides(items []*store.Item, n int) bool {
	return n > 0 && n < len(items) && in.together(items[n-1:n+1]) == 2
}

// attempt is one more try of what an issue holds.
type attempt struct {
	row     *store.IssueRow
	decider string // who has it tried; "" for the server itself
	note    string
	// unaided: the server tries it by itself. Nobody is told of a try that changes nothing.
	unaided bool
	repair  *repairing // nil: as it was sent
}

// asBefore is the refusal that the issue has already.
func (t *attempt) asBefore() *core.Refusal {
	i := &t.row.Issue
	return &core.Refusal{Kind: i.Kind, Cause: i.Cause, Messages: i.Messages}
}

// judgeLane tries the lane as one, then shorter and shorter prefixes down to
// what was refused, or repaired.
func (j *judging) judgeLane(t *attempt, out *wire.Retried) error {
	own, err := j.held(t.row)
	if err != nil {
		return err
	}
	author, err := j.author(t.row.Issue.Author, t.row.Issue.Device)
	if err != nil {
		return err
	}
	least := max(1, t.row.Issue.Group)
	if t.repair != nil {
		if least, err = t.repair.place(j, own, least); err != nil {
			return err
		}
	}
	var v core.Verdict
	n := len(own)
	for ; n >= least; n-- {
		if j.in.divides(own, n) {
			continue
		}
		u, run := j.in.run(own[:n], t.row.Issue.ID)
		input := j.input(author, true, run...)
		if t.repair != nil {
			t.repair.into(&input)
		} else if first := &u.members[0]; first.bad != nil || first.unjudged() || first.grouped() && t.row.Issue.Group == 0 {
			break // there is nothing to judge
		}
		if v, err = j.safely(input); err != nil {
			return err
		}
		if v.Applied {
			break
		}
	}
	if !v.Applied {
		if v.Refusal == nil || core.NeverKnown(&t.row.Issue, v.Refusal) {
			v.Refusal = t.asBefore()
		}
		out.Kind, out.Messages = v.Refusal.Kind, v.Refusal.Messages
		if t.repair != nil {
			return t.repair.refused(v.Refusal)
		}
		return j.attempted(t, v.Refusal)
	}
	end := ending{settlement: landfall.SettledApplied, decider: t.decider, note: t.note, through: own[n-1].Key.N}
	_, rel, err := j.settle(t.row, v.Effects, own[:n], end)
	out.Settled, out.Settle, out.Released = true, landfall.SettledApplied, rel
	return err
}

// held is what the issue holds on its record; of one that was reopened, what was
// sent, if it took no effect yet.
func (j *judging) held(row *store.IssueRow) ([]*store.Item, error) {
	l, err := j.lane(&row.Issue)
	if err != nil || len(l.own) > 0 {
		return l.own, err
	}
	own, err := j.resent(row)
	for _, it := range own {
		if o := it.Outcome; it.Took || o != nil && tookEffect(o.Settlement) {
			return nil, landfall.Errorf(landfall.CodeConflict, "what was sent took effect already, and takes effect once").WithHint("decide the issue with other values, or keep the server's")
		}
	}
	return own, err
}
