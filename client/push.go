package client

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// batch is what the next request is about.
type batch struct {
	s       *state
	off     bool
	inc     int64    // incarnation of the entries
	entries []*Entry // to push; none: pull
	asks    bool     // only what the server has of them
	body    []byte
	told    wire.Contact
	wipe    bool // nothing is left to send: erase
	wiped   bool // it says that this was done
}

// The sizes of a push before a server says its limits.
const (
	pushMutations = 1000
	pushBytes     = 4 << 20
)

// batch picks what to send, and marks it as sent before it is: from then on
// its bytes never change.
func (c *Client) batch(ctx context.Context, skipStored bool) (b *batch, err error) {
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		now := c.opts.Clock()
		b = &batch{s: s, off: s.NetworkOff || now.Before(s.NotBefore)}
		if b.off {
			return nil
		}
		all, err := tx.Entries()
		if err != nil {
			return err
		}
		if s.Asks {
			if done, err := c.question(tx, b, all); done || err != nil {
				return err
			}
			if all, err = tx.Entries(); err != nil {
				return err
			}
		}
		var waiting, due []*Entry
		held, unsent := false, 0
		for _, e := range all {
			if e.unsettled() {
				waiting = append(waiting, e)
			}
			if e.unsettled() && e.State != Stored {
				unsent++
			}
			if !e.unsettled() || b.inc != 0 && b.inc != e.Incarnation {
				continue
			}
			b.inc = e.Incarnation // the oldest first
			if held = held || skipStored && e.State == Stored; held {
				continue // what comes after it has to wait for its verdict, too
			}
			if len(due) == 0 || due[len(due)-1].N+1 == e.N {
				due = append(due, e)
			}
		}
		if b.entries, err = s.fitting(due); err != nil {
			return err
		}
		behind := slices.DeleteFunc(slices.Clone(waiting), func(e *Entry) bool { return slices.Contains(b.entries, e) })
		if b.told, err = c.contact(s, len(waiting), behind); err != nil || len(b.entries) == 0 {
			b.inc, b.wipe = s.Incarnation, s.Order == wire.OrderWipe && unsent == 0
			return err
		}
		previous, err := s.previous(tx, b.inc, b.entries[0])
		if err != nil {
			return err
		}
		before := previous
		for _, e := range b.entries {
			if e.State == Pending {
				e.State, e.Previous = Sent, before
				if err := tx.PutEntry(e); err != nil {
					return err
				}
			}
			before = e.Hash
		}
		b.body, err = c.body(b, previous, len(waiting))
		return err
	})
	return b, err
}

// question makes the batch one that asks for what was never sent. When all of it is
// answered, the device goes on in a new incarnation, and there is no question.
func (c *Client) question(tx Tx, b *batch, all []*Entry) (asks bool, err error) {
	s := b.s
	var waiting, due []*Entry
	for _, e := range all {
		if e.unsettled() {
			waiting = append(waiting, e)
		}
		if e.Incarnation == s.Incarnation && e.State == Pending && e.N > s.AskedN && e.N <= s.AskTo && (len(due) == 0 || due[len(due)-1].N+1 == e.N) {
			due = append(due, e)
		}
	}
	if len(due) == 0 {
		if err := s.goOn(tx, all); err != nil {
			return false, err
		}
		return false, save(tx, s)
	}
	b.inc, b.asks = s.Incarnation, true
	if b.entries, err = s.fitting(due); err != nil {
		return false, err
	}
	if b.told, err = c.contact(s, len(waiting), waiting); err != nil {
		return false, err
	}
	b.body, err = c.body(b, "", len(waiting))
	return true, err
}

// previous is the hash of the change before the first of a push.
func (s *state) previous(tx Tx, inc int64, e *Entry) (string, error) {
	first := e.N
	if first == 1 {
		return "", nil
	}
	before, err := tx.Entry(inc, first-1)
	switch x := s.Expects; {
	case err != nil:
		return "", err
	case before != nil:
		return before.Hash, nil
	case inc == s.Incarnation && first-1 == s.AckedN:
		return s.AckedHash, nil
	case x != nil && x.Incarnation == inc && x.Next == first:
		return x.LastHash, nil // it was let go of since the server keeps it
	}
	return e.Previous, nil
}

// fitting cuts a push to size, never within a group.
func (s *state) fitting(due []*Entry) ([]*Entry, error) {
	most, size := pushMutations, 0
	if s.Definition != nil && s.Definition.Limits.Batch > 0 {
		most = min(most, s.Definition.Limits.Batch)
	}
	if s.Batch > 0 {
		most = min(most, s.Batch)
	}
	end := 0
	for end < len(due) {
		m, err := decode(due[end])
		if err != nil {
			return nil, err
		}
		n := 1
		if m.Group != nil && m.Op != landfall.OpVoid {
			n = min(m.Group.Of, len(due)-end)
		}
		for _, e := range due[end : end+n] {
			size += len(e.Bytes)
		}
		if end > 0 && (end+n > most || size > pushBytes) {
			break
		}
		end += n
	}
	return due[:end], nil
}

// body is the push; without entries it only tells of the device.
func (c *Client) body(p *batch, previous string, waiting int) ([]byte, error) {
	s, first := p.s, p.s.Next
	head := wire.Push{
		Replica: s.Replica, Incarnation: p.inc, Clock: p.told.Clock, Protocol: wire.Protocol, Definition: p.told.Definition,
		PreviousHash: previous, Checkpoint: s.Checkpoint, Waiting: waiting, Client: c.opts.Program, Oldest: p.told.Oldest, Obeys: s.Order, Asks: p.asks, Wiped: p.wiped,
	}
	if p.inc == s.Incarnation {
		head.Made = p.told.Made
	}
	if len(p.entries) > 0 {
		first, head.LostThrough = p.entries[0].N, s.lostThrough(p.inc, p.entries)
	}
	head.First = first
	sent := make([][]byte, len(p.entries))
	for i, e := range p.entries {
		sent[i] = e.Bytes
	}
	return pushBody(head, sent)
}

// pushBody writes a push by hand, so that each mutation's bytes stay as they are.
func pushBody(p wire.Push, mutations [][]byte) ([]byte, error) {
	p.Mutations = []json.RawMessage{}
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(bytes.TrimSuffix(head, []byte("]}")))
	b.Write(bytes.Join(mutations, []byte(",")))
	b.WriteString("]}")
	return b.Bytes(), nil
}

// push sends a batch. Without a reply nothing is known of it, and the same is
// sent again.
func (c *Client) push(ctx context.Context, b *batch, r *Report) (deed, error) {
	reply, err := c.opts.Transport.Push(ctx, b.body)
	if landfall.CodeOf(err) == landfall.CodeTooLarge && err != nil && len(b.entries) > 1 {
		return something, c.opts.Storage.Update(ctx, func(tx Tx) error {
			s, err := enrolled(tx)
			if err != nil {
				return err
			}
			s.Batch = len(b.entries) / 2
			return save(tx, s)
		})
	}
	if err != nil {
		return nothing, err
	}
	did := something
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		if reply.Order != "" || !storedAlone(reply) {
			s.Order = reply.Order
		}
		switch {
		case s.Incarnation != b.s.Incarnation:
			return save(tx, s) // another process was here first
		case b.asks:
			err = delivered(tx, s, b, reply)
		case reply.Gap:
			err = c.gap(tx, s, b, reply)
		default:
			if did, err = receipts(tx, s, b.inc, reply, r); err == nil && reply.Forked && b.inc == s.Incarnation {
				err = s.fork(tx, b.entries)
			}
			if err == nil && reply.Behind && s.BehindIn < b.inc {
				s.BehindIn = b.inc
				err = doubtAll(tx, func(e *Entry) bool { return e.Incarnation < b.inc })
			}
		}
		if err != nil {
			return err
		}
		return save(tx, s)
	})
	return did, err
}

// storedAlone: all that the server says is that it stored the push. It has not
// looked at the device for that, so it does not take an order back.
func storedAlone(reply *wire.PushReply) bool {
	return len(reply.Receipts) > 0 && !slices.ContainsFunc(reply.Receipts, func(r landfall.Receipt) bool { return r.Result != landfall.Stored })
}

// receipts takes the answers in.
func receipts(tx Tx, s *state, inc int64, reply *wire.PushReply, r *Report) (deed, error) {
	did := storedOnly
	if o := s.Offered; o != nil && o.Incarnation == inc && reply.Next > o.Next {
		s.Offered = nil // it took them
	}
	for i := range reply.Receipts {
		rc := reply.Receipts[i]
		e, err := tx.Entry(inc, rc.N)
		if err != nil {
			return did, err
		}
		if e == nil || !e.unsettled() {
			continue
		}
		if !understood(&rc) {
			return did, landfall.Errorf(landfall.CodeUnavailable, "what the server says to change %d can't be understood", rc.N).WithHint("nothing is lost; the same is sent again. If this stays, update the program on this device")
		}
		known := false
		if !e.Doubted || rc.Result != landfall.Stored { // or the verdict is still compared with the one before
			known = e.Doubted && e.undoubted(&rc)
			known = e.heard(&rc) || known
			e.Receipt = &rc
		}
		switch {
		case known:
		case rc.Result == landfall.Stored:
			e.State = Stored
		case rc.Result == landfall.Applied:
			e.State = Applied
			r.Applied++
		default:
			e.State, e.Issue, e.Kind, e.Waiting = Issued, rc.Issue, rc.Kind, rc.Waiting
			r.Issues++
		}
		if e.State != Stored {
			did = something
			if inc == s.Incarnation && e.N > s.AckedN { // not what was offered again
				s.AckedN, s.AckedHash = e.N, e.Hash
			}
			r.Sent++
		}
		if e.State == Applied && rc.Seq <= s.Seq && s.Checkpoint != "" {
			e.State = Done
		}
		if err := tx.PutEntry(e); err != nil {
			return did, err
		}
	}
	return did, nil
}

// understood: a receipt of another form must not take a change out of the view.
func understood(r *landfall.Receipt) bool {
	switch r.Result {
	case landfall.Stored, landfall.Applied:
		return true
	default:
		return r.Result == landfall.Issued && r.Issue != ""
	}
}
