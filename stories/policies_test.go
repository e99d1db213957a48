package stories

import (
	"testing"

	"github.com/landfall-sync/landfall"
)

// One edit race under each field policy: Emma edits offline, then Bo edits the
// same field at the desk, then Emma's edit arrives.
func TestFieldPolicies(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	bo := w.Person("bo", "boss")
	phone := w.Device("phone", "emma", w.URL)
	id := phone.Do("create", "sheet", "title=Race", "latest=a", "server=a", "device=a", "add=10", "union=red,green", "append=one", "review=a", "--quiet")
	phone.Do("sync")
	phone.Do("network", "off")
	phone.Do("set", id, "latest=emma")
	phone.Do("set", id, "server=emma")
	phone.Do("set", id, "device=emma")
	phone.Do("set", id, "add=13")
	phone.Do("set", id, "union=green,blue")
	phone.Do("set", id, "append=one two")
	bo.Do("record", "set", id, "latest=bo", "server=bo", "device=bo", "add=14", "union=red,green,black", "append=one three", "review=bo")
	phone.Do("set", id, "title=Raced") // nobody else touched it
	phone.Do("network", "on")
	phone.Do("sync", "--exit-code")
	r := bo.Record(id)
	for field, want := range map[string]string{
		"latest": "bo", "server": "bo", "device": "emma", "add": "17",
		"union": `["black","blue","green"]`, "append": "one three two", "title": "Raced",
	} {
		same(t, field, text(r, field), want)
		same(t, field+" on the phone", text(phone.Show(id).Record, field), want)
	}
	history := bo.Do("record", "history", id)
	contains(t, "the value that lost is readable", history, "emma")

	// review: a person decides.
	phone.Do("network", "off")
	phone.Do("set", id, "review=emma")
	bo.Do("record", "set", id, "review=bo again")
	phone.Do("network", "on")
	phone.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindField)
	same(t, "field", issue.Messages[0].Field, "review")
	w.Ada().Do("issue", "resolve", issue.ID, "--take", "server", "--set", "review=both")
	phone.Do("sync", "--exit-code")
	same(t, "review", text(phone.Show(id).Record, "review"), "both")
}

// The later edit wins by the order of editing, whatever the order of arrival.
func TestLatestByEditNotByArrival(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	bo := w.Person("bo", "boss")
	phone := w.Device("phone", "emma", w.URL)
	id := phone.Do("create", "sheet", "title=Race", "latest=a", "--quiet")
	phone.Do("sync")
	phone.Do("network", "off")
	bo.Do("record", "set", id, "latest=bo")
	phone.Do("set", id, "latest=emma")
	phone.Do("network", "on")
	phone.Do("sync", "--exit-code")
	same(t, "the later edit", text(bo.Record(id), "latest"), "emma")
}

// Under each status policy a case moves on while Emma edits and moves it offline.
func TestStatusPolicies(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	bo := w.Person("bo", "boss")
	phone := w.Device("phone", "emma", w.URL)
	cases := []struct {
		typ            string
		editIs, moveIs landfall.Kind // "": applied
	}{
		{"strict_case", landfall.KindStatus, landfall.KindStatus},
		{"move_case", "", landfall.KindStatus},
		{"legal_case", "", ""},
	}
	for _, c := range cases {
		edited := phone.Do("create", c.typ, "what=edited", "--quiet")
		moved := phone.Do("create", c.typ, "what=moved", "--quiet")
		illegal := phone.Do("create", c.typ, "what=illegal", "--quiet")
		phone.Do("sync")
		phone.Do("network", "off")
		phone.Do("set", edited, "note=from the field")
		phone.Do("move", moved, "finish")
		phone.Do("move", illegal, "start")
		bo.Do("record", "move", edited, "start")
		bo.Do("record", "move", moved, "start")
		bo.Do("record", "move", illegal, "finish")
		phone.Do("network", "on")
		phone.Do("sync")
		expect := func(what, id string, kind landfall.Kind) {
			t.Helper()
			found := w.Ada().Issues("--record", id)
			if kind == "" {
				same(t, c.typ+" "+what+": issues", len(found), 0)
				return
			}
			if len(found) != 1 || found[0].Kind != kind {
				t.Errorf("%s %s: want one %s, got %s", c.typ, what, kind, dump(found))
			}
		}
		expect("edit", edited, c.editIs)
		expect("move", moved, c.moveIs)
		expect("illegal move", illegal, landfall.KindStatus)
	}
}

// Moved and moved back is moved: somebody acted on the case in between.
func TestMovedAndMovedBack(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	bo := w.Person("bo", "boss")
	phone := w.Device("phone", "emma", w.URL)
	id := phone.Do("create", "strict_case", "what=There and back", "--quiet")
	phone.Do("sync")
	phone.Do("network", "off")
	phone.Do("set", id, "note=unaware")
	bo.Do("record", "move", id, "start")
	bo.Do("record", "move", id, "pause")
	phone.Do("network", "on")
	phone.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindStatus)
	same(t, "record", issue.Record, id)
	same(t, "the case", w.Ada().Record(id).Status, "open")
	same(t, "untouched", text(w.Ada().Record(id), "note"), "")
	contains(t, "the issue keeps what she wrote", w.Ada().Do("issue", "show", issue.ID), "unaware")
}
