package inbox

import (
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

// Items lists the inbox, newest received first. Administrators see all of it,
// others what is their own. What waits for its first verdict comes first.
func (in *Inbox) Items(ctx context.Context, ws string, actor landfall.Actor, f store.ItemFilter, p store.Page) (wire.List[wire.ItemView], error) {
	out := wire.List[wire.ItemView]{Items: []wire.ItemView{}}
	err := in.cfg.Store.View(ctx, func(r store.Reader) error {
		actor, err := now(r, ws, actor)
		if err != nil {
			return err
		}
		if !actor.Has(landfall.Administrator) {
			if f.User != "" && f.User != actor.User {
				return nil
			}
			f.User = actor.User
		}
		if p.After == "" {
			waiting, err := in.waiting(r, ws, f)
			if err != nil {
				return err
			}
			for _, it := range waiting {
				if err := in.show(r, ws, &actor, it, &out); err != nil {
					return err
				}
			}
		}
		rows, err := r.Items(ws, f, p)
		if err != nil {
			return err
		}
		for _, it := range rows {
			if err := in.show(r, ws, &actor, it, &out); err != nil {
				return err
			}
		}
		if len(rows) == p.Limit && p.Limit > 0 {
			out.Next = rows[len(rows)-1].Key.String()
		}
		return nil
	})
	return out, err
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
		if err := in.show(r, ws, &actor, it, &out); err != nil {
			return err
		}
		return in.repairsOf(r, ws, &actor, it, &out.Items[0])
	})
	if err != nil {
		return nil, err
	}
	return &out.Items[0], nil
}

func (in *Inbox) show(r store.Reader, ws string, a *landfall.Actor, it *store.Item, out *wire.List[wire.ItemView]) error {
	device := it.Key.Replica
	v := wire.ItemView{
		ID: it.Key.String(), User: it.User, Device: device, State: string(it.State), Op: it.Op, Type: it.Type, Record: it.Record,
		ReceivedAt: it.ReceivedAt, Outcome: it.Outcome,
	}
	if it.Receipt.Result != "" {
		v.Receipt = &it.Receipt
	}
	for _, e := range it.History {
		v.History = append(v.History, wire.ItemEvent{At: e.At, State: string(e.State), By: e.By, Text: e.Text})
	}
	rep, err := r.Replica(ws, device)
	if err != nil {
		return err
	}
	if rep != nil {
		v.DeviceName = rep.Name
	}
	may := it.User == a.User || it.Receipt.Kind == landfall.KindMalformed && a.Has(landfall.Administrator)
	if !may && it.Record != "" {
		keys, err := r.Audience(ws, it.Record)
		if err != nil {
			return err
		}
		may = core.Sees(a, keys)
	}
	v.Hidden = !may
	if may {
		v.Sent, v.Hash = string(it.Bytes), it.Hash
		if x := in.reread(it); x.bad == nil {
			v.Mutation = &x.m
		}
	}
	out.Items = append(out.Items, v)
	return nil
}

// waiting are the items of captured pushes that are not judged yet.
func (in *Inbox) waiting(r store.Reader, ws string, f store.ItemFilter) ([]*store.Item, error) {
	if f.State != "" && f.State != store.Queued {
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
	var out []*store.Item
	for i, raw := range p.Mutations {
		s := core.Salvage(raw)
		it := &store.Item{
			Key: landfall.Key{Replica: row.Replica, Incarnation: p.Incarnation, N: p.First + int64(i)}, User: rep.User, Hash: core.Hash(raw), Bytes: raw,
			State: store.Queued, Type: s.Type, Record: s.ID, Op: s.Op, ReceivedAt: row.Received, History: []store.ItemEvent{{At: row.Received, State: store.Queued}},
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
