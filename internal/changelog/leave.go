package changelog

// loss is a lost key whose records may have to leave.
type loss struct {
	hold
	low  int64 // the replica may hold what was under the key at or after this
	feed *feed
}

// leave fills the page with what leaves by lost keys, before anything enters:
// the losses that the position has not settled yet. Not ok means that it can't
// be told what the replica holds: it has to start again.
func (p *page) leave() (bool, error) {
	for p.pos.settled() < p.head.Seq {
		upto, after := p.head.Seq, cursor{}
		if p.pos.lost != nil {
			upto, after = p.pos.lost.upto, p.pos.lost.at
		}
		room, ok, err := p.settle(p.pos.settled(), upto, after)
		if !ok || err != nil {
			return false, err
		}
		if !room {
			return true, nil
		}
		p.pos.lost, p.pos.head = nil, upto
	}
	return true, nil
}

// losses are the spans in (done, upto] through which the replica may hold records.
func (p *page) losses(done, upto int64, after cursor) []*loss {
	var all []*loss
	for _, h := range p.holds.lost {
		if h.to > done && h.to <= upto && p.pos.reached(h.from) {
			l := &loss{hold: h, low: max(p.pos.seq, h.from, p.pos.start)}
			l.feed = newFeed(p.r, p.ws, h.key, after.spot(), p.head.Seq, feedChunk)
			all = append(all, l)
		}
	}
	return all
}

// settle tells what leaves by the losses in (done, upto]. Without room for all
// of it, the position says how far it came.
func (p *page) settle(done, upto int64, after cursor) (room, ok bool, err error) {
	all := p.losses(done, upto, after)
	last := after
	for {
		same, err := first(all)
		if err != nil || len(same) == 0 {
			return true, true, err
		}
		e := same[0].feed.buf[0]
		gone, ok, err := p.leaves(same)
		if !ok || err != nil {
			return false, ok, err
		}
		if gone != nil && p.full() {
			p.pos.lost = &losing{done: done, upto: upto, at: last}
			return false, true, nil
		}
		if gone != nil {
			p.told[e.ID] = true
			p.reply.AppendGone(gone.to, e.Type, e.ID)
		}
		for _, l := range same {
			l.feed.pop()
		}
		last = cursor{e.Seq, e.ID}
	}
}

// first are the lost keys that have the earliest entry next.
func first(all []*loss) ([]*loss, error) {
	var of []*loss
	var at cursor
	for _, l := range all {
		e, err := l.feed.peek()
		switch {
		case err != nil:
			return nil, err
		case e == nil:
		case len(of) > 0 && at == cursor{e.Seq, e.ID}:
			of = append(of, l)
		case len(of) == 0 || !at.before(e.Seq, e.ID):
			of, at = append(of[:0], l), cursor{e.Seq, e.ID}
		}
	}
	return of, nil
}

// leaves is the lost key, among those that have an entry of one record next,
// through which the replica may hold it; nil when there is none, or when the
// caller sees the record through a key that the position has reached.
func (p *page) leaves(same []*loss) (gone *loss, ok bool, err error) {
	id := same[0].feed.buf[0].ID
	if p.told[id] {
		return nil, true, nil
	}
	aud, err := p.r.Audience(p.ws, id)
	if err != nil {
		return nil, false, err
	}
	for _, k := range aud {
		if from, held := p.holds.from[k]; held && p.pos.reached(from) {
			return nil, true, nil
		}
	}
	for _, l := range same {
		e := &l.feed.buf[0]
		if e.Gone && e.Seq <= l.low {
			continue
		}
		if e.Seq <= l.to {
			return l, true, nil // it was under the key until the loss, or left it since low
		}
		// It changed after the loss: the feed does not say what it was before.
		under, err := p.wasUnder(l, id)
		if under != no || err != nil {
			return l, under == yes, err
		}
	}
	return nil, true, nil
}

// answer is what can be said of the past.
type answer int

const (
	no answer = iota
	yes
	unknown
)

// wasUnder reports whether the record was under the lost key at some time
// since low and before the loss, from its history. Who may see a record follows
// from its state and the definition; of the time before the current one was
// published it is not known.
func (p *page) wasUnder(l *loss, id string) (answer, error) {
	app, err := p.defs.At(p.r, p.ws)
	if err != nil {
		return unknown, err
	}
	rec, err := p.r.Record(p.ws, id)
	if err != nil {
		return unknown, err
	}
	since, err := p.published()
	if err != nil {
		return unknown, err
	}
	if app == nil || rec == nil {
		return unknown, nil
	}
	changes, err := p.r.Changes(p.ws, id, 0)
	if err != nil {
		return unknown, err
	}
	found := no
	until := p.head.Seq + 1
	for i := len(changes) - 1; i >= 0 && until > l.low; i-- {
		c := &changes[i]
		if c.Seq < until && c.Seq < l.to && rec != nil && !rec.Deleted {
			under, known := underKey(app, rec, l.key)
			switch {
			case known && under && min(until, l.to) > since:
				return yes, nil
			case !known || max(c.Seq, l.low) < since:
				found = unknown
			}
		}
		rec, until = undone(rec, c), c.Seq
	}
	return found, nil
}

// published is the place at which the current definition was; past the end when
// that was not kept.
func (p *page) published() (int64, error) {
	d, err := p.r.Definition(p.ws, p.head.Definition)
	switch {
	case err != nil || d == nil:
		return 0, err
	case d.Seq == 0:
		return p.head.Seq + 1, nil
	}
	return d.Seq, nil
}
