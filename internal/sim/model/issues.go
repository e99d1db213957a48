package model

import (
	"bytes"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// issue reads a verdict that opens, ends or changes an issue.
func (r *reading) issue(changes []*landfall.Change, row *store.IssueRow) {
	i := &row.Issue
	old := r.m.issues[i.ID]
	last := changes[len(changes)-1]
	if last.Type != landfall.IssueType || last.ID != i.ID || last.Issue != i.ID || i.Version != r.seq {
		r.complain("atomic", "issue %s is written as of %d with the change of %s at %d", i.ID, i.Version, last.ID, r.seq)
	}
	switch {
	case old == nil:
		r.refused(changes, row)
	case i.State == landfall.IssueResolved && old.Open():
		r.settlement(changes, old, row)
	default:
		r.fold(changes)
		r.changed(last, old, row)
	}
}

// putIssue takes an issue in as it is now; what was sent stays.
func (r *reading) putIssue(row *store.IssueRow) {
	next := &Issue{Issue: row.Issue, Tries: row.Tries, Sent: row.Sent, Repairs: row.Repairs}
	if old := r.m.issues[row.Issue.ID]; old != nil && slices.EqualFunc(old.Sent, row.Sent, bytes.Equal) {
		next.Sent, next.Hashes = old.Sent, old.Hashes
	} else {
		if old != nil {
			r.complain("issue", "issue %s holds other bytes than were sent", row.Issue.ID)
		}
		for _, b := range row.Sent {
			next.Hashes = append(next.Hashes, hash(b))
		}
	}
	if old := r.m.issues[row.Issue.ID]; old != nil {
		r.sameRepairs(old, row)
	}
	r.m.issues[row.Issue.ID] = next
	r.attended(next)
}

// attended: an open issue sits where an enabled user may see and decide it.
func (r *reading) attended(i *Issue) {
	if !i.Open() {
		return
	}
	for _, u := range r.m.users {
		if a := u.Actor(); !u.Disabled && r.m.decides(&a, &i.Issue) && holds(&a, r.m.issueKeys(&i.Issue)) {
			return
		}
	}
	r.complain("unattended", "issue %s is in %s, where nobody may decide it", i.ID, i.Queue)
}

// route is where an issue goes: where it is routed to if somebody works there,
// else to the administrators.
func (m *Model) route(i *landfall.Issue) (queue, assignee string) {
	if queue = m.routed(i); queue != landfall.FallbackQueue {
		for _, u := range m.users {
			if a := u.Actor(); !u.Disabled && slices.ContainsFunc(m.members(queue), a.Has) {
				return queue, ""
			}
		}
	}
	return landfall.FallbackQueue, i.Author
}

// routed is the queue that the app says.
func (m *Model) routed(i *landfall.Issue) string {
	for _, x := range m.app.Routes {
		if x.Kind == string(i.Kind) {
			return x.Queue
		}
	}
	if t := m.app.Type(i.RecordType); t != nil && t.Queue != "" {
		return t.Queue
	}
	return landfall.FallbackQueue
}

// opened checks a new issue against what was refused.
func (r *reading) opened(changes []*landfall.Change, row *store.IssueRow, units []*Item, want *verdict) {
	i, first := &row.Issue, units[0]
	at := units[min(want.at, len(units)-1)]
	if !r.right(i, units, want) {
		r.complain(disagree(want), "%s is %s, and should be %s", first.Key, i.Kind, want.String())
		at = units[0]
	} else if i.Kind == landfall.KindInternal || i.Kind == landfall.KindMalformed {
		at = first
	}
	c := changes[0]
	if len(changes) != 1 || c.Action != landfall.Created || c.To != landfall.IssueOpen || c.Author != first.User || len(c.Set) > 0 {
		r.complain("atomic", "issue %s is opened at %d together with other changes", i.ID, r.seq)
	}
	r.m.counters[landfall.IssueType]++
	queue, assignee := r.m.route(i)
	switch n := r.m.counters[landfall.IssueType]; {
	case i.State != landfall.IssueOpen || i.Attempts != 1 || i.Settlement != "" || i.Decider != "":
		r.complain("issue", "issue %s begins %s, settled %q by %q", i.ID, i.State, i.Settlement, i.Decider)
	case i.Number != n:
		r.complain("number", "issue %s has the number %d, after %d", i.ID, i.Number, n-1)
	case i.Queue != queue || i.Assignee != assignee:
		r.complain("route", "issue %s is in %s for %q, and belongs in %s for %q", i.ID, i.Queue, i.Assignee, queue, assignee)
	case i.Author != first.User || i.Device != first.Key.Replica || i.N != first.Key.N || first.Key.Incarnation > 0 && i.Incarnation != first.Key.Incarnation:
		r.complain("issue", "issue %s names %s.%d.%d of %s, not %s of %s", i.ID, i.Device, i.Incarnation, i.N, i.Author, first.Key, first.User)
	case i.Record != at.Record || i.RecordType != at.Type || i.Op != at.Op || i.Transition != at.mutation.Transition && at.bad == "":
		r.complain("issue", "issue %s is about %s %s %s %s, not %s %s %s %s", i.ID, i.Op, i.Transition, i.RecordType, i.Record, at.Op, at.mutation.Transition, at.Type, at.Record)
	case i.Group != len(units) && (i.Group > 0 || len(units) > 1):
		r.complain("group", "issue %s is of a group of %d, and %d were refused", i.ID, i.Group, len(units))
	}
	for k, it := range units {
		if k >= len(row.Sent) || !bytes.Equal(row.Sent[k], it.Bytes) {
			r.complain("issue", "issue %s does not hold %s as it was sent", i.ID, it.Key)
		}
	}
	if row.Hash != first.Hash || len(row.Sent) != len(units) {
		r.complain("issue", "issue %s holds %d mutations under the hash %s", i.ID, len(row.Sent), row.Hash)
	}
	r.showsThen(row, at)
	r.putIssue(row)
}

// showsThen: the issue shows the record as the refusal found it, if it was looked at.
func (r *reading) showsThen(row *store.IssueRow, at *Item) {
	now := r.m.records[at.Record]
	switch row.Issue.Kind {
	case landfall.KindMalformed, landfall.KindFork, landfall.KindLost, landfall.KindInternal:
		now = nil
	}
	if (now == nil) != (row.Then == nil) || now != nil && difference(now.Record, row.Then) != "" {
		r.complain("issue", "issue %s does not show %s as it was found", row.Issue.ID, at.Record)
	}
}

// changed reads what people do with an issue short of deciding it, and tries
// that did not pass.
func (r *reading) changed(c *landfall.Change, old *Issue, row *store.IssueRow) {
	i := &row.Issue
	if c.From != old.State || c.To != i.State {
		r.complain("issue", "issue %s goes from %s to %s, and was %s", i.ID, c.From, c.To, old.State)
	}
	if i.Number != old.Number || i.Author != old.Author || i.Device != old.Device || i.N != old.N || i.Record != old.Record || i.Group != old.Group {
		r.complain("issue", "issue %s is another than it was", i.ID)
	}
	r.putIssue(row)
	if c.Transition == "" && c.Note == "tried again" {
		r.tried(old, i)
		return
	}
	a := r.m.actor(c.Author, "")
	member := slices.ContainsFunc(r.m.members(old.Queue), a.Has)
	free := old.Assignee == a.User || !r.claimed(old)
	given := assignedTo(i) == assignedTo(&old.Issue)
	may, action := false, ""
	switch c.Transition {
	case "claim":
		may, action = old.Open() && free && given && r.m.decides(&a, &old.Issue) && i.State == landfall.IssueClaimed && i.Assignee == a.User && leased(i, r.now()), store.IssueClaim
	case "release":
		may, action = old.State == landfall.IssueClaimed && free && given && (member || old.Assignee == a.User) && i.State == landfall.IssueOpen && unclaimed(i), store.IssueRelease
	case "assign":
		may, action = old.Open() && free && member && i.State == landfall.IssueOpen && unclaimed(i), store.IssueAssign
	case "reopen":
		may, action = !old.Open() && member && i.State == landfall.IssueOpen && i.Assignee == "" && unclaimed(i) && i.Settlement == "" && i.Decider == "", store.IssueReopen
	case "comment":
		may = (member || old.Author == a.User || assignedTo(&old.Issue) == a.User) && given && i.State == old.State && i.Assignee == old.Assignee && len(i.Comments) == len(old.Comments)+1
	}
	if !may || a.Disabled {
		r.complain("issue-right", "%s may not %s issue %s as it is", a.User, c.Transition, i.ID)
	}
	if action != "" {
		r.audited("audit", action, i.ID)
	}
}

// claimed: a claim keeps others off an issue as long as it is leased, and its
// holder may decide the issue.
func (r *reading) claimed(old *Issue) bool {
	holder := r.m.actor(old.Assignee, "")
	return old.State == landfall.IssueClaimed && leased(&old.Issue, r.now()) && !holder.Disabled && r.m.decides(&holder, &old.Issue)
}

// unclaimed: nothing of a claim is left.
func unclaimed(i *landfall.Issue) bool { return i.ClaimedUntil == nil && i.AssignedTo == nil }

// leased: a claim ends.
func leased(i *landfall.Issue, now time.Time) bool {
	return i.ClaimedUntil != nil && i.ClaimedUntil.After(now)
}

// tried: another try did not pass, and the issue stays as it was otherwise.
func (r *reading) tried(old *Issue, i *landfall.Issue) {
	if i.State != old.State || i.Queue != old.Queue || i.Assignee != old.Assignee || assignedTo(i) != assignedTo(&old.Issue) || i.Attempts != old.Attempts+1 {
		r.complain("issue", "issue %s is %s in %s after its try %d", i.ID, i.State, i.Queue, i.Attempts)
	}
	if !r.has(store.IssueRetry, i.ID) {
		r.retried = i.ID // by an amendment, which comes next
		return
	}
	r.mayRetry(old, i.ID)
	if v, _ := r.retry(old); v.applied() {
		r.complain("retry", "issue %s was tried again in vain, and should pass", i.ID)
	}
}

// mayRetry: members of the queue retry, and authors what they can amend.
func (r *reading) mayRetry(old *Issue, id string) {
	for _, e := range r.audits {
		if e.Action != store.IssueRetry || e.Object != id {
			continue
		}
		if e.By == store.ByServer {
			r.unaided(old)
		} else if a := r.m.actor(e.By, ""); a.Disabled || !r.m.decides(&a, &old.Issue) && (old.Author != a.User || !old.Kind.Amendable()) {
			r.complain("issue-right", "%s may not retry issue %s", a.User, id)
		}
	}
}
