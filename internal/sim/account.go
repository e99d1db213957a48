package sim

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// accounts compares what the server says of each device's changes with what the
// world knows of them.
func (w *world) accounts(when string) {
	h := w.host
	if !h.up {
		return
	}
	who, err := h.person(administrator)
	if err != nil {
		return
	}
	count := map[string]*tally{}
	for it := range w.model.Items() {
		t := count[it.Key.Replica]
		if t == nil {
			t = &tally{}
			count[it.Key.Replica] = t
		}
		t.add(it.Key, it.Op == landfall.OpLost, it.Holder != "")
	}
	seen := map[string]bool{}
	for _, d := range w.devices {
		id := d.was
		if id == "" || seen[id] || w.model.Device(id) == nil {
			continue
		}
		seen[id] = true
		var l *wire.Ledger
		h.guard(func() { l, err = h.accounts.Ledger(w.ctx, workspace, who.Actor, id) })
		if !h.up {
			return
		}
		if err != nil {
			w.violate("account", "%s: the ledger of %s can't be shown: %v", when, d.name, err)
			continue
		}
		t := count[id]
		if t == nil {
			t = &tally{}
		}
		w.account(when, d, l, t)
	}
}

// tally counts the items of a device.
type tally struct{ all, forks, open, lost int64 }

func (t *tally) add(k landfall.Key, lost, held bool) {
	if t.all++; k.Incarnation < 0 {
		t.forks++
		lost = false
	}
	switch {
	case lost:
		t.lost++
	case held:
		t.open++
	}
}

// account: made = applied + issue + pending + lost, each as it is.
func (w *world) account(when string, d *device, l *wire.Ledger, t *tally) {
	x := w.model.Device(d.was)
	var missing, stood int64 // numbers that never came, and how many of them an item stands for
	for _, p := range x.Past {
		if missing += p.Missing; p.Missing > 0 {
			stood++
		}
	}
	for i := range x.Mishaps {
		if x.Mishaps[i].Due {
			stood-- // its item is still to come
		}
	}
	if l.Made != l.Applied+l.Issue+l.Pending+l.Lost {
		w.violate("account", "%s: %s made %d, and there are %d applied, %d in issues, %d pending, %d lost", when, d.name, l.Made, l.Applied, l.Issue, l.Pending, l.Lost)
	}
	if l.Issue != t.open || l.Forks.Made != t.forks || l.Lost != t.lost-stood+missing || l.Applied+l.Issue+l.Lost != t.all-stood+missing {
		w.violate("account", "%s: %s has %d items, of which %d forks, %d in issues, %d lost and %d that never came; the ledger says %+v and forks %+v",
			when, d.name, t.all, t.forks, t.open, t.lost-stood, missing, l.LedgerSums, l.Forks)
	}
	if d.tampered || w.host.epoch > 0 || d.retired && !d.erased {
		return
	}
	if l.Lost != 0 || l.Made > d.given || when == "at rest" && (l.Made != d.given || l.Pending != 0 || l.Issue != 0) {
		w.violate("account", "%s: %s gave %d numbers, and the ledger says %+v", when, d.name, d.given, l.LedgerSums)
	}
}
