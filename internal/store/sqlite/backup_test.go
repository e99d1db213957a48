package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

func databaseAt(t *testing.T, dir string, seq int64) *Store {
	t.Helper()
	s, err := Open(t.Context(), filepath.Join(dir, "landfall.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // most tests close it themselves
	if err := s.Update(t.Context(), func(w store.Writer) error {
		return errors.Join(w.CreateWorkspace("w", store.Head{Epoch: "e1", Key: "k"}), w.SetHead("w", store.Head{Epoch: "e1", Key: "k", Seq: seq, Mark: "m"}))
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func headIn(t *testing.T, s store.Store) store.Head {
	t.Helper()
	var out *store.Head
	if err := s.View(t.Context(), func(r store.Reader) (err error) {
		out, err = r.Head("w")
		return err
	}); err != nil || out == nil {
		t.Fatal(out, err)
	}
	return *out
}

// A backup of a database that is open and written: what it covers is noted, and
// what is written after it is not in it. Restored, it begins an epoch, and what
// was there is aside.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "landfall.db"), filepath.Join(dir, "b.db")
	s := databaseAt(t, dir, 7)
	made, err := Backup(t.Context(), path, file, func(int64, int64) {})
	if err != nil || made.Workspaces["w"].Seq != 7 || made.Bytes == 0 {
		t.Fatalf("%+v %v", made, err)
	}
	if h := headIn(t, s); !h.Backups || h.Covered != 7 || h.Kept() != 6 {
		t.Errorf("covered: %+v", h)
	}
	h := headIn(t, s)
	h.Seq, h.Mark = 9, "n"
	if err := s.Update(t.Context(), func(w store.Writer) error { return w.SetHead("w", h) }); err != nil {
		t.Fatal(err)
	}
	if h := headIn(t, s); h.Kept() != 6 {
		t.Errorf("devices may let go of what is after %d", h.Kept())
	}
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	if _, _, err := Restore(t.Context(), file, path, "e2", now); landfall.CodeOf(err) != landfall.CodeConflict {
		t.Fatalf("restored under a server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	made, aside, err := Restore(t.Context(), file, path, "e2", now)
	if err != nil || made.Workspaces["w"].Seq != 7 || !strings.HasSuffix(aside, ".before-20260301T080000Z") {
		t.Fatalf("%+v %q %v", made, aside, err)
	}
	restored, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h := headIn(t, restored); h.Epoch != "e2" || h.Seq != 7 || h.Kept() != 6 || h.Key != "k" || restored.Unclean() {
		t.Errorf("restored: %+v", h)
	}
	if err := restored.View(t.Context(), func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{}, store.Page{Limit: 9})
		if len(all) != 1 || all[0].Action != store.EpochBegin || all[0].By != store.ByRestore || all[0].Object != "e2" || !all[0].At.Equal(now) {
			t.Errorf("the audit has %d entries: %+v", len(all), all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(restored.Close(), os.Rename(aside, path)); err != nil {
		t.Fatal(err)
	}
	old, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	if h := headIn(t, old); h.Seq != 9 || h.Epoch != "e1" {
		t.Errorf("what was set aside: %+v", h)
	}
}

// A backup that is interrupted leaves nothing, and devices go on keeping.
func TestBackupInterrupted(t *testing.T) {
	dir := t.TempDir()
	s := databaseAt(t, dir, 7)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(dir, "b.db")
	if _, err := Backup(ctx, filepath.Join(dir, "landfall.db"), file, nil); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "b.db*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v %v", left, err)
	}
	if h := headIn(t, s); h.Backups {
		t.Error("a backup that was never made is counted on")
	}
}

// A restore that ended half way is not taken for an empty folder.
func TestRestoreInterrupted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "landfall.db")
	if err := os.WriteFile(path+restoring, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path, Options{})
	if landfall.CodeOf(err) != landfall.CodeConflict || !strings.Contains(err.Error(), "restore") {
		t.Error(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Error("a database was made all the same")
	}
}

// What was brought in is in the database without its log.
func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	s := databaseAt(t, dir, 7)
	for range 2 { // the second has nothing to do
		if err := s.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	whole, err := os.ReadFile(filepath.Join(dir, "landfall.db"))
	if err != nil {
		t.Fatal(err)
	}
	alone := filepath.Join(t.TempDir(), "landfall.db")
	if err := os.WriteFile(alone, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Open(t.Context(), alone, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }() // it was only read
	if h := headIn(t, c); h.Seq != 7 {
		t.Errorf("%+v", h)
	}
}
