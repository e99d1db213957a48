package httpapi

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A request costs so many bytes of memory at most, and a share of its size.
const (
	fuzzConstant = 4 << 20 // a large answer, and a compressor that is not in the pool any more
	fuzzFactor   = 64
)

// calm is a fake that takes in any push.
type calm struct {
	*fake
	largest int
}

func (c *calm) Push(_ context.Context, _, _ string, _ landfall.Actor, b []byte) (*wire.PushReply, error) {
	c.largest = max(c.largest, len(b))
	return &wire.PushReply{}, nil
}

func fuzzedAPI(f *testing.F) (*API, *calm, *bytes.Buffer) {
	a, fake, log := newAPI(f)
	c := &calm{fake: fake}
	a.Inbox, a.Wait, a.Look = c, time.Nanosecond, time.Hour
	return a, c, log
}

// exchange sends a request. Whatever it holds, the answer is no fault of the
// server, errors have their form, and nothing stays in memory.
func exchange(t *testing.T, a *API, c *calm, log *bytes.Buffer, r *http.Request, size int) *httptest.ResponseRecorder {
	t.Helper()
	c.asked, c.looks, c.largest = nil, 0, 0
	log.Reset()
	w := httptest.NewRecorder()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a.ServeHTTP(w, r.WithContext(t.Context()))
	runtime.ReadMemStats(&after)
	if cost, most := after.TotalAlloc-before.TotalAlloc, uint64(fuzzConstant+fuzzFactor*size); cost > most {
		t.Errorf("%d bytes were allocated for a request of %d", cost, size)
	}
	if w.Code >= 500 || strings.Contains(log.String(), "panic") && !strings.Contains(r.URL.String(), "panic") {
		t.Errorf("%d: %s", w.Code, log)
	}
	if int64(c.largest) > a.Limits.Body {
		t.Errorf("a push of %d bytes was handed over, more than %d", c.largest, a.Limits.Body)
	}
	if held := a.pushes.Load(); held != 0 {
		t.Errorf("%d bytes are still counted as held", held)
	}
	if w.Code >= 400 && r.Method != http.MethodHead && w.Header().Get("Content-Encoding") == "" {
		var e landfall.Error
		if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Code == "" || e.Message == "" {
			t.Errorf("%d has another form than errors have: %s", w.Code, w.Body)
		}
	}
	return w
}

// folded is n times a text, in gzip.
func folded(text string, n int) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for range n {
		_, _ = io.WriteString(z, text) // a buffer takes it
	}
	_ = z.Close()
	return b.Bytes()
}

// FuzzRequest sends any bytes as a request.
func FuzzRequest(f *testing.F) {
	a, c, log := fuzzedAPI(f)
	const host, person, device = " HTTP/1.1\r\nHost: h\r\n", "Authorization: Bearer " + ada + "\r\n", "Authorization: bearer  " + phone + "\r\n"
	for _, r := range []string{
		"GET /v1/health" + host + "Accept-Encoding: gzip;q=0, *;q=-1, br\r\n\r\n",
		"GET /v1/sync/pull?since=%ff&limit=99999999999999999999" + host + device + "\r\n",
		"GET /v1/sync/pull?since=x&limit=-1&limit=2&x=%zz" + host + device + "\r\n",
		"GET /v1/inbox?since=-9223372036854775808ns&limit=1" + host + person + "\r\n",
		"GET /v1/issues?since=99999999999999d&state=all&kind=x" + host + person + "Range: bytes=0-18446744073709551615\r\n\r\n",
		"GET /openapi.json" + host + "Range: bytes=5-2,-0,9-\r\nIf-None-Match: *\r\nIf-Modified-Since: x\r\nAccept-Encoding: gzip\r\n\r\n",
		"POST /v1/sync/push" + host + device + "Content-Type: application/json; charset=\"\r\nContent-Length: 2\r\n\r\n{}",
		"POST /v1/sync/push" + host + device + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
		"POST /v1/sync/push" + host + device + "Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n\x1f\x8b\x08\x00",
		"POST /v1/sync/push" + host + device + "Content-Type: application/json\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 9223372036854775807\r\n\r\n{}",
		"POST /v1/records" + host + person + "Content-Type: application/json\r\nContent-Length: 61\r\n\r\n{\"op\":\"create\",\"type\":\"x\",\"set\":{\"a\":1e999,\"a\":[[[[]]]]},\"id\":0}",
		"POST /v1/sessions" + host + "Content-Type: application/json\r\nContent-Length: 2\r\nOrigin: null\r\nSec-Fetch-Site: x\r\n\r\n[]",
		"POST /v1/issues/%2e%2e/resolve" + host + person + "Content-Type: application/json\r\nContent-Length: 4\r\n\r\nnull",
		"POST /v1/records" + host + person + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n{}",
		"POST /v1/records" + host + person + "Content-Type: application/json\r\nContent-Length: 9\r\nAccept: application/cbor;q=1, text/*;q=x\r\n\r\n{}",
		"DELETE /v1/sessions/current" + host + "Authorization: Bearer\r\nAuthorization: Bearer x\r\n\r\n",
		"GET /v1/inbox/x?wait=queued" + host + person + "\r\n",
		"OPTIONS *" + host + "\r\n", "CONNECT h:1" + host + "\r\n", "GET //v1/../v1/me" + host + "\r\n", "\x00 / HTTP/1.1\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n",
	} {
		f.Add([]byte(r))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
		if err != nil {
			return // the standard library answers
		}
		exchange(t, a, c, log, r, len(raw))
	})
}

// FuzzPushBody sends any bytes with any headers as the body of a push: it is
// taken in whole or refused, and what unfolds has the same limit.
func FuzzPushBody(f *testing.F) {
	a, c, log := fuzzedAPI(f)
	one := folded(`{"mutations":[]}`, 1)
	f.Add("application/json", "", []byte(`{"mutations":[]}`))
	f.Add("application/json", "gzip", one)
	f.Add("application/json", "gzip", folded("0", 4<<20))
	f.Add("application/json", "gzip", bytes.Repeat(one, 2000))
	f.Add("application/json", "gzip", one[:len(one)-3])
	f.Add("application/json", "gzip", append([]byte("\x1f\x8b\x08\x1f\x00\x00\x00\x00\x00\xff\xff\xff"), bytes.Repeat([]byte("n"), 1<<16)...))
	f.Add("application/json", "identity", bytes.Repeat([]byte("["), 1<<16))
	f.Add("application/json", "GZIP ", one)
	f.Add("text/plain", "gzip", one)
	f.Fuzz(func(t *testing.T, contentType, encoding string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/v1/sync/push", bytes.NewReader(body))
		r.Header = http.Header{"Content-Type": {contentType}, "Content-Encoding": {encoding}, "Authorization": {"Bearer " + phone}}
		w := exchange(t, a, c, log, r, min(len(body), int(a.Limits.Body)))
		switch w.Code {
		case http.StatusOK:
			if encoding == "" && c.largest != len(body) {
				t.Errorf("of %d bytes, %d were handed over", len(body), c.largest)
			}
		case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		default:
			t.Errorf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzBearer sends anything as credentials: nobody is let in by it.
func FuzzBearer(f *testing.F) {
	a, c, log := fuzzedAPI(f)
	for _, s := range []string{"", "Bearer", "Bearer ", "bearer\t" + ada, "Basic " + ada, "Bearer " + ada + ",", "Bearer " + ada + " x", ada, "Bearer \x00", "BEARER " + strings.Repeat("l", 1<<16)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := httptest.NewRequest(http.MethodGet, "/v1/me", nil)
		r.Header = http.Header{"Authorization": {s}}
		known := map[string]bool{ada: true, phone: true, disabled: true, blocked: true}
		if w := exchange(t, a, c, log, r, len(s)); w.Code != http.StatusUnauthorized && !known[bearer(r.Header)] {
			t.Errorf("%q: %d %s", s, w.Code, w.Body)
		}
	})
}

// FuzzSince reads anything as a point in time: one that the store can compare.
func FuzzSince(f *testing.F) {
	a, _, _ := fuzzedAPI(f)
	for _, s := range []string{"", "24h", "7d", "-1d", "36501d", "-1h", "9223372036854775807ns", "2026-03-01T09:00:00Z", "0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1500-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		at, err := a.since(s)
		if err != nil {
			if landfall.CodeOf(err) != landfall.CodeInvalid {
				t.Error(err)
			}
			return
		}
		if !at.IsZero() && !time.Unix(0, at.UnixNano()).Equal(at) {
			t.Errorf("%q is %s, which can't be compared in nanoseconds", s, at)
		}
	})
}
