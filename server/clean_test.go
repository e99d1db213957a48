package server

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// The server cleans by its own clock, as the setting says: of two items that are
// eight days old, the one that is completed loses its parameters, and the one
// with errors does not. Forever keeps all.
func TestServerCleansByItself(t *testing.T) {
	var ahead atomic.Int64
	s := &site{t: t, log: &safeBuffer{}}
	st := memory.New()
	if _, err := Init(t.Context(), st, InitOptions{Definition: expenses(t), Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	var err error
	clock := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	if s.Server, err = New(Options{Store: st, Log: slog.New(slog.NewTextHandler(s.log, nil)), Patience: time.Minute, Seams: Seams{Clock: clock}}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		s.Work(ctx)
	}()
	web := httptest.NewServer(s.Handler())
	s.url = web.URL
	t.Cleanup(func() {
		web.Close()
		cancel()
		<-worked
	})
	ada := s.signIn("ada")
	phone := s.enrol(ada, "ada")
	own := strings.Replace(created, `"emma"`, `"ada"`, 1)
	refused := strings.NewReplacer(`"n":1`, `"n":2`, `000000000001`, `000000000002`, `"amount":"731.64",`, ``).Replace(own)
	if got := s.call("POST", "/v1/sync/push", phone.Credential, pushOf(phone, own, refused), nil); got != 200 {
		t.Fatalf("push: %d", got)
	}
	states := func() (out []string) {
		var l wire.List[wire.ItemView]
		s.call("GET", "/v1/inbox?order=asc", s.signIn("ada"), nil, &l)
		for i := range l.Items {
			state := l.Items[i].State
			if l.Items[i].CleanedAt != nil {
				state += ", cleaned"
			}
			if l.Items[i].Sent != "" {
				state += ", as sent"
			}
			out = append(out, state)
		}
		return out
	}
	for _, c := range []struct {
		keep string
		days int64
		want string
	}{
		{"8d", 7, "completed, as sent; completed-with-errors, as sent"},
		{"forever", 2, "completed, as sent; completed-with-errors, as sent"},
		{"8d", 0, "completed, cleaned; completed-with-errors, as sent"},
	} {
		ahead.Add(c.days * int64(24*time.Hour))
		if got := s.call("PUT", "/v1/settings/inbox.keep", s.signIn("ada"), wire.SetSetting{Value: c.keep}, nil); got != 200 {
			t.Fatalf("set: %d", got)
		}
		if err := s.Clean(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(states(), "; "); got != c.want {
			t.Errorf("after %d more days, with %s: %s", c.days, c.keep, got)
		}
	}
	var l wire.List[wire.AuditEntry]
	s.call("GET", "/v1/audit?action=inbox.clean", s.signIn("ada"), nil, &l)
	if len(l.Items) != 1 || l.Items[0].By != "(server)" || l.Items[0].Detail["items"] != "1" {
		t.Errorf("the audit has %+v", l.Items)
	}
}
