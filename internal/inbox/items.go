package inbox

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// waitingShown is how many captured pushes a list looks into.
const waitingShown = 100

// mostLooked is how many items a page of the inbox is looked for in.
const mostLooked = 20_000

// behindWaiting is the cursor behind all that waits for its first verdict.
const behindWaiting = "waiting"

// Items lists the inbox, newest received first or, where the page asks for it,
// oldest first. Administrators see all of it, others what is their own. What
// waits for its first verdict counts as the newest; a list shows at most a page
// of it. A page is looked for in so many items at most: Next goes on from there,
// and SearchedTo says how far it came, even when nothing was found. Names in the
// filter are those that people use; one that is not known is CodeInvalid.
func (in *Inbox) Items(ctx context.Context, ws string, actor landfall.Actor, f store.ItemFilter, p store.Page) (wire.List[wire.ItemView], error) {
	out := wire.List[wire.ItemView]{Items: []wire.ItemView{}}
	err := in.cfg.Store.View(ctx, func(r store.Reader) error {
		actor, err := now(r, ws, actor)
		if err != nil {
			return err
		}
		v := newViewer(in, r, ws, actor)
		if !actor.Has(landfall.Administrator) {
			if f.User != "" && f.User != actor.User {
				return nil
			}
			f.User = actor.User
		}
		if err := v.resolve(&f); err != nil {
			return err
		}
		if !p.Oldest && p.After == "" {
			if err := v.waiting(f, p.Limit, &out); err != nil {
				return err
			}
			if len(out.Items) == p.Limit {
				out.Next = behindWaiting
				return nil
			}
		}
		if p.After == behindWaiting {
			p.After = ""
		}
		if err := v.stored(f, p, &out); err != nil || !p.Oldest || out.Next != "" {
			return err
		}
		return v.waiting(f, p.Limit, &out)
	})
	return out, err
}

// stored adds what is judged, up to the limit of the page.
func (v *viewer) stored(f store.ItemFilter, p store.Page, out *wire.List[wire.ItemView]) error {
	if err := v.mayGoOn(p.After); err != nil {
		return err
	}
	p.Limit -= len(out.Items)
	s := store.Scan[store.Item]{Page: p, Most: v.in.most()}
	if !v.actor.Has(landfall.Administrator) {
		s.Of = v.actor.User
	}
	if f.Text != "" {
		s.Pass = func(it *store.Item) (bool, error) { return v.says(it, f.Text) }
	}
	found, err := v.r.Search(v.ws, f, s)
	if err != nil {
		return err
	}
	for _, it := range found.Rows {
		if err := v.show(it, out); err != nil {
			return err
		}
	}
	out.Next, out.SearchedTo = found.Next, found.To
	return nil
}

func (in *Inbox) most() int { return cmp.Or(in.looks, mostLooked) }

// mayGoOn: a list goes on behind an item that the reader may see, or else where
// it went on would tell of others.
func (v *viewer) mayGoOn(after string) error {
	if after == "" {
		return nil
	}
	k, err := landfall.ParseKey(after)
	if err != nil {
		return err
	}
	it, err := v.r.Item(v.ws, k)
	if err != nil {
		return err
	}
	if it == nil || it.User != v.actor.User && !v.actor.Has(landfall.Administrator) {
		return landfall.Errorf(landfall.CodeInvalid, "this is not where the list can go on").WithHint("use what the last page gave as next")
	}
	return nil
}

// now is the actor as of the state that is read: what was taken away since they
// were let in does not count any more.
func now(r store.Reader, ws string, a landfall.Actor) (landfall.Actor, error) {
	u, err := r.User(ws, a.User)
	switch {
	case u == nil || err != nil:
		return a, err
	case u.Disabled:
		return a, errDisabled
	}
	was := a
	a = u.Actor()
	a.Blocked = was.Blocked
	return a, nil
}

// Item is one item, by its id. One that the actor may not see is not found.
func (in *Inbox) Item(ctx context.Context, ws string, actor landfall.Actor, id string) (*wire.ItemView, error) {
	k, err := landfall.ParseKey(id)
	if err != nil {
		return nil, err
	}
	var out wire.List[wire.ItemView]
	err = in.cfg.Store.View(ctx, func(r store.Reader) error {
		actor, err := now(r, ws, actor)
		if err != nil {
			return err
		}
		it, err := r.Item(ws, k)
		if err != nil {
			return err
		}
		if it == nil {
			if it, err = in.waitingItem(r, ws, k); err != nil {
				return err
			}
		}
		if it == nil || it.User != actor.User && !actor.Has(landfall.Administrator) {
			return landfall.Errorf(landfall.CodeNotFound, "there is no such item in the inbox, or you may not see it").WithHint("see `landfall inbox list`")
		}
		v := newViewer(in, r, ws, actor)
		if err := v.show(it, &out); err != nil {
			return err
		}
		return v.repairsOf(it, &out.Items[0])
	})
	if err != nil {
		return nil, err
	}
	return &out.Items[0], nil
}

// waiting adds the items of captured pushes that are not judged yet, up to limit.
func (v *viewer) waiting(f store.ItemFilter, limit int, out *wire.List[wire.ItemView]) error {
	items, err := v.in.waiting(v.r, v.ws, f)
	if err != nil {
		return err
	}
	for _, it := range items {
		if len(out.Items) == limit {
			break
		}
		if f.Text != "" {
			if ok, err := v.says(it, f.Text); err != nil || !ok {
				if err != nil {
					return err
				}
				continue
			}
		}
		if err := v.show(it, out); err != nil {
			return err
		}
	}
	return nil
}

// waiting are the items of captured pushes that are not judged yet.
func (in *Inbox) waiting(r store.Reader, ws string, f store.ItemFilter) ([]*store.Item, error) {
	if f.State != "" && f.State != store.Queued && f.State != store.InProgress {
		return nil, nil
	}
	rows, err := r.Pushes(ws, 0, waitingShown)
	if err != nil {
		return nil, err
	}
	var out []*store.Item
	for i := range rows {
		items, err := in.unjudged(r, ws, &rows[i])
		if err != nil {
			return nil, err
		}
		for _, it := range items {
			if f.MatchItem(it) {
				out = append(out, it)
			}
		}
	}
	slices.Reverse(out)
	return out, nil
}

func (in *Inbox) unjudged(r store.Reader, ws string, row *store.Push) ([]*store.Item, error) {
	rep, err := r.Replica(ws, row.Replica)
	if err != nil || rep == nil {
		return nil, err
	}
	var p wire.Push
	if err := json.Unmarshal(row.Body, &p); err != nil {
		return nil, err
	}
	state, history := store.Queued, []store.ItemEvent{{At: row.Received, State: store.Queued}}
	if since := in.since(row.ID); !since.IsZero() {
		state, history = store.InProgress, append(history, store.ItemEvent{At: since, State: store.InProgress})
	}
	var out []*store.Item
	for i, raw := range p.Mutations {
		s := core.Salvage(raw)
		it := &store.Item{
			Key: landfall.Key{Replica: row.Replica, Incarnation: p.Incarnation, N: p.First + int64(i)}, User: rep.User, Hash: core.Hash(raw), Bytes: raw,
			State: state, Type: s.Type, Record: s.ID, Op: s.Op, ReceivedAt: row.Received, History: history,
		}
		judged, err := r.Item(ws, it.Key)
		if err != nil {
			return nil, err
		}
		if judged == nil {
			out = append(out, it)
		}
	}
	return out, nil
}

func (in *Inbox) waitingItem(r store.Reader, ws string, k landfall.Key) (*store.Item, error) {
	all, err := in.waiting(r, ws, store.ItemFilter{Replica: k.Replica})
	for _, it := range all {
		if it.Key == k {
			return it, err
		}
	}
	return nil, err
}
