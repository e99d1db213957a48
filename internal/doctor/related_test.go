package doctor_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

const related1 = `
app: jobs
title: Jobs
version: 1
roles: [worker, boss]
types:
  site:
    fields:
      name: {type: text, required: true}
      telephone: {type: text}
      owner: {type: user, default: me}
    audience: [user:owner, role:boss]
    rights: {worker: {create: true, update: true}, boss: {create: true, update: true, delete: true}}
  order:
    fields:
      site: {type: reference, to: site, fill: {telephone: target.telephone}}
      telephone: {type: text, unique: true}
      hurry: {type: boolean}
      open: {type: integer, computed: "parts.task.filter(t, t.done == false).size()"}
    lifecycle:
      initial: new
      statuses: {new: {}, done: {resolved: true, frozen: true}}
      transitions: {finish: {from: new, to: done, roles: [worker]}}
    audience: [via:site]
    rights: {worker: {create: true, update: true, delete: true}, boss: {create: true, update: true, delete: true}}
  task:
    part_of: order
    fields: {title: {type: text, required: true}, done: {type: boolean, default: false}}
    rights: {worker: {create: true, update: true, delete: true}}
  step:
    part_of: task
    fields: {name: {type: text}}
    rights: {worker: {create: true, update: true}}
`

// Two things get other names; then one more; then an old name means something
// else, and parts must have what older ones have not.
var (
	related2 = strings.NewReplacer("version: 1", "version: 2", "telephone: {type: text, unique", "phone: {type: text, unique", "{telephone: target", "{phone: target", "initial: new", "initial: planned",
		"{new: {}", "{planned: {}", "{finish: {from: new", "{close: {from: planned").Replace(related1) + `
convert:
  - {to: 2, type: order, rename: {telephone: phone}, statuses: {new: planned}, transitions: {finish: close}}
`
	related3 = strings.NewReplacer("version: 2", "version: 3", "hurry: {", "urgent: {").Replace(related2) + `
  - {to: 3, type: order, rename: {hurry: urgent}}
`
	related4 = strings.NewReplacer("version: 3", "version: 4", "phone: {type: text, unique: true}", "phone: {type: text, unique: true}\n      telephone: {type: boolean}",
		"fields: {title: {type: text, required: true}", "fields: {heading: {type: text, required: true}, kind: {type: text, required: true}").Replace(related3) + `
  - {to: 4, type: task, rename: {title: heading}}
`
)

func id(kind, n int) string { return fmt.Sprintf("0198c3ac-0000-7000-%d000-%012d", kind, n) }

func (w *world) row(id string) *store.Row {
	w.t.Helper()
	var row *store.Row
	if err := w.st.View(w.t.Context(), func(r store.Reader) (err error) {
		row, err = r.Row(ws, id)
		return err
	}); err != nil || row == nil {
		w.t.Fatal(row, err)
	}
	return row
}

// shows tells of a record what the test looks at.
func (w *world) shows(id, want string) {
	w.t.Helper()
	row := w.row(id)
	var fields []string
	for name, v := range row.Record.Fields {
		if len(v) < 30 { // no ids
			fields = append(fields, name+"="+string(v))
		}
	}
	slices.Sort(fields)
	got := fmt.Sprint(row.Record.Status, " ", row.Record.Deleted, " v", row.Record.Definition, " ", fields, " ", row.Keys)
	if got != want {
		w.t.Errorf("%s: got\n%s\nwant\n%s", id, got, want)
	}
}

func made(typ, id, set string) string {
	return fmt.Sprintf(`"op":"create","type":%q,"id":%q,"definition":1,"set":{%s},"base":{"version":0}`, typ, id, set)
}

// What belongs together goes on together, through deletions, lanes, moves, and
// definitions that give things other names; and all that is stored fits together.
func TestRelatedAndConverted(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store.Store{
		"memory": func(*testing.T) store.Store { return memory.New() },
		"sqlite": func(t *testing.T) store.Store { return onSQLite(t, filepath.Join(t.TempDir(), "landfall.db")) },
	} {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			defer func() { _ = st.Close() }() // the test is over
			relate(t, st)
		})
	}
}

func relate(t *testing.T, st store.Store) {
	w, p := begun(t, st, related1)
	healthy := func(when string) {
		t.Helper()
		if report := examined(t, func(f func(store.Reader) error) error { return st.View(t.Context(), f) }); !report.Healthy {
			t.Fatalf("%s: %s", when, dump(report))
		}
	}
	desk := func(do wire.Do) {
		t.Helper()
		if _, err := w.in.Do(t.Context(), ws, landfall.Actor{User: "mara", Roles: []string{"boss"}}, do); err != nil {
			t.Fatal(err)
		}
	}
	site, order, task, step := id(1, 1), id(2, 1), id(3, 1), id(4, 1)
	both := "[role:boss user:emma]"
	w.push("applied applied applied applied", made("site", site, `"name":"dock","telephone":"12","owner":"emma"`), made("order", order, `"site":"`+site+`"`),
		made("task", task, `"order":"`+order+`","title":"one","done":false`), made("step", step, `"task":"`+task+`","name":"s"`))
	w.shows(order, `new false v1 [open=1 telephone="12"] `+both)
	w.shows(step, ` false v1 [name="s"] `+both)

	// One lane: what is refused of a part holds what follows on all of them.
	r := w.push("validation waits waits waits", made("task", id(3, 2), `"order":"`+order+`","done":false`),
		fmt.Sprintf(`"op":"update","type":"order","id":%q,"definition":1,"set":{"hurry":true},"base":{"version":2,"status":"new","was":{"hurry":null}}`, order),
		fmt.Sprintf(`"op":"update","type":"step","id":%q,"definition":1,"set":{"name":"t"},"base":{"version":4,"was":{"name":"s"}}`, step),
		made("task", id(3, 3), `"order":"`+order+`","title":"three","done":false`))
	w.push("applied", fmt.Sprintf(`"op":"withdraw","issue":%q`, r[0].Issue))
	w.shows(order, `new false v1 [hurry=true open=2 telephone="12"] `+both)
	w.shows(step, ` false v1 [name="t"] `+both)
	healthy("after a lane")

	// A whole that is never made takes what was to be parts of it with it.
	r = w.push("validation waits waits", made("order", id(2, 9), `"site":"`+id(1, 9)+`"`), made("task", id(3, 9), `"order":"`+id(2, 9)+`","title":"nine"`), made("step", id(4, 9), `"task":"`+id(3, 9)+`","name":"n"`))
	w.push("applied", fmt.Sprintf(`"op":"withdraw","issue":%q`, r[0].Issue))
	if err := st.View(t.Context(), func(r store.Reader) error {
		open, err := r.Issues(ws, store.IssueFilter{State: store.Unresolved}, store.Page{Limit: 9})
		if len(open) != 0 {
			t.Errorf("%d issues are open", len(open))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	healthy("after a withdrawal")

	// What is held back in a batch is moved with what follows in it, and the other
	// way round.
	other, another := id(1, 5), id(2, 5)
	set := func(owner string) string {
		return fmt.Sprintf(`"op":"update","type":"site","id":%q,"definition":1,"set":{"owner":%q},"base":{"version":0,"after":%d,"was":{"owner":"emma"}}`, other, owner, w.next)
	}
	w.push("applied applied applied applied applied", made("site", other, `"name":"yard","owner":"emma"`), made("order", another, `"site":"`+other+`"`), set("emma"),
		made("task", id(3, 5), `"order":"`+another+`","title":"five","done":false`), set("mara"))
	w.shows(another, `new false v1 [open=1] [role:boss user:mara]`)
	w.shows(id(3, 5), ` false v1 [done=false title="five"] [role:boss user:mara]`)
	healthy("after a batch")

	// Who may see the site sees all of it.
	desk(wire.Do{Op: landfall.OpUpdate, Type: "site", ID: site, Set: landfall.Fields{"owner": landfall.Value(`"mara"`)}})
	w.shows(step, ` false v1 [name="t"] [role:boss user:mara]`)
	healthy("after a move")
	desk(wire.Do{Op: landfall.OpUpdate, Type: "site", ID: site, Set: landfall.Fields{"owner": landfall.Value(`"emma"`)}})
	desk(wire.Do{Op: landfall.OpDelete, Type: "order", ID: order})
	w.shows(step, ` true v1 [name="t"] []`)
	healthy("after a deletion")
	desk(wire.Do{Op: landfall.OpRestore, Type: "order", ID: order})
	w.shows(order, `new false v1 [hurry=true open=2 telephone="12"] `+both)
	w.shows(step, ` false v1 [name="t"] `+both)
	healthy("after a restoration")

	// An issue keeps what was made under the first version, through all of them.
	r = w.push("validation", made("order", id(2, 2), `"site":"`+site+`","telephone":"12","hurry":true`))
	late := r[0].Issue
	w.publish(p, related2)
	w.shows(order, `planned false v2 [hurry=true open=2 phone="12"] `+both)
	healthy("after the second version")
	w.publish(p, related3)
	w.publish(p, related4)
	w.shows(order, `planned false v3 [open=2 phone="12" urgent=true] `+both)
	w.shows(task, ` false v1 [done=false heading="one"] `+both) // not valid as it is now
	healthy("after the fourth version")

	w.push("applied", fmt.Sprintf(`"op":"update","type":"order","id":%q,"definition":1,"set":{"telephone":"13","hurry":false},"base":{"version":%d,"status":"new","was":{"telephone":"12","hurry":true}}`, order, 2))
	w.shows(order, `planned false v4 [open=2 phone="13" urgent=false] `+both)
	got, err := w.in.Retry(t.Context(), ws, landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}, wire.Retry{Issues: []string{late}})
	if err != nil || !got.Items[0].Settled {
		t.Fatalf("%+v %v", got, err)
	}
	w.shows(id(2, 2), `planned false v4 [open=0 phone="12" urgent=true] `+both)
	w.push("applied", fmt.Sprintf(`"op":"transition","transition":"finish","type":"order","id":%q,"definition":1,"base":{"version":2,"status":"new"}`, order))
	r = w.push("status-conflict", fmt.Sprintf(`"op":"update","type":"task","id":%q,"definition":1,"set":{"title":"uno"},"base":{"version":3,"was":{"title":"one"}}`, task))
	healthy("in the end")
	if r[0].Messages[0].Code != core.CodeFrozen {
		t.Errorf("%+v", r)
	}
}
