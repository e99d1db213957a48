package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

type auditInput struct {
	Paged
	By     string `query:"by" maxLength:"100" doc:"The user who did it; (server) or (restore) for the machine"`
	Action string `query:"action" maxLength:"100" doc:"An action such as user.grant, or all that begin alike: user"`
	Object string `query:"object" maxLength:"200" doc:"What it was done to: a name or id"`
	Device string `query:"device" maxLength:"100" doc:"Id of the device that did it"`
	Since  string `query:"since" maxLength:"50" doc:"Done since: RFC 3339, or how long ago, such as 24h or 7d"`
	Until  string `query:"until" maxLength:"50" doc:"Done before: like since"`
	Text   string `query:"text" maxLength:"200" doc:"Part of anything that an entry says, in whatever case"`
}

func (a *API) auditRoutes() {
	handle(a, "GET /v1/audit", "Who did what, newest first; for administrators", func(ctx context.Context, c *Caller, in *auditInput) (wire.List[wire.AuditEntry], error) {
		f := store.AuditFilter{By: in.By, Action: in.Action, Object: in.Object, Device: in.Device, Text: in.Text}
		var err error
		if f.Since, err = a.moment("since", in.Since); err != nil {
			return wire.List[wire.AuditEntry]{}, err
		}
		if f.Until, err = a.moment("until", in.Until); err != nil {
			return wire.List[wire.AuditEntry]{}, err
		}
		return page(a.Audit.Audit(ctx, c.Workspace, c.Actor, f, in.page()))
	})
}
