package desk

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"github.com/landfall-sync/landfall/internal/wire"
)

// DeviceFilter narrows, orders and pages a list of devices.
type DeviceFilter struct {
	User, State string
	Silent      string // no contact since: a time, or a duration back such as 7d
	ByContact   bool   // longest silent first
	After       string
	Limit       int
}

// Devices lists devices.
func (d *Desk) Devices(ctx context.Context, f DeviceFilter) (*wire.List[wire.DeviceView], error) {
	q := url.Values{}
	for name, v := range map[string]string{"user": f.User, "state": f.State, "silent": f.Silent, "after": f.After} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if f.ByContact {
		q.Set("sort", "contact")
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	return get[wire.List[wire.DeviceView]](ctx, d, "/v1/devices", q)
}

func devicePath(id, verb string) string { return "/v1/devices/" + url.PathEscape(id) + verb }

// Ledger accounts for what a device made.
func (d *Desk) Ledger(ctx context.Context, id string) (*wire.Ledger, error) {
	return get[wire.Ledger](ctx, d, devicePath(id, "/ledger"), nil)
}

// Control does something to a device.
func (d *Desk) Control(ctx context.Context, id string, act wire.DeviceAct) (*wire.DeviceView, error) {
	return post[wire.DeviceView](ctx, d, devicePath(id, "/"+string(act)), nil)
}

// Resync asks many devices for a full sync.
func (d *Desk) Resync(ctx context.Context, r wire.Resync) (*wire.Resynced, error) {
	return post[wire.Resynced](ctx, d, "/v1/devices/resync", r)
}

// Land hands in one push of an export, as the device.
func (d *Desk) Land(ctx context.Context, id string, body []byte) (*wire.PushReply, error) {
	out := new(wire.PushReply)
	return out, d.http.Do(ctx, http.MethodPost, devicePath(id, "/land"), json.RawMessage(body), out)
}
