package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
)

// Ledger gives verdicts their places in a workspace's sequence within one
// transaction. Open it at the start of an Update, Commit each verdict, and
// Close it last. It keeps the sequence gapless and server time from running
// backwards.
type Ledger struct {
	w    Writer
	ws   string
	head Head
	from int64
	mark string
	lost bool // history was; a new epoch begins
}

// Open begins a batch of verdicts at now, whose commit will carry mark.
func Open(w Writer, ws string, now time.Time, mark string) (*Ledger, error) {
	h, err := w.Head(ws)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no workspace %q", ws)
	}
	l := &Ledger{w: w, ws: ws, head: *h, from: h.Seq, mark: mark}
	if now.After(l.head.Time) {
		l.head.Time = now
	}
	return l, nil
}

// Now is the time of this batch: the clock, but never before the last commit.
func (l *Ledger) Now() time.Time { return l.head.Time }

// Head is where the sequence stands within the batch.
func (l *Ledger) Head() Head { return l.head }

// Next is the sequence that the next committed verdict gets.
func (l *Ledger) Next() int64 { return l.head.Seq + 1 }

// Commit writes the effects of one verdict at Next and moves on.
func (l *Ledger) Commit(e *landfall.Effects) error {
	seq := l.Next()
	for i := range e.Writes {
		w := &e.Writes[i]
		if w.Record.Version != seq {
			return fmt.Errorf("record %s is written at %d, but the verdict is at %d", w.Record.ID, w.Record.Version, seq)
		}
		if err := l.w.PutRecord(l.ws, w.Record, w.Audience); err != nil {
			return err
		}
	}
	if err := l.uniques(e.Writes); err != nil {
		return err
	}
	if err := l.links(e); err != nil {
		return err
	}
	for i := range e.Changes {
		c := &e.Changes[i]
		c.Seq, c.Index = seq, i
		if err := l.w.AddChange(l.ws, c); err != nil {
			return err
		}
	}
	for _, series := range slices.Sorted(maps.Keys(e.Counters)) {
		if err := l.w.SetCounter(l.ws, series, e.Counters[series]); err != nil {
			return err
		}
	}
	l.head.Seq = seq
	return nil
}

// links keeps what the written records name, and gives those that are seen
// through them their audience.
func (l *Ledger) links(e *landfall.Effects) error {
	for i := range e.Writes {
		w := &e.Writes[i]
		if w.Links == nil {
			continue
		}
		if err := l.w.SetLinks(l.ws, w.Record.Type, w.Record.ID, w.Links); err != nil {
			return err
		}
	}
	for i := range e.Regroups {
		if err := l.w.Regroup(l.ws, e.Regroups[i].ID, e.Regroups[i].Audience, l.Next()); err != nil {
			return err
		}
	}
	return nil
}

// uniques makes records hold their unique values. Those of one verdict may have
// passed a value on to each other: all let go before any takes.
func (l *Ledger) uniques(writes []landfall.Write) error {
	var holders []*landfall.Write
	for i := range writes {
		if writes[i].Unique != nil {
			holders = append(holders, &writes[i])
		}
	}
	if len(holders) > 1 {
		for _, w := range holders {
			if err := l.w.SetUnique(l.ws, w.Record.Type, w.Record.ID, nil); err != nil {
				return err
			}
		}
	}
	for _, w := range holders {
		if err := l.w.SetUnique(l.ws, w.Record.Type, w.Record.ID, w.Unique); err != nil {
			return err
		}
	}
	return nil
}

// Publish makes version the current definition, at a place of its own, and
// returns that.
func (l *Ledger) Publish(version int64) int64 {
	l.head.Definition = version
	return l.Take()
}

// Take uses up the next place for something that is not a record, such as a
// grant, and returns it.
func (l *Ledger) Take() int64 {
	l.head.Seq++
	return l.head.Seq
}

// Begin begins an epoch: the history that devices know is not this one.
func (l *Ledger) Begin(epoch string) { l.head.Epoch, l.lost = epoch, true }

// Begun reports whether this batch began an epoch.
func (l *Ledger) Begun() bool { return l.lost }

// Close stores the head. A batch that took no place leaves it as it was.
func (l *Ledger) Close() error {
	if l.head.Seq == l.from && !l.lost {
		return nil
	}
	if l.head.Seq > l.from {
		l.head.Mark = l.mark
	}
	return l.w.SetHead(l.ws, l.head)
}
