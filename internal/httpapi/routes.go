package httpapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// body is an answer with content.
type body[T any] struct{ Body T }

// none is an answer, or a request, without.
type none struct{}

// Paged asks for a part of a list.
type Paged struct {
	After string `query:"after" maxLength:"500" doc:"Cursor: next of the page before"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Entries on the page, at most"`
}

// ByID names one thing in the path.
type ByID struct {
	ID string `path:"id" maxLength:"200" doc:"Id, an unambiguous beginning of it, or a number"`
}

func (a *API) routes() {
	a.sessionRoutes()
	a.peopleRoutes()
	a.deviceRoutes()
	a.auditRoutes()
	a.settingRoutes()
	a.syncRoutes()
	a.definitionRoutes()
	a.recordRoutes()
	a.inboxRoutes()
	a.issueRoutes()
	a.queueRoutes()
}

// handle registers a route whose answer has content. The handler gets who is
// calling; on a public route that can be nobody.
func handle[I, O any](a *API, pattern, summary string, h func(ctx context.Context, c *Caller, in *I) (O, error)) {
	huma.Register(a.huma, a.operation(pattern, summary, http.StatusOK), func(ctx context.Context, in *I) (*body[O], error) {
		out, err := h(ctx, callerOf(ctx), in)
		if err != nil {
			return nil, a.noted(ctx, err)
		}
		return &body[O]{out}, nil
	})
}

// run registers a route whose answer is that it is done.
func run[I any](a *API, pattern, summary string, h func(ctx context.Context, c *Caller, in *I) error) {
	huma.Register(a.huma, a.operation(pattern, summary, http.StatusNoContent), func(ctx context.Context, in *I) (*none, error) {
		if err := h(ctx, callerOf(ctx), in); err != nil {
			return nil, a.noted(ctx, err)
		}
		return nil, nil
	})
}

// noted turns an error into an answer and leaves its cause for the log.
func (a *API) noted(ctx context.Context, err error) error {
	f := failed(err)
	if s, ok := ctx.Value(seenKey{}).(*seen); ok {
		s.err = f.cause
	}
	return f
}

func (a *API) operation(pattern, summary string, status int) huma.Operation {
	method, path, _ := strings.Cut(pattern, " ")
	errorSchema := a.huma.OpenAPI().Components.Schemas.Schema(errorType, true, "Error")
	op := huma.Operation{
		OperationID: operationID(method, path), Method: method, Path: path, Summary: summary,
		Tags:          []string{strings.Split(strings.TrimPrefix(path, "/v1/"), "/")[0]},
		DefaultStatus: status, MaxBodyBytes: maxBody - 1, BodyReadTimeout: a.Times.Body,
		Responses: map[string]*huma.Response{
			"default": {Description: "What went wrong", Content: map[string]*huma.MediaType{"application/json": {Schema: errorSchema}}},
		},
	}
	switch access[pattern] {
	case anybody:
		op.Security = []map[string][]string{}
	case devices:
		op.Description = "For enrolled devices."
		op.Security = []map[string][]string{{"bearer": {}}}
	case both:
		op.Description = "For signed-in people and enrolled devices."
		op.Security = []map[string][]string{{"bearer": {}}}
	case people:
		op.Description = "For signed-in people."
		op.Security = []map[string][]string{{"bearer": {}}}
	}
	return op
}

// operationID is get-v1-issues-id for GET /v1/issues/{id}.
func operationID(method, path string) string {
	id := strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path)
	return strings.ToLower(method) + id
}

// listOf is a list that is whole, and never null.
func listOf[T any](items []T) wire.List[T] {
	if items == nil {
		items = []T{}
	}
	return wire.List[T]{Items: items}
}

// page makes an empty page an empty list.
func page[T any](l wire.List[T], err error) (wire.List[T], error) {
	if l.Items == nil {
		l.Items = []T{}
	}
	return l, err
}

func notFound(what string) error {
	return landfall.Errorf(landfall.CodeNotFound, "there is no such %s, or you may not see it", what)
}
