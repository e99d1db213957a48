package client

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// gap offers again from the number that the server expects.
func (c *Client) gap(tx Tx, s *state, b *batch, reply *wire.PushReply) error {
	first := b.entries[0].N
	if reply.Next < 1 || reply.Next >= first {
		return landfall.Errorf(landfall.CodeInternal, "the server expects change %d, which can't be", reply.Next).WithHint("an administrator should look at this device; nothing is lost on it")
	}
	s.Expects = &wire.Expects{Incarnation: b.inc, Next: reply.Next, LastHash: reply.LastHash}
	if err := strayAll(tx); err != nil {
		return err
	}
	if err := doubtAll(tx, func(e *Entry) bool { return e.Incarnation != b.inc }); err != nil {
		return err
	}
	return c.from(tx, s, b.inc, first-1)
}

// behind offers again what the server gave receipts for and does not have: it
// was restored to an earlier time. asked is the state when it was asked.
func (c *Client) behind(tx Tx, s, asked *state, x *wire.Expects) (offered bool, err error) {
	if x == nil || s.Incarnation != asked.Incarnation || s.AckedN != asked.AckedN {
		return false, nil // another process pushed meanwhile
	}
	s.Expects = x
	if !s.astray(x) {
		return false, nil
	}
	if o := s.Offered; o != nil && *o == *x {
		return false, nil // once: what is kept as a fork is expected for ever
	}
	s.Offered = x
	if err := strayAll(tx); err != nil {
		return false, err
	}
	if err := s.doubtLost(tx, x); err != nil {
		return false, err
	}
	all, err := tx.Entries()
	if err != nil {
		return false, err
	}
	for _, e := range all {
		offered = offered || e.unsettled()
		if e.Incarnation < x.Incarnation || e.Incarnation == x.Incarnation && e.N < x.Next {
			continue
		}
		offered = true
		if err := c.lacks(tx, e); err != nil {
			return false, err
		}
	}
	switch {
	case x.Incarnation == s.Incarnation && x.Next <= s.AckedN:
		return true, c.from(tx, s, x.Incarnation, s.AckedN)
	case x.Incarnation < s.Incarnation:
		s.AckedN, s.AckedHash = 0, ""
	}
	return offered, nil
}

// astray: the server stands elsewhere than the device's receipts say. It was
// restored, and may have heard from a copy of this device since.
func (s *state) astray(x *wire.Expects) bool {
	switch {
	case x.Incarnation != s.Incarnation:
		return true
	case x.Next <= s.AckedN || x.Next > s.Next:
		return true
	}
	return x.Next == s.AckedN+1 && x.LastHash != "" && s.AckedHash != "" && x.LastHash != s.AckedHash
}

// from offers again all numbers from the expected one to upto. What the device
// does not have any more is declared lost under its number.
func (c *Client) from(tx Tx, s *state, inc, upto int64) error {
	for n := s.Expects.Next; n <= upto; n++ {
		e, err := tx.Entry(inc, n)
		if err != nil {
			return err
		}
		if e == nil {
			b, err := encode(&landfall.Mutation{N: n, Op: landfall.OpLost, MadeAt: c.opts.Clock().UTC()})
			if err != nil {
				return err
			}
			e = &Entry{Incarnation: inc, N: n, Bytes: b, Hash: core.Hash(b), State: Sent}
		}
		if err := c.again(tx, e); err != nil {
			return err
		}
	}
	if inc == s.Incarnation {
		s.AckedN, s.AckedHash = s.Expects.Next-1, s.Expects.LastHash
	}
	return nil
}

// lacks offers an entry again that the server may not have. What its user took back
// goes as a void. A void that the server kept as a fork stays what it is, and what is
// known of it.
func (c *Client) lacks(tx Tx, e *Entry) error {
	m, err := decode(e)
	if err != nil {
		return err
	}
	if e.Reverted && (m.Op != landfall.OpVoid || e.Issue == "") {
		return c.again(tx, e)
	}
	return doubt(tx, e)
}

// again makes an entry one that the server has to answer. What its user took
// back is not offered to a server that never heard of it.
func (c *Client) again(tx Tx, e *Entry) error {
	if e.Reverted && !e.unsettled() {
		b, err := encode(&landfall.Mutation{N: e.N, Op: landfall.OpVoid, MadeAt: c.opts.Clock().UTC()})
		if err != nil {
			return err
		}
		e.Bytes, e.Hash = b, core.Hash(b)
	}
	e.State, e.Receipt, e.Outcome, e.Issue, e.Kind, e.Waiting, e.Doubted = Sent, nil, nil, "", "", false, false
	e.Astray = false
	return tx.PutEntry(e)
}

// doubt offers an entry again whose receipt may be of a history that is lost,
// though the server has something under its number: what it has of this very
// entry it answers as before, and anything else it keeps beside it.
func doubt(tx Tx, e *Entry) error {
	if e.unsettled() || e.Receipt == nil || e.Reverted && e.State == Done {
		return nil
	}
	e.State, e.Doubted = Sent, true
	return tx.PutEntry(e)
}

func doubtAll(tx Tx, which func(*Entry) bool) error {
	all, err := tx.Entries()
	for _, e := range all {
		if err == nil && e.Receipt != nil && which(e) {
			err = doubt(tx, e)
		}
	}
	return err
}

// doubtLost doubts what a server that was restored may not have: open issues, what
// it kept beside an incarnation, what it keeps of other ones, and, unless the change
// under the number before the one that it expects is this device's, all of this one.
func (s *state) doubtLost(tx Tx, x *wire.Expects) error {
	last, err := tx.Entry(x.Incarnation, x.Next-1)
	if err != nil {
		return err
	}
	same := x.LastHash == "" || last != nil && last.Hash == x.LastHash
	return doubtAll(tx, func(e *Entry) bool {
		return e.Incarnation != x.Incarnation || !same || e.State == Issued || e.Receipt.Kind == landfall.KindFork
	})
}

// restored: the history of what was pulled is lost, and all of the server's state
// comes anew. Any word on how a change ended counts more than what was said before.
func (s *state) restored(tx Tx, x *wire.Expects) error {
	if err := strayAll(tx); err != nil {
		return err
	}
	all, err := tx.Entries()
	if err != nil {
		return err
	}
	for _, e := range all {
		if e.Outcome == nil {
			continue
		}
		how := *e.Outcome
		how.Seq, e.Outcome = 0, &how
		if err := tx.PutEntry(e); err != nil {
			return err
		}
		if err := doubt(tx, e); err != nil {
			return err
		}
	}
	if x == nil {
		return nil
	}
	return s.doubtLost(tx, x)
}

// doubtMissing doubts, with all of the server's state here, changes whose receipt
// is not of its history: that was lost before it was pulled.
func doubtMissing(tx Tx, s *state, kept int64) (some bool, err error) {
	all, err := tx.Entries()
	if err != nil {
		return false, err
	}
	for _, e := range all {
		missing, err := e.missing(tx, s)
		missing = missing || e.coveredElsewhere(kept)
		if err == nil && missing {
			some, err = true, doubt(tx, e)
		}
		if err != nil {
			return some, err
		}
	}
	return some, nil
}

// strayAll notes that the server has lost history: the places in the receipts may
// be of that.
func strayAll(tx Tx) error {
	all, err := tx.Entries()
	for _, e := range all {
		if err == nil && e.Receipt != nil && !e.Astray {
			e.Astray = true
			err = tx.PutEntry(e)
		}
	}
	return err
}

// coveredElsewhere: a backup covers the place in the receipt, which is of a history
// that was lost. What the server has since then came again, at a later place.
func (e *Entry) coveredElsewhere(kept int64) bool {
	return e.Astray && !e.Reverted && e.State == Done && e.Issue == "" && e.Receipt.Seq <= kept
}

// missing: the receipt's place is beyond all that the server has, or the issue is
// not there, or is resolved without a word on the change.
func (e *Entry) missing(tx Tx, s *state) (bool, error) {
	switch {
	case e.Receipt == nil || e.Outcome != nil || e.State != Applied && e.State != Issued:
		return false, nil
	case e.Receipt.Seq > s.Seq:
		first := e.Beyond != e.Receipt.Seq // a receipt is asked for again once
		e.Beyond = e.Receipt.Seq
		return first, nil
	case e.State == Applied:
		return false, nil
	}
	issue, err := tx.Record(e.Issue)
	return err == nil && (issue == nil || issue.Status == landfall.IssueResolved), err
}

// undoubted takes the receipt of a doubted entry in, and reports whether it is known
// how the entry stands since: when the receipt is the one that it had, or when an
// outcome that was pulled before has overtaken it.
func (e *Entry) undoubted(r *landfall.Receipt) (known bool) {
	was, how := e.Receipt, e.Outcome
	e.Doubted, e.Astray = false, false
	same := was != nil && was.Result == r.Result && was.Seq == r.Seq && was.Issue == r.Issue
	switch {
	case how == nil:
		return false
	case how.Seq == 0: // of the history that was lost; what is true of it is pulled again
		e.Outcome = nil
		return false
	case !same && (r.Result != landfall.Issued || r.Kind == landfall.KindFork || how.Seq <= r.Seq):
		e.Outcome = nil
		return false
	case how.Settlement == landfall.SettledMoved:
		e.State = Issued
		return true
	case !same:
		e.Issue, e.Kind = r.Issue, r.Kind
	}
	e.State = Done
	return true
}

// heard takes an outcome that was pulled before the receipt, which now says that it is
// of this change.
func (e *Entry) heard(r *landfall.Receipt) (known bool) {
	if r.Result == landfall.Stored {
		return false
	}
	for i := range e.Heard {
		if how := &e.Heard[i]; r.Result == landfall.Issued && how.Issue == r.Issue {
			e.Outcome, e.Issue, e.Kind, e.Waiting, e.State = how, r.Issue, r.Kind, false, Done
			known = true
		}
	}
	e.Heard = nil
	return known
}

// lostThrough is the number up to which the changes that are sent were made on
// a history that the server has lost, as far as that concerns them.
func (s *state) lostThrough(inc int64, entries []*Entry) int64 {
	through := s.LostThrough
	switch {
	case inc < s.Incarnation:
		through = entries[len(entries)-1].N
	case s.Adrift:
		through = s.Next - 1
	}
	if through < entries[0].N {
		return 0
	}
	return through
}

// fork: the server has closed this incarnation, and has kept what it got of it. A
// copy of this device may have delivered what this one has not sent yet, so it asks
// for that first, and then goes on in a new incarnation. What it has receipts for
// is offered again, since the server may have been restored to a time before it gave
// them, and have got other changes under these numbers since.
func (s *state) fork(tx Tx, answered []*Entry) error {
	if err := doubtAll(tx, func(e *Entry) bool { return e.Incarnation != s.Incarnation || e.N < answered[0].N }); err != nil {
		return err
	}
	all, err := tx.Entries()
	if err != nil {
		return err
	}
	s.AskedN, s.AskTo = 0, s.Next-1
	s.Asks = slices.ContainsFunc(all, func(e *Entry) bool { return e.Incarnation == s.Incarnation && e.State == Pending })
	if s.Asks {
		return nil
	}
	return s.goOn(tx, all)
}

// delivered takes the answer in: what the server has it got from a copy, and this
// device's own number stays with it.
func delivered(tx Tx, s *state, b *batch, reply *wire.PushReply) error {
	for i := range reply.Receipts {
		e, err := tx.Entry(b.inc, reply.Receipts[i].N)
		if err != nil {
			return err
		}
		if e == nil || e.State != Pending {
			continue
		}
		e.State = Sent
		if err := tx.PutEntry(e); err != nil {
			return err
		}
	}
	s.AskedN = b.entries[len(b.entries)-1].N
	return nil
}

// goOn makes what the server never got again, under new numbers in a new incarnation.
func (s *state) goOn(tx Tx, all []*Entry) error {
	old, through := s.Incarnation, s.LostThrough
	s.Asks = false
	s.Incarnation, s.Next, s.AckedHash, s.AckedN, s.LostThrough, s.Offered = old+1, 1, "", 0, 0, nil
	renumbered := map[int64]int64{}
	for _, e := range all {
		if e.Incarnation != old || e.State != Pending {
			continue // what was sent may have arrived, and keeps its number
		}
		m, err := decode(e)
		if err != nil {
			return err
		}
		m.N = s.Next
		s.Next++
		if m.Base != nil {
			m.Base.After = renumbered[m.Base.After]
		}
		renumbered[e.N] = m.N
		if e.N <= through {
			s.LostThrough = m.N
		}
		b, err := encode(&m)
		if err != nil {
			return err
		}
		if err := tx.DeleteEntry(old, e.N); err != nil {
			return err
		}
		fresh := *e
		fresh.Incarnation, fresh.N, fresh.Bytes, fresh.Hash, fresh.State = s.Incarnation, m.N, b, core.Hash(b), Pending
		fresh.Previous = ""
		if err := tx.PutEntry(&fresh); err != nil {
			return err
		}
	}
	return nil
}
