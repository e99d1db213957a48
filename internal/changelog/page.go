package changelog

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// page is one pull in the making.
type page struct {
	r     store.Reader
	ws    string
	defs  Definitions
	head  *store.Head
	holds holds
	pos   position // moves on as the page fills
	limit int
	bytes int
	reply *wire.PullPage
	eyes  *eyes
	told  map[string]bool // records that this page said gone of last
	// For a page that may be kept:
	ids       []uint64 // hashes of the ids on it; nil when it is not
	tellsGone bool
	maxGone   int64 // last place of what is gone and was not told
}

// pageBytes is about how many bytes of changes a page has at most.
const pageBytes = 8 << 20

func (p *page) full() bool { return p.reply.Count >= p.limit || len(p.reply.Encoded) >= p.bytes }

func (p *page) chunk() int { return p.limit - p.reply.Count + 1 }

// outcomes reads what the page may say of the replica's mutations, and up to
// which sequence records may be told with it: an outcome comes in the page
// whose checkpoint covers it.
func (p *page) outcomes(replica string) ([]landfall.Outcome, int64, error) {
	if replica == "" {
		return nil, p.head.Seq, nil
	}
	out, err := p.r.Outcomes(p.ws, replica, p.pos.seq, p.head.Seq, p.limit+1)
	if err != nil || len(out) <= p.limit {
		return out, p.head.Seq, err
	}
	upto := out[p.limit].Seq - 1
	if upto >= out[0].Seq {
		return out, upto, nil
	}
	// One verdict has more outcomes than a page: they come together.
	upto = out[0].Seq
	for n := 2 * len(out); ; n *= 2 {
		if out, err = p.r.Outcomes(p.ws, replica, p.pos.seq, upto, n); err != nil || len(out) < n {
			return out, upto, err
		}
	}
}

// enter fills the page with what changed and what grants bring, in order, and
// moves the position on: to upto, or to before the first that has no room.
func (p *page) enter(upto int64) error {
	var streams []*stream
	for _, key := range p.holds.keys {
		if p.holds.from[key] <= upto {
			streams = append(streams, p.stream(key, upto))
		}
	}
	var last *item
	for {
		it, err := next(streams)
		if err != nil {
			return err
		}
		if it == nil {
			p.pos.seq, p.pos.part = upto, nil
			return nil
		}
		tells, err := p.tells(it)
		if err != nil {
			return err
		}
		if tells && p.full() {
			p.stop(last, it)
			return nil
		}
		if tells {
			if err := p.tell(it); err != nil {
				return err
			}
		}
		last = it
	}
}

// stop leaves the position after last and before it.
func (p *page) stop(last, it *item) {
	switch {
	case last != nil && last.place == it.place:
		p.pos.part = &within{last.phase, cursor{last.Seq, last.ID}}
	case last == nil && it.place == p.pos.seq+1:
		return // nothing moved
	default:
		p.pos.part = nil
	}
	p.pos.seq = it.place - 1
}

// tells reports whether the item says anything to the caller.
func (p *page) tells(it *item) (bool, error) {
	if !it.Gone {
		if it.phase == backfill {
			if came, err := p.came(it); came || err != nil {
				return false, err
			}
		}
		if len(it.Record) > 0 {
			return true, nil
		}
	}
	if it.phase != backfill {
		p.maxGone = max(p.maxGone, it.place)
	}
	if it.phase == backfill || it.place <= p.pos.start || p.told[it.ID] {
		return false, nil // it left before the replica could hold it, or was told
	}
	aud, err := p.r.Audience(p.ws, it.ID)
	if err != nil || p.holds.visible(aud, it.place) {
		return false, err // under another key it comes at a later place
	}
	return true, nil
}

// came reports whether a record that a grant brings was told at a place of its own
// before it, under a key held by then. A later place does not do: before the replica
// comes to it, that key may be lost, or no longer the record's.
func (p *page) came(it *item) (bool, error) {
	aud, err := p.r.Audience(p.ws, it.ID)
	if err != nil || !p.holds.visible(aud, it.place-1) {
		return false, err
	}
	row, err := p.r.Row(p.ws, it.ID)
	if err != nil || row == nil {
		return false, err
	}
	for _, k := range row.Keys {
		if from, held := p.holds.from[k]; held && from < it.place && row.Place(k) < it.place {
			if p.ids != nil {
				p.ids = append(p.ids, idHash(it.ID)) // when that place moves on, the record belongs here
			}
			return true, nil
		}
	}
	return false, nil
}

// tell puts the item on the page.
func (p *page) tell(it *item) error {
	gone := it.Gone || len(it.Record) == 0
	p.tellsGone = p.tellsGone || gone
	if p.ids != nil {
		p.ids = append(p.ids, idHash(it.ID))
	}
	if gone {
		p.reply.AppendGone(it.place, it.Type, it.ID)
	} else {
		record, err := p.eyes.record(it.Type, it.Record)
		if err != nil {
			return err
		}
		p.reply.AppendRecord(it.place, it.Type, it.ID, record)
	}
	if gone || len(p.told) > 0 {
		p.told[it.ID] = gone
	}
	return nil
}
