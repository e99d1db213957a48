// Package apitest runs declarative tests of an HTTP API: one value a case,
// nothing to read but what is sent and what must come back.
package apitest

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Case is one request and what its answer must be.
type Case struct {
	Name   string // "" for method and path
	Method string // "" for GET
	Path   string
	Token  string // bearer token, "" for none
	Body   string // JSON, "" for none
	Header map[string]string

	Status int
	Want   []string          // what the body must contain
	Not    []string          // what it must not contain
	Head   map[string]string // headers of the answer; "" for absent
}

// Run runs each case as a subtest, in order.
func Run(t *testing.T, h http.Handler, cases ...Case) {
	t.Helper()
	for _, c := range cases {
		if c.Method == "" {
			c.Method = http.MethodGet
		}
		if c.Name == "" {
			c.Name = c.Method + " " + c.Path
		}
		t.Run(c.Name, func(t *testing.T) { c.check(t, c.Do(t, h)) })
	}
}

// Do sends the request of a case and returns the answer.
func (c *Case) Do(t *testing.T, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	method := c.Method
	if method == "" {
		method = http.MethodGet
	}
	req := httptest.NewRequestWithContext(t.Context(), method, c.Path, bytes.NewBufferString(c.Body))
	if c.Body == "" {
		req.Body = http.NoBody
	} else {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func (c *Case) check(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	got := w.Body.String()
	if w.Code != c.Status {
		t.Errorf("status %d, want %d: %s", w.Code, c.Status, got)
	}
	for _, s := range c.Want {
		if !strings.Contains(got, s) {
			t.Errorf("%q is not in the answer %s", s, got)
		}
	}
	for _, s := range c.Not {
		if strings.Contains(got, s) {
			t.Errorf("%q is in the answer %s", s, got)
		}
	}
	for name, value := range c.Head {
		if w.Header().Get(name) != value {
			t.Errorf("header %s is %q, want %q", name, w.Header().Get(name), value)
		}
	}
}
