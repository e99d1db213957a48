package client_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// place is a number of an incarnation.
type place struct{ inc, n int64 }

// taken is a change that the server has, and what it said to it.
type taken struct {
	hash    string
	receipt landfall.Receipt
}

// server places the changes of one device as the real one does, and can be
// restored. It applies what it gets, unless refuse says otherwise.
type server struct {
	epoch             string
	begun             int64 // the sequence at which the epoch began
	seq               int64
	incarnation, next int64
	last              string
	closed            int64 // incarnations up to this one
	kept              map[place][]taken
	outcomes          []landfall.Outcome
	refuse            func(n int64) landfall.Kind
}

func newServer() *server {
	return &server{epoch: "a", incarnation: 1, next: 1, kept: map[place][]taken{}}
}

// backup is the server as it is now.
func (s *server) backup() server {
	b := *s
	b.kept, b.outcomes = maps.Clone(s.kept), slices.Clone(s.outcomes)
	return b
}

// restore puts the server back; a new epoch begins.
func (s *server) restore(b server) {
	b = b.backup()
	b.epoch, b.begun = s.epoch+"'", b.seq
	*s = b
}

// copied: a copy of the device pushes changes of its own under the next numbers.
func (s *server) copied(n int) {
	for range n {
		s.take(fmt.Sprintf("of the copy: %d, %s", s.next, s.epoch))
	}
}

func (s *server) take(hash string) landfall.Receipt {
	s.seq++
	r := landfall.Receipt{N: s.next, Result: landfall.Applied, Seq: s.seq}
	if s.refuse != nil && s.refuse(s.next) != "" {
		r.Result, r.Kind, r.Issue = landfall.Issued, s.refuse(s.next), fmt.Sprint("issue-", s.seq)
	}
	s.keep(place{s.incarnation, s.next}, taken{hash, r})
	s.last, s.next = hash, s.next+1
	return r
}

func (s *server) keep(at place, k taken) {
	s.kept[at] = append(slices.Clone(s.kept[at]), k)
}

func (s *server) push(p wire.Push) (*wire.PushReply, error) {
	at := core.Position{Expected: s.next, LastHash: s.last, Closed: p.Incarnation <= s.closed}
	switch {
	case p.Incarnation > s.incarnation:
		at = core.Position{Expected: 1}
	case p.Incarnation < s.incarnation:
		at = core.Position{Expected: 1, Closed: true}
	}
	var hashes []string
	for _, m := range p.Mutations {
		hashes = append(hashes, core.Hash(m))
	}
	placed := core.Place(at, p.First, p.PreviousHash, hashes, func(n int64) (out []string) {
		for _, k := range s.kept[place{p.Incarnation, n}] {
			out = append(out, k.hash)
		}
		return out
	})
	reply := &wire.PushReply{Next: at.Expected, Gap: placed.Gap, Forked: placed.Forked}
	if p.Asks {
		for i, how := range placed.Each {
			if how == core.PlaceReplay {
				reply.Receipts = append(reply.Receipts, s.given(place{p.Incarnation, p.First + int64(i)}, hashes[i]))
			}
		}
		return reply, nil
	}
	if placed.Gap {
		reply.LastHash = at.LastHash
		return reply, nil
	}
	for i, h := range hashes {
		n := place{p.Incarnation, p.First + int64(i)}
		switch placed.Each[i] {
		case core.PlaceNext:
			if p.Incarnation > s.incarnation {
				s.incarnation, s.next, s.last = p.Incarnation, 1, ""
			}
			reply.Receipts = append(reply.Receipts, s.take(h))
			reply.Next = s.next
		case core.PlaceFork:
			s.seq++
			s.closed = max(s.closed, p.Incarnation)
			s.keep(n, taken{h, landfall.Receipt{N: n.n, Result: landfall.Issued, Seq: s.seq, Kind: landfall.KindFork, Issue: fmt.Sprint("issue-", s.seq)}})
			fallthrough
		default:
			reply.Receipts = append(reply.Receipts, s.given(n, h))
		}
	}
	reply.Behind = p.Incarnation-1 > s.closed
	return reply, nil
}

func (s *server) given(at place, hash string) landfall.Receipt {
	for _, k := range s.kept[at] {
		if k.hash == hash {
			return k.receipt
		}
	}
	return landfall.Receipt{}
}

// settle ends the issue of a change; moved, it is in another one.
func (s *server) settle(inc, n int64, how landfall.Settlement, issue string) {
	s.seq++
	s.outcomes = append(s.outcomes, landfall.Outcome{Incarnation: inc, N: n, Seq: s.seq, Settlement: how, Issue: issue})
}

func (s *server) pull(since string) (*wire.PullReply, error) {
	r := &wire.PullReply{Definition: 1, Expects: &wire.Expects{Incarnation: s.incarnation, Next: s.next, LastHash: s.last}}
	var from int64
	if since != "" {
		epoch, seq, _ := strings.Cut(since, " ")
		if _, err := fmt.Sscan(seq, &from); err != nil {
			return nil, err
		}
		if epoch != s.epoch && from > s.begun {
			r.Resync, r.Lost = true, true
			return r, nil
		}
	}
	r.Checkpoint, r.Seq = fmt.Sprint(s.epoch, " ", s.seq), s.seq
	for _, o := range s.outcomes {
		if o.Seq > from {
			r.Outcomes = append(r.Outcomes, o)
		}
	}
	for _, all := range s.kept {
		for _, k := range all {
			if rc := k.receipt; rc.Issue != "" && rc.Seq > from {
				issue := landfall.Issue{ID: rc.Issue, Version: rc.Seq, State: landfall.IssueOpen, Author: "emma", Device: "r", Kind: rc.Kind}
				rec, err := issue.AsRecord()
				if err != nil {
					return nil, err
				}
				r.Changes = append(r.Changes, wire.Pulled{Seq: rc.Seq, Type: rec.Type, ID: rec.ID, Record: rec})
			}
		}
	}
	return r, nil
}

// served is a device and the server that it talks to.
type served struct {
	*client.Client
	t      *testing.T
	fake   *fake
	server *server
	disk   client.Storage
}

func newServed(t *testing.T) *served {
	t.Helper()
	s := newServer()
	f, disk := &fake{pull: s.pull}, memory.New()
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		if len(f.pushes) > 50 {
			t.Fatal("the device pushes without end")
		}
		return s.push(p)
	}
	return &served{clientOn(t, f, disk), t, f, s, disk}
}

// make creates records and syncs.
func (d *served) make(purposes ...string) {
	d.t.Helper()
	for _, p := range purposes {
		create(d.t, d.Client, p)
	}
	sync(d.t, d.Client)
}

// push makes records, and is cut off when the server has answered: it does not
// pull what became of them.
func (d *served) push(purposes ...string) {
	d.t.Helper()
	for _, p := range purposes {
		create(d.t, d.Client, p)
	}
	for {
		pending, err := d.Pending(d.t.Context())
		if err != nil {
			d.t.Fatal(err)
		}
		if len(pending) == 0 {
			return
		}
		if _, err := d.Step(d.t.Context()); err != nil {
			d.t.Fatal(err)
		}
	}
}

// sent tells what a sync pushes: each push by its incarnation and numbers.
func (d *served) sent() string {
	d.t.Helper()
	before := len(d.fake.pushes)
	sync(d.t, d.Client)
	var out []string
	for _, p := range d.fake.pushes[before:] {
		out = append(out, fmt.Sprintf("%d: %d-%d", p.Incarnation, p.First, p.First+int64(len(p.Mutations))-1))
	}
	return strings.Join(out, ", ")
}

// entries tells where each change of the device stands: its place, its state,
// its issue, and how that ended.
func (d *served) entries() string {
	d.t.Helper()
	var out []string
	for _, e := range d.outbox() {
		s := fmt.Sprintf("%d.%d %s", e.Incarnation, e.N, e.State)
		if e.Issue != "" {
			s += " " + string(e.Kind) + " " + e.Issue
		}
		if e.Outcome != nil {
			s += " " + string(e.Outcome.Settlement)
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (d *served) outbox() (all []*client.Entry) {
	d.t.Helper()
	if err := d.disk.View(d.t.Context(), func(tx client.Tx) (err error) {
		all, err = tx.Entries()
		return err
	}); err != nil {
		d.t.Fatal(err)
	}
	return all
}

// whole checks that the server has all that the device keeps, that both say the
// same of it, and that nothing is offered again for nothing.
func (d *served) whole() {
	d.t.Helper()
	for _, e := range d.outbox() {
		r := d.server.given(place{e.Incarnation, e.N}, e.Hash)
		if r.Result == "" {
			d.t.Errorf("the server does not have %d.%d, and the device says %s", e.Incarnation, e.N, e.State)
		} else if e.Receipt == nil || e.Receipt.Seq != r.Seq || e.Receipt.Issue != r.Issue {
			d.t.Errorf("to %d.%d the server said %+v, and the device has %+v", e.Incarnation, e.N, r, e.Receipt)
		}
	}
	for range 2 {
		if again := d.sent(); again != "" {
			d.t.Errorf("offered in circles: %s", again)
		}
	}
}
