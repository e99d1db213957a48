package workqueue

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func TestQueues(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "pending")
	w.put(landfall.Record{Type: "expense", ID: "e2", Status: "pending", Queue: "approvals", Fields: landfall.Fields{}}, "user:otto")
	w.conflict("issue-1", 1, "e1")
	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-2", Number: 2, State: landfall.IssueResolved, Queue: "sync-conflicts", Author: "emma"}}, "role:sync_admin")
	for who, want := range map[string]string{
		"emma": "[]",
		"mara": "[approvals:1]",
		"sven": "[sync-conflicts:1]",
		"ada":  "[sync-conflicts:1 sync-issues:0]",
	} {
		got := []string{}
		for _, q := range must[[]wire.QueueView](t)(w.desk.Queues(ctx, ws, actor(who))) {
			got = append(got, fmt.Sprintf("%s:%d", q.Name, q.Waiting))
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%s belongs to %v, want %v", who, got, want)
		}
	}
}

func TestQueue(t *testing.T) {
	w := newWorld(t)
	for n := range 5 {
		w.expense(fmt.Sprintf("e%d", n), fmt.Sprintf("EXP-%d", n), "pending")
		w.put(landfall.Record{Type: "expense", ID: fmt.Sprintf("x%d", n), Status: "pending", Queue: "approvals", Fields: landfall.Fields{}}, "user:otto")
	}
	var got []string
	p := store.Page{Limit: 2}
	for {
		list := must[wire.List[wire.WorkItem]](t)(w.desk.Queue(ctx, ws, actor("mara"), "approvals", p))
		for _, i := range list.Items {
			got = append(got, i.Number+": "+i.Label+", "+i.Status)
		}
		if list.Next == "" {
			break
		}
		if len(list.Items) != 2 {
			t.Fatalf("a page of %d says that there is more", len(list.Items))
		}
		p.After = list.Next
	}
	want := "EXP-4: EXP-4, Waiting for approval"
	if len(got) != 5 || got[0] != want {
		t.Fatalf("got %q, want five from %q", got, want)
	}
	_, err := w.desk.Queue(ctx, ws, actor("emma"), "approvals", store.Page{})
	expect(t, err, landfall.CodeForbidden, "manager")
	_, err = w.desk.Queue(ctx, ws, actor("mara"), "approvls", store.Page{})
	expect(t, err, landfall.CodeNotFound, "approvls", "approvals")
}

func TestWorklist(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "pending")
	w.put(landfall.Record{Type: "expense", ID: "e2", Number: "EXP-2", Status: "draft", Assignee: "mara", Fields: landfall.Fields{}}, "role:manager")
	w.put(landfall.Record{Type: "expense", ID: "e3", Number: "EXP-3", Status: "draft", Assignee: "mara", Fields: landfall.Fields{}}, "user:otto")
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "issue-1", Number: 1, Kind: landfall.KindStatus, Queue: landfall.FallbackQueue, Assignee: "mara", Author: "mara", RecordType: "expense", Record: "e1",
	}}, "user:mara", "role:administrator")
	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-2", Number: 2, State: landfall.IssueResolved, Assignee: "mara", Author: "mara"}}, "user:mara")
	w.raise(store.IssueRow{Issue: landfall.Issue{ID: "issue-3", Number: 3, Kind: landfall.KindGone, Assignee: "mara", Author: "mara", RecordType: "expense", Record: "e3"}}, "user:mara")
	list := must[wire.List[wire.WorkItem]](t)(w.desk.Worklist(ctx, ws, actor("mara"), store.Page{}))
	got := []string{}
	for _, i := range list.Items {
		got = append(got, i.ID+": "+i.Label)
	}
	want := "[issue-3: Sync issue 3 · gone · Expense report issue-1: Sync issue 1 · status-conflict · Expense report EXP-1001 e2: EXP-2]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if list := must[wire.List[wire.WorkItem]](t)(w.desk.Worklist(ctx, ws, actor("emma"), store.Page{})); len(list.Items) != 0 || list.Items == nil {
		t.Errorf("Emma's worklist: %+v", list)
	}
}
