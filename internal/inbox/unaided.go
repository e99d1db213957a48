package inbox

import (
	"cmp"
	"context"
	"hash/fnv"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The server tries some issues again by itself: when their cause may be gone,
// and from time to time. When, stands with the issue (store.Tries), so that it
// survives the server. What may make a cause go sets it to now in its own
// transaction where few issues are concerned, and else leaves a store.Sweep.

// byItself are the kinds whose cause can go without a decision.
var byItself = map[landfall.Kind]bool{
	landfall.KindAuthorization: true, landfall.KindValidation: true, landfall.KindConfiguration: true,
	landfall.KindOutdated: true, landfall.KindGone: true, landfall.KindNotAvailable: true,
}

// pauses are how long the schedule waits after each try in vain; then a day.
var pauses = []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 12 * time.Hour}

const (
	lastPause = 24 * time.Hour
	mostTries = 30              // by the schedule
	triesKept = 10              // in an issue's history
	tryGap    = 2 * time.Second // between two, however often a record changes
	fewIssues = 64              // are put down in the transaction that concerns them
	tendBatch = 25              // issues tried in one transaction
	sweepPage = 100             // issues put down in one
)

// scheduled is when the schedule tries an issue next; zero for never. It is
// spread by the issue's id, so that those that came together do not stay so.
func scheduled(i *landfall.Issue, inVain int, now time.Time) time.Time {
	if !byItself[i.Kind] || inVain >= mostTries {
		return time.Time{}
	}
	pause := lastPause
	if inVain < len(pauses) {
		pause = pauses[inVain]
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(i.ID + strconv.Itoa(inVain))) // never fails
	return now.Add(pause + time.Duration(h.Sum64()%uint64(pause/5)))
}

// Tend does a little of what the server does by itself, if this is the time for
// it: it tries a few issues again, or puts a few down for that. It is called when
// a Step found nothing to do, so that those who wait go first. It reports whether
// there may be more to do at once.
func (in *Inbox) Tend(ctx context.Context) (worked bool, err error) {
	var due string
	err = in.cfg.Store.View(ctx, func(r store.Reader) error {
		workspaces, err := r.Workspaces()
		if err != nil || len(workspaces) == 0 {
			return err
		}
		for k := range workspaces { // each in turn
			ws := workspaces[(in.tended+k)%len(workspaces)]
			if some, err := in.tendable(r, ws); some || err != nil {
				due, in.tended = ws, (in.tended+k+1)%len(workspaces)
				return err
			}
		}
		return nil
	})
	if err != nil || due == "" {
		return false, err
	}
	return true, in.tend(ctx, due)
}

// tendable reports whether there is something to do by itself in a workspace.
func (in *Inbox) tendable(r store.Reader, ws string) (bool, error) {
	h, err := r.Head(ws)
	if err != nil || h == nil || h.Definition == 0 {
		return false, err
	}
	issues, err := r.Due(ws, in.moment(h), 1)
	if err != nil {
		return false, err
	}
	sweeps, err := r.Sweeps(ws, 1)
	if err != nil || len(issues)+len(sweeps) == 0 {
		return false, err
	}
	if in.cfg.Unaided != nil {
		return in.cfg.Unaided(r, ws)
	}
	return true, nil
}

// moment is the time of a commit made now.
func (in *Inbox) moment(h *store.Head) time.Time {
	if now := in.cfg.Clock().UTC(); now.After(h.Time) {
		return now
	}
	return h.Time
}

// tend is one transaction of a workspace. When it can't be committed, the first
// issue is put off alone, so that it does not stop the others.
func (in *Inbox) tend(ctx context.Context, ws string) error {
	var err error
	if in.careful() {
		err = in.tendCarefully(ctx, ws)
	} else {
		err = in.judge(ctx, ws, func(j *judging) error { return j.tend() })
	}
	if err == nil || ctx.Err() != nil || landfall.CodeOf(err) == landfall.CodeUnavailable {
		return err
	}
	in.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "issues could not be tried again; the first is put off", slog.String("error", err.Error()))
	return in.judge(ctx, ws, func(j *judging) error {
		rows, err := j.w.Due(ws, j.l.Now(), 1)
		if err != nil || len(rows) == 0 {
			return err
		}
		return j.inVain(rows[0], rows[0].Issue.Kind)
	})
}

// tendCarefully puts one issue off before it is tried: it may be this that ended
// the server, and would end it again as soon as it starts.
func (in *Inbox) tendCarefully(ctx context.Context, ws string) error {
	id := ""
	err := in.judge(ctx, ws, func(j *judging) error {
		rows, err := j.w.Due(ws, j.l.Now(), 1)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return j.sweep()
		}
		row := rows[0]
		id, row.Next = row.Issue.ID, j.l.Now().Add(pauses[0])
		return j.w.PutIssue(ws, row)
	})
	if err != nil || id == "" {
		return err
	}
	return in.judge(ctx, ws, func(j *judging) error {
		row, err := j.w.Issue(ws, id)
		if err != nil || row == nil || row.Next.IsZero() {
			return err
		}
		return j.unaided(row)
	})
}

func (j *judging) tend() error {
	rows, err := j.w.Due(j.ws, j.l.Now(), tendBatch)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return j.sweep()
	}
	end := j.in.cfg.Clock().Add(retrySlice)
	for k, row := range rows {
		if k > 0 && j.in.cfg.Clock().After(end) {
			return nil
		}
		fresh, err := j.w.Issue(j.ws, row.Issue.ID) // those before it may have changed it
		if err != nil {
			return err
		}
		if fresh == nil || fresh.Next.IsZero() {
			continue
		}
		if err := j.unaided(fresh); err != nil {
			return err
		}
	}
	return nil
}

// unaided tries one issue by the server itself.
func (j *judging) unaided(row *store.IssueRow) error {
	i := &row.Issue
	l, err := j.lane(i)
	if err != nil {
		return err
	}
	claimed, err := j.claimed(i, "")
	switch {
	case err != nil:
		return err
	case !i.Open() || !byItself[i.Kind] || len(l.own) == 0: // reopened, it is a person's
		row.Next, row.Why = time.Time{}, ""
		return j.w.PutIssue(j.ws, row)
	case claimed: // somebody looks at it
		row.Next = *i.ClaimedUntil
		return j.w.PutIssue(j.ws, row)
	}
	why := row.Why
	out := wire.Retried{Issue: i.ID}
	version := i.Version
	if err := j.judgeLane(&attempt{row: row, note: "tried again by itself: " + cmp.Or(why, "from time to time"), unaided: true}, &out); err != nil {
		return err
	}
	if !out.Settled && i.Version == version {
		return nil
	}
	return j.w.AddAudit(j.ws, issueEntry(store.IssueRetry, store.ByServer, row, j.l.Now()).With("settled", strconv.FormatBool(out.Settled)).With("reason", why))
}

// inVain keeps that a try by the server itself did not pass, and when the next
// one is.
func (j *judging) inVain(row *store.IssueRow, kind landfall.Kind) error {
	row.Tried = append(row.Tried, store.Try{At: j.l.Now(), Why: row.Why, Kind: kind})
	row.Tried = row.Tried[max(0, len(row.Tried)-triesKept):]
	if row.Why == "" {
		row.InVain++
	}
	row.Why = ""
	row.Next = scheduled(&row.Issue, row.InVain, j.l.Now())
	return j.w.PutIssue(j.ws, row)
}

// soon puts an issue down to be tried, if the server does that by itself.
func (j *judging) soon(row *store.IssueRow, why string) error {
	if !row.Issue.Open() || !byItself[row.Issue.Kind] {
		return nil
	}
	at := j.l.Now()
	if n := len(row.Tried); n > 0 {
		if after := row.Tried[n-1].At.Add(tryGap); after.After(at) {
			at = after
		}
	}
	if row.Why != "" && !row.Next.After(at) {
		return nil // it is next anyhow
	}
	row.Next, row.Why = at, why
	return j.w.PutIssue(j.ws, row)
}

// Why issues are tried again that hold something on a record.
const recordChanged = "a record was changed"

// awaken puts down the issues that hold something on records that this
// transaction changed after they arose.
func (j *judging) awaken() error {
	if len(j.touched) == 0 {
		return nil
	}
	if some, err := j.w.Laning(j.ws); !some || err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(j.touched)) {
		items, err := j.w.HeldOn(j.ws, id, landfall.Key{}, fewIssues+1)
		if err != nil {
			return err
		}
		if len(items) > fewIssues {
			if err := j.w.PutSweep(j.ws, store.Sweep{Kind: store.SweepRecord, Object: id, Why: recordChanged}); err != nil {
				return err
			}
			continue
		}
		if err := j.awakenHolders(items, j.touched[id], recordChanged); err != nil {
			return err
		}
	}
	j.in.wake()
	return nil
}

// awakenHolders puts down the issues that hold the items, if they are from before
// a place in the sequence.
func (j *judging) awakenHolders(items []*store.Item, seq int64, why string) error {
	seen := map[string]bool{}
	for _, it := range items {
		if it.Holder == "" || seen[it.Holder] {
			continue
		}
		seen[it.Holder] = true
		row, err := j.w.Issue(j.ws, it.Holder)
		if err != nil {
			return err
		}
		if row == nil || row.Issue.Version > seq {
			continue
		}
		if err := j.soon(row, why); err != nil {
			return err
		}
	}
	return nil
}

// sweep does a page of the first sweep.
func (j *judging) sweep() error {
	list, err := j.w.Sweeps(j.ws, 1)
	if err != nil || len(list) == 0 {
		return err
	}
	s := list[0]
	if s.Kind == store.SweepRecord {
		return j.sweepRecord(s)
	}
	f := store.IssueFilter{State: store.Unresolved}
	if s.Kind == store.SweepUser {
		f.User = s.Object
	}
	rows, err := j.w.Issues(j.ws, f, store.Page{After: s.After, Limit: sweepPage})
	if err != nil {
		return err
	}
	for _, row := range rows {
		s.After = number(row.Issue.Number)
		if s.Kind == store.SweepNames && !lacksName(&row.Issue, s.Object) {
			continue
		}
		if err := j.soon(row, s.Why); err != nil {
			return err
		}
	}
	return j.swept(s, len(rows))
}

// lacksName: the issue is there because a user, or a team, was not.
func lacksName(i *landfall.Issue, what string) bool {
	code := core.CodeNoUser
	if what == store.NamesTeam {
		code = core.CodeNoTeam
	}
	return slices.ContainsFunc(i.Messages, func(m landfall.Message) bool { return m.Code == code })
}

func (j *judging) sweepRecord(s store.Sweep) error {
	var after landfall.Key
	if s.After != "" {
		var err error
		if after, err = landfall.ParseKey(s.After); err != nil {
			return err
		}
	}
	items, err := j.w.HeldOn(j.ws, s.Object, after, sweepPage)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		s.After = items[len(items)-1].Key.String()
	}
	if err := j.awakenHolders(items, j.l.Head().Seq, s.Why); err != nil {
		return err
	}
	return j.swept(s, len(items))
}

// swept keeps how far the sweep is, or that it is done.
func (j *judging) swept(s store.Sweep, n int) error {
	if n < sweepPage {
		return j.w.DeleteSweep(j.ws, s)
	}
	return j.w.PutSweep(j.ws, s)
}

// hold makes an issue hold an item, with the records that may let it go.
func (j *judging) hold(it *store.Item, m *landfall.Mutation, issue string) {
	it.Holder, it.Mentions = issue, nil
	if issue == "" || m.Type == "" {
		return
	}
	for _, id := range core.Refs(j.app, m)[1:] {
		if id = strings.ToLower(id); id != "" && !slices.Contains(it.Refs, id) {
			it.Mentions = append(it.Mentions, id)
		}
	}
}
