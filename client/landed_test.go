package client_test

import (
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A server that was restored got the same change again, by an export that was
// landed or a late copy of its push, at a later place than its receipt says. A
// backup that covers the place in the receipt does not hold it: the device keeps it.
func TestKeptWhatCameAgainLater(t *testing.T) {
	place := int64(5)
	var reply *wire.PullReply
	f := &fake{push: func(p wire.Push) (*wire.PushReply, error) {
		if reply.Expects.Next == 1 {
			reply = &wire.PullReply{Checkpoint: "d", Seq: 14, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 2}}
		}
		r := &wire.PushReply{Next: p.First + int64(len(p.Mutations))}
		for i := range p.Mutations {
			r.Receipts = append(r.Receipts, landfall.Receipt{N: p.First + int64(i), Result: landfall.Applied, Seq: place})
		}
		return r, nil
	}}
	seen := &wire.Expects{Incarnation: 1, Next: 2}
	reply = &wire.PullReply{Checkpoint: "a", Seq: 9, Definition: 1, Expects: seen}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	c := newClient(t, f)
	create(t, c, "one")
	sync(t, c)

	place = 12
	seen.LastHash = core.Hash(f.pushes[0].Mutations[0])
	f.pull = func(string) (*wire.PullReply, error) {
		f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
		return &wire.PullReply{Resync: true, Lost: true, Definition: 1, Expects: seen}, nil
	}
	reply = &wire.PullReply{Checkpoint: "b", Seq: 13, KeptThrough: 10, Definition: 1, Expects: seen}
	sync(t, c)

	reply = &wire.PullReply{Checkpoint: "c", Seq: 10, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 1}}
	before := len(f.pushes)
	sync(t, c)
	if len(f.pushes) == before {
		t.Fatal("the server was restored to its backup, and nothing is offered again")
	}
	if got := ops(t, f.pushes[before]); got != "create" {
		t.Errorf("what is offered again is: %s", got)
	}
}

// What was taken back is kept, too, while its receipt is of a history that was lost:
// asked for its number again, the device says that it was taken back, and not that it
// is lost.
func TestVoidKeptWhileItsReceiptIsAstray(t *testing.T) {
	seen := &wire.Expects{Incarnation: 1, Next: 2}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 9, Definition: 1, Expects: seen}
	f := &fake{pull: func(string) (*wire.PullReply, error) { return reply, nil }}
	f.push = func(wire.Push) (*wire.PushReply, error) {
		reply.Expects = &wire.Expects{Incarnation: 1, Next: 2}
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Applied, Seq: 9}}}, nil
	}
	c := newClient(t, f)
	if err := c.Revert(t.Context(), create(t, c, "one")); err != nil {
		t.Fatal(err)
	}
	sync(t, c)
	f.pull = func(string) (*wire.PullReply, error) {
		f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
		return &wire.PullReply{Resync: true, Lost: true, Definition: 1, Expects: seen}, nil
	}
	reply = &wire.PullReply{Checkpoint: "b", Seq: 12, KeptThrough: 11, Definition: 1, Expects: seen}
	sync(t, c)
	before := len(f.pushes)
	reply = &wire.PullReply{Checkpoint: "c", Seq: 10, KeptThrough: 8, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 1}}
	sync(t, c)
	if len(f.pushes) == before {
		t.Fatal("nothing is offered again")
	}
	if got := ops(t, f.pushes[before]); got != "void" {
		t.Errorf("what is offered again is: %s", got)
	}
}
