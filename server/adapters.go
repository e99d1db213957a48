package server

import (
	"context"
	"log/slog"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/changelog"
	"github.com/landfall-sync/landfall/internal/httpapi"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The services and the API don't know each other; here their callers, devices
// and queries meet.

type callers struct{ *auth.Accounts }

func (c callers) Authenticate(ctx context.Context, token string) (*httpapi.Caller, error) {
	who, err := c.Accounts.Authenticate(ctx, token)
	return (*httpapi.Caller)(who), err
}

func (c callers) Enrol(ctx context.Context, req wire.EnrolRequest, caller *httpapi.Caller) (*wire.Enrolled, error) {
	return c.Accounts.Enrol(ctx, req, (*auth.Caller)(caller))
}

type pushes struct{ *inbox.Inbox }

func (p pushes) Push(ctx context.Context, ws, replica string, actor landfall.Actor, body []byte) (*wire.PushReply, error) {
	return p.Inbox.Push(ctx, ws, inbox.Device{Replica: replica, Actor: actor}, body)
}

type reads struct {
	*changelog.Log
	log *slog.Logger
}

// Pull answers first and then notes the contact: a note that can't be written
// costs the device nothing.
func (r reads) Pull(ctx context.Context, ws, replica string, actor landfall.Actor, since string, limit int) (*wire.PullReply, error) {
	reply, err := r.Log.Pull(ctx, ws, replica, actor, since, limit)
	if err != nil {
		return nil, err
	}
	if err := r.Seen(ctx, ws, replica, changelog.Acknowledged(since)); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "a device's contact was not noted", slog.String("device", replica), slog.String("error", err.Error()))
	}
	return reply, nil
}

func (r reads) Records(ctx context.Context, ws string, actor landfall.Actor, q httpapi.RecordQuery, p store.Page) (wire.List[wire.RecordView], error) {
	return r.Log.Records(ctx, ws, actor, changelog.Query(q), p)
}
