package auth

import (
	"context"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Ledger accounts for every change that a device made. It is computed from what
// the device's row counts and from what is open, so that it costs no more for a
// device that sent much. Administrators and its user only.
func (a *Accounts) Ledger(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.Ledger, error) {
	var out *wire.Ledger
	err := a.store.View(ctx, func(r store.Reader) error {
		d, err := findDevice(r, ws, &actor, ref)
		if err != nil {
			return err
		}
		out, err = ledger(r, ws, d)
		return err
	})
	return out, err
}

func ledger(r store.Devices, ws string, d *store.Replica) (*wire.Ledger, error) {
	out := &wire.Ledger{Device: d.ID, Reported: d.Reported, Lines: []wire.LedgerLine{}, Mishaps: []wire.LedgerMishap{}}
	waits, in, _ := d.Waits()
	all := append(slices.Clone(d.Past), store.Past{Incarnation: d.Incarnation, Received: d.Next - 1})
	if in > d.Incarnation {
		all = append(all, store.Past{Incarnation: in})
	}
	for _, p := range all {
		t, err := r.Tally(ws, d.ID, p.Incarnation)
		if err != nil {
			return nil, err
		}
		line := wire.LedgerLine{Incarnation: p.Incarnation}
		if p.Incarnation == in {
			line.Pending = waits
		}
		line.Lost = d.Lost[p.Incarnation] + p.Missing
		line.Issue = t.Open - t.OpenLost
		line.Applied = p.Received - line.Issue - d.Lost[p.Incarnation]
		line.Made = p.Received + line.Pending + p.Missing
		out.Lines = append(out.Lines, line)
		out.Add(line.LedgerSums)
	}
	t, err := r.Tally(ws, d.ID, store.Forks)
	if err != nil {
		return nil, err
	}
	out.Forks = wire.LedgerSums{Made: d.Forked, Issue: t.Open, Applied: d.Forked - t.Open}
	out.Add(out.Forks)
	for _, m := range d.Mishaps {
		out.Mishaps = append(out.Mishaps, wire.LedgerMishap{At: m.At, What: m.What, Incarnation: m.Incarnation, From: m.From, To: m.To, Reported: m.Reported})
	}
	return out, nil
}
