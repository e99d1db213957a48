package changelog

import (
	"bytes"
	"container/list"
	"hash/crc32"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/flate"

	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// A first sync reads the same pages as that of any other device with the same
// keys. So a full page is kept as it was encoded and compressed, and given out
// again as long as nothing on it has changed. It is only ever a saving of work:
// what a page may hold is decided anew for each caller, by the keys that have
// entries at all and by what was written under them since.

// What is worth keeping, and how much of it.
const (
	defaultKept = 500      // changes asked for, at least
	keptBytes   = 64 << 20 // of all pages together
	mostSince   = 2000     // entries after a page before it is made anew
)

// pageKey is all that a full page depends on, beside what is stored.
type pageKey struct {
	ws    string
	seq   int64
	part  within
	limit int
	keys  string // that have entries, with the places of their grants
	sight string // which fields are hidden
}

// keptPage is a page as it was at a head.
type keptPage struct {
	key     pageKey
	head    int64 // it is as it would be made from here
	seq     int64 // where it ends
	part    *within
	count   int
	packed  *wire.Packed
	ids     []uint64 // hashes of the ids of its records, sorted
	maxGone int64    // the last place of what is gone, and was not told
}

func (k *keptPage) bytes() int { return len(k.packed.Blocks) + 8*len(k.ids) }

// idSeed makes hashes of ids that nobody can aim at. That two ids share one only
// makes a page anew.
var idSeed = maphash.MakeSeed()

func idHash(id string) uint64 { return maphash.String(idSeed, id) }

// pages keeps pages, the last used first. It is safe for concurrent use.
type pages struct {
	from     int // changes asked for, at least
	mu       sync.Mutex
	by       map[pageKey]*list.Element
	used     *list.List
	bytes    int
	building map[pageKey]chan struct{}
}

func newPages(from int) *pages {
	return &pages{from: from, by: map[pageKey]*list.Element{}, used: list.New(), building: map[pageKey]chan struct{}{}}
}

// get gives a page, or the duty to make it: then done must be called. While
// somebody makes it, get waits.
func (c *pages) get(key pageKey) (k *keptPage, done func()) {
	for {
		c.mu.Lock()
		if e := c.by[key]; e != nil {
			c.used.MoveToFront(e)
			k := *e.Value.(*keptPage) //nolint:forcetypeassert // nothing else is in the list
			c.mu.Unlock()
			return &k, nil
		}
		making := c.building[key]
		if making == nil {
			mine := make(chan struct{})
			c.building[key] = mine
			c.mu.Unlock()
			return nil, func() {
				c.mu.Lock()
				delete(c.building, key)
				c.mu.Unlock()
				close(mine)
			}
		}
		c.mu.Unlock()
		<-making
		c.mu.Lock()
		there := c.by[key] != nil
		c.mu.Unlock()
		if !there {
			return nil, func() {} // it was not worth keeping: everybody makes it alone
		}
	}
}

// put keeps a page, or what was learned of it: the newest.
func (c *pages) put(k *keptPage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.by[k.key]; e != nil {
		old := e.Value.(*keptPage) //nolint:forcetypeassert // nothing else is in the list
		if old.head > k.head {
			return
		}
		c.drop(e)
	}
	c.by[k.key] = c.used.PushFront(k)
	c.bytes += k.bytes()
	for c.bytes > keptBytes && c.used.Len() > 1 {
		c.drop(c.used.Back())
	}
}

func (c *pages) drop(e *list.Element) {
	k := c.used.Remove(e).(*keptPage) //nolint:forcetypeassert // nothing else is in the list
	delete(c.by, k.key)
	c.bytes -= k.bytes()
}

// entered is enter, by way of a page that is kept where there is one.
func (p *page) entered(c *pages, upto int64) error {
	if p.limit < c.from || upto-p.pos.seq < int64(p.limit) || upto != p.head.Seq || p.reply.Count > 0 {
		return p.enter(upto)
	}
	key, keys, err := p.key()
	if err != nil {
		return err
	}
	k, done := c.get(key)
	if k != nil {
		fresh, err := p.fresh(k, keys)
		if err != nil {
			return err
		}
		if fresh {
			p.take(k)
			if k.head < p.head.Seq {
				k.head = p.head.Seq
				c.put(k)
			}
			return nil
		}
		done = func() {}
	}
	defer done()
	p.ids = make([]uint64, 0, p.limit)
	if err := p.enter(upto); err != nil {
		return err
	}
	if p.reply.Count < p.limit || p.tellsGone || p.pos.seq >= p.head.Seq {
		return nil // the end moves with each change
	}
	if k, err = p.kept(key); err != nil {
		return err
	}
	c.put(k)
	p.take(k)
	return nil
}

// key is what the page depends on. Keys without an entry don't count.
func (p *page) key() (pageKey, []string, error) {
	k := pageKey{ws: p.ws, seq: p.pos.seq, limit: p.limit, sight: p.pos.sight}
	if p.pos.part != nil {
		k.part = *p.pos.part
	}
	var used []string
	var b strings.Builder
	for _, key := range p.holds.keys {
		some, err := p.r.Feed(p.ws, key, store.Spot{}, p.head.Seq, 1)
		if err != nil {
			return k, nil, err
		}
		if len(some) == 0 {
			continue
		}
		used = append(used, key)
		b.WriteString(key)
		b.WriteByte('\n')
		b.WriteString(strconv.FormatInt(p.holds.from[key], 10))
		b.WriteByte('\n')
	}
	k.keys = b.String()
	return k, used, nil
}

// fresh reports whether the page would be made now as it was: nothing on it has
// moved on since, and nothing that it left out as gone is to be told.
func (p *page) fresh(k *keptPage, keys []string) (bool, error) {
	if k.head > p.head.Seq || k.maxGone > p.pos.start {
		return false, nil
	}
	for _, key := range keys {
		if k.head == p.head.Seq {
			break
		}
		since, err := p.r.Feed(p.ws, key, store.Behind(k.head), p.head.Seq, mostSince)
		if err != nil || len(since) == mostSince {
			return false, err
		}
		for i := range since {
			if _, on := slices.BinarySearch(k.ids, idHash(since[i].ID)); on {
				return false, nil
			}
		}
	}
	return true, nil
}

// take puts a kept page on this one, which is empty.
func (p *page) take(k *keptPage) {
	p.reply.Encoded, p.reply.Packed, p.reply.Count = nil, k.packed, k.count
	p.pos.seq, p.pos.part = k.seq, k.part
}

// kept is this page, to be kept.
func (p *page) kept(key pageKey) (*keptPage, error) {
	packed, err := pack(p.reply.Encoded)
	slices.Sort(p.ids)
	return &keptPage{
		key: key, head: p.head.Seq, seq: p.pos.seq, part: p.pos.part, count: p.reply.Count,
		packed: packed, ids: p.ids, maxGone: p.maxGone,
	}, err
}

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is one of its own
	}
	return w
}}

// pack compresses a text into blocks that can stand in the middle of a stream.
func pack(text []byte) (*wire.Packed, error) {
	w := deflaters.Get().(*flate.Writer) //nolint:forcetypeassert // nothing else is in the pool
	defer deflaters.Put(w)
	var b bytes.Buffer
	b.Grow(len(text) / 6)
	w.Reset(&b)
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return &wire.Packed{Blocks: b.Bytes(), CRC: crc32.ChecksumIEEE(text), Size: int64(len(text))}, nil
}
