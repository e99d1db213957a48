package changelog

import (
	"context"
	"time"

	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// contact is what a pull tells of its device.
type contact struct {
	seq    int64 // it has everything up to here
	forced int64 // the forced full sync that it has begun
	told   *wire.Contact
}

// Heard notes a pull from a checkpoint that is answered with a page, and what the
// device told of itself, nil for nothing.
func (l *Log) Heard(ctx context.Context, ws, replica, since string, page *wire.PullPage, told *wire.Contact) error {
	c := contact{told: told}
	if !page.More {
		c.seq = Acknowledged(since) // within a long sync it does not have everything yet
	}
	if p, err := parse(page.Checkpoint); err == nil {
		c.forced = p.forced
	}
	return l.heard(ctx, ws, replica, c)
}

// heard writes a contact down. Those that bring nothing new are written at most
// once a minute, so that an idle replica costs no write for each poll. An
// unknown replica is left alone.
func (l *Log) heard(ctx context.Context, ws, replica string, c contact) error {
	now := l.clock().UTC()
	worth := false
	err := l.store.View(ctx, func(r store.Reader) error {
		d, err := r.Replica(ws, replica)
		worth = d != nil && c.news(*d, now)
		return err
	})
	if err != nil || !worth {
		return err
	}
	retired := false
	err = l.store.Update(ctx, func(w store.Writer) error {
		d, err := w.Replica(ws, replica)
		if err != nil || d == nil || !c.news(*d, now) {
			return err
		}
		if retired = c.note(d, now); retired {
			e := store.Done("", store.DeviceRetired, d.ID, now).With("user", d.User).With("name", d.Name)
			e.Device = d.ID
			if err := w.AddAudit(ws, e); err != nil {
				return err
			}
		}
		return w.PutReplica(ws, d)
	})
	if err == nil && retired {
		l.barred()
	}
	return err
}

// news reports whether the contact is worth a write.
func (c *contact) news(d store.Replica, now time.Time) bool {
	was := d
	c.note(&d, now)
	return d.Checkpoint != was.Checkpoint || d.Resynced != was.Resynced || now.Sub(was.LastPull) >= contactEvery ||
		d.Waiting != was.Waiting || d.Made != was.Made || d.Blocked != was.Blocked || len(d.Mishaps) != len(was.Mishaps)
}

// note takes the contact in; it reports whether the device is retired by it.
func (c *contact) note(d *store.Replica, now time.Time) (retired bool) {
	d.Checkpoint = max(d.Checkpoint, c.seq)
	d.Resynced = max(d.Resynced, c.forced)
	if now.After(d.LastPull) {
		d.LastPull = now
	}
	if now.After(d.LastContact) {
		d.LastContact = now
	}
	return c.told != nil && d.Reports(store.Report(*c.told), now)
}
