package auth

import (
	"context"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// administer lets an administrator pass. Anybody else is refused, which the
// audit tells, of each of the actions.
func (a *Accounts) administer(ctx context.Context, ws string, actor *landfall.Actor, what, object string, actions ...string) error {
	err := mustAdminister(actor, what)
	if err == nil {
		return nil
	}
	if noted := a.refused(ctx, ws, actor.User, object, actions...); noted != nil {
		return noted
	}
	return err
}

// refused keeps that a user was refused what takes a right; at most once a
// minute of each action, however often they try.
func (a *Accounts) refused(ctx context.Context, ws, user, object string, actions ...string) error {
	now := a.now()
	actions = slices.DeleteFunc(slices.Clone(actions), func(action string) bool {
		return !a.damper.Pass(strings.Join([]string{ws, user, action}, "\x00"), now)
	})
	if len(actions) == 0 {
		return nil
	}
	// No caller is another by this, so the cache may stay.
	return a.store.Store.Update(ctx, func(w store.Writer) error {
		for _, action := range actions {
			e := store.Done(user, action, known(object), now)
			e.Outcome = store.AuditRefused
			if err := w.AddAudit(ws, e); err != nil {
				return err
			}
		}
		return nil
	})
}

// known is a name, or nothing when it can be nobody's: the audit keeps no text
// that whoever is refused made up.
func known(name string) string {
	if !validName(name) {
		return ""
	}
	return name
}

// asked are the actions that a change of a user stands for.
func asked(c *wire.UserChange) []string {
	var out []string
	for _, a := range []struct {
		asked  bool
		action string
	}{
		{c.Title != nil, store.UserChange}, {c.Password != nil, store.UserPassword},
		{c.Disabled != nil && *c.Disabled, store.UserDisable}, {c.Disabled != nil && !*c.Disabled, store.UserEnable},
		{len(c.Grant) > 0, store.UserGrant}, {len(c.Revoke) > 0, store.UserRevoke},
		{len(c.Join) > 0, store.TeamJoin}, {len(c.Leave) > 0, store.TeamLeave},
	} {
		if a.asked {
			out = append(out, a.action)
		}
	}
	return out
}

// unknownNames counts refused sign-ins with names that are nobody's.
const unknownNames = "sign-ins of nobody"

// signInRefused keeps that somebody gave a wrong password for a user; at most
// once a minute and user. A name that is nobody's is only counted: that costs the
// same, so that nobody learns from it who there is.
func (a *Accounts) signInRefused(ctx context.Context, ws, name string) error {
	now := a.now()
	if !validName(name) || !a.damper.Pass(strings.Join([]string{ws, name, store.SessionRefused}, "\x00"), now) {
		return nil
	}
	return a.store.Store.Update(ctx, func(w store.Writer) error {
		u, err := w.User(ws, name)
		if err != nil {
			return err
		}
		if u != nil {
			return w.AddAudit(ws, &store.AuditEntry{At: now, Action: store.SessionRefused, Object: name, Outcome: store.AuditRefused})
		}
		if h, err := w.Head(ws); err != nil || h == nil {
			return err
		}
		n, err := w.Counter(ws, unknownNames)
		if err != nil {
			return err
		}
		return w.SetCounter(ws, unknownNames, n+1)
	})
}

// mostAudited is how many entries a page of the audit is looked for in.
const mostAudited = 20_000

// Audit lists who did what, newest first. Administrators only. A page is looked
// for in so many entries at most: Next goes on from there, and SearchedTo says how
// far it came.
func (a *Accounts) Audit(ctx context.Context, ws string, actor landfall.Actor, f store.AuditFilter, p store.Page) (wire.List[wire.AuditEntry], error) {
	out := wire.List[wire.AuditEntry]{Items: []wire.AuditEntry{}}
	if err := mustAdminister(&actor, "see the audit"); err != nil {
		return out, err
	}
	f.Action = strings.TrimSuffix(f.Action, ".")
	err := a.store.View(ctx, func(r store.Reader) error {
		found, err := r.SearchAudit(ws, f, store.Scan[store.AuditEntry]{Page: p, Most: mostAudited})
		out.Next, out.SearchedTo = found.Next, found.To
		for _, e := range found.Rows {
			out.Items = append(out.Items, wire.AuditEntry(*e))
		}
		return err
	})
	return out, err
}
