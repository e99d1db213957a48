package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/torn"
)

// device is a storage that lives while its disk is watched.
type device struct {
	*Storage
	t      *testing.T
	life   *torn.Life
	chance *rand.Rand
	dir    string
	n      int64
}

func held(t *testing.T) *device {
	t.Helper()
	d := &device{t: t, chance: rand.New(rand.NewPCG(2, 2)), dir: t.TempDir()}
	d.life = torn.Live(t, filepath.Join(d.dir, File), func() string {
		d.Storage = d.open()
		return d.contents()
	})
	t.Cleanup(func() { _ = d.Close() }) // the life is over
	return d
}

func (d *device) open() *Storage {
	d.t.Helper()
	s, err := Open(d.t.Context(), d.dir)
	d.must(err)
	return s
}

func (d *device) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *device) contents() string {
	d.t.Helper()
	holds, err := contentsOf(d.t.Context(), d.Storage)
	d.must(err)
	return holds
}

func contentsOf(ctx context.Context, s *Storage) (holds string, err error) {
	err = s.with(ctx, func(c *sqlite.Conn) (err error) {
		holds, err = torn.Contents(c)
		return err
	})
	return holds, err
}

// commit writes what an edit and a sync do.
func (d *device) commit(s *Storage, most int) {
	d.t.Helper()
	d.life.Change(func() string {
		d.n++
		d.must(s.Update(d.t.Context(), func(tx client.Tx) error { return edits(tx, d.chance, d.n, most) }))
		if left := d.life.Unsynced(); slices.Contains(left, File+"-wal") {
			d.t.Errorf("edit %d is told to be safe, and the disk was not asked to keep %v", d.n, left)
		}
		return d.contents()
	})
}

func edits(tx client.Tx, chance *rand.Rand, n int64, most int) error {
	text := func(most int) string { return strings.Repeat(string(rune('a'+n%26)), chance.IntN(most)) }
	var errs []error
	for range 1 + chance.IntN(4) {
		id := fmt.Sprintf("record-%02d", chance.IntN(30))
		errs = append(errs, tx.PutRecord(&landfall.Record{ID: id, Type: "sheet", Version: n, Fields: landfall.Fields{"note": landfall.Value(`"` + text(most) + `"`)}}))
	}
	errs = append(errs, tx.PutEntry(&client.Entry{Incarnation: 1, N: n, Bytes: []byte(text(most)), State: client.Pending}),
		tx.DeleteEntry(1, n-10), tx.SetValue("state", []byte(text(200))), tx.DeleteRecord(fmt.Sprintf("record-%02d", chance.IntN(30))))
	return errors.Join(errs...)
}

// work is a life with everything in it that happens to a device: little edits,
// large ones, after which SQLite brings the log into the database by itself,
// a second program that has the folder open, and ends in order.
func (d *device) work(commits int64) {
	for d.n < commits {
		most := 600
		if d.chance.IntN(2) == 0 {
			most = 200_000
		}
		for range 5 {
			d.commit(d.Storage, most)
		}
		switch d.chance.IntN(8) {
		case 0:
			d.life.Step("close", func() { d.must(d.Close()) })
			d.life.Step("open", func() { d.Storage = d.open() })
		case 1:
			other := d.open()
			d.commit(other, most)
			d.commit(d.Storage, most)
			d.must(other.Close())
			d.commit(d.Storage, most)
		}
	}
}

// TestPowerLost: whatever of what was not synced is left, and however torn, all
// that the user was told is safe is there, and one can go on.
func TestPowerLost(t *testing.T) {
	d := held(t)
	d.work(90)
	d.life.Lose(t, torn.Many(40), func(dir string, chance *rand.Rand) (holds string, err error) {
		s, err := Open(t.Context(), dir)
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if holds, err = contentsOf(t.Context(), s); err != nil || chance.IntN(3) > 0 {
			return holds, err
		}
		return holds, goesOn(t.Context(), s, dir, chance)
	}, "create", "commit", "start the log over", "commit and checkpoint", "close")
}

// goesOn writes more, which another program sees that has the folder open.
func goesOn(ctx context.Context, s *Storage, dir string, chance *rand.Rand) error {
	if err := s.Update(ctx, func(tx client.Tx) error { return edits(tx, chance, 1_000_000, 600) }); err != nil {
		return err
	}
	holds, err := contentsOf(ctx, s)
	if err != nil {
		return err
	}
	other, err := Open(ctx, dir)
	if err != nil {
		return err
	}
	again, err := contentsOf(ctx, other)
	if err == nil && again != holds {
		err = fmt.Errorf("what was written later: %s, not %s", again, holds)
	}
	return errors.Join(err, other.Close())
}

func TestDurableSettings(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }() // nothing was written
	err = s.with(t.Context(), func(c *sqlite.Conn) error {
		sync, err := number(c, "PRAGMA synchronous")
		if sync != 2 {
			t.Errorf("synchronous is %d, want FULL (2)", sync)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
