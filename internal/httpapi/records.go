package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

type recordsInput struct {
	Paged
	Type   string `path:"type" maxLength:"100"`
	Status string `query:"status" maxLength:"100"`
	Queue  string `query:"queue" maxLength:"100"`
}

type recordInput struct {
	Type string `path:"type" maxLength:"100"`
	ByID
}

type doInput struct{ Body wire.Do }

type importInput struct {
	Type string `path:"type" maxLength:"100"`
	Body wire.Import
}

func (a *API) recordRoutes() {
	handle(a, "GET /v1/records/{type}", "List records", func(ctx context.Context, c *Caller, in *recordsInput) (wire.List[wire.RecordView], error) {
		return page(a.Records.Records(ctx, c.Workspace, c.Actor, RecordQuery{Type: in.Type, Status: in.Status, Queue: in.Queue}, in.page()))
	})
	handle(a, "GET /v1/records/{type}/{id}", "Show a record", func(ctx context.Context, c *Caller, in *recordInput) (*wire.RecordView, error) {
		return a.Records.Find(ctx, c.Workspace, c.Actor, in.Type, in.ID)
	})
	handle(a, "GET /v1/records/{type}/{id}/history", "The changes of a record", func(ctx context.Context, c *Caller, in *recordInput) (wire.List[landfall.Change], error) {
		changes, err := a.Records.History(ctx, c.Workspace, c.Actor, in.Type, in.ID)
		return listOf(changes), err
	})
	handle(a, "POST /v1/records", "Change a record at once, by the rules", a.do)
	handle(a, "POST /v1/records/{type}/import", "Create or change many records, each by the rules", func(ctx context.Context, c *Caller, in *importInput) (*wire.Imported, error) {
		return a.Inbox.Import(ctx, c.Workspace, c.Actor, in.Type, in.Body)
	})
}

// anyType stands for the type of a record that is found by its id or number alone.
const anyType = "-"

// fullID is the length of a UUID.
const fullID = 36

func (a *API) do(ctx context.Context, c *Caller, in *doInput) (*wire.Done, error) {
	do := in.Body
	switch {
	case do.ID == "" && do.Op == landfall.OpCreate:
		do.ID = a.NewID()
	case do.ID == "":
		return nil, landfall.Errorf(landfall.CodeInvalid, "which record is meant?").WithHint("send its id or number as id")
	case do.Op != landfall.OpCreate && (len(do.ID) != fullID || do.Type == anyType):
		r, err := a.Records.Find(ctx, c.Workspace, c.Actor, do.Type, do.ID)
		if err != nil {
			return nil, err
		}
		do.ID, do.Type = r.ID, r.Type
	}
	return a.Inbox.Do(ctx, c.Workspace, c.Actor, do)
}
