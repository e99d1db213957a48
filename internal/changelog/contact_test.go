package changelog

import (
	"errors"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A full sync that is asked for makes each checkpoint of before void, once, for
// the devices that it is meant for; what is under way begins again.
func TestForcedFullSync(t *testing.T) {
	w := newWorld(t, memory.New(), "emma", "mara")
	w.update(func(tx store.Writer) error {
		return errors.Join(tx.PutUser(ws, &store.User{Name: "emma", Roles: []string{"technician"}}),
			tx.PutReplica(ws, &store.Replica{ID: "phone", User: "emma"}), tx.PutReplica(ws, &store.Replica{ID: "tablet", User: "mara"}))
	})
	w.put(put{id: "a", owner: "emma"}, put{id: "b", owner: "emma"}, put{id: "c", owner: "mara"})
	emma, mara := landfall.Actor{User: "emma"}, landfall.Actor{User: "mara"}
	pull := func(d string, a landfall.Actor, since string) *wire.PullReply {
		t.Helper()
		r, err := w.log.Pull(ctx, ws, d, a, since, 1)
		if err != nil || r.Lost {
			t.Fatal(r, err)
		}
		return r
	}
	ask := func(role string, all bool, device string) {
		t.Helper()
		w.update(func(tx store.Writer) error {
			n, err := store.AskResync(tx, ws, role, all)
			if err == nil && device != "" {
				var d *store.Replica
				if d, err = tx.Replica(ws, device); err == nil {
					d.Resync = n
					err = tx.PutReplica(ws, d)
				}
			}
			return err
		})
	}
	old, others := pull("phone", emma, "").Checkpoint, pull("tablet", mara, "").Checkpoint
	for _, c := range []struct {
		role         string
		all          bool
		device       string
		emma, marias bool // whose begins again
	}{{role: "technician", emma: true}, {device: "tablet", marias: true}, {all: true, emma: true, marias: true}, {role: "manager"}} {
		ask(c.role, c.all, c.device)
		if r := pull("phone", emma, old); r.Resync != c.emma || r.Resync && (len(r.Changes) > 0 || r.Checkpoint == "" || r.Seq != 0) {
			t.Errorf("%+v: %+v", c, r)
		}
		if r := pull("tablet", mara, others); r.Resync != c.marias {
			t.Errorf("%+v: %+v", c, r)
		}
		if c.emma {
			first := pull("phone", emma, "")
			if r := pull("phone", emma, first.Checkpoint); r.Resync {
				t.Errorf("%+v: in its middle it begins again", c)
			}
			old = first.Checkpoint
		}
		if c.marias {
			others = pull("tablet", mara, "").Checkpoint
		}
	}
	if p, err := parse(old); err != nil || p.forced != 3 {
		t.Errorf("%+v, %v", p, err)
	}
}

// What a device tells with a pull is noted when it is news.
func TestToldWithAPull(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	barred := 0
	w.log.barred = func() { barred++ }
	w.update(func(tx store.Writer) error {
		return tx.PutReplica(ws, &store.Replica{ID: "phone", User: "emma", Credential: "c", Incarnation: 1, Next: 4, Retiring: true})
	})
	tell := func(after time.Duration, told wire.Contact) (d *store.Replica) {
		t.Helper()
		w.now = w.now.Add(after)
		told.Clock, told.Incarnation = w.now.Add(time.Hour), 1
		err := w.log.Heard(ctx, ws, "phone", "", &wire.PullPage{}, &told)
		if err == nil {
			err = w.store.View(ctx, func(r store.Reader) (err error) { d, err = r.Replica(ws, "phone"); return err })
		}
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	first := tell(0, wire.Contact{Made: 5, Waiting: 2, Client: "program 1"})
	if first.Waiting != 2 || first.Made != 5 || first.Client != "program 1" || first.Skew != time.Hour {
		t.Errorf("%+v", first)
	}
	if d := tell(time.Second, wire.Contact{Made: 5, Waiting: 2, Client: "program 1"}); !d.LastPull.Equal(first.LastPull) {
		t.Errorf("nothing new was written: %+v", d)
	}
	if d := tell(time.Second, wire.Contact{Made: 6, Waiting: 3}); d.Waiting != 3 || !d.LastPull.Equal(w.now) {
		t.Errorf("%+v", d)
	}
	if d := tell(time.Second, wire.Contact{Made: 3, Obeys: wire.OrderRetire}); d.State() != store.Blocked || barred != 1 {
		t.Errorf("%s, barred %d times", d.State(), barred)
	}
	_, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "", 9)
	expect(t, err, landfall.CodeForbidden, "blocked")
}
