package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

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

type callers struct {
	*auth.Accounts
	inbox *inbox.Inbox
	log   *slog.Logger
}

func (c callers) Authenticate(ctx context.Context, token string) (*httpapi.Caller, error) {
	who, err := c.Accounts.Authenticate(ctx, token)
	return (*httpapi.Caller)(who), err
}

// Enrol lets a device in. What it lost when it comes back empty becomes an issue;
// where that fails, its next push makes it one.
func (c callers) Enrol(ctx context.Context, req wire.EnrolRequest, caller *httpapi.Caller) (*wire.Enrolled, error) {
	in, err := c.Accounts.Enrol(ctx, req, (*auth.Caller)(caller))
	if err != nil || !req.Fresh {
		return in, err
	}
	if err := c.inbox.Losses(ctx, in.Workspace, in.Replica); err != nil {
		c.log.LogAttrs(ctx, slog.LevelWarn, "the issue on what a device lost waits for its next push", slog.String("device", in.Replica), slog.String("error", err.Error()))
	}
	return in, nil
}

type pushes struct{ *inbox.Inbox }

func (p pushes) Push(ctx context.Context, ws, replica string, actor landfall.Actor, body []byte) (*wire.PushReply, error) {
	return p.Inbox.Push(ctx, ws, inbox.Device{Replica: replica, Actor: actor}, body)
}

type reads struct {
	*changelog.Log
	log   *slog.Logger
	ahead *ahead
}

// Page answers first and then notes the contact: a note that can't be written
// costs the device nothing. Within a long sync it is noted once a minute.
func (r reads) Page(ctx context.Context, ws, replica string, actor landfall.Actor, since string, limit int, told *wire.Contact) (*wire.PullPage, error) {
	reply, err := r.Log.Page(ctx, ws, replica, actor, since, limit)
	if err != nil {
		return nil, err
	}
	if reply.More {
		r.ahead.make(ws, actor, reply, limit) //nolint:contextcheck // it outlives the request
	}
	if err := r.Heard(ctx, ws, replica, since, reply, told); err != nil {
		r.log.LogAttrs(ctx, slog.LevelWarn, "a device's contact was not noted", slog.String("device", replica), slog.String("error", err.Error()))
	}
	return reply, nil
}

// pagesAhead is how many pages are made before they are asked for.
const pagesAhead = 4

// ahead makes the next pages of a first sync while the device takes this one in:
// for one device at a time, so that it costs a server that is busy little.
type ahead struct {
	log  *changelog.Log
	busy chan struct{} // has room for one
	done sync.WaitGroup
}

func (a *ahead) make(ws string, actor landfall.Actor, page *wire.PullPage, limit int) {
	if page.Packed == nil {
		return
	}
	select {
	case a.busy <- struct{}{}:
	default:
		return
	}
	since := page.Checkpoint
	a.done.Go(func() {
		defer func() { <-a.busy }()
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for range pagesAhead {
			next, err := a.log.Page(ctx, ws, "", actor, since, limit)
			if err != nil || next.Packed == nil || !next.More {
				return // whoever asks for it makes it, and hears of trouble
			}
			since = next.Checkpoint
		}
	})
}

func (r reads) Records(ctx context.Context, ws string, actor landfall.Actor, q httpapi.RecordQuery, p store.Page) (wire.List[wire.RecordView], error) {
	return r.Log.Records(ctx, ws, actor, changelog.Query(q), p)
}
