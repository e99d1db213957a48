package auth

import (
	"context"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func roleKey(role string) string { return "role:" + role }
func teamKey(team string) string { return "team:" + team }

// give adds roles and teams that the user does not have yet, each at its own
// place in the sequence.
func (a *Accounts) give(w store.Writer, l *store.Ledger, ws, by string, u *store.User, roles, teams []string) error {
	if len(roles) > 0 {
		app, err := a.defs.At(w, ws)
		if err != nil {
			return err
		}
		declared := append(slices.Clone(app.Roles), landfall.Administrator)
		for _, role := range roles {
			if !slices.Contains(declared, role) {
				return definition.Unknown(landfall.CodeInvalid, "role", role, declared)
			}
			if slices.Contains(u.Roles, role) {
				continue
			}
			if u.Roles, err = giveKey(w, l, ws, u.Name, u.Roles, role, roleKey(role)); err != nil {
				return err
			}
			if err := w.AddAudit(ws, store.Done(by, store.UserGrant, u.Name, l.Now()).With("role", role)); err != nil {
				return err
			}
		}
	}
	if len(teams) == 0 {
		return nil
	}
	names, err := teamNames(w, ws)
	if err != nil {
		return err
	}
	for _, team := range teams {
		if !slices.Contains(names, team) {
			return definition.Unknown(landfall.CodeInvalid, "team", team, names)
		}
		if slices.Contains(u.Teams, team) {
			continue
		}
		if u.Teams, err = giveKey(w, l, ws, u.Name, u.Teams, team, teamKey(team)); err != nil {
			return err
		}
		if err := w.AddAudit(ws, store.Done(by, store.TeamJoin, u.Name, l.Now()).With("team", team)); err != nil {
			return err
		}
	}
	return nil
}

// take removes roles and teams. What the user does not have is no error if it
// exists: a role may also be one that the definition declares no more.
func (a *Accounts) take(w store.Writer, l *store.Ledger, ws, by string, u *store.User, roles, teams []string) error {
	for _, role := range roles {
		if !slices.Contains(u.Roles, role) {
			app, err := a.defs.At(w, ws)
			if err != nil {
				return err
			}
			if declared := append(slices.Clone(app.Roles), landfall.Administrator); !slices.Contains(declared, role) {
				return definition.Unknown(landfall.CodeInvalid, "role", role, declared)
			}
			continue
		}
		u.Roles = without(u.Roles, role)
		if err := takeKey(w, l, ws, u.Name, roleKey(role)); err != nil {
			return err
		}
		if err := w.AddAudit(ws, store.Done(by, store.UserRevoke, u.Name, l.Now()).With("role", role)); err != nil {
			return err
		}
	}
	for _, team := range teams {
		if !slices.Contains(u.Teams, team) {
			names, err := teamNames(w, ws)
			if err != nil {
				return err
			}
			if !slices.Contains(names, team) {
				return definition.Unknown(landfall.CodeInvalid, "team", team, names)
			}
			continue
		}
		u.Teams = without(u.Teams, team)
		if err := takeKey(w, l, ws, u.Name, teamKey(team)); err != nil {
			return err
		}
		if err := w.AddAudit(ws, store.Done(by, store.TeamLeave, u.Name, l.Now()).With("team", team)); err != nil {
			return err
		}
	}
	return nil
}

// giveKey opens a span at the next place, unless the user has it, and returns
// the new list, sorted.
func giveKey(w store.Writer, l *store.Ledger, ws, user string, has []string, name, key string) ([]string, error) {
	if slices.Contains(has, name) {
		return has, nil
	}
	has = append(slices.Clone(has), name)
	slices.Sort(has)
	return has, w.PutGrant(ws, store.GrantRow{User: user, Key: key, From: l.Take()})
}

// takeKey ends the open span of the key at the next place.
func takeKey(w store.Writer, l *store.Ledger, ws, user, key string) error {
	spans, err := w.Grants(ws, user)
	if err != nil {
		return err
	}
	for _, g := range spans {
		if g.Key == key && g.To == 0 {
			g.To = l.Take()
			return w.PutGrant(ws, g)
		}
	}
	return nil
}

func without(list []string, names ...string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(names, s) })
}

func teamNames(r store.Reader, ws string) ([]string, error) {
	teams, err := r.Teams(ws)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(teams))
	for _, t := range teams {
		names = append(names, t.Name)
	}
	return names, nil
}

// Teams lists all teams. Administrators only.
func (a *Accounts) Teams(ctx context.Context, ws string, actor landfall.Actor) ([]wire.Team, error) {
	if err := mustAdminister(&actor, "list teams"); err != nil {
		return nil, err
	}
	out := []wire.Team{}
	err := a.store.View(ctx, func(r store.Reader) error {
		teams, err := r.Teams(ws)
		for _, t := range teams {
			out = append(out, wire.Team{Name: t.Name, Title: t.Title})
		}
		return err
	})
	return out, err
}

// AddTeam adds a team. Administrators only.
func (a *Accounts) AddTeam(ctx context.Context, ws string, actor landfall.Actor, t wire.Team) (*wire.Team, error) {
	if err := a.administer(ctx, ws, &actor, "add teams", t.Name, store.TeamAdd); err != nil {
		return nil, err
	}
	if err := checkName("team", t.Name); err != nil {
		return nil, err
	}
	if err := checkTitle("title", t.Title); err != nil {
		return nil, err
	}
	err := a.store.Update(ctx, func(w store.Writer) error {
		names, err := teamNames(w, ws)
		if err != nil {
			return err
		}
		if slices.Contains(names, t.Name) {
			return landfall.Errorf(landfall.CodeConflict, "there is a team %q already", t.Name).WithHint("choose another name")
		}
		if err := w.AddAudit(ws, store.Done(actor.User, store.TeamAdd, t.Name, a.now()).With("title", t.Title)); err != nil {
			return err
		}
		if err := w.PutTeam(ws, store.Team{Name: t.Name, Title: t.Title}); err != nil {
			return err
		}
		return store.Added(w, ws, store.NamesTeam)
	})
	if err != nil {
		return nil, err
	}
	return &t, nil
}
