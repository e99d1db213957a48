// Package changelog answers what changed: to devices, the state of every
// record that changed since a checkpoint and that they may see, in order and by
// index; to the desk, records and their history. It decides nothing about
// changes and writes nothing but when a replica was last in contact. DESIGN.md
// explains the order in which records enter and leave.
package changelog

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Definitions knows the published definition as of a state of the store; nil
// when none is published.
type Definitions interface {
	At(r store.Reader, ws string) (*definition.App, error)
}

// Config is what a Log works with.
type Config struct {
	Store       store.Store
	Definitions Definitions
	Clock       func() time.Time
	NewID       func() string // of an epoch
	Limits      wire.Limits   // zero: wire.DefaultLimits
	// KeptFrom is how many changes a page is asked to hold, at least, to be kept
	// for the next device; 0: 500.
	KeptFrom int
	// Barred is called when a device may only hand in from now on; nil: nobody
	// wants to know.
	Barred func()
}

// Log reads changes and records. It is safe for concurrent use.
type Log struct {
	store  store.Store
	defs   Definitions
	clock  func() time.Time
	newID  func() string
	barred func()
	pages  *pages
	bytes  int // of a page, about
	limits wire.Limits
}

// New makes a Log.
func New(c Config) *Log {
	if c.Limits.PullPage <= 0 {
		c.Limits.PullPage = wire.DefaultLimits().PullPage
	}
	if c.KeptFrom <= 0 {
		c.KeptFrom = defaultKept
	}
	if c.Barred == nil {
		c.Barred = func() {}
	}
	return &Log{store: c.Store, defs: c.Definitions, clock: c.Clock, newID: c.NewID, barred: c.Barred, pages: newPages(c.KeptFrom), bytes: pageBytes, limits: c.Limits}
}

// contactEvery is how often a contact that brought nothing new is written down.
const contactEvery = time.Minute

// Pull is Page as a client reads it.
func (l *Log) Pull(ctx context.Context, ws, replica string, actor landfall.Actor, since string, limit int) (*wire.PullReply, error) {
	p, err := l.Page(ctx, ws, replica, actor, since, limit)
	if err != nil {
		return nil, err
	}
	if p.Packed != nil {
		if p.Encoded, err = p.Packed.Text(); err != nil {
			return nil, err
		}
	}
	reply := p.PullReply
	reply.Changes = make([]wire.Pulled, 0, p.Count)
	return &reply, json.Unmarshal(slices.Concat([]byte("["), p.Encoded, []byte("]")), &reply.Changes)
}

// Page is a page of what changed since a checkpoint, "" for a first sync: the
// latest state of every record that the caller may see, gone for what left,
// and the replica's outcomes. It reads one consistent state and writes
// nothing. With limit 0 a page is as large as the limits allow. Records are
// filtered before limit; a page may hold more outcomes than limit only when
// one verdict has them.
//
// Resync is set when the checkpoint can't be continued from; the page has the one
// to begin again from, unless history was lost. Errors:
// CodeForbidden for disabled users, blocked devices and devices of others,
// CodeInvalid for what is not a checkpoint.
func (l *Log) Page(ctx context.Context, ws, replica string, actor landfall.Actor, since string, limit int) (*wire.PullPage, error) {
	var pos *position
	if since != "" {
		p, err := parse(since)
		if errors.Is(err, errMalformed) {
			return nil, landfall.Errorf(landfall.CodeInvalid, "this is not a checkpoint").
				WithHint("send the checkpoint of the last pull as it was, or none to start again")
		}
		pos = p
	}
	if limit < 0 {
		return nil, landfall.Errorf(landfall.CodeInvalid, "a page can't hold %d changes", limit).
			WithHint("leave the limit out, or use 1 to %d", l.limits.PullPage)
	}
	if limit == 0 || limit > l.limits.PullPage {
		limit = l.limits.PullPage
	}
	var reply *wire.PullPage
	proved := ""
	err := l.store.View(ctx, func(r store.Reader) error {
		head, err := headOf(r, ws)
		if err != nil {
			return err
		}
		who, device, err := receiver(r, ws, replica, actor)
		if err != nil {
			return err
		}
		app, err := l.inForce(r, ws, head)
		if err != nil {
			return err
		}
		sight := core.SightOf(app, &who)
		reply = &wire.PullPage{PullReply: wire.PullReply{KeptThrough: head.Kept(), Definition: head.Definition, Clock: l.clock().UTC()}}
		due, err := store.ResyncDue(r, ws, device, who.Roles)
		if err != nil {
			return err
		}
		now := cut{sight.Mark(), due}
		from, ok, err := begin(r, ws, head, since, pos, now)
		if err != nil {
			return err
		}
		if ok {
			ok, err = l.fill(r, ws, replica, who, sight, head, from, limit, reply)
		}
		if !ok && err == nil {
			reply.PullReply = wire.PullReply{KeptThrough: head.Kept(), Definition: head.Definition, Clock: reply.Clock, Resync: true}
			reply.Encoded, reply.Count = nil, 0
			if reply.Lost, err = lost(r, ws, head, pos); reply.Lost && pos.epoch == head.Epoch && genuine(since, head.Key) {
				proved = head.Epoch
			}
			if pos != nil && !reply.Lost && err == nil {
				reply.Checkpoint, err = anew(r, ws, head, now)
			}
		}
		reply.NewEpoch = pos != nil && pos.epoch != head.Epoch
		if device != nil {
			reply.Expects, reply.Order = wire.Expected(device.Incarnation, device.Next, device.LastHash), device.Order()
		}
		return err
	})
	if err == nil && proved != "" {
		err = l.begin(ctx, ws, proved)
	}
	if err != nil {
		return nil, err
	}
	return reply, nil
}

func headOf(r store.Reader, ws string) (*store.Head, error) {
	head, err := r.Head(ws)
	if err == nil && head == nil {
		err = landfall.Errorf(landfall.CodeNotFound, "there is no workspace %q", ws)
	}
	return head, err
}

// receiver is the caller as of the state that is read: a role that was taken
// away after the caller was authenticated must not count any more.
func receiver(r store.Reader, ws, replica string, actor landfall.Actor) (who landfall.Actor, d *store.Replica, err error) {
	u, err := r.User(ws, actor.User)
	if err != nil {
		return actor, nil, err
	}
	who = actor
	if u != nil {
		who = u.Actor()
		who.Disabled = who.Disabled || actor.Disabled
		who.Blocked = actor.Blocked
	}
	if replica != "" {
		if d, err = r.Replica(ws, replica); err != nil {
			return who, nil, err
		}
		if d != nil && d.User != who.User {
			return who, nil, landfall.Errorf(landfall.CodeForbidden, "this device belongs to somebody else")
		}
		who.Blocked = who.Blocked || d != nil && d.Deposits()
	}
	switch {
	case who.Disabled:
		return who, nil, landfall.Errorf(landfall.CodeForbidden, "this user is disabled and receives nothing").
			WithHint("what is in the outbox can still be sent; an administrator can enable the user again")
	case who.Blocked:
		return who, nil, landfall.Errorf(landfall.CodeForbidden, "this device is blocked and receives nothing").
			WithHint("what is in the outbox can still be sent; an administrator can unblock the device")
	}
	return who, d, nil
}

// cut is what a full sync that begins now is made of, beside what is stored.
type cut struct {
	sight string // mark of the fields that are hidden
	due   int64  // number of the last full sync that was asked for
}

// begin is the position that a checkpoint stands for; not ok when the history
// that it was made from is not this one, when other fields may be read now, or when
// a full sync that is due was asked for after its own began.
func begin(r store.Reader, ws string, head *store.Head, since string, pos *position, now cut) (position, bool, error) {
	if since == "" {
		return position{epoch: head.Epoch, start: head.Seq, head: head.Seq, sight: now.sight, forced: now.due}, true, nil
	}
	if pos == nil || pos.sight != now.sight {
		return position{}, false, nil
	}
	gone, err := lost(r, ws, head, pos)
	if gone || err != nil || pos.forced < now.due {
		return position{}, false, err
	}
	if pos.seq == 0 && pos.part == nil && pos.lost == nil { // nothing was taken in
		return begin(r, ws, head, "", nil, now)
	}
	here := *pos
	here.epoch = head.Epoch
	return here, true, nil
}

// anew is the checkpoint from which a full sync begins. Nothing is taken in at it,
// but it bears the mark of the head: what the replica holds until the new cut is
// whole is of this history, and should that be lost, the replica has to hear of it.
func anew(r store.Reader, ws string, head *store.Head, now cut) (string, error) {
	first, _, err := begin(r, ws, head, "", nil, now)
	if err != nil {
		return "", err
	}
	if first.seen, err = markOf(r, ws, head.Seq); err != nil {
		return "", err
	}
	return first.signed(head.Key), nil
}

// lost reports whether the history that the position was made from is not the
// one that is here. The marks of its commits tell, whatever the epoch: what was
// read before the history parted is as true as before.
func lost(r store.Reader, ws string, head *store.Head, pos *position) (bool, error) {
	if pos == nil {
		return false, nil
	}
	if pos.head > head.Seq {
		return true, nil
	}
	for _, m := range []struct {
		seq  int64
		mark string
	}{{pos.seq, pos.mark}, {pos.head, pos.seen}} {
		got, err := markOf(r, ws, m.seq)
		if err != nil || got != m.mark {
			return err == nil, err
		}
	}
	return false, nil
}

func markOf(r store.Reader, ws string, seq int64) (string, error) {
	if seq == 0 {
		return "", nil
	}
	return r.Mark(ws, seq)
}

// fill puts the page together; not ok when the replica has to start again.
func (l *Log) fill(r store.Reader, ws, replica string, who landfall.Actor, sight *core.Sight, head *store.Head, pos position, limit int, reply *wire.PullPage) (bool, error) {
	rows, err := r.Grants(ws, who.User)
	if err != nil {
		return false, err
	}
	p := &page{
		r: r, ws: ws, head: head, pos: pos, limit: limit, bytes: l.bytes, reply: reply, defs: l.defs, eyes: newEyes(sight),
		holds: holdsOf(rows, who.Keys(), pos.start, head.Seq), told: map[string]bool{},
	}
	outcomes, upto, err := p.outcomes(replica)
	if err != nil {
		return false, err
	}
	if ok, err := p.leave(); !ok || err != nil {
		return false, err
	}
	if p.pos.lost == nil {
		if err := p.entered(l.pages, upto); err != nil {
			return false, err
		}
	}
	for _, o := range outcomes {
		if o.Seq <= p.pos.seq {
			reply.Outcomes = append(reply.Outcomes, o)
		}
	}
	p.pos.head = head.Seq
	if p.pos.seen, err = markOf(r, ws, head.Seq); err != nil {
		return false, err
	}
	if p.pos.mark, err = markOf(r, ws, p.pos.seq); err != nil {
		return false, err
	}
	reply.Checkpoint, reply.Seq = p.pos.signed(head.Key), p.pos.seq
	reply.More = p.pos.seq < head.Seq || p.pos.part != nil || p.pos.lost != nil
	return true, nil
}

// Acknowledged is the sequence up to which a replica has everything when it
// pulls from the checkpoint; 0 for none, or for what is not a checkpoint.
func Acknowledged(since string) int64 {
	p, err := parse(since)
	if err != nil {
		return 0
	}
	return p.seq
}
