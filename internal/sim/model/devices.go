package model

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// deposits: the device may hand in, and receives nothing but receipts.
func deposits(d *store.Replica) bool {
	return d.Blocked || d.Void || d.Wiping || !d.WipedAt.IsZero()
}

// Device is a device as it is kept now; nil for none. It is not to be written into.
func (m *Model) Device(id string) *store.Replica { return m.devices[id] }

// Deposits reports whether a device may receive nothing but receipts now.
func (m *Model) Deposits(id string) bool {
	d := m.devices[id]
	return d != nil && deposits(d)
}

// orders: how a device stands changes only where somebody who may says so, or
// the device itself, and the audit tells.
func (r *reading) orders(old, d *store.Replica) {
	if old == nil {
		return
	}
	for _, x := range []struct {
		what         string
		was, is      bool
		begins, ends []string
	}{
		{"blocked", old.Blocked, d.Blocked, []string{store.DeviceBlock, store.DeviceRetired}, []string{store.DeviceUnblock}},
		{"revoked", old.Void, d.Void, []string{store.DeviceRevoke, store.DeviceWiped}, []string{store.DeviceSignin}},
		{"to be retired", old.Retiring, d.Retiring, []string{store.DeviceRetire}, []string{store.DeviceUnblock}},
		{"to be wiped", old.Wiping, d.Wiping, []string{store.DeviceWipe}, []string{store.DeviceUnblock, store.DeviceWiped}},
		{"wiped", !old.WipedAt.IsZero(), !d.WipedAt.IsZero(), []string{store.DeviceWiped}, []string{store.DeviceSignin}},
	} {
		told := x.begins
		if x.was {
			told = x.ends
		}
		if x.was != x.is && !slices.ContainsFunc(told, func(action string) bool { return r.didTo(old, d, action) }) {
			r.complain("order", "device %s is %s: %v, and nothing tells why", d.ID, x.what, x.is)
		}
	}
	for i := range old.Mishaps {
		m := &old.Mishaps[i]
		still := slices.ContainsFunc(d.Mishaps, func(x store.Mishap) bool { return x.Due && x.Incarnation == m.Incarnation && x.From == m.From })
		if m.Due && !still && r.m.items[landfall.Key{Replica: d.ID, Incarnation: m.Incarnation, N: m.From}] == nil {
			r.complain("loss", "what %s lost from %d.%d on has no issue", d.ID, m.Incarnation, m.From)
		}
	}
}

// didTo reports whether the audit tells of something that was done to a device,
// by somebody who may.
func (r *reading) didTo(old, d *store.Replica, action string) bool {
	return slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
		if e.Action != action || e.Object != d.ID || e.Outcome != store.AuditDone {
			return false
		}
		by := r.m.actor(e.By, "")
		switch action {
		case store.DeviceRetired:
			return e.By == "" && e.Device == d.ID && old.Retiring && d.Waiting == 0
		case store.DeviceWiped:
			return e.By == "" && e.Device == d.ID
		case store.DeviceSignin:
			return true
		case store.DeviceBlock, store.DeviceUnblock:
			return !by.Disabled && by.Has(landfall.Administrator)
		}
		return !by.Disabled && (by.Has(landfall.Administrator) || e.By == d.User)
	})
}

// waits is how much a device reported that is not here, with the incarnation and
// the number before.
func waits(d *store.Replica) (n, incarnation, after int64) {
	if d.MadeIn == 0 {
		return int64(d.Waiting), d.Incarnation, d.Next - 1
	}
	if d.MadeIn > d.Incarnation {
		return d.Made, d.MadeIn, 0
	}
	if d.MadeIn < d.Incarnation {
		return int64(d.Waiting), d.Incarnation, d.Next - 1
	}
	return max(0, d.Made-d.Next+1), d.Incarnation, d.Next - 1
}

// returns: a device that comes back empty goes on in an incarnation of its own,
// and what it had reported and never sent is accounted for.
func (r *reading) returns(old, d *store.Replica, at replica) replica {
	missing, left, after := waits(old)
	if d.Incarnation != left+1 || d.Next != 1 || d.LastHash != "" || d.Closed != left {
		r.complain("order", "%s comes back empty from incarnation %d, and is kept at %d.%d with %d closed", d.ID, left, d.Incarnation, d.Next, d.Closed)
	}
	found := slices.ContainsFunc(d.Mishaps, func(m store.Mishap) bool {
		return m.Due && m.What == store.MishapEvicted && m.Incarnation == left && m.From == after+1 && m.To == after+missing
	})
	if (missing > 0) != found || (missing > 0) != r.has(store.DeviceLoss, d.ID) {
		r.complain("loss", "%s comes back without %d changes from %d.%d on, and what is noted is %+v", d.ID, missing, left, after+1, d.Mishaps)
	}
	return replica{incarnation: d.Incarnation, next: 1, edit: at.edit, closed: max(at.closed, d.Closed)}
}

// dueLoss: the item stands for numbers that a device came back without.
func (r *reading) dueLoss(it *store.Item) bool {
	d := r.m.devices[it.Key.Replica]
	return d != nil && it.Op == landfall.OpLost && slices.ContainsFunc(d.Mishaps, func(m store.Mishap) bool {
		return m.Due && m.Incarnation == it.Key.Incarnation && m.From == it.Key.N
	})
}

// cleaned reads an item of which only its receipt is kept from now on; false when
// it is none.
func (r *reading) cleaned(it *store.Item) bool {
	old := r.m.items[it.Key]
	swept := slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
		return e.Action == store.InboxClean && e.Outcome == store.AuditDone
	})
	if old == nil || !swept || len(it.Bytes) > 0 || it.Cleaned == nil {
		return false
	}
	r.at++
	issues := []string{old.Receipt.Issue}
	if old.Outcome != nil {
		issues = append(issues, old.Outcome.Issue)
	}
	needed := slices.ContainsFunc(issues, func(id string) bool { i := r.m.issues[id]; return i != nil && i.Open() })
	if needed || old.Holder != "" || old.State == store.WithErrors || old.State == store.Queued {
		r.complain("clean", "item %s is cleaned, and an open issue needs it", it.Key)
	}
	kept, now := old.Item, *it
	kept.Receipt.Messages, kept.Bytes, kept.History, kept.Cleaned = nil, nil, nil, nil
	now.Bytes, now.History, now.Cleaned = nil, nil, nil
	if !sameReceipt(&kept.Receipt, &now.Receipt) || !sameOutcome(kept.Outcome, now.Outcome) || kept.State != now.State || kept.Holder != now.Holder ||
		kept.Hash != now.Hash || kept.User != now.User || kept.Record != now.Record || kept.Op != now.Op || !kept.EditedAt.Equal(now.EditedAt) {
		r.complain("clean", "item %s is another one after it was cleaned: its receipt was %s and is %s", it.Key, answer(&kept.Receipt), answer(&now.Receipt))
	}
	next := *old
	next.Item = *it
	r.m.keep(&next)
	return true
}

func sameOutcome(a, b *landfall.Outcome) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// resync: each full sync that is asked for has the next number, also among those
// of its kind, and the audit tells.
func (r *reading) resync(c *watch.Counter) {
	last := &r.m.resyncs
	if c.Series == "full syncs" {
		*last++
	}
	if c.N != *last {
		r.complain("number", "the last number of %s is kept as %d, and was %d", c.Series, c.N, *last)
	}
	if !slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool { return e.Action == store.DeviceResync && e.Outcome == store.AuditDone }) {
		r.complain("audit", "a full sync is asked for, and the audit does not tell")
	}
}
