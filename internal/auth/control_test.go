package auth

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// replica changes a device as the inbox would, and gives it as it is.
func (w *world) replica(id string, f func(*store.Replica)) *store.Replica {
	w.t.Helper()
	var d *store.Replica
	if err := w.store.Update(w.t.Context(), func(tx store.Writer) (err error) {
		if d, err = tx.Replica(ws, id); err != nil || f == nil {
			return err
		}
		f(d)
		return tx.PutReplica(ws, d)
	}); err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) audited(action string) int {
	w.t.Helper()
	n := 0
	w.view(func(r store.Reader) error {
		all, err := r.Audit(ws, store.AuditFilter{Action: action}, store.Page{Limit: 100})
		for _, e := range all {
			if e.Outcome == store.AuditDone {
				n++
			}
		}
		return err
	})
	return n
}

// Each act leads from state to state; doing it twice does nothing more.
func TestControl(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	for _, c := range []struct {
		acts string
		want string // state after each, or why not
	}{
		{"block block unblock unblock", "blocked blocked active active"},
		{"retire retire unblock", "retiring retiring active"},
		{"block retire", "blocked conflict"},
		{"retire block unblock", "retiring blocked active"},
		{"wipe wipe block unblock", "wiping wiping wiping active"},
		{"revoke revoke unblock retire", "revoked revoked revoked conflict"},
		{"revoke wipe", "revoked wiping"},
		{"wipe retire", "wiping conflict"},
		{"resync resync", "active active"},
	} {
		e := w.enrol("emma")
		var got []string
		for act := range strings.FieldsSeq(c.acts) {
			d, err := w.Control(t.Context(), ws, w.admin, e.Replica, wire.DeviceAct(act))
			if err != nil {
				got = append(got, string(landfall.CodeOf(err)))
				continue
			}
			got = append(got, d.State)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.acts, got, c.want)
		}
	}
	for action, want := range map[string]int{store.DeviceBlock: 4, store.DeviceUnblock: 4, store.DeviceRetire: 2, store.DeviceWipe: 3, store.DeviceRevoke: 2, store.DeviceResync: 1} {
		if n := w.audited(action); n != want {
			t.Errorf("%d of %s, want %d", n, action, want)
		}
	}
	_, err := w.Control(t.Context(), ws, w.admin, "x", "fly")
	refused(t, err, landfall.CodeInvalid, "fly")
}

// Its user may retire, wipe and revoke a device; strangers find none.
func TestWhoControls(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	w.add("otto")
	emma, otto := w.user("emma").Actor(), w.user("otto").Actor()
	for act, own := range map[wire.DeviceAct]bool{
		wire.ActBlock: false, wire.ActUnblock: false, wire.ActResync: false, wire.ActRetire: true, wire.ActWipe: true, wire.ActRevoke: true,
	} {
		e := w.enrol("emma")
		_, err := w.Control(t.Context(), ws, otto, e.Replica, act)
		refused(t, err, landfall.CodeNotFound)
		before := *w.replica(e.Replica, nil)
		_, err = w.Control(t.Context(), ws, emma, e.Replica, act)
		if own && err != nil {
			t.Errorf("%s: %v", act, err)
		}
		if !own {
			refused(t, err, landfall.CodeForbidden, "administrator")
			if after := *w.replica(e.Replica, nil); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("%s was refused, and changed %+v", act, after)
			}
		}
	}
	_, err := w.Resync(t.Context(), ws, emma, wire.Resync{All: true})
	refused(t, err, landfall.CodeForbidden)
}

// A credential that was revoked is known for what it may still do, until its
// device signs in again.
func TestVoidCredential(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	e := w.enrol("emma")
	if _, err := w.Revoke(t.Context(), ws, w.admin, e.Replica); err != nil {
		t.Fatal(err)
	}
	c, err := w.Authenticate(t.Context(), e.Credential)
	if err != nil || !c.Void || !c.Actor.Blocked || c.Replica != e.Replica {
		t.Errorf("%+v, %v", c, err)
	}
	code, err := w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "emma"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: code.Code, Replica: e.Replica}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := w.Authenticate(t.Context(), again.Credential); err != nil || c.Void || c.Actor.Blocked {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = w.Authenticate(t.Context(), e.Credential)
	refused(t, err, landfall.CodeUnauthorized)
}

// A full sync is asked of a role that there is, or of all, and is due on the
// devices that it is meant for.
func TestResync(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	w.add("mara", "manager")
	emma, mara := w.enrol("emma").Replica, w.enrol("mara").Replica
	due := func() string {
		t.Helper()
		out := ""
		for _, id := range []string{emma, mara} {
			d, err := w.Device(t.Context(), ws, w.admin, id)
			if err != nil {
				t.Fatal(err)
			}
			out += fmt.Sprint(d.ResyncDue, " ")
		}
		return strings.TrimSpace(out)
	}
	begin := func() {
		for _, id := range []string{emma, mara} {
			w.replica(id, func(d *store.Replica) { d.Resynced = 99 })
		}
	}
	for _, bad := range []wire.Resync{{}, {Role: "employee", All: true}} {
		_, err := w.Resync(t.Context(), ws, w.admin, bad)
		refused(t, err, landfall.CodeInvalid)
	}
	_, err := w.Resync(t.Context(), ws, w.admin, wire.Resync{Role: "employe"})
	refused(t, err, landfall.CodeNotFound, "employee")
	if got := due(); got != "false false" {
		t.Error(got)
	}
	for i, c := range []struct {
		req  wire.Resync
		want string
	}{{wire.Resync{Role: "employee"}, "true false"}, {wire.Resync{Role: "manager"}, "true true"}} {
		n, err := w.Resync(t.Context(), ws, w.admin, c.req)
		if err != nil || n.Number != int64(i+1) || due() != c.want {
			t.Errorf("%+v: %+v, %v, due %s", c.req, n, err, due())
		}
	}
	begin()
	if got := due(); got != "false false" {
		t.Error(got)
	}
}

// A device that comes back empty goes on in an incarnation of its own, and what it
// had reported and never sent is accounted for as lost.
func TestComesBackEmpty(t *testing.T) {
	for _, c := range []struct {
		name                      string
		made, in                  int64
		waiting                   int
		incarnation, lost, before int64 // the new incarnation, and what is lost after which number of which
	}{
		{"nothing waited", 4, 1, 0, 2, 0, 0},
		{"three waited", 7, 1, 3, 2, 3, 4},
		{"in an incarnation that never began", 2, 2, 2, 3, 2, 0},
		{"of a client that tells no numbers", 0, 0, 2, 2, 2, 4},
	} {
		w := newWorld(t)
		w.add("emma")
		e := w.enrol("emma")
		w.replica(e.Replica, func(d *store.Replica) {
			d.Next, d.Made, d.MadeIn, d.Waiting, d.Reported = 5, c.made, c.in, c.waiting, w.now.Add(-time.Hour)
		})
		code, err := w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "emma"})
		if err != nil {
			t.Fatal(err)
		}
		back, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: code.Code, Replica: e.Replica, Fresh: true}, nil)
		if err != nil || back.Incarnation != c.incarnation {
			t.Fatalf("%s: %+v, %v", c.name, back, err)
		}
		d := w.replica(e.Replica, nil)
		if d.Next != 1 || d.Closed != c.incarnation-1 || d.Emptied != c.incarnation-1 || d.Waiting != 0 {
			t.Errorf("%s: %+v", c.name, d)
		}
		l, err := w.Ledger(t.Context(), ws, w.admin, e.Replica)
		if err != nil || l.Lost != c.lost || l.Made != 4+c.lost || l.Applied != 4 || l.Pending != 0 {
			t.Errorf("%s: %+v, %v", c.name, l, err)
		}
		if c.lost > 0 && (len(d.Mishaps) != 1 || !d.Mishaps[0].Due || d.Mishaps[0].From != c.before+1 || d.Mishaps[0].To != c.before+c.lost || !d.Mishaps[0].Reported.Equal(w.now.Add(-time.Hour))) {
			t.Errorf("%s: %+v", c.name, d.Mishaps)
		}
		if c.lost == 0 && len(d.Mishaps) != 0 {
			t.Errorf("%s: %+v", c.name, d.Mishaps)
		}
	}
}
