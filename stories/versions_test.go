package stories

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// editions is a definition as it goes on.
type editions struct {
	w    *World
	text string
}

func (w *World) editions(app string) *editions {
	w.t.Helper()
	b, err := os.ReadFile(app)
	if err != nil {
		w.t.Fatal(err)
	}
	return &editions{w, string(b)}
}

// next is a file with the next version: with these replaced, each of which is
// there, and the lines at its end.
func (e *editions) next(end string, oldAndNew ...string) string {
	e.w.t.Helper()
	for i := 0; i < len(oldAndNew); i += 2 {
		if !strings.Contains(e.text, oldAndNew[i]) {
			e.w.t.Fatalf("%q is not in the definition", oldAndNew[i])
		}
		e.text = strings.ReplaceAll(e.text, oldAndNew[i], oldAndNew[i+1])
	}
	e.text += end
	e.w.write("edition.yaml", e.text)
	return e.w.path("edition.yaml")
}

// says makes a device tell that so many changes wait on it, and send none of them.
func (d *Device) says(made, waiting int) {
	d.w.t.Helper()
	now := time.Now().UTC().Format(time.RFC3339Nano)
	d.report(fmt.Sprintf(`{"clock":%q,"incarnation":1,"made":%d,"waiting":%d,"oldest":%q,"definition":1}`, now, made, waiting, now))
}

// A field becomes mandatory while three devices are away with changes. A rehearsal
// says so; it is published all the same. What they bring waits, and each is mended
// in another way; nothing of it is lost.
func TestAFieldBecomesMandatory(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	ada := w.Ada()
	zoe := w.Person("zoe", "sync_admin", "employee")
	phones, drafts := map[string]*Device{}, map[string]string{}
	for _, user := range []string{"emma", "mila", "noor"} {
		w.User(user, "employee")
		phones[user] = w.Device("phone-"+user, user, w.URL)
		drafts[user] = phones[user].Do("create", "expense", "purpose=Oslo", "amount=120", "currency=EUR", "--quiet")
		phones[user].Do("sync", "--exit-code")
	}
	emma, mila, noor := phones["emma"], phones["mila"], phones["noor"]
	trip := emma.Do("create", "expense", "purpose=Bergen", "amount=80", "currency=EUR", "--quiet")
	emma.Do("move", trip, "submit")
	mila.Do("set", drafts["mila"], "notes=taxi")
	noor.Do("move", drafts["noor"], "submit")
	other := noor.Do("create", "expense", "purpose=Turku", "amount=30", "currency=EUR", "--quiet")
	emma.says(3, 2)
	mila.says(2, 1)
	noor.says(3, 2)

	second := w.editions(expenses).next("", "      owner:    {type", "      project:  {type: text, required: true, max: 20}\n      owner:    {type")
	var o wire.Rehearsal
	r := ada.Try("app", "rehearse", second, "--json")
	same(t, "it gets worse", r.Code, 1)
	decode(t, r.Out, &o)
	same(t, "records that would be invalid", o.Records.Invalid, 3)
	same(t, "changes that would have been refused", o.Items.Refused, 3)
	same(t, "devices with unsent changes", o.Devices.Unsent, 3)
	same(t, "changes that are under way", o.Devices.Waiting, 5)
	contains(t, "in words", ada.Try("app", "rehearse", second).Out, "leave 3 records invalid", "Project is missing.", "5 changes were unsent on 3 devices")
	r = ada.Try("app", "publish", second)
	same(t, "it is asked", r.Code, 1)
	contains(t, "it is asked", r.Err, "nothing is published", "--yes")
	ada.Do("app", "publish", "--yes", second)

	for user, phone := range phones {
		phone.Do("sync")
		contains(t, user+"'s log", phone.Do("log"), "Project is missing.", "Enter Project.")
		same(t, user+"'s indicator", phone.Indicator().State, "needs-attention")
	}
	issues := ada.Issues("--kind", "validation")
	same(t, "issues", len(issues), 4)
	var causes list[wire.Cause]
	ada.JSON(&causes, "issue", "causes")
	same(t, "causes: changes, and submitting", len(causes.Items), 2)
	of := func(record string) string {
		all := ada.Issues("--record", record)
		if len(all) != 1 {
			t.Fatalf("want one issue of %s, got %s", record, dump(all))
		}
		return all[0].ID
	}

	// Emma enters it on her phone; that she submitted it goes on behind.
	amended := of(trip)
	emma.Do("set", trip, "project=North")
	emma.Do("sync", "--exit-code")
	same(t, "amended", w.resolved(ada, amended).Settlement, landfall.SettledAmended)
	same(t, "submitted", ada.Record(trip).Status, "pending-approval")

	// Mila's is repaired, Noor's report is filled in at the desk, and her new one is
	// repaired as an item of the inbox by an administrator who may make reports.
	zoe.Do("issue", "repair", of(drafts["mila"]), "project=South")
	waits := of(drafts["noor"])
	zoe.Do("record", "set", drafts["noor"], "project=East")
	i := w.resolved(ada, waits)
	same(t, "by the server", i.Decider, "")
	contains(t, "why", i.Note, "a record was changed")
	item := ada.Do("inbox", "list", "--record", other, "--state", "completed-with-errors", "--quiet")
	ada.Do("user", "grant", "ada", "employee")
	ada.Do("inbox", "repair", item, "project=West")

	w.completed(ada)
	for user, want := range map[string]string{"mila": "South", "noor": "East"} {
		phones[user].Do("sync", "--exit-code")
		same(t, user, text(phones[user].Show(drafts[user]).Record, "project"), want)
	}
	same(t, "what Mila entered", text(ada.Record(drafts["mila"]), "notes"), "taxi")
	same(t, "what Noor did", ada.Record(drafts["noor"]).Status, "pending-approval")
	same(t, "what Noor made", text(ada.Record(other), "purpose"), "Turku")
	same(t, "Emma's account", ada.DeviceRow(emma.Replica()).Ledger.String(), "4 = 4 + 0 + 0 + 0")
	same(t, "Mila's account", ada.DeviceRow(mila.Replica()).Ledger.String(), "2 = 2 + 0 + 0 + 0")
	same(t, "Noor's account", ada.DeviceRow(noor.Replica()).Ledger.String(), "3 = 3 + 0 + 0 + 0")
}

// A phone comes back three versions later, in which fields, statuses and moves were
// renamed, and one field was dropped without a word. What can be read is read under
// the names of now, groups and parts with it; the rest waits for the version that
// says what became of the field.
func TestThreeVersionsBehind(t *testing.T) {
	t.Parallel()
	const rounds = "testdata/rounds.yaml"
	w := NewWorld(t, rounds)
	w.User("emma", "worker")
	ada, phone := w.Ada(), w.Device("phone", "emma", w.URL)
	order := func(words ...string) string {
		return phone.Do(append(append([]string{"create", "order"}, words...), "--quiet")...)
	}
	a, b, c, d := order("telephone=1", "note=the back door"), order("telephone=2"), order("telephone=3"), order("telephone=4")
	phone.Do("sync", "--exit-code")

	phone.Do("set", a, "telephone=11")
	w.write("group", "set "+b+" telephone=22\ncreate task order="+b+" title=Lights\n")
	lights := phone.Do("group", w.path("group"), "--quiet")
	made := order("telephone=33")
	doors := phone.Do("create", "task", "order="+made, "title=Doors", "--quiet")
	phone.Do("move", made, "close")
	phone.Do("set", c, "note=dented")
	phone.Do("move", c, "close")
	w.write("group", "set "+d+" telephone=44 note=locked\ncreate task order="+d+" title=Keys\n")
	keys := phone.Do("group", w.path("group"), "--quiet")

	e := w.editions(rounds)
	publish := func(file string) { ada.Do("app", "publish", "--yes", file) }
	publish(e.next("convert:\n  - {to: 2, type: order, rename: {telephone: phone}, transitions: {close: finish}}\n",
		"version: 1", "version: 2", "telephone: {", "phone: {", "close: {", "finish: {"))
	publish(e.next("  - {to: 3, type: order, statuses: {planned: fresh}}\n  - {to: 3, type: task, rename: {title: what}}\n",
		"version: 2", "version: 3", "planned", "fresh", "title: {type", "what: {type"))
	publish(e.next("  - {to: 4, type: order, rename: {phone: contact}, transitions: {finish: complete}}\n",
		"version: 3", "version: 4", " phone: {", " contact: {", "finish: {from", "complete: {from", "      note: {type: text}\n", ""))

	phone.Do("sync")
	same(t, "converted twice", text(ada.Record(a), "contact"), "11")
	same(t, "of the group", text(ada.Record(b), "contact"), "22")
	same(t, "the part of the group", text(ada.Record(lights), "what"), "Lights")
	same(t, "created", text(ada.Record(made), "contact"), "33")
	same(t, "moved", ada.Record(made).Status, "closed")
	same(t, "its part", text(ada.Record(doors), "what"), "Doors")
	issues := ada.Issues("--kind", "outdated")
	same(t, "outdated", len(issues), 2)
	same(t, "all of them", len(ada.Issues()), 2)
	same(t, "of them a group", issues[0].Group+issues[1].Group, 2)
	for _, i := range issues {
		same(t, "what is gone", i.Messages[0].Field, "note")
	}
	same(t, "nothing of a group", text(ada.Record(d), "contact"), "4")
	same(t, "a part of a group", ada.Try("record", "show", keys).Code, 1)
	contains(t, "the log", phone.Do("log"), `"note" is no longer part of the app.`, "2 changes of yours are safe there")

	// The phone is up to date now: what it does has the names of now.
	same(t, "on the phone", text(phone.Show(a).Record, "contact"), "11")
	phone.Do("set", a, "contact=12")
	phone.Do("sync")
	same(t, "under the new name", text(ada.Record(a), "contact"), "12")

	fifth := e.next("  - {to: 5, type: order, rename: {note: remark}}\n", "version: 4", "version: 5", "    lifecycle:\n", "      remark: {type: text}\n    lifecycle:\n")
	var o wire.Rehearsal
	decode(t, ada.Try("app", "rehearse", fifth, "--json").Out, &o)
	same(t, "it would fix", o.Issues.Fixed, 2)
	ada.Do("app", "publish", "--yes", fifth)
	for _, i := range issues {
		done := w.resolved(ada, i.ID)
		same(t, "by the server", done.Decider, "")
		contains(t, "why", done.Note, "the app was published")
	}
	w.completed(ada)
	phone.Do("sync", "--exit-code")
	same(t, "what was entered", text(phone.Show(c).Record, "remark"), "dented")
	same(t, "what waited behind it", phone.Show(c).Record.Status, "closed")
	same(t, "the group", text(phone.Show(d).Record, "remark")+" "+text(phone.Show(d).Record, "contact"), "locked 44")
	same(t, "the part of the group", text(phone.Show(keys).Record, "what"), "Keys")
	same(t, "what was stored before", text(ada.Record(a), "remark"), "the back door")
	same(t, "the account", ada.DeviceRow(phone.Replica()).Ledger.String(), "15 = 15 + 0 + 0 + 0")
}
