package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/landfall-sync/landfall"
)

// Times are how long a request may take to arrive, and its answer to be taken.
// A push from the edge of a network is slow and still welcome.
type Times struct {
	Body  time.Duration // of a request; 0: 30 seconds
	Push  time.Duration // of a push; 0: 5 minutes
	Reply time.Duration // 0: 5 minutes
}

func (t *Times) fill() {
	for _, d := range []struct {
		is   *time.Duration
		unto time.Duration
	}{{&t.Body, 30 * time.Second}, {&t.Push, 5 * time.Minute}, {&t.Reply, 5 * time.Minute}} {
		if *d.is <= 0 {
			*d.is = d.unto
		}
	}
}

// maxBody is for every request but a push, in bytes.
const maxBody = 2 << 20

// seen is what the log says about a request. Nothing in it is a value, a token
// or an address with one in it.
type seen struct {
	http.ResponseWriter
	status  int
	bytes   int
	pattern string
	caller  *Caller
	flight  *flight
	err     error
}

func (s *seen) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *seen) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	n, err := s.ResponseWriter.Write(b)
	s.bytes += n
	return n, err
}

// Flush implements http.Flusher, for those who don't unwrap.
func (s *seen) Flush() {
	_ = http.NewResponseController(s.ResponseWriter).Flush() // what can't be flushed comes later
}

// Unwrap is for http.ResponseController.
func (s *seen) Unwrap() http.ResponseWriter { return s.ResponseWriter }

type seenKey struct{}

func seenOf(r *http.Request) *seen {
	s, _ := r.Context().Value(seenKey{}).(*seen)
	if s == nil {
		return &seen{}
	}
	return s
}

// logged writes one line a request, and the headers that every answer has.
func (a *API) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := a.Clock()
		s := &seen{ResponseWriter: w}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		ctx, cancel := context.WithCancel(context.WithValue(r.Context(), seenKey{}, s))
		s.flight = a.flights.begin(w, cancel)
		func() {
			defer a.flights.end(s.flight)
			next.ServeHTTP(s, r.WithContext(ctx))
		}()
		level := slog.LevelInfo
		if s.pattern == "GET /v1/health" {
			level = slog.LevelDebug
		}
		attrs := []slog.Attr{
			slog.String("method", r.Method), slog.String("route", s.pattern), slog.Int("status", s.status),
			slog.Int("bytes", s.bytes), slog.Duration("took", a.Clock().Sub(start)),
		}
		if s.caller != nil {
			attrs = append(attrs, slog.String("ws", s.caller.Workspace), slog.String("user", s.caller.Actor.User))
			if s.caller.Replica != "" {
				attrs = append(attrs, slog.String("device", s.caller.Replica))
			}
		}
		if s.err != nil && s.status >= http.StatusInternalServerError {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", s.err.Error()))
		}
		a.Log.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// recovered answers a panic with 500. The value of a panic can hold anything,
// so the log gets its type and the stack alone.
func (a *API) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wrote := &seen{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				a.panicked(r, wrote, v)
			}
		}()
		next.ServeHTTP(wrote, r)
	})
}

func (a *API) panicked(r *http.Request, w *seen, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	a.Log.LogAttrs(r.Context(), slog.LevelError, "panic", slog.String("route", seenOf(r).pattern),
		slog.String("type", fmt.Sprintf("%T", v)), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	failed(landfall.Errorf(landfall.CodeInternal, "")).write(w)
}

// dispatch finds the route, lets the caller in, bounds the body, and goes on.
func (a *API) dispatch(w http.ResponseWriter, r *http.Request) {
	s := seenOf(r)
	c := http.NewResponseController(w)
	now := time.Now() // deadlines of connections are real time, whatever the clock of the domain says
	if c.SetReadDeadline(now.Add(a.Times.Body)) != nil || c.SetWriteDeadline(now.Add(a.Times.Push+a.Times.Reply)) != nil {
		c = nil // not a network connection
	}
	handler, pattern := a.mux.Handler(r)
	if pattern == "" || pattern == "/" {
		noRoute(handler, w, r)
		return
	}
	s.pattern = pattern
	r, caller, err := a.admit(r, pattern)
	s.caller = caller
	a.flights.of(s.flight, caller, pattern)
	if err == nil {
		r.Body, err = a.body(w, r, pattern, c)
	}
	if m, ok := r.Body.(held); ok {
		defer m.done()
	}
	if err != nil {
		f := failed(err)
		s.err = f.cause
		f.write(w)
		return
	}
	a.mux.ServeHTTP(w, r)
}

// noRoute tells an unknown path from a method that the path does not have.
func noRoute(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	probe := &silent{header: http.Header{}}
	handler.ServeHTTP(probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		f := failed(landfall.Errorf(landfall.CodeInvalid, "this path does not have the method %s", knownMethod(r.Method)).
			WithHint("it has %s; /openapi.json lists all", probe.header.Get("Allow")))
		f.status = http.StatusMethodNotAllowed
		f.write(w)
		return
	}
	failed(landfall.Errorf(landfall.CodeNotFound, "there is nothing at this path").WithHint("/openapi.json lists all paths")).write(w)
}

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "that was used"
}

// silent takes in an answer that nobody gets.
type silent struct {
	header http.Header
	status int
}

func (s *silent) Header() http.Header         { return s.header }
func (s *silent) Write(b []byte) (int, error) { return len(b), nil }
func (s *silent) WriteHeader(status int)      { s.status = status }

// body bounds the body in size and time. A push may be compressed; it is
// bounded as it arrives and as it unfolds.
func (a *API) body(w http.ResponseWriter, r *http.Request, pattern string, c *http.ResponseController) (io.ReadCloser, error) {
	limit := int64(maxBody)
	isPush := pattern == depositOnly || pattern == landPattern
	if isPush {
		limit = a.Limits.Body
		if c != nil {
			_ = c.SetReadDeadline(time.Now().Add(a.Times.Push)) // it could be set before
		}
	}
	b := &timedBody{ReadCloser: http.MaxBytesReader(w, r.Body, limit), conn: c}
	if r.Body == http.NoBody {
		b.arrived()
	}
	switch encoding := r.Header.Get("Content-Encoding"); {
	case encoding == "" || encoding == "identity":
		return a.counted(b, r, isPush, limit)
	case encoding != "gzip" || !isPush:
		f := failed(landfall.Errorf(landfall.CodeInvalid, "the body of the request is encoded in a way that is not known here").
			WithHint("send JSON as it is; a push may be gzip"))
		f.status = http.StatusUnsupportedMediaType
		return nil, f
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, notJSON(err)
	}
	whole := &unfolded{Reader: z, under: b, left: limit, limit: limit}
	return &metered{ReadCloser: whole, held: &a.pushes, max: a.PushMemory}, nil
}

// counted counts a body as it comes: of a push by what there is of it, of others
// by what they announce, before any of it is read.
func (a *API) counted(b io.ReadCloser, r *http.Request, isPush bool, limit int64) (io.ReadCloser, error) {
	if isPush {
		return &metered{ReadCloser: b, held: &a.pushes, max: a.PushMemory}, nil
	}
	n := r.ContentLength
	if n > limit {
		return b, nil // it is refused when it is read
	}
	if n < 0 {
		n = limit
	}
	m := &metered{ReadCloser: b, held: &a.others, mine: n}
	if a.others.Add(n) > a.Memory {
		m.done()
		return nil, overfull()
	}
	return &reserved{m}, nil
}

// reserved is a body that was counted before.
type reserved struct{ *metered }

func (r *reserved) Read(p []byte) (int, error) { return r.ReadCloser.Read(p) }

// held is a body that counts until it is done.
type held interface{ done() }

func overfull() error {
	return landfall.Errorf(landfall.CodeBusy, "the server takes in as much as it can hold").
		WithHint("send it again in a while; nothing is lost by it")
}

// metered counts what all requests together hold in memory, and sends away what
// would be too much.
type metered struct {
	io.ReadCloser
	held *atomic.Int64
	max  int64
	mine int64
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.mine += int64(n)
	if m.held.Add(int64(n)) > m.max {
		return 0, overfull()
	}
	return n, err
}

func (m *metered) done() { m.held.Add(-m.mine) }

// timedBody takes the deadline away when the body is there: a deadline that
// passes later would cancel the request while it is being answered.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (b *timedBody) arrived() {
	if b.conn != nil {
		_ = b.conn.SetReadDeadline(time.Time{}) // it could be set, so it can be taken away
		b.conn = nil
	}
}

func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.arrived()
	} else if large := (*http.MaxBytesError)(nil); err != nil && !errors.As(err, &large) {
		err = cut{err}
	}
	return n, err
}

// cut is a body that did not come whole. It says that it is a timeout: as with
// one, the rest is missing, and huma takes any other trouble for the server's.
type cut struct{ error }

func (c cut) Unwrap() error   { return c.error }
func (c cut) Timeout() bool   { return true }
func (c cut) Temporary() bool { return true }

// unfolded bounds what comes out of a compressed body.
type unfolded struct {
	*gzip.Reader
	under       io.Closer
	left, limit int64
}

func (u *unfolded) Read(p []byte) (int, error) {
	if int64(len(p)) > u.left+1 {
		p = p[:u.left+1]
	}
	n, err := u.Reader.Read(p)
	u.left -= int64(n)
	if u.left < 0 {
		return 0, &http.MaxBytesError{Limit: u.limit}
	}
	return n, err
}

func (u *unfolded) Close() error {
	if err := u.Reader.Close(); err != nil {
		return err
	}
	return u.under.Close()
}

// isJSON reports whether a content type is JSON's.
func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == "application/json"
}
