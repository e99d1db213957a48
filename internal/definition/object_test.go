package definition

import (
	"testing"

	"github.com/landfall-sync/landfall"
)

// A record's values are made when they are asked for; all that an expression can do
// with a map, it can do with a record.
func TestRecordsAreMaps(t *testing.T) {
	s, app := costScope(t)
	record := &landfall.Record{ID: "r1", Status: "open", Version: 7, CreatedBy: "emma", Fields: landfall.Fields{"title": quote("Roof"), "tags": encode([]string{"a"})}}
	other := record.Clone()
	other.Fields.Put("title", quote("Wall"))
	v := &Vars{Type: app.Types["order"], Record: record, Was: other, Actor: &landfall.Actor{User: "emma"}}
	same := &Vars{Type: v.Type, Record: record, Was: record.Clone(), Actor: v.Actor}
	for _, c := range []struct {
		text string
		v    *Vars
		want string
	}{
		{"record == was", v, "false"},
		{"record == was", same, "true"},
		{"record != record", v, "false"},
		{"has(record.title) && has(record.id)", v, "true"},
		{"record.title + ' ' + record.id + ' ' + string(record.version)", v, "Roof r1 7"},
		{"dyn(record)['status']", v, "open"},
		{"'title' in dyn(record) && !('nothing' in dyn(record))", v, "true"},
		{"!(7 in dyn(record))", v, "true"},
		{"dyn(record)['nothing'] == 1", v, ""},
		{"dyn(record).exists(k, k == 'created_by')", v, "true"},
		{"dyn(record).size() == dyn(was).size()", v, "true"},
		{"dyn(record) == dyn({'title': 'Roof'})", v, "false"},
		{"type(record) == map", v, "true"},
		{"string(dyn(record))", v, ""},
	} {
		e, faults := s.compile(c.text, nil)
		if e == nil {
			t.Errorf("%s: %+v", c.text, faults)
			continue
		}
		if got, err := e.Text(c.v); got != c.want || err != nil {
			t.Errorf("%s: %q %v, want %q", c.text, got, err, c.want)
		}
	}
}
