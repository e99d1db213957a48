package inbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Land takes in, from an administrator, a push of a device that was exported
// from it: by the same rules as if the device had sent it, once, as its user.
// What the device sends later it finds answered already.
func (in *Inbox) Land(ctx context.Context, ws string, actor landfall.Actor, device string, body []byte) (*wire.PushReply, error) {
	o, err := in.OfferLanding(ctx, ws, actor, device, body)
	if err != nil {
		return nil, err
	}
	return in.await(ctx, o)
}

// OfferLanding is Land for those who do not wait in a goroutine: see Offer.
func (in *Inbox) OfferLanding(ctx context.Context, ws string, actor landfall.Actor, device string, body []byte) (*Offered, error) {
	err := in.cfg.Store.View(ctx, func(r store.Reader) error {
		a, err := now(r, ws, actor)
		if err != nil {
			return err
		}
		if !a.Has(landfall.Administrator) {
			return errNotAdministrator
		}
		rep, err := r.Replica(ws, device)
		if err == nil && rep == nil {
			err = landfall.Errorf(landfall.CodeNotFound, "there is no device %.64q", device).WithHint("landfall device list shows them; this may be the export of a device of another server")
		}
		return err
	})
	if errors.Is(err, errNotAdministrator) {
		return nil, in.forbidden(ctx, ws, actor.User, store.DeviceLand, "", "land what was exported from a device")
	}
	if err != nil {
		return nil, err
	}
	return in.offer(ctx, ws, Device{Replica: device, Actor: actor}, actor.User, body)
}

// arrival is how the history of what is in the push begins.
func (c *captured) arrival() store.ItemEvent {
	e := store.ItemEvent{At: c.row.Received, State: store.Queued, By: c.row.By}
	if e.By != "" {
		e.Text = "landed from an export"
	}
	return e
}

// landed tells the audit who landed something. The device itself said nothing:
// of what it told last, only what is here now waits no more.
func (p *pushing) landed() error {
	fresh := 0
	for _, r := range p.seq.given {
		if r != nil {
			fresh++
		}
	}
	rep := p.seq.rep
	if n, _, _ := rep.Waits(); rep.MadeIn > 0 && n < int64(rep.Waiting) {
		rep.Waiting = int(n)
	}
	if rep.Waiting == 0 {
		rep.Oldest = time.Time{}
	}
	e := store.Done(p.c.row.By, store.DeviceLand, rep.ID, p.l.Now()).With("user", rep.User).With("name", rep.Name).
		With("changes", strconv.Itoa(len(p.c.push.Mutations))).With("new", strconv.Itoa(fresh))
	if err := p.w.AddAudit(p.ws, e); err != nil {
		return err
	}
	return p.w.PutReplica(p.ws, rep)
}

// clock is the device's at the time of the push. That of an export went on since
// it was written, as far as the server knows how it goes.
func (p *pushing) clock() time.Time {
	at := p.c.push.Clock
	if rep := p.seq.rep; p.c.row.By != "" && !rep.Told.IsZero() {
		if now := p.c.row.Received.Add(rep.Skew); now.After(at) {
			return now
		}
	}
	return at
}
