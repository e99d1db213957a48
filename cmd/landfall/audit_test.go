package main

import (
	"encoding/json"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/server"
)

func TestAudit(t *testing.T) {
	app, err := os.ReadFile("../../examples/expenses/app.yaml")
	if err != nil {
		t.Fatal(err)
	}
	st := memory.New()
	const password = "landfall-demo"
	if _, err := server.Init(t.Context(), st, server.InitOptions{Definition: app, Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Options{Store: st})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(srv.Handler())
	defer web.Close()
	t.Setenv("LANDFALL_CONFIG_DIR", t.TempDir())
	must := func(want int, args ...string) (out, errs string) {
		t.Helper()
		code, out, errs := program(t, password+"\n", args...)
		if code != want {
			t.Fatalf("landfall %s: exit %d, %s", strings.Join(args, " "), code, errs)
		}
		return out, errs
	}
	must(exitDone, "login", web.URL, "--user", "ada", "--password-stdin")
	must(exitDone, "user", "add", "emma", "--role", "employee", "--password-stdin")
	out, _ := must(exitDone, "audit", "--limit", "2")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "SEQ") || !strings.Contains(lines[1], "user.grant") || !strings.Contains(lines[1], "role=employee") ||
		!strings.Contains(lines[2], "user.add") || lines[3] != "There is more: --after 3" {
		t.Errorf("newest first:\n%s", out)
	}
	out, _ = must(exitDone, "audit", "--by", "ada", "--action", "session", "--object", "ada", "--since", "1h", "--json")
	var l wire.List[wire.AuditEntry]
	if err := json.Unmarshal([]byte(out), &l); err != nil || len(l.Items) != 1 || l.Items[0].Action != "session.begin" {
		t.Errorf("%v: %s", err, out)
	}
	if out, _ = must(exitDone, "audit", "--by", "emma"); !strings.Contains(out, "Nothing was done") {
		t.Error(out)
	}
	must(exitDone, "login", web.URL, "--user", "emma", "--password-stdin")
	if _, errs := must(exitRefused, "--as", "emma", "audit"); !strings.Contains(errs, "administrator") {
		t.Error(errs)
	}
}
