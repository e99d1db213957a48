package demo_test

import (
	"context"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/demo"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/server"
)

// serve is a server of an example app that has Ada alone.
func serve(t *testing.T, app *demo.App) (url string) {
	t.Helper()
	st, err := server.OpenFolder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Init(t.Context(), st, server.InitOptions{Definition: app.Definition, Admin: demo.Admin, Password: demo.Password}); err != nil {
		t.Fatal(err)
	}
	srv, err := server.New(server.Options{Store: st, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return "http://" + ln.Addr().String()
}

// The field-service app has thousands of records, parts that add up, and
// issues of three causes; each person sees what is theirs.
func TestFieldService(t *testing.T) {
	url := serve(t, demo.Find("fieldservice"))
	told := 0
	if err := demo.SeedFieldService(t.Context(), url, func(done, of int) {
		if done < told || done > of {
			t.Errorf("%d of %d after %d", done, of, told)
		}
		told = done
	}); err != nil {
		t.Fatal(err)
	}
	lea, err := demo.Desk(t.Context(), url, "lea")
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for typ, least := range map[string]int{"site": 48, "asset": 900, "article": 20, "work_order": 960, "visit": 700, "material": 500} {
		n := count(t, lea, typ)
		if n < least {
			t.Errorf("%d records of type %s", n, typ)
		}
		all += n
	}
	if all < 3_000 {
		t.Errorf("%d records in all", all)
	}
	causes, err := lea.Causes(t.Context())
	if err != nil || len(causes.Items) != 3 {
		t.Fatalf("causes: %+v %v", causes, err)
	}
	for i, want := range []string{"3 changes: The Work order is in a status", "3 changes: the role technician lacks write Phone on Site", "1 change: Serial number: another record"} {
		if !slices.ContainsFunc(causes.Items, func(c wire.Cause) bool { return strings.HasPrefix(c.Title, want) }) {
			t.Errorf("cause %d: %q is not in %+v", i, want, causes.Items)
		}
	}
	tim, err := demo.Desk(t.Context(), url, "tim")
	if err != nil {
		t.Fatal(err)
	}
	if n := count(t, tim, "site"); n != 24 {
		t.Errorf("a technician of the north sees %d sites", n)
	}
	if n := count(t, tim, "asset"); n != 450 {
		t.Errorf("a technician of the north sees %d assets", n)
	}
	closed, err := lea.Records(t.Context(), "work_order", desk.Filter{Status: "closed", Limit: 1})
	if err != nil || len(closed.Items) != 1 {
		t.Fatalf("%+v %v", closed, err)
	}
	if f := closed.Items[0].Fields; string(f["open_visits"]) != "0" || len(f["hours"]) < 3 || string(f["hours"]) == `"0"` || len(f["cost"]) < 3 {
		t.Errorf("nothing is worked out: %v", f)
	}
}

func count(t *testing.T, d *desk.Desk, typ string) int {
	t.Helper()
	n := 0
	for after := ""; ; {
		page, err := d.Records(t.Context(), typ, desk.Filter{Limit: 1_000, After: after})
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Items)
		if after = next(page); after == "" {
			return n
		}
	}
}

func next(l *wire.List[wire.RecordView]) string { return l.Next }
