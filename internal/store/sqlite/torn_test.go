package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/torn"
)

// server is a store that lives while its disk is watched.
type server struct {
	*Store
	t      *testing.T
	life   *torn.Life
	chance *rand.Rand
	path   string
	n      int64
}

func serving(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, chance: rand.New(rand.NewPCG(1, 1)), path: filepath.Join(t.TempDir(), "landfall.db")}
	s.life = torn.Live(t, s.path, func() string {
		s.open()
		return s.contents()
	})
	t.Cleanup(func() { _ = s.Close() }) // the life is over
	return s
}

func (s *server) open() {
	s.t.Helper()
	var err error
	if s.Store, err = Open(s.t.Context(), s.path, Options{Readers: 2}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) contents() string {
	s.t.Helper()
	holds, err := contentsOf(s.t.Context(), s.Store)
	s.must(err)
	return holds
}

func contentsOf(ctx context.Context, s *Store) (holds string, err error) {
	err = s.with(ctx, s.readers, func(c *sqlite.Conn) (err error) {
		holds, err = torn.Contents(c)
		return err
	})
	return holds, err
}

// commit writes what a few verdicts do.
func (s *server) commit() {
	s.t.Helper()
	s.life.Change(func() string {
		s.n++
		s.must(s.Update(s.t.Context(), func(w store.Writer) error { return verdicts(w, s.chance, s.n) }))
		if left := s.life.Unsynced(); slices.Contains(left, "landfall.db-wal") {
			s.t.Errorf("commit %d is acknowledged, and the disk was not asked to keep %v", s.n, left)
		}
		return s.contents()
	})
}

// verdicts writes to most of the tables, little or much.
func verdicts(w store.Writer, chance *rand.Rand, n int64) error {
	at := time.Date(2026, 3, 1, 8, 0, int(n), 0, time.UTC)
	h, err := w.Head("w")
	if err == nil && h == nil {
		h = &store.Head{Epoch: "e", Key: "k"}
		err = w.CreateWorkspace("w", *h)
	}
	if err != nil {
		return err
	}
	h.Seq, h.Mark, h.Time = n, fmt.Sprint(n), at
	text := func(most int) string { return strings.Repeat(string(rune('a'+n%26)), chance.IntN(most)) }
	errs := []error{w.SetHead("w", *h)}
	for range 1 + chance.IntN(4) {
		id := fmt.Sprintf("record-%02d", chance.IntN(40))
		key := landfall.Key{Replica: "p", Incarnation: 1, N: n*10 + int64(len(errs))}
		r := &landfall.Record{ID: id, Type: "sheet", Version: n, Queue: "south", Deleted: chance.IntN(9) == 0, Fields: landfall.Fields{"note": landfall.Value(`"` + text(900) + `"`)}}
		keys := []string{"all", fmt.Sprintf("team-%d", chance.IntN(3))}
		if r.Deleted {
			keys = nil
		}
		errs = append(errs, w.PutRecord("w", r, keys),
			w.AddChange("w", &landfall.Change{Seq: n, Index: len(errs), ID: id, Type: "sheet", Action: landfall.Updated, At: at, Set: r.Fields}),
			w.AddItem("w", &store.Item{Key: key, User: "emma", Hash: "00", Bytes: []byte(text(300)), Record: id, State: store.Completed, ReceivedAt: at, Receipt: landfall.Receipt{N: key.N, Result: landfall.Applied, Seq: n}}),
			w.SetUnique("w", "sheet", id, map[string]string{"title": text(20) + id}))
	}
	push := &store.Push{Replica: "p", Received: at, Body: []byte(text(20_000))}
	errs = append(errs, w.AddPush("w", push), w.SetCounter("w", "c", n), w.PutReplica("w", &store.Replica{ID: "p", User: "emma", Next: n}),
		w.PutIssue("w", &store.IssueRow{Issue: landfall.Issue{ID: fmt.Sprintf("issue-%d", n%7), Number: 1 + n%7, State: landfall.IssueOpen, Note: text(500)}}),
		w.AddAudit("w", store.Done("ada", store.IssueClaim, text(5), at)))
	if n%3 != 0 {
		errs = append(errs, w.DeletePush("w", push.ID-int64(chance.IntN(3))))
	}
	return errors.Join(errs...)
}

func (s *server) checkpoint() { s.must(s.Checkpoint(s.t.Context())) }

// besideTheWriter brings the log into the database while others commit.
func (s *server) besideTheWriter() {
	pages, next := 0, 1+s.chance.IntN(5)
	s.life.Before(func(name string) {
		if pages++; name == "landfall.db" && pages == next {
			next += 1 + s.chance.IntN(20)
			s.commit()
		}
	})
	defer s.life.Before(nil)
	s.checkpoint()
}

// besideAReader brings in what the reader does not hold back.
func (s *server) besideAReader() {
	s.must(s.View(s.t.Context(), func(store.Reader) error {
		for range 3 {
			s.commit()
		}
		s.life.Step("checkpoint beside a reader", s.checkpoint)
		s.commit()
		return nil
	}))
}

// work is a life with everything in it that happens to a database.
func (s *server) work(commits int64) {
	for s.n < commits {
		for range 1 + s.chance.IntN(8) {
			s.commit()
		}
		switch s.chance.IntN(7) {
		case 0:
			s.life.Step("checkpoint", s.checkpoint)
		case 1, 2:
			s.life.Step("checkpoint beside the writer", s.besideTheWriter)
		case 3, 4:
			s.besideAReader()
		case 5:
			s.life.Step("close", func() { s.must(s.Close()) })
			s.life.Step("open", s.open)
		}
	}
}

// TestPowerLost: whatever of what was not synced is left, and however torn, all
// that was acknowledged is there, and one can go on.
func TestPowerLost(t *testing.T) {
	s := serving(t)
	s.work(90)
	s.life.Lose(t, torn.Many(40), goOn(t), "create", "commit", "start the log over",
		"checkpoint", "checkpoint beside the writer", "checkpoint beside a reader", "close")
}

// goOn opens what is left like the next server after one that died.
func goOn(t *testing.T) torn.After {
	return func(dir string, chance *rand.Rand) (holds string, err error) {
		path := filepath.Join(dir, "landfall.db")
		if err := os.WriteFile(path+".lock", []byte(inUse), 0o600); err != nil {
			return "", err
		}
		s, err := Open(t.Context(), path, Options{Readers: 1})
		if err != nil {
			return "", err
		}
		defer func() { err = errors.Join(err, s.Close()) }()
		if holds, err = contentsOf(t.Context(), s); err != nil || chance.IntN(3) > 0 {
			return holds, err
		}
		return holds, goesOn(t.Context(), s, chance)
	}
}

// goesOn writes more, which is there when the database is opened again.
func goesOn(ctx context.Context, s *Store, chance *rand.Rand) error {
	if err := s.Update(ctx, func(w store.Writer) error { return verdicts(w, chance, 1_000_000) }); err != nil {
		return err
	}
	holds, err := contentsOf(ctx, s)
	if err != nil {
		return err
	}
	c, err := connect(s.path)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }() // it was only read
	if again, err := torn.Contents(c); err != nil || again != holds {
		return fmt.Errorf("what was written later: %s, not %s (%w)", again, holds, err)
	}
	return nil
}
