package auth

import (
	"context"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// How long a session lasts after its last use, and at most. Its end is moved
// only when that gains an hour, so that reading does not mean writing.
const (
	sessionIdle  = 12 * time.Hour
	sessionLong  = 30 * 24 * time.Hour
	sessionGrain = time.Hour
)

// Caller is who holds a token: a signed-in person, or a device of a user.
type Caller struct {
	Workspace string
	Actor     landfall.Actor
	Replica   string // "" for a person
	Void      bool   // the device's credential was revoked: it may hand in, and nothing else
	Token     string
}

var errSignIn = landfall.Errorf(landfall.CodeUnauthorized, "the session or credential is not valid (any more)").
	WithHint("sign in again; nothing on the device is lost by it")

// errDevice is for a device whose credential was revoked, or that enrolled after
// the backup to which the server went back.
var errDevice = landfall.Errorf(landfall.CodeUnauthorized, "the server does not let this device in (any more)").
	WithHint("its user signs in on it again: landfall field signin; nothing on the device is lost")

// Authenticate tells who holds the token, with what they hold at this moment.
// A disabled user can't be signed in, but their devices are still known:
// Caller.Actor says Disabled, or Blocked. A credential that was revoked is Void.
func (a *Accounts) Authenticate(ctx context.Context, token string) (*Caller, error) {
	switch {
	case strings.HasPrefix(token, SessionPrefix):
		return a.bySession(ctx, token)
	case strings.HasPrefix(token, DevicePrefix):
		return a.byCredential(ctx, token)
	}
	return nil, errSignIn
}

func (a *Accounts) byCredential(ctx context.Context, token string) (*Caller, error) {
	hash := hashSecret(token)
	c, generation := a.store.get(hash)
	if c != nil {
		c.Token = token
		return c, nil
	}
	err := a.store.View(ctx, func(r store.Reader) error {
		ws, device, err := r.ReplicaByCredential(hash)
		if err != nil || device == nil {
			return err
		}
		u, err := r.User(ws, device.User)
		if err != nil || u == nil {
			return err
		}
		c = &Caller{Workspace: ws, Actor: u.Actor(), Replica: device.ID}
		c.Actor.Blocked, c.Void = device.Deposits(), device.Void
		return nil
	})
	if err == nil && c == nil {
		return nil, errDevice
	}
	if err != nil {
		return nil, err
	}
	a.store.put(hash, *c, generation)
	c.Token = token
	return c, nil
}

func (a *Accounts) bySession(ctx context.Context, token string) (*Caller, error) {
	var c *Caller
	var ws string
	var s *store.Session
	now := a.now()
	err := a.store.View(ctx, func(r store.Reader) error {
		var err error
		ws, s, err = r.Session(hashSecret(token))
		if err != nil || s == nil || !now.Before(s.Expires) {
			return err
		}
		u, err := r.User(ws, s.User)
		if err != nil || u == nil || u.Disabled || u.Password == "" {
			return err
		}
		p, err := decode(u.Password)
		if err != nil || s.Created.Before(p.since) {
			return err
		}
		c = &Caller{Workspace: ws, Actor: u.Actor(), Token: token}
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case c != nil:
		return c, a.prolong(ctx, ws, s, now)
	case s != nil:
		if err := a.endSession(ctx, token, store.ByServer); err != nil {
			return nil, err
		}
	}
	return nil, errSignIn
}

// prolong moves the end of a session that is in use.
func (a *Accounts) prolong(ctx context.Context, ws string, s *store.Session, now time.Time) error {
	end := now.Add(sessionIdle)
	if last := s.Created.Add(sessionLong); end.After(last) {
		end = last
	}
	if end.Sub(s.Expires) < sessionGrain {
		return nil
	}
	return a.store.Update(ctx, func(w store.Writer) error {
		_, there, err := w.Session(s.Token)
		if err != nil || there == nil { // signed out meanwhile
			return err
		}
		there.Expires = end
		return w.PutSession(ws, there)
	})
}

// SignIn checks a password and begins a session. An unknown user costs as much
// as a wrong password and is answered the same. In a store of several
// workspaces the user is named WORKSPACE/USER.
func (a *Accounts) SignIn(ctx context.Context, in wire.SignIn) (*wire.Session, error) {
	ws, name, err := a.whose(ctx, in.User)
	if err != nil {
		return nil, err
	}
	key := ws + "/" + name
	if !validName(name) {
		key = "" // whatever it is, it is nobody's name
	}
	back, err := a.throttle.begin(key, a.now())
	if err != nil {
		return nil, err
	}
	s, err := a.signIn(ctx, ws, name, in.Password)
	switch {
	case err == nil:
		back()
		a.throttle.succeed(key)
	case landfall.CodeOf(err) == landfall.CodeUnauthorized:
		if noted := a.signInRefused(ctx, ws, name); noted != nil {
			return nil, noted
		}
	case landfall.CodeOf(err) == landfall.CodeForbidden: // disabled: the password was right
		back()
		if noted := a.signInRefused(ctx, ws, name); noted != nil {
			return nil, noted
		}
	default:
		back()
	}
	return s, err
}

// whose reads the name that a person signs in with.
func (a *Accounts) whose(ctx context.Context, user string) (ws, name string, err error) {
	if ws, name, found := strings.Cut(user, "/"); found {
		return ws, name, nil
	}
	var all []string
	err = a.store.View(ctx, func(r store.Reader) error {
		all, err = r.Workspaces()
		return err
	})
	switch {
	case err != nil:
		return "", "", err
	case len(all) == 1:
		return all[0], user, nil
	case len(all) == 0:
		return "", "", landfall.Errorf(landfall.CodeUnavailable, "the server has no workspace yet").
			WithHint("run: landfall init")
	}
	return "", "", landfall.Errorf(landfall.CodeInvalid, "the server has several workspaces").
		WithHint("sign in as WORKSPACE/USER")
}

func (a *Accounts) signIn(ctx context.Context, ws, name, password string) (*wire.Session, error) {
	var encoded string
	err := a.store.View(ctx, func(r store.Reader) error {
		u, err := r.User(ws, name)
		if err == nil && u != nil {
			encoded = u.Password
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	wrong := landfall.Errorf(landfall.CodeUnauthorized, "the user name or the password is wrong").
		WithHint("check both; an administrator can set a new password")
	fits, err := a.hasher.verify(ctx, encoded, password)
	if err != nil {
		return nil, err
	}
	if !fits {
		return nil, wrong
	}
	renewed, err := a.renew(ctx, encoded, password)
	if err != nil {
		return nil, err
	}
	token, hash, err := newToken(a.random, SessionPrefix)
	if err != nil {
		return nil, err
	}
	now := a.now()
	out := &wire.Session{Token: token, Expires: now.Add(sessionIdle), Workspace: ws}
	err = a.store.Update(ctx, func(w store.Writer) error {
		u, err := w.User(ws, name)
		if err != nil {
			return err
		}
		if u == nil || u.Password != encoded { // changed while it was hashed
			return wrong
		}
		if u.Disabled {
			return landfall.Errorf(landfall.CodeForbidden, "this account is disabled").
				WithHint("an administrator can enable it; what your devices have not sent yet they can still send")
		}
		if renewed != "" {
			u.Password = renewed
			if err := w.PutUser(ws, u); err != nil {
				return err
			}
		}
		out.Actor = u.Actor()
		if err := w.AddAudit(ws, store.Done(name, store.SessionBegin, name, now)); err != nil {
			return err
		}
		p, err := decode(u.Password)
		if err != nil {
			return err
		}
		began := now
		if began.Before(p.since) {
			began = p.since // the password is of this very moment
		}
		return w.PutSession(ws, &store.Session{Token: hash, User: name, Created: began, Expires: out.Expires})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// renew hashes a password again when it was hashed with other parameters than
// today's; "" means that there is no need.
func (a *Accounts) renew(ctx context.Context, encoded, password string) (string, error) {
	p, err := decode(encoded)
	if err != nil || !p.outdated() {
		return "", err
	}
	return a.hasher.hash(ctx, password, p.since)
}

// SignOut ends the session. A session that has ended already is no error.
func (a *Accounts) SignOut(ctx context.Context, token string) error {
	return a.endSession(ctx, token, "")
}

// endSession ends a session for its user, or, by the server, one that is not
// valid any more.
func (a *Accounts) endSession(ctx context.Context, token, by string) error {
	hash := hashSecret(token)
	return a.store.Update(ctx, func(w store.Writer) error {
		ws, s, err := w.Session(hash)
		if err != nil || s == nil {
			return err
		}
		if by == "" {
			by = s.User
		}
		if err := w.AddAudit(ws, store.Done(by, store.SessionEnd, s.User, a.now())); err != nil {
			return err
		}
		return w.DeleteSession(hash)
	})
}
