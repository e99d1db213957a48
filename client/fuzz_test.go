package client_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// FuzzAnswer is a server, or what stands before it, that answers anything. A
// device takes it for an answer or an error with a code, and never waits for
// longer than can be meant.
func FuzzAnswer(f *testing.F) {
	var status int
	var after string
	var body []byte
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(status)
		_, _ = w.Write(body) // some statuses have no body
	}))
	f.Cleanup(srv.Close)
	h := client.NewHTTP(srv.URL, func() string { return "lfd_x" })
	f.Add(200, "", []byte(`{"changes":[{"seq":1}],"checkpoint":"x","clock":"2026-03-01T09:00:00Z"}`))
	f.Add(200, "", []byte(`{"changes":null,"more":1}`))
	f.Add(200, "", []byte("<html>sign in to the network</html>"))
	f.Add(204, "", []byte(""))
	f.Add(302, "1", []byte("{}"))
	f.Add(400, "x", []byte(`{"code":"invalid","message":"m","messages":[{}]}`))
	f.Add(429, "7", []byte(`{"code":"busy"}`))
	f.Add(503, "9223372037", []byte("<html>"))
	f.Add(503, "18446744083", []byte("[]"))
	f.Add(429, "-1", []byte(`{"code":3}`))
	f.Fuzz(func(t *testing.T, s int, a string, b []byte) {
		status, after, body = 200+int(uint(s)%400), a, b
		if s >= 200 && s < 600 {
			status = s
		}
		_, err := h.Pull(t.Context(), "", 1, wire.Contact{})
		if err == nil {
			if status >= 300 || !json.Valid(b) {
				t.Errorf("%d %q is taken for an answer", status, b)
			}
			return
		}
		if e := (*landfall.Error)(nil); !errors.As(err, &e) || e.Code == "" {
			t.Errorf("%d %q: no code: %v", status, b, err)
		}
		if w := (*client.RetryAfter)(nil); errors.As(err, &w) && (w.Wait <= 0 || w.Wait > time.Hour) {
			t.Errorf("%q makes a device wait for %s", a, w.Wait)
		}
	})
}

// FuzzServerSays answers a push and a pull with anything. No change of the
// device may vanish by it: each is waiting, or applied, or an issue in the log.
func FuzzServerSays(f *testing.F) {
	const id = "0198c3aa-0000-7000-8000-000000000001"
	f.Add([]byte(`{"receipts":[{"n":1,"result":"applied","seq":3}],"next":2}`), []byte(`{"changes":[{"seq":3,"type":"expense","id":"`+id+`","record":{"type":"expense","id":"`+id+`","version":3,"fields":{"amount":1}}}],"checkpoint":"x","seq":3,"definition":1}`))
	f.Add([]byte(`{"receipts":[{"n":1,"result":"issue","issue":"i","kind":"gone","seq":3}],"next":2}`), []byte(`{"outcomes":[{"incarnation":1,"n":1,"seq":4,"settlement":"moved"}],"checkpoint":"x","kept_through":9,"seq":9,"definition":1}`))
	f.Add([]byte(`{"receipts":[{"n":1}]}`), []byte(`{"definition":1}`))
	f.Add([]byte(`{"receipts":[{"n":1,"result":"stored"}],"forked":true}`), []byte(`{"outcomes":[{"incarnation":2,"n":1}],"checkpoint":"y","definition":1}`))
	f.Add([]byte(`{"gap":true,"next":-5}`), []byte(`{"resync":true,"definition":1}`))
	f.Add([]byte(`{"gap":true,"next":1}`), []byte(`{"changes":[{"record":{}},{"gone":true}],"more":true,"definition":1}`))
	f.Add([]byte(`{}`), []byte(`{"changes":[{"id":"x","record":{"type":"sync_issue","id":"x","fields":{"author":3}}}],"checkpoint":"x","definition":1}`))
	f.Fuzz(func(t *testing.T, push, pull []byte) {
		calls := 0
		says := func(b []byte, reply any) error {
			if calls++; calls > 20 || json.Unmarshal(b, reply) != nil { // no device is asked to end what a server goes on with
				return landfall.Errorf(landfall.CodeUnavailable, "cut")
			}
			return nil
		}
		srv := &fake{
			push: func(wire.Push) (*wire.PushReply, error) {
				r := &wire.PushReply{}
				return r, says(push, r)
			},
			pull: func(string) (*wire.PullReply, error) {
				r := &wire.PullReply{}
				return r, says(pull, r)
			},
		}
		c := newClient(t, srv)
		create(t, c, "Oslo")
		r, err := c.Sync(t.Context(), nil)
		if err != nil && landfall.CodeOf(err) == "" {
			t.Errorf("an error without a code: %v", err)
		}
		pending, err := c.Pending(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		log, err := c.Log(t.Context())
		if err != nil {
			return // an issue that can't be read
		}
		if len(pending) == 0 && len(log) == 0 && r.Applied == 0 {
			t.Errorf("the change is nowhere: %+v", r)
		}
		if _, err := c.List(t.Context(), "expense"); err != nil {
			t.Error(err)
		}
	})
}

// FuzzReadExport is what comes out of a file that somebody brings. It is refused
// with a reason, or every change in it goes out once, in order, byte for byte, in
// pushes that a server can read.
func FuzzReadExport(f *testing.F) {
	const replica = "0198c3aa-0000-7000-8000-000000000001"
	entry := func(inc, n int64, raw string) client.ExportedEntry {
		return client.ExportedEntry{Incarnation: inc, N: n, Hash: core.Hash([]byte(raw)), Bytes: []byte(raw), Unsent: true}
	}
	seeds := []*client.Export{
		{Format: "landfall-outbox", Version: 1, Replica: replica, Incarnation: 2, Entries: []client.ExportedEntry{entry(1, 3, `{"n":3, "op":"void"}`), entry(2, 1, `{"n":1,"group":{"id":"g","of":2}}`), entry(2, 2, `{"n":2,"group":{"id":"g","of":2}}`), entry(2, 9, `"x"`)}},
		{Format: "landfall-outbox", Version: 1, Replica: replica, Incarnation: 1, LostThrough: 7},
		{Format: "landfall-outbox", Version: 2, Replica: replica},
		{Format: "landfall-outbox", Version: 1, Replica: replica, Incarnation: 1, Entries: []client.ExportedEntry{entry(1, 2, `{}`), entry(1, 1, `{}`)}},
		{Format: "landfall-outbox", Version: 1, Replica: replica, Incarnation: 1, Entries: []client.ExportedEntry{{Incarnation: 1, N: 1, Hash: "x", Bytes: []byte("{}")}}},
	}
	for _, x := range seeds {
		var b bytes.Buffer
		if err := x.Write(&b); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Add([]byte(`{"format":"landfall-outbox","version":1,"entries":[null]}`))
	f.Add([]byte("PK\x03\x04"))
	f.Fuzz(func(t *testing.T, file []byte) {
		x, err := client.ReadExport(bytes.NewReader(file))
		if err != nil {
			if landfall.CodeOf(err) != landfall.CodeInvalid {
				t.Error(err)
			}
			return
		}
		pushes, err := x.Pushes(wire.Limits{Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		at := 0
		for _, body := range pushes {
			var p wire.Push
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			for i, raw := range p.Mutations {
				e := x.Entries[at]
				if p.Incarnation != e.Incarnation || p.First+int64(i) != e.N || core.Hash(raw) != e.Hash {
					t.Fatalf("entry %d goes out as %d.%d %s", at, p.Incarnation, p.First+int64(i), raw)
				}
				at++
			}
		}
		if at != len(x.Entries) {
			t.Errorf("%d of %d go out", at, len(x.Entries))
		}
	})
}
