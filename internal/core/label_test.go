package core

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

const labelled = `app: a
roles: [w, boss]
types:
  site:
    label: "record.name + ' ' + record.secret"
    number: {prefix: S-, from: 1}
    fields: {name: {type: text}, secret: {type: text}}
    audience: [all]
    rights: {w: {create: true, read: {not: [secret]}}, boss: {create: true}}
  visit:
    fields: {site: {type: reference, to: site}, others: {type: references, to: site}, note: {type: text}}
    audience: [all]
    rights: {w: {create: true}, boss: {create: true}}
`

func TestLabel(t *testing.T) {
	app := definition.MustCompile("a.yaml", []byte(labelled))
	r := &landfall.Record{Type: "site", ID: "id-1", Number: "S-1", Fields: landfall.Fields{"name": landfall.Value(`"Mill"`), "secret": landfall.Value(`"vault"`)}}
	for _, x := range []struct {
		role, want string
	}{{"boss", "Mill vault"}, {"w", "S-1"}} { // what can't be read leaves no label, and no trace
		actor := &landfall.Actor{User: "emma", Roles: []string{x.role}}
		if got := Label(app, SightOf(app, actor), actor, r, time.Time{}); got != x.want {
			t.Errorf("%s reads %q, want %q", x.role, got, x.want)
		}
	}
	if got := Label(app, SightOf(app, &landfall.Actor{}), &landfall.Actor{}, &landfall.Record{Type: "visit", ID: "id-2"}, time.Time{}); got != "id-2" {
		t.Errorf("without a label and a number it is %q", got)
	}
}

func TestNamed(t *testing.T) {
	app := definition.MustCompile("a.yaml", []byte(labelled))
	many := "["
	for i := range 2 * mostNamed {
		many += fmt.Sprintf(`"%d",`, i)
	}
	for _, x := range []struct {
		what         string
		site, others string
		want         []string
		wantThisMany int
	}{
		{"each once, in order", `"b"`, `["a","b","c"]`, []string{"b", "a", "c"}, 3},
		{"none", `null`, `null`, nil, 0},
		{"not without end", `"x"`, many + `"z"]`, nil, mostNamed},
	} {
		r := landfall.Fields{"site": landfall.Value(x.site), "others": landfall.Value(x.others), "note": landfall.Value(`"d"`)}
		got := Named(app.Types["visit"], func(field string) []landfall.Value { return []landfall.Value{r[field]} })
		if len(got) != x.wantThisMany || x.want != nil && !slices.Equal(got, x.want) {
			t.Errorf("%s: %v", x.what, got)
		}
	}
}
