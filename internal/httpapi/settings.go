package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall/internal/wire"
)

// Named is a setting in the path.
type Named struct {
	Name string `path:"name" maxLength:"100" example:"inbox.keep"`
}

type setInput struct {
	Named
	Body wire.SetSetting
}

func (a *API) settingRoutes() {
	handle(a, "GET /v1/settings", "The settings of the workspace; administrators see all of them", func(ctx context.Context, c *Caller, _ *none) (wire.List[wire.SettingView], error) {
		all, err := a.Settings.Settings(ctx, c.Workspace, c.Actor)
		return listOf(all), err
	})
	handle(a, "PUT /v1/settings/{name}", "Give a setting a value; for administrators", func(ctx context.Context, c *Caller, in *setInput) (*wire.SettingView, error) {
		return a.Settings.Set(ctx, c.Workspace, c.Actor, in.Name, in.Body.Value)
	})
	handle(a, "DELETE /v1/settings/{name}", "Give a setting its default again; for administrators", func(ctx context.Context, c *Caller, in *Named) (*wire.SettingView, error) {
		return a.Settings.Reset(ctx, c.Workspace, c.Actor, in.Name)
	})
}
