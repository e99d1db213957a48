package changelog

import (
	"github.com/landfall-sync/landfall/internal/store"
)

// feedChunk is how many entries of a key are read ahead.
const feedChunk = 128

// feed reads the entries of one key in order, a chunk at a time.
type feed struct {
	r       store.Feed
	ws, key string
	after   store.Spot // entries up to here were read
	upto    int64
	chunk   int
	buf     []store.Entry
	done    bool
}

func newFeed(r store.Feed, ws, key string, after store.Spot, upto int64, chunk int) *feed {
	return &feed{r: r, ws: ws, key: key, after: after, upto: upto, chunk: max(1, min(chunk, feedChunk))}
}

// peek is the next entry, or nil at the end.
func (f *feed) peek() (*store.Entry, error) {
	if len(f.buf) == 0 && !f.done && f.after.Seq <= f.upto {
		got, err := f.r.Feed(f.ws, f.key, f.after, f.upto, f.chunk)
		if err != nil {
			return nil, err
		}
		f.buf, f.done = got, len(got) < f.chunk
		if len(got) > 0 {
			last := &got[len(got)-1]
			f.after = store.Spot{Seq: last.Seq, ID: last.ID}
		}
	}
	if len(f.buf) == 0 {
		return nil, nil
	}
	return &f.buf[0], nil
}

func (f *feed) pop() { f.buf = f.buf[1:] }

// item is one thing that a pull may have to say: entry at a place of the sequence.
type item struct {
	place int64
	phase phase
	store.Entry
}

func (a *item) before(b *item) bool {
	if a.place != b.place {
		return a.place < b.place
	}
	if a.phase != b.phase {
		return a.phase < b.phase
	}
	if a.Seq != b.Seq {
		return a.Seq < b.Seq
	}
	return a.ID < b.ID
}

// stream is what one held key says after a position: first, at the place of
// its grant, all that was under it by then; after that its entries.
type stream struct {
	from int64
	fill *feed // nil when nothing is to be filled in
	rest *feed
}

func (p *page) stream(key string, upto int64) *stream {
	pos, from := p.pos, p.holds.from[key]
	s := &stream{from: from}
	after := store.Behind(max(pos.seq, from))
	filled := from <= pos.seq || pos.part != nil && pos.part.phase == entries && from == pos.seq+1
	switch {
	case !filled:
		begin := store.Spot{}
		if pos.part != nil && from == pos.seq+1 {
			begin = pos.part.at.spot()
		}
		s.fill = newFeed(p.r, p.ws, key, begin, from, p.chunk())
	case pos.part != nil && pos.part.phase == entries && from <= pos.seq:
		after = pos.part.at.spot()
	}
	s.rest = newFeed(p.r, p.ws, key, after, upto, p.chunk())
	return s
}

// peek is the stream's next item, or nil at the end.
func (s *stream) peek() (*item, error) {
	for s.fill != nil {
		e, err := s.fill.peek()
		switch {
		case err != nil:
			return nil, err
		case e == nil:
			s.fill = nil
		case e.Gone:
			s.fill.pop()
		default:
			return &item{s.from, backfill, *e}, nil
		}
	}
	e, err := s.rest.peek()
	if e == nil || err != nil {
		return nil, err
	}
	return &item{e.Seq, entries, *e}, nil
}

func (s *stream) pop() {
	if s.fill != nil {
		s.fill.pop()
		return
	}
	s.rest.pop()
}

// next takes the first item off the streams, once for all that have it. It is
// gone only when it is under none of them.
func next(streams []*stream) (*item, error) {
	var first *item
	var from []*stream
	for _, s := range streams {
		it, err := s.peek()
		if err != nil {
			return nil, err
		}
		switch {
		case it == nil:
		case first == nil || it.before(first):
			first, from = it, append(from[:0], s)
		case !first.before(it):
			from = append(from, s)
			if first.Gone && !it.Gone {
				first.Gone, first.Record = false, it.Record
			}
		}
	}
	for _, s := range from {
		s.pop()
	}
	return first, nil
}
