// Package httpapi is the HTTP face of the server: routes, credentials, limits,
// and errors as HTTP. It holds no rules: it asks who is calling and how much
// they may send, and hands over to the services that it declares as small
// interfaces. The OpenAPI document comes from here.
package httpapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Config is what the API needs. All of it must be set.
type Config struct {
	Sessions    Sessions
	Devices     Devices
	Landing     Landing
	People      People
	Definitions Definitions
	Rehearsals  Rehearsals
	Inbox       Inbox
	Records     Records
	Queues      Queues
	Issues      Issues
	IssueWork   IssueWork
	Audit       Audit
	Cleaner     Cleaner
	Settings    Settings
	Limits      wire.Limits
	PushMemory  int64 // bytes that all pushes under way may hold together
	Memory      int64 // bytes that the bodies of all other requests under way may hold together
	Times       Times
	Clock       func() time.Time
	NewID       func() string // id of a record made at the desk
	Log         *slog.Logger
	Version     string
	Schema      []byte // JSON Schema of definitions
	// Wait is how long GET /v1/inbox/{id}?wait= holds on at most, and Look how
	// often it looks.
	Wait, Look time.Duration
}

// API answers requests. It is safe for concurrent use.
type API struct {
	Config
	mux      *http.ServeMux
	huma     huma.API
	handler  http.Handler
	document []byte // OpenAPI as JSON
	schema   map[string]any
	pushes   atomic.Int64 // bytes held by pushes under way
	others   atomic.Int64 // and by other requests
	flights  flights
	stop     chan struct{}
	stopOnce sync.Once
}

// New builds the API.
func New(c Config) (*API, error) {
	c.Times.fill()
	a := &API{Config: c, mux: http.NewServeMux(), stop: make(chan struct{})}
	if err := json.Unmarshal(c.Schema, &a.schema); err != nil {
		return nil, fmt.Errorf("the schema of definitions: %w", err)
	}
	a.huma = humago.New(a.mux, a.config())
	a.routes()
	if err := a.describe(); err != nil {
		return nil, err
	}
	compress, err := gzhttp.NewWrapper(gzhttp.MinSize(2<<10), gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false))
	if err != nil {
		return nil, fmt.Errorf("reply compression: %w", err)
	}
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		failed(landfall.Errorf(landfall.CodeForbidden, "the request comes from another site").
			WithHint("use the API from its own origin, or from a program")).write(w)
	}))
	a.handler = a.logged(compress(a.recovered(origin.Handler(http.HandlerFunc(a.dispatch)))))
	return a, nil
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Stop lets requests that only wait for something answer at once, so that the
// server can end. It may be called more than once.
func (a *API) Stop() { a.stopOnce.Do(func() { close(a.stop) }) }

// config is huma without its additions: no links in bodies, no pages of
// documentation from elsewhere, strict about what it is sent.
func (a *API) config() huma.Config {
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Landfall", Version: a.Version,
				Description: "The sync protocol for devices, and the back office. Errors are one object: code, message, hint, messages.",
			},
			Components: &huma.Components{
				Schemas: registry,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"bearer": {Type: "http", Scheme: "bearer", Description: "A session (lfs_…) or a device's credential (lfd_…)"},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": strict, "json": strict},
		DefaultFormat:                "application/json",
		Transformers:                 []huma.Transformer{sameShape},
		RejectUnknownQueryParameters: true,
	}
}

// unmarshal is encoding/json, but refuses what different readers would read
// differently: repeated names and text that is not UTF-8.
func unmarshal(data []byte, v any) error {
	if _, first := v.(*any); first && !jsontext.Value(data).IsValid() {
		return fmt.Errorf("expected one JSON value in UTF-8 without repeated names")
	}
	return json.Unmarshal(data, v)
}

// schemaName keeps the names of the nouns and gives a message that shares one
// a name of its own.
func schemaName(t reflect.Type, hint string) string {
	if t == reflect.TypeFor[wire.Comment]() {
		return "NewComment"
	}
	return huma.DefaultSchemaNamer(t, hint)
}

// describe writes the OpenAPI document once, and serves it.
func (a *API) describe() error {
	schemas := a.huma.OpenAPI().Components.Schemas.Map()
	delete(schemas, "ErrorModel") // huma's own, which is never sent
	delete(schemas, "ErrorDetail")
	asJSON, err := json.MarshalIndent(a.huma.OpenAPI(), "", "  ")
	if err != nil {
		return fmt.Errorf("OpenAPI document: %w", err)
	}
	asYAML, err := a.huma.OpenAPI().YAML()
	if err != nil {
		return fmt.Errorf("OpenAPI document: %w", err)
	}
	a.document = asJSON
	serve := func(path, contentType string, content []byte) {
		a.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", contentType)
			r.Header.Del("Range") // it is served whole, with errors in the shape of all others
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		})
	}
	serve("/openapi.json", "application/openapi+json", asJSON)
	serve("/openapi.yaml", "application/openapi+yaml", asYAML)
	return nil
}

// Document is the OpenAPI 3.1 document as JSON.
func (a *API) Document() []byte { return bytes.Clone(a.document) }
