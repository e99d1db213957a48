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
	reply *wire.PullReply
	told  map[string]bool // records that this page said gone of last
}

func (p *page) full() bool { return len(p.reply.Changes) >= p.limit }

func (p *page) chunk() int { return p.limit - len(p.reply.Changes) + 1 }

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
		out, err := p.tell(it)
		if err != nil {
			return err
		}
		if out != nil && p.full() {
			p.stop(last, it)
			return nil
		}
		if out != nil {
			p.reply.Changes = append(p.reply.Changes, *out)
			p.told[out.ID] = out.Gone
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

// tell is what the item says to the caller, or nil when there is nothing to say.
func (p *page) tell(it *item) (*wire.Pulled, error) {
	if !it.Gone {
		if it.phase == backfill {
			// Under a key held before, it came at a place of its own.
			aud, err := p.r.Audience(p.ws, it.ID)
			if err != nil || p.holds.visible(aud, it.place-1) {
				return nil, err
			}
		}
		rec, err := p.r.Record(p.ws, it.ID)
		if err != nil {
			return nil, err
		}
		if rec != nil && !rec.Deleted {
			return &wire.Pulled{Seq: it.place, Type: rec.Type, ID: rec.ID, Record: stripped(rec)}, nil
		}
	}
	if it.phase == backfill || it.place <= p.pos.start || p.told[it.ID] {
		return nil, nil // it left before the replica could hold it, or was told
	}
	aud, err := p.r.Audience(p.ws, it.ID)
	if err != nil || p.holds.visible(aud, it.place) {
		return nil, err // under another key it comes at a later place
	}
	return &wire.Pulled{Seq: it.place, Type: it.Type, ID: it.ID, Gone: true}, nil
}

// stripped is the record as devices get it.
func stripped(rec *landfall.Record) *landfall.Record {
	c := *rec
	c.Edits = nil
	return &c
}
