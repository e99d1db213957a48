package model_test

import (
	"context"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// control does what the back office has in hand beside deciding: repairs, orders to
// devices, landed exports, and the removal of what is long done.
func (w *world) control(p *phone) {
	switch w.rnd.IntN(10) {
	case 0, 1, 2, 3:
		w.repair(p)
	case 4, 5:
		w.order(p)
	case 6, 7, 8:
		p.landed()
	default:
		_, err := w.in.Clean(context.Background(), ws, w.admin, w.now, "", false)
		w.may(err)
	}
}

// repair edits what was refused, by what the phone's user would have entered.
func (w *world) repair(p *phone) {
	id := w.issue()
	for _, i := range w.m.Issues() {
		t := w.app.Type(i.RecordType)
		if i.ID != id || t == nil {
			continue
		}
		req := wire.Repair{Note: "a comma was missing", Set: p.fields(t, 2), DryRun: w.rnd.IntN(6) == 0}
		for _, f := range t.Fields {
			if f.Required && i.Op == landfall.OpCreate {
				req.Set[f.Name] = p.value(f)
			}
		}
		_, err := w.in.Repair(context.Background(), ws, w.decider(), id, req)
		w.may(err)
		if again := w.rnd.IntN(4) == 0; again {
			_, err = w.in.Repair(context.Background(), ws, w.decider(), id, req)
			w.may(err)
		}
	}
}

// order tells a device to do something. Most are let in again soon.
func (w *world) order(p *phone) {
	what := pick(w.rnd, wire.ActBlock, wire.ActRetire, wire.ActWipe, wire.ActUnblock, wire.ActResync)
	_, err := w.acc.Control(context.Background(), ws, w.admin, p.replica, what)
	w.may(err)
	p.push()
	if w.rnd.IntN(4) > 0 {
		w.judge()
		_, err = w.acc.Control(context.Background(), ws, w.admin, p.replica, wire.ActUnblock)
		w.may(err)
	}
}

// landed: what the phone has not been answered reaches the server by an export.
func (p *phone) landed() {
	p.make()
	o, err := p.w.in.OfferLanding(context.Background(), ws, p.w.admin, p.replica, p.body(p.acked))
	p.w.must(err)
	p.w.judge()
	_, err = o.Reply() // the phone does not hear of it
	p.w.may(err)
}
