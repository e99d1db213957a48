package watch_test

import (
	"context"
	"errors"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/store/storetest"
)

// A store that is watched is still a store.
func TestConformance(t *testing.T) {
	storetest.Run(t, func(*testing.T) store.Store { return watch.New(memory.New()) })
}

// What was written is remembered in order, as it was at that moment.
func TestRemembers(t *testing.T) {
	s := watch.New(memory.New())
	if s.Last() != nil {
		t.Fatal("something is remembered before the first transaction")
	}
	rec := &landfall.Record{Type: "job", ID: "1", Version: 1, Fields: landfall.Fields{"site": landfall.Value(`"here"`)}}
	change := &landfall.Change{Seq: 1, Type: "job", ID: "1", Set: landfall.Fields{"site": landfall.Value(`"here"`)}}
	item := &store.Item{Key: landfall.Key{Replica: "phone", Incarnation: 1, N: 1}, State: store.Queued, History: []store.ItemEvent{{Text: "came"}}}
	user := &store.User{Name: "emma", Roles: []string{"worker"}}
	err := s.Update(context.Background(), func(w store.Writer) error {
		err := errors.Join(w.CreateWorkspace("w", store.Head{Epoch: "e"}), w.AddChange("w", change), w.AddItem("w", item), w.PutUser("w", user), w.PutRecord("w", rec, []string{"all"}))
		rec.Fields["site"], change.Set["site"], item.State, item.History[0].Text, user.Roles[0] = nil, nil, store.Completed, "went", "boss"
		return errors.Join(err, w.PutItem("w", item), w.SetHead("w", store.Head{Epoch: "e", Seq: 1, Mark: "m"}))
	})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Last()
	if c.WS != "w" || len(c.Ops) != 7 {
		t.Fatalf("%q wrote %d times", c.WS, len(c.Ops))
	}
	at := func(n int) *watch.Op { return &c.Ops[n] }
	if at(0).Created == nil || string(at(1).Change.Set["site"]) != `"here"` || !at(2).Added || at(2).Item.State != store.Queued || at(2).Item.History[0].Text != "came" {
		t.Errorf("%+v", c.Ops[:3])
	}
	if at(3).User.Roles[0] != "worker" || string(at(4).Record.Fields["site"]) != `"here"` || at(4).Keys[0] != "all" || at(5).Added || at(5).Item.State != store.Completed || at(6).Head.Seq != 1 {
		t.Errorf("%+v", c.Ops[3:])
	}
}

// A transaction whose function fails is not remembered.
func TestForgetsWhatFailed(t *testing.T) {
	s := watch.New(memory.New())
	want := errors.New("no")
	err := s.Update(context.Background(), func(w store.Writer) error {
		return errors.Join(w.CreateWorkspace("w", store.Head{}), want)
	})
	if !errors.Is(err, want) || s.Last() != nil {
		t.Errorf("%v: %+v", err, s.Last())
	}
}
