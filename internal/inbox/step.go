package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// batchMutations is about how many mutations are judged in one transaction.
const batchMutations = 5000

// Step takes what is offered and judges a batch. It reports whether there was
// something to do; an error is trouble of the store, after which it can be
// called again.
func (in *Inbox) Step(ctx context.Context) (worked bool, err error) {
	in.stepping.Lock()
	defer in.stepping.Unlock()
	if !in.recovered {
		if err := in.recover(ctx); err != nil {
			return false, err
		}
	}
	if err := in.clear(ctx); err != nil {
		return true, err
	}
	offers := in.take()
	took := len(offers) > 0
	if took && !in.careful() && len(in.pending) == 0 {
		now, later := in.divide(offers)
		offers = append(in.direct(ctx, now), in.wait(later)...)
		if len(offers) == 0 {
			return true, nil
		}
	}
	if err := in.capture(ctx, offers); err != nil {
		return true, err
	}
	judged, err := in.judgeBatch(ctx)
	return took || judged, err
}

// take is what is offered now.
func (in *Inbox) take() []*captured {
	in.mu.Lock()
	defer in.mu.Unlock()
	offers := in.offers
	in.offers = nil
	return offers
}

// divide takes what fits into one transaction off the offers: one at least.
func (in *Inbox) divide(offers []*captured) (now, later []*captured) {
	n, weight := 1, len(offers[0].push.Mutations)
	for n < len(offers) && weight+len(offers[n].push.Mutations) <= in.batch {
		weight += len(offers[n].push.Mutations)
		n++
	}
	return offers[:n:n], offers[n:]
}

// wait offers again, before all that came meanwhile, what can wait for the next
// transaction. What has waited long is returned: it is worth capturing, so that
// its device hears that it is stored.
func (in *Inbox) wait(offers []*captured) (long []*captured) {
	if len(offers) == 0 {
		return nil
	}
	soon := slices.Clone(offers)
	old := in.cfg.Clock().Add(in.cfg.Patience/4 - in.cfg.Patience)
	for len(soon) > 0 && soon[0].row.Received.Before(old) {
		long, soon = append(long, soon[0]), soon[1:]
	}
	in.mu.Lock()
	in.offers = append(soon, in.offers...)
	in.mu.Unlock()
	return long
}

// direct judges what is offered in one transaction, without capturing it first:
// the verdicts are as durable as the capture would have been. What fails, or
// what may have ended the server before, is captured and then taken apart: the
// pushes that are returned.
func (in *Inbox) direct(ctx context.Context, offers []*captured) []*captured {
	for len(offers) > 0 {
		n := sameWorkspace(offers)
		if err := in.judgeTogether(ctx, offers[:n]); err != nil {
			in.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a batch could not be committed; its pushes are captured", slog.Int("pushes", n), slog.String("error", err.Error()))
			break
		}
		offers = offers[n:]
	}
	return offers
}

func sameWorkspace(pushes []*captured) int {
	n := 1
	for n < len(pushes) && pushes[n].ws == pushes[0].ws {
		n++
	}
	return n
}

// capture stores all that is offered, of all workspaces, in one commit.
func (in *Inbox) capture(ctx context.Context, offers []*captured) error {
	if len(offers) == 0 {
		return nil
	}
	err := in.cfg.Store.Update(ctx, func(w store.Writer) error {
		for _, c := range offers {
			if err := w.AddPush(c.ws, &c.row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		for _, c := range offers {
			c.row.ID = 0
			c.answer(result{err: &landfall.Error{Code: landfall.CodeUnavailable, Message: "the server could not store this; nothing is lost", Hint: "the device sends it again by itself", Err: err}})
			in.release(c)
		}
		return err
	}
	for _, c := range offers {
		close(c.offer.stored)
	}
	in.pending = append(in.pending, offers...)
	return nil
}

// judgeBatch judges what was captured first, many devices in one transaction.
// When the transaction fails, each push is tried alone, then each mutation, so
// that one that can't be stored does not stop the others.
func (in *Inbox) judgeBatch(ctx context.Context) (bool, error) {
	if len(in.pending) == 0 {
		return false, nil
	}
	n, w := 1, len(in.pending[0].push.Mutations)
	for n < sameWorkspace(in.pending) && w < in.batch {
		w += len(in.pending[n].push.Mutations)
		n++
	}
	batch := in.pending[:n]
	err := in.judgeTogether(ctx, batch)
	if err != nil {
		in.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a batch could not be committed; trying its pushes alone", slog.Int("pushes", n), slog.String("error", err.Error()))
		return true, in.judgeApart(ctx, batch)
	}
	in.pending = in.pending[n:]
	return true, nil
}

// judgeTogether is one transaction; whoever waits is told after its commit.
func (in *Inbox) judgeTogether(ctx context.Context, batch []*captured) error {
	defer in.begin(batch)()
	results := make([]result, len(batch))
	err := in.judge(ctx, batch[0].ws, func(j *judging) error {
		for i, c := range batch {
			p := pushing{judging: j, c: c}
			reply, err := p.all()
			if errors.Is(err, errNoDevice) && c.row.ID == 0 {
				results[i].err = err
				continue
			}
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
		in.release(c)
	}
	return nil
}

func (c *captured) answer(r result) {
	if c.offer != nil {
		c.offer.end(r)
		c.offer = nil
	}
}

// judgeApart gives each unit of each push a transaction of its own. A unit that
// still fails becomes an issue of kind internal; if not even that can be
// stored, the trouble is the store's.
func (in *Inbox) judgeApart(ctx context.Context, batch []*captured) error {
	for _, c := range batch {
		for _, u := range in.units(&c.push) {
			if err := in.judgeAlone(ctx, c, u); err != nil {
				return err
			}
		}
		if err := in.judgeTogether(ctx, []*captured{c}); err != nil {
			return err
		}
		in.pending = in.pending[1:]
	}
	return nil
}

func (in *Inbox) judgeAlone(ctx context.Context, c *captured, u unit) error {
	defer in.begin([]*captured{c})()
	alone := func(poison bool) error {
		return in.judge(ctx, c.ws, func(j *judging) error { return (&pushing{judging: j, c: c}).only(u, poison) })
	}
	err := alone(false)
	if err != nil {
		err = alone(false) // once more: the trouble may have been the store's, and be over
	}
	if err == nil || ctx.Err() != nil || landfall.CodeOf(err) == landfall.CodeUnavailable {
		return err // nothing is wrong with the change: it waits until the store can do its work
	}
	in.cfg.Log.LogAttrs(ctx, slog.LevelError, "a change could not be judged", slog.String("device", c.row.Replica), slog.String("error", err.Error()))
	return alone(true)
}

// recover finds what was captured and not judged before the server died.
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
					in.hold(c)
				}
			}
		}
		return nil
	})
	if err == nil {
		in.suspects, in.recovered = found, true
	}
	return err
}

// mostDeaths is how many servers one mutation may take with it before it is an
// issue, unjudged.
const mostDeaths = 2

// clear judges what was under way when a server died. The first time it is
// judged like everything else; if the server dies again, one by one, each noted
// before it is tried; what was tried when two servers died is an issue of kind
// internal, unseen.
func (in *Inbox) clear(ctx context.Context) error {
	if len(in.suspects) == 0 {
		return nil
	}
	fresh := in.suspects[:0:0]
	for _, c := range in.suspects {
		c.row.Tried++
		if err := in.mark(ctx, c); err != nil {
			in.lookAgain()
			return err
		}
		if c.row.Tried == 1 {
			fresh = append(fresh, c)
			continue
		}
		if err := in.oneByOne(ctx, c); err != nil {
			in.lookAgain()
			return err
		}
	}
	in.pending = append(fresh, in.pending...)
	in.suspects = nil
	return nil
}

// lookAgain: some of what is captured may be judged by now.
func (in *Inbox) lookAgain() {
	for _, c := range in.suspects {
		in.release(c)
	}
	in.suspects, in.recovered = nil, false
}

func (in *Inbox) mark(ctx context.Context, c *captured) error {
	return in.cfg.Store.Update(ctx, func(w store.Writer) error { return w.MarkPush(c.ws, &c.row) })
}

func (in *Inbox) oneByOne(ctx context.Context, c *captured) error {
	for _, u := range in.units(&c.push) {
		n := c.push.First + int64(u.from)
		if n < c.row.Trying {
			continue
		}
		if n > c.row.Trying {
			c.row.Trying, c.row.Tries = n, 0
		}
		if c.row.Tries >= mostDeaths {
			in.cfg.Log.LogAttrs(ctx, slog.LevelError, "a change ended the server each time it was judged; it is an issue now", slog.String("device", c.row.Replica), slog.Int64("n", n))
			if err := in.judge(ctx, c.ws, func(j *judging) error { return (&pushing{judging: j, c: c}).only(u, true) }); err != nil {
				return err
			}
			continue
		}
		c.row.Tries++
		if err := in.mark(ctx, c); err != nil {
			return err
		}
		if err := in.judgeAlone(ctx, c, u); err != nil {
			return err
		}
	}
	return in.judgeTogether(ctx, []*captured{c})
}
