package httpapi

import (
	"context"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

type issuesInput struct {
	Paged
	Narrow
	State string `query:"state" enum:"open,claimed,resolved,unresolved,all" default:"unresolved"`
	Queue string `query:"queue" maxLength:"100"`
	Cause string `query:"cause" maxLength:"200"`
}

type resolveInput struct {
	ByID
	Body wire.Resolve
}

type commentInput struct {
	ByID
	Body wire.Comment
}

type assignInput struct {
	ByID
	Body wire.Assign
}

type reopenInput struct {
	ByID
	Body *wire.Reopen
}

type retryInput struct{ Body wire.Retry }

type repairInput struct {
	ByID
	Body wire.Repair
}

func (a *API) issueRoutes() {
	handle(a, "GET /v1/issues", "List sync issues, newest first", a.listIssues)
	handle(a, "GET /v1/issues/causes", "Unresolved issues by what they have in common", func(ctx context.Context, c *Caller, _ *none) (wire.List[wire.Cause], error) {
		causes, err := a.Issues.Causes(ctx, c.Workspace, c.Actor)
		return listOf(causes), err
	})
	handle(a, "GET /v1/issues/{id}", "Show an issue: what was sent, and the server's side", func(ctx context.Context, c *Caller, in *ByID) (*wire.IssueDetail, error) {
		return a.issue(ctx, c, in.ID)
	})
	handle(a, "POST /v1/issues/{id}/resolve", "Decide an issue, or try a decision", func(ctx context.Context, c *Caller, in *resolveInput) (*wire.Resolution, error) {
		id, err := a.Issues.IssueID(ctx, c.Workspace, c.Actor, in.ID)
		if err != nil {
			return nil, err
		}
		return a.Inbox.Resolve(ctx, c.Workspace, c.Actor, id, in.Body)
	})
	handle(a, "POST /v1/issues/retry", "Judge issues again, as their authors: some at a time", a.retry)
	handle(a, "POST /v1/issues/{id}/repair", "Edit what was refused and judge it again, or try that", func(ctx context.Context, c *Caller, in *repairInput) (*wire.Repaired, error) {
		id, err := a.Issues.IssueID(ctx, c.Workspace, c.Actor, in.ID)
		if err != nil {
			return nil, err
		}
		return a.Inbox.Repair(ctx, c.Workspace, c.Actor, id, in.Body)
	})
	handle(a, "POST /v1/issues/{id}/claim", "Take an issue for a while", func(ctx context.Context, c *Caller, in *ByID) (*wire.IssueView, error) {
		return a.IssueWork.Claim(ctx, c.Workspace, c.Actor, in.ID)
	})
	handle(a, "POST /v1/issues/{id}/release", "Give an issue back", func(ctx context.Context, c *Caller, in *ByID) (*wire.IssueView, error) {
		return a.IssueWork.Release(ctx, c.Workspace, c.Actor, in.ID)
	})
	handle(a, "POST /v1/issues/{id}/comments", "Remark on an issue", func(ctx context.Context, c *Caller, in *commentInput) (*wire.IssueView, error) {
		if c.Replica != "" {
			if _, err := a.issue(ctx, c, in.ID); err != nil {
				return nil, err
			}
		}
		return a.IssueWork.Comment(ctx, c.Workspace, c.Actor, in.ID, in.Body.Text)
	})
	handle(a, "POST /v1/issues/{id}/assign", "Send an issue to a queue or person", func(ctx context.Context, c *Caller, in *assignInput) (*wire.IssueView, error) {
		return a.IssueWork.Assign(ctx, c.Workspace, c.Actor, in.ID, in.Body)
	})
	handle(a, "POST /v1/issues/{id}/reopen", "Take a resolved issue up again", func(ctx context.Context, c *Caller, in *reopenInput) (*wire.IssueView, error) {
		note := ""
		if in.Body != nil {
			note = in.Body.Note
		}
		return a.IssueWork.Reopen(ctx, c.Workspace, c.Actor, in.ID, note)
	})
}

func (a *API) listIssues(ctx context.Context, c *Caller, in *issuesInput) (wire.List[wire.IssueView], error) {
	since, err := a.since(in.Since)
	if err != nil {
		return wire.List[wire.IssueView]{}, err
	}
	f := store.IssueFilter{
		State: in.State, Kind: landfall.Kind(in.Kind), Queue: in.Queue, User: in.User, Device: in.Device,
		Type: in.Type, Record: in.Record, Cause: in.Cause, Since: since,
	}
	if f.State == "all" {
		f.State = ""
	}
	if c.Replica != "" {
		if f.User != "" && f.User != c.Actor.User {
			return wire.List[wire.IssueView]{}, landfall.Errorf(landfall.CodeForbidden, "a device sees the issues of its user alone").
				WithHint("sign in as a person: landfall login URL")
		}
		f.User = c.Actor.User
	}
	return page(a.Issues.Issues(ctx, c.Workspace, c.Actor, f, in.page()))
}

// issue shows an issue; to a device, only one of its user's own.
func (a *API) issue(ctx context.Context, c *Caller, ref string) (*wire.IssueDetail, error) {
	d, err := a.Issues.Issue(ctx, c.Workspace, c.Actor, ref)
	if err != nil {
		return nil, err
	}
	if c.Replica != "" && d.Author != c.Actor.User {
		return nil, notFound("issue")
	}
	return d, nil
}

func (a *API) retry(ctx context.Context, c *Caller, in *retryInput) (*wire.Retries, error) {
	r := in.Body
	ways := 0
	for _, used := range []bool{len(r.Issues) > 0, r.Cause != "", r.All} {
		if used {
			ways++
		}
	}
	if ways != 1 {
		return nil, landfall.Errorf(landfall.CodeInvalid, "which issues are meant?").
			WithHint("send one of issues, cause and all")
	}
	if c.Replica != "" && len(r.Issues) == 0 {
		return nil, landfall.Errorf(landfall.CodeForbidden, "a device retries issues of its user, by name").
			WithHint("send their ids as issues")
	}
	ids := make([]string, 0, len(r.Issues))
	for _, ref := range r.Issues {
		if c.Replica != "" {
			if _, err := a.issue(ctx, c, ref); err != nil {
				return nil, err
			}
		}
		id, err := a.Issues.IssueID(ctx, c.Workspace, c.Actor, ref)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	r.Issues = ids
	return a.Inbox.Retry(ctx, c.Workspace, c.Actor, r)
}
