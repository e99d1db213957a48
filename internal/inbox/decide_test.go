package inbox

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

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
