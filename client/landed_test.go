package client_test

import (
	"strconv"
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
// is lost. A void takes no place of its own, so that nothing that the device pulled
// may be lost with it.
func TestVoidKeptWhileItsReceiptIsAstray(t *testing.T) {
	for name, word := range map[string]wire.PullReply{
		"what was pulled is lost": {Resync: true, Lost: true},
		"nothing that was pulled": {NewEpoch: true, Checkpoint: "b", Seq: 12, KeptThrough: 11},
		"a checkpoint of old":     {Resync: true},
		"a full sync was asked":   {Resync: true, NewEpoch: true, Checkpoint: "first"},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &wire.Expects{Incarnation: 1, Next: 2}
			reply := &wire.PullReply{Checkpoint: "a", Seq: 9, Definition: 1, Expects: seen}
			f := &fake{pull: func(string) (*wire.PullReply, error) { return reply, nil }}
			f.push = func(wire.Push) (*wire.PushReply, error) {
				reply.Expects = seen
				return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Applied, Seq: 9}}}, nil
			}
			c := newClient(t, f)
			if err := c.Revert(t.Context(), create(t, c, "one")); err != nil {
				t.Fatal(err)
			}
			sync(t, c)
			f.pull = func(string) (*wire.PullReply, error) {
				f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
				word.Definition, word.Expects = 1, seen
				return &word, nil
			}
			reply = &wire.PullReply{Checkpoint: "c", Seq: 12, KeptThrough: 11, Definition: 1, Expects: seen}
			sync(t, c)
			before := len(f.pushes)
			reply = &wire.PullReply{Checkpoint: "d", Seq: 10, KeptThrough: 8, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 1}}
			sync(t, c)
			if len(f.pushes) == before {
				t.Fatal("nothing is offered again")
			}
			if got := ops(t, f.pushes[before]); got != "void" {
				t.Errorf("what is offered again is: %s", got)
			}
		})
	}
}

// A change without effect takes no place either. Once a backup covers the one in its
// receipt, a new epoch has it pushed once more, and let go after that.
func TestAskedOnceAfterANewEpoch(t *testing.T) {
	seen := &wire.Expects{Incarnation: 1, Next: 2}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 9, Definition: 1, Expects: seen}
	f := &fake{pull: func(string) (*wire.PullReply, error) { return reply, nil }}
	f.push = func(wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Applied, Seq: 9}}}, nil
	}
	c := newClient(t, f)
	create(t, c, "one")
	sync(t, c)
	for n, want := range []int{1, 2, 2} { // not covered, covered, again
		covered := []int64{8, 11, 11}[n]
		reply = &wire.PullReply{Checkpoint: "b" + strconv.Itoa(n), Seq: 12, KeptThrough: covered, Definition: 1, Expects: seen, NewEpoch: n == 0}
		f.pull = func(string) (*wire.PullReply, error) {
			told := *reply
			reply.NewEpoch = false
			return &told, nil
		}
		sync(t, c)
		if len(f.pushes) != want {
			t.Fatalf("covered through %d: %d pushes, want %d", covered, len(f.pushes), want)
		}
	}
	if left, err := c.Log(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("%+v %v", left, err)
	}
}
