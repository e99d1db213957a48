package sqlite

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Issues and lanes that are there already are counted and found like new ones.
func TestOldIssuesAreCounted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	err = s.Update(t.Context(), func(w store.Writer) error {
		for n, state := range []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved} {
			i := landfall.Issue{ID: state, Number: int64(n + 1), State: state, Queue: "q", Assignee: "ada", Cause: "c", Kind: landfall.KindGone, Author: "emma", Device: "p", ReceivedAt: at}
			if err := w.PutIssue("w", &store.IssueRow{Issue: i}); err != nil {
				return err
			}
		}
		return w.PutItem("w", &store.Item{Key: landfall.Key{Replica: "p", Incarnation: 1, N: 1}, Holder: "open", Refs: []string{"r"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	// As it was before the last change of the layout.
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	old := `DROP TRIGGER issues_added; DROP TRIGGER issues_changed; DROP TABLE alike; DROP TABLE mentions; DROP TABLE sweeps;
DROP INDEX issues_due; DROP INDEX issues_open_cause; DROP INDEX issues_open_author; DROP INDEX issues_alike;
ALTER TABLE issues DROP COLUMN next; ALTER TABLE issues DROP COLUMN assignee; ALTER TABLE issues DROP COLUMN device;
ALTER TABLE issues DROP COLUMN kind; ALTER TABLE issues DROP COLUMN received;`
	if err := sqlitex.ExecuteScript(c, old+schema6, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), path, Options{}); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // the test is over
	err = s.View(t.Context(), func(r store.Reader) error {
		groups, err := r.IssueGroups("w", "")
		if err != nil {
			return err
		}
		if len(groups) != 1 || groups[0] != (store.IssueGroup{Cause: "c", Kind: landfall.KindGone, Queue: "q", Assignee: "ada", Author: "emma", Device: "p", Count: 2, Newest: 2, First: at, Last: at}) {
			t.Errorf("%+v", groups)
		}
		held, err := r.HeldOn("w", "r", landfall.Key{}, 9)
		if len(held) != 1 {
			t.Errorf("%d held", len(held))
		}
		sweeps, err2 := r.Sweeps("w", 9)
		if len(sweeps) != 1 || sweeps[0] != (store.Sweep{Kind: store.SweepDefinition, Why: "the server was brought up to date"}) {
			t.Errorf("nothing has them tried again: %+v", sweeps)
		}
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
}
