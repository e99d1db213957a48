package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// looked opens a database for inspection, counts its records and what is
// damaged, and expects every file, the lock too, as it was.
func looked(t *testing.T, path string) (records int, damage []string) {
	t.Helper()
	before := contents(t, path)
	in, err := OpenForInspection(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !conflict(err) {
		t.Errorf("a server beside it: %v", err)
	}
	damage, err = in.Damage(t.Context(), 5)
	if err != nil {
		t.Error(err)
	}
	err = in.View(t.Context(), func(r store.Reader) error {
		ids, err := r.RecordIDs("w", "", 1000)
		records = len(ids)
		return err
	})
	if len(damage) == 0 && err != nil {
		t.Error(err)
	}
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if contents(t, path) != before {
		t.Error("it was touched")
	}
	return records, damage
}

func conflict(err error) bool {
	e := (*landfall.Error)(nil)
	return errors.As(err, &e) && e.Code == landfall.CodeConflict
}

// After an end in order, and as a process leaves it that is killed: with a log
// that holds the newest state, and with the mark that the next server looks for.
func TestInspectionWritesNothing(t *testing.T) {
	path, ids := filled(t)
	if n, damage := looked(t, path); n != len(ids) || len(damage) > 0 {
		t.Errorf("%d records, damage %q", n, damage)
	}
	s := open(t, path)
	if _, err := OpenForInspection(t.Context(), path); !conflict(err) || !strings.Contains(err.Error(), "in use by a server") {
		t.Errorf("beside a server: %v", err)
	}
	err := s.Update(t.Context(), func(w store.Writer) error {
		return w.PutRecord("w", &landfall.Record{ID: "record-in-the-log", Type: "sheet", Version: 999}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "db")
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n, damage := looked(t, left); n != len(ids)+1 || len(damage) > 0 {
		t.Errorf("%d records, damage %q", n, damage)
	}
	if err := os.Remove(left + "-shm"); err != nil {
		t.Fatal(err)
	}
	if n, damage := looked(t, left); n != len(ids)+1 || len(damage) > 0 {
		t.Errorf("without the index of the log: %d records, damage %q", n, damage)
	}
	s = open(t, left)
	if !s.Unclean() {
		t.Error("the next server does not know that the end was not in order")
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// Damage is told, not a reason to end.
func TestInspectionOfDamage(t *testing.T) {
	path, _ := filled(t)
	spoil(t, path)
	if _, damage := looked(t, path); len(damage) == 0 || len(damage) > 5 {
		t.Errorf("damage: %q", damage)
	}
	path, _ = filled(t)
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	// An index without some of its rows is what quick_check does not see.
	script := `PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'number <> ''''', 'number = ''''') WHERE name = 'records_number';`
	if err := errors.Join(sqlitex.ExecuteScript(c, script, nil), c.Close()); err != nil {
		t.Fatal(err)
	}
	if n, damage := looked(t, path); n != 500 || len(damage) == 0 || !strings.Contains(damage[0], "records_number") {
		t.Errorf("%d records, damage: %q", n, damage)
	}
}

func TestInspectionOfNothing(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenForInspection(t.Context(), filepath.Join(dir, "db")); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("no database: %v", err)
	}
	if found, err := os.ReadDir(dir); err != nil || len(found) > 0 {
		t.Errorf("it left %v behind (%v)", found, err)
	}
	letter := filepath.Join(dir, "letter")
	if err := os.WriteFile(letter, []byte(strings.Repeat("this is a letter. ", 300)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenForInspection(t.Context(), letter); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("a letter: %v", err)
	}
}
