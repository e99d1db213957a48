package httpapi

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

var errorType = reflect.TypeFor[landfall.Error]()

// pushInput takes the body as it is: the bytes of each mutation count.
type pushInput struct {
	raw []byte
	err error
}

// Resolve reads the body, which dispatch has bounded.
func (in *pushInput) Resolve(ctx huma.Context) []error {
	if !isJSON(ctx.Header("Content-Type")) {
		f := failed(landfall.Errorf(landfall.CodeInvalid, "a push is JSON").WithHint("send the header Content-Type: application/json"))
		f.status = http.StatusUnsupportedMediaType
		in.err = f
		return nil
	}
	raw, err := io.ReadAll(ctx.BodyReader())
	if err != nil {
		in.err = notJSON(err)
		return nil
	}
	in.raw = raw
	return nil
}

type pullInput struct {
	Since string `query:"since" maxLength:"500" doc:"Checkpoint of the page before; none: from the beginning"`
	Limit int    `query:"limit" minimum:"1" doc:"Changes on the page, at most; bounded by limits.pull_page"`
	Told  string `header:"Landfall-Device" maxLength:"2000" doc:"What the device tells of itself, in JSON; see docs/protocol.md"`
}

// pullPage is the size of a page that nobody asked for.
const pullPage = 500

func (a *API) syncRoutes() {
	op := a.operation("POST /v1/sync/push", "Hand in mutations; answers one receipt each", http.StatusOK)
	huma.Register(a.huma, op, func(ctx context.Context, in *pushInput) (*body[*wire.PushReply], error) {
		c := callerOf(ctx)
		if in.err != nil {
			return nil, a.noted(ctx, in.err)
		}
		out, err := a.Inbox.Push(ctx, c.Workspace, c.Replica, c.Actor, in.raw)
		if err != nil {
			return nil, a.noted(ctx, err)
		}
		return &body[*wire.PushReply]{out}, nil
	})
	a.asPush("POST /v1/sync/push")
	op = a.operation("GET /v1/sync/pull", "Fetch what changed since a checkpoint", http.StatusOK)
	huma.Register(a.huma, op, func(ctx context.Context, in *pullInput) (*huma.StreamResponse, error) {
		c, limit := callerOf(ctx), in.Limit
		if limit == 0 {
			limit = pullPage
		}
		says, err := told(in.Told)
		if err != nil {
			return nil, a.noted(ctx, err)
		}
		out, err := a.Records.Page(ctx, c.Workspace, c.Replica, c.Actor, in.Since, min(limit, a.Limits.PullPage), says)
		if err != nil {
			return nil, a.noted(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { a.writePage(hc, out) }}, nil //nolint:contextcheck // the router's context has it
	})
	// Its changes are written as they are stored, which the router does not know.
	a.huma.OpenAPI().Paths[op.Path].Get.Responses["200"] = &huma.Response{
		Description: "OK", Content: map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[wire.PullReply](), true, "PullReply")}},
	}
}

// asPush describes the body of a route that takes a push, after it is registered,
// so that huma does not read the body itself.
func (a *API) asPush(pattern string) {
	_, path, _ := strings.Cut(pattern, " ")
	a.huma.OpenAPI().Paths[path].Post.RequestBody = &huma.RequestBody{
		Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: a.pushSchema()}},
	}
}

// pushSchema describes the elements of a push, which Go keeps as bytes.
func (a *API) pushSchema() *huma.Schema {
	registry := a.huma.OpenAPI().Components.Schemas
	mutation := registry.Schema(reflect.TypeFor[landfall.Mutation](), true, "Mutation")
	push := registry.Schema(reflect.TypeFor[wire.Push](), true, "Push")
	registry.SchemaFromRef(push.Ref).Properties["mutations"].Items = mutation
	return push
}
