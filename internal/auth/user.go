package auth

import (
	"context"
	"regexp"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)

// reserved names belong to the server itself.
var reserved = []string{"system", "desk"}

func validName(name string) bool { return namePattern.MatchString(name) }

func checkName(what, name string) error {
	if !validName(name) {
		return landfall.Errorf(landfall.CodeInvalid, "this can't be the name of a %s", what).
			WithHint("begin with a letter a-z and go on with at most 63 of a-z, 0-9, _ . -")
	}
	if slices.Contains(reserved, name) {
		return landfall.Errorf(landfall.CodeInvalid, "the name %q is the server's own", name).WithHint("choose another")
	}
	return nil
}

// Users lists users by name. Administrators only.
func (a *Accounts) Users(ctx context.Context, ws string, actor landfall.Actor, p store.Page) (wire.List[wire.UserView], error) {
	out := wire.List[wire.UserView]{Items: []wire.UserView{}}
	if err := mustAdminister(&actor, "list users"); err != nil {
		return out, err
	}
	err := a.store.View(ctx, func(r store.Reader) error {
		all, err := r.Users(ws, store.Page{After: p.After, Limit: p.Limit + 1})
		if err != nil {
			return err
		}
		if len(all) > p.Limit {
			all = all[:p.Limit]
			out.Next = all[len(all)-1].Name
		}
		for _, u := range all {
			out.Items = append(out.Items, *userView(u))
		}
		return nil
	})
	return out, err
}

// User shows one user, to administrators and the user alone.
func (a *Accounts) User(ctx context.Context, ws string, actor landfall.Actor, name string) (*wire.UserView, error) {
	if name != actor.User {
		if err := mustAdminister(&actor, "see other users"); err != nil {
			return nil, err
		}
	}
	var out *wire.UserView
	err := a.store.View(ctx, func(r store.Reader) error {
		u, err := mustUser(r, ws, name)
		if err == nil {
			out = userView(u)
		}
		return err
	})
	return out, err
}

// AddUser adds a user. Roles must be declared by the published definition, or
// be administrator; teams must exist. Administrators only.
func (a *Accounts) AddUser(ctx context.Context, ws string, actor landfall.Actor, n wire.NewUser) (*wire.UserView, error) {
	if err := a.administer(ctx, ws, &actor, "add users", n.Name, store.UserAdd); err != nil {
		return nil, err
	}
	if err := checkName("user", n.Name); err != nil {
		return nil, err
	}
	if err := checkTitle("title", n.Title); err != nil {
		return nil, err
	}
	password, err := a.newPassword(ctx, n.Password)
	if err != nil {
		return nil, err
	}
	u := &store.User{Name: n.Name, Title: n.Title, Password: password}
	err = a.update(ctx, ws, func(w store.Writer, l *store.Ledger) error {
		there, err := w.User(ws, n.Name)
		if err != nil {
			return err
		}
		if there != nil {
			return landfall.Errorf(landfall.CodeConflict, "there is a user %q already", n.Name).
				WithHint("choose another name, or grant roles to the one that is there")
		}
		u.Created = l.Now()
		if err := w.AddAudit(ws, store.Done(actor.User, store.UserAdd, u.Name, l.Now()).With("title", u.Title)); err != nil {
			return err
		}
		if err := a.give(w, l, ws, actor.User, u, n.Roles, n.Teams); err != nil {
			return err
		}
		if err := w.PutUser(ws, u); err != nil {
			return err
		}
		return store.Added(w, ws, store.NamesUser)
	})
	if err != nil {
		return nil, err
	}
	return userView(u), nil
}

// newPassword checks and hashes; "" stays "".
func (a *Accounts) newPassword(ctx context.Context, password string) (string, error) {
	if password == "" {
		return "", nil
	}
	if err := CheckPassword(password); err != nil {
		return "", err
	}
	return a.hasher.hash(ctx, password, a.now())
}

// ChangeUser changes a user. A new password ends the user's other sessions;
// keep is the token of the one that stays, when it is the caller's own.
// Disabling ends them all. There is always an enabled administrator who can
// sign in, and somebody to decide each issue that waits: what would leave none
// is a conflict. Administrators only.
func (a *Accounts) ChangeUser(ctx context.Context, ws string, actor landfall.Actor, keep, name string, c wire.UserChange) (*wire.UserView, error) {
	if err := a.administer(ctx, ws, &actor, "change users", name, asked(&c)...); err != nil {
		return nil, err
	}
	if c.Title != nil {
		if err := checkTitle("title", *c.Title); err != nil {
			return nil, err
		}
	}
	var password string
	if c.Password != nil {
		if err := CheckPassword(*c.Password); err != nil {
			return nil, err
		}
		var err error
		if password, err = a.newPassword(ctx, *c.Password); err != nil {
			return nil, err
		}
	}
	if name != actor.User {
		keep = ""
	}
	var out *wire.UserView
	err := a.update(ctx, ws, func(w store.Writer, l *store.Ledger) error {
		u, err := mustUser(w, ws, name)
		if err != nil {
			return err
		}
		was := u.Actor()
		if err := a.apply(w, l, ws, actor.User, u, password, c); err != nil {
			return err
		}
		if err := gained(w, ws, was, u); err != nil {
			return err
		}
		if err := a.missed(w, ws, u); err != nil {
			return err
		}
		out = userView(u)
		if err := w.PutUser(ws, u); err != nil {
			return err
		}
		if password == "" || keep == "" {
			return nil
		}
		return a.keepSession(w, keep, u)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// gained has what the user sent tried again, if they got a right.
func gained(w store.Writer, ws string, was landfall.Actor, u *store.User) error {
	now := u.Actor()
	switch {
	case slices.ContainsFunc(now.Roles, func(role string) bool { return !was.Has(role) }):
		return store.MayPass(w, ws, u.Name, "a role was granted")
	case slices.ContainsFunc(now.Teams, func(team string) bool { return !was.In(team) }):
		return store.MayPass(w, ws, u.Name, "the user came into a team")
	case was.Disabled && !now.Disabled:
		return store.MayPass(w, ws, u.Name, "the account was enabled")
	}
	return nil
}

// apply makes the change on u, and gives and takes what it says.
func (a *Accounts) apply(w store.Writer, l *store.Ledger, ws, by string, u *store.User, password string, c wire.UserChange) error {
	if c.Title != nil && *c.Title != u.Title {
		u.Title = *c.Title
		if err := w.AddAudit(ws, store.Done(by, store.UserChange, u.Name, l.Now()).With("title", u.Title)); err != nil {
			return err
		}
	}
	var err error
	if password != "" {
		// Whatever session began until this moment, while the password was hashed,
		// too, is void.
		if u.Password, err = voidSessions(password, a.now().Add(time.Millisecond)); err != nil {
			return err
		}
		if err := w.AddAudit(ws, store.Done(by, store.UserPassword, u.Name, l.Now())); err != nil {
			return err
		}
	}
	if c.Disabled != nil && *c.Disabled != u.Disabled {
		action := store.UserEnable
		if *c.Disabled {
			action = store.UserDisable
		}
		if err := w.AddAudit(ws, store.Done(by, action, u.Name, l.Now())); err != nil {
			return err
		}
		u.Disabled = *c.Disabled
		if u.Password, err = voidSessions(u.Password, a.now().Add(time.Millisecond)); err != nil {
			return err
		}
	}
	if err := a.take(w, l, ws, by, u, c.Revoke, c.Leave); err != nil {
		return err
	}
	return a.give(w, l, ws, by, u, c.Grant, c.Join)
}

// keepSession lets the session in which its user set a new password go on.
func (a *Accounts) keepSession(w store.Writer, token string, u *store.User) error {
	ws, s, err := w.Session(hashSecret(token))
	if err != nil || s == nil {
		return err
	}
	p, err := decode(u.Password)
	if err != nil {
		return err
	}
	s.Created = p.since
	return w.PutSession(ws, s)
}

func userView(u *store.User) *wire.UserView {
	v := &wire.UserView{Name: u.Name, Title: u.Title, Roles: slices.Clone(u.Roles), Teams: slices.Clone(u.Teams), Disabled: u.Disabled, Created: u.Created}
	if v.Roles == nil {
		v.Roles = []string{}
	}
	if v.Teams == nil {
		v.Teams = []string{}
	}
	return v
}
