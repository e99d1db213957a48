package sim

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// pulled counts what a page told.
func (w *world) pulled(d *device, r *wire.PullReply) {
	switch {
	case r.Resync && r.Lost:
		w.met("pull: history was lost")
	case r.Resync:
		w.met("pull: resync")
	case r.More:
		w.met("pull: more to come")
	}
	if d.pulled == nil {
		d.pulled = map[string]copied{}
	}
	for i := range r.Changes {
		if c := &r.Changes[i]; c.Record != nil {
			d.pulled[c.ID] = copied{c.Record.Version, d.line.epoch}
		}
		if c := &r.Changes[i]; c.Gone {
			w.met("pull: gone")
		}
		if c := &r.Changes[i]; !c.Gone && c.Seq > r.Seq+1 {
			w.violate("checkpoint", "%s: a page up to %d tells of %d", d.name, r.Seq, c.Seq)
		}
	}
	for _, o := range r.Outcomes {
		w.met("outcome: " + string(o.Settlement))
		if o.Seq > r.Seq {
			w.violate("checkpoint", "%s: a page up to %d tells an outcome of %d", d.name, r.Seq, o.Seq)
		}
	}
}

// resolveSeen decides an issue for somebody who saw i: what they did not see, the
// decision must not touch.
func (h *host) resolveSeen(ctx context.Context, who *auth.Caller, i *wire.IssueDetail, req wire.Resolve) (any, error) {
	w := h.w
	w.say("%s decides issue %d (%s, group of %d) on %s: %s", who.Actor.User, i.Number, i.Kind, i.Group, short(i.Record), encoded(req.Decision))
	was := w.model.Record(i.Record)
	unseen := map[landfall.Key]bool{}
	for _, it := range h.held(i.ID) {
		if it.Key.Replica == i.Device && (it.Key.N > i.Through || it.Key.Incarnation > i.Incarnation) && it.Record == i.Record && i.Group == 0 {
			unseen[it.Key] = true
		}
	}
	out, err := h.inbox.Resolve(ctx, workspace, who.Actor, i.ID, req)
	if err != nil || req.DryRun {
		return out, err
	}
	now := w.model.Record(i.Record)
	if i.Server != nil && was != nil && now.Version > was.Version && was.Version != i.RecordVersion && w.model.Entered(i.Record, i.RecordVersion, was.Version) {
		w.violate("unseen", "%s decided issue %d at %d of %s, and it was applied to %d", who.Actor.User, i.Number, i.RecordVersion, short(i.Record), was.Version)
	}
	for k := range unseen {
		if it := w.item(k); it != nil && it.Outcome != nil && it.Outcome.Seq == out.Issue.Version && it.History[len(it.History)-1].By != "" {
			w.violate("unseen", "%s decided issue %d through %d, and it covers %s", who.Actor.User, i.Number, i.Through, k)
		}
	}
	if len(unseen) > 0 {
		w.met("decision: more came meanwhile")
	}
	return out, nil
}

// held are the items that an issue holds.
func (h *host) held(issue string) (all []*store.Item) {
	h.read(func(r store.Reader) (err error) {
		all, err = r.Held(workspace, issue)
		return err
	})
	return all
}

func (w *world) item(k landfall.Key) (it *store.Item) {
	w.host.read(func(r store.Reader) (err error) {
		it, err = r.Item(workspace, k)
		return err
	})
	return it
}

// read looks at what a start of the server would find.
func (h *host) read(f func(store.Reader) error) {
	if err := memory.On(h.db).View(h.w.ctx, f); err != nil {
		h.w.violate("database", "it can't be read: %v", err)
	}
}

// atDesk is the last change that a user made at the desk; nil for none.
func (h *host) atDesk(user string) (last *store.Item) {
	h.read(func(r store.Reader) error {
		all, err := r.Items(workspace, store.ItemFilter{Replica: "desk:" + user}, store.Page{Limit: 1})
		if len(all) > 0 {
			last = all[0]
		}
		return err
	})
	return last
}

// based: a change at the desk is based on the version that its author saw. One
// that had no effect left nothing there after the one before.
func (h *host) based(user string, do *wire.Do, before *store.Item) {
	made := h.atDesk(user)
	if do.Version == 0 || do.Op == landfall.OpCreate || made == nil || before != nil && before.Key == made.Key {
		return
	}
	if _, m := content(made.Bytes); m != nil && m.Base != nil && m.Base.Version > do.Version {
		h.w.violate("unseen", "%s changed %s as of %d at the desk, and it is based on %d", user, short(do.ID), do.Version, m.Base.Version)
	}
}

// receives: disabled users and blocked devices receive nothing.
func (h *host) receives(who *auth.Caller) {
	if u := h.w.model.User(who.Actor.User); u != nil && u.Disabled {
		h.w.violate("receives", "%s is disabled, and is sent a page", u.Name)
	}
	h.read(func(r store.Reader) error {
		d, err := r.Replica(workspace, who.Replica)
		if d != nil && h.w.model.Deposits(d.ID) {
			h.w.violate("receives", "%s is %s, and is sent a page", d.Name, d.State())
		}
		return err
	})
}

// wiping notes which devices are told to erase themselves, before anybody hears.
// That one has done so is never said but by itself.
func (w *world) wiping(c *watch.Commit) {
	for i := range c.Ops {
		d := c.Ops[i].Replica
		if d == nil {
			continue
		}
		w.asked[d.ID] = w.asked[d.ID] || d.Wiping
		if old := w.model.Device(d.ID); d.WipedAt.IsZero() || old != nil && !old.WipedAt.IsZero() {
			continue
		}
		if !slices.ContainsFunc(w.devices, func(x *device) bool { return x.was == d.ID && (x.erased || x.word || x.replica() == "") }) {
			w.violate("order", "%s is taken for wiped, and has not erased itself", d.Name)
		}
	}
}

// asksCopies: whatever still calls with the id of a device that has erased itself is
// asked to do the same, once what it sends is judged.
func (w *world) asksCopies(replica string, p *inbox.Offered, reply func(any, error)) func(any, error) {
	wiped := func() (at time.Time) {
		if x := w.model.Device(replica); x != nil {
			at = x.WipedAt
		}
		return at
	}
	before := wiped()
	return func(out any, err error) {
		r, ok := out.(*wire.PushReply)
		if ok && err == nil && p.Judged() && !before.IsZero() && before.Equal(wiped()) && r.Order != wire.OrderWipe {
			w.violate("order", "%s has erased itself, and a copy of it is not asked to", short(replica))
		}
		reply(out, err)
	}
}

// receiptsAlone: who may only hand in is told what became of what they sent, how far
// the server has it, what they are asked to do, and nothing else.
func (w *world) receiptsAlone(q *request, b []byte, failed error) {
	u := w.model.User(q.user)
	barred := q.replica != "" && (w.model.Deposits(q.replica) || u != nil && u.Disabled)
	if !barred || failed != nil || q.what == "pull" { // which may be what retired it: see receives
		return
	}
	var told map[string]json.RawMessage
	if q.push == nil || json.Unmarshal(b, &told) != nil {
		w.violate("receives", "%s may only hand in, and is answered: %s: %s", short(q.replica), q.what, b)
		return
	}
	w.met("push: of a device that may only hand in")
	if d := w.model.Device(q.replica); d != nil && d.Void {
		w.met("push: of a revoked device")
	}
	for name := range told {
		if !slices.Contains([]string{"receipts", "next", "clock", "forked", "gap", "last_hash", "behind", "order", "expects", "lost"}, name) {
			w.violate("receives", "%s may only hand in, and is told %s", short(q.replica), name)
		}
	}
	w.canaries.found(b, func(int) {
		w.violate("receives", "%s may only hand in, and is told what was entered: %s", short(q.replica), b)
	})
}
