package client

import (
	"context"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
)

// Unsent counts the changes that the server has given no answer to.
func (c *Client) Unsent(ctx context.Context) (n int, err error) {
	err = c.opts.Storage.View(ctx, func(tx Tx) error {
		n, err = unsent(tx)
		return err
	})
	return n, err
}

func unsent(tx Tx) (n int, err error) {
	if _, err := enrolled(tx); err != nil {
		return 0, err
	}
	entries, err := tx.Entries()
	for _, e := range entries {
		if e.unsettled() {
			n++
		}
	}
	return n, err
}

// Logout removes the replica from the storage. With unsent work it refuses,
// unless that was exported, or is discarded explicitly.
func (c *Client) Logout(ctx context.Context, discard bool) error {
	err := c.opts.Storage.Update(ctx, func(tx Tx) error {
		n, err := unsent(tx)
		if err != nil {
			return err
		}
		if n > 0 && !discard {
			return landfall.Errorf(landfall.CodeConflict, "this device has work that was not sent: %d", n).
				WithHint("sync first; or take it along with --export FILE, for an administrator to land; --discard throws it away")
		}
		return tx.Clear()
	})
	if st, ok := c.opts.Storage.(Scrubber); ok && err == nil {
		err = st.Scrub(ctx)
	}
	return err
}

// Discard declares what was never sent lost, under its numbers, so that the
// server accounts for it, and tells the server as far as it can be reached. What
// was on its way is sent as it is, since it may have arrived. It returns how many
// were thrown away; an error means that the server did not hear of all of it.
func (c *Client) Discard(ctx context.Context) (n int, err error) {
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		if _, err := enrolled(tx); err != nil {
			return err
		}
		all, err := tx.Entries()
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.State != Pending {
				continue
			}
			b, err := encode(&landfall.Mutation{N: e.N, Op: landfall.OpLost, MadeAt: c.opts.Clock().UTC()})
			if err != nil {
				return err
			}
			e.Bytes, e.Hash, e.Reverted = b, core.Hash(b), true
			if err := tx.PutEntry(e); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	if err != nil {
		return n, err
	}
	if off, err := c.ready(ctx); err != nil || off {
		return n, landfall.Errorf(landfall.CodeUnavailable, "the network of this device is switched off")
	}
	for {
		b, err := c.batch(ctx, true)
		if err != nil || b.off || len(b.entries) == 0 {
			return n, err
		}
		if _, err := c.push(ctx, b, &Report{}); err != nil {
			return n, err
		}
	}
}
