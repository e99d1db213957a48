package sim

import (
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
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
	var seq int64
	var held string
	_ = memory.On(db).View(h.w.ctx, func(r store.Reader) error {
		head, err := r.Head(workspace)
		if head != nil {
			seq, held = head.Seq, head.Epoch
		}
		return err
	})
	h.w.say("the server is backed up at %d", seq)
	h.backup = &backup{db, known}
	h.update("noting the backup", func(w store.Writer) error {
		head, err := w.Head(workspace)
		if err != nil || head.Epoch != held || seq <= head.Covered {
			return err
		}
		head.Covered = seq
		return w.SetHead(workspace, *head)
	})
}

// restore goes back to the last backup: as the program does it, with a new epoch,
// or by a copy of the folder, of which nobody tells the server.
func (h *host) restore(told bool) {
	if h.backup == nil {
		return
	}
	h.die("to be restored")
	h.disk.recover()
	h.disk.next, h.disk.flaky = stays, 0
	h.db.Replace(h.backup.db)
	h.w.model = h.backup.model.Clone()
	h.epoch++
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
