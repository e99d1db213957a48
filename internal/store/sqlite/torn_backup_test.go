package sqlite

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/torn"
)

// copyOf is what a finished backup holds.
func copyOf(file string) (holds string, err error) {
	c, err := unchanging(file)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return torn.Contents(c)
}

// The power goes while a backup is written. What is left of it is not taken for
// one; the database has everything, and the next backup is whole.
func TestPowerLostInBackup(t *testing.T) {
	s := serving(t)
	s.work(10)
	backup := func(name string) string {
		s.life.Change(func() string {
			_, err := Backup(t.Context(), s.path, filepath.Join(filepath.Dir(s.path), name), nil)
			s.must(err)
			return s.contents()
		})
		return s.contents()
	}
	backup("first.db") // from now on it is known that backups are made
	for i := range 3 {
		s.commit()
		s.life.Step("backup", func() { backup(fmt.Sprint(i, ".db")) })
	}
	s.life.Lose(t, torn.Many(30), func(dir string, _ *rand.Rand) (string, error) {
		path, to := filepath.Join(dir, "landfall.db"), filepath.Join(dir, "b.db")
		parts, err := filepath.Glob(filepath.Join(dir, "*"+unfinished))
		if err != nil {
			return "", err
		}
		for _, part := range parts { // beside what was not removed yet by now
			if _, _, err := Restore(t.Context(), part, filepath.Join(dir, "d", "landfall.db"), "e2", time.Now()); landfall.CodeOf(err) != landfall.CodeInvalid {
				return "", fmt.Errorf("restored from %s: %w", part, err)
			}
			if err := os.Rename(part, to+unfinished); err != nil {
				return "", err
			}
		}
		s, err := Open(t.Context(), path, Options{Readers: 1})
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		holds, err := contentsOf(t.Context(), s)
		if err != nil {
			return "", err
		}
		if _, err := Backup(t.Context(), path, to, nil); err != nil {
			return "", err
		}
		if copied, err := copyOf(to); err != nil || copied != holds {
			return "", fmt.Errorf("the next backup holds %s, the database %s (%w)", copied, holds, err)
		}
		return holds, nil
	}, "backup")
}

// The power goes while a backup is restored over a database, before it is set
// aside: that is still there, and restoring begins again.
func TestPowerLostInRestore(t *testing.T) {
	s := serving(t)
	s.work(10)
	file := filepath.Join(t.TempDir(), "b.db")
	_, err := Backup(t.Context(), s.path, file, nil)
	s.must(err)
	s.life.Change(s.contents)
	s.commit()
	s.life.Step("restore", func() {
		s.must(s.Close())
		_, _, err := Restore(t.Context(), file, s.path, "e2", time.Now())
		s.must(err)
	})
	s.life.Lose(t, torn.Many(30), func(dir string, _ *rand.Rand) (holds string, err error) {
		path := filepath.Join(dir, "landfall.db")
		s, err := Open(t.Context(), path, Options{Readers: 1})
		if err != nil {
			return "", err
		}
		if holds, err = contentsOf(t.Context(), s); err != nil {
			return "", errors.Join(err, s.Close())
		}
		if err := s.Close(); err != nil {
			return "", err
		}
		made, aside, err := Restore(t.Context(), file, path, "e3", time.Now())
		if err != nil || made.Workspaces["w"].Epoch != "e3" {
			return "", fmt.Errorf("restored %+v: %w", made, err)
		}
		if old, err := copyOf(aside); err != nil || old != holds {
			return "", fmt.Errorf("what was set aside holds %s (%w)", old, err)
		}
		return holds, nil
	}, "restore")
}

// The power goes while the first server after a restore starts, which makes the
// file one with a log.
func TestPowerLostAfterRestore(t *testing.T) {
	s := serving(t)
	s.work(10)
	file, path := filepath.Join(t.TempDir(), "b.db"), filepath.Join(t.TempDir(), "landfall.db")
	_, err := Backup(t.Context(), s.path, file, nil)
	s.must(err)
	_, _, err = Restore(t.Context(), file, path, "e2", time.Now())
	s.must(err)
	restored := &server{t: t, chance: s.chance, path: path, n: s.n}
	restored.life = torn.Live(t, path, func() string {
		restored.open()
		return restored.contents()
	})
	defer func() { _ = restored.Close() }() // the life is over
	restored.commit()
	restored.life.Lose(t, torn.Many(30), goOn(t), "create", "start the log over")
}

// Every connection that writes, or brings in the log, asks for all syncs.
func TestEveryConnectionSyncs(t *testing.T) {
	s := serving(t)
	s.commit()
	s.checkpoint()
	if left := s.life.Unsynced(); len(left) > 0 {
		t.Errorf("after a checkpoint the disk was not asked to keep %v", left)
	}
	other, err := connect(s.path)
	s.must(err)
	defer func() { _ = other.Close() }() // it was only asked
	for name, c := range map[string]*sqlite.Conn{"of the checkpoints": s.tidier, "of a backup": other} {
		if sync, err := pragma(c, "synchronous"); err != nil || sync != 2 {
			t.Errorf("synchronous of the connection %s is %d, want FULL (2): %v", name, sync, err)
		}
	}
}

// A name that says unfinished is not given to a backup, and not restored from.
func TestUnfinishedName(t *testing.T) {
	dir := t.TempDir()
	databaseAt(t, dir, 7)
	path, part := filepath.Join(dir, "landfall.db"), filepath.Join(dir, "b.db"+unfinished)
	if _, err := Backup(t.Context(), path, part, nil); landfall.CodeOf(err) != landfall.CodeInvalid {
		t.Errorf("a backup was made: %v", err)
	}
	if _, err := Backup(t.Context(), path, filepath.Join(dir, "b.db"), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "b.db"), part); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "landfall.db")
	if _, _, err := Restore(t.Context(), part, other, "e2", time.Now()); landfall.CodeOf(err) != landfall.CodeInvalid {
		t.Errorf("it was restored: %v", err)
	}
	if _, err := os.Stat(other); !errors.Is(err, os.ErrNotExist) {
		t.Error("something was put in place all the same")
	}
}
