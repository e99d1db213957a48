package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall/internal/wire"
)

type queueInput struct {
	Paged
	Name string `path:"name" maxLength:"100"`
}

func (a *API) queueRoutes() {
	handle(a, "GET /v1/queues", "Work queues that the caller belongs to", func(ctx context.Context, c *Caller, _ *none) (wire.List[wire.QueueView], error) {
		queues, err := a.Queues.Queues(ctx, c.Workspace, c.Actor)
		return listOf(queues), err
	})
	handle(a, "GET /v1/queues/{name}", "What waits in a queue", func(ctx context.Context, c *Caller, in *queueInput) (wire.List[wire.WorkItem], error) {
		return page(a.Queues.Queue(ctx, c.Workspace, c.Actor, in.Name, in.page()))
	})
	handle(a, "GET /v1/worklist", "What waits for the caller", func(ctx context.Context, c *Caller, in *Paged) (wire.List[wire.WorkItem], error) {
		return page(a.Queues.Worklist(ctx, c.Workspace, c.Actor, in.page()))
	})
}
