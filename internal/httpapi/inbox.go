package httpapi

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Narrow is what lists of items and issues have in common.
type Narrow struct {
	Kind   string `query:"kind" enum:"authorization,validation,configuration,status-conflict,field-conflict,gone,duplicate,not-available,outdated,malformed,fork,lost,internal"`
	User   string `query:"user" maxLength:"100" doc:"The author"`
	Device string `query:"device" maxLength:"100"`
	Type   string `query:"type" maxLength:"100" doc:"Of the record"`
	Record string `query:"record" maxLength:"100" doc:"Id of the record"`
	Since  string `query:"since" maxLength:"50" doc:"Received since: RFC 3339, or how long ago, such as 24h or 7d"`
}

// itemsInput names no choices: a name that is none is answered with the nearest.
type itemsInput struct {
	Paged
	State  string `query:"state" maxLength:"100" doc:"queued, in-progress, completed, completed-with-errors or withdrawn"`
	Kind   string `query:"kind" maxLength:"100" doc:"Why it was refused, as an issue's kind"`
	User   string `query:"user" maxLength:"100" doc:"The author"`
	Device string `query:"device" maxLength:"100" doc:"Its id, an unambiguous beginning of it, or its name"`
	Type   string `query:"type" maxLength:"100" doc:"Of the record"`
	Record string `query:"record" maxLength:"100" doc:"Its id, an unambiguous beginning of it, or its number"`
	Op     string `query:"op" maxLength:"100" doc:"create, update, transition, delete, restore, withdraw, ..."`
	Since  string `query:"since" maxLength:"50" doc:"Received since: RFC 3339, a date (UTC), or how long ago, such as 24h or 7d"`
	Until  string `query:"until" maxLength:"50" doc:"Received before: like since"`
	Text   string `query:"text" maxLength:"200" doc:"Part of anything that the caller is shown of the item, in whatever case"`
	Order  string `query:"order" enum:"asc,desc" default:"desc" doc:"asc: the oldest first"`
}

type cleanInput struct{ Body wire.Clean }

type itemInput struct {
	ByID
	Wait string `query:"wait" enum:"queued,in-progress,completed,completed-with-errors,withdrawn" doc:"Answer when it is in this state, or after a while"`
}

func (a *API) inboxRoutes() {
	handle(a, "GET /v1/inbox", "Search the inbox, newest first", a.items)
	handle(a, "POST /v1/inbox/clean", "Remove the parameters and logs of items that were completed long ago, some at a time; for administrators", a.clean)
	handle(a, "GET /v1/inbox/{id}", "Show an inbox item", a.item)
	handle(a, "POST /v1/inbox/{id}/retry", "Judge the item's issue again", a.retryItem)
}

func (a *API) items(ctx context.Context, c *Caller, in *itemsInput) (wire.List[wire.ItemView], error) {
	f := store.ItemFilter{
		State: store.ItemState(in.State), Kind: landfall.Kind(in.Kind), User: in.User, Replica: in.Device, Type: in.Type, Record: in.Record,
		Op: landfall.Op(in.Op), Text: in.Text,
	}
	var err error
	if f.Since, err = a.since(in.Since); err != nil {
		return wire.List[wire.ItemView]{}, err
	}
	if f.Until, err = a.moment("until", in.Until); err != nil {
		return wire.List[wire.ItemView]{}, err
	}
	p := in.page()
	p.Oldest = in.Order == "asc"
	return page(a.Inbox.Items(ctx, c.Workspace, c.Actor, f, p))
}

func (a *API) clean(ctx context.Context, c *Caller, in *cleanInput) (*wire.Cleaning, error) {
	if in.Body.OlderThan == "" {
		return nil, landfall.Errorf(landfall.CodeInvalid, "say how long ago they were completed").WithHint("send older_than, such as 90d")
	}
	before, err := a.moment("older_than", in.Body.OlderThan)
	if err != nil {
		return nil, err
	}
	return a.Cleaner.Clean(ctx, c.Workspace, c.Actor, before, in.Body.After, in.Body.DryRun)
}

// item answers at once, or holds on until the item is in the state asked for,
// the caller has gone, the server ends, or the time is up.
func (a *API) item(ctx context.Context, c *Caller, in *itemInput) (*wire.ItemView, error) {
	limit := time.NewTimer(a.Wait)
	defer limit.Stop()
	look := time.NewTicker(a.Look)
	defer look.Stop()
	for {
		it, err := a.Inbox.Item(ctx, c.Workspace, c.Actor, in.ID)
		if err != nil || in.Wait == "" || it.State == in.Wait {
			return it, err
		}
		select {
		case <-look.C:
		case <-limit.C:
			return it, nil
		case <-a.stop:
			return it, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (a *API) retryItem(ctx context.Context, c *Caller, in *ByID) (*wire.Retries, error) {
	it, err := a.Inbox.Item(ctx, c.Workspace, c.Actor, in.ID)
	if err != nil {
		return nil, err
	}
	issue := ""
	if it.Receipt != nil {
		issue = it.Receipt.Issue
	}
	if it.Outcome != nil {
		issue = ""
		if it.Outcome.Settlement == landfall.SettledMoved {
			issue = it.Outcome.Issue
		}
	}
	if issue == "" {
		return nil, landfall.Errorf(landfall.CodeConflict, "the item has no open issue, so there is nothing to retry")
	}
	return a.Inbox.Retry(ctx, c.Workspace, c.Actor, wire.Retry{Issues: []string{issue}})
}

// Nothing was received before the first of these points in time, or after the
// last. Stores compare times in nanoseconds, which do not reach every year.
var (
	firstReceipt = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
	lastReceipt  = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

func within(t time.Time) time.Time {
	switch {
	case t.Before(firstReceipt):
		return firstReceipt
	case t.After(lastReceipt):
		return lastReceipt
	}
	return t
}

// since reads when something was received at the earliest.
func (a *API) since(text string) (time.Time, error) { return a.moment("since", text) }

// moment reads a point in time, or how long ago it was.
func (a *API) moment(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return within(t.UTC()), nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return within(t), nil
	}
	if days, found := strings.CutSuffix(text, "d"); found {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return a.Clock().UTC().AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return a.Clock().UTC().Add(-d), nil
	}
	e := landfall.Errorf(landfall.CodeInvalid, "%s: expected a point in time or a duration", field).
		WithHint("write 2026-03-01T09:00:00Z, 2026-03-01, 24h or 7d")
	e.Messages = []landfall.Message{{Code: "invalid", Field: field, Text: "expected a point in time or a duration"}}
	return time.Time{}, e
}
