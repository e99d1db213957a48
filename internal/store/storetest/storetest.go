// Package storetest is the suite that every store passes: what a driver must
// do, said once, split by topic.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Run runs the suite; open gives an empty store each time.
func Run(t *testing.T, open func(*testing.T) store.Store) {
	t.Helper()
	topics := map[string]func(*testing.T, *bench){
		"transactions": transactions, "snapshots": snapshots, "head": head, "records": records, "feed": feed, "regroup": regroup, "history": history,
		"unique": unique, "links": links, "cases": cases, "grants": grants, "pushes": pushes, "items": items, "lanes": lanes, "outcomes": outcomes,
		"issues": issues, "due": due, "held on": heldOn, "sweeps": sweeps, "alike": alike, "accounts": accounts, "staff": staff, "credentials": credentials, "devices": devices, "workspaces": workspaces, "ledger": ledger, "audit": audit, "scans": scans,
		"search": search, "aging": aging, "settings": settings,
	}
	for name, topic := range topics {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			b := &bench{t: t, s: s}
			b.update(func(w store.Writer) error {
				return errors.Join(w.CreateWorkspace("w", store.Head{Epoch: "e", App: "app"}), w.CreateWorkspace("other", store.Head{Epoch: "o"}))
			})
			topic(t, b)
		})
	}
}

// bench is a store under test.
type bench struct {
	t *testing.T
	s store.Store
}

func (b *bench) update(f func(store.Writer) error) {
	b.t.Helper()
	if err := b.s.Update(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) view(f func(store.Reader) error) {
	b.t.Helper()
	if err := b.s.View(b.t.Context(), f); err != nil {
		b.t.Fatal(err)
	}
}

// same compares as JSON, so that nil and empty, and times in their zones, are
// what they mean.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	if string(g) != string(w) && (!empty(got) || !empty(want)) {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

func empty(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || (r.Kind() == reflect.Slice || r.Kind() == reflect.Pointer || r.Kind() == reflect.Map) && (r.IsZero() || r.Kind() == reflect.Slice && r.Len() == 0)
}

// at is a moment with every digit that a store must keep.
func at(n int) time.Time {
	return time.Date(2026, 3, 1, 9, 0, n, 123456789, time.UTC)
}

func record(id string, version int64) *landfall.Record {
	return &landfall.Record{Type: "thing", ID: id, Version: version, Status: "open", Fields: landfall.Fields{"name": landfall.Value(`"<ü & 漢>"`)},
		CreatedBy: "emma", CreatedAt: at(1), UpdatedAt: at(2), Definition: 3,
		StatusEdit: &landfall.Edit{Author: "emma", At: at(1), Seq: version}, Edits: map[string]landfall.Edit{"name": {Author: "emma", By: "ada", At: at(2), Seq: version}}}
}

var errNo = errors.New("no")

func transactions(t *testing.T, b *bench) {
	for name, fail := range map[string]func(){"error": func() {}, "panic": func() { panic(errNo) }} {
		func() {
			defer func() { _ = recover() }() // the panic is the test's own
			err := b.s.Update(t.Context(), func(w store.Writer) error {
				if err := errors.Join(w.PutRecord("w", record("r", 1), []string{"all"}), w.SetCounter("w", "c", 7), w.AddPush("w", &store.Push{Replica: "p"}),
					w.PutItem("w", &store.Item{Key: landfall.Key{Replica: "p", Incarnation: 1, N: 1}, Holder: "i", Refs: []string{"r"}}),
					w.PutUser("w", &store.User{Name: "emma"}), w.SetHead("w", store.Head{Epoch: "e", Seq: 1, Mark: "m"})); err != nil {
					return err
				}
				if r, err := w.Record("w", "r"); err != nil || r == nil {
					t.Errorf("a transaction reads its own writes: %v %v", r, err)
				}
				fail()
				return errNo
			})
			if !errors.Is(err, errNo) {
				t.Errorf("%s: got %v", name, err)
			}
		}()
		b.view(func(r store.Reader) error {
			rec, err := r.Record("w", "r")
			feed, err2 := bare(r.Feed("w", "all", store.Spot{}, 9, 9))
			n, err3 := r.Counter("w", "c")
			pushes, err4 := r.Pushes("w", 0, 9)
			lane, err5 := r.Lane("w", "p", "r")
			user, err6 := r.User("w", "emma")
			h, err7 := r.Head("w")
			if rec != nil || len(feed) > 0 || n != 0 || len(pushes) > 0 || len(lane) > 0 || user != nil || h.Seq != 0 {
				t.Errorf("%s left something behind: %v %v %v %v %v %v %v", name, rec, feed, n, pushes, lane, user, h)
			}
			return errors.Join(err, err2, err3, err4, err5, err6, err7)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.s.Update(ctx, func(store.Writer) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled update: %v", err)
	}
	if err := b.s.View(ctx, func(store.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled view: %v", err)
	}
	b.update(func(store.Writer) error { return nil }) // the store works on
}

// snapshots: a view sees one state, before or after an update, never between.
func snapshots(t *testing.T, b *bench) {
	done := make(chan error, 1)
	b.view(func(r store.Reader) error {
		before, err := r.Counter("w", "c")
		if err != nil {
			return err
		}
		go func() {
			done <- b.s.Update(t.Context(), func(w store.Writer) error { return w.SetCounter("w", "c", before+1) })
		}()
		after, err := r.Counter("w", "c")
		same(t, "within a view", after, before)
		return err
	})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	b.view(func(r store.Reader) error {
		n, err := r.Counter("w", "c")
		same(t, "afterwards", n, 1)
		return err
	})
}

func head(t *testing.T, b *bench) {
	marks := map[int64]string{3: "first", 4: "second", 9: "third"}
	for _, seq := range []int64{3, 4, 9} {
		b.update(func(w store.Writer) error {
			return w.SetHead("w", store.Head{Epoch: "e", App: "app", Seq: seq, Mark: marks[seq], Time: at(int(seq)), Definition: 2})
		})
	}
	b.update(func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{}); landfall.CodeOf(err) != landfall.CodeConflict {
			t.Errorf("a second workspace of the same name: %v", err)
		}
		return nil
	})
	b.view(func(r store.Reader) error {
		h, err := r.Head("w")
		same(t, "head", h, &store.Head{Epoch: "e", App: "app", Seq: 9, Mark: "third", Time: at(9), Definition: 2})
		none, err2 := r.Head("nowhere")
		same(t, "no workspace", none == nil, true)
		for seq, want := range map[int64]string{0: "", 1: "first", 3: "first", 4: "second", 5: "third", 9: "third", 10: ""} {
			m, err := r.Mark("w", seq)
			if err != nil {
				return err
			}
			same(t, fmt.Sprintf("mark of %d", seq), m, want)
		}
		all, err3 := r.Workspaces()
		same(t, "workspaces", all, []string{"other", "w"})
		return errors.Join(err, err2, err3)
	})
}

// ledger: places are gapless, time does not run backwards, a batch that took no
// place leaves no trace.
func ledger(t *testing.T, b *bench) {
	batch := func(now time.Time, mark string, records ...string) {
		b.update(func(w store.Writer) error {
			l, err := store.Open(w, "w", now, mark)
			if err != nil {
				return err
			}
			for _, id := range records {
				r := record(id, l.Next())
				e := landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: []string{"all"}}}, Changes: []landfall.Change{{Type: "thing", ID: id, Action: landfall.Created, At: l.Now()}}}
				if err := l.Commit(&e); err != nil {
					return err
				}
			}
			return l.Close()
		})
	}
	batch(at(5), "m1", "a", "b")
	batch(at(1), "m2", "c")
	batch(at(9), "m3")
	b.view(func(r store.Reader) error {
		h, err := r.Head("w")
		same(t, "head", []any{h.Seq, h.Mark, h.Time}, []any{3, "m2", at(5)})
		feed, err2 := bare(r.Feed("w", "all", store.Spot{}, 9, 9))
		same(t, "feed", feed, []store.Entry{{Seq: 1, Type: "thing", ID: "a"}, {Seq: 2, Type: "thing", ID: "b"}, {Seq: 3, Type: "thing", ID: "c"}})
		return errors.Join(err, err2)
	})
	err := b.s.Update(t.Context(), func(w store.Writer) error {
		l, err := store.Open(w, "w", at(9), "m4")
		if err != nil {
			return err
		}
		return l.Commit(&landfall.Effects{Writes: []landfall.Write{{Record: record("d", 99)}}})
	})
	if err == nil {
		t.Error("a record with a version that is not its place was taken")
	}
}
