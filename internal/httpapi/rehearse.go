package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall/internal/wire"
)

type rehearseInput struct{ Body wire.Rehearse }

// ndjson is the media type of a rehearsal: one JSON value a line.
const ndjson = "application/x-ndjson"

// progressEvery is how often a rehearsal says how far it is.
const progressEvery = 100 * time.Millisecond

func (a *API) rehearsalRoute() {
	op := a.operation("POST /v1/definitions/rehearse", "Rehearse a definition: how far it is, line by line, and its result last", http.StatusOK)
	op.Description = "For signed-in administrators. It is given up when the caller goes away. One runs at a time."
	huma.Register(a.huma, op, func(ctx context.Context, in *rehearseInput) (*huma.StreamResponse, error) {
		c := callerOf(ctx)
		return &huma.StreamResponse{Body: func(hc huma.Context) { a.rehearse(hc, c, in.Body) }}, nil //nolint:contextcheck // the router's context has it
	})
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.RehearsalEvent](), true, "RehearsalEvent")
	a.huma.OpenAPI().Paths[op.Path].Post.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{ndjson: {Schema: schema}}}
}

// rehearse runs within the request: the caller's going away ends it, and so does
// the end of the server.
func (a *API) rehearse(hc huma.Context, c *Caller, req wire.Rehearse) {
	ctx, cancel := context.WithCancel(hc.Context())
	defer cancel()
	l := &lines{hc: hc, times: &a.Times}
	out, err := a.Rehearsals.Rehearse(ctx, c.Workspace, c.Actor, req, func(p wire.RehearsalProgress) {
		select {
		case <-a.stop:
			cancel()
		default:
			if l.progress(p) != nil {
				cancel()
			}
		}
	})
	event := wire.RehearsalEvent{Result: out}
	if err != nil {
		f := failed(err)
		if f.status >= http.StatusInternalServerError {
			a.Log.LogAttrs(ctx, slog.LevelError, "a rehearsal failed", slog.String("error", err.Error()))
		}
		if !l.begun {
			l.refuse(f)
			return
		}
		event = wire.RehearsalEvent{Error: f.body}
	}
	_ = l.send(event) // a caller who went away needs no answer
}

// lines writes an answer that grows.
type lines struct {
	hc    huma.Context
	times *Times
	begun bool
	phase string
	told  time.Time
}

// progress sends how far it is, now and then.
func (l *lines) progress(p wire.RehearsalProgress) error {
	now := time.Now() // how often it is told is a matter of the connection
	if p.Phase == l.phase && now.Sub(l.told) < progressEvery {
		return nil
	}
	l.phase, l.told = p.Phase, now
	return l.send(wire.RehearsalEvent{Progress: &p})
}

func (l *lines) send(e wire.RehearsalEvent) error {
	b, err := marshal(e)
	if err != nil {
		return err
	}
	if !l.begun {
		l.begun = true
		l.hc.SetHeader("Content-Type", ndjson)
		l.hc.SetStatus(http.StatusOK)
	}
	out := l.hc.BodyWriter()
	w, network := out.(http.ResponseWriter)
	if network {
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(l.times.Reply)) // where there is none, none is due
	}
	if _, err := out.Write(append(b, '\n')); err != nil {
		return err
	}
	if network {
		_ = http.NewResponseController(w).Flush() // what can't be flushed comes later
	}
	return nil
}

// refuse answers with an error as every other route does.
func (l *lines) refuse(f *failure) {
	b, err := f.MarshalJSON()
	if err != nil {
		return
	}
	for name, values := range f.GetHeaders() {
		for _, v := range values {
			l.hc.SetHeader(name, v)
		}
	}
	l.hc.SetHeader("Content-Type", "application/json")
	l.hc.SetStatus(f.status)
	_, _ = l.hc.BodyWriter().Write(append(b, '\n')) // the caller may be gone
}
