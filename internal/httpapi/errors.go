package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/landfall-sync/landfall"
)

// statuses maps the codes of errors; nothing else in the program knows HTTP's.
var statuses = map[landfall.Code]int{
	landfall.CodeInvalid:      http.StatusBadRequest,
	landfall.CodeUnauthorized: http.StatusUnauthorized,
	landfall.CodeForbidden:    http.StatusForbidden,
	landfall.CodeNotFound:     http.StatusNotFound,
	landfall.CodeConflict:     http.StatusConflict,
	landfall.CodeRefused:      http.StatusUnprocessableEntity,
	landfall.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	landfall.CodeBusy:         http.StatusTooManyRequests,
	landfall.CodeUnavailable:  http.StatusServiceUnavailable,
	landfall.CodeInternal:     http.StatusInternalServerError,
}

// failure is an error as an HTTP answer: status, headers, and a landfall.Error
// as the body.
type failure struct {
	status int
	after  time.Duration // Retry-After, when not 0
	body   *landfall.Error
	cause  error // for the log
}

func (f *failure) Error() string                { return f.body.Error() }
func (f *failure) Unwrap() error                { return f.cause }
func (f *failure) GetStatus() int               { return f.status }
func (f *failure) MarshalJSON() ([]byte, error) { return marshal(f.body) }

// GetHeaders tells the client when to come back, and how to identify itself.
func (f *failure) GetHeaders() http.Header {
	h := http.Header{}
	if f.after > 0 {
		h.Set("Retry-After", strconv.Itoa(int(math.Ceil(f.after.Seconds()))))
	}
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	return h
}

// marshal writes JSON without the escapes that only HTML needs.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// failed turns any error into an answer. What went wrong inside stays inside.
func failed(err error) *failure {
	if f := (*failure)(nil); errors.As(err, &f) {
		return f
	}
	var e *landfall.Error
	switch {
	case errors.As(err, &e):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		e = landfall.Errorf(landfall.CodeUnavailable, "the request was given up before it was done").WithHint("send it again")
	default:
		e = landfall.Errorf(landfall.CodeInternal, "")
	}
	f := &failure{status: statuses[e.Code], body: e, cause: err}
	if f.status == 0 || e.Code == landfall.CodeInternal {
		f.status = http.StatusInternalServerError
		f.body = landfall.Errorf(landfall.CodeInternal, "something went wrong in the server").
			WithHint("try again; the server's log says more")
	}
	switch e.Code {
	case landfall.CodeBusy, landfall.CodeUnavailable:
		f.after = time.Second
		var wait interface{ RetryAfter() time.Duration }
		if errors.As(err, &wait) {
			f.after = max(wait.RetryAfter(), time.Second)
		}
	default:
	}
	return f
}

// write answers outside of a route.
func (f *failure) write(w http.ResponseWriter) {
	b, err := f.MarshalJSON()
	if err != nil {
		b = []byte(`{"code":"internal","message":"something went wrong in the server"}`)
	}
	for name, values := range f.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	w.Write(append(b, '\n')) //nolint:gosec // G705: it is JSON, declared as such, with nosniff
}

// sameShape gives the errors that huma finds by itself the shape of all others.
// It never passes a value on, only where it was and what was expected.
func sameShape(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	e := &landfall.Error{Code: landfall.CodeInvalid, Message: "the request is wrong", Hint: "mend what is named, or look it up in /openapi.json"}
	switch m.Status {
	case http.StatusRequestEntityTooLarge:
		return landfall.Errorf(landfall.CodeTooLarge, "the body of the request is too large").WithHint("send less at once"), nil
	case http.StatusRequestTimeout:
		return landfall.Errorf(landfall.CodeUnavailable, "the body of the request did not arrive whole, or not in time").WithHint("send it again"), nil
	case http.StatusUnsupportedMediaType:
		e.Message, e.Hint = "the body of the request is not declared as JSON", "send the header Content-Type: application/json"
		return e, nil
	case http.StatusInternalServerError:
		return landfall.Errorf(landfall.CodeInternal, "something went wrong in the server").WithHint("try again; the server's log says more"), nil
	}
	if len(m.Errors) == 0 { // the one case left is a body that is missing
		e.Message, e.Hint = "the request needs a body", "send a JSON object"
		return e, nil
	}
	for _, d := range m.Errors {
		e.Messages = append(e.Messages, explain(d))
	}
	e.Message = e.Messages[0].Text
	if e.Messages[0].Field != "" {
		e.Message = e.Messages[0].Field + ": " + e.Message
	}
	return e, nil
}

// explain says what was expected where.
func explain(d *huma.ErrorDetail) landfall.Message {
	place, field, _ := strings.Cut(d.Location, ".")
	m := landfall.Message{Code: "invalid", Field: field, Text: d.Message}
	if missing, ok := strings.CutPrefix(d.Message, "expected required property "); ok {
		name := strings.TrimSuffix(missing, " to be present")
		if field != "" {
			name = field + "." + name
		}
		return landfall.Message{Code: "required", Field: name, Text: "is missing"}
	}
	if field == "" && place == "body" {
		m.Hint = "send one JSON object"
		if !strings.HasPrefix(d.Message, "expected") { // a decoder's words can quote what it read
			m.Text = "the body can't be read"
		}
	}
	return m
}

// notJSON is what an unreadable body is answered with.
func notJSON(err error) error {
	if e := (*landfall.Error)(nil); errors.As(err, &e) {
		return e
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return landfall.Errorf(landfall.CodeTooLarge, "the body of the request is larger than %d bytes", large.Limit).
			WithHint("send fewer changes at once")
	}
	e := landfall.Errorf(landfall.CodeInvalid, "the body of the request can't be read").WithHint("send it again, whole")
	e.Err = fmt.Errorf("reading a body: %w", err)
	return e
}
