package client_test

import (
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A server that could only store a push has not looked at the device: that it says
// nothing of an order does not take it back. The next whole answer does.
func TestStoredTakesNoOrderBack(t *testing.T) {
	cut := landfall.Errorf(landfall.CodeUnavailable, "cut")
	reply := &wire.PushReply{Next: 2, Order: wire.OrderRetire, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Stored}}}
	f := &fake{
		push: func(wire.Push) (*wire.PushReply, error) { return reply, nil },
		pull: func(string) (*wire.PullReply, error) { return nil, cut },
	}
	c := newClient(t, f)
	create(t, c, "one")
	enters := func() bool {
		_, err := c.Create(t.Context(), "expense", landfall.Fields{"purpose": landfall.Value(`"two"`), "amount": landfall.Value(`"1"`)})
		return err == nil
	}
	for _, step := range []struct {
		order  string
		result landfall.Result
		enters bool
	}{
		{wire.OrderRetire, landfall.Stored, false},
		{"", landfall.Stored, false},
		{"", landfall.Applied, true},
	} {
		reply.Order, reply.Receipts[0].Result = step.order, step.result
		if _, err := c.Sync(t.Context(), nil); landfall.CodeOf(err) != landfall.CodeUnavailable {
			t.Fatal(err)
		}
		if got := enters(); got != step.enters {
			t.Errorf("after %s with the order %q, something new can be entered: %t", step.result, step.order, got)
		}
	}
}

// The server was restored, and then told to have a device erased that may not pull
// any more: what it gave receipts for and has lost is offered again before.
func TestNothingIsErasedThatTheServerLost(t *testing.T) {
	for _, c := range []struct {
		name string
		says func(d *served, r *wire.PushReply) // beside where it stands
	}{
		{"it expects what it had", func(*served, *wire.PushReply) {}},
		{"a copy has used the numbers since", func(d *served, _ *wire.PushReply) { d.server.copied(2) }},
		{"the history of the checkpoint is lost", func(_ *served, r *wire.PushReply) { r.Lost = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newServed(t)
			before := d.server.backup()
			d.make("one", "two")
			all := d.outbox()
			d.server.restore(before)
			lost := map[string]bool{}
			d.fake.pull = func(string) (*wire.PullReply, error) {
				return nil, landfall.Errorf(landfall.CodeForbidden, "this device is to be erased")
			}
			d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
				reply, err := d.server.push(p)
				reply.Order = wire.OrderWipe
				if len(p.Mutations) == 0 {
					if !lost["said"] && !p.Wiped {
						c.says(d, reply)
						lost["said"] = true
					}
					reply.Expects = wire.Expected(d.server.incarnation, d.server.next, d.server.last)
				}
				return reply, err
			}
			for range 3 {
				if r, err := d.Sync(t.Context(), nil); r != nil && r.Erased {
					break
				} else if err != nil {
					t.Fatal(err)
				}
			}
			if len(d.outbox()) > 0 {
				t.Error("it is not erased")
			}
			for _, e := range all {
				if d.server.given(place{e.Incarnation, e.N}, e.Hash).Result == "" {
					t.Errorf("the server does not have %d.%d", e.Incarnation, e.N)
				}
			}
		})
	}
}

// The server was restored right after a device heard from it that it is to erase
// itself: it asks once more before it does.
func TestAskedRightBeforeErasing(t *testing.T) {
	d := newServed(t)
	before := d.server.backup()
	d.make("one", "two")
	all := d.outbox()
	asked := 0
	d.fake.pull = func(string) (*wire.PullReply, error) {
		return nil, landfall.Errorf(landfall.CodeForbidden, "this device is to be erased")
	}
	d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
		if len(p.Mutations) == 0 {
			if asked++; asked == 2 {
				d.server.restore(before)
			}
		}
		reply, err := d.server.push(p)
		reply.Order = wire.OrderWipe
		if len(p.Mutations) == 0 {
			reply.Expects = wire.Expected(d.server.incarnation, d.server.next, d.server.last)
		}
		return reply, err
	}
	for range 3 {
		if r, err := d.Sync(t.Context(), nil); r != nil && r.Erased {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if asked < 2 {
		t.Error("it did not ask once more")
	}
	if len(d.outbox()) > 0 {
		t.Error("it is not erased")
	}
	for _, e := range all {
		if d.server.given(place{e.Incarnation, e.N}, e.Hash).Result == "" {
			t.Errorf("the server does not have %d.%d", e.Incarnation, e.N)
		}
	}
}

// Nothing tells a device that a restored server has lost what it had kept beside an
// incarnation. So all that is on a device is offered once more before it is erased,
// and again when that was broken off.
func TestAllIsOfferedOnceMoreBeforeErasing(t *testing.T) {
	d := newServed(t)
	before := d.server.backup()
	d.make("one", "two")
	all := d.outbox()
	stands := wire.Expected(d.server.incarnation, d.server.next, d.server.last)
	d.fake.pull = func(string) (*wire.PullReply, error) {
		return nil, landfall.Errorf(landfall.CodeForbidden, "this device is to be erased")
	}
	d.server.restore(before)
	asked := 0
	d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
		reply, err := d.server.push(p)
		reply.Order = wire.OrderWipe
		if len(p.Mutations) == 0 {
			reply.Expects = stands
			if asked++; asked == 2 {
				d.server.restore(before)
				return nil, landfall.Errorf(landfall.CodeUnavailable, "cut")
			}
		}
		return reply, err
	}
	for range 3 {
		if r, err := d.Sync(t.Context(), nil); r != nil && r.Erased {
			break
		} else if err != nil && landfall.CodeOf(err) != landfall.CodeUnavailable {
			t.Fatal(err)
		}
	}
	if len(d.outbox()) > 0 {
		t.Error("it is not erased")
	}
	for _, e := range all {
		if d.server.given(place{e.Incarnation, e.N}, e.Hash).Result == "" {
			t.Errorf("the server does not have %d.%d", e.Incarnation, e.N)
		}
	}
}
