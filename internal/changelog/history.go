package changelog

import (
	"context"
	"errors"

	"github.com/landfall-sync/landfall/internal/store"
)

// Lost reports whether a checkpoint is of a history that the store does not
// have. Proved means that it was given out in the current epoch, so that history
// was lost without a new epoch: somebody put an old copy in place.
func (l *Log) Lost(r store.Reader, ws, checkpoint string) (gone, proved bool, err error) {
	pos, err := parse(checkpoint)
	if errors.Is(err, errMalformed) || errors.Is(err, errFormat) {
		return true, false, nil // whatever it was, versions can't be trusted
	}
	if err != nil {
		return false, false, err
	}
	head, err := headOf(r, ws)
	if err != nil {
		return false, false, err
	}
	gone, err = lost(r, ws, head, pos)
	return gone, gone && pos.epoch == head.Epoch && genuine(checkpoint, head.Key), err
}

// begin begins a new epoch, unless somebody did.
func (l *Log) begin(ctx context.Context, ws, old string) error {
	return l.store.Update(ctx, func(w store.Writer) error {
		head, err := headOf(w, ws)
		if err != nil || head.Epoch != old {
			return err
		}
		head.Epoch = l.newID()
		began := store.Done(store.ByServer, store.EpochBegin, head.Epoch, l.clock().UTC()).With("reason", "history was lost")
		if err := w.AddAudit(ws, began); err != nil {
			return err
		}
		return w.SetHead(ws, *head)
	})
}
