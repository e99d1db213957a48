package sim

import (
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// keep says that backups are made: from here on devices keep what they sent.
func (h *host) keep() bool {
	return h.update("a backup begins", func(w store.Writer) error {
		head, err := w.Head(workspace)
		if err != nil || head.Backups {
			return err
		}
		head.Backups, head.Covered = true, head.Seq
		return w.SetHead(workspace, *head)
	})
}

// update writes to the database beside the services, as the commands of the
// program do.
func (h *host) update(what string, f func(store.Writer) error) bool {
	if !h.up {
		return false
	}
	ok := false
	h.guard(func() {
		err := h.store.Update(h.w.ctx, f)
		ok = err == nil
		if err != nil {
			h.w.say("%s fails: %v", what, err)
		}
	})
	return ok
}

// back makes a backup, and notes what it holds.
func (h *host) back() {
	if !h.up || h.disk.broken {
		return
	}
	if !h.keep() || !h.up {
		return
	}
	db, known := h.db.Fork(), h.w.model.Clone()
	seq, held := h.head().Seq, h.head().Epoch
	h.w.say("the server is backed up at %d", seq)
	h.backup = &backup{db, known, h.w.asks.clone()}
	h.update("noting the backup", func(w store.Writer) error {
		head, err := w.Head(workspace)
		if err != nil || head.Epoch != held || seq <= head.Covered {
			return err
		}
		head.Covered = seq
		return w.SetHead(workspace, *head)
	})
}

// head is where the sequence stands, as a start would find it.
func (h *host) head() (head store.Head) {
	h.read(func(r store.Reader) error {
		x, err := r.Head(workspace)
		if x != nil {
			head = *x
		}
		return err
	})
	return head
}

// proved: a checkpoint that was given out in this epoch, and is not of the history
// that is here, proves that history was lost: a new epoch must have begun.
func (h *host) proved(before, since string, page *wire.PullPage) {
	now := h.head().Epoch
	if page.Resync && page.Lost && h.w.given[since] == before && now == before {
		h.w.violate("epoch", "a checkpoint of the epoch %s is of lost history, and no new epoch begins", short(before))
	}
	if page.Checkpoint != "" {
		h.w.given[page.Checkpoint] = now
	}
}

// restore goes back to the last backup: as the program does it, with a new epoch,
// or by a copy of the folder, of which nobody tells the server.
func (h *host) restore(told bool) {
	if h.backup == nil {
		return
	}
	h.die("to be restored")
	h.disk.recover()
	for _, d := range h.w.devices {
		d.looked() // what it handed in before it erased itself may be lost now
	}
	h.disk.next, h.disk.flaky = stays, 0
	h.db.Replace(h.backup.db)
	h.w.model, h.w.asks = h.backup.model.Clone(), h.backup.asks.clone()
	for _, x := range h.w.ledger.made {
		if x.wiped { // its device does not have it any more to offer it again
			x.excused = "the server was restored after its device was wiped"
		}
	}
	h.epoch++
	h.cuts = append(h.cuts, h.head().Seq)
	h.unclean = false
	if !told {
		h.w.met("server: an old copy was put in place")
		h.w.say("an old copy of the server's folder is put in place")
		return
	}
	h.w.met("server: restored")
	h.w.say("the server is restored from its backup")
	err := h.store.Update(h.w.ctx, func(w store.Writer) error {
		head, err := w.Head(workspace)
		if err != nil {
			return err
		}
		head.Epoch, head.Backups, head.Covered = h.ids.next(), true, head.Seq
		if err := w.SetHead(workspace, *head); err != nil {
			return err
		}
		return w.AddAudit(workspace, store.Done(store.ByRestore, store.EpochBegin, head.Epoch, h.now()).With("reason", "a backup was restored"))
	})
	if err != nil {
		h.w.violate("database", "the backup can't be restored: %v", err)
	}
}

// control does something to a device at once, as an administrator may.
func (h *host) control(replica string, what wire.DeviceAct) {
	if !h.up || replica == "" || h.w.model.Device(replica) == nil {
		return
	}
	h.guard(func() {
		who, err := h.person(administrator)
		if err == nil {
			_, err = h.accounts.Control(h.w.ctx, workspace, who.Actor, replica, what)
		}
		h.w.say("%s is to %s: %v", short(replica), what, err)
	})
}

// block keeps a device out, or lets it in again.
func (h *host) block(replica string) {
	what := wire.ActBlock
	if d := h.w.model.Device(replica); d != nil && d.Blocked {
		what = wire.ActUnblock
	}
	h.control(replica, what)
}
