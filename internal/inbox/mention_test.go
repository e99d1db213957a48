package inbox

import (
	"os"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What a change refers to appears, and the change is applied: it waits in no
// other lane meanwhile.
func TestWhatItRefersToAppears(t *testing.T) {
	in, st := stocked(t, 0)
	source, err := os.ReadFile("../../testdata/vectors/definitions/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	app := definition.MustCompile("shop.yaml", source)
	app.Version = 1
	in.cfg.Definitions = published{app}
	people(t, st, map[string][]string{"ada": {"desk"}, "emma": {"worker"}})
	site := expense(1)
	r := pushed(t, in, 1, "", `{"n":1,"op":"create","type":"visit","id":"`+expense(2)+`","set":{"what":"look","site":"`+site+`"},"base":{"version":0},"made_at":"2026-03-01T08:00:00Z"}`)
	if got := strings.Join(results(r), ", "); got != "issue validation" {
		t.Fatal(got)
	}
	_, err = in.Do(t.Context(), "w", ada, wire.Do{Op: landfall.OpCreate, Type: "site", ID: site, Set: landfall.Fields{"name": landfall.Value(`"Harbour"`), "owner": landfall.Value(`"emma"`)}})
	if err != nil {
		t.Fatal(err)
	}
	if n := tend(t, in); n == 0 {
		t.Error("nothing is tried again")
	}
	if i := issueOf(t, st, r.Receipts[0].Issue).Issue; i.Settlement != landfall.SettledApplied || !strings.Contains(i.Note, recordChanged) {
		t.Errorf("%+v", i)
	}
}
