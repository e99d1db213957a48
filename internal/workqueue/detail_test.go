package workqueue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func (w *world) detail(who, ref string) *wire.IssueDetail {
	w.t.Helper()
	return must[*wire.IssueDetail](w.t)(w.desk.Issue(ctx, ws, actor(who), ref))
}

func TestDetailForAuthorAndAudience(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "approved")
	w.conflict("aa-1", 1, "e1")
	w.update(func(tx store.Writer) error {
		for n, rec := range map[int64]string{2: "e1", 3: "e9"} {
			it := &store.Item{
				Key: landfall.Key{Replica: "phone", Incarnation: 1, N: n}, User: "emma", Record: rec, Type: "expense", Holder: "aa-1",
				Bytes: fmt.Appendf(nil, `{"n":%d,"op":"transition","type":"expense","id":%q,"transition":"submit"}`, n, rec),
			}
			if err := tx.PutItem(ws, it); err != nil {
				return err
			}
		}
		return nil
	})
	d := w.detail("emma", "1")
	if len(d.Sent) != 3 || d.Sent[0].Waiting || !d.Sent[1].Waiting || d.Sent[2].Record != "e9" || d.Through != 2 {
		t.Fatalf("sent: %+v, through %d", d.Sent, d.Through)
	}
	for _, s := range d.Sent {
		if s.Raw == "" || s.Mutation == nil {
			t.Errorf("Emma does not see all of what she sent: %+v", s)
		}
	}
	if d.Server == nil || d.RecordVersion != d.Server.Version || d.ServerHidden || len(d.Compare) == 0 {
		t.Errorf("the server's side for Emma: %+v", d)
	}
	if fmt.Sprint(d.Before, d.After) != "[] [submit]" {
		t.Errorf("Emma may make %v, ever %v", d.Before, d.After)
	}
	columns := map[string]string{}
	for _, c := range d.Compare {
		columns[c.Field] = fmt.Sprintf("%s|%s|%s", c.Base, c.Device, c.Server)
	}
	if columns["amount"] != `"120"|"140"|"120"` {
		t.Errorf("columns: %v", columns)
	}
}

func TestDetailHidesTheRecordFromOthers(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "approved")
	w.conflict("aa-1", 1, "e1")
	d := w.detail("sven", "1") // decides, but may not see the report
	if d.Server != nil || !d.ServerHidden || d.RecordVersion != 0 || len(d.Compare) != 0 || d.Before != nil || d.RecordNumber != "" {
		t.Errorf("for Sven: %+v", d)
	}
	if len(d.Sent) != 1 || d.Sent[0].Raw != "" || d.Sent[0].Mutation == nil || d.Sent[0].Mutation.Op != landfall.OpUpdate {
		t.Errorf("sent, for Sven: %+v", d.Sent)
	}
	b, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"140", "120", "EXP-1001"} {
		if strings.Contains(string(b), secret) {
			t.Errorf("Sven sees %s in %s", secret, b)
		}
	}
	_, err = w.desk.Issue(ctx, ws, actor("otto"), "1")
	expect(t, err, landfall.CodeNotFound)

	// The author lost sight of the record: what was sent stays theirs.
	w.put(landfall.Record{Type: "expense", ID: "e1", Number: "EXP-1001", Status: "approved", Fields: landfall.Fields{"amount": landfall.Value(`"999"`)}}, "role:manager")
	d = w.detail("emma", "1")
	b, err = json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if d.Server != nil || d.ServerHidden || d.Sent[0].Raw == "" || strings.Contains(string(b), "999") {
		t.Errorf("for Emma, who lost the report: %s", b)
	}
}

func TestDetailOfWhatIsNotThere(t *testing.T) {
	w := newWorld(t)
	raw := `{"n":7,"op":"create","type":"expense","id":"e7","set":{"owner":"emma","amount":"12"}}`
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "aa-1", Number: 1, Kind: landfall.KindValidation, Queue: "approvals", RecordType: "expense", Record: "e7", Op: landfall.OpCreate, Author: "emma", Device: "phone", Incarnation: 1, N: 7,
	}, Sent: [][]byte{[]byte(raw)}}, "user:emma", "role:manager", "role:sync_admin")
	if d := w.detail("mara", "1"); d.Sent[0].Raw != raw || d.Through != 7 || d.ServerHidden {
		t.Errorf("Mara could see the report if it were there: %+v", d)
	}
	if d := w.detail("sven", "1"); d.Sent[0].Raw != "" || d.Sent[0].Mutation.Set != nil {
		t.Errorf("Sven could not: %+v", d.Sent)
	}
	broken := `{"n":8,`
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "aa-2", Number: 2, Kind: landfall.KindMalformed, Queue: landfall.FallbackQueue, Author: "emma", Device: "phone", Incarnation: 1, N: 8,
	}, Sent: [][]byte{[]byte(broken)}}, "user:emma", "role:administrator", "role:manager")
	for who, want := range map[string]string{"emma": broken, "ada": broken, "mara": ""} {
		if d := w.detail(who, "2"); d.Sent[0].Raw != want || d.Sent[0].N != 8 || d.Sent[0].Mutation != nil {
			t.Errorf("malformed, for %s: %+v", who, d.Sent)
		}
	}
	// A deleted record is seen by who could see it.
	w.expense("e3", "EXP-3", "draft")
	w.put(landfall.Record{Type: "expense", ID: "e3", Number: "EXP-3", Status: "draft", Deleted: true, Fields: landfall.Fields{"owner": landfall.Value(`"emma"`)}})
	w.conflict("aa-3", 3, "e3")
	w.raise(store.IssueRow{Issue: landfall.Issue{
		ID: "aa-4", Number: 4, Kind: landfall.KindGone, Queue: "approvals", RecordType: "expense", Record: "e3", Author: "emma", Device: "phone", Incarnation: 1, N: 4,
	}, Sent: [][]byte{[]byte(`{"n":4,"op":"update","type":"expense","id":"e3","set":{"amount":"77"}}`)}}, "user:emma", "role:manager", "role:sync_admin")
	if d := w.detail("mara", "4"); d.Sent[0].Raw == "" || d.Server != nil {
		t.Errorf("for Mara: %+v", d)
	}
	if d := w.detail("sven", "4"); d.Sent[0].Raw != "" || d.ServerHidden {
		t.Errorf("for Sven: %+v", d)
	}
}

func TestDetailOffersTransitions(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1001", "approved")
	w.conflict("aa-1", 1, "e1")
	w.update(func(tx store.Writer) error {
		return tx.PutUser(ws, &store.User{Name: "sven", Roles: []string{"sync_admin", "manager"}})
	})
	d := w.detail("sven", "1")
	if fmt.Sprint(d.Before, d.After) != "[reopen] [submit approve reopen]" {
		t.Errorf("before %v, after %v", d.Before, d.After)
	}
}
