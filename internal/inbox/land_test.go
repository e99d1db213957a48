package inbox

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

var chief = landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}

// landed lands a push by an administrator, and steps the inbox meanwhile.
func landed(t *testing.T, in *Inbox, body []byte) (*wire.PushReply, error) {
	t.Helper()
	stop := work(t, in)
	defer stop()
	return in.Land(t.Context(), "w", chief, "phone", body)
}

func withAda(t *testing.T, st store.Store) {
	t.Helper()
	if err := st.Update(t.Context(), func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "ada", Roles: []string{landfall.Administrator}})
	}); err != nil {
		t.Fatal(err)
	}
}

func replicaOf(t *testing.T, st store.Store) (d *store.Replica) {
	t.Helper()
	if err := st.View(t.Context(), func(r store.Reader) (err error) { d, err = r.Replica("w", "phone"); return err }); err != nil {
		t.Fatal(err)
	}
	return d
}

// What is landed is judged as the device's user, once: again, and from the device,
// it gets the receipts that it has. The items and the audit say who landed it; the
// device itself was not heard.
func TestLand(t *testing.T) {
	in, st := stocked(t, 0)
	withAda(t, st)
	b := body(t, 1, creation(1, "one"), creation(2, "two"))
	first, err := landed(t, in, b)
	if err != nil || strings.Join(results(first), " ") != "applied applied" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := landed(t, in, b)
	if err != nil || again.Receipts[0].Seq != first.Receipts[0].Seq {
		t.Errorf("%+v, %v", again, err)
	}
	if d := replicaOf(t, st); !d.LastContact.IsZero() || !d.LastPush.IsZero() || d.Next != 3 {
		t.Errorf("%+v", d)
	}
	own, err := offered(t, in, body(t, 1, creation(1, "one"), creation(2, "two"), creation(3, "three")))
	if err != nil || own.Receipts[1].Seq != first.Receipts[1].Seq || results(own)[2] != "applied" {
		t.Errorf("%+v, %v", own, err)
	}
	l, err := in.Items(t.Context(), "w", landfall.Actor{User: "emma"}, store.ItemFilter{}, store.Page{Limit: 9})
	if err != nil || len(l.Items) != 3 || l.Items[0].History[0].By != "" || l.Items[1].History[0].By != "ada" || !strings.Contains(l.Items[1].History[0].Text, "landed") || l.Items[1].User != "emma" {
		t.Errorf("%+v, %v", l.Items, err)
	}
	if err := st.View(t.Context(), func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{Action: store.DeviceLand}, store.Page{Limit: 9})
		if len(all) != 2 || all[1].By != "ada" || all[1].Detail["new"] != "2" || all[0].Detail["new"] != "0" {
			t.Errorf("%+v", all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoLands(t *testing.T) {
	in, st := stocked(t, 0)
	withAda(t, st)
	for _, c := range []struct {
		actor  landfall.Actor
		device string
		code   landfall.Code
	}{
		{landfall.Actor{User: "emma", Roles: []string{landfall.Administrator}}, "phone", landfall.CodeForbidden}, // not any more
		{chief, "none", landfall.CodeNotFound}, {chief, "phone", landfall.CodeForbidden}, // of another device
	} {
		b := []byte(strings.Replace(string(body(t, 1, creation(1, "one"))), `"replica":"phone"`, `"replica":"other"`, 1))
		if _, err := in.Land(t.Context(), "w", c.actor, c.device, b); landfall.CodeOf(err) != c.code {
			t.Errorf("%s on %s: %v", c.actor.User, c.device, err)
		}
	}
	if n := headOf(t, st).Seq; n != 0 {
		t.Errorf("%d verdicts were committed", n)
	}
}

// The server dies between capture and verdict: the next one still knows who landed it.
func TestLandedThroughACrash(t *testing.T) {
	in, st := stocked(t, 0)
	withAda(t, st)
	broken := &failing{Store: st, after: 1}
	first := New(withStore(in.cfg, broken))
	first.cfg.Patience, first.cfg.Unclean = time.Nanosecond, true
	done := make(chan error, 1)
	go func() {
		_, err := first.Land(t.Context(), "w", chief, "phone", body(t, 1, creation(1, "one")))
		done <- err
	}()
	<-first.Offered()
	if _, err := first.Step(t.Context()); err == nil {
		t.Fatal("the store's trouble was kept from the caller")
	}
	if err := <-done; err != nil && landfall.CodeOf(err) != landfall.CodeBusy {
		t.Errorf("neither stored nor busy: %v", err)
	}
	second := New(in.cfg)
	if worked, err := second.Step(t.Context()); !worked || err != nil {
		t.Fatalf("%v %v", worked, err)
	}
	l, err := second.Items(t.Context(), "w", chief, store.ItemFilter{}, store.Page{Limit: 9})
	if err != nil || len(l.Items) != 1 || l.Items[0].History[0].By != "ada" {
		t.Errorf("%+v, %v", l.Items, err)
	}
}

// The clock of an export is read as if the device had sent it now.
func TestClockOfAnExport(t *testing.T) {
	in, st := stocked(t, 0)
	withAda(t, st)
	now := in.cfg.Clock()
	if err := st.Update(t.Context(), func(w store.Writer) error {
		d, err := w.Replica("w", "phone")
		d.Told, d.Skew = now.Add(-24*time.Hour), time.Hour // ahead by an hour
		return errors.Join(err, w.PutReplica("w", d))
	}); err != nil {
		t.Fatal(err)
	}
	made := now.Add(-3 * time.Hour)
	raw := strings.Replace(creation(1, "one"), "2026-03-01T08:00:00Z", made.Add(time.Hour).Format(time.RFC3339), 1)
	var p wire.Push
	if err := json.Unmarshal(body(t, 1, raw), &p); err != nil {
		t.Fatal(err)
	}
	p.Clock = now.Add(-time.Hour) // two hours later, by its clock
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if r, err := landed(t, in, b); err != nil || results(r)[0] != "applied" {
		t.Fatalf("%+v, %v", r, err)
	}
	if d := replicaOf(t, st); !d.LastEdit.Equal(made) {
		t.Errorf("edited at %s, want %s", d.LastEdit, made)
	}
}

// What a device is found to have lost becomes one issue, whoever comes first: the
// sign-in, or the next push.
func TestLossesOnce(t *testing.T) {
	for _, byPush := range []bool{false, true} {
		in, st := stocked(t, 0)
		if err := st.Update(t.Context(), func(w store.Writer) error {
			d, err := w.Replica("w", "phone")
			d.Closed = 1
			d.Leave(2)
			d.Found(store.Mishap{At: in.cfg.Clock(), What: store.MishapEvicted, Incarnation: 1, From: 1, To: 3, Reported: in.cfg.Clock(), Due: true})
			return errors.Join(err, w.PutReplica("w", d))
		}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if byPush {
				if _, err := offered(t, in, body(t, 1)); err != nil {
					t.Fatal(err)
				}
			} else if err := in.Losses(t.Context(), "w", "phone"); err != nil {
				t.Fatal(err)
			}
		}
		if err := st.View(t.Context(), func(r store.Reader) error {
			all, err := r.Issues("w", store.IssueFilter{}, store.Page{Limit: 9})
			if len(all) != 1 || all[0].Issue.Kind != landfall.KindLost || !strings.HasPrefix(all[0].Issue.Messages[0].Text, "3 changes") {
				t.Errorf("by push %t: %+v", byPush, all)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
