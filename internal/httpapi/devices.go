package httpapi

import (
	"context"
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

type devicesInput struct {
	Paged
	User   string `query:"user" maxLength:"100" doc:"Only this user's"`
	State  string `query:"state" enum:"active,retiring,blocked,wiping,wiped,revoked"`
	Silent string `query:"silent" maxLength:"50" doc:"No contact since: RFC 3339, or how long ago, such as 24h or 7d"`
	Sort   string `query:"sort" enum:"id,contact" doc:"By id, or those first that were silent longest, to a quarter of an hour"`
}

type newCodeInput struct{ Body wire.NewCode }

type resyncInput struct{ Body wire.Resync }

type enrolInput struct {
	Body  wire.EnrolRequest
	token string
}

// landInput takes the body as it is, as a push does.
type landInput struct {
	ByID
	pushInput
}

// Resolve keeps the token of a request to a route that does not ask for one.
func (in *enrolInput) Resolve(ctx huma.Context) []error {
	in.token = bearer(map[string][]string{"Authorization": {ctx.Header("Authorization")}})
	return nil
}

// deviceActs are the routes of what is done to a device, and whether its requests
// under way end with it.
var deviceActs = []struct {
	act     wire.DeviceAct
	summary string
	cuts    bool
}{
	{wire.ActBlock, "Let a device hand in, and nothing more", true},
	{wire.ActUnblock, "Let a device in again; also takes back retire and wipe", false},
	{wire.ActRetire, "Let a device deliver all that it has, and block it then", false},
	{wire.ActWipe, "Let a device hand in all that it has, and erase itself then", true},
	{wire.ActResync, "Ask a device for a full sync at its next contact", false},
	{wire.ActRevoke, "Make a device's credential void; it can still hand in", true},
}

func (a *API) deviceRoutes() {
	handle(a, "POST /v1/devices", "Enrol a device, by a one-time code or by a session", a.enrol)
	handle(a, "GET /v1/devices", "List devices", a.listDevices)
	handle(a, "GET /v1/devices/{id}", "Show a device", func(ctx context.Context, c *Caller, in *ByID) (*wire.DeviceView, error) {
		return a.Devices.Device(ctx, c.Workspace, c.Actor, in.ID)
	})
	handle(a, "GET /v1/devices/{id}/ledger", "Account for every change that a device made", func(ctx context.Context, c *Caller, in *ByID) (*wire.Ledger, error) {
		return a.Devices.Ledger(ctx, c.Workspace, c.Actor, in.ID)
	})
	handle(a, "POST /v1/devices/codes", "Make a one-time code to enrol a device", func(ctx context.Context, c *Caller, in *newCodeInput) (*wire.Code, error) {
		return a.Devices.NewCode(ctx, c.Workspace, c.Actor, in.Body)
	})
	handle(a, "POST /v1/devices/resync", "Ask the devices of a role, or all, for a full sync at their next contact", func(ctx context.Context, c *Caller, in *resyncInput) (*wire.Resynced, error) {
		return a.Devices.Resync(ctx, c.Workspace, c.Actor, in.Body)
	})
	for _, x := range deviceActs {
		handle(a, "POST /v1/devices/{id}/"+string(x.act), x.summary, func(ctx context.Context, c *Caller, in *ByID) (*wire.DeviceView, error) {
			v, err := a.Devices.Control(ctx, c.Workspace, c.Actor, in.ID, x.act)
			if err == nil && x.cuts {
				a.flights.cut(ctx, c.Workspace, v.User, v.ID)
			}
			return v, err
		})
	}
	handle(a, landPattern, "Land a push that was exported from a device, as that device", a.land)
	a.asPush(landPattern)
}

func (a *API) listDevices(ctx context.Context, c *Caller, in *devicesInput) (wire.List[wire.DeviceView], error) {
	silent, err := a.moment("silent", in.Silent)
	if err != nil {
		return wire.List[wire.DeviceView]{}, err
	}
	q := wire.DevicesQuery{User: in.User, State: in.State, Silent: silent, ByContact: in.Sort == "contact"}
	return page(a.Devices.Devices(ctx, c.Workspace, c.Actor, q, in.page()))
}

// landPattern takes bodies as large as those of pushes.
const landPattern = "POST /v1/devices/{id}/land"

func (a *API) land(ctx context.Context, c *Caller, in *landInput) (*wire.PushReply, error) {
	if in.err != nil {
		return nil, in.err
	}
	return a.Landing.Land(ctx, c.Workspace, c.Actor, in.ID, in.raw)
}

// told reads what a device tells of itself with a pull; nil for nothing.
func told(header string) (*wire.Contact, error) {
	if header == "" {
		return nil, nil
	}
	c := &wire.Contact{}
	if err := json.Unmarshal([]byte(header), c); err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "the header %s can't be read", wire.ContactHeader).WithHint("it is JSON, as docs/protocol.md says; it may be left out")
	}
	return c, nil
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
