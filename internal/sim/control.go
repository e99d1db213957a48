package sim

import (
	"context"
	"encoding/json"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/settings"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What an administrator does to devices: orders them, forces full syncs on them,
// lands what was exported from them, and cleans up after them.

// control does something to a device, over the network.
func (p *person) control(replica string, what wire.DeviceAct) error {
	var out wire.DeviceView
	err := p.ask(string(what)+" a device", &out, func(ctx context.Context, h *host, who *authCaller) (any, error) {
		return h.accounts.Control(ctx, workspace, who.Actor, replica, what)
	})
	if err == nil {
		p.w.say("%s: %s %s, which is %s", p.name, what, out.Name, out.State)
		p.w.met("order given: " + string(what))
	}
	return err
}

// order is one of what can be done to a device.
func (p *person) order(d dice, x *device) error {
	what := pick(d, []wire.DeviceAct{wire.ActRetire, wire.ActRetire, wire.ActWipe, wire.ActWipe, wire.ActBlock, wire.ActUnblock, wire.ActUnblock, wire.ActRevoke})
	if what == wire.ActWipe && !x.erased && x.unsent() > 0 {
		p.w.met("device: a wipe meets unsent work")
	}
	err := p.control(x.id(), what)
	if err == nil && d.chance(0.3) {
		err = p.control(x.id(), what) // once more: that is no error
	}
	return err
}

// force asks for full syncs.
func (p *person) force(d dice, x *device) error {
	if d.chance(0.5) {
		return p.control(x.id(), wire.ActResync)
	}
	req := wire.Resync{All: d.chance(0.5)}
	if !req.All {
		req.Role = pick(d, p.w.app().Roles)
	}
	var out wire.Resynced
	err := p.ask("ask for full syncs", &out, func(ctx context.Context, h *host, who *authCaller) (any, error) {
		return h.accounts.Resync(ctx, workspace, who.Actor, req)
	})
	if err == nil {
		p.w.say("%s: asks for full syncs of %s", p.name, or(req.Role, "all"))
		p.w.met("device: full syncs are asked for")
	}
	return err
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// switches sets whether the server tries issues again by itself.
func (p *person) switches(value string) error {
	var out wire.SettingView
	err := p.ask("change a setting", &out, func(ctx context.Context, h *host, who *authCaller) (any, error) {
		return h.settings.Set(ctx, workspace, who.Actor, settings.RetryUnaided, value)
	})
	if err == nil {
		p.w.say("%s: the server's own tries are %s", p.name, value)
		p.w.met("setting: " + settings.RetryUnaided + " " + value)
	}
	return err
}

// clean lets the inbox forget what was completed some time ago.
func (p *person) clean(d dice) error {
	before, dry := d.span(0, 3*time.Minute), d.chance(0.1)
	for after := ""; ; {
		var out wire.Cleaning
		err := p.ask("clean the inbox", &out, func(ctx context.Context, h *host, who *authCaller) (any, error) {
			return h.inbox.Clean(ctx, workspace, who.Actor, h.now().Add(-before), after, dry)
		})
		if err != nil {
			return err
		}
		p.w.say("%s: cleans %d items, %d are needed%s", p.name, out.Cleaned, out.Kept, dryly(dry))
		if out.Cleaned > 0 && !dry {
			p.w.met("inbox: items are cleaned")
		}
		if out.Kept > 0 {
			p.w.met("inbox: an old item is needed still")
		}
		if after = out.Next; after == "" {
			return nil
		}
	}
}

// exported is the outbox of a device at some time, out of its hands.
type exported struct {
	d      *device
	x      *client.Export
	landed int
}

// export takes the outbox of the device out.
func (d *device) export(c *client.Client) error {
	x, err := c.Export(d.w.ctx)
	if err != nil {
		return err
	}
	d.w.say("%s: exports %d changes, %d of them unsent", d.name, len(x.Entries), x.Unsent())
	if len(x.Entries) > 0 {
		d.w.exports = append(d.w.exports, &exported{d: d, x: x})
	}
	return nil
}

// land hands in what was exported, sometimes twice.
func (p *person) land(d dice) error {
	if len(p.w.exports) == 0 {
		return nil
	}
	x := pick(d, p.w.exports)
	for {
		if err := p.landOnce(x); err != nil || !d.chance(0.3) {
			return err
		}
	}
}

func (p *person) landOnce(x *exported) error {
	w := p.w
	bodies, err := x.x.Pushes(w.host.limit)
	if err != nil {
		w.violate("export", "%s: its export can't be handed in: %v", x.d.name, err)
		return nil
	}
	for _, body := range bodies {
		var push wire.Push
		if err := json.Unmarshal(body, &push); err != nil {
			return err
		}
		synced := w.host.has(x.x)
		out := &wire.PushReply{}
		if err := p.line.call(request{what: "landing", user: p.name, push: body, land: x.x.Replica}, out); err != nil {
			return err
		}
		w.say("%s: lands %d changes of %s", p.name, len(push.Mutations), x.d.name)
		w.met("landing")
		if synced {
			w.met("landing: after the device synced")
		}
		if x.landed > 0 {
			w.met("landing: again")
		}
		w.receipts(x.d.name, p.line.epoch, &push, out)
	}
	x.landed++
	return nil
}

// has: the server has all of an export.
func (h *host) has(x *client.Export) bool {
	for i := range x.Entries {
		e := &x.Entries[i]
		if it := h.w.model.Item(landfall.Key{Replica: x.Replica, Incarnation: e.Incarnation, N: e.N}); it == nil || it.Hash != e.Hash {
			return false
		}
	}
	return true
}

// replay sends what the device had sent before, as it was: a copy that was under
// way for very long.
func (d *device) replay(x dice) {
	if len(d.bodies) == 0 {
		return
	}
	body := pick(x, d.bodies)
	d.run("a late copy", func(*client.Client) error {
		_, credential, err := client.Credential(d.w.ctx, memory.On(d.db))
		if err != nil || credential == "" {
			return err
		}
		var p wire.Push
		out := &wire.PushReply{}
		if err := json.Unmarshal(body, &p); err != nil {
			return err
		}
		if err := d.line.call(request{what: "push", user: d.user, credential: credential, push: body}, out); err != nil {
			return err
		}
		d.w.say("%s: a late copy of the push %d.%d arrives", d.name, p.Incarnation, p.First)
		d.w.receipts(d.name, d.line.epoch, &p, out)
		return nil
	})
}

// comeBack empties the storage of the device; its user lets it in again as the
// device that it was.
func (d *device) comeBack(dice) {
	w, id := d.w, d.id()
	if id == "" || d.erased {
		return
	}
	w.met("device evicted")
	d.tampered = true
	w.say("%s: its storage is gone", d.name)
	d.forgotten("its storage was evicted")
	d.retired, d.pulled = true, nil
	d.db.Replace(kv.New())
	d.die(d.life)
	w.root.act("make a code", func() error {
		code, err := w.root.code(d.user, d.name)
		if err != nil {
			return err
		}
		d.run("coming back", func(c *client.Client) error {
			if err := c.Return(w.ctx, "simulated", code, "", id); err != nil {
				return err
			}
			d.retired = false
			if x := w.model.Device(id); x != nil && len(x.Mishaps) > 0 && x.Mishaps[len(x.Mishaps)-1].What == "evicted" {
				w.met("device: comes back with something lost")
			}
			return d.sync(c)
		})
		return nil
	})
}

// id is the replica that the device is, or was until it erased itself.
func (d *device) id() string {
	if id := d.replica(); id != "" {
		d.was = id
	}
	return d.was
}

// unsent counts what waits on the device without a receipt.
func (d *device) unsent() (n int) {
	for _, e := range d.entries() {
		if e.State == client.Pending || e.State == client.Sent || e.State == client.Stored {
			n++
		}
	}
	return n
}

// looked notices that the device has erased itself, and that it kept nothing.
func (d *device) looked() {
	if d.erased || d.retired || d.was == "" || d.replica() != "" {
		return
	}
	w := d.w
	d.erased, d.word = true, true
	w.met("device: erased itself")
	w.say("%s: has erased itself", d.name)
	if n := len(d.entries()); n > 0 {
		w.violate("wipe", "%s has erased itself, and %d changes are on it", d.name, n)
	}
	err := memory.On(d.db).View(w.ctx, func(tx client.Tx) error {
		all, err := tx.Records("")
		if len(all) > 0 {
			w.violate("wipe", "%s has erased itself, and %d records are on it", d.name, len(all))
		}
		return err
	})
	if err != nil {
		w.violate("device", "%s: its storage can't be read: %v", d.name, err)
	}
	for _, x := range w.ledger.made {
		if x.d == d {
			if x.wiped = true; d.ordered < w.host.epoch {
				x.excused = "the server was restored while its device was wiped"
			}
		}
	}
	if !w.asked[d.was] {
		w.violate("order", "%s has erased itself, and nobody asked for it", d.name)
	}
	w.conserved("after a wipe")
}

// told reports whether the device has said that it erased itself.
func (d *device) told() bool {
	_, credential, err := client.Credential(d.w.ctx, memory.On(d.db))
	return err == nil && credential == ""
}
