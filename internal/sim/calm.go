package sim

import (
	"errors"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// mostRounds is how often everybody syncs and decides before all must be done.
// They are a minute apart: what a device says with a clock that was set back by
// less than ten minutes counts only when that clock has come to where it was.
const mostRounds = 14

// settle ends all faults and lets people go on: every outbox must drain, every
// issue be decided, and every device show what its user may see.
func (w *world) settle() {
	w.calm()
	for round := range mostRounds {
		w.say("round %d after the storm", round+1)
		if !w.round(round) {
			return
		}
		if w.done() == nil && w.sync() && w.done() == nil {
			w.atRest()
			return
		}
		if !w.all("a minute", func(end func()) {
			w.root.act("wait", func() error { defer end(); w.sleep(time.Minute); return nil })
		}) {
			return
		}
	}
	w.violate("liveness", "after %d rounds without a fault: %v", mostRounds, w.done())
}

// calm ends what is broken. What is wrong with a clock stays so.
func (w *world) calm() {
	h := w.host
	h.disk.full, h.disk.flaky, h.disk.sync, h.disk.next = false, 0, false, stays
	if h.disk.broken {
		h.die("to be started on a disk that works")
	}
	for _, d := range w.devices {
		d.line.down, d.line.trouble = false, Trouble{}
		d.disk.full, d.disk.flaky, d.disk.next = false, 0, stays
	}
	w.until("the server's start", func() bool { return h.up })
	for _, name := range w.staff {
		if u := w.model.User(name); u != nil && u.Disabled {
			off := false
			w.all("enable a user", func(end func()) {
				w.root.act("enable", func() error { defer end(); return w.root.changeUser(name, "enables", wire.UserChange{Disabled: &off}) })
			})
		}
	}
	for _, d := range w.devices {
		d.retired = d.retired || d.replica() == "" && !d.erased // it never got in
		if x := w.model.Device(d.id()); x != nil && x.Blocked && !x.Retiring && !x.Wiping && !d.erased {
			h.control(x.ID, wire.ActUnblock)
		}
	}
	w.all("switching on what was off", func(end func()) {
		w.root.act("switch on", func() error { defer end(); return w.root.switches("on") })
	})
	if u := w.model.User("cleo"); u != nil && !slices.Contains(u.Roles, "clerk") {
		w.all("appoint a clerk", func(end func()) {
			w.root.act("appoint", func() error {
				defer end()
				return w.root.changeUser("cleo", "appoints", wire.UserChange{Grant: []string{"clerk"}})
			})
		})
	}
}

// all runs something that calls end when it is done, and lets the world go on
// until then.
func (w *world) all(what string, f func(end func())) bool {
	ended := false
	f(func() { ended = true })
	return w.until(what, func() bool { return ended })
}

// round lets every device sync and every issue be decided.
func (w *world) round(n int) bool {
	if !w.sync() {
		return false
	}
	for _, p := range slices.Concat(w.clerks, w.leads) {
		if !w.all("deciding", func(end func()) {
			p.act("decide all", func() error { defer end(); return p.decideAll(newDice(w.seed, "calm", p.name, string(rune('a'+n)))) })
		}) {
			return false
		}
	}
	return true
}

// sync lets every device sync.
func (w *world) sync() bool {
	for _, d := range w.devices {
		if d.retired {
			continue
		}
		if !w.all("a sync of "+d.name, func(end func()) {
			d.run("sync", func(c *client.Client) error {
				defer end()
				return d.calmSync(c)
			})
		}) {
			return false
		}
	}
	return true
}

// calmSync signs the device in again when it must.
func (d *device) calmSync(c *client.Client) error {
	d.syncing = 0
	err := d.sync(c)
	if landfall.CodeOf(err) != landfall.CodeUnauthorized || err == nil {
		return err
	}
	code, err := d.w.root.code(d.user, d.name)
	if err != nil {
		return err
	}
	if err := c.SignIn(d.w.ctx, code); err != nil {
		return err
	}
	d.w.met("device: signed in again")
	return d.sync(c)
}

// decideAll decides all that the person may: one side after the other, and in the
// end the server's, which can always be kept.
func (p *person) decideAll(d dice) error {
	all, err := p.issues(store.Unresolved)
	if err != nil {
		return err
	}
	for k := range all {
		i, err := p.issue(all[k].ID)
		if err != nil {
			continue
		}
		sides := []core.Side{core.ServerSide}
		if d.chance(0.6) {
			sides = []core.Side{core.DeviceSide, core.ServerSide}
		}
		for _, side := range sides {
			err := p.resolve(i, wire.Resolve{Decision: core.Decision{Take: side, Through: i.Through, Version: i.RecordVersion}})
			if err == nil {
				break
			}
			var e *landfall.Error
			if errors.As(err, &e) && e.Code == landfall.CodeConflict {
				p.w.sleep(16 * time.Minute) // until a claim has ended
				break
			}
		}
	}
	return nil
}

// done is nil when there is nothing left to do.
func (w *world) done() error {
	for _, d := range w.devices {
		if d.retired {
			continue
		}
		if err := d.obeyed(); err != nil {
			return err
		}
		barred := w.model.Deposits(d.id())
		for _, e := range d.entries() {
			kept := barred && e.Receipt != nil && e.State != client.Stored && e.State != client.Sent // it hears no more of it
			if e.State != client.Done && !kept {
				return landfall.Errorf(landfall.CodeConflict, "%s still has %d.%d as %s", d.name, e.Incarnation, e.N, e.State)
			}
		}
	}
	for _, i := range w.model.Issues() {
		if i.State != landfall.IssueResolved {
			return landfall.Errorf(landfall.CodeConflict, "issue %s of kind %s is %s in %s", short(i.ID), i.Kind, i.State, i.Queue)
		}
	}
	return nil
}

// atRest compares what each device has with what its user may see.
func (w *world) atRest() {
	w.conserved("at rest")
	if n := len(w.host.pushes()); n > 0 {
		w.violate("captured", "%d pushes are captured, and were never judged", n)
	}
	for _, d := range w.devices {
		if !d.retired && !d.erased && !w.model.Deposits(d.id()) {
			d.compare()
		}
	}
}

func (d *device) compare() {
	w := d.w
	var have []*landfall.Record
	err := memory.On(d.db).View(w.ctx, func(tx client.Tx) (err error) {
		have, err = tx.Records("")
		return err
	})
	if err != nil {
		w.violate("device", "%s: its records can't be read: %v", d.name, err)
	}
	should := map[string]bool{}
	for _, id := range w.model.Visible(d.user) {
		should[id] = true
	}
	issues := map[string]*model.Issue{}
	for _, i := range w.model.Issues() {
		issues[i.ID] = i
	}
	for _, r := range have {
		m, i := w.model.Record(r.ID), issues[r.ID]
		switch {
		case !should[r.ID]:
			w.violate("digest", "%s has %s %s, which %s may not see", d.name, r.Type, short(r.ID), d.user)
		case i != nil:
			if i.Version != r.Version || i.State != r.Status {
				w.violate("digest", "%s has issue %d at %d as %s, and it is at %d as %s", d.name, i.Number, r.Version, r.Status, i.Version, i.State)
			}
		case m.Version != r.Version || m.Status != r.Status || !same(w.model.Readable(d.user, m), r.Fields):
			w.violate("digest", "%s has %s %s at %d: %s, and it is at %d: %s", d.name, r.Type, short(r.ID), r.Version, shown(r.Fields), m.Version, shown(w.model.Readable(d.user, m)))
		}
		delete(should, r.ID)
	}
	missing := make([]string, 0, len(should))
	for id := range should {
		missing = append(missing, id)
	}
	slices.Sort(missing)
	for _, id := range missing {
		w.violate("digest", "%s does not have %s, which %s may see", d.name, short(id), d.user)
	}
	d.views()
}

// views: with nothing pending, what the device shows is the server's copy.
func (d *device) views() {
	for _, t := range d.w.app().Types {
		for _, v := range d.records(d.tabs[0], t.Name) {
			if v.Server == nil || v.Pending > 0 || !same(v.Record.Fields, v.Server.Fields) || v.Record.Status != v.Server.Status {
				d.w.violate("view", "%s shows %s %s with %d pending changes, when nothing is", d.name, t.Name, short(v.Record.ID), v.Pending)
			}
		}
	}
}

func same(a, b landfall.Fields) bool { return shown(a) == shown(b) }

// obeyed: what was asked of the device is done: one that is retired is blocked,
// with everything delivered, and one that is wiped has said so.
func (d *device) obeyed() error {
	x := d.w.model.Device(d.id())
	switch {
	case d.erased && !d.told():
		return landfall.Errorf(landfall.CodeConflict, "%s has erased itself, and has not told", d.name)
	case d.erased || x == nil:
	case x.Wiping:
		return landfall.Errorf(landfall.CodeConflict, "%s is to be wiped, and is not", d.name)
	case x.Retiring && !x.Blocked:
		return landfall.Errorf(landfall.CodeConflict, "%s is to be retired, and is not", d.name)
	case x.Retiring && d.unsent() > 0:
		return landfall.Errorf(landfall.CodeConflict, "%s is retired, and has %d changes", d.name, d.unsent())
	}
	return nil
}
