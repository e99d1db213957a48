package desk

import (
	"context"
	"net/http"
	"net/url"

	"github.com/landfall-sync/landfall/internal/wire"
)

// Users lists users.
func (d *Desk) Users(ctx context.Context, f Filter) (*wire.List[wire.UserView], error) {
	return get[wire.List[wire.UserView]](ctx, d, "/v1/users", f.query())
}

// AddUser adds a user.
func (d *Desk) AddUser(ctx context.Context, u wire.NewUser) (*wire.UserView, error) {
	return post[wire.UserView](ctx, d, "/v1/users", u)
}

// ChangeUser changes a user.
func (d *Desk) ChangeUser(ctx context.Context, name string, c wire.UserChange) (*wire.UserView, error) {
	out := new(wire.UserView)
	return out, d.http.Do(ctx, http.MethodPatch, "/v1/users/"+url.PathEscape(name), c, out)
}

// Teams lists teams.
func (d *Desk) Teams(ctx context.Context) (*wire.List[wire.Team], error) {
	return get[wire.List[wire.Team]](ctx, d, "/v1/teams", nil)
}

// AddTeam adds a team.
func (d *Desk) AddTeam(ctx context.Context, t wire.Team) (*wire.Team, error) {
	return post[wire.Team](ctx, d, "/v1/teams", t)
}

// Device is one device.
func (d *Desk) Device(ctx context.Context, id string) (*wire.DeviceView, error) {
	return get[wire.DeviceView](ctx, d, "/v1/devices/"+url.PathEscape(id), nil)
}

// NewCode makes a one-time enrolment code.
func (d *Desk) NewCode(ctx context.Context, c wire.NewCode) (*wire.Code, error) {
	return post[wire.Code](ctx, d, "/v1/devices/codes", c)
}
