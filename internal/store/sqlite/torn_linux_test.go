package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/torn"
)

// What the disk can't keep is not acknowledged, and nobody sees it.
func TestSyncFails(t *testing.T) {
	s := databaseAt(t, t.TempDir(), 7)
	set := func(seq int64) func() error {
		return func() error {
			return s.Update(t.Context(), func(w store.Writer) error {
				return w.SetHead("w", store.Head{Epoch: "e1", Key: "k", Seq: seq, Mark: "m"})
			})
		}
	}
	if err := torn.WithoutSync(set(8)); landfall.CodeOf(err) != landfall.CodeUnavailable {
		t.Errorf("acknowledged: %v", err)
	}
	if h := headIn(t, s); h.Seq != 7 {
		t.Errorf("what was not acknowledged is seen: %+v", h)
	}
	if err := set(9)(); err != nil || headIn(t, s).Seq != 9 {
		t.Errorf("afterwards: %v", err)
	}
}

// A backup that the disk can't keep does not get its name, nor does a restore.
func TestSyncOfBackupFails(t *testing.T) {
	dir := t.TempDir()
	part, to := filepath.Join(dir, "b.db.part"), filepath.Join(dir, "b.db")
	if err := os.WriteFile(part, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := torn.WithoutSync(func() error { return settle(part, to) }); landfall.CodeOf(err) != landfall.CodeUnavailable {
		t.Errorf("it is said to be on the disk: %v", err)
	}
	if _, err := os.Stat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it has the name of a finished one: %v", err)
	}
}
