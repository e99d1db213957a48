package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// In this app only leads may read what a visit costs and what is said of it
// privately. Techs and clerks may write it, which is how one could guess.
const guardedApp = `
app: visits
roles: [tech, lead, clerk, watcher]
queues: {review: {members: [clerk, watcher]}}
types:
  visit:
    number: {prefix: V-, from: 1}
    label: "record.title + ' ' + record.secret"
    fields:
      title: {type: text, required: true}
      fee: {type: decimal, conflict: review}
      secret: {type: text, max: 200}
      marks: {type: choices, choices: [a, b, c, d], conflict: union}
      total: {type: decimal, conflict: add}
      remarks: {type: long_text, conflict: append}
      who: {type: reference, to: slip}
    lifecycle:
      initial: open
      statuses: {open: {queue: review}, done: {resolved: true}}
      transitions: {finish: {from: [open], to: done, roles: [tech, lead, clerk]}}
    audience: [all]
    conflicts: {queue: review}
    rights:
      lead: {create: true, update: true, delete: true}
      tech: {create: true, update: true, read: {not: [fee, secret, marks, total, remarks, who]}}
      clerk: {update: true, read: [title]}
      watcher: {read: false}
  slip:
    fields:
      text: {type: text}
      pin: {type: text}
    audience: ["role:lead"]
    rights:
      lead: {create: true, update: true}
      tech: {create: true, update: true, read: {not: [pin]}}
`

// hiddenValues are all that leads enter into what others may not read, in each of
// the two worlds. None of it occurs anywhere else.
var hiddenValues = [2]map[string]string{
	{"fee": `"731.64"`, "fee2": `"918.27"`, "secret": `"zqcanary one"`, "secret2": `"zqcanary two"`, "marks": `["a","b"]`, "total": `"5551.5"`, "remarks": `"zqcanary remark"`, "who": `"00000000-0000-7000-8000-0000000000a1"`, "pin": `"zqcanary77"`},
	{"fee": `"731641.645"`, "fee2": `null`, "secret": `null`, "secret2": `"zqcanary of the other world, which is longer"`, "marks": `["c"]`, "total": `"55515551.25"`, "remarks": `"other zqcanary"`, "who": `"00000000-0000-7000-8000-0000000000a2"`, "pin": `"zqcanary9977"`},
}

// The fees of the first world are not among these: they are what others guess.
var canaries = []string{"zqcanary", "731641", "5551"}

// stream is randomness that is the same in both worlds.
type stream struct {
	mu sync.Mutex
	n  uint64
}

func (s *stream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range p {
		s.n++
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(nil, s.n))
		p[i] = sum[0]
	}
	return len(p), nil
}

// moment is a clock that a test moves while the server reads it.
type moment struct {
	mu sync.Mutex
	at time.Time
}

func (m *moment) get() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.at
}

func (m *moment) add(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at = m.at.Add(d)
}

// half is one of two worlds that differ only in what leads entered.
type half struct {
	t      *testing.T
	h      http.Handler
	log    *safeBuffer
	doc    []byte
	hidden map[string]string
	now    *moment
	token  map[string]string // by caller
	phone  map[string]wire.Enrolled
	pushed map[string]int64
	said   []answer // to those who may not read everything
}

// answer is all that one request brought.
type answer struct{ who, what, got string }

func newHalf(t *testing.T, hidden map[string]string) *half {
	t.Helper()
	now := &moment{at: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	var mu sync.Mutex
	ids := 0
	seams := Seams{
		Clock:  now.get,
		Random: &stream{},
		NewID: func() string {
			mu.Lock()
			defer mu.Unlock()
			ids++
			return fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", ids)
		},
	}
	st := memory.New()
	if _, err := Init(t.Context(), st, InitOptions{Definition: []byte(guardedApp), Admin: "ada", Password: password, Seams: seams}); err != nil {
		t.Fatal(err)
	}
	x := &half{t: t, log: &safeBuffer{}, hidden: hidden, now: now, token: map[string]string{}, phone: map[string]wire.Enrolled{}, pushed: map[string]int64{}}
	s, err := New(Options{Store: st, Log: slog.New(slog.NewTextHandler(x.log, nil)), Patience: time.Minute, Seams: seams})
	if err != nil {
		t.Fatal(err)
	}
	x.h, x.doc = s.Handler(), s.Document()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Work(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return x
}

func (x *half) ask(who, pattern, body string) []byte {
	x.t.Helper()
	_, b := x.answer(who, pattern, body)
	return b
}

// answer sends a request for somebody and keeps what it brings, unless a lead got it.
func (x *half) answer(who, pattern, body string) (int, []byte) {
	x.t.Helper()
	method, path, _ := strings.Cut(pattern, " ")
	req := httptest.NewRequestWithContext(x.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if x.token[who] != "" {
		req.Header.Set("Authorization", "Bearer "+x.token[who])
	}
	w := httptest.NewRecorder()
	x.h.ServeHTTP(w, req)
	if who != "lena" && who != "lena's phone" {
		x.said = append(x.said, answer{who, pattern + " " + body, fmt.Sprintf("%d %v\n%s", w.Code, w.Header(), w.Body)})
	}
	return w.Code, w.Body.Bytes()
}

// must is ask for what has to work.
func (x *half) must(who, pattern, body string, out any) {
	x.t.Helper()
	status, b := x.answer(who, pattern, body)
	if err := json.Unmarshal(b, out); err != nil || status != http.StatusOK {
		x.t.Fatalf("%s: %s %s: %v %s", who, pattern, body, err, b)
	}
}

func (x *half) people() {
	x.t.Helper()
	in := func(user string) {
		var s wire.Session
		x.must("", "POST /v1/sessions", fmt.Sprintf(`{"user":%q,"password":%q}`, user, password), &s)
		x.token[user] = s.Token
	}
	in("ada")
	// When the server does what it does by itself is not the same in both worlds.
	x.must("ada", "PUT /v1/settings/retry.unaided", `{"value":"off"}`, &wire.SettingView{})
	x.must("ada", "PATCH /v1/users/ada", `{"revoke":["tech","lead","clerk","watcher"]}`, &wire.UserView{})
	for _, u := range [][2]string{{"lena", "lead"}, {"tina", "tech"}, {"carl", "clerk"}, {"wim", "watcher"}} {
		x.must("ada", "POST /v1/users", fmt.Sprintf(`{"name":%q,"password":%q,"roles":[%q]}`, u[0], password, u[1]), &wire.UserView{})
		in(u[0])
	}
	for _, user := range []string{"lena", "tina", "carl"} {
		var code wire.Code
		var e wire.Enrolled
		x.must("ada", "POST /v1/devices/codes", fmt.Sprintf(`{"user":%q,"name":"phone"}`, user), &code)
		x.must("", "POST /v1/devices", fmt.Sprintf(`{"code":%q}`, code.Code), &e)
		x.phone[user], x.token[user+"'s phone"] = e, e.Credential
	}
}

const (
	visit1 = "00000000-0000-7000-8000-000000000001"
	visit2 = "00000000-0000-7000-8000-000000000002"
	visit3 = "00000000-0000-7000-8000-000000000003"
	visit4 = "00000000-0000-7000-8000-000000000004"
	slip1  = "00000000-0000-7000-8000-000000000011"
)

// v fills in what is hidden.
func (x *half) v(text string) string {
	for name, value := range x.hidden {
		text = strings.ReplaceAll(text, "$"+name+"$", value)
	}
	return text
}

// push sends one mutation from somebody's phone. %d is its number.
func (x *half) push(user, mutation string) (out wire.PushReply) {
	x.t.Helper()
	x.pushed[user]++
	x.now.add(time.Minute)
	e := x.phone[user]
	n := x.pushed[user]
	prev := ""
	if n > 1 {
		prev = `"previous_hash":` + quote(x.phone[user+" hash"].Credential) + `,`
	}
	raw := fmt.Sprintf(x.v(mutation), n)
	sum := sha256.Sum256([]byte(raw))
	x.phone[user+" hash"] = wire.Enrolled{Credential: fmt.Sprintf("%x", sum)}
	body := fmt.Sprintf(`{"replica":%q,"incarnation":1,"clock":%q,"protocol":1,"definition":1,"first":%d,%s"waiting":1,"mutations":[%s]}`, e.Replica, x.now.get().Format(time.RFC3339), n, prev, raw)
	x.must(user+"'s phone", "POST /v1/sync/push", body, &out)
	return out
}

func quote(s string) string { return fmt.Sprintf("%q", s) }

// enter is what leads do: records, changes of them, and a change that is refused.
func (x *half) enter() {
	x.t.Helper()
	do := func(body string) {
		x.t.Helper()
		x.now.add(time.Minute)
		x.must("lena", "POST /v1/records", x.v(body), &wire.Done{})
	}
	for _, id := range []string{"00000000-0000-7000-8000-0000000000a1", "00000000-0000-7000-8000-0000000000a2"} {
		do(`{"op":"create","type":"slip","id":"` + id + `","set":{"text":"x","pin":$pin$}}`)
	}
	do(`{"op":"create","type":"visit","id":"` + visit1 + `","set":{"title":"Roof","fee":$fee$,"secret":$secret$,"marks":$marks$,"total":$total$,"remarks":$remarks$,"who":$who$}}`)
	do(`{"op":"create","type":"visit","id":"` + visit2 + `","set":{"title":"Cellar","fee":$fee$,"secret":$secret2$}}`)
	do(`{"op":"create","type":"visit","id":"` + visit3 + `","set":{"title":"Attic","secret":$secret2$}}`)
	do(`{"op":"update","type":"visit","id":"` + visit2 + `","set":{"fee":$fee2$}}`)
	do(`{"op":"update","type":"visit","id":"` + visit2 + `","set":{"title":"The cellar","secret":$secret$}}`)
	do(`{"op":"transition","type":"visit","id":"` + visit3 + `","transition":"finish"}`)
	do(`{"op":"create","type":"visit","id":"` + visit4 + `","set":{"title":"Shed","fee":"731.64"}}`)
	do(`{"op":"transition","type":"visit","id":"` + visit4 + `","transition":"finish"}`)
	var past wire.List[landfall.Change]
	x.must("lena", "GET /v1/records/visit/"+visit2+"/history", "", &past)
	x.hidden = maps.Clone(x.hidden)
	x.hidden["first"] = fmt.Sprint(past.Items[0].Seq)
	r := x.push("lena", `{"n":%d,"op":"transition","transition":"finish","type":"visit","id":"`+visit3+`","set":{"fee":$fee$,"secret":$secret$},"base":{"version":3,"status":"open","was":{"fee":$fee2$,"secret":$secret2$}},"definition":1,"made_at":"2026-03-01T08:00:00Z"}`)
	r2 := x.push("lena", `{"n":%d,"op":"transition","transition":"finish","type":"visit","id":"`+visit4+`","set":{"fee":$fee$},"base":{"version":3,"status":"open","was":{"fee":"731.64"}},"definition":1,"made_at":"2026-03-01T08:00:00Z"}`)
	if r.Receipts[0].Result != landfall.Issued || r2.Receipts[0].Result != landfall.Issued {
		x.t.Fatalf("%+v %+v", r, r2)
	}
}

// probe is what those do who may write what they can't read.
func (x *half) probe() {
	x.t.Helper()
	x.pushes()
	visit := func(set string) string {
		return `{"op":"update","type":"visit","id":"` + visit1 + `","set":` + set + `}`
	}
	for _, who := range []string{"tina", "carl", "wim", "ada"} {
		for _, body := range []string{
			visit(`{"title":"Roof"}`), visit(`{"title":"The roof"}`), visit(`{"fee":"731.64","secret":"zq-guess"}`), visit(`{"fee":"731.64"}`), visit(`{"secret":null}`),
			visit(`{"marks":["a","b"]}`), visit(`{"total":"1"}`), visit(`{"remarks":"zq-guess"}`), visit(`{"who":"` + visit1 + `"}`), visit(`{"who":"00000000-0000-7000-8000-0000000000a1"}`), visit(`{"who":"00000000-0000-7000-8000-0000000000b1"}`),
			x.v(`{"op":"update","type":"visit","id":"` + visit2 + `","version":$first$,"set":{"secret":"zq-guess"}}`),
			`{"op":"update","type":"visit","id":"` + visit2 + `","version":1,"set":{"fee":"1.5","title":"Cellar"}}`,
			`{"op":"update","type":"visit","id":"` + visit2 + `","version":2,"set":{"fee":"2"}}`,
			`{"op":"create","type":"slip","id":"` + slip1 + `","set":{"text":"t","pin":"1"}}`,
			`{"op":"delete","type":"visit","id":"` + visit3 + `"}`,
		} {
			x.now.add(time.Minute)
			x.ask(who, "POST /v1/records", body)
		}
		for _, dry := range []string{"true", "false"} {
			x.ask(who, "POST /v1/records/visit/import", `{"dry_run":`+dry+`,"rows":[{"line":1,"id":"`+visit1+`","set":{"fee":"731.64"}},{"line":2,"id":"`+visit2+`","set":{"secret":"zq-guess","fee":null}},{"line":3,"id":"`+visit3+`","set":{"title":"Attic"}}]}`)
			x.ask(who, "POST /v1/records/slip/import", `{"dry_run":`+dry+`,"rows":[{"line":1,"id":"`+slip1+`","set":{"text":"t","pin":"1"}},{"line":2,"id":"`+slip1+`","set":{"text":"t","pin":"2"}}]}`)
		}
	}
	for n := 1; n <= 12; n++ {
		for _, body := range []string{
			`{"dry_run":true,"take":"device"}`, `{"dry_run":true,"take":"server"}`, `{"dry_run":true,"take":"device","fields":{"fee":"server"}}`,
			`{"dry_run":true,"fields":{"fee":"device"}}`, `{"dry_run":true,"set":{"fee":"731.64"}}`, `{"dry_run":true,"take":"device","set":{"fee":"731.64","secret":null}}`,
		} {
			x.ask("carl", fmt.Sprintf("POST /v1/issues/%d/resolve", n), body)
			x.ask("wim", fmt.Sprintf("POST /v1/issues/%d/resolve", n), body)
		}
	}
	x.now.add(time.Minute)
	x.ask("carl", "POST /v1/issues/1/resolve", `{"take":"server"}`)
	x.ask("carl", "POST /v1/issues/2/resolve", `{"take":"device","after":[]}`)
	x.ask("carl", "POST /v1/issues/3/resolve", `{"take":"device"}`)
}

// pushes are the same from phones.
func (x *half) pushes() {
	x.t.Helper()
	update := func(id, set, base string) string {
		return `{"n":%d,"op":"update","type":"visit","id":"` + id + `","set":` + set + `,"base":` + base + `,"definition":1,"made_at":"2026-03-01T08:00:00Z"}`
	}
	for _, m := range []string{
		update(visit1, `{"fee":"731.64","secret":"zq-guess"}`, `{"version":1,"was":{"fee":"731.64"}}`),
		update(visit1, `{"fee":"731.64"}`, `{"version":99,"was":{"fee":"731.64"}}`),
		update(visit2, `{"fee":"918.27"}`, x.v(`{"version":$first$,"was":{"fee":"731.64"}}`)),
		update(visit2, `{"remarks":"zq-guess","total":"2","marks":["d"]}`, `{"version":99,"was":{"remarks":null}}`),
		update(visit2, `{"title":"My cellar","fee":"zq"}`, `{"version":2,"was":{"title":"Cellar"}}`),
	} {
		for _, user := range []string{"tina", "carl"} {
			x.push(user, m)
		}
	}
	x.sweep() // while the server's side is still the leads'
}

// routes are all that the server has, by its own description.
func (x *half) routes() []string {
	x.t.Helper()
	var doc struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(x.doc, &doc); err != nil {
		x.t.Fatal(err)
	}
	out := []string{"GET /openapi.json"}
	for path, ops := range doc.Paths {
		for method := range ops {
			out = append(out, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(out)
	if len(out) < 40 {
		x.t.Fatalf("only %d routes: the walk is broken", len(out))
	}
	return out
}

// filled is a route with each thing in its path that it could be about. One that
// nobody thought of here is asked for all of them.
func (x *half) filled(route string) []string {
	records := []string{visit1, visit2, visit3, visit4, slip1, "V-1", "v-2", "00000000"}
	var items []string
	for _, replica := range []string{x.phone["lena"].Replica, x.phone["tina"].Replica, "desk:lena", "desk:tina", "desk:carl"} {
		for n := range 10 {
			items = append(items, fmt.Sprintf("%s.1.%d", replica, n+1))
		}
	}
	var issues []string
	for n := range 12 {
		issues = append(issues, fmt.Sprint(n+1))
	}
	of := []string{"ada", "lena", "tina", "review", "sync-issues", x.phone["lena"].Replica, x.phone["tina"].Replica}
	of = append(of, records...)
	switch {
	case strings.Contains(route, "/records"):
		of = records
	case strings.Contains(route, "/inbox"):
		of = items
	case strings.Contains(route, "/issues"):
		of = issues
	default:
		of = append(append(of, items...), issues...)
	}
	out := []string{route}
	if strings.Contains(route, "{type}") {
		out = nil
		for _, typ := range []string{"visit", "slip", "sync_issue", "-"} {
			out = append(out, strings.ReplaceAll(route, "{type}", typ))
		}
	}
	from := strings.Index(route, "{")
	if strings.Contains(route, "{type}") {
		from = strings.Index(strings.ReplaceAll(route, "{type}", "......"), "{")
	}
	if from < 0 {
		return out
	}
	name := route[from : from+strings.Index(route[from:], "}")+1]
	var all []string
	for _, r := range out {
		for _, what := range of {
			all = append(all, strings.ReplaceAll(r, name, what))
		}
	}
	return all
}

// sweep asks for everything that can be read.
func (x *half) sweep() {
	x.t.Helper()
	for _, route := range x.routes() {
		if !strings.HasPrefix(route, "GET ") {
			continue
		}
		for _, path := range x.filled(route) {
			for _, who := range restricted {
				x.ask(who, path, "")
			}
		}
	}
	for _, query := range []string{"GET /v1/records/visit?limit=1", "GET /v1/records/visit?status=open&queue=review", "GET /v1/sync/pull?limit=1", "GET /v1/inbox?limit=2&user=lena", "GET /v1/issues?state=all", "GET /v1/issues?record=V-3"} {
		for _, who := range restricted {
			x.ask(who, query, "")
		}
	}
}

// the rest: whatever else there is to be called, with nothing in it.
func (x *half) rest() {
	x.t.Helper()
	for _, route := range x.routes() {
		if strings.HasPrefix(route, "GET ") || route == "DELETE /v1/sessions/current" {
			continue
		}
		for _, path := range x.filled(route) {
			for _, who := range restricted {
				x.now.add(time.Second)
				x.ask(who, path, "{}")
			}
		}
	}
}

var restricted = []string{"tina", "carl", "wim", "ada", "tina's phone", "carl's phone"}

// What somebody may not read is in no byte that they are sent, whatever they call;
// and nothing that they are sent depends on it.
func TestWhatIsHiddenDoesNotShow(t *testing.T) {
	var worlds [2]*half
	for n := range worlds {
		x := newHalf(t, hiddenValues[n])
		worlds[n] = x
		x.people()
		x.enter()
		x.sweep()
		x.probe()
		x.sweep()
		x.rest()
		x.sweep()
		for _, a := range x.said {
			for _, c := range canaries {
				if strings.Contains(a.got, c) {
					t.Errorf("world %d: %s: %s tells %s:\n%s", n, a.who, a.what, c, a.got)
				}
			}
		}
		if strings.Contains(x.log.String(), "zqcanary") {
			t.Errorf("the log tells: %s", x.log)
		}
		if b := x.ask("lena", "GET /v1/records/visit/"+visit3, ""); !bytes.Contains(b, []byte("zqcanary")) {
			t.Errorf("a lead reads %s", b)
		}
	}
	for i, a := range worlds[0].said {
		if b := worlds[1].said[i]; a != b {
			t.Fatalf("%s: %s\nin one world:\n%s\nin the other:\n%s", a.who, a.what, a.got, b.got)
		}
	}
	t.Logf("%d answers", len(worlds[0].said))
}
