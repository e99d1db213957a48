package inbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// cleanedAtOnce is how many items one transaction cleans.
const cleanedAtOnce = 500

// Clean removes the parameters and logs of a number of items that were completed
// before a point in time, the longest ago first. Administrators only. It is done
// when Next is empty.
func (in *Inbox) Clean(ctx context.Context, ws string, actor landfall.Actor, before time.Time, after string, dryRun bool) (*wire.Cleaning, error) {
	allowed := func(r store.Reader) error {
		actor, err := now(r, ws, actor)
		if err == nil && !actor.Has(landfall.Administrator) {
			err = errNotAdministrator
		}
		return err
	}
	out, err := in.clean(ctx, ws, cleaning{by: actor.User, before: before, after: after, dry: dryRun, allowed: allowed})
	if errors.Is(err, errNotAdministrator) {
		return nil, in.forbidden(ctx, ws, actor.User, store.InboxClean, "", "clean the inbox")
	}
	return out, err
}

var errNotAdministrator = landfall.Errorf(landfall.CodeForbidden, "this takes an administrator")

// CleanOld is Clean by the server itself.
func (in *Inbox) CleanOld(ctx context.Context, ws string, before time.Time, after string) (*wire.Cleaning, error) {
	return in.clean(ctx, ws, cleaning{by: store.ByServer, before: before, after: after, allowed: func(store.Reader) error { return nil }})
}

// cleaning is one step of it.
type cleaning struct {
	by      string
	before  time.Time
	after   string
	dry     bool
	allowed func(store.Reader) error
}

func (in *Inbox) clean(ctx context.Context, ws string, c cleaning) (out *wire.Cleaning, err error) {
	if c.dry {
		err = in.cfg.Store.View(ctx, func(r store.Reader) error {
			out, _, err = c.look(r, ws)
			return err
		})
		return out, err
	}
	err = in.cfg.Store.Update(ctx, func(w store.Writer) error {
		var old []*store.Item
		if out, old, err = c.look(w, ws); err != nil || len(old) == 0 {
			return err
		}
		at := in.cfg.Clock().UTC()
		for _, it := range old {
			it.Clean(at)
			if err := w.PutItem(ws, it); err != nil {
				return err
			}
		}
		return w.AddAudit(ws, store.Done(c.by, store.InboxClean, "", at).With("items", strconv.Itoa(len(old))).With("before", c.before.UTC().Format(time.RFC3339)))
	})
	return out, err
}

// look finds what is to be cleaned, and counts it.
func (c *cleaning) look(r store.Reader, ws string) (*wire.Cleaning, []*store.Item, error) {
	if err := c.allowed(r); err != nil {
		return nil, nil, err
	}
	found, err := r.Aging(ws, c.before, store.Page{After: c.after, Limit: cleanedAtOnce})
	if err != nil {
		return nil, nil, err
	}
	out := &wire.Cleaning{Before: c.before, Next: found.Next, DryRun: c.dry}
	var old []*store.Item
	for _, it := range found.Rows {
		needed, err := stillNeeded(r, ws, it)
		if err != nil {
			return nil, nil, err
		}
		if needed {
			out.Kept++
			continue
		}
		old = append(old, it)
	}
	out.Cleaned = len(old)
	return out, old, nil
}

// stillNeeded: an issue that the item was, or waited in, is open again.
func stillNeeded(r store.Reader, ws string, it *store.Item) (bool, error) {
	issues := []string{it.Receipt.Issue}
	if o := it.Outcome; o != nil && o.Issue != it.Receipt.Issue {
		issues = append(issues, o.Issue)
	}
	for _, id := range issues {
		if id == "" {
			continue
		}
		row, err := r.Issue(ws, id)
		if err != nil || row != nil && row.Issue.Open() {
			return true, err
		}
	}
	return false, nil
}
