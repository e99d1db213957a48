package server

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/doctor"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// crowd is a server that many use at once.
type crowd struct {
	t *testing.T
	h http.Handler
}

// ask sends a request, and says how it ended. Whatever happens beside it, the
// server is never at fault.
func (c *crowd) ask(token, pattern string, body, out any) int {
	b, err := json.Marshal(body)
	if err != nil {
		c.t.Error(err)
		return 0
	}
	method, path, _ := strings.Cut(pattern, " ")
	req := httptest.NewRequestWithContext(c.t.Context(), method, path, strings.NewReader(string(b)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	c.h.ServeHTTP(w, req)
	if w.Code >= http.StatusInternalServerError {
		c.t.Errorf("%s: %d %s", pattern, w.Code, w.Body)
	}
	if out != nil && w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			c.t.Errorf("%s: %v", pattern, err)
		}
	}
	return w.Code
}

// A device pushes while definitions are rehearsed and published, issues retried,
// roles given and taken, devices blocked, and the inbox cleaned: each push has its
// verdicts, and all that is stored fits together in the end.
func TestAllAtOnce(t *testing.T) {
	st := memory.New()
	if _, err := Init(t.Context(), st, InitOptions{Definition: []byte(guardedApp), Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	s, err := New(Options{Store: st, Log: slog.New(slog.DiscardHandler), Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	c := &crowd{t, s.Handler()}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Work(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	var ada wire.Session
	c.ask("", "POST /v1/sessions", map[string]string{"user": "ada", "password": password}, &ada)
	c.ask(ada.Token, "POST /v1/users", wire.NewUser{Name: "tina", Password: password, Roles: []string{"tech"}}, nil)
	var code wire.Code
	var phone wire.Enrolled
	c.ask(ada.Token, "POST /v1/devices/codes", map[string]string{"user": "tina", "name": "phone"}, &code)
	c.ask("", "POST /v1/devices", map[string]string{"code": code.Code}, &phone)

	var over atomic.Bool
	var crowded sync.WaitGroup
	beside := func(f func(n int)) {
		crowded.Go(func() {
			for n := 0; !over.Load() || n < 3; n++ {
				f(n)
			}
		})
	}
	role := func(n int) wire.UserChange {
		if n%2 == 0 {
			return wire.UserChange{Revoke: []string{"tech"}, Grant: []string{"watcher"}}
		}
		return wire.UserChange{Grant: []string{"tech"}, Revoke: []string{"watcher"}}
	}
	beside(func(n int) { c.ask(ada.Token, "PATCH /v1/users/tina", role(n), nil) })
	beside(func(n int) {
		unique := map[int]string{1: "title: {type: text, required: true, unique: true}"}[n%3]
		source := fmt.Sprintf("%s# %d\n", guardedApp, n)
		if unique != "" {
			source = strings.Replace(source, "title: {type: text, required: true}", unique, 1)
		}
		c.ask(ada.Token, "POST /v1/definitions/rehearse", wire.Rehearse{Source: source}, nil)
		c.ask(ada.Token, "POST /v1/definitions", wire.Publish{Source: source}, nil)
	})
	beside(func(n int) {
		c.ask(ada.Token, "POST /v1/issues/retry", wire.Retry{All: true, DryRun: n%2 == 0}, nil)
		c.ask(ada.Token, "POST /v1/inbox/clean", wire.Clean{OlderThan: "0s"}, nil)
	})
	beside(func(n int) {
		c.ask(ada.Token, "POST /v1/devices/"+phone.Replica+"/"+[]string{"block", "unblock"}[n%2], struct{}{}, nil)
	})
	pushAll(c, &phone, 150)
	over.Store(true)
	crowded.Wait()
	cancel()
	<-done
	err = st.View(t.Context(), func(r store.Reader) error {
		report, err := doctor.Examine(t.Context(), r, doctor.Options{})
		for _, x := range report.Results {
			if x.Wrong > 0 {
				t.Errorf("%s: %d of %d: %+v", x.Check, x.Wrong, x.Checked, x.Examples)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// pushAll hands in creations, each fifth of which is refused whoever makes it, one a push.
func pushAll(c *crowd, phone *wire.Enrolled, many int) {
	previous := ""
	for n := 1; n <= many; n++ {
		set := fmt.Sprintf(`{"title":"visit %d"}`, n)
		if n%5 == 0 {
			set = `{"fee":"many"}`
		}
		raw := fmt.Sprintf(`{"n":%d,"op":"create","type":"visit","id":"00000000-0000-7000-8000-%012d","set":%s,"base":{"version":0},"definition":1,"made_at":"2026-03-01T08:00:00Z"}`, n, n, set)
		p := wire.Push{Replica: phone.Replica, Incarnation: 1, Clock: time.Now(), Protocol: wire.Protocol, Definition: 1, First: int64(n), PreviousHash: previous, Mutations: []json.RawMessage{json.RawMessage(raw)}}
		previous = fmt.Sprintf("%x", sha256.Sum256([]byte(raw)))
		var out wire.PushReply
		if status := c.ask(phone.Credential, "POST /v1/sync/push", p, &out); status != http.StatusOK || len(out.Receipts) != 1 || out.Receipts[0].Result == landfall.Stored {
			c.t.Errorf("push %d: %d %+v", n, status, out)
			return
		}
	}
}
