package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/httpapi/apitest"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "landfall-demo"

func expenses(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../examples/expenses/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// safeBuffer takes logs from several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// site is a server over HTTP, with ada as its first administrator.
type site struct {
	*Server
	t   *testing.T
	url string
	log *safeBuffer
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteOn(t, memory.New())
}

func newSiteOn(t *testing.T, st Store) *site {
	t.Helper()
	made, err := Init(t.Context(), st, InitOptions{Definition: expenses(t), Admin: "ada", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if made.Workspace != "expenses" || made.Password != "" || len(made.Roles) != 4 {
		t.Errorf("%+v", made)
	}
	s := &site{t: t, log: &safeBuffer{}}
	s.Server, err = New(Options{Store: st, Log: slog.New(slog.NewTextHandler(s.log, nil)), Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.url = "http://" + ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, ln) }()
	t.Cleanup(func() {
		http.DefaultClient.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// call sends a request and takes its answer in; it returns the status.
func (s *site) call(method, path, token string, in, out any) int {
	s.t.Helper()
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			s.t.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if res.StatusCode >= 300 && out != nil {
		s.t.Fatalf("%s %s: %s %s", method, path, res.Status, b)
	}
	if out != nil {
		if err := json.Unmarshal(b, out); err != nil {
			s.t.Fatalf("%s: %v in %s", path, err, b)
		}
	}
	return res.StatusCode
}

func (s *site) signIn(user string) string {
	s.t.Helper()
	var session wire.Session
	s.call("POST", "/v1/sessions", "", wire.SignIn{User: user, Password: password}, &session)
	return session.Token
}

func (s *site) enrol(admin, user string) wire.Enrolled {
	s.t.Helper()
	var code wire.Code
	s.call("POST", "/v1/devices/codes", admin, wire.NewCode{User: user, Name: "phone"}, &code)
	var e wire.Enrolled
	s.call("POST", "/v1/devices", "", wire.EnrolRequest{Code: code.Code}, &e)
	return e
}

const created = `{"n":1,"op":"create","type":"expense","id":"0198c3aa-0000-7000-8000-000000000001","set":{"purpose":"Oslo","amount":"731.64","currency":"EUR","owner":"emma"},"base":{"version":0},"definition":1,"made_at":"2026-01-01T00:00:00Z"}`

func pushOf(e wire.Enrolled, mutations ...string) wire.Push {
	p := wire.Push{Replica: e.Replica, Incarnation: 1, Clock: time.Now().UTC(), Protocol: wire.Protocol, Definition: 1, First: 1, Waiting: len(mutations)}
	for _, m := range mutations {
		p.Mutations = append(p.Mutations, json.RawMessage(m))
	}
	return p
}

// From an empty store to a record that came from a device and went back to it.
func TestFromInitToPull(t *testing.T) {
	t.Run("memory", func(t *testing.T) { fromInitToPull(t, newSite(t)) })
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		st, err := OpenFolder(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := OpenFolder(t.Context(), dir); landfall.CodeOf(err) != landfall.CodeConflict || again != nil {
			t.Errorf("the folder was opened twice: %v", err)
		}
		fromInitToPull(t, newSiteOn(t, st))
	})
}

func fromInitToPull(t *testing.T, s *site) {
	t.Helper()
	ada := s.signIn("ada")
	s.call("POST", "/v1/users", ada, wire.NewUser{Name: "emma", Password: password, Roles: []string{"employee"}}, &wire.UserView{})
	phone := s.enrol(ada, "emma")

	var def wire.Definition
	s.call("GET", "/v1/definition", phone.Credential, nil, &def)
	if def.Version != 1 || def.Source != string(expenses(t)) || def.Actor.User != "emma" || def.Limits != wire.DefaultLimits() {
		t.Errorf("definition %d for %+v, %+v", def.Version, def.Actor, def.Limits)
	}
	var first, again wire.PushReply
	s.call("POST", "/v1/sync/push", phone.Credential, pushOf(phone, created), &first)
	if len(first.Receipts) != 1 || first.Receipts[0].Result != landfall.Applied || first.Next != 2 {
		t.Fatalf("%+v", first)
	}
	s.call("POST", "/v1/sync/push", phone.Credential, pushOf(phone, created), &again)
	if fmt.Sprint(again.Receipts) != fmt.Sprint(first.Receipts) {
		t.Errorf("pushed again: %+v, at first %+v", again, first)
	}
	var pulled wire.PullReply
	s.call("GET", "/v1/sync/pull", phone.Credential, nil, &pulled)
	if len(pulled.Changes) != 1 || pulled.More || pulled.Definition != 1 || pulled.Seq < first.Receipts[0].Seq {
		t.Fatalf("%+v", pulled)
	}
	r := pulled.Changes[0].Record
	if r == nil || string(r.Fields["amount"]) != `"731.64"` || r.Status != "draft" || r.Number != "EXP-1001" {
		t.Errorf("%+v", r)
	}
	var rest wire.PullReply
	s.call("GET", "/v1/sync/pull?since="+pulled.Checkpoint, phone.Credential, nil, &rest)
	if len(rest.Changes) != 0 || rest.More || rest.Resync {
		t.Errorf("%+v", rest)
	}
	var item wire.ItemView
	s.call("GET", "/v1/inbox/"+landfall.Key{Replica: phone.Replica, Incarnation: 1, N: 1}.String()+"?wait=completed", ada, nil, &item)
	if item.User != "emma" || item.State != "completed" {
		t.Errorf("%+v", item)
	}
	var done wire.Done
	s.call("POST", "/v1/records", ada, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: "EXP-1001", Set: landfall.Fields{"notes": landfall.Value(`"taxi"`)}}, &done)
	var history wire.List[landfall.Change]
	s.call("GET", "/v1/records/expense/EXP-1001/history", ada, nil, &history)
	if len(history.Items) != 2 || done.Seq != history.Items[1].Seq {
		t.Errorf("%+v after %d", history, done.Seq)
	}
	var device wire.DeviceView
	s.call("GET", "/v1/devices/phone", ada, nil, &device)
	if device.ID != phone.Replica || device.Next != 2 || device.Behind != done.Seq-pulled.Seq {
		t.Errorf("%+v", device)
	}
	for _, secret := range []string{ada, phone.Credential, password, "Oslo", "taxi", "731.64"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// A disabled user's device hands in what it has, and gets receipts alone; a
// revoked one is not known any more.
func TestDisabledDeposits(t *testing.T) {
	s := newSite(t)
	ada := s.signIn("ada")
	s.call("POST", "/v1/users", ada, wire.NewUser{Name: "emma", Password: password, Roles: []string{"employee"}}, &wire.UserView{})
	phone := s.enrol(ada, "emma")
	yes := true
	s.call("PATCH", "/v1/users/emma", ada, wire.UserChange{Disabled: &yes}, &wire.UserView{})
	var reply wire.PushReply
	s.call("POST", "/v1/sync/push", phone.Credential, pushOf(phone, created), &reply)
	if len(reply.Receipts) != 1 || reply.Receipts[0].Result != landfall.Issued || reply.Receipts[0].Kind != landfall.KindAuthorization {
		t.Errorf("%+v", reply)
	}
	apitest.Run(t, s.Handler(),
		apitest.Case{Path: "/v1/sync/pull", Token: phone.Credential, Status: 403, Want: []string{"hand in"}},
		apitest.Case{Path: "/v1/definition", Token: phone.Credential, Status: 403},
		apitest.Case{Method: "POST", Path: "/v1/sessions", Body: `{"user":"emma","password":"` + password + `"}`, Status: 403, Want: []string{"disabled"}},
		apitest.Case{Path: "/v1/issues", Token: ada, Status: 200, Want: []string{`"kind":"authorization"`, `"author":"emma"`}},
		apitest.Case{Method: "POST", Path: "/v1/devices/" + phone.Replica + "/revoke", Token: ada, Status: 200, Want: []string{`"revoked":true`}},
		apitest.Case{Name: "revoked", Path: "/v1/sync/pull", Token: phone.Credential, Status: 401},
		apitest.Case{Name: "revoked", Path: "/v1/issues", Token: phone.Credential, Status: 401, Want: []string{"signin"}},
	)
	reply = wire.PushReply{}
	s.call("POST", "/v1/sync/push", phone.Credential, pushOf(phone, created), &reply)
	if len(reply.Receipts) != 1 || reply.Receipts[0].Result != landfall.Issued {
		t.Errorf("what was sent before is answered as before: %+v", reply)
	}
}

func TestAdministration(t *testing.T) {
	s := newSite(t)
	ada := s.signIn("ada")
	apitest.Run(t, s.Handler(),
		apitest.Case{Path: "/v1/health", Status: 200, Want: []string{`"status":"ok"`, Version}},
		apitest.Case{Path: "/v1/me", Token: ada, Status: 200, Want: []string{`"ada"`, `"administrator"`}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"x","roles":["employe"]}`, Status: 400, Want: []string{"employee"}},
		apitest.Case{Method: "POST", Path: "/v1/users", Token: ada, Body: `{"name":"otto","password":"` + password + `"}`, Status: 200, Not: []string{"argon", password}},
		apitest.Case{Method: "PATCH", Path: "/v1/users/ada", Token: ada, Body: `{"disabled":true}`, Status: 409, Want: []string{"last administrator"}},
		apitest.Case{Path: "/v1/users", Token: ada, Status: 200, Want: []string{`"ada"`, `"otto"`}, Not: []string{"argon"}},
		apitest.Case{Path: "/v1/records/expens", Token: ada, Status: 400, Want: []string{"expense"}},
		apitest.Case{Method: "POST", Path: "/v1/definitions", Token: ada, Body: `{"source":"app: other","dry_run":true}`, Status: 200, Want: []string{`"problems":[`}},
	)
	otto := s.signIn("otto")
	apitest.Run(t, s.Handler(),
		apitest.Case{Path: "/v1/users", Token: otto, Status: 403},
		apitest.Case{Path: "/v1/users/otto", Token: otto, Status: 200},
		apitest.Case{Method: "POST", Path: "/v1/definitions", Token: otto, Body: `{"source":"app: other"}`, Status: 403},
		apitest.Case{Method: "DELETE", Path: "/v1/sessions/current", Token: otto, Status: 204},
		apitest.Case{Name: "after signing out", Path: "/v1/users/otto", Token: otto, Status: 401},
	)
}

func TestInit(t *testing.T) {
	st := memory.New()
	defer func() { _ = st.Close() }() // nothing to lose
	refused := func(o InitOptions, code landfall.Code, say string) {
		t.Helper()
		_, err := Init(t.Context(), st, o)
		var e *landfall.Error
		if !errors.As(err, &e) || e.Code != code || !strings.Contains(fmt.Sprint(e.Message, e.Hint, e.Messages), say) {
			t.Errorf("got %v, want %s with %q", err, code, say)
		}
		if code == landfall.CodeConflict {
			return
		}
		if empty, err := Empty(t.Context(), st); !empty || err != nil {
			t.Error("something was left", err)
		}
	}
	app := expenses(t)
	refused(InitOptions{Definition: []byte("app: ["), File: "my.yaml"}, landfall.CodeRefused, "my.yaml:1:")
	refused(InitOptions{Definition: bytes.Replace(app, []byte("initial: draft"), []byte("initial: drft"), 1)}, landfall.CodeRefused, "drft")
	refused(InitOptions{Definition: app, Password: "short"}, landfall.CodeInvalid, "10 characters")
	refused(InitOptions{Definition: app, Admin: "Ada L."}, landfall.CodeInvalid, "name")
	made, err := Init(t.Context(), st, InitOptions{Definition: app})
	if err != nil || made.Admin != "admin" || len(made.Password) < 20 {
		t.Fatalf("%+v, %v", made, err)
	}
	refused(InitOptions{Definition: app, Admin: "eve", Password: password}, landfall.CodeConflict, "already")

	srv, err := New(Options{Store: st, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c := apitest.Case{Method: "POST", Path: "/v1/sessions", Body: fmt.Sprintf(`{"user":"admin","password":%q}`, made.Password)}
	if w := c.Do(t, srv.Handler()); w.Code != http.StatusOK {
		t.Errorf("the password that was made does not fit: %s", w.Body)
	}
	for _, d := range []struct {
		source  []byte
		same    bool
		refused bool
		say     string
	}{
		{app, true, false, ""},
		{append(bytes.Clone(app), "# more\n"...), false, false, ""},
		{bytes.Replace(app, []byte("app: expenses"), []byte("app: other"), 1), false, true, "other"},
	} {
		got, err := srv.Difference(t.Context(), "app.yaml", d.source)
		if err != nil || got.Same != d.same || got.Refused != d.refused || got.Published != 1 || !strings.Contains(fmt.Sprint(got.Messages), d.say) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1:8080": true, "localhost:0": true, "[::1]:80": true, "127.9.9.9:1": true,
		":8080": false, "0.0.0.0:8080": false, "192.168.1.2:80": false, "[::]:80": false, "example.org:80": false, "127.0.0.1": false, "": false,
	} {
		if got := Loopback(addr); got != want {
			t.Errorf("%q: %t", addr, got)
		}
	}
}

// A request that is under way when the server is told to end is answered.
func TestOrderlyEnd(t *testing.T) {
	st := memory.New()
	if _, err := Init(t.Context(), st, InitOptions{Definition: expenses(t), Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	srv, err := New(Options{Store: st, Log: slog.New(slog.DiscardHandler), Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx, ln) }()

	// The server asks for the body when the handler wants it; then the end comes.
	underWay := make(chan struct{})
	body, rest := io.Pipe()
	trace := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(underWay) }})
	req, err := http.NewRequestWithContext(trace, http.MethodPost, "http://"+ln.Addr().String()+"/v1/sessions", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Hour, DisableKeepAlives: true}}
	answered := make(chan error, 1)
	go func() {
		res, err := client.Do(req)
		if err == nil {
			if res.StatusCode != http.StatusOK {
				err = errors.New(res.Status)
			}
			_ = res.Body.Close() // only the status counts
		}
		answered <- err
	}()
	<-underWay
	end()
	refuseNew(t, ln.Addr().String())
	if _, err := fmt.Fprintf(rest, `{"user":"ada","password":%q}`, password); err != nil {
		t.Error(err)
	}
	_ = rest.Close() // never fails
	if err := <-answered; err != nil {
		t.Errorf("what was under way: %v", err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// refuseNew waits until nobody listens any more.
func refuseNew(t *testing.T, addr string) {
	t.Helper()
	for {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return
		}
		_ = c.Close() // it was only to see whether somebody listens
		runtime.Gosched()
	}
}

func TestWhatIsPublic(t *testing.T) {
	s := newSite(t)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/openapi.json", nil))
	if !bytes.Equal(w.Body.Bytes(), s.Document()) {
		t.Error("the document is another")
	}
}
