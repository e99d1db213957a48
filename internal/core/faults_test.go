package core

import (
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// What a definition finds in a record that is stored, and what its conversions
// make of it first.
func TestStoredRecords(t *testing.T) {
	app := *definition.MustCompile("app.yaml", []byte(`app: visits
convert: [{to: 2, type: visit, rename: {mins: minutes}, statuses: {new: planned}}]
roles: [worker]
types:
  visit:
    title: Visit
    fields:
      place: {type: text, required: true}
      minutes: {type: integer, check: "minutes > 0"}
      kind: {type: choice, choices: [a, b], required: [done]}
    lifecycle:
      initial: planned
      statuses: {planned: {}, done: {resolved: true}}
      transitions: {finish: {from: planned, to: done, roles: [worker]}}
    audience: [all]
    rights: {worker: {create: true, update: true}}
`))
	app.Version = 2
	for _, c := range []struct {
		name    string
		r       landfall.Record
		want    string
		renamed bool
	}{
		{"right", landfall.Record{Type: "visit", Status: "planned", Fields: landfall.Fields{"place": landfall.Value(`"x"`)}}, "", false},
		{"faults", landfall.Record{Type: "visit", Status: "done", Fields: landfall.Fields{"minutes": landfall.Value(`0`)}}, "place:required minutes:check kind:required", false},
		{"another type", landfall.Record{Type: "visit", Status: "planned", Fields: landfall.Fields{"place": landfall.Value(`"x"`), "minutes": landfall.Value(`"long"`), "kind": landfall.Value(`"c"`)}}, "minutes:wrong_type kind:unknown_choice", false},
		{"converted", landfall.Record{Type: "visit", Definition: 1, Status: "new", Fields: landfall.Fields{"place": landfall.Value(`"x"`), "mins": landfall.Value(`5`)}}, "", true},
		{"of this version", landfall.Record{Type: "visit", Definition: 2, Status: "new", Fields: landfall.Fields{"place": landfall.Value(`"x"`), "mins": landfall.Value(`5`)}}, ":unknown_status mins:unknown_field", false},
		{"no type", landfall.Record{Type: "call", Fields: landfall.Fields{}}, ":unknown_type", false},
		{"deleted", landfall.Record{Type: "visit", Status: "planned", Deleted: true}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			was := c.r.Clone()
			r := ConvertBase(&app, c.r.Definition, &c.r)
			var got []string
			for _, m := range append(Homeless(&app, r), Faults(&app, r, time.Time{})...) {
				got = append(got, m.Field+":"+m.Code)
			}
			if s := strings.Join(got, " "); s != c.want || (r != &c.r) != c.renamed {
				t.Errorf("got  %s, renamed: %t\nwant %s, renamed: %t", s, r != &c.r, c.want, c.renamed)
			}
			if c.r.Status != was.Status || len(c.r.Fields) != len(was.Fields) || c.r.Fields["mins"] == nil && was.Fields["mins"] != nil {
				t.Error("the record itself was changed")
			}
		})
	}
}
