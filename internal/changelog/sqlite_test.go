package changelog

import (
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// TestPullingFromADatabaseCostsWhatChanged counts what the database does for a
// pull of three changes, with 1000 and with 20 000 records stored.
func TestPullingFromADatabaseCostsWhatChanged(t *testing.T) {
	cost := func(n int) (pull, idle sqlite.Stats) {
		s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "landfall.db"), sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		w, since := stocked(t, s, n/2)
		measure := func(changes int) sqlite.Stats {
			t.Helper()
			before := s.Stats()
			r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 0)
			if err != nil || len(r.Changes) != changes || r.More {
				t.Fatalf("%d changes, %v", len(r.Changes), err)
			}
			after := s.Stats()
			return sqlite.Stats{Queries: after.Queries - before.Queries, RowsRead: after.RowsRead - before.RowsRead, Commits: after.Commits - before.Commits}
		}
		idle = measure(0)
		w.put(put{id: "r000003", owner: "emma", team: "x"}, put{id: "s000004", owner: "mara"}, put{id: "r000005", owner: "mara"}, put{id: "z", owner: "emma"})
		return measure(3), idle
	}
	pull, idle := cost(1000)
	pull2, idle2 := cost(large)
	if pull != pull2 || idle != idle2 {
		t.Errorf("with 1000 and %d stored: a pull costs %+v and %+v, an idle one %+v and %+v", large, pull, pull2, idle, idle2)
	}
	if pull.Commits != 0 || idle.Commits != 0 || idle.Queries > 13 || pull.Queries-idle.Queries > 6 {
		t.Errorf("a pull costs %+v, an idle one %+v", pull, idle)
	}
}
