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
