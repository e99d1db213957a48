package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// HTTP is the transport to a server over HTTP.
type HTTP struct {
	base       string
	credential func() string
	client     *http.Client
}

// maxReply bounds a reply, in bytes.
const maxReply = 256 << 20

// NewHTTP makes a transport to the server at base, such as http://127.0.0.1:8080.
// credential gives the replica's credential; empty before it is enrolled.
func NewHTTP(base string, credential func() string) *HTTP {
	return &HTTP{base: strings.TrimRight(base, "/"), credential: credential, client: &http.Client{Timeout: 2 * time.Minute}}
}

// Enrol implements Transport.
func (h *HTTP) Enrol(ctx context.Context, req wire.EnrolRequest) (*wire.Enrolled, error) {
	b, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	return call[wire.Enrolled](ctx, h, http.MethodPost, "/v1/devices", b)
}

// Definition implements Transport.
func (h *HTTP) Definition(ctx context.Context) (*wire.Definition, error) {
	return call[wire.Definition](ctx, h, http.MethodGet, "/v1/definition", nil)
}

// Push implements Transport.
func (h *HTTP) Push(ctx context.Context, body []byte) (*wire.PushReply, error) {
	return call[wire.PushReply](ctx, h, http.MethodPost, pushPath, body)
}

// Pull implements Transport.
func (h *HTTP) Pull(ctx context.Context, since string, limit int, told wire.Contact) (*wire.PullReply, error) {
	says, err := json.Marshal(told)
	if err != nil {
		return nil, err
	}
	q := url.Values{"limit": {strconv.Itoa(limit)}}
	if since != "" {
		q.Set("since", since)
	}
	return call[wire.PullReply](ctx, h, http.MethodGet, "/v1/sync/pull?"+q.Encode(), nil, http.Header{wire.ContactHeader: {string(says)}})
}

// Retry implements Transport.
func (h *HTTP) Retry(ctx context.Context, issue string) ([]wire.Retried, error) {
	b, err := json.Marshal(wire.Retry{Issues: []string{issue}})
	if err != nil {
		return nil, err
	}
	l, err := call[wire.List[wire.Retried]](ctx, h, http.MethodPost, "/v1/issues/retry", b)
	if err != nil {
		return nil, err
	}
	return l.Items, nil
}

// Do makes a call that Transport does not have: in goes as JSON unless it is
// nil, and the reply is read into out unless that is nil. A json.RawMessage goes
// byte for byte.
func (h *HTTP) Do(ctx context.Context, method, path string, in, out any) error {
	body, raw := in.(json.RawMessage)
	if in != nil && !raw {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(in); err != nil {
			return err
		}
		body = b.Bytes()
	}
	b, err := h.exchange(ctx, method, path, body)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(b, out); err != nil {
		return h.unreached(err)
	}
	return nil
}

// A push is worth compressing from this size on.
const (
	gzipFrom = 2 << 10
	pushPath = "/v1/sync/push"
)

func call[T any](ctx context.Context, h *HTTP, method, path string, body []byte, headers ...http.Header) (*T, error) {
	b, err := h.exchange(ctx, method, path, body, headers...)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := json.Unmarshal(b, out); err != nil {
		return nil, h.unreached(err)
	}
	return out, nil
}

func (h *HTTP) exchange(ctx context.Context, method, path string, body []byte, headers ...http.Header) ([]byte, error) {
	req, err := h.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	for _, more := range headers {
		maps.Copy(req.Header, more)
	}
	res, err := h.client.Do(req)
	if err != nil {
		return nil, h.unreached(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read, or is of no use
	b, err := io.ReadAll(io.LimitReader(res.Body, maxReply))
	if err != nil {
		return nil, h.unreached(err)
	}
	if res.StatusCode >= 300 {
		return nil, failure(res, b)
	}
	return b, nil
}

func (h *HTTP) request(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	zipped := len(body) >= gzipFrom && path == pushPath
	if zipped {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, err := z.Write(body)
		if err := errors.Join(err, z.Close()); err != nil {
			return nil, err
		}
		body = b.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, method, h.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%q is not the address of a server", h.base).WithHint("it looks like http://127.0.0.1:8080")
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if zipped {
		req.Header.Set("Content-Encoding", "gzip")
	}
	if c := h.credential(); c != "" {
		req.Header.Set("Authorization", "Bearer "+c)
	}
	return req, nil
}

// unreached: the reply did not come, or not whole. What became of the request
// is unknown.
func (h *HTTP) unreached(err error) error {
	return &landfall.Error{Code: landfall.CodeUnavailable, Message: "the server at " + h.base + " can't be reached", Hint: "nothing is lost; try again when it is there", Err: err}
}

// failure reads the server's error, and how long it asks to wait.
func failure(res *http.Response, body []byte) error {
	e := &landfall.Error{}
	if json.Unmarshal(body, e) != nil || e.Code == "" {
		e = landfall.Errorf(codeFor(res.StatusCode), "the server answered %s", res.Status)
	}
	if wait := asked(res.Header.Get("Retry-After")); wait > 0 {
		e.Err = &RetryAfter{wait}
	}
	return e
}

// longestAsked is how long a device waits at most because it is asked to.
const longestAsked = time.Hour

// asked reads Retry-After in seconds; 0 for none, and for a date.
func asked(header string) time.Duration {
	s, err := strconv.ParseUint(header, 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(min(s, uint64(longestAsked/time.Second))) * time.Second
}

// codeFor is for answers that do not come from Landfall, a proxy's for example.
func codeFor(status int) landfall.Code {
	switch {
	case status == http.StatusUnauthorized:
		return landfall.CodeUnauthorized
	case status == http.StatusForbidden:
		return landfall.CodeForbidden
	case status == http.StatusRequestEntityTooLarge:
		return landfall.CodeTooLarge
	case status == http.StatusTooManyRequests:
		return landfall.CodeBusy
	case status >= 500:
		return landfall.CodeUnavailable
	default:
		return landfall.CodeInvalid
	}
}
