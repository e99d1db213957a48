package workqueue

import (
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// some stores issues of several people in several queues.
func some(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "pending")
	w.conflict("aa-1", 1, "e1")
	w.now = w.now.Add(time.Hour)
	w.conflict("aa-2", 2, "e2")
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "ab-3", Number: 3, Kind: landfall.KindMalformed, Cause: "malformed", Queue: landfall.FallbackQueue, Author: "otto", Device: "tablet", N: 1,
	}, Sent: [][]byte{[]byte(`{"n":`)}}, "user:otto", "role:administrator")
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "ac-4", Number: 4, State: landfall.IssueResolved, Kind: landfall.KindStatus, Cause: "status-conflict/expense", Queue: "sync-conflicts",
		Author: "emma", RecordType: "expense", Record: "e1",
	}}, "user:emma", "role:sync_admin")
	return w
}

func TestIssues(t *testing.T) {
	w := some(t)
	for _, c := range []struct {
		who  string
		f    store.IssueFilter
		want string
	}{
		{"ada", store.IssueFilter{State: "unresolved"}, "[3 2 1]"},
		{"ada", store.IssueFilter{}, "[4 3 2 1]"},
		{"ada", store.IssueFilter{State: "all"}, "[4 3 2 1]"},
		{"sven", store.IssueFilter{}, "[4 2 1]"},
		{"emma", store.IssueFilter{State: "open"}, "[2 1]"},
		{"otto", store.IssueFilter{}, "[3]"},
		{"mara", store.IssueFilter{}, "[]"},
		{"ada", store.IssueFilter{Queue: landfall.FallbackQueue}, "[3]"},
		{"ada", store.IssueFilter{Kind: landfall.KindStatus, State: "unresolved"}, "[2 1]"},
		{"ada", store.IssueFilter{Record: "e2"}, "[2]"},
		{"emma", store.IssueFilter{Record: "EXP-1001", State: "unresolved"}, "[1]"},
		{"emma", store.IssueFilter{Record: "exp-1001", State: "unresolved"}, "[1]"},
		{"sven", store.IssueFilter{Record: "EXP-1001"}, "[]"}, // he may not see the report
		{"sven", store.IssueFilter{Record: "e1"}, "[4 1]"},
		{"ada", store.IssueFilter{User: "otto"}, "[3]"},
		{"ada", store.IssueFilter{Since: start.Add(time.Minute), State: "unresolved"}, "[3 2]"},
	} {
		list := must[wire.List[wire.IssueView]](t)(w.desk.Issues(ctx, ws, actor(c.who), c.f, store.Page{}))
		got := []int64{}
		for _, i := range list.Items {
			got = append(got, i.Number)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s with %+v: %v, want %s", c.who, c.f, got, c.want)
		}
	}
	_, err := w.desk.Issues(ctx, ws, actor("ada"), store.IssueFilter{Queue: "sync-conflict"}, store.Page{})
	expect(t, err, landfall.CodeInvalid, "sync-conflicts")
	_, err = w.desk.Issues(ctx, ws, actor("ada"), store.IssueFilter{Kind: "malformd"}, store.Page{})
	expect(t, err, landfall.CodeInvalid, "malformed")
	_, err = w.desk.Issues(ctx, ws, actor("ada"), store.IssueFilter{State: "opne"}, store.Page{})
	expect(t, err, landfall.CodeInvalid, "open")
}

func TestIssuePagesAreFullOfWhatMayBeSeen(t *testing.T) {
	w := newWorld(t)
	for n := range int64(20) {
		keys := []string{"user:emma", "role:sync_admin"}
		if n%3 != 0 {
			keys = []string{"user:otto"}
		}
		w.raise(store.IssueRow{Issue: landfall.Issue{ID: fmt.Sprintf("i%02d", n+1), Number: n + 1, Queue: "approvals", Author: "otto"}}, keys...)
	}
	got := []int64{}
	p := store.Page{Limit: 3}
	for {
		list := must[wire.List[wire.IssueView]](t)(w.desk.Issues(ctx, ws, actor("emma"), store.IssueFilter{}, p))
		for _, i := range list.Items {
			got = append(got, i.Number)
		}
		if list.Next == "" {
			break
		}
		if len(list.Items) != 3 {
			t.Fatalf("a page of %d says that there is more", len(list.Items))
		}
		p.After = list.Next
	}
	if want := "[19 16 13 10 7 4 1]"; fmt.Sprint(got) != want {
		t.Fatalf("got %v, want %s", got, want)
	}
}

func TestIssueView(t *testing.T) {
	w := some(t)
	one := func(who string) wire.IssueView {
		return must[wire.List[wire.IssueView]](t)(w.desk.Issues(ctx, ws, actor(who), store.IssueFilter{Record: "e1", State: "open"}, store.Page{})).Items[0]
	}
	v := one("emma")
	if v.ID != "aa-1" || v.State != landfall.IssueOpen || v.QueueTitle != "Sync conflicts" || v.RecordTitle != "Expense report" || v.RecordNumber != "EXP-1001" || v.DeviceName != "Emma's phone" || v.Version == 0 {
		t.Errorf("for Emma: %+v", v)
	}
	if v := one("sven"); v.RecordNumber != "" {
		t.Errorf("Sven may not see the report, and gets its number %s", v.RecordNumber)
	}
}

func TestIssueID(t *testing.T) {
	w := some(t)
	for _, c := range []struct{ who, ref, want string }{
		{"ada", "1", "aa-1"}, {"ada", "#2", "aa-2"}, {"ada", "ab-3", "ab-3"}, {"ada", "ab", "ab-3"}, {"emma", "aa-2", "aa-2"}, {"otto", "a", "ab-3"},
	} {
		if got := must[string](t)(w.desk.IssueID(ctx, ws, actor(c.who), c.ref)); got != c.want {
			t.Errorf("%s: %s is %s, want %s", c.who, c.ref, got, c.want)
		}
	}
	_, err := w.desk.IssueID(ctx, ws, actor("ada"), "aa")
	expect(t, err, landfall.CodeInvalid, "2 ids")
	_, absent := w.desk.IssueID(ctx, ws, actor("emma"), "33")
	expect(t, absent, landfall.CodeNotFound)
	_, err = w.desk.IssueID(ctx, ws, actor("emma"), "")
	expect(t, err, landfall.CodeNotFound)
	_, hidden := w.desk.IssueID(ctx, ws, actor("emma"), "3")
	expect(t, hidden, landfall.CodeNotFound)
	if got, want := hidden.Error(), `there is no issue "3", or you may not see it (use its number, its id or the beginning of the id)`; got != want {
		t.Errorf("hidden: %s", got)
	}
}

func TestCauses(t *testing.T) {
	w := some(t)
	causes := must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor("ada")))
	if len(causes) != 2 {
		t.Fatalf("causes: %+v", causes)
	}
	c := causes[0]
	if c.Cause != "status-conflict/expense" || c.Count != 2 || c.Kind != landfall.KindStatus || c.Type != "expense" || fmt.Sprint(c.Users) != "[emma]" ||
		!c.FirstSeen.Equal(start) || !c.LastSeen.Equal(start.Add(time.Hour)) || len(c.Messages) != 1 {
		t.Errorf("cause: %+v", c)
	}
	if causes := must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor("otto"))); len(causes) != 1 || causes[0].Count != 1 {
		t.Errorf("Otto's causes: %+v", causes)
	}
	if causes := must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor("mara"))); len(causes) != 0 || causes == nil {
		t.Errorf("Mara's causes: %+v", causes)
	}
}
