package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/clienttest"
	"github.com/landfall-sync/landfall/client/sqlite"
)

func open(t *testing.T, dir string) *sqlite.Storage {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	clienttest.Run(t, func(t *testing.T) client.Storage { return open(t, t.TempDir()) })
}

// Several programs with one folder open: each transaction sees those before it,
// so numbers given within them are given once.
func TestSeveralAtOnce(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	for range 4 {
		s := open(t, dir)
		t.Cleanup(func() { _ = s.Close() }) // the test is over
		wg.Go(func() {
			for range 25 {
				err := s.Update(t.Context(), func(tx client.Tx) error {
					all, err := tx.Entries()
					if err != nil {
						return err
					}
					return tx.PutEntry(&client.Entry{Incarnation: 1, N: int64(len(all) + 1)})
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := open(t, dir)
	defer func() { _ = s.Close() }() // it was only read
	err := s.View(t.Context(), func(tx client.Tx) error {
		all, err := tx.Entries()
		if len(all) != 100 || all[99].N != 100 {
			t.Errorf("%d entries", len(all))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestForOwnerAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "phone")
	if err := open(t, dir).Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{dir: "drwx------", filepath.Join(dir, sqlite.File): "-rw-------"} {
		info, err := os.Stat(path)
		if err != nil || fmt.Sprint(info.Mode()) != want {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
}

func TestForeignFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, sqlite.File), []byte("a letter, not a database, and longer than a header of one hundred bytes would be, to be sure of it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), dir); err == nil || landfall.CodeOf(err) == landfall.CodeInternal {
		t.Errorf("a foreign file: %v", err)
	}
}
