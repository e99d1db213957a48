package client

import (
	"bytes"
	"context"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// seenName marks, while a resync runs, the records that came again: with the
// number of the resync, since one that was broken off leaves its marks.
const seenName = "seen:"

func (s *state) seen() []byte { return strconv.AppendInt(nil, s.Resyncs, 10) }

// pull takes in one page.
func (c *Client) pull(ctx context.Context, b *batch, r *Report) (deed, error) {
	reply, err := c.opts.Transport.Pull(ctx, b.s.Checkpoint, c.opts.Page, b.told)
	if refused(err) {
		return c.ask(ctx, b, err)
	}
	if err != nil {
		return nothing, err
	}
	if b.s.Definition == nil || reply.Definition != b.s.Definition.Version {
		if err := c.Refresh(ctx); err != nil {
			return nothing, err
		}
	}
	did := something
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		if s.Checkpoint != b.s.Checkpoint {
			return nil // another process was here first
		}
		if reply.NewEpoch || reply.Resync && reply.Checkpoint == "" { // of a checkpoint that can't be read, nobody knows
			if err := strayAll(tx); err != nil {
				return err
			}
		}
		offered, err := c.behind(tx, s, b.s, reply.Expects)
		if err != nil {
			return err
		}
		offered = offered || s.Order != reply.Order // it hears at once that the device obeys
		s.Order = reply.Order
		if reply.Resync {
			if err := s.anew(tx, reply.Checkpoint, reply.Expects, reply.Lost); err != nil {
				return err
			}
			return save(tx, s)
		}
		if !s.Resyncing && !reply.More && len(reply.Changes) == 0 && len(reply.Outcomes) == 0 && reply.Checkpoint == s.Checkpoint {
			if !offered {
				did = nothing
			}
			return save(tx, s)
		}
		r.Received += len(reply.Changes)
		if err := takeIn(tx, s, reply); err != nil {
			return err
		}
		if !reply.More {
			missed, err := doubtMissing(tx, s, reply.KeptThrough)
			if err != nil {
				return err
			}
			offered = offered || missed
		}
		if !reply.More && !offered {
			did = nothing
		}
		return save(tx, s)
	})
	return did, err
}

// anew begins a full sync. What is shown stays until the new cut is whole. The
// checkpoint tells, should the server lose the history of that meanwhile; of one that
// is lost there is none.
func (s *state) anew(tx Tx, checkpoint string, x *wire.Expects, lost bool) error {
	s.Checkpoint, s.Seq, s.Resyncing, s.Adrift = checkpoint, 0, true, s.Adrift || lost
	s.Resyncs++
	if !lost {
		return nil
	}
	return s.restored(tx, x)
}

// takeIn brings a page, its checkpoint, and the end of what it settles into the
// replica in one local transaction: nothing flickers, nothing shows twice.
func takeIn(tx Tx, s *state, reply *wire.PullReply) error {
	for i := range reply.Changes {
		p := &reply.Changes[i]
		var err error
		if p.Gone || p.Record == nil {
			err = tx.DeleteRecord(p.ID)
		} else {
			err = tx.PutRecord(p.Record)
		}
		if err == nil && s.Resyncing {
			mark := s.seen()
			if p.Gone {
				mark = nil
			}
			err = tx.SetValue(seenName+p.ID, mark)
		}
		if err != nil {
			return err
		}
	}
	s.Checkpoint, s.Seq = reply.Checkpoint, reply.Seq
	for i := range reply.Outcomes {
		if err := settle(tx, &reply.Outcomes[i]); err != nil {
			return err
		}
	}
	if err := cover(tx, reply); err != nil {
		return err
	}
	if s.Resyncing && !reply.More {
		s.Resyncing = false
		if s.Adrift {
			s.Adrift, s.LostThrough = false, s.Next-1
		}
		return dropUnseen(tx, s.seen())
	}
	return nil
}

// settle notes how an issue, or what waited in it, ended.
func settle(tx Tx, o *landfall.Outcome) error {
	e, err := tx.Entry(o.Incarnation, o.N)
	if err != nil || e == nil || e.Outcome != nil && e.Outcome.Seq > o.Seq {
		return err
	}
	if e.State == Pending || o.Settlement == "" || o.Settlement == landfall.SettledMoved && o.Issue == "" {
		return nil // it was never sent, or nobody could find it again
	}
	if o.Settlement != landfall.SettledMoved && o.Issue != "" && o.Issue != e.Issue {
		e.Heard = append(e.Heard, *o)
		return tx.PutEntry(e)
	}
	e.Outcome = o
	if o.Settlement == landfall.SettledMoved {
		e.State, e.Issue, e.Kind, e.Waiting = Issued, o.Issue, o.Kind, o.Kind == ""
	} else {
		e.State = Done
	}
	return tx.PutEntry(e)
}

// cover lets applied entries go whose effect the page covers. What a backup of
// the server covers is not kept any longer, unless the log shows it.
func cover(tx Tx, reply *wire.PullReply) error {
	all, err := tx.Entries()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.State == Applied && e.Receipt.Seq <= reply.Seq {
			e.State = Done
			if err := tx.PutEntry(e); err != nil {
				return err
			}
		}
		if e.State == Done && e.Issue == "" && e.Receipt != nil && e.Receipt.Seq <= reply.KeptThrough && !e.Astray {
			if err := tx.DeleteEntry(e.Incarnation, e.N); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropUnseen removes what a resync did not bring again.
func dropUnseen(tx Tx, mark []byte) error {
	all, err := tx.Records("")
	if err != nil {
		return err
	}
	for _, r := range all {
		seen, err := tx.Value(seenName + r.ID)
		if err == nil && !bytes.Equal(seen, mark) {
			err = tx.DeleteRecord(r.ID)
		}
		if err == nil && seen != nil {
			err = tx.SetValue(seenName+r.ID, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
