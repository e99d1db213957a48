package inbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// refusedCreation is one that lacks its amount: an issue.
func refusedCreation(n int64) string {
	return strings.Replace(creation(n, "no amount"), `"amount":"120",`, "", 1)
}

// The bytes that an administrator may not read have no hash for them, and no part
// of it is in the number of a fork.
func TestHiddenBytesHaveNoHash(t *testing.T) {
	in, _ := stocked(t, 0)
	pushed(t, in, 1, "", creation(1, "one"))
	other := strings.Replace(creation(1, "another"), sheet+"1", sheet+"9", 1)
	pushed(t, in, 1, "", other)
	l, err := in.Items(t.Context(), "w", landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}, store.ItemFilter{}, store.Page{Limit: 9})
	if err != nil || len(l.Items) != 2 {
		t.Fatalf("%d items: %v", len(l.Items), err)
	}
	for _, it := range l.Items {
		if !it.Hidden || it.Hash != "" || it.Sent != "" {
			t.Errorf("%+v", it)
		}
	}
	hash := core.Hash([]byte(other))
	for _, it := range l.Items {
		k, err := landfall.ParseKey(it.ID)
		if err != nil {
			t.Fatal(err)
		}
		if k.Incarnation < 0 && fmt.Sprintf("%015x", -1-k.Incarnation) == hash[:15] {
			t.Errorf("the fork's number %s is of its hash %s", it.ID, hash)
		}
	}
}

// What was taken away since the reader was let in does not count any more.
func TestInboxByWhoTheReaderIsNow(t *testing.T) {
	in, st := stocked(t, 0)
	pushed(t, in, 1, "", creation(1, "one"))
	people(t, st, map[string][]string{"ada": nil})
	was := landfall.Actor{User: "ada", Roles: []string{landfall.Administrator, "manager"}}
	l, err := in.Items(t.Context(), "w", was, store.ItemFilter{}, store.Page{Limit: 9})
	if err != nil || len(l.Items) != 0 {
		t.Errorf("%d items: %v", len(l.Items), err)
	}
	if _, err := in.Item(t.Context(), "w", was, "phone.1.1"); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("%v", err)
	}
}

// Somebody who was disabled after they were let in decides and retries nothing.
func TestDisabledMeanwhile(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {"sync_admin"}})
	r := pushed(t, in, 1, "", refusedCreation(1))
	if err := st.Update(t.Context(), func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "ada", Roles: []string{"sync_admin"}, Disabled: true})
	}); err != nil {
		t.Fatal(err)
	}
	ada, issue := landfall.Actor{User: "ada", Roles: []string{"sync_admin"}}, r.Receipts[0].Issue
	if _, err := in.Resolve(t.Context(), "w", ada, issue, wire.Resolve{}); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Errorf("decides: %v", err)
	}
	if _, err := in.Retry(t.Context(), "w", ada, wire.Retry{Issues: []string{issue}}); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Errorf("retries: %v", err)
	}
}

// What depends on two issues waits in the one that arose first, even if the
// server's clock was put back between them.
func TestWaitsInTheOldest(t *testing.T) {
	in, _ := stocked(t, 0)
	ids := 100
	in.cfg.NewID = func() string { ids--; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", ids) }
	group := func(n int64, set string) string {
		return fmt.Sprintf(`{"n":%d,"op":"update","type":"expense","id":"%s%d","set":{"purpose":"%s"},"base":{"version":0,"after":%d,"was":{"purpose":"no amount"}},"group":{"id":"g","of":2},"made_at":"2026-03-01T08:00:00Z"}`, n, sheet, n-2, set, n-2)
	}
	r := pushed(t, in, 1, "", refusedCreation(1), refusedCreation(2), group(3, "a"), group(4, "b"))
	if got := strings.Join(results(r), ", "); got != "issue validation, issue validation, issue, issue" {
		t.Fatal(got)
	}
	first, second := r.Receipts[0].Issue, r.Receipts[1].Issue
	if first < second || r.Receipts[2].Issue != first || r.Receipts[3].Issue != first {
		t.Errorf("%s arose before %s, and the group waits in %s", first, second, r.Receipts[2].Issue)
	}
}

// A refused creation is seen by whoever would see the record if it were there, in
// the inbox as in the issue; so is one whose record was deleted since.
func TestRefusedCreationsAreSeenByWhoWould(t *testing.T) {
	in, _ := stocked(t, 0)
	pushed(t, in, 1, "", invalid1(1))
	for _, c := range []struct {
		roles  []string
		hidden bool
	}{
		{[]string{landfall.Administrator}, true},
		{[]string{landfall.Administrator, "manager"}, false},
		{[]string{landfall.Administrator, "employee"}, true},
	} {
		who := landfall.Actor{User: "ada", Roles: c.roles}
		l, err := in.Items(t.Context(), "w", who, store.ItemFilter{}, store.Page{Limit: 9})
		if err != nil || len(l.Items) != 1 || l.Items[0].Hidden != c.hidden || (l.Items[0].Sent == "") != c.hidden || (l.Items[0].Mutation == nil) != c.hidden {
			t.Errorf("%v: %+v %v", c.roles, l.Items, err)
		}
		found, err := in.Items(t.Context(), "w", who, store.ItemFilter{Text: `"-1"`}, store.Page{Limit: 9})
		if err != nil || (len(found.Items) == 0) != c.hidden {
			t.Errorf("%v finds %d: %v", c.roles, len(found.Items), err)
		}
	}
}

// What a change at the desk is based on, the server wrote down. Once its author does
// not see the record any more, it is not told: they need never have seen it.
func TestDeskItemOutOfSight(t *testing.T) {
	in, st := stocked(t, 0)
	app := definition.MustCompile("app.yaml", []byte(`
app: jobs
version: 1
roles: [worker, clerk]
types:
  job:
    fields: {title: {type: text}}
    lifecycle:
      initial: planned
      statuses: {planned: {}, working: {}}
      transitions: {start: {from: planned, to: working, roles: [worker]}, pause: {from: working, to: planned, roles: [worker]}}
    audience: [role:worker, {key: role:clerk, statuses: [working]}]
    rights: {worker: {create: true, update: true}, clerk: {create: true, update: true}}
`))
	app.Version = 1
	in.cfg.Definitions = published{app}
	people(t, st, map[string][]string{"emma": {"worker"}, "carl": {"clerk"}})
	do := func(who string, do wire.Do) string {
		t.Helper()
		do.Type = "job"
		done, err := in.Do(t.Context(), "w", landfall.Actor{User: who}, do)
		if err != nil {
			t.Fatal(err)
		}
		return done.Record.ID
	}
	title := func(s string) landfall.Fields { return landfall.Fields{"title": landfall.Value(`"` + s + `"`)} }
	id := do("emma", wire.Do{Op: landfall.OpCreate, Set: title("roof")})
	do("emma", wire.Do{Op: landfall.OpTransition, ID: id, Transition: "start"})
	do("carl", wire.Do{Op: landfall.OpUpdate, ID: id, Set: title("cellar")})
	shown := func() string {
		t.Helper()
		all, err := in.Items(t.Context(), "w", landfall.Actor{User: "carl"}, store.ItemFilter{User: "carl"}, store.Page{Limit: 9})
		if err != nil || len(all.Items) != 1 {
			t.Fatal(all, err)
		}
		b, err := json.Marshal(all.Items[0])
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := shown(); !strings.Contains(got, "roof") || !strings.Contains(got, "cellar") || !strings.Contains(got, `"hash"`) {
		t.Errorf("in sight: %s", got)
	}
	do("emma", wire.Do{Op: landfall.OpTransition, ID: id, Transition: "pause"})
	if got := shown(); strings.Contains(got, "roof") || strings.Contains(got, "working") || strings.Contains(got, `"hash"`) || !strings.Contains(got, "cellar") || !strings.Contains(got, `"hidden":true`) {
		t.Errorf("out of sight: %s", got)
	}
}
