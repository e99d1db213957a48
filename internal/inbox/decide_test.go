package inbox

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// people adds users with one role or more.
func people(t testing.TB, st store.Store, roles map[string][]string) {
	t.Helper()
	err := st.Update(t.Context(), func(w store.Writer) (err error) {
		for name, held := range roles {
			err = errors.Join(err, w.PutUser("w", &store.User{Name: name, Roles: held}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who decides the issue of a refused creation and could not see the record if
// it were there hears nothing of what the device sent; a dry run does not tell
// it either.
func TestDecisionOnWhatItsDeciderMayNotSee(t *testing.T) {
	in, st := stocked(t, 0)
	app := definition.MustCompile("app.yaml", []byte(strings.Replace(string(examples.Expenses), "role:manager, role:sync_admin]", "role:manager]", 1)))
	app.Version = 1
	in.cfg.Definitions = published{app}
	people(t, st, map[string][]string{"sven": {"sync_admin"}, "mara": {"manager", "sync_admin"}})
	const secret = "between Emma and her manager"
	r := pushed(t, in, 1, "", strings.Replace(creation(1, secret), `"120"`, `"-1"`, 1))
	if got := results(r)[0]; got != "issue validation" {
		t.Fatal(got)
	}
	for _, c := range []struct {
		decider string
		dry     bool
		told    bool
	}{
		{"mara", true, true},
		{"sven", true, false},
		{"sven", false, false},
	} {
		out, err := in.Resolve(t.Context(), "w", landfall.Actor{User: c.decider}, r.Receipts[0].Issue, wire.Resolve{DryRun: c.dry, Decision: core.Decision{Take: core.ServerSide}})
		if err != nil || out.Settlement != landfall.SettledKept {
			t.Fatalf("%+v %v", out, err)
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), secret) != c.told || len(out.Compare) > 0 != c.told {
			t.Errorf("%s (dry: %v) hears %s", c.decider, c.dry, b)
		}
	}
}

// A decision releases what waits, and that may take what the issue is about out of
// the decider's sight: its whole moves on, and the part that was not made would not
// be there for them.
func TestDecisionThatEndsWhatItsDeciderSees(t *testing.T) {
	in, st := stocked(t, 0)
	app := definition.MustCompile("app.yaml", []byte(`
app: held
version: 1
roles: [worker, clerk]
queues: {conflicts: {members: [clerk]}}
issues: {routes: [{queue: conflicts}]}
types:
  job:
    fields: {title: {type: text}}
    lifecycle:
      initial: planned
      statuses: {planned: {}, working: {}}
      transitions: {start: {from: planned, to: working, roles: [worker]}, pause: {from: working, to: planned, roles: [worker]}}
    audience: [role:worker, {key: role:clerk, statuses: [working]}]
    rights: {worker: {create: true, update: true}, clerk: {create: true, update: true}}
  step:
    part_of: job
    fields: {name: {type: text}, hours: {type: integer, check: "hours < 9", message: Rest}}
    rights: {worker: {create: true, update: true}, clerk: {create: true, update: true}}
`))
	app.Version = 1
	in.cfg.Definitions = published{app}
	people(t, st, map[string][]string{"emma": {"worker"}, "carl": {"clerk"}})
	const secret, end = "what Emma entered", `"definition":1,"made_at":"2026-03-01T08:00:00Z"}`
	job := func(n, op string) string {
		return `{"n":` + n + `,"op":"transition","type":"job","id":"` + sheet + `1","transition":"` + op + `","base":{"version":0,"after":` + n + `},` + end
	}
	r := pushed(t, in, 1, "",
		`{"n":1,"op":"create","type":"job","id":"`+sheet+`1","set":{"title":"roof"},"base":{"version":0},`+end,
		strings.Replace(job("2", "start"), `"after":2`, `"after":1`, 1),
		`{"n":3,"op":"create","type":"step","id":"`+sheet+`2","set":{"job":"`+sheet+`1","name":"`+secret+`","hours":12},"base":{"version":0},`+end,
		strings.Replace(job("4", "pause"), `"after":4`, `"after":2`, 1))
	if got := strings.Join(results(r), ", "); got != "applied, applied, issue validation, issue" {
		t.Fatal(got)
	}
	for _, dry := range []bool{true, false} {
		out, err := in.Resolve(t.Context(), "w", landfall.Actor{User: "carl"}, r.Receipts[2].Issue, wire.Resolve{DryRun: dry, Decision: core.Decision{Take: core.ServerSide}})
		if err != nil || len(out.Released) != 1 || out.Released[0].Result != landfall.Applied {
			t.Fatalf("%+v %v", out, err)
		}
		if b, err := json.Marshal(out); err != nil || strings.Contains(string(b), secret) {
			t.Errorf("dry: %t: %s %v", dry, b, err)
		}
	}
}

// A claim keeps others from deciding only while its holder may decide.
func TestDecisionOfWhatSomebodyElseClaimed(t *testing.T) {
	in, st := stocked(t, 0)
	now := timed(t, in)
	people(t, st, map[string][]string{"emma": {"manager"}, "ada": {landfall.Administrator}, "bo": {landfall.Administrator}})
	id := pushed(t, in, 1, "", creation(1, "one")).Receipts[0].Issue
	until := now.Add(15 * time.Minute)
	err := st.Update(t.Context(), func(w store.Writer) error {
		row, err := w.Issue("w", id)
		if err != nil {
			return err
		}
		row.Issue.State, row.Issue.Assignee, row.Issue.ClaimedUntil = landfall.IssueClaimed, "bo", &until
		return w.PutIssue("w", row)
	})
	if err != nil {
		t.Fatal(err)
	}
	keep := func() error {
		_, err := in.Resolve(t.Context(), "w", landfall.Actor{User: "ada"}, id, wire.Resolve{Decision: core.Decision{Take: core.ServerSide}})
		return err
	}
	if err := keep(); landfall.CodeOf(err) != landfall.CodeConflict || !strings.Contains(err.Error(), "bo is at work") {
		t.Fatal(err)
	}
	err = st.Update(t.Context(), func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "bo", Roles: []string{landfall.Administrator}, Disabled: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := keep(); err != nil {
		t.Fatal(err)
	}
}
