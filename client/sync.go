package client

import (
	"context"
	"errors"
	"time"

	"github.com/landfall-sync/landfall"
)

// Progress tells how far a Sync is.
type Progress struct {
	Sent     int `json:"sent"`
	Received int `json:"received"`
}

// Report is what a Sync did.
type Report struct {
	Progress
	Applied int `json:"applied"`
	Issues  int `json:"issues"` // changes that became or wait in an issue
	Waiting int `json:"waiting"`
	// Attention counts the open issues of this device.
	Attention int `json:"attention"`
	// Retired: the server asked for everything, and has it. Nothing new can be
	// entered on the device.
	Retired bool `json:"retired,omitempty"`
	// Erased: the server asked for it, and nothing is on the device any more.
	Erased bool `json:"erased,omitempty"`
}

// Sync sends first, then receives, until there is nothing left to do. When the
// server can't be reached it is CodeUnavailable, and nothing is lost.
func (c *Client) Sync(ctx context.Context, progress func(Progress)) (*Report, error) {
	r := &Report{}
	if progress == nil {
		progress = func(Progress) {}
	}
	if gone, err := c.confirm(ctx); gone != nil || err != nil {
		r.Erased = gone != nil
		if err == nil {
			err = gone.error()
		}
		return r, err
	}
	err := c.sync(ctx, r, progress)
	if r.Erased {
		return r, err
	}
	st, serr := c.Status(ctx)
	if st != nil {
		r.Waiting, r.Attention = st.Waiting, st.Attention
	}
	return r, errors.Join(err, serr)
}

func (c *Client) sync(ctx context.Context, r *Report, progress func(Progress)) error {
	off, err := c.ready(ctx)
	if err != nil {
		return err
	}
	if off {
		return landfall.Errorf(landfall.CodeUnavailable, "the network of this device is switched off").WithHint("switch it on: landfall field network on; nothing is lost meanwhile")
	}
	stored := false
	for {
		did, err := c.step(ctx, r, stored)
		if err != nil {
			return err
		}
		stored = stored || did == storedOnly
		progress(r.Progress)
		if did == nothing {
			break
		}
	}
	if r.Erased {
		return nil
	}
	err = c.Refresh(ctx)
	if r.Retired, err = c.retired(ctx, err); err != nil {
		return err
	}
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		s.LastSync = c.opts.Clock().UTC()
		return save(tx, s)
	})
}

// ready ends a back-off, since somebody asks for a sync now.
func (c *Client) ready(ctx context.Context) (off bool, err error) {
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		off = s.NetworkOff
		if s.NotBefore.IsZero() {
			return nil
		}
		s.NotBefore = time.Time{}
		return save(tx, s)
	})
	return off, err
}

// Step does one thing that there is to do, a push or a page of a pull, and
// reports whether it did. Before a back-off has ended, and without a network,
// there is nothing to do.
func (c *Client) Step(ctx context.Context) (worked bool, err error) {
	did, err := c.step(ctx, &Report{}, false)
	return did != nothing, err
}

// deed is what a step did.
type deed int

const (
	nothing deed = iota
	something
	storedOnly // a push whose verdicts are still to come
)

func (c *Client) step(ctx context.Context, r *Report, skipStored bool) (_ deed, err error) {
	b, err := c.batch(ctx, skipStored)
	if err != nil || b == nil {
		return nothing, err
	}
	if b.off {
		return nothing, nil
	}
	defer func() {
		if err != nil {
			c.handed.Store(false)
		}
	}()
	var did deed
	switch {
	case b.wipe:
		if did, err = c.wipe(ctx, b, r); r.Erased {
			return did, err
		}
	case len(b.entries) > 0:
		did, err = c.push(ctx, b, r)
	default:
		did, err = c.pull(ctx, b, r)
	}
	return did, c.noted(ctx, err)
}

// The bounds of the back-off.
const (
	shortestBackOff = time.Second
	longestBackOff  = 5 * time.Minute
)

// noted keeps whether the server was reached, and when to try again.
func (c *Client) noted(ctx context.Context, cause error) error {
	if cause != nil && ctx.Err() != nil {
		return cause
	}
	code := landfall.CodeOf(cause)
	later := cause != nil && (code == landfall.CodeUnavailable || code == landfall.CodeBusy || code == landfall.CodeInternal)
	err := c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		unreached := cause != nil && code == landfall.CodeUnavailable
		if s.Unreached == unreached && !later && s.Failures == 0 {
			return nil
		}
		s.Unreached, s.NotBefore = unreached, time.Time{}
		if !later {
			s.Failures = 0
			return save(tx, s)
		}
		s.Failures++
		wait := min(shortestBackOff<<min(s.Failures-1, 16), longestBackOff)
		wait = wait/2 + time.Duration(c.opts.Random()*float64(wait/2))
		if after := (*RetryAfter)(nil); errors.As(cause, &after) {
			wait = max(wait, after.Wait)
		}
		s.NotBefore = c.opts.Clock().Add(wait)
		return save(tx, s)
	})
	return errors.Join(cause, err)
}

// RetryAfter is in the chain of an error when the server said how long to wait.
type RetryAfter struct{ Wait time.Duration }

func (r *RetryAfter) Error() string { return "try again after " + r.Wait.String() }

// Refresh fetches the definition, with the roles that the user has now. After
// it a new device can work offline; Sync does it, too.
func (c *Client) Refresh(ctx context.Context) error {
	d, err := c.opts.Transport.Definition(ctx)
	if err != nil {
		return err
	}
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		s.Definition = d
		return save(tx, s)
	})
}
