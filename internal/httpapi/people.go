package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

type signInInput struct{ Body wire.SignIn }

func (a *API) sessionRoutes() {
	handle(a, "POST /v1/sessions", "Sign in", func(ctx context.Context, _ *Caller, in *signInInput) (*wire.Session, error) {
		return a.Sessions.SignIn(ctx, in.Body)
	})
	run(a, "DELETE /v1/sessions/current", "Sign out", func(ctx context.Context, c *Caller, _ *none) error {
		return a.Sessions.SignOut(ctx, c.Token)
	})
	handle(a, "GET /v1/me", "Who am I", func(_ context.Context, c *Caller, _ *none) (*landfall.Actor, error) {
		return &c.Actor, nil
	})
	handle(a, "GET /v1/health", "Is the server up", func(context.Context, *Caller, *none) (*Health, error) {
		return &Health{Status: "ok", Version: wire.Version{Version: a.Version, Protocol: wire.Protocol}}, nil
	})
}

// Health says that the server is up, and what it is.
type Health struct {
	Status string `json:"status" example:"ok"`
	wire.Version
}

type newUserInput struct{ Body wire.NewUser }

type changeUserInput struct {
	Name string `path:"name" maxLength:"100"`
	Body wire.UserChange
}

type byName struct {
	Name string `path:"name" maxLength:"100"`
}

type teamInput struct{ Body wire.Team }

func (a *API) peopleRoutes() {
	handle(a, "GET /v1/users", "List users", func(ctx context.Context, c *Caller, in *Paged) (wire.List[wire.UserView], error) {
		return page(a.People.Users(ctx, c.Workspace, c.Actor, in.page()))
	})
	handle(a, "POST /v1/users", "Add a user", func(ctx context.Context, c *Caller, in *newUserInput) (*wire.UserView, error) {
		return a.People.AddUser(ctx, c.Workspace, c.Actor, in.Body)
	})
	handle(a, "GET /v1/users/{name}", "Show a user", func(ctx context.Context, c *Caller, in *byName) (*wire.UserView, error) {
		return a.People.User(ctx, c.Workspace, c.Actor, in.Name)
	})
	handle(a, "PATCH /v1/users/{name}", "Change a user", func(ctx context.Context, c *Caller, in *changeUserInput) (*wire.UserView, error) {
		v, err := a.People.ChangeUser(ctx, c.Workspace, c.Actor, c.Token, in.Name, in.Body)
		if err == nil && (len(in.Body.Revoke) > 0 || len(in.Body.Leave) > 0 || v.Disabled) {
			a.flights.cut(ctx, c.Workspace, v.Name, "")
		}
		return v, err
	})
	handle(a, "GET /v1/teams", "List teams", func(ctx context.Context, c *Caller, _ *none) (wire.List[wire.Team], error) {
		teams, err := a.People.Teams(ctx, c.Workspace, c.Actor)
		return listOf(teams), err
	})
	handle(a, "POST /v1/teams", "Add a team", func(ctx context.Context, c *Caller, in *teamInput) (*wire.Team, error) {
		return a.People.AddTeam(ctx, c.Workspace, c.Actor, in.Body)
	})
}

func (p *Paged) page() store.Page { return store.Page{After: p.After, Limit: p.Limit} }
