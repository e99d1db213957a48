package inbox

import (
	"context"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// tight is a store on a disk that has no room for changes of one record, as
// long as it is full; smaller things fit.
type tight struct {
	store.Store
	full bool
	id   string
}

func (s *tight) Update(ctx context.Context, do func(store.Writer) error) error {
	return s.Store.Update(ctx, func(w store.Writer) error { return do(&cramped{w, s}) })
}

type cramped struct {
	store.Writer
	s *tight
}

func (c *cramped) AddChange(ws string, ch *landfall.Change) error {
	if c.s.full && ch.ID == c.s.id {
		return landfall.Errorf(landfall.CodeUnavailable, "the database can't do its work: the disk is full")
	}
	return c.Writer.AddChange(ws, ch)
}

// What the store has no room for waits until it has. It is no issue: nothing is
// wrong with the change.
func TestTroubleOfTheStoreIsNoIssue(t *testing.T) {
	in, st := stocked(t, 0)
	full := &tight{Store: st, full: true, id: sheet + "2"}
	in.cfg.Store = full
	type answer struct {
		results string
		err     error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := in.Push(t.Context(), "w", phone, body(t, 1, creation(1, "one"), creation(2, "large"), creation(3, "three")))
		if err != nil {
			done <- answer{err: err}
			return
		}
		done <- answer{results: strings.Join(results(r), ", ")}
	}()
	<-in.Offered()
	for range 3 {
		if _, err := in.Step(t.Context()); landfall.CodeOf(err) != landfall.CodeUnavailable {
			t.Fatalf("the store's trouble was kept from the caller: %v", err)
		}
	}
	full.full = false
	if worked, err := in.Step(t.Context()); !worked || err != nil {
		t.Fatalf("%v %v", worked, err)
	}
	if a := <-done; a.err != nil || a.results != "applied, applied, applied" {
		t.Errorf("%+v", a)
	}
}
