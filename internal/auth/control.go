package auth

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// act is something that is done to a device from afar.
type act struct {
	audit string // its action in the audit
	own   bool   // its user may do it, too
	what  string // for who may not
	// do changes the device; false when it stands as asked for already.
	do func(w store.Writer, ws string, d *store.Replica) (bool, error)
}

var acts = map[wire.DeviceAct]act{
	wire.ActBlock:   {audit: store.DeviceBlock, what: "block devices", do: block},
	wire.ActUnblock: {audit: store.DeviceUnblock, what: "unblock devices", do: unblock},
	wire.ActRetire:  {audit: store.DeviceRetire, own: true, do: retire},
	wire.ActWipe:    {audit: store.DeviceWipe, own: true, do: wipe},
	wire.ActResync:  {audit: store.DeviceResync, what: "ask devices for a full sync", do: resync},
	wire.ActRevoke:  {audit: store.DeviceRevoke, own: true, do: revoke},
}

// Control does something to a device, from its next request on. Administrators,
// and, where the act allows it, its user. Doing it twice is no error.
func (a *Accounts) Control(ctx context.Context, ws string, actor landfall.Actor, ref string, what wire.DeviceAct) (*wire.DeviceView, error) {
	x, known := acts[what]
	if !known {
		return nil, landfall.Errorf(landfall.CodeInvalid, "there is nothing %q that can be done to a device", what).WithHint("there are block, unblock, retire, wipe, resync and revoke")
	}
	var out *wire.DeviceView
	var denied error
	err := a.store.Update(ctx, func(w store.Writer) error {
		d, err := findDevice(w, ws, &actor, ref)
		if err != nil {
			return err
		}
		if !x.own {
			if denied = mustAdminister(&actor, x.what); denied != nil {
				return denied
			}
		}
		changed, err := x.do(w, ws, d)
		if err != nil {
			return err
		}
		if changed {
			entry := store.Done(actor.User, x.audit, d.ID, a.now()).With("user", d.User).With("name", d.Name)
			if err := w.AddAudit(ws, entry); err != nil {
				return err
			}
			if err := w.PutReplica(ws, d); err != nil {
				return err
			}
		}
		out, err = a.seen(w, ws, d)
		return err
	})
	if denied != nil {
		if noted := a.refused(ctx, ws, actor.User, "", x.audit); noted != nil {
			return nil, noted
		}
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// seen is a device with what needs a look at more than its row.
func (a *Accounts) seen(r store.Reader, ws string, d *store.Replica) (*wire.DeviceView, error) {
	h, err := r.Head(ws)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no workspace %q", ws)
	}
	u, err := r.User(ws, d.User)
	if err != nil {
		return nil, err
	}
	v := deviceView(d, h)
	if u != nil {
		due, err := store.ResyncDue(r, ws, d, u.Roles)
		if err != nil {
			return nil, err
		}
		v.ResyncDue = due > d.Resynced
	}
	return v, nil
}

func block(_ store.Writer, _ string, d *store.Replica) (bool, error) {
	was := d.Blocked
	d.Blocked = true
	return !was, nil
}

// unblock takes back what was asked of a device, as far as it can be.
func unblock(w store.Writer, ws string, d *store.Replica) (bool, error) {
	if d.State() == store.Wiped {
		return false, landfall.Errorf(landfall.CodeConflict, "this device has erased itself").WithHint("enrol it again: landfall device enrol --user %s", d.User)
	}
	changed := d.Blocked || d.Retiring || d.Wiping
	d.Blocked, d.Retiring, d.Wiping = false, false, false
	if !changed {
		return false, nil
	}
	return true, store.MayPass(w, ws, d.User, "the device was let in again")
}

func retire(_ store.Writer, _ string, d *store.Replica) (bool, error) {
	switch s := d.State(); {
	case d.Retiring && (s == store.Retiring || s == store.Blocked):
		return false, nil
	case s != store.Active:
		return false, landfall.Errorf(landfall.CodeConflict, "this device is %s: what it sends becomes issues", s).
			WithHint("let it in again first (landfall device unblock, or its user signs in on it); then it can deliver as usual, and be retired")
	}
	d.Retiring = true
	return true, nil
}

func wipe(_ store.Writer, _ string, d *store.Replica) (bool, error) {
	if d.Wiping || d.State() == store.Wiped {
		return false, nil
	}
	d.Wiping = true
	return true, nil
}

func resync(w store.Writer, ws string, d *store.Replica) (bool, error) {
	if d.Resync > d.Resynced {
		return false, nil
	}
	n, err := store.AskResync(w, ws, "", false)
	d.Resync = n
	return true, err
}

// revoke keeps the hash of the credential: who holds it may still hand in.
func revoke(_ store.Writer, _ string, d *store.Replica) (bool, error) {
	if d.Void || d.Credential == "" {
		return false, nil
	}
	d.Void = true
	return true, nil
}

// Revoke makes the device's credential void: it lets its device hand in what it
// has, and nothing more. Administrators and its user only.
func (a *Accounts) Revoke(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.DeviceView, error) {
	return a.Control(ctx, ws, actor, ref, wire.ActRevoke)
}

// Resync asks the devices of everybody with a role, or all, for a full sync at
// their next contact: one mark, however many they are. Administrators only.
func (a *Accounts) Resync(ctx context.Context, ws string, actor landfall.Actor, req wire.Resync) (*wire.Resynced, error) {
	if err := a.administer(ctx, ws, &actor, "ask devices for a full sync", "", store.DeviceResync); err != nil {
		return nil, err
	}
	if req.All == (req.Role != "") {
		return nil, landfall.Errorf(landfall.CodeInvalid, "a full sync is asked of a role, or of all devices").WithHint("give one of them; for a single device: landfall device resync ID")
	}
	out := &wire.Resynced{}
	err := a.store.Update(ctx, func(w store.Writer) error {
		if req.Role != "" {
			app, err := a.defs.At(w, ws)
			if err != nil {
				return err
			}
			if roles := append([]string{landfall.Administrator}, app.Roles...); !slices.Contains(roles, req.Role) {
				return definition.Unknown(landfall.CodeNotFound, "role", req.Role, roles)
			}
		}
		n, err := store.AskResync(w, ws, req.Role, req.All)
		if err != nil {
			return err
		}
		out.Number = n
		entry := store.Done(actor.User, store.DeviceResync, "", a.now()).With("role", req.Role).With("number", strconv.FormatInt(n, 10))
		if req.All {
			entry = entry.With("all", "yes")
		}
		return w.AddAudit(ws, entry)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Forget lets no call in by what was known of its device before: somebody else
// than this package has changed one.
func (a *Accounts) Forget() { a.store.forget() }

// anew lets a device that comes back empty go on in an incarnation of its own.
// What it had reported and never sent is lost: the inbox opens an issue on it.
func (a *Accounts) anew(w store.Writer, ws string, d *store.Replica, now time.Time) error {
	missing, left, after := d.Waits()
	if left > d.Incarnation {
		d.Leave(left)
	}
	d.Closed, d.Emptied = max(d.Closed, left), left
	d.Leave(left + 1)
	d.Past[len(d.Past)-1].Missing = missing
	reported := d.Reported
	if reported.IsZero() {
		reported = d.LastPush
	}
	d.Waiting, d.Oldest, d.Reported, d.Told = 0, time.Time{}, time.Time{}, time.Time{}
	if missing == 0 {
		return nil
	}
	d.Found(store.Mishap{At: now, What: store.MishapEvicted, Incarnation: left, From: after + 1, To: after + missing, Reported: reported, Due: true})
	lost := store.Done("", store.DeviceLoss, d.ID, now).With("incarnation", strconv.FormatInt(left, 10)).With("changes", strconv.FormatInt(missing, 10))
	lost.Device = d.ID
	return w.AddAudit(ws, lost)
}
