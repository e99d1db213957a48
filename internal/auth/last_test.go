package auth

import (
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// waiting puts an issue into a queue.
func (w *world) waiting(queue, state string) {
	w.t.Helper()
	err := w.store.Update(w.t.Context(), func(tx store.Writer) error {
		return tx.PutIssue(ws, &store.IssueRow{Issue: landfall.Issue{ID: w.id(), Number: int64(w.ids), State: state, Queue: queue, Author: "emma"}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// Who is the last to work a queue goes on as long as issues wait there.
func TestSomebodyIsLeftToDecide(t *testing.T) {
	w := newWorld(t)
	w.defs.(fixed).app.Queues = map[string]*definition.Queue{
		"conflicts": {Name: "conflicts", Members: []string{"sync_admin", "manager"}},
		"approvals": {Name: "approvals", Members: []string{"manager"}},
	}
	yes, title := true, "Ada"
	change := func(name string, c wire.UserChange) error {
		_, err := w.ChangeUser(t.Context(), ws, w.admin, "", name, c)
		return err
	}
	may := func(name string, c wire.UserChange) {
		t.Helper()
		if err := change(name, c); err != nil {
			t.Error(err)
		}
	}
	w.add("bo", "administrator")
	w.add("carl", "sync_admin")
	w.waiting("approvals", landfall.IssueResolved)
	w.waiting("conflicts", landfall.IssueClaimed)
	w.waiting("gone", landfall.IssueOpen)
	may("ada", wire.UserChange{Revoke: []string{"sync_admin", "manager"}}) // Carl is there, and nothing waits for approval
	before := w.spans("carl")
	for _, c := range []wire.UserChange{{Disabled: &yes}, {Revoke: []string{"sync_admin"}}, {Revoke: []string{"sync_admin"}, Grant: []string{"employee"}}} {
		refused(t, change("carl", c), landfall.CodeConflict, `"conflicts"`, `"carl" is the last`, "sync_admin or manager", "first")
	}
	if u := w.user("carl"); u.Disabled || len(u.Roles) != 1 || w.spans("carl") != before {
		t.Errorf("a refused change left %+v with %s", u, w.spans("carl"))
	}
	may("carl", wire.UserChange{Title: &title, Revoke: []string{"sync_admin"}, Grant: []string{"manager"}}) // another of its roles
	w.add("gone", "sync_admin")
	may("gone", wire.UserChange{Disabled: &yes})
	refused(t, change("carl", wire.UserChange{Disabled: &yes}), landfall.CodeConflict)
	w.add("mia", "sync_admin")
	may("carl", wire.UserChange{Disabled: &yes})
	may("gone", wire.UserChange{Revoke: []string{"sync_admin"}}) // who is disabled works nothing
	refused(t, change("mia", wire.UserChange{Revoke: []string{"sync_admin"}}), landfall.CodeConflict)
}
