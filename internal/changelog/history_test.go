package changelog

import (
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A folder that was copied back: the server finds out by a checkpoint that it
// gave out itself, and only then begins a new epoch. Who was not ahead goes on.
func TestLostHistoryBeginsAnEpoch(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"})
	behind := w.device("emma", "tablet")
	behind.page(9)
	pull := func(since string) (resync, lost bool, epoch string) {
		t.Helper()
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 9)
		if err != nil {
			t.Fatal(err)
		}
		return r.Resync, r.Lost, headNow(t, w).Epoch
	}
	pos, err := parse(behind.since)
	if err != nil {
		t.Fatal(err)
	}
	ahead := *pos
	ahead.seq, ahead.head, ahead.mark, ahead.seen = pos.seq+5, pos.head+5, "lost", "lost"
	for name, c := range map[string]string{"made up": ahead.encode(), "signed by another": ahead.signed("another key")} {
		if resync, lost, epoch := pull(c); !resync || !lost || epoch != "e1" {
			t.Errorf("%s: %v %v %s", name, resync, lost, epoch)
		}
	}
	if resync, lost, epoch := pull(ahead.signed("secret")); !resync || !lost || epoch != "e2" {
		t.Errorf("its own: %v %v %s", resync, lost, epoch)
	}
	if resync, lost, epoch := pull(ahead.signed("secret")); !resync || !lost || epoch != "e2" {
		t.Errorf("an epoch later: %v %v %s", resync, lost, epoch)
	}
	if resync, lost, _ := pull(behind.since); resync || lost {
		t.Error("who was not ahead must start again")
	}
	if err := w.store.View(ctx, func(r store.Reader) error {
		all, err := r.Audit(ws, store.AuditFilter{}, store.Page{Limit: 9})
		if len(all) != 1 || all[0].Action != store.EpochBegin || all[0].By != store.ByServer || all[0].Object != "e2" || all[0].At.IsZero() {
			t.Errorf("the audit has %d entries: %+v", len(all), all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// A device that is to begin again holds what it had until the new cut is whole.
// When the history of that is lost before the first page, it has to hear of it.
func TestHistoryIsLostBeforeAFullSyncBegins(t *testing.T) {
	db := kv.New()
	w := newWorld(t, memory.On(db), "emma")
	w.put(put{id: "a", owner: "emma"})
	backup := db.Fork()
	w.put(put{id: "b", owner: "emma"})
	pull := func(since string) *wire.PullReply {
		t.Helper()
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 9)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	held := pull("").Checkpoint
	w.update(func(tx store.Writer) error {
		_, err := store.AskResync(tx, ws, "", true)
		return err
	})
	again := pull(held)
	if !again.Resync || again.Lost || Acknowledged(again.Checkpoint) != 0 {
		t.Fatalf("%+v", again)
	}
	if r := pull(again.Checkpoint); r.Resync || len(r.Changes) != 2 || r.More {
		t.Errorf("it begins with %+v", r)
	}
	db.Replace(backup)
	if r := pull(again.Checkpoint); !r.Resync || !r.Lost || r.Checkpoint != "" {
		t.Errorf("after the restore it goes on: %+v", r)
	}
	err := w.store.View(ctx, func(r store.Reader) error {
		gone, _, err := w.log.Lost(r, ws, again.Checkpoint)
		if !gone {
			t.Error("what it pushes is taken to be of this history")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Who holds nothing of the history that was lost hears of it once all the same: by
// the places in its receipts a device can't tell what is still there.
func TestNewEpochIsTold(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"})
	pull := func(since string) *wire.PullReply {
		t.Helper()
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, since, 9)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	held := pull("")
	if same := pull(held.Checkpoint); held.NewEpoch || same.NewEpoch {
		t.Error("there is none yet")
	}
	w.update(func(tx store.Writer) error {
		h, err := tx.Head(ws)
		if err != nil {
			return err
		}
		h.Epoch = "after a restore"
		return tx.SetHead(ws, *h)
	})
	told := pull(held.Checkpoint)
	if !told.NewEpoch || told.Resync || told.Lost {
		t.Errorf("%+v", told)
	}
	if again := pull(told.Checkpoint); again.NewEpoch {
		t.Error("it is told twice")
	}
	w.update(func(tx store.Writer) error {
		_, err := store.AskResync(tx, ws, "", true)
		return err
	})
	if full := pull(held.Checkpoint); !full.NewEpoch || !full.Resync || full.Lost {
		t.Errorf("with a full sync: %+v", full)
	}
}

func headNow(t *testing.T, w *world) (out store.Head) {
	t.Helper()
	if err := w.store.View(ctx, func(r store.Reader) error {
		h, err := headOf(r, ws)
		out = *h
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// Devices hear what a backup covers, once backups are made: all but its last
// place, where changes without effect were answered, too, and may be younger.
func TestKeptThrough(t *testing.T) {
	w := newWorld(t, memory.New(), "emma")
	w.put(put{id: "a", owner: "emma"}, put{id: "b", owner: "emma"})
	kept := func() int64 {
		t.Helper()
		r, err := w.log.Pull(ctx, ws, "phone", landfall.Actor{User: "emma"}, "", 9)
		if err != nil {
			t.Fatal(err)
		}
		return r.KeptThrough
	}
	if n, head := kept(), headNow(t, w).Seq; n != head {
		t.Errorf("without backups devices keep what is after %d of %d", n, head)
	}
	w.update(func(tx store.Writer) error {
		h, err := headOf(tx, ws)
		if err != nil {
			return err
		}
		h.Backups, h.Covered = true, 2
		return tx.SetHead(ws, *h)
	})
	if n := kept(); n != 1 {
		t.Errorf("a backup covers 2, and devices hear %d", n)
	}
}
