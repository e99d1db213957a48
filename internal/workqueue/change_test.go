package workqueue

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

var ctx = context.Background()

// stored checks that the issue, its record and its last change agree, and
// returns them.
func (w *world) stored(id, transition string) (*store.IssueRow, *landfall.Change, []string) {
	w.t.Helper()
	var row *store.IssueRow
	var last landfall.Change
	var aud []string
	w.view(func(r store.Reader) error {
		head, err := r.Head(ws)
		if err != nil {
			return err
		}
		if row, err = r.Issue(ws, id); err != nil {
			return err
		}
		rec, err := r.Record(ws, id)
		if err != nil {
			return err
		}
		if aud, err = r.Audience(ws, id); err != nil {
			return err
		}
		changes, err := r.Changes(ws, id, 0)
		if err != nil {
			return err
		}
		last = changes[len(changes)-1]
		i, err := landfall.IssueOf(rec)
		if err != nil {
			return err
		}
		if rec.Version != head.Seq || row.Issue.Version != head.Seq || last.Seq != head.Seq {
			w.t.Fatalf("record at %d, issue at %d, change at %d, head %d", rec.Version, row.Issue.Version, last.Seq, head.Seq)
		}
		if i.State != row.Issue.State || i.Assignee != row.Issue.Assignee || i.Queue != row.Issue.Queue || len(i.Comments) != len(row.Issue.Comments) {
			w.t.Fatalf("the record says %+v, the issue %+v", i, row.Issue)
		}
		if rec.CreatedAt.IsZero() || !rec.UpdatedAt.Equal(last.At) {
			w.t.Fatalf("times of the record: %v, %v", rec.CreatedAt, rec.UpdatedAt)
		}
		return nil
	})
	if last.Transition != transition || len(row.Sent) != 1 {
		w.t.Fatalf("the last change is %+v; sent: %d", last, len(row.Sent))
	}
	return row, &last, aud
}

func TestClaim(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	got := must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("sven"), "1"))
	until := start.Add(DefaultLease)
	if got.State != landfall.IssueClaimed || got.Assignee != "sven" || !got.ClaimedUntil.Equal(until) {
		t.Fatalf("claimed: %+v", got)
	}
	_, c, aud := w.stored("issue-1", "claim")
	if c.Action != landfall.Moved || c.From != landfall.IssueOpen || c.To != landfall.IssueClaimed || c.Author != "sven" || c.Origin.Replica != "desk" {
		t.Fatalf("change: %+v", c)
	}
	if want := []string{"role:sync_admin", "user:emma"}; !slices.Equal(aud, want) {
		t.Fatalf("audience %v, want %v", aud, want)
	}

	_, err := w.desk.Claim(ctx, ws, actor("ada"), "1")
	expect(t, err, landfall.CodeConflict, "sven", until.Format(time.RFC3339))
	_, err = w.desk.Claim(ctx, ws, actor("emma"), "1")
	expect(t, err, landfall.CodeForbidden, "Sync conflicts", "sync_admin")
	_, err = w.desk.Claim(ctx, ws, actor("otto"), "1")
	expect(t, err, landfall.CodeNotFound)
	_, err = w.desk.Claim(ctx, ws, actor("max"), "1")
	expect(t, err, landfall.CodeForbidden)

	w.now = w.now.Add(10 * time.Minute) // renewed
	got = must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("sven"), "1"))
	if !got.ClaimedUntil.Equal(w.now.Add(DefaultLease)) {
		t.Fatalf("renewed until %v", got.ClaimedUntil)
	}
	w.now = w.now.Add(DefaultLease - time.Second)
	_, err = w.desk.Claim(ctx, ws, actor("ada"), "1")
	expect(t, err, landfall.CodeConflict)
	w.now = w.now.Add(time.Second) // run out
	got = must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("ada"), "1"))
	if got.Assignee != "ada" {
		t.Fatalf("taken over: %+v", got)
	}
}

// A claim keeps others off only while its holder may decide the issue.
func TestClaimOfSomebodyWhoMayNotDecide(t *testing.T) {
	for name, c := range map[string]struct {
		author string
		now    store.User
		holds  bool
	}{
		"still a member":              {author: "emma", now: store.User{Name: "sven", Roles: []string{"sync_admin"}}, holds: true},
		"not the role, not the maker": {author: "emma", now: store.User{Name: "sven"}},
		"not the role, and the maker": {author: "sven", now: store.User{Name: "sven"}},
		"disabled":                    {author: "emma", now: store.User{Name: "sven", Roles: []string{"sync_admin"}, Disabled: true}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.conflict("issue-1", 1, "e1")
			w.update(func(tx store.Writer) error {
				row, err := tx.Issue(ws, "issue-1")
				if err != nil {
					return err
				}
				row.Issue.Author = c.author
				return tx.PutIssue(ws, row)
			})
			must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("sven"), "1"))
			w.update(func(tx store.Writer) error { return tx.PutUser(ws, &c.now) })
			_, err := w.desk.Claim(ctx, ws, actor("ada"), "1")
			if c.holds {
				expect(t, err, landfall.CodeConflict, "sven")
			} else if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// A claim gives no right: who loses the role sees nothing more of what they claimed.
func TestClaimGivesNoRight(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("sven"), "1"))
	mine := func() int {
		return len(must[wire.List[wire.WorkItem]](t)(w.desk.Worklist(ctx, ws, actor("sven"), store.Page{})).Items)
	}
	if mine() != 1 {
		t.Error("it is not in the worklist of who claimed it")
	}
	w.update(func(tx store.Writer) error { return tx.PutUser(ws, &store.User{Name: "sven"}) })
	if mine() != 0 {
		t.Error("it is still in the worklist")
	}
	_, err := w.desk.Issue(ctx, ws, actor("sven"), "1")
	expect(t, err, landfall.CodeNotFound)
	_, err = w.desk.Comment(ctx, ws, actor("sven"), "1", "still here")
	expect(t, err, landfall.CodeNotFound)
}

// Who may not decide an issue can't keep others off it.
func TestAuthorsDoNotClaimTheirOwn(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "user:emma"}))
	_, err := w.desk.Claim(ctx, ws, actor("emma"), "1")
	expect(t, err, landfall.CodeForbidden, "Sync conflicts", "sync_admin")
}

func TestRelease(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	_, err := w.desk.Release(ctx, ws, actor("sven"), "1")
	expect(t, err, landfall.CodeConflict, "open")
	must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "user:mara"}))
	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("sven"), "1"))
	_, err = w.desk.Release(ctx, ws, actor("ada"), "1")
	expect(t, err, landfall.CodeConflict, "sven")
	_, err = w.desk.Release(ctx, ws, actor("emma"), "1")
	expect(t, err, landfall.CodeForbidden)
	w.now = w.now.Add(DefaultLease)
	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("ada"), "1"))
	got := must[*wire.IssueView](t)(w.desk.Release(ctx, ws, actor("ada"), "1"))
	if got.State != landfall.IssueOpen || got.Assignee != "mara" || got.ClaimedUntil != nil {
		t.Fatalf("released: %+v", got)
	}
	_, c, _ := w.stored("issue-1", "release")
	if string(c.Was["assignee"]) != `"ada"` || string(c.Set["assignee"]) != `"mara"` || !landfall.IsNull(c.Set["claimed_until"]) {
		t.Fatalf("change: %+v", c)
	}
	// Claimed by who had it: it stays with them.
	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("mara"), "1"))
	got = must[*wire.IssueView](t)(w.desk.Release(ctx, ws, actor("mara"), "1"))
	if got.Assignee != "mara" {
		t.Fatalf("released: %+v", got)
	}
}

func TestComment(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	must[*wire.IssueView](t)(w.desk.Comment(ctx, ws, actor("emma"), "1", "  it was a long ride <b>  "))
	got := must[*wire.IssueView](t)(w.desk.Comment(ctx, ws, actor("ada"), "#1", "seen"))
	if len(got.Comments) != 2 || got.Comments[0].By != "emma" || got.Comments[0].Text != "it was a long ride <b>" || !got.Comments[1].At.Equal(start) {
		t.Fatalf("comments: %+v", got.Comments)
	}
	w.stored("issue-1", "comment")
	_, err := w.desk.Comment(ctx, ws, actor("emma"), "1", " ")
	expect(t, err, landfall.CodeInvalid)
	_, err = w.desk.Comment(ctx, ws, actor("emma"), "1", strings.Repeat("x", mostText+1))
	expect(t, err, landfall.CodeTooLarge)
	_, err = w.desk.Comment(ctx, ws, actor("otto"), "1", "hello")
	expect(t, err, landfall.CodeNotFound)
	// Whom it was assigned to comments, also while somebody else has claimed it.
	must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "user:otto"}))
	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("ada"), "1"))
	must[*wire.IssueView](t)(w.desk.Comment(ctx, ws, actor("otto"), "1", "hello"))
}

func TestAssign(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	for to, want := range map[string]struct {
		code landfall.Code
		says string
	}{
		"mara":                 {landfall.CodeInvalid, "user:NAME"},
		"user:":                {landfall.CodeInvalid, "user:NAME"},
		"user:nobody-like-it":  {landfall.CodeInvalid, "nobody-like-it"},
		"user:max":             {landfall.CodeInvalid, "disabled"},
		"queue:nothing-at-all": {landfall.CodeInvalid, "nothing-at-all"},
		"queue:haunted":        {landfall.CodeRefused, "ghost"},
	} {
		_, err := w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: to})
		expect(t, err, want.code, want.says)
	}
	_, err := w.desk.Assign(ctx, ws, actor("emma"), "1", wire.Assign{To: "user:emma"})
	expect(t, err, landfall.CodeForbidden)

	got := must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "user:otto", Note: "please look"}))
	if got.Assignee != "otto" || got.Queue != "sync-conflicts" {
		t.Fatalf("assigned: %+v", got)
	}
	_, c, aud := w.stored("issue-1", "assign")
	if c.Action != landfall.Assigned || c.Note != "please look" || !slices.Contains(aud, "user:otto") {
		t.Fatalf("change %+v, audience %v", c, aud)
	}
	list := must[wire.List[wire.WorkItem]](t)(w.desk.Worklist(ctx, ws, actor("otto"), store.Page{}))
	if len(list.Items) != 1 || list.Items[0].ID != "issue-1" {
		t.Fatalf("worklist: %+v", list)
	}

	got = must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "queue:approvals"}))
	if got.Assignee != "" || got.Queue != "approvals" || got.QueueTitle != "Approvals" {
		t.Fatalf("handed on: %+v", got)
	}
	_, c, aud = w.stored("issue-1", "assign")
	if want := []string{"role:manager", "user:emma"}; !slices.Equal(aud, want) || string(c.Was["queue"]) != `"sync-conflicts"` {
		t.Fatalf("audience %v, want %v; change %+v", aud, want, c)
	}
	_, err = w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "user:sven"})
	expect(t, err, landfall.CodeNotFound) // it is out of his sight

	must[*wire.IssueView](t)(w.desk.Claim(ctx, ws, actor("mara"), "1"))
	got = must[*wire.IssueView](t)(w.desk.Assign(ctx, ws, actor("mara"), "1", wire.Assign{To: "queue:sync-issues"}))
	if got.State != landfall.IssueOpen || got.ClaimedUntil != nil || got.Queue != landfall.FallbackQueue {
		t.Fatalf("handed to the administrators: %+v", got)
	}
}

func TestReopen(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	_, err := w.desk.Reopen(ctx, ws, actor("ada"), "1", "")
	expect(t, err, landfall.CodeConflict, "not resolved")
	at := start
	raw := [][]byte{[]byte(`{"n":2,"op":"update","type":"expense","id":"e1"}`)}
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "issue-2", Number: 2, State: landfall.IssueResolved, Queue: "haunted", Assignee: "sven", Author: "emma", Device: "phone",
		Settlement: landfall.SettledKept, Decider: "sven", DecidedAt: &at, Note: "no",
	}, Sent: raw}, "user:emma", "role:sync_admin", "role:administrator")
	w.defs.app.Queues["haunted"].Members = []string{"ghost", "sync_admin"}
	_, err = w.desk.Claim(ctx, ws, actor("sven"), "2")
	expect(t, err, landfall.CodeConflict, "reopen")
	_, err = w.desk.Reopen(ctx, ws, actor("emma"), "2", "")
	expect(t, err, landfall.CodeForbidden)
	got := must[*wire.IssueView](t)(w.desk.Reopen(ctx, ws, actor("sven"), "2", "a receipt turned up"))
	if got.State != landfall.IssueOpen || got.Settlement != "" || got.Decider != "" || got.DecidedAt != nil || got.Assignee != "" || got.Queue != "haunted" {
		t.Fatalf("reopened: %+v", got)
	}
	if _, c, _ := w.stored("issue-2", "reopen"); c.Note != "a receipt turned up" || c.From != landfall.IssueResolved {
		t.Fatalf("change: %+v", c)
	}

	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-3", Number: 3, State: landfall.IssueResolved, Queue: "sync-conflicts", Author: "emma"}}, "user:emma", "role:sync_admin")
	_, err = w.desk.Reopen(ctx, ws, actor("sven"), "3", "")
	expect(t, err, landfall.CodeConflict, "no longer there")

	// A queue that the definition no longer has: the administrators take it.
	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-4", Number: 4, State: landfall.IssueResolved, Queue: "gone", Author: "emma"}, Sent: raw}, "user:emma", "role:sync_admin")
	_, err = w.desk.Reopen(ctx, ws, actor("sven"), "4", "")
	expect(t, err, landfall.CodeForbidden)
	got = must[*wire.IssueView](t)(w.desk.Reopen(ctx, ws, actor("ada"), "4", ""))
	if got.Queue != landfall.FallbackQueue {
		t.Fatalf("reopened in %q", got.Queue)
	}
}

// Where nobody works, nobody reopens: what is open again has somebody to decide it.
func TestReopenWhereNobodyWorks(t *testing.T) {
	w := newWorld(t)
	raw := [][]byte{[]byte(`{"n":2,"op":"update","type":"expense","id":"e1"}`)}
	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-1", Number: 1, State: landfall.IssueResolved, Queue: "haunted", Author: "emma", Assignee: "otto"}, Sent: raw},
		"user:emma", "user:otto", "role:ghost", "role:administrator")
	for _, name := range []string{"emma", "otto", "ada", "max"} {
		_, err := w.desk.Reopen(ctx, ws, actor(name), "1", "")
		expect(t, err, landfall.CodeForbidden)
	}
	w.update(func(tx store.Writer) error {
		return tx.PutUser(ws, &store.User{Name: "otto", Roles: []string{"ghost"}})
	})
	if got := must[*wire.IssueView](t)(w.desk.Reopen(ctx, ws, actor("otto"), "1", "")); got.Queue != "haunted" || got.State != landfall.IssueOpen {
		t.Errorf("reopened: %+v", got)
	}
}

func TestRefusedChangesLeaveNoTrace(t *testing.T) {
	w := newWorld(t)
	w.conflict("issue-1", 1, "e1")
	var before, after *store.Head
	w.view(func(r store.Reader) (err error) { before, err = r.Head(ws); return err })
	_, err := w.desk.Assign(ctx, ws, actor("sven"), "1", wire.Assign{To: "queue:haunted"})
	expect(t, err, landfall.CodeRefused)
	w.view(func(r store.Reader) (err error) { after, err = r.Head(ws); return err })
	if *before != *after {
		t.Fatalf("the head moved from %+v to %+v", before, after)
	}
}
