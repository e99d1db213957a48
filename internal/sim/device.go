package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/wire"
)

// device is one installation of the client: its storage, its clock, its network,
// and the program while it runs.
type device struct {
	w    *world
	name string
	user string
	dice dice
	line line
	disk *disk
	db   *kv.DB

	wrong   time.Duration // of its clock
	ids     *ids
	tabs    []*client.Client // one, or two on the same storage
	life    int              // counts the starts of the program
	runs    []*routine
	syncing int
	acting  map[[2]int64][]byte // the outbox before what its user does now
	saved   *kv.DB              // a copy of the storage, to be restored or cloned
	retired bool                // nobody uses it any more
	// tampered: its storage was put back, copied or emptied, so that it may say
	// what it said before once more, and differently.
	tampered bool
	tookBack bool              // what was sent
	was      string            // the replica that it is, or was until it erased itself
	erased   bool              // by itself, since it was asked to
	word     bool              // it erased itself once: its word may be under way, whatever came since
	bodies   [][]byte          // some of its pushes
	ordered  int               // the history whose server asked it to erase itself
	given    int64             // numbers, of its first incarnation
	pulled   map[string]copied // by record: what it holds of the server's
}

func (d *device) now() time.Time { return d.w.now.Add(d.wrong) }

func (w *world) newDevice(name, user string, db *kv.DB) *device {
	d := &device{w: w, name: name, user: user, dice: newDice(w.seed, "device", name), db: db}
	d.line = line{w: w, name: name, dice: newDice(w.seed, "line", name), trouble: w.conf.Network}
	d.disk = newDisk(db, newDice(w.seed, "disk", name), func(what string) { w.met("device: " + what) }, func() {})
	w.devices = append(w.devices, d)
	d.boot(1)
	return d
}

// boot starts the program on the device, or, with two tabs, twice.
func (d *device) boot(tabs int) {
	d.life++
	d.ids = &ids{dice: d.dice, clock: d.now}
	d.tabs = d.tabs[:0]
	for range tabs {
		c, err := client.Open(d.w.ctx, client.Options{
			Storage: memory.On(d.db), Transport: &transport{d}, Clock: d.now, NewID: d.ids.next, Random: d.dice.Float64,
			Program: "simulated", Page: d.w.conf.Page,
		})
		if err != nil {
			d.w.violate("device", "%s does not start: %v", d.name, err)
			return
		}
		d.tabs = append(d.tabs, c)
	}
}

// run lets the program on the device do something, in a flow of its own.
func (d *device) run(what string, f func(c *client.Client) error) {
	w := d.w
	tab := d.tabs[d.dice.IntN(len(d.tabs))]
	life := d.life
	r := w.start(d.name, func() {
		defer func() {
			if p := recover(); p != nil {
				c, mine := p.(crash)
				if !mine || c.disk != d.disk {
					panic(p)
				}
				d.die(life)
			}
		}()
		err := f(tab)
		if err != nil {
			w.say("%s: %s: %s", d.name, what, strings.ReplaceAll(err.Error(), "\n", "; "))
			d.blame(what, err)
		}
	})
	if !r.ended {
		d.runs = append(d.runs, r)
	}
}

// blame: some errors are never right.
func (d *device) blame(what string, err error) {
	if landfall.CodeOf(err) == landfall.CodeInternal && !strings.Contains(err.Error(), "something went wrong in the server") {
		d.w.violate("client", "%s: %s fails with %v", d.name, what, err)
	}
}

// die ends the program on the device where it is, and starts it again.
func (d *device) die(life int) {
	if d.life != life {
		return
	}
	d.w.met("device killed")
	if d.syncing > 0 {
		d.w.met("device killed while it syncs")
	}
	for _, r := range d.runs {
		if r != d.w.running { // which is unwound already
			d.w.kill(r)
		}
	}
	d.runs, d.syncing = nil, 0
	if d.disk.recover() {
		d.w.met("device: durable, and not known to be")
	}
	d.noteMade()
	d.looked()
	d.w.say("%s: the program is killed, and started again", d.name)
	d.boot(1)
}

// sync is one sync as the program makes it.
func (d *device) sync(c *client.Client) error {
	if d.syncing > 0 && len(d.tabs) == 1 {
		return nil
	}
	d.id() // what it is, before it may erase itself
	d.syncing++
	life := d.life
	r, err := c.Sync(d.w.ctx, nil)
	if d.life == life {
		d.syncing--
	}
	d.looked()
	if err == nil {
		d.w.say("%s: synced: sent %d, received %d, %d issues", d.name, r.Sent, r.Received, r.Attention)
	}
	if err != nil && landfall.CodeOf(err) == landfall.CodeUnauthorized {
		d.w.met("device: not let in")
	}
	return err
}

// entries is the outbox.
func (d *device) entries() (all []*client.Entry) {
	err := memory.On(d.db).View(d.w.ctx, func(tx client.Tx) (err error) {
		all, err = tx.Entries()
		return err
	})
	if err != nil {
		d.w.violate("device", "%s: the outbox can't be read: %v", d.name, err)
	}
	return all
}

// replica is the id that the server gave the device; empty before.
func (d *device) replica() string {
	_, _, replica, err := d.tabs[0].Identity(d.w.ctx)
	if err != nil {
		d.w.violate("device", "%s: its storage can't be read: %v", d.name, err)
	}
	return replica
}

// transport is client.Transport over the simulated network.
type transport struct{ d *device }

func (t *transport) ask(what string, do func(*auth.Caller) (any, error), out any) error {
	_, credential, err := client.Credential(t.d.w.ctx, memory.On(t.d.db))
	if err != nil {
		return err
	}
	return t.d.line.call(request{what: what, user: t.d.user, credential: credential, do: do}, out)
}

// Enrol implements client.Transport.
func (t *transport) Enrol(_ context.Context, req wire.EnrolRequest) (*wire.Enrolled, error) {
	w, out := t.d.w, &wire.Enrolled{}
	return out, t.d.line.call(request{what: "enrolment", user: t.d.user, open: func() (any, error) { return w.host.enrol(req) }}, out)
}

// Definition implements client.Transport.
func (t *transport) Definition(context.Context) (*wire.Definition, error) {
	out := &wire.Definition{}
	return out, t.ask("definition", t.d.w.host.definition, out)
}

// Push implements client.Transport.
func (t *transport) Push(_ context.Context, body []byte) (*wire.PushReply, error) {
	d, out := t.d, &wire.PushReply{}
	_, credential, err := client.Credential(d.w.ctx, memory.On(d.db))
	if err != nil {
		return nil, err
	}
	var p wire.Push
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, fmt.Errorf("the device pushes what can't be read: %w", err)
	}
	if len(p.Mutations) > 0 && len(d.bodies) < 12 {
		d.bodies = append(d.bodies, body)
	}
	d.w.say("%s: pushes %d to %d of incarnation %d", d.name, p.First, p.First+int64(len(p.Mutations))-1, p.Incarnation)
	if err := d.line.call(request{what: "push", user: d.user, credential: credential, push: body}, out); err != nil {
		return nil, err
	}
	d.w.acknowledged(d, &p, out)
	if out.Order == wire.OrderWipe {
		d.ordered = d.line.epoch
	}
	if out.Order != "" {
		d.w.met("device: hears an order: " + out.Order)
	}
	return out, nil
}

// Pull implements client.Transport.
func (t *transport) Pull(_ context.Context, since string, limit int, told wire.Contact) (*wire.PullReply, error) {
	out := &wire.PullReply{}
	if err := t.ask("pull", func(who *auth.Caller) (any, error) { return t.d.w.host.pull(who, since, limit, told) }, out); err != nil {
		return nil, err
	}
	t.d.w.pulled(t.d, out)
	return out, nil
}

// Retry implements client.Transport.
func (t *transport) Retry(_ context.Context, issue string) ([]wire.Retried, error) {
	var out wire.Retries
	h := t.d.w.host
	err := t.ask("retry", func(who *auth.Caller) (any, error) {
		return h.inbox.Retry(t.d.w.ctx, workspace, who.Actor, wire.Retry{Issues: []string{issue}})
	}, &out)
	return out.Items, err
}
