package inbox

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

var ada = landfall.Actor{User: "ada"}

func amount(v string) landfall.Fields {
	return landfall.Fields{"amount": landfall.Value(`"` + v + `"`)}
}

func recordOf(t *testing.T, st store.Store, id string) (rec *landfall.Record, changes []landfall.Change) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) (err error) {
		rec, err = r.Record("w", id)
		var err2 error
		changes, err2 = r.Changes("w", id, 0)
		return errors.Join(err, err2)
	})
	if err != nil {
		t.Fatal(err)
	}
	return rec, changes
}

func itemOf(t *testing.T, in *Inbox, n int64) *wire.ItemView {
	t.Helper()
	it, err := in.Item(t.Context(), "w", landfall.Actor{User: "emma"}, fmt.Sprintf("phone.1.%d", n))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// following are an edit and a submission on top of the creation 1.
func following() []string {
	return []string{
		`{"n":2,"op":"update","type":"expense","id":"` + sheet + `1","set":{"purpose":"Rome"},"base":{"version":0,"after":1,"was":{"purpose":"one"}},"made_at":"2026-03-01T08:00:00Z"}`,
		`{"n":3,"op":"transition","transition":"submit","type":"expense","id":"` + sheet + `1","base":{"version":0,"after":2,"status":"draft"},"made_at":"2026-03-01T08:00:00Z"}`,
	}
}

// An amount is repaired: what waited behind it follows, what was sent stays, and
// everybody can tell who entered what.
func TestRepair(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin", "employee"}})
	r := pushed(t, in, 1, "", append([]string{invalid1(1)}, following()...)...)
	if got := strings.Join(results(r), ", "); got != "issue validation, issue, issue" {
		t.Fatal(got)
	}
	id := r.Receipts[0].Issue
	seen := issueOf(t, st, id)
	req := wire.Repair{Set: amount("12"), Note: "a sign too many", Version: seen.Issue.Version, DryRun: true}
	dry, err := in.Repair(t.Context(), "w", ada, id, req)
	if err != nil || dry.Settlement != landfall.SettledApplied || strings.Join(dry.Fields, ",") != "amount" {
		t.Fatalf("%+v %v", dry, err)
	}
	if rec, _ := recordOf(t, st, sheet+"1"); rec != nil || !issueOf(t, st, id).Issue.Open() {
		t.Fatal("the dry run did something")
	}
	req.DryRun = false
	done, err := in.Repair(t.Context(), "w", ada, id, req)
	if err != nil {
		t.Fatal(err)
	}
	rec, changes := recordOf(t, st, sheet+"1")
	if rec.Status != "pending-approval" || string(rec.Fields["amount"]) != `"12"` || string(rec.Fields["purpose"]) != `"Rome"` || done.Record.Version != rec.Version {
		t.Errorf("%+v", rec)
	}
	if e := rec.Edits["amount"]; e.Author != "ada" || e.By != "" {
		t.Errorf("amount: %+v", e)
	}
	if c := changes[0]; c.Author != "emma" || c.By != "ada" || c.Origin.N != 1 || c.Note != "a sign too many" || c.Issue != id {
		t.Errorf("%+v", c)
	}
	row := issueOf(t, st, id)
	if i := row.Issue; i.Settlement != landfall.SettledApplied || i.Decider != "ada" || i.Note != "a sign too many" || i.Through != 3 {
		t.Errorf("%+v", i)
	}
	if len(row.Repairs) != 1 || string(row.Sent[0]) != invalid1(1) || row.Repairs[0].Of.N != 1 || row.Repairs[0].By != "ada" {
		t.Errorf("%+v", row)
	}
	it := itemOf(t, in, 1)
	if it.Sent != invalid1(1) || len(it.Repairs) != 1 || string(it.Repairs[0].Fields[0].Sent) != `"-1"` || string(it.Repairs[0].Fields[0].Repaired) != `"12"` || it.State != string(store.Completed) {
		t.Errorf("%+v", it)
	}
	if e := audits(t, st, store.IssueRepair); len(e) != 1 || e[0].By != "ada" || e[0].Detail["fields"] != "amount" {
		t.Errorf("%+v", e)
	}
	for what, again := range map[string]wire.Repair{"as seen": req, "as it is": {Set: amount("13")}} {
		if _, err := in.Repair(t.Context(), "w", ada, id, again); landfall.CodeOf(err) != landfall.CodeConflict {
			t.Errorf("again, %s: %v", what, err)
		}
	}
}

// What can't be repaired changes nothing, and it is said what to do.
func TestRefusedRepairs(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin", "employee"}, "sven": {"sync_admin"}, "mara": {"manager"}})
	r := pushed(t, in, 1, "", invalid1(1), strings.Replace(creation(2, "two"), `"amount":"120"`, `"amount":"-1","colour":"red"`, 1))
	id, other := r.Receipts[0].Issue, r.Receipts[1].Issue
	before := issueOf(t, st, id)
	for name, c := range map[string]struct {
		who  string
		req  wire.Repair
		code landfall.Code
		says string
	}{
		"nothing":         {"ada", wire.Repair{}, landfall.CodeInvalid, "retry"},
		"as it was sent":  {"ada", wire.Repair{Set: amount("-1")}, landfall.CodeInvalid, "retry"},
		"still wrong":     {"ada", wire.Repair{Set: amount("-2")}, landfall.CodeRefused, "Enter an amount"},
		"unknown field":   {"ada", wire.Repair{Set: landfall.Fields{"amonut": landfall.Value("1")}}, landfall.CodeInvalid, "amount"},
		"not sent":        {"ada", wire.Repair{Drop: []string{"notes"}}, landfall.CodeInvalid, "sets no field notes"},
		"both":            {"ada", wire.Repair{Set: amount("3"), Drop: []string{"amount"}}, landfall.CodeInvalid, "left out"},
		"another record":  {"ada", wire.Repair{Record: sheet + "9"}, landfall.CodeInvalid, "stays"},
		"no such change":  {"ada", wire.Repair{N: 7, Set: amount("3")}, landfall.CodeNotFound, "7"},
		"seen otherwise":  {"ada", wire.Repair{Version: before.Issue.Version + 1, Set: amount("3")}, landfall.CodeConflict, "look at it again"},
		"without a right": {"sven", wire.Repair{Set: amount("3")}, landfall.CodeRefused, "your right"},
		"no member":       {"mara", wire.Repair{Set: amount("3")}, landfall.CodeNotFound, "no such issue"},
		"its author":      {"emma", wire.Repair{Set: amount("3")}, landfall.CodeForbidden, "amend"},
	} {
		_, err := in.Repair(t.Context(), "w", landfall.Actor{User: c.who}, id, c.req)
		if landfall.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	people(t, st, map[string][]string{"emma": {"manager"}})
	if _, err := in.Repair(t.Context(), "w", ada, id, wire.Repair{Set: amount("3")}); landfall.CodeOf(err) != landfall.CodeRefused || !strings.Contains(fmt.Sprint(err), "its author, emma") {
		t.Errorf("the author has no right: %v", err)
	}
	if row := issueOf(t, st, id); row.Issue.Version != before.Issue.Version || len(row.Repairs) != 0 || len(audits(t, st, store.IssueRepair)) != 0 {
		t.Errorf("something was changed: %+v", row)
	}
	// A field that the app does not have is left out.
	people(t, st, map[string][]string{"emma": {"employee"}})
	if _, err := in.Repair(t.Context(), "w", ada, other, wire.Repair{Set: amount("3"), Drop: []string{"colour"}}); err != nil {
		t.Errorf("left out: %v", err)
	}
	if rec, _ := recordOf(t, st, sheet+"2"); rec == nil || rec.Fields["colour"] != nil {
		t.Errorf("%+v", rec)
	}
}

// What can't be read is made anew of what can be rescued of it.
func TestRepairOfWhatCannotBeRead(t *testing.T) {
	in, st := stocked(t, 1)
	people(t, st, map[string][]string{"ada": {"sync_admin", "employee", landfall.Administrator}})
	bad := strings.Replace(creation(1, "one"), `"op"`, `"colour":"red","op"`, 1)
	r := pushed(t, in, 1, "", bad, `{"n":2,"op":"cre"}`, strings.Replace(strings.Replace(creation(3, "three"), `"create"`, `"update"`, 1), `,"base":{"version":0}`, "", 1))
	if got := strings.Join(results(r), ", "); got != "issue malformed, issue malformed, issue malformed" {
		t.Fatal(got)
	}
	if _, err := in.Repair(t.Context(), "w", ada, r.Receipts[0].Issue, wire.Repair{}); err != nil {
		t.Errorf("what is unknown in it is left out: %v", err)
	}
	if rec, changes := recordOf(t, st, sheet+"1"); rec == nil || string(rec.Fields["purpose"]) != `"one"` || changes[0].Author != "emma" || changes[0].By != "ada" {
		t.Errorf("%+v", rec)
	}
	second := r.Receipts[1].Issue
	if _, err := in.Repair(t.Context(), "w", ada, second, wire.Repair{Set: amount("3")}); landfall.CodeOf(err) != landfall.CodeInvalid || !strings.Contains(fmt.Sprint(err), "name the op") {
		t.Errorf("%v", err)
	}
	set := landfall.Fields{"purpose": landfall.Value(`"two"`), "amount": landfall.Value(`"3"`), "owner": landfall.Value(`"emma"`)}
	if _, err := in.Repair(t.Context(), "w", ada, second, wire.Repair{Op: landfall.OpCreate, Type: "expense", Record: sheet + "2", Set: set}); err != nil {
		t.Errorf("%v", err)
	}
	if rec, _ := recordOf(t, st, sheet+"2"); rec == nil || rec.CreatedBy != "emma" {
		t.Errorf("%+v", rec)
	}
	row := issueOf(t, st, second)
	if string(row.Sent[0]) != `{"n":2,"op":"cre"}` || !strings.Contains(strings.Join(row.Repairs[0].Fields, " "), "(form) (op) (record) (type)") {
		t.Errorf("%+v", row)
	}
	// An update without a base is based on what is there.
	people(t, st, map[string][]string{"ada": {"sync_admin", landfall.Administrator}, "emma": {"employee"}})
	if _, err := in.Repair(t.Context(), "w", ada, r.Receipts[2].Issue, wire.Repair{Record: sheet + "1"}); err != nil {
		t.Errorf("%v", err)
	}
	if rec, _ := recordOf(t, st, sheet+"1"); string(rec.Fields["purpose"]) != `"three"` {
		t.Errorf("%+v", rec)
	}
}

// One that waits is repaired by its number; what the server refuses of it is
// told, and what is before it stays the author's.
func TestRepairOfWhatWaits(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin", "employee"}, "emma": {"manager"}})
	r := pushed(t, in, 1, "", creation(1, "one"), strings.Replace(following()[0], `"purpose":"Rome"`, `"amount":"-4"`, 1))
	people(t, st, map[string][]string{"emma": {"employee"}})
	id := r.Receipts[0].Issue
	if _, err := in.Repair(t.Context(), "w", ada, id, wire.Repair{N: 2, Set: amount("4")}); err != nil {
		t.Fatal(err)
	}
	rec, changes := recordOf(t, st, sheet+"1")
	if string(rec.Fields["amount"]) != `"4"` || changes[0].By != "" || changes[0].Author != "emma" || changes[len(changes)-1].Author != "ada" {
		t.Errorf("%+v %+v", rec, changes)
	}
	if it := itemOf(t, in, 2); len(it.Repairs) != 1 {
		t.Errorf("%+v", it)
	}
	if it := itemOf(t, in, 1); len(it.Repairs) != 0 {
		t.Errorf("%+v", it)
	}
}

// A repair settles what was sent: the device's next change builds upon it.
func TestTheDeviceGoesOnAfterARepair(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin", "employee"}})
	r := pushed(t, in, 1, "", invalid1(1))
	if _, err := in.Repair(t.Context(), "w", ada, r.Receipts[0].Issue, wire.Repair{Set: amount("12")}); err != nil {
		t.Fatal(err)
	}
	r = pushed(t, in, 2, core.Hash([]byte(invalid1(1))), following()...)
	if got := strings.Join(results(r), ", "); got != "applied, applied" {
		t.Error(got)
	}
}
