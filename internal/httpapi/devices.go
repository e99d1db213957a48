package httpapi

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall/internal/wire"
)

type devicesInput struct {
	Paged
	User string `query:"user" maxLength:"100" doc:"Only this user's"`
}

type newCodeInput struct{ Body wire.NewCode }

type enrolInput struct {
	Body  wire.EnrolRequest
	token string
}

// Resolve keeps the token of a request to a route that does not ask for one.
func (in *enrolInput) Resolve(ctx huma.Context) []error {
	in.token = bearer(map[string][]string{"Authorization": {ctx.Header("Authorization")}})
	return nil
}

func (a *API) deviceRoutes() {
	handle(a, "POST /v1/devices", "Enrol a device, by a one-time code or by a session", a.enrol)
	handle(a, "GET /v1/devices", "List devices", func(ctx context.Context, c *Caller, in *devicesInput) (wire.List[wire.DeviceView], error) {
		return page(a.Devices.Devices(ctx, c.Workspace, c.Actor, in.User, in.page()))
	})
	handle(a, "GET /v1/devices/{id}", "Show a device", func(ctx context.Context, c *Caller, in *ByID) (*wire.DeviceView, error) {
		return a.Devices.Device(ctx, c.Workspace, c.Actor, in.ID)
	})
	handle(a, "POST /v1/devices/codes", "Make a one-time code to enrol a device", func(ctx context.Context, c *Caller, in *newCodeInput) (*wire.Code, error) {
		return a.Devices.NewCode(ctx, c.Workspace, c.Actor, in.Body)
	})
	handle(a, "POST /v1/devices/{id}/revoke", "Make a device's credential void", func(ctx context.Context, c *Caller, in *ByID) (*wire.DeviceView, error) {
		return a.Devices.Revoke(ctx, c.Workspace, c.Actor, in.ID)
	})
}

// enrol is public, since the code is the credential; without one, the caller
// must be signed in.
func (a *API) enrol(ctx context.Context, _ *Caller, in *enrolInput) (*wire.Enrolled, error) {
	var c *Caller
	if in.Body.Code == "" && in.token != "" {
		var err error
		if c, err = a.Sessions.Authenticate(ctx, in.token); err != nil {
			return nil, err
		}
	}
	return a.Devices.Enrol(ctx, in.Body, c)
}
