package auth

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// codeLife is how long an enrolment code can be used.
const codeLife = 24 * time.Hour

// maxDeviceName is in characters.
const maxDeviceName = 100

// NewCode makes a one-time code with which a device of the user enrols.
// Administrators only.
func (a *Accounts) NewCode(ctx context.Context, ws string, actor landfall.Actor, req wire.NewCode) (*wire.Code, error) {
	if err := a.administer(ctx, ws, &actor, "make enrolment codes", req.User, store.DeviceCode); err != nil {
		return nil, err
	}
	if err := checkTitle("name", req.Name); err != nil {
		return nil, err
	}
	code, hash, err := newCode(a.random)
	if err != nil {
		return nil, err
	}
	out := &wire.Code{Code: code, User: req.User, Expires: a.now().Add(codeLife)}
	err = a.store.Update(ctx, func(w store.Writer) error {
		u, err := mustUser(w, ws, req.User)
		if err != nil {
			return err
		}
		if u.Disabled {
			return landfall.Errorf(landfall.CodeConflict, "the user %q is disabled", u.Name).WithHint("enable the user first")
		}
		made := store.Done(actor.User, store.DeviceCode, u.Name, a.now()).With("name", req.Name).With("expires", out.Expires.Format(time.RFC3339))
		if err := w.AddAudit(ws, made); err != nil {
			return err
		}
		return w.PutCode(ws, &store.Code{Hash: hash, User: u.Name, Name: req.Name, Expires: out.Expires})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Enrol makes an installation a replica with a credential of its own: by a
// one-time code, or, with none, for the signed-in caller. A caller of nil is
// nobody. Guesses of codes are slowed down. A request that names a replica signs
// it in again: see again.
func (a *Accounts) Enrol(ctx context.Context, req wire.EnrolRequest, caller *Caller) (*wire.Enrolled, error) {
	if err := checkTitle("name", req.Name); err != nil {
		return nil, err
	}
	if req.Code != "" {
		return a.enrolByCode(ctx, req)
	}
	if caller == nil || caller.Replica != "" {
		return nil, landfall.Errorf(landfall.CodeUnauthorized, "a device enrols with a one-time code, or by a signed-in person").
			WithHint("ask an administrator for a code: landfall device enrol --user NAME")
	}
	credential, hash, err := newToken(a.random, DevicePrefix)
	if err != nil {
		return nil, err
	}
	var out *wire.Enrolled
	err = a.store.Update(ctx, func(w store.Writer) error {
		out, err = a.put(w, caller.Workspace, caller.Actor.User, req, credential, hash, caller.Actor.User)
		return err
	})
	return out, err
}

func (a *Accounts) enrolByCode(ctx context.Context, req wire.EnrolRequest) (*wire.Enrolled, error) {
	back, err := a.throttle.begin("", a.now())
	if err != nil {
		return nil, err
	}
	credential, hash, err := newToken(a.random, DevicePrefix)
	if err != nil {
		return nil, err
	}
	wrong := landfall.Errorf(landfall.CodeUnauthorized, "the code is wrong, used or too old").
		WithHint("each code works once, for 24 hours; ask an administrator for a new one: landfall device enrol --user NAME")
	var out *wire.Enrolled
	err = a.store.Update(ctx, func(w store.Writer) error {
		codeHash := hashSecret(plainCode(req.Code))
		ws, c, err := w.Code(codeHash)
		if err != nil {
			return err
		}
		if c == nil || !a.now().Before(c.Expires) {
			return wrong
		}
		if err := w.DeleteCode(codeHash); err != nil {
			return err
		}
		if req.Name == "" && req.Replica == "" {
			req.Name = c.Name
		}
		out, err = a.put(w, ws, c.User, req, credential, hash, "")
		return err
	})
	if landfall.CodeOf(err) != landfall.CodeUnauthorized {
		back()
	}
	return out, err
}

// put stores a replica of an enabled user: a new one, or, when one is named, the
// one that the device was before: see again. by is who is signed in, or "" when
// the device comes with a code.
func (a *Accounts) put(w store.Writer, ws, user string, req wire.EnrolRequest, credential, hash, by string) (*wire.Enrolled, error) {
	u, err := w.User(ws, user)
	if err != nil {
		return nil, err
	}
	if u == nil || u.Disabled {
		return nil, landfall.Errorf(landfall.CodeForbidden, "the account of this device is disabled").
			WithHint("an administrator can enable it")
	}
	now := a.now()
	r := &store.Replica{ID: a.newID(), User: user, Name: req.Name, Incarnation: 1, Next: 1, Enrolled: now}
	if req.User != "" && req.User != user {
		return nil, notYours()
	}
	if req.Replica != "" {
		fresh := r
		if r, err = again(w, ws, fresh, req.Replica); err != nil {
			return nil, err
		}
		if req.Fresh && r != fresh {
			if err := a.anew(w, ws, r, now); err != nil {
				return nil, err
			}
		}
	}
	if req.Name != "" {
		r.Name = req.Name
	}
	if r.Void {
		if err := store.MayPass(w, ws, user, "the device signed in again"); err != nil {
			return nil, err
		}
	}
	r.Credential, r.LastContact, r.Void, r.WipedAt = hash, now, false, time.Time{}
	if err := w.PutReplica(ws, r); err != nil {
		return nil, err
	}
	if err := w.AddAudit(ws, enrolled(r, req.Replica != "", by, now)); err != nil {
		return nil, err
	}
	return &wire.Enrolled{Replica: r.ID, Credential: credential, Incarnation: r.Incarnation, User: user, Workspace: ws}, nil
}

// enrolled is the entry of a device that was let in, for the first time or again.
func enrolled(r *store.Replica, again bool, by string, now time.Time) *store.AuditEntry {
	e := store.Done(by, store.DeviceEnrol, r.ID, now).With("user", r.User).With("name", r.Name)
	if again {
		e.Action = store.DeviceSignin
	}
	if by == "" {
		e.Device = r.ID
		e = e.With("way", "code")
	}
	return e
}

// again is the replica that a device was before, for its user alone. A server
// that was restored to a time before the device enrolled does not know it: it
// goes on under its old id, so that what it sent and sends is told apart from
// what others did.
func again(r store.Reader, ws string, fresh *store.Replica, id string) (*store.Replica, error) {
	if uuid.Validate(id) != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%.64q is not the id of a device", id).WithHint("enrol it as a new one")
	}
	known, err := r.Replica(ws, id)
	if err != nil {
		return nil, err
	}
	if known == nil {
		fresh.ID = id
		return fresh, nil
	}
	if known.User != fresh.User {
		return nil, notYours()
	}
	return known, nil
}

func notYours() error {
	return landfall.Errorf(landfall.CodeForbidden, "this device belongs to somebody else").
		WithHint("its user signs in on it; what it holds is theirs to send")
}

// Devices lists devices by id, or by their last contact. Who is no administrator
// sees their own.
func (a *Accounts) Devices(ctx context.Context, ws string, actor landfall.Actor, q wire.DevicesQuery, p store.Page) (wire.List[wire.DeviceView], error) {
	out := wire.List[wire.DeviceView]{Items: []wire.DeviceView{}}
	if !actor.Has(landfall.Administrator) {
		if q.User != "" && q.User != actor.User {
			return out, mustAdminister(&actor, "see the devices of others")
		}
		q.User = actor.User
	}
	f := store.ReplicaFilter{User: q.User, State: store.DeviceState(q.State), Silent: q.Silent, ByContact: q.ByContact}
	if f.State != "" && !slices.Contains(store.DeviceStates, f.State) {
		return out, unknownState(q.State)
	}
	err := a.store.View(ctx, func(r store.Reader) error {
		if q.User != "" {
			if _, err := mustUser(r, ws, q.User); err != nil {
				return err
			}
		}
		h, err := r.Head(ws)
		if err != nil || h == nil {
			return err
		}
		all, err := r.FindReplicas(ws, f, store.Page{After: p.After, Limit: p.Limit + 1})
		if err != nil {
			return err
		}
		if len(all) > p.Limit {
			all = all[:p.Limit]
			out.Next = f.ReplicaCursor(all[len(all)-1])
		}
		for _, d := range all {
			out.Items = append(out.Items, *deviceView(d, h))
		}
		return nil
	})
	return out, err
}

func unknownState(name string) error {
	var names []string
	for _, s := range store.DeviceStates {
		names = append(names, string(s))
	}
	return definition.Unknown(landfall.CodeInvalid, "state of a device called", name, names)
}

// Device finds a device by its id, an unambiguous beginning of the id, or an
// unambiguous name. Administrators and its user only.
func (a *Accounts) Device(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.DeviceView, error) {
	var out *wire.DeviceView
	err := a.store.View(ctx, func(r store.Reader) error {
		d, err := findDevice(r, ws, &actor, ref)
		if err != nil {
			return err
		}
		out, err = a.seen(r, ws, d)
		return err
	})
	return out, err
}

// maxDevices bounds the search by name; ids are found beyond it.
const maxDevices = 5000

func findDevice(r store.Reader, ws string, actor *landfall.Actor, ref string) (*store.Replica, error) {
	absent := landfall.Errorf(landfall.CodeNotFound, "there is no device %q", ref).WithHint("landfall device list shows them")
	d, err := r.Replica(ws, ref)
	if err != nil {
		return nil, err
	}
	owner := actor.User
	if actor.Has(landfall.Administrator) {
		owner = ""
	}
	if d != nil {
		if owner != "" && d.User != owner {
			return nil, absent
		}
		return d, nil
	}
	all, err := r.Replicas(ws, owner, store.Page{Limit: maxDevices})
	if err != nil {
		return nil, err
	}
	var found []*store.Replica
	for _, d := range all {
		if d.Name == ref || len(ref) >= 4 && strings.HasPrefix(d.ID, ref) {
			found = append(found, d)
		}
	}
	switch len(found) {
	case 0:
		return nil, absent
	case 1:
		return found[0], nil
	}
	return nil, landfall.Errorf(landfall.CodeInvalid, "%d devices are meant by %q", len(found), ref).WithHint("write more of the id")
}

func deviceView(d *store.Replica, h *store.Head) *wire.DeviceView {
	return &wire.DeviceView{
		ID: d.ID, User: d.User, Name: d.Name, Enrolled: d.Enrolled, LastContact: d.LastContact, Waiting: d.Waiting, Skew: d.Skew,
		Incarnation: d.Incarnation, Next: d.Next, Behind: max(0, h.Seq-d.Checkpoint), Definition: d.Definition, Client: d.Client,
		Blocked: d.Blocked, Revoked: d.Void || d.Credential == "", State: string(d.State()), Oldest: d.Oldest, Reported: d.Reported, WipedAt: d.WipedAt,
	}
}

// checkTitle refuses what no list could show.
func checkTitle(what, s string) error {
	if utf8.RuneCountInString(s) > maxDeviceName || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return landfall.Errorf(landfall.CodeInvalid, "the %s can't be used", what).
			WithHint("write at most %d characters on one line", maxDeviceName)
	}
	return nil
}
