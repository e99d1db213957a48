package store_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// recorder is a writer that tells what was written, in order.
type recorder struct {
	store.Writer
	wrote []string
}

func (r *recorder) PutReplica(ws string, rep *store.Replica) error {
	r.wrote = append(r.wrote, "replica "+rep.ID)
	return r.Writer.PutReplica(ws, rep)
}

func (r *recorder) SetCounter(ws, series string, n int64) error {
	r.wrote = append(r.wrote, "counter "+series)
	return r.Writer.SetCounter(ws, series, n)
}

// What a verdict counts, and what a batch holds back, is written in the same
// order each time.
func TestOrderOfWrites(t *testing.T) {
	names := func(kind string) (out []string) {
		for i := range 20 {
			out = append(out, fmt.Sprintf("%s %02d", kind, i))
		}
		return out
	}
	err := memory.New().Update(t.Context(), func(w store.Writer) error {
		r := &recorder{Writer: w}
		b := store.NewBatch(r, "w")
		e := landfall.Effects{Counters: map[string]int64{}}
		for _, name := range names("of") {
			e.Counters["verdict "+name] = 1
			if err := errors.Join(b.PutReplica("w", &store.Replica{ID: name}), b.SetCounter("w", "batch "+name, 1)); err != nil {
				return err
			}
		}
		err := w.CreateWorkspace("w", store.Head{})
		l, err2 := store.Open(r, "w", time.Time{}, "m")
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		if err := errors.Join(l.Commit(&e), b.Flush()); err != nil {
			return err
		}
		want := slices.Concat(names("counter verdict of"), names("replica of"), names("counter batch of"))
		if !slices.Equal(r.wrote, want) {
			t.Errorf("got %q", r.wrote)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The records of one verdict may pass a unique value on to each other.
func TestUniqueValuePassedOn(t *testing.T) {
	hold := func(seq int64, values map[string]string) landfall.Effects {
		var e landfall.Effects
		for _, id := range []string{"b", "a"} {
			r := &landfall.Record{Type: "van", ID: id, Version: seq}
			e.Writes = append(e.Writes, landfall.Write{Record: r, Unique: map[string]string{"plate": values[id]}})
		}
		return e
	}
	s := memory.New()
	err := s.Update(t.Context(), func(w store.Writer) error {
		err := w.CreateWorkspace("w", store.Head{})
		l, err2 := store.Open(w, "w", time.Time{}, "m")
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		first, swapped := hold(1, map[string]string{"a": "X", "b": "Y"}), hold(2, map[string]string{"a": "Y", "b": "X"})
		if err := errors.Join(l.Commit(&first), l.Commit(&swapped)); err != nil {
			return err
		}
		holder, err := w.Unique("w", "van", "plate", "X")
		if holder != "b" {
			t.Errorf("X is held by %q", holder)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
