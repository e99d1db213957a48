package client

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// batch is what the next request is about.
type batch struct {
	s       *state
	off     bool
	entries []*Entry // to push; none: pull
	body    []byte
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
		waiting, previous, held := 0, s.AckedHash, false
		var due []*Entry
		for _, e := range all {
			if e.unsettled() {
				waiting++
			}
			if e.Incarnation != s.Incarnation || !e.unsettled() {
				continue
			}
			if held = held || skipStored && e.State == Stored; held {
				continue // what comes after it has to wait for its verdict, too
			}
			if len(due) == 0 || due[len(due)-1].N+1 == e.N {
				due = append(due, e)
			}
		}
		if b.entries, err = s.fitting(due); err != nil || len(b.entries) == 0 {
			return err
		}
		first := b.entries[0].N
		if before, err := tx.Entry(s.Incarnation, first-1); err != nil {
			return err
		} else if before != nil {
			previous = before.Hash
		}
		if first == 1 {
			previous = ""
		}
		for _, e := range b.entries {
			if e.State == Pending {
				e.State = Sent
				if err := tx.PutEntry(e); err != nil {
					return err
				}
			}
		}
		b.body, err = c.body(s, b.entries, previous, waiting)
		return err
	})
	return b, err
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

// body writes the push by hand, so that each mutation's bytes stay as they are.
func (c *Client) body(s *state, entries []*Entry, previous string, waiting int) ([]byte, error) {
	version := int64(0)
	if s.Definition != nil {
		version = s.Definition.Version
	}
	head, err := json.Marshal(wire.Push{
		Replica: s.Replica, Incarnation: s.Incarnation, Clock: c.opts.Clock().UTC(), Protocol: wire.Protocol, Definition: version,
		First: entries[0].N, PreviousHash: previous, Waiting: waiting, Client: c.opts.Program, Mutations: []json.RawMessage{},
	})
	if err != nil {
		return nil, err
	}
	b := bytes.NewBuffer(bytes.TrimSuffix(head, []byte("]}")))
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(e.Bytes)
	}
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
		switch {
		case s.Incarnation != b.s.Incarnation:
			return nil // another process was here first
		case reply.Gap:
			err = c.gap(tx, s, reply.Next, b.entries[0].N)
		default:
			if did, err = receipts(tx, s, reply, r); err == nil && reply.Forked {
				err = c.fork(tx, s)
			}
		}
		if err != nil {
			return err
		}
		return save(tx, s)
	})
	return did, err
}

// receipts takes the answers in.
func receipts(tx Tx, s *state, reply *wire.PushReply, r *Report) (deed, error) {
	did := storedOnly
	for i := range reply.Receipts {
		rc := reply.Receipts[i]
		e, err := tx.Entry(s.Incarnation, rc.N)
		if err != nil {
			return did, err
		}
		if e == nil || !e.unsettled() {
			continue
		}
		if !understood(&rc) {
			return did, landfall.Errorf(landfall.CodeUnavailable, "what the server says to change %d can't be understood", rc.N).WithHint("nothing is lost; the same is sent again. If this stays, update the program on this device")
		}
		e.Receipt = &rc
		switch rc.Result {
		case landfall.Stored:
			e.State = Stored
		case landfall.Applied:
			e.State = Applied
			r.Applied++
		default:
			e.State, e.Issue, e.Kind, e.Waiting = Issued, rc.Issue, rc.Kind, rc.Waiting
			r.Issues++
		}
		if e.State != Stored {
			did = something
			s.AckedN, s.AckedHash = e.N, e.Hash
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

// gap offers again from the number that the server expects. What the device
// does not have any more is declared lost under its number.
func (c *Client) gap(tx Tx, s *state, next, first int64) error {
	if next < 1 || next >= first {
		return landfall.Errorf(landfall.CodeInternal, "the server expects change %d, which can't be", next).WithHint("an administrator should look at this device; nothing is lost on it")
	}
	for n := next; n < first; n++ {
		e, err := tx.Entry(s.Incarnation, n)
		if err != nil {
			return err
		}
		if e == nil {
			b, err := encode(&landfall.Mutation{N: n, Op: landfall.OpLost, MadeAt: c.opts.Clock().UTC()})
			if err != nil {
				return err
			}
			e = &Entry{Incarnation: s.Incarnation, N: n, Bytes: b, Hash: core.Hash(b)}
		}
		e.State = Sent
		if err := tx.PutEntry(e); err != nil {
			return err
		}
	}
	return nil
}

// fork goes on in a new incarnation: the server has closed this one, and has
// kept what it got of it. What it never got is made again under new numbers.
func (c *Client) fork(tx Tx, s *state) error {
	all, err := tx.Entries()
	if err != nil {
		return err
	}
	old := s.Incarnation
	s.Incarnation, s.Next, s.AckedHash, s.AckedN = old+1, 1, "", 0
	renumbered := map[int64]int64{}
	for _, e := range all {
		if e.Incarnation != old || !e.unsettled() {
			continue
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
		b, err := encode(&m)
		if err != nil {
			return err
		}
		if err := tx.DeleteEntry(old, e.N); err != nil {
			return err
		}
		again := *e
		again.Incarnation, again.N, again.Bytes, again.Hash, again.State = s.Incarnation, m.N, b, core.Hash(b), Pending
		if err := tx.PutEntry(&again); err != nil {
			return err
		}
	}
	return nil
}
