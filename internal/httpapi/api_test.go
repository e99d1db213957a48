package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/httpapi/apitest"
	"github.com/landfall-sync/landfall/internal/wire"
)

// every lists the routes of the OpenAPI document, which is what is registered,
// and the two that serve the document.
func every(t *testing.T, a *API) []string {
	t.Helper()
	var doc struct {
		OpenAPI string                            `json:"openapi"`
		Paths   map[string]map[string]interface{} `json:"paths"`
	}
	if err := json.Unmarshal(a.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI is %q", doc.OpenAPI)
	}
	out := []string{"GET /openapi.json", "GET /openapi.yaml"}
	for path, ops := range doc.Paths {
		for method := range ops {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(out)
	if len(out) < 40 {
		t.Fatalf("only %d routes: the walk is broken", len(out))
	}
	return out
}

func send(t *testing.T, a *API, pattern, token string) *httptest.ResponseRecorder {
	t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	for strings.Contains(path, "{") {
		from, to := strings.Index(path, "{"), strings.Index(path, "}")
		path = path[:from] + "x" + path[to+1:]
	}
	c := apitest.Case{Method: method, Path: path, Token: token}
	return c.Do(t, a)
}

func TestEveryRouteNeedsACaller(t *testing.T) {
	a, f, _ := newAPI(t)
	public := []string{"GET /openapi.json", "GET /openapi.yaml", "GET /v1/definition/schema", "GET /v1/health", "POST /v1/devices", "POST /v1/sessions"}
	for _, pattern := range every(t, a) {
		for _, token := range []string{"", "lfs_forged", "lfd_forged", "nonsense"} {
			f.asked = nil
			w := send(t, a, pattern, token)
			if (w.Code == http.StatusUnauthorized) == slices.Contains(public, pattern) {
				t.Errorf("%s with token %q: %d %s", pattern, token, w.Code, w.Body)
			}
			if w.Code == http.StatusUnauthorized && (len(f.asked) > 0 || w.Header().Get("WWW-Authenticate") != "Bearer") {
				t.Errorf("%s with token %q asked %v", pattern, token, f.asked)
			}
		}
	}
}

func TestWhoMayUseWhat(t *testing.T) {
	a, _, _ := newAPI(t)
	routes := every(t, a)
	for pattern := range access {
		if !slices.Contains(routes, pattern) {
			t.Errorf("%s is in the table of access, but there is no such route", pattern)
		}
	}
	forDevices := []string{
		"GET /v1/definition", "GET /v1/issues", "GET /v1/issues/{id}", "GET /v1/me", "GET /v1/settings", "GET /v1/sync/pull",
		"POST /v1/issues/retry", "POST /v1/issues/{id}/comments", "POST /v1/sync/push",
	}
	for _, pattern := range routes {
		if access[pattern] == anybody {
			continue
		}
		forbidden := func(token string) bool { return send(t, a, pattern, token).Code == http.StatusForbidden }
		if got, want := forbidden(phone), !slices.Contains(forDevices, pattern); got != want {
			t.Errorf("%s with a device's credential: forbidden is %t", pattern, got)
		}
		if got, want := forbidden(ada), strings.Contains(pattern, "/sync/"); got != want {
			t.Errorf("%s with a session: forbidden is %t", pattern, got)
		}
		for _, token := range []string{disabled, blocked} {
			if got, want := forbidden(token), pattern != "POST /v1/sync/push"; got != want {
				t.Errorf("%s with %s: forbidden is %t", pattern, token, got)
			}
		}
	}
}

// What each route asks of its service.
func TestRoutes(t *testing.T) {
	a, f, _ := newAPI(t)
	uuid := "0198c3aa-0000-7000-8000-000000000001"
	for _, c := range []struct {
		pattern, token, body string
		status               int
		asked, want          string
	}{
		{"POST /v1/sessions", "", `{"user":"ada","password":"x"}`, 200, "sign in ada", "lfs_new"},
		{"DELETE /v1/sessions/current", ada, "", 204, "sign out lfs_ada", ""},
		{"GET /v1/me", phone, "", 200, "", `{"user":"emma"}`},
		{"GET /v1/definition/schema", "", "", 200, "", `{"title":"schema"}`},
		{"GET /v1/health", "", "", 200, "", `{"status":"ok","version":"test","protocol":1}`},
		{"POST /v1/devices", "", `{"code":"ABCDE-FGHJK"}`, 200, "enrol code=ABCDE-FGHJK by nobody", "r2"},
		{"POST /v1/devices", ada, `{"name":"tablet"}`, 200, "enrol code= by ada", "r2"},
		{"POST /v1/devices", "lfs_forged", `{"name":"tablet"}`, 401, "", "unauthorized"},
		{"GET /v1/devices?user=emma&limit=5", ada, "", 200, `devices of "emma" after "", 5`, `{"items":[]}`},
		{"GET /v1/devices/r1", ada, "", 200, "device r1", `"id":"r1"`},
		{"POST /v1/devices/codes", ada, `{"user":"emma"}`, 200, "code for emma", "ABCDE-FGHJK"},
		{"POST /v1/devices/r1/revoke", ada, "", 200, "revoke r1", `"id":"r1"`},
		{"POST /v1/devices/r1/block", phone, "", 403, "", "forbidden"},
		{"POST /v1/devices/r1/fly", ada, "", 404, "", "not-found"},
		{"GET /v1/devices?state=lost", ada, "", 422, "", "state"},
		{"GET /v1/devices?silent=soon", ada, "", 400, "", "silent"},
		{"GET /v1/devices/r1/ledger", ada, "", 200, "ledger r1", `"device":"r1"`},
		{"POST /v1/devices/resync", ada, `{"role":"technician"}`, 200, "resync role=technician all=false", `"number":1`},
		{"POST /v1/devices/r1/land", ada, `{"first": 7}`, 200, `land r1 {"first": 7}`, `"next":8`},
		{"POST /v1/devices/r1/land", phone, `{"first":7}`, 403, "", "forbidden"},
		{"GET /v1/audit", ada, "", 200, `audit for ada: by=  of  on , 01-01T00 to 01-01T00, after "", 100`, `{"items":[]}`},
		{"GET /v1/audit?by=(server)&action=user.grant&object=emma&device=r1&since=24h&until=2026-03-01T09:00:00Z&after=7&limit=3", ada, "", 200, `audit for ada: by=(server) user.grant of emma on r1, 02-28T12 to 03-01T09, after "7", 3`, ""},
		{"GET /v1/audit?until=soon", ada, "", 400, "", `"field":"until"`},
		{"GET /v1/audit", phone, "", 403, "", "forbidden"},
		{"POST /v1/sync/push", phone, `{"mutations":[1]}`, 200, `push expenses r1 emma {"mutations":[1]}`, `"next":8`},
		{"GET /v1/sync/pull?since=abc&limit=7", phone, "", 200, `pull r1 since "abc", 7`, `"changes":[]`},
		{"GET /v1/sync/pull", phone, "", 200, `pull r1 since "", 500`, ""},
		{"GET /v1/sync/pull?limit=100000", phone, "", 200, `pull r1 since "", 800`, ""},
		{"GET /v1/definition", phone, "", 200, "source", `"pull_page":800`},
		{"POST /v1/definitions", ada, `{"source":"app: x","dry_run":true}`, 200, "publish  dry=true", `"version":4`},
		{"GET /v1/records/expense?status=draft&queue=q&after=z", ada, "", 200, `records expense draft q after "z"`, `{"items":[]}`},
		{"GET /v1/records/expense/EXP-1", ada, "", 200, "find expense EXP-1", "full-EXP-1"},
		{"GET /v1/records/expense/EXP-1/history", ada, "", 200, "history expense EXP-1", `{"items":[]}`},
		{"POST /v1/records", ada, `{"op":"create","type":"expense"}`, 200, "do create new-id", `"<Oslo>"`},
		{"POST /v1/records", ada, `{"op":"update","type":"expense","id":"EXP-1"}`, 200, "do update full-EXP-1", ""},
		{"POST /v1/records", ada, `{"op":"restore","type":"expense","id":"` + uuid + `"}`, 200, "do restore " + uuid, ""},
		{"POST /v1/records", ada, `{"op":"update","type":"expense"}`, 400, "", "which record"},
		{"POST /v1/records/expense/import", ada, `{"rows":[{"line":7,"id":"x","set":{"amount":"1"}}],"dry_run":true}`, 200, "import 1 of expense dry=true", `"line":7,"result":"unchanged"`},
		{"POST /v1/records/expense/import", ada, `{"rows":[]}`, 422, "", "rows"},
		{"POST /v1/records/expense/import", ada, `{"rows":[` + strings.Repeat(`{"line":1,"id":"x","set":{}},`, wire.MaxImportRows) + `{"line":1,"id":"x","set":{}}]}`, 422, "", "rows"},
		{"GET /v1/inbox?state=completed&kind=fork&since=24h", ada, "", 200, "items completed fork since 2026-02-28T12:00:00Z, 100", `{"items":[]}`},
		{"GET /v1/inbox?since=7d", ada, "", 200, "items   since 2026-02-22T12:00:00Z, 100", ""},
		{"GET /v1/inbox?since=2026-01-02T03:04:05%2B01:00", ada, "", 200, "items   since 2026-01-02T02:04:05Z, 100", ""},
		{"GET /v1/inbox?order=asc&op=update&text=Oslo&since=2026-01-02&until=2h", ada, "", 200, "items   since 2026-01-02T00:00:00Z, 100 until 2026-03-01T10:00:00Z update \"Oslo\" oldest", ""},
		{"GET /v1/inbox?until=later", ada, "", 400, "", `"field":"until"`},
		{"POST /v1/inbox/clean", ada, `{"older_than":"8d","after":"7.8","dry_run":true}`, 200, `clean before 2026-02-21T12:00:00Z after "7.8" true`, `"cleaned":0`},
		{"POST /v1/inbox/clean", ada, `{}`, 400, "", "older_than"},
		{"POST /v1/inbox/clean", ada, `{"older_than":"old"}`, 400, "", `"field":"older_than"`},
		{"POST /v1/inbox/clean", phone, `{"older_than":"8d"}`, 403, "", "forbidden"},
		{"GET /v1/settings", phone, "", 200, "settings for emma", `{"items":[]}`},
		{"PUT /v1/settings/inbox.keep", ada, `{"value":"8d"}`, 200, "ada sets inbox.keep to 8d", "inbox.keep"},
		{"PUT /v1/settings/inbox.keep", phone, `{"value":"8d"}`, 403, "", "forbidden"},
		{"DELETE /v1/settings/inbox.keep", ada, "", 200, "ada resets inbox.keep", ""},
		{"GET /v1/inbox/r1.1.9", ada, "", 200, "item r1.1.9", ""},
		{"POST /v1/inbox/r1.1.1/retry", ada, "", 200, `retry [i-full] cause="" all=false`, `{"items":[]}`},
		{"POST /v1/inbox/r1.1.2/retry", ada, "", 409, "item r1.1.2", "nothing to retry"},
		{"POST /v1/inbox/r1.1.3/retry", ada, "", 200, `retry [i-other] cause="" all=false`, ""},
		{"GET /v1/issues", ada, "", 200, `issues unresolved of ""`, `{"items":[]}`},
		{"GET /v1/issues?state=all&user=otto", ada, "", 200, `issues  of "otto"`, ""},
		{"GET /v1/issues", phone, "", 200, `issues unresolved of "emma"`, ""},
		{"GET /v1/issues?user=otto", phone, "", 403, "", "alone"},
		{"GET /v1/issues/causes", ada, "", 200, "causes", `{"items":[]}`},
		{"GET /v1/issues/17", phone, "", 200, "issue 17", ""},
		{"GET /v1/issues/18", phone, "", 404, "issue 18", "not-found"},
		{"GET /v1/issues/18", ada, "", 200, "issue 18", ""},
		{"POST /v1/issues/17/claim", ada, "", 200, "claim 17", ""},
		{"POST /v1/issues/17/release", ada, "", 200, "release 17", ""},
		{"POST /v1/issues/17/repair", ada, `{"drop":["colour"],"dry_run":true}`, 200, "repair id-of-17 drop [colour]", `"dry_run":true`},
		{"POST /v1/issues/17/repair", phone, `{}`, 403, "", ""},
		{"POST /v1/issues/17/resolve", ada, `{"take":"device","dry_run":true}`, 200, "resolve id-of-17 take=device", `"dry_run":true`},
		{"POST /v1/issues/17/comments", phone, `{"text":"hm"}`, 200, "comment 17 hm", ""},
		{"POST /v1/issues/18/comments", phone, `{"text":"hm"}`, 404, "issue 18", ""},
		{"POST /v1/issues/17/assign", ada, `{"to":"user:mara"}`, 200, "assign 17 user:mara", ""},
		{"POST /v1/issues/17/reopen", ada, "", 200, "reopen 17 ", ""},
		{"POST /v1/issues/17/reopen", ada, `{"note":"new"}`, 200, "reopen 17 new", ""},
		{"POST /v1/issues/retry", ada, `{"issues":["17"]}`, 200, `retry [id-of-17] cause="" all=false`, ""},
		{"POST /v1/issues/retry", ada, `{"all":true}`, 200, `retry [] cause="" all=true`, ""},
		{"POST /v1/issues/retry", ada, `{}`, 400, "", "one of"},
		{"POST /v1/issues/retry", phone, `{"all":true}`, 403, "", "by name"},
		{"POST /v1/issues/retry", phone, `{"issues":["17","18"]}`, 404, "issue 18", ""},
		{"GET /v1/queues", ada, "", 200, "queues", `{"items":[]}`},
		{"GET /v1/queues/approvals", ada, "", 200, "queue approvals", `{"items":[]}`},
		{"GET /v1/worklist", ada, "", 200, "worklist of ada", `{"items":[]}`},
		{"GET /v1/users?after=a", ada, "", 200, `users after "a", 100`, `{"items":[]}`},
		{"POST /v1/users", ada, `{"name":"emma","roles":["employee"]}`, 200, "add user emma [employee]", "emma"},
		{"GET /v1/users/emma", ada, "", 200, "user emma", ""},
		{"PATCH /v1/users/emma", ada, `{"grant":["manager"]}`, 200, "change user emma grant=[manager] keep=lfs_ada", ""},
		{"GET /v1/teams", ada, "", 200, "teams", `{"items":[]}`},
		{"POST /v1/teams", ada, `{"name":"north"}`, 200, "add team north", "north"},
	} {
		method, path, _ := strings.Cut(c.pattern, " ")
		f.asked = nil
		apitest.Run(t, a, apitest.Case{Name: c.pattern + " " + c.body, Method: method, Path: path, Token: c.token, Body: c.body, Status: c.status, Want: []string{c.want}})
		if f.last() != c.asked {
			t.Errorf("%s asked %q, want %q", c.pattern, f.last(), c.asked)
		}
	}
}

func TestErrorsHaveOneShape(t *testing.T) {
	a, f, log := newAPI(t)
	many := strings.Repeat("x", 3<<20)
	apitest.Run(t, a,
		apitest.Case{Path: "/v1/nowhere", Token: ada, Status: 404, Want: []string{`"code":"not-found"`}},
		apitest.Case{Path: "/", Status: 404, Want: []string{`"code":"not-found"`}},
		apitest.Case{Method: "PUT", Path: "/v1/users", Token: ada, Status: 405, Want: []string{`"code":"invalid"`}, Head: map[string]string{"Allow": "GET, HEAD, POST"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Status: 400, Want: []string{`"code":"invalid"`, "needs a body"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":`, Status: 400, Want: []string{`"code":"invalid"`, "one JSON value"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"a","name":"b"}`, Status: 400, Want: []string{"repeated"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `[1]`, Status: 422, Want: []string{"expected object"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"a","rolls":["canary"]}`, Status: 422, Want: []string{`"field":"rolls"`, "unexpected property"}, Not: []string{"canary"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"title":"canary"}`, Status: 422, Want: []string{`"field":"name"`, "is missing"}, Not: []string{"canary"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":{"canary":1}}`, Status: 422, Want: []string{`"field":"name"`, "expected string"}, Not: []string{"canary"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"` + many + `"}`, Status: 413, Want: []string{`"code":"too-large"`}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"a"}`, Header: map[string]string{"Content-Type": "text/plain"}, Status: 415, Want: []string{"application/json"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"a"}`, Header: map[string]string{"Content-Encoding": "gzip"}, Status: 415, Want: []string{"encoded"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"a"}`, Header: map[string]string{"Sec-Fetch-Site": "cross-site"}, Status: 403, Want: []string{"another site"}},
		apitest.Case{Path: "/v1/users?limit=0", Token: ada, Status: 422, Want: []string{`"field":"limit"`, ">= 1"}},
		apitest.Case{Path: "/v1/users?limit=1001", Token: ada, Status: 422, Want: []string{`"field":"limit"`, "<= 1000"}},
		apitest.Case{Path: "/v1/users?limit=lots", Token: ada, Status: 422, Want: []string{`"field":"limit"`, "invalid integer"}, Not: []string{"lots"}},
		apitest.Case{Path: "/v1/users?limt=1", Token: ada, Status: 422, Want: []string{"limt", "unknown query parameter"}},
		apitest.Case{Path: "/v1/inbox?since=yesterday", Token: ada, Status: 400, Want: []string{`"field":"since"`, "24h"}},
		apitest.Case{Path: "/v1/inbox?since=-1h", Token: ada, Status: 400, Want: []string{`"field":"since"`}},
		apitest.Case{Path: "/v1/issues?state=lost", Token: ada, Status: 422, Want: []string{`"field":"state"`, "unresolved"}},
	)
	log.Reset()
	for code, status := range statuses {
		f.fail = landfall.Errorf(code, "said by the service").WithHint("do this")
		c := apitest.Case{Name: string(code), Path: "/v1/users/emma", Token: ada, Status: status, Want: []string{fmt.Sprintf(`"code":%q`, code)}}
		if code == landfall.CodeInternal {
			c.Not = []string{"said by"}
		} else {
			c.Want = append(c.Want, `"message":"said by the service"`, `"hint":"do this"`)
		}
		if code == landfall.CodeBusy || code == landfall.CodeUnavailable {
			c.Head = map[string]string{"Retry-After": "1"}
		}
		apitest.Run(t, a, c)
	}
	for _, err := range []error{errInside, fmt.Errorf("more: %w", errInside)} {
		f.fail = err
		apitest.Run(t, a, apitest.Case{Path: "/v1/users/emma", Token: ada, Status: 500, Want: []string{`"code":"internal"`}, Not: []string{"canary"}})
	}
	if !strings.Contains(log.String(), "canary") {
		t.Error("the log does not say what went wrong")
	}
	f.fail = context.Canceled
	apitest.Run(t, a, apitest.Case{Path: "/v1/users/emma", Token: ada, Status: 503})
}

func TestPanic(t *testing.T) {
	a, _, log := newAPI(t)
	apitest.Run(t, a, apitest.Case{Method: "POST", Path: "/v1/sync/push", Token: phone, Body: `"panic"`, Status: 500, Want: []string{`"code":"internal"`}, Not: []string{"nobody may see"}})
	if !strings.Contains(log.String(), "type=string") || strings.Contains(log.String(), "nobody may see") {
		t.Error(log.String())
	}
}

func squeezed(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The limit of a push is 1024 bytes here.
func TestPushBody(t *testing.T) {
	a, f, _ := newAPI(t)
	zip := map[string]string{"Content-Encoding": "gzip"}
	fits, exceeds := `"`+strings.Repeat("a", 1022)+`"`, `"`+strings.Repeat("a", 1023)+`"`
	push := func(name, body string, header map[string]string, status int, want ...string) {
		t.Helper()
		f.asked = nil
		apitest.Run(t, a, apitest.Case{Name: name, Method: "POST", Path: "/v1/sync/push", Token: phone, Body: body, Header: header, Status: status, Want: want})
		if (status == 200) != (len(f.asked) == 1) {
			t.Errorf("%s: the inbox was asked %d times", name, len(f.asked))
		}
	}
	push("as large as may be", fits, nil, 200)
	push("a byte too large", exceeds, nil, 413, "too-large", "1024")
	push("compressed", squeezed(t, fits), zip, 200)
	if f.last() != "push expenses r1 emma "+fits {
		t.Error("the inbox did not get the bytes as they were")
	}
	push("a byte too large when unfolded", squeezed(t, exceeds), zip, 413, "too-large")
	push("a bomb", squeezed(t, strings.Repeat("0", 1<<20)), zip, 413, "too-large")
	push("not compressed at all", fits, zip, 400, "can't be read")
	push("cut", squeezed(t, fits)[:30], zip, 400, "can't be read")
	push("another encoding", fits, map[string]string{"Content-Encoding": "br"}, 415)
	push("another type", fits, map[string]string{"Content-Type": "text/plain"}, 415, "JSON")
	if a.pushes.Load() != 0 {
		t.Errorf("%d bytes are still counted", a.pushes.Load())
	}
	a.pushes.Add(3500) // of others
	push("more than all may hold", fits, nil, 429, "busy")
	push("more than all may hold when unfolded", squeezed(t, fits), zip, 429, "busy")
	push("little", "{}", nil, 200)
	if a.pushes.Load() != 3500 {
		t.Errorf("%d bytes are counted", a.pushes.Load())
	}
	push("no type", fits, map[string]string{"Content-Type": ""}, 415, "JSON")
}

func TestLargeRepliesAreCompressed(t *testing.T) {
	a, _, _ := newAPI(t)
	get := func(path string) *httptest.ResponseRecorder {
		c := apitest.Case{Path: path, Token: ada, Header: map[string]string{"Accept-Encoding": "gzip"}}
		return c.Do(t, a)
	}
	if w := get("/v1/me"); w.Header().Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
	w := get("/openapi.json")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("a large answer is not compressed")
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, a.Document()) {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}

func TestWait(t *testing.T) {
	a, f, _ := newAPI(t)
	f.looks = 3
	apitest.Run(t, a, apitest.Case{Path: "/v1/inbox/r1.1.9?wait=completed", Token: ada, Status: 200, Want: []string{`"state":"completed"`}})
	if len(f.asked) != 4 {
		t.Errorf("it looked %d times", len(f.asked))
	}
	f.looks = 1 << 30
	a.Stop()
	a.Stop()
	apitest.Run(t, a, apitest.Case{Name: "the server ends", Path: "/v1/inbox/r1.1.9?wait=completed", Token: ada, Status: 200, Want: []string{`"state":"queued"`}})
	a.Wait = 0
	apitest.Run(t, a, apitest.Case{Name: "the time is up", Path: "/v1/inbox/r1.1.9?wait=completed", Token: ada, Status: 200, Want: []string{`"state":"queued"`}})
}

func TestHeadersAndLog(t *testing.T) {
	a, _, log := newAPI(t)
	security := map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
	apitest.Run(t, a,
		apitest.Case{Path: "/v1/records/expense?after=canary", Token: ada, Status: 200, Head: security},
		apitest.Case{Path: "/v1/records/expense", Status: 401, Head: security},
		apitest.Case{Path: "/openapi.yaml", Status: 200, Head: security, Want: []string{"openapi: 3.1"}},
	)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], `route="GET /v1/records/{type}" status=200`) || !strings.Contains(lines[0], "user=ada") {
		t.Error(log.String())
	}
	for _, secret := range []string{"canary", ada} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
	}
}

func TestStatusesAreComplete(t *testing.T) {
	codes := slices.Sorted(maps.Keys(statuses))
	if len(codes) != 10 {
		t.Errorf("%d codes have a status: %v", len(codes), codes)
	}
}

// What is not a push counts by what it announces, before any of it is read, and
// until it is answered.
func TestOtherBodies(t *testing.T) {
	a, f, _ := newAPI(t)
	a.Memory = 50
	small, large := `{"user":"ada","password":"pw"}`, `{"user":"ada","password":"`+strings.Repeat("p", 50)+`"}`
	sign := func(name, body string, status int, head map[string]string) {
		t.Helper()
		f.asked = nil
		apitest.Run(t, a, apitest.Case{Name: name, Method: "POST", Path: "/v1/sessions", Body: body, Status: status, Head: head})
		if (status == 429) != (len(f.asked) == 0) {
			t.Errorf("%s: asked %v", name, f.asked)
		}
	}
	sign("there is room", small, 200, nil)
	sign("too much", large, 429, map[string]string{"Retry-After": "1"})
	a.others.Store(30)
	sign("others are under way", small, 429, map[string]string{"Retry-After": "1"})
	a.others.Store(0)
	sign("room again", small, 200, nil)
	if n := a.others.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
}
