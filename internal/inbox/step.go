package inbox

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// batchMutations is about how many mutations are judged in one transaction.
const batchMutations = 5000

// Step captures what is offered in one commit, then judges a batch in another.
// It reports whether there was something to do; an error is trouble of the
// store, after which it can be called again.
func (in *Inbox) Step(ctx context.Context) (worked bool, err error) {
	in.stepping.Lock()
	defer in.stepping.Unlock()
	if !in.recovered {
		if err := in.recover(ctx); err != nil {
			return false, err
		}
	}
	captured, err := in.capture(ctx)
	if err != nil {
		return captured, err
	}
	judged, err := in.judgeBatch(ctx)
	return captured || judged, err
}

// recover finds what was captured and not judged before a crash.
func (in *Inbox) recover(ctx context.Context) error {
	var found []*captured
	err := in.cfg.Store.View(ctx, func(r store.Reader) error {
		workspaces, err := r.Workspaces()
		if err != nil {
			return err
		}
		for _, ws := range workspaces {
			after := int64(0)
			for {
				rows, err := r.Pushes(ws, after, 100)
				if err != nil {
					return err
				}
				if len(rows) == 0 {
					break
				}
				for _, row := range rows {
					c := &captured{ws: ws, row: row}
					if err := json.Unmarshal(row.Body, &c.push); err != nil {
						return err // it was read before it was captured
					}
					found, after = append(found, c), row.ID
				}
			}
		}
		return nil
	})
	if err == nil {
		in.pending, in.recovered = found, true
	}
	return err
}

// capture stores all that is offered, of all workspaces, in one commit.
func (in *Inbox) capture(ctx context.Context) (bool, error) {
	in.mu.Lock()
	offers := in.offers
	in.offers = nil
	in.mu.Unlock()
	if len(offers) == 0 {
		return false, nil
	}
	rows := make([]*captured, len(offers))
	err := in.cfg.Store.Update(ctx, func(w store.Writer) error {
		for i, o := range offers {
			rows[i] = &captured{ws: o.ws, push: o.push, offer: o, row: store.Push{Replica: o.replica, Received: o.received, Body: o.body}}
			if err := w.AddPush(o.ws, &rows[i].row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for _, o := range offers {
			o.done <- result{err: &landfall.Error{Code: landfall.CodeUnavailable, Message: "the server could not store this; nothing is lost", Hint: "the device sends it again by itself", Err: err}}
		}
		return true, err
	}
	for _, o := range offers {
		close(o.stored)
	}
	in.pending = append(in.pending, rows...)
	return true, nil
}

// judgeBatch judges what was captured first, many devices in one transaction.
// When the transaction fails, each push is tried alone, then each mutation, so
// that one that can't be stored does not stop the others.
func (in *Inbox) judgeBatch(ctx context.Context) (bool, error) {
	if len(in.pending) == 0 {
		return false, nil
	}
	n, weight := 0, 0
	for n < len(in.pending) && in.pending[n].ws == in.pending[0].ws && (n == 0 || weight < batchMutations) {
		weight += len(in.pending[n].push.Mutations)
		n++
	}
	batch := in.pending[:n]
	err := in.judgeTogether(ctx, batch)
	if err != nil {
		in.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a batch could not be committed; trying its pushes alone", slog.Int("pushes", n), slog.String("error", err.Error()))
		err = in.judgeApart(ctx, batch)
	}
	if err != nil {
		return true, err
	}
	in.pending = in.pending[n:]
	return true, nil
}

// judgeTogether is one transaction; whoever waits is told after its commit.
func (in *Inbox) judgeTogether(ctx context.Context, batch []*captured) error {
	results := make([]result, len(batch))
	err := in.judge(ctx, batch[0].ws, func(j *judging) error {
		for i, c := range batch {
			p := pushing{judging: j, c: c}
			reply, err := p.all()
			if err != nil {
				return err
			}
			results[i].reply = reply
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, c := range batch {
		c.answer(results[i])
	}
	return nil
}

func (c *captured) answer(r result) {
	if c.offer != nil {
		c.offer.done <- r
		c.offer = nil
	}
}

// judgeApart gives each unit of each push a transaction of its own. A unit that
// still fails becomes an issue of kind internal; if not even that can be
// stored, the trouble is the store's.
func (in *Inbox) judgeApart(ctx context.Context, batch []*captured) error {
	for _, c := range batch {
		for _, u := range in.units(&c.push) {
			alone := func(j *judging) error { return (&pushing{judging: j, c: c}).only(u, false) }
			err := in.judge(ctx, c.ws, alone)
			if err != nil {
				err = in.judge(ctx, c.ws, alone) // once more: the trouble may have been the store's, and be over
			}
			if err == nil {
				continue
			}
			if ctx.Err() != nil {
				return err
			}
			in.cfg.Log.LogAttrs(ctx, slog.LevelError, "a change could not be judged", slog.String("device", c.row.Replica), slog.String("error", err.Error()))
			if err := in.judge(ctx, c.ws, func(j *judging) error { return (&pushing{judging: j, c: c}).only(u, true) }); err != nil {
				return err
			}
		}
		if err := in.judgeTogether(ctx, []*captured{c}); err != nil {
			return err
		}
	}
	return nil
}
