package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/httpapi/apitest"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A rehearsal's answer grows line by line; the last one is its result. What is
// refused at once is refused like everywhere.
func TestRehearsal(t *testing.T) {
	a, f, _ := newAPI(t)
	rehearse := func(token, body string) apitest.Case {
		return apitest.Case{Method: "POST", Path: "/v1/definitions/rehearse", Token: token, Body: body}
	}
	c := rehearse(ada, `{"source":"app: x","items":7}`)
	c.Status, c.Head = 200, map[string]string{"Content-Type": "application/x-ndjson"}
	apitest.Run(t, a, c)
	lines := strings.Split(strings.TrimSpace(c.Do(t, a).Body.String()), "\n")
	var first, last wire.RehearsalEvent
	if err := errors.Join(json.Unmarshal([]byte(lines[0]), &first), json.Unmarshal([]byte(lines[len(lines)-1]), &last)); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || first.Progress == nil || first.Progress.Phase != "issues" || last.Result == nil || last.Result.Verdict != "for ada" {
		t.Errorf("%s", lines)
	}
	if f.last() != "rehearse app: x 7" {
		t.Error(f.last())
	}
	for _, body := range []string{`{"source":"app: x","items":0}`, `{"source":"app: x","items":200001}`, `{"items":7}`} {
		c = rehearse(ada, body)
		c.Name, c.Status, c.Want = body, 422, []string{`"code":"invalid"`}
		apitest.Run(t, a, c)
	}
	c = rehearse(phone, `{"source":"app: x"}`)
	c.Name, c.Status = "a device", 403
	apitest.Run(t, a, c)
	f.fail = landfall.Errorf(landfall.CodeBusy, "one runs already")
	c = rehearse(ada, `{"source":"app: x"}`)
	c.Name, c.Status, c.Want, c.Head = "busy", http.StatusTooManyRequests, []string{"one runs already"}, map[string]string{"Retry-After": "1"}
	apitest.Run(t, a, c)
}

// waiting is a rehearsal that goes on until it is given up.
type waiting struct {
	began, ended chan struct{}
	tell         bool
}

func (w *waiting) Rehearse(ctx context.Context, _ string, _ landfall.Actor, _ wire.Rehearse, tell func(wire.RehearsalProgress)) (*wire.Rehearsal, error) {
	defer close(w.ended)
	tell(wire.RehearsalProgress{Phase: "issues"})
	close(w.began)
	for w.tell && ctx.Err() == nil {
		tell(wire.RehearsalProgress{Phase: "changes"})
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// It ends when its caller goes away, and when the server ends.
func TestRehearsalIsGivenUp(t *testing.T) {
	for _, how := range []string{"caller", "server"} {
		t.Run(how, func(t *testing.T) {
			a, _, _ := newAPI(t)
			r := &waiting{began: make(chan struct{}), ended: make(chan struct{}), tell: how == "server"}
			a.Rehearsals = r
			s := httptest.NewServer(a)
			defer s.Close()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/definitions/rehearse", strings.NewReader(`{"source":"app: x"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+ada)
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("Accept-Encoding", "identity")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = res.Body.Close() }() // it is cut on purpose
			<-r.began
			line := make([]byte, 1)
			if _, err := res.Body.Read(line); err != nil {
				t.Errorf("the first line did not come while it runs: %v", err)
			}
			if how == "server" {
				a.Stop()
			} else {
				cancel()
			}
			<-r.ended
		})
	}
}
