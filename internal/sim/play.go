package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/kv"
)

// act lets one action of the scenario happen.
func (w *world) act(a Action) {
	d := newDice(a.Seed, a.Do)
	if do := deviceActs[a.Do]; do != nil {
		var all []*device
		for _, x := range w.devices {
			if !x.retired {
				all = append(all, x)
			}
		}
		if len(all) > 0 {
			x := all[a.Who%len(all)]
			x.looked() // it may have erased itself, and its storage may go now
			do(x, d)
		}
		return
	}
	if do := deskActs[a.Do]; do != nil {
		do(w, a.Who, d)
		return
	}
	serverActs[a.Do](w.host, d)
}

// deviceActs are what happens on a device, and to it.
var deviceActs map[string]func(*device, dice)

func init() { //nolint:gochecknoinits // the table refers to what refers to it
	hands := func(f func(*device, *client.Client, *hand) error) func(*device, dice) {
		return func(d *device, x dice) {
			d.run("a change", func(c *client.Client) error { return f(d, c, d.hand(c, x)) })
		}
	}
	deviceActs = map[string]func(*device, dice){
		"create": hands(func(d *device, c *client.Client, h *hand) error {
			return d.create(c, h, pick(h.dice, []string{"job", "job", "task", "task", "memo", "step", "step", "note"}))
		}),
		"change":    hands((*device).change),
		"group":     hands((*device).group),
		"revert":    hands((*device).revert),
		"retry own": hands((*device).retryOwn),
		"sync":      func(d *device, _ dice) { d.run("sync", d.sync) },
		"partition": func(d *device, x dice) {
			if d.line.down {
				return
			}
			d.line.down = true
			d.w.say("%s has no network", d.name)
			d.w.after(x.span(time.Second, 40*time.Second), func() { d.line.down = false })
		},
		"kill device":        func(d *device, _ dice) { d.die(d.life) },
		"kill device before": func(d *device, _ dice) { d.disk.next = before },
		"kill device after":  func(d *device, _ dice) { d.disk.next = after },
		"cut device":         func(d *device, _ dice) { d.disk.next = powerCut },
		"fill device":        func(d *device, x dice) { d.w.fill(d.disk, x, d.name) },
		"flaky device":       func(d *device, x dice) { d.w.shake(d.disk, x, d.name) },
		"device clock":       (*device).jump,
		"save device":        func(d *device, _ dice) { d.saved = d.db.Fork() },
		"restore device":     (*device).restore,
		"clone":              (*device).clone,
		"evict":              (*device).evict,
		"tabs":               func(d *device, _ dice) { d.boot(2) },
		"come back":          (*device).comeBack,
		"export":             func(d *device, _ dice) { d.run("export", d.export) },
		"replay":             (*device).replay,
	}
}

var deskActs = map[string]func(*world, int, dice){
	"decide": func(w *world, who int, d dice) {
		p := w.decider(who)
		p.act("decide", func() error { return p.decide(d) })
	},
	"handle": func(w *world, who int, d dice) {
		p := w.decider(who)
		p.act("handle", func() error { return p.handle(d) })
	},
	"retry": func(w *world, who int, d dice) {
		p := w.decider(who)
		p.act("retry", func() error { return p.retry(d) })
	},
	"desk": func(w *world, who int, d dice) {
		p := w.decider(who)
		p.act("change", func() error { return p.change(d) })
	},
	"look": func(w *world, who int, d dice) { p := w.decider(who); p.act("look", func() error { return p.look(d) }) },
	"administer": func(w *world, _ int, d dice) {
		w.root.act("administer", func() error {
			name := w.root.somebody(d)
			w.hurry(d, name)
			w.sleep(d.span(0, time.Second))
			err := w.root.administer(d, name)
			w.hurry(d, name)
			return err
		})
	},
	"publish": func(w *world, _ int, d dice) {
		w.root.act("publish", func() error { return w.root.publish(d.chance(0.6), d.chance(0.7)) })
	},
	"revoke": func(w *world, who int, _ dice) {
		d := w.devices[who%len(w.devices)]
		w.root.act("revoke", func() error { return w.root.revoke(d.replica()) })
	},
	"repair": func(w *world, who int, d dice) {
		p := w.decider(who)
		p.act("repair", func() error { return p.repair(d) })
	},
	"order": func(w *world, who int, d dice) {
		w.root.act("order", func() error { return w.root.order(d, w.devices[who%len(w.devices)]) })
	},
	"force": func(w *world, who int, d dice) {
		w.root.act("force", func() error { return w.root.force(d, w.devices[who%len(w.devices)]) })
	},
	"land":  func(w *world, _ int, d dice) { w.root.act("land", func() error { return w.root.land(d) }) },
	"clean": func(w *world, _ int, d dice) { w.root.act("clean", func() error { return w.root.clean(d) }) },
	"switch": func(w *world, _ int, d dice) {
		w.root.act("switch", func() error { return w.root.switches(pick(d, []string{"on", "off"})) })
	},
	"rush": func(w *world, _ int, _ dice) { w.rush() },
	"block": func(w *world, who int, d dice) {
		x := w.devices[who%len(w.devices)]
		w.rush() // some of it arrives before, and is answered after
		w.after(d.span(0, 900*time.Millisecond), func() { w.host.block(x.replica()) })
	},
	"garbage": func(w *world, _ int, d dice) {
		if w.vandal != nil {
			w.vandal.send(d)
		}
	},
}

// rush: everybody syncs at once.
func (w *world) rush() { w.syncs(func(*device) bool { return true }) }

func (w *world) syncs(whose func(*device) bool) {
	for _, d := range w.devices {
		if !d.retired && whose(d) {
			d.run("sync", d.sync)
		}
	}
}

// hurry: nobody syncs at once, or everybody, or the devices of one user alone, so
// that nothing else comes between that and what is done to the user.
func (w *world) hurry(d dice, user string) {
	switch d.IntN(4) {
	case 0:
		w.rush()
	case 1, 2:
		w.syncs(func(x *device) bool { return x.user == user })
	}
}

// decider is one of those at the desks.
func (w *world) decider(who int) *person {
	all := slices.Concat(w.clerks, w.leads)
	return all[who%len(all)]
}

var serverActs = map[string]func(*host, dice){
	"kill server":        func(h *host, _ dice) { h.die("between two commits") },
	"kill server before": func(h *host, _ dice) { h.disk.next = before },
	"kill server after":  func(h *host, _ dice) { h.disk.next = after },
	"cut server":         func(h *host, _ dice) { h.disk.next = powerCut },
	"stop server":        func(h *host, _ dice) { h.stop() },
	"fill server":        func(h *host, d dice) { h.w.fill(h.disk, d, "the server") },
	"flaky server":       func(h *host, d dice) { h.w.shake(h.disk, d, "the server") },
	"unsynced server": func(h *host, d dice) {
		h.disk.sync = true
		h.w.after(d.span(time.Second, 10*time.Second), func() { h.die("since its disk could not be synced") })
	},
	"server clock": func(h *host, d dice) {
		h.wrong += d.span(-3*time.Hour, 3*time.Hour)
		if d.chance(0.2) {
			h.wrong += time.Duration(d.IntN(5)-2) * 365 * 24 * time.Hour
		}
		h.w.say("the server's clock jumps")
	},
	"backup":    func(h *host, _ dice) { h.back() },
	"restore":   func(h *host, _ dice) { h.restore(true) },
	"copy back": func(h *host, _ dice) { h.restore(false) },
}

// fill leaves no space on a disk for a while.
func (w *world) fill(x *disk, d dice, whose string) {
	x.full = true
	w.say("the disk of %s is full", whose)
	w.after(d.span(time.Second, 20*time.Second), func() { x.full = false })
}

// shake lets a part of the commits fail for a while.
func (w *world) shake(x *disk, d dice, whose string) {
	x.flaky = d.Float64() * 0.95
	w.say("the disk of %s fails now and then", whose)
	w.after(d.span(time.Second, 20*time.Second), func() { x.flaky = 0 })
}

func (d *device) jump(x dice) {
	d.wrong += x.span(-6*time.Hour, 6*time.Hour)
	if x.chance(0.3) {
		d.wrong += time.Duration(x.IntN(21)-10) * 365 * 24 * time.Hour
	}
	d.w.say("%s: its clock jumps", d.name)
}

// restore puts the storage back to what was saved.
func (d *device) restore(dice) {
	if d.saved == nil {
		return
	}
	d.w.met("device restored from a backup")
	d.tampered = true
	d.forgotten("its device was restored")
	d.db.Replace(d.saved)
	d.erased = false
	d.w.say("%s: its storage is restored from a backup", d.name)
	d.die(d.life)
}

// clone makes a second device from this one's storage, which goes on beside it.
func (d *device) clone(dice) {
	w := d.w
	w.met("device cloned")
	w.say("%s is cloned", d.name)
	d.tampered = true
	c := w.newDevice(d.name+", cloned", d.user, d.db.Fork())
	c.tampered = true
	c.id() // which it does not know any more once it has erased itself
}

// evict empties the storage; the user starts over with a new device.
func (d *device) evict(dice) {
	w := d.w
	w.met("device evicted")
	d.tampered = true
	w.say("%s: its storage is gone", d.name)
	d.forgotten("its storage was evicted")
	d.retired = true
	d.db.Replace(kv.New())
	d.die(d.life)
	name := fmt.Sprintf("%s's device %d", d.user, len(w.devices)+1)
	w.root.act("make a code", func() error {
		code, err := w.root.code(d.user, name)
		if err != nil {
			return err
		}
		fresh := w.newDevice(name, d.user, kv.New())
		fresh.run("enrolment", func(c *client.Client) error {
			if err := c.Enrol(w.ctx, "simulated", code, name); err != nil {
				fresh.retired = true
				return err
			}
			return fresh.sync(c)
		})
		return nil
	})
}

// play runs the scenario to its end: the storm, and the calm after it.
func (w *world) play(s *Scenario) {
	for i := range s.Actions {
		w.after(s.Actions[i].At, func() { w.act(s.Actions[i]) })
	}
	if w.conf.has(DeviceClock) {
		for _, d := range w.devices {
			d.wrong = d.dice.span(-26*time.Hour, 26*time.Hour)
		}
	}
	if w.conf.Backups {
		w.host.keep()
	}
	span := time.Duration(0)
	if n := len(s.Actions); n > 0 {
		span = s.Actions[n-1].At
	}
	end := w.now.Add(span + 3*timeout)
	over := false
	w.after(end.Sub(w.now), func() { over = true })
	for !over && w.step() {
		if w.steps > mostSteps {
			w.violate("liveness", "%d steps, and the storm is not over", w.steps)
		}
		if len(w.violations) > 0 {
			return
		}
	}
	if w.ctx.Err() != nil {
		return
	}
	w.conserved("after the storm")
	w.settle()
}

// mostSteps ends a world that goes round in circles.
const mostSteps = 200_000

func (w *world) until(what string, f func() bool) bool {
	limit := w.steps + mostSteps
	for !f() {
		if w.steps > limit || !w.step() {
			w.violate("liveness", "%s does not end", what)
			return false
		}
		if len(w.violations) > 0 {
			return false
		}
	}
	return true
}
