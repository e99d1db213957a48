package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall/internal/wire"
)

type publishInput struct{ Body wire.Publish }

func (a *API) definitionRoutes() {
	handle(a, "GET /v1/definition", "The published definition, the caller's roles, and the limits", func(ctx context.Context, c *Caller, _ *none) (*wire.Definition, error) {
		version, source, err := a.Definitions.Source(ctx, c.Workspace)
		if err != nil {
			return nil, err
		}
		return &wire.Definition{Version: version, Source: source, Actor: &c.Actor, Limits: a.Limits}, nil
	})
	handle(a, "GET /v1/definition/schema", "The JSON Schema of definitions, for editors", func(context.Context, *Caller, *none) (map[string]any, error) {
		return a.schema, nil
	})
	handle(a, "POST /v1/definitions", "Check or publish a definition", func(ctx context.Context, c *Caller, in *publishInput) (*wire.Published, error) {
		return a.Definitions.Publish(ctx, c.Workspace, c.Actor, in.Body)
	})
	a.rehearsalRoute()
}
