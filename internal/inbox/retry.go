package inbox

import (
	"context"
	"errors"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// retryPage is how many issues of a cause are looked up at a time.
const retryPage = 200

// Retry judges issues again as their authors: the lane as one, else the prefix
// of it that passes. Each issue has a transaction of its own. Retrying what is
// settled changes nothing.
func (in *Inbox) Retry(ctx context.Context, ws string, actor landfall.Actor, req wire.Retry) ([]wire.Retried, error) {
	ids := req.Issues
	if req.Cause != "" || req.All {
		var err error
		if ids, err = in.retriable(ctx, ws, actor, req.Cause); err != nil {
			return nil, err
		}
	}
	if len(ids) == 0 && req.Cause == "" && !req.All {
		return nil, landfall.Errorf(landfall.CodeInvalid, "say which issues to retry").WithHint("name them, or a cause, or all")
	}
	out := []wire.Retried{}
	for _, id := range ids {
		var one wire.Retried
		err := in.try(ctx, ws, req.DryRun, func(j *judging) (err error) {
			one, err = j.retry(id, actor.User)
			return err
		})
		if err != nil && len(ids) > 1 && ownTrouble(err) {
			one, err = notRetried(id, err), nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, one)
	}
	return out, nil
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

// retriable lists the unresolved issues that the actor may retry, oldest last.
func (in *Inbox) retriable(ctx context.Context, ws string, actor landfall.Actor, cause string) (ids []string, err error) {
	err = in.judge(ctx, ws, func(j *judging) error {
		a, err := j.actor(actor.User)
		if err != nil {
			return err
		}
		after := ""
		for {
			rows, err := j.w.Issues(j.ws, store.IssueFilter{State: store.Unresolved, Cause: cause}, store.Page{After: after, Limit: retryPage})
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, row := range rows {
				if j.mayRetry(&row.Issue, &a) {
					ids = append(ids, row.Issue.ID)
				}
				after = number(row.Issue.Number)
			}
		}
	})
	return ids, err
}

func (j *judging) mayRetry(i *landfall.Issue, a *landfall.Actor) bool {
	return j.decides(i, a) || i.Author == a.User && i.Kind.Amendable()
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
	if row == nil || !core.Sees(&a, core.IssueAudience(j.app, row.Issue.Author, row.Issue.Queue, row.Issue.Assignee)) {
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
	if out, err = j.judgeLane(row, by, out); err != nil {
		return out, err
	}
	return out, j.w.AddAudit(j.ws, issueEntry(store.IssueRetry, by, row, j.l.Now()).With("settled", strconv.FormatBool(out.Settled)))
}

// divides reports whether a cut before the n-th item would divide a group.
func (in *Inbox) divides(items []*store.Item, n int) bool {
	return n > 0 && n < len(items) && in.together(items[n-1:n+1]) == 2
}

// judgeLane tries the lane as one, then shorter and shorter prefixes down to
// what was refused.
func (j *judging) judgeLane(row *store.IssueRow, by string, out wire.Retried) (wire.Retried, error) {
	l, err := j.lane(&row.Issue)
	if err != nil {
		return out, err
	}
	own, least := l.own, max(1, row.Issue.Group)
	if len(own) == 0 { // reopened: it holds nothing any more
		if own, err = j.resent(row); err != nil {
			return out, err
		}
		for _, it := range own {
			if o := it.Outcome; o != nil && (o.Settlement == landfall.SettledApplied || o.Settlement == landfall.SettledMerged || o.Settlement == landfall.SettledAmended) {
				return out, landfall.Errorf(landfall.CodeConflict, "what was sent took effect already, and takes effect once").WithHint("decide the issue with other values, or keep the server's")
			}
		}
	}
	author, err := j.author(row.Issue.Author, row.Issue.Device)
	if err != nil {
		return out, err
	}
	var v core.Verdict
	n := len(own)
	for ; n >= least; n-- {
		if j.in.divides(own, n) {
			continue
		}
		u, run := j.in.run(own[:n], row.Issue.ID)
		if first := &u.members[0]; first.bad != nil || first.unjudged() || first.grouped() && row.Issue.Group == 0 {
			v = core.Verdict{Refusal: &core.Refusal{Kind: row.Issue.Kind, Cause: row.Issue.Cause, Messages: row.Issue.Messages}}
			break
		}
		if v, err = j.safely(j.input(author, true, run...)); err != nil {
			return out, err
		}
		if v.Applied {
			break
		}
	}
	if !v.Applied {
		if v.Refusal == nil {
			v.Refusal = &core.Refusal{Kind: row.Issue.Kind, Cause: row.Issue.Cause, Messages: row.Issue.Messages}
		}
		out.Kind, out.Messages = v.Refusal.Kind, v.Refusal.Messages
		return out, j.attempted(row, v.Refusal)
	}
	through := own[n-1].Key.N
	covered := own[:n]
	end := ending{settlement: landfall.SettledApplied, decider: by, note: "retried", through: through}
	_, rel, err := j.settle(row, v.Effects, covered, end)
	out.Settled, out.Settle, out.Released = true, landfall.SettledApplied, rel
	return out, err
}
