package inbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

type result struct {
	reply *wire.PushReply
	err   error
}

// captured is a push that is not judged yet. It is stored when its row has an ID.
type captured struct {
	ws     string
	row    store.Push
	push   wire.Push
	read   []unit // its units, once: judging changes them
	hashes []string
	held   int64    // bytes that it counts in the backlog
	offer  *Offered // who waits for it; nil after a restart
}

// hold counts the push to the backlog, and gives the bytes of all of it.
func (in *Inbox) hold(c *captured) int64 {
	c.held = int64(len(c.row.Body))
	return in.backlog.Add(c.held)
}

func (in *Inbox) release(c *captured) {
	in.backlog.Add(-c.held)
	c.held = 0
}

// divided are the units of the push as they came. Whoever sent it has read them
// already, beside the one who judges.
func (c *captured) divided(in *Inbox) []unit {
	units := c.read
	c.read = nil
	if units == nil {
		units = in.units(&c.push)
	}
	return units
}

// Push takes a device's mutations in. It returns when they are judged, or after
// the inbox's patience with receipts that say stored. An error means that
// nothing is known to be stored: the device sends the same again.
func (in *Inbox) Push(ctx context.Context, ws string, d Device, body []byte) (*wire.PushReply, error) {
	w, err := in.Offer(ctx, ws, d, body)
	if err != nil {
		return nil, err
	}
	return in.await(ctx, w)
}

func (in *Inbox) await(ctx context.Context, w *Offered) (*wire.PushReply, error) {
	patience := time.NewTimer(in.cfg.Patience)
	defer patience.Stop()
	select {
	case <-w.done:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-patience.C:
	}
	return w.Reply()
}

// Offer is Push for those who do not wait in a goroutine: what it returns has
// the reply once a Step has judged the push.
func (in *Inbox) Offer(ctx context.Context, ws string, d Device, body []byte) (*Offered, error) {
	return in.offer(ctx, ws, d, "", body)
}

// offer takes a push in from a device, or by way of an administrator.
func (in *Inbox) offer(ctx context.Context, ws string, d Device, by string, body []byte) (*Offered, error) {
	p, err := in.parse(d, body)
	if err != nil {
		return nil, err
	}
	hashed := hashes(p)
	o := &Offered{in: in, push: p, done: make(chan struct{}), stored: make(chan struct{})}
	if p.Asks || in.crowded() && len(p.Mutations) > 0 {
		early, err := in.early(ctx, ws, d, p, hashed)
		if err != nil {
			return nil, err
		}
		if early != nil {
			o.end(result{reply: early})
			return o, nil
		}
	}
	c := &captured{ws: ws, push: *p, row: store.Push{Replica: d.Replica, By: by, Body: body}}
	if in.hold(c) > in.cfg.Backlog {
		in.release(c)
		return nil, landfall.Errorf(landfall.CodeBusy, "too much waits for its verdicts; nothing of this was stored").WithHint("the device sends the same again by itself, later")
	}
	c.read, c.hashes, c.offer, c.row.Received = in.units(p), hashed, o, in.cfg.Clock().UTC()
	in.mu.Lock()
	in.offers = append(in.offers, c)
	in.mu.Unlock()
	in.wake()
	return o, nil
}

// Offered is a push that waits for its verdicts, as whoever sent it sees it.
type Offered struct {
	in     *Inbox
	push   *wire.Push
	done   chan struct{} // closed when result is there
	result result
	stored chan struct{} // closed when it is captured
}

func (o *Offered) end(r result) {
	o.result = r
	close(o.done)
}

// Judged reports whether its verdicts are there.
func (o *Offered) Judged() bool { return closed(o.done) }

// Reply is the answer to the push. Before it is judged it is what one says who
// can't wait any longer: that it is stored, or that the server is busy.
func (o *Offered) Reply() (*wire.PushReply, error) {
	switch {
	case closed(o.done):
		return o.result.reply, o.result.err
	case !closed(o.stored):
		return nil, landfall.Errorf(landfall.CodeBusy, "the server is busy; nothing is lost").WithHint("the device sends the same again by itself")
	}
	reply := &wire.PushReply{Next: o.push.First + int64(len(o.push.Mutations)), Clock: o.in.cfg.Clock().UTC()}
	for i := range o.push.Mutations {
		reply.Receipts = append(reply.Receipts, landfall.Receipt{N: o.push.First + int64(i), Result: landfall.Stored})
	}
	return reply, nil
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// parse reads the push around the mutations, which it leaves as they are.
func (in *Inbox) parse(d Device, body []byte) (*wire.Push, error) {
	if int64(len(body)) > in.cfg.Limits.Body {
		return nil, landfall.Errorf(landfall.CodeTooLarge, "a push has at most %d bytes", in.cfg.Limits.Body).WithHint("send fewer changes at a time")
	}
	var p wire.Push
	if err := json.Unmarshal(body, &p); err != nil {
		what := "the push is not JSON of the right form"
		if at := (*json.SyntaxError)(nil); errors.As(err, &at) {
			return nil, landfall.Errorf(landfall.CodeInvalid, "%s: it breaks at byte %d", what, at.Offset).WithHint("nothing was stored; send it again whole")
		}
		if at := (*json.UnmarshalTypeError)(nil); errors.As(err, &at) {
			return nil, landfall.Errorf(landfall.CodeInvalid, "%s: %s is not %s", what, at.Field, at.Type).WithHint("nothing was stored")
		}
		return nil, landfall.Errorf(landfall.CodeInvalid, "%s", what).WithHint("nothing was stored")
	}
	switch {
	case p.Replica != d.Replica:
		return nil, landfall.Errorf(landfall.CodeForbidden, "the credential belongs to another device").WithHint("each device pushes its own changes")
	case p.Protocol != wire.Protocol:
		return nil, landfall.Errorf(landfall.CodeInvalid, "the server speaks version %d of the protocol, not %d", wire.Protocol, p.Protocol).WithHint("update the program on the device; its changes are safe there")
	case p.First < 1 || p.Incarnation < 1 || max(p.First, p.Incarnation) > mostNumber:
		return nil, landfall.Errorf(landfall.CodeInvalid, "first and incarnation count from 1, by ones").WithHint("nothing was stored")
	case len(p.Mutations) > in.cfg.Limits.Batch:
		return nil, landfall.Errorf(landfall.CodeTooLarge, "a push has at most %d changes", in.cfg.Limits.Batch).WithHint("send fewer changes at a time")
	}
	return &p, nil
}

// mostNumber is what every program can still count on from, exactly.
const mostNumber = 1 << 52

// crowded: what is offered may not be judged at once.
func (in *Inbox) crowded() bool {
	return in.careful() || in.backlog.Load() > patientBacklog
}

// patientBacklog is how many bytes may wait before repetitions are answered
// without getting in line.
const patientBacklog = 1 << 20

// early answers what needs no capture: a gap, an empty push, a push that is a
// repetition from end to end, and one that only asks.
func (in *Inbox) early(ctx context.Context, ws string, d Device, p *wire.Push, hashed []string) (reply *wire.PushReply, err error) {
	err = in.cfg.Store.View(ctx, func(r store.Reader) error {
		rep, err := r.Replica(ws, d.Replica)
		if err != nil {
			return err
		}
		if rep == nil {
			return landfall.Errorf(landfall.CodeUnauthorized, "this device is not known").WithHint("enrol it again; its changes are safe there")
		}
		s := newSequence(r, ws, rep, p, hashed)
		if err := s.place(); err != nil {
			return err
		}
		if !p.Asks && !s.placement.Gap && !s.settled() {
			return nil
		}
		if reply, err = s.reply(); reply != nil {
			reply.Order = rep.Order()
		}
		return err
	})
	if reply != nil {
		reply.Clock = in.cfg.Clock().UTC()
	}
	return reply, err
}

// sequence checks where the mutations of a push stand.
type sequence struct {
	r         store.Reader
	ws        string
	rep       *store.Replica
	p         *wire.Push
	hashes    []string
	placement core.Placement
	given     []*landfall.Receipt // by this judging, by place in the push
	secret    []byte              // in the keys of forks; nil: not read yet
	err       error
}

func hashes(p *wire.Push) []string {
	out := make([]string, len(p.Mutations))
	for i, m := range p.Mutations {
		out[i] = core.Hash(m)
	}
	return out
}

func newSequence(r store.Reader, ws string, rep *store.Replica, p *wire.Push, hashes []string) *sequence {
	return &sequence{r: r, ws: ws, rep: rep, p: p, hashes: hashes, given: make([]*landfall.Receipt, len(hashes))}
}

// position is where the push's incarnation stands. One that the server does not
// know yet begins at 1; an older one is closed.
func (s *sequence) position() core.Position {
	if s.p.Incarnation > s.rep.Incarnation {
		return core.Position{Expected: 1}
	}
	closed := s.p.Incarnation <= s.rep.Closed
	if s.p.Incarnation < s.rep.Incarnation {
		return core.Position{Expected: 1, Closed: true}
	}
	return core.Position{Expected: s.rep.Next, LastHash: s.rep.LastHash, Closed: closed}
}

func (s *sequence) place() error {
	s.placement = core.Place(s.position(), s.p.First, s.p.PreviousHash, s.hashes, s.stored)
	return s.err
}

// stored lists the hashes that are kept under a number: the first that came,
// and what forks of this very push brought.
func (s *sequence) stored(n int64) []string {
	forked := s.p.Incarnation <= s.rep.Closed || s.p.Incarnation < s.rep.Incarnation
	if !forked && (s.p.Incarnation > s.rep.Incarnation || n >= s.rep.Next) {
		return nil // nothing has such a number yet
	}
	var out []string
	keys := []landfall.Key{s.key(n)}
	if i := n - s.p.First; forked && i >= 0 && i < int64(len(s.hashes)) {
		keys = append(keys, s.forkKey(n, s.hashes[i]))
	}
	for _, k := range keys {
		item, err := s.r.Item(s.ws, k)
		if err != nil {
			s.err = err
		}
		if item != nil {
			out = append(out, item.Hash)
		}
	}
	return out
}

func (s *sequence) key(n int64) landfall.Key {
	return landfall.Key{Replica: s.rep.ID, Incarnation: s.p.Incarnation, N: n}
}

// forkKey is where a mutation of another history is kept: its number is taken,
// so it gets an incarnation of its own, below zero, from its hash. The workspace's
// key is in it, so that whoever sees the number can't try out what was sent.
func (s *sequence) forkKey(n int64, hash string) landfall.Key {
	if s.secret == nil {
		s.secret = []byte{}
		head, err := s.r.Head(s.ws)
		if err != nil {
			s.err = err
		} else if head != nil {
			s.secret = []byte(head.Key)
		}
	}
	m := hmac.New(sha256.New, s.secret)
	m.Write([]byte(hash))
	own := binary.BigEndian.Uint64(m.Sum(nil)) >> 4
	return landfall.Key{Replica: s.rep.ID, Incarnation: -1 - int64(own), N: n}
}

// settled: all of it has its receipts.
func (s *sequence) settled() bool {
	for _, p := range s.placement.Each {
		if p != core.PlaceReplay {
			return false
		}
	}
	return true
}

// reply collects the receipts.
func (s *sequence) reply() (*wire.PushReply, error) {
	out := &wire.PushReply{Receipts: []landfall.Receipt{}, Next: s.rep.Next, Forked: s.placement.Forked, Gap: s.placement.Gap, Behind: s.p.Incarnation-1 > s.rep.Closed}
	if s.p.Incarnation > s.rep.Incarnation {
		out.Next = 1
	}
	if s.placement.Gap {
		if out.Next > 1 {
			out.LastHash = s.rep.LastHash
		}
		return out, nil
	}
	for i, h := range s.hashes {
		if s.p.Asks && s.placement.Each[i] != core.PlaceReplay {
			continue
		}
		if s.given[i] != nil {
			out.Receipts = append(out.Receipts, *s.given[i])
			continue
		}
		n := s.p.First + int64(i)
		item, err := s.r.Item(s.ws, s.key(n))
		if err == nil && (item == nil || item.Hash != h) {
			item, err = s.r.Item(s.ws, s.forkKey(n, h))
		}
		if err = errors.Join(err, s.err); err != nil {
			return nil, err
		}
		if item == nil {
			return nil, landfall.Errorf(landfall.CodeInternal, "a receipt is missing")
		}
		out.Receipts = append(out.Receipts, item.Receipt)
	}
	return out, nil
}
