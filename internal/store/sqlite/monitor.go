package sqlite

import (
	"math"
	"strings"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// way is an index by which items are searched, in the order of arrival.
type way struct {
	by    func(*store.ItemFilter) string // what of the filter it goes by; "" when it can't
	order [2]ordered                     // newest first, oldest first
}

// ordered are a way's statements in one direction: the place of the row that is
// so many away, and the rows up to a place that pass the filter.
type ordered struct{ place, rows string }

// arrivals lie in a span; ?4 is what the way goes by.
const arrivals = " WHERE ws = ?1 AND arrived >= ?2 AND arrived < ?3"

// passing is the filter on what a way leads to. An empty name passes all.
const passing = ` AND (?5 = '' OR ?5 = state) AND (?6 = '' OR ?6 = kind) AND (?7 = '' OR ?7 = user) AND (?8 = '' OR ?8 = replica)` +
	` AND (?9 = '' OR ?9 = type) AND (?10 = '' OR ?10 = record) AND (?11 = '' OR ?11 = op)`

// newWay says which index: SQLite takes the order of the primary key for reason
// enough to read all of a span.
func newWay(from, where string, by func(*store.ItemFilter) string) *way {
	w := &way{by: by}
	for i, order := range []string{" ORDER BY arrived DESC", " ORDER BY arrived"} {
		w.order[i] = ordered{
			place: statement("SELECT arrived FROM items" + from + arrivals + where + order + " LIMIT 1 OFFSET (?5 + 0)"),
			rows:  statement("SELECT " + itemColumns + " FROM items" + from + arrivals + where + passing + order),
		}
	}
	return w
}

// The ways, the ones that mostly leave the fewest rows first. Nothing goes by
// what was completed, or is an update: nearly all is.
var (
	byArrival = newWay("", " AND ?4 = ''", func(*store.ItemFilter) string { return "" })
	byUser    = newWay(" INDEXED BY items_user", " AND user = ?4", func(f *store.ItemFilter) string { return f.User })

	ways = []*way{
		newWay(" INDEXED BY items_record", " AND record = ?4 AND record <> ''", func(f *store.ItemFilter) string { return f.Record }),
		newWay(" INDEXED BY items_kind", " AND kind = ?4 AND kind <> ''", func(f *store.ItemFilter) string { return string(f.Kind) }),
		newWay(" INDEXED BY items_troubled", " AND state = ?4 AND state <> 'completed'", func(f *store.ItemFilter) string {
			if f.State == store.Completed {
				return ""
			}
			return string(f.State)
		}),
		newWay(" INDEXED BY items_device", " AND replica = ?4", func(f *store.ItemFilter) string { return f.Replica }),
		byUser,
		newWay(" INDEXED BY items_op", " AND op = ?4 AND op <> '' AND op <> 'update'", func(f *store.ItemFilter) string {
			if f.Op == landfall.OpUpdate {
				return ""
			}
			return string(f.Op)
		}),
		newWay(" INDEXED BY items_type", " AND type = ?4 AND type <> ''", func(f *store.ItemFilter) string { return f.Type }),
	}

	qAt          = statement("SELECT replica, incarnation, n, received FROM items WHERE ws = ? AND arrived = ?")
	qItemRecord  = statement("SELECT record FROM items WHERE ws = ? AND record > ? AND record <> '' ORDER BY record LIMIT 1")
	qHasItems    = statement("SELECT record FROM items WHERE ws = ? AND record = ? AND record <> '' LIMIT 1")
	qKnown       = statement("SELECT number, keys FROM records WHERE ws = ? AND id = ?")
	qAging       = statement("SELECT " + itemColumns + ", ended, arrived FROM items WHERE ws = ?1 AND ended > 0 AND (ended, arrived) > (?2, ?3) AND ended < ?4 ORDER BY ended, arrived LIMIT ?5")
	cheapEnough  = []int{100, 4000} // rows of a way that is taken at once
	searchOldest = map[bool]int{false: 0, true: 1}
)

// span is a part of the arrivals that is searched in one direction.
type span struct {
	ws       string
	from, to int64
	order    int
}

// place is the arrival of the row that is n rows into the span; 0 for none.
func (t *tx) place(w *way, s span, by string, n int) (at int64, err error) {
	err = t.query(w.order[s.order].place, func(st *sqlite.Stmt) (bool, error) {
		at = st.ColumnInt64(0)
		return false, nil
	}, s.ws, s.from, s.to, by, n)
	return at, err
}

// narrowest is the way that leaves the fewest rows of the span, about: the first
// that leaves few, else the first that leaves not many, else the first.
func (t *tx) narrowest(f *store.ItemFilter, s span) (*way, error) {
	var all []*way
	for _, w := range ways {
		if w.by(f) != "" {
			all = append(all, w)
		}
	}
	switch len(all) {
	case 0:
		return byArrival, nil
	case 1:
		return all[0], nil
	}
	for _, n := range cheapEnough {
		for _, w := range all {
			at, err := t.place(w, s, w.by(f), n)
			if err != nil || at == 0 {
				return w, err
			}
		}
	}
	return all[0], nil
}

// Search implements store.Reader.
func (t *tx) Search(ws string, f store.ItemFilter, s store.Scan[store.Item]) (out store.Found[store.Item], err error) {
	sp := span{ws: ws, order: searchOldest[s.Oldest]}
	sp.from, sp.to = store.Span(f.Since, f.Until)
	if found, err := t.goOn(&sp, s.Page); !found || err != nil {
		return out, err
	}
	w := byUser
	if s.Of != "" {
		if f.User != "" && f.User != s.Of {
			return out, nil
		}
		f.User = s.Of
	} else if w, err = t.narrowest(&f, sp); err != nil {
		return out, err
	}
	by, last := w.by(&f), int64(0)
	if s.Pass != nil || !w.exact(&f) {
		// The first that is not looked at any more.
		if last, err = t.place(w, sp, by, s.Most); err != nil {
			return out, err
		}
	}
	if last != 0 {
		if s.Oldest {
			sp.to = last
		} else {
			sp.from = last + 1
		}
	}
	out.Rows, err = t.items(s.Limit, s.Pass, w.order[sp.order].rows, ws, sp.from, sp.to, by, string(f.State), string(f.Kind), f.User, f.Replica, f.Type, f.Record, string(f.Op))
	full := len(out.Rows) == s.Limit
	if err != nil || !full && last == 0 {
		return out, err
	}
	if full {
		end := out.Rows[len(out.Rows)-1]
		out.Next, out.To = end.Key.String(), end.ReceivedAt
		return out, nil
	}
	return out, t.stopped(&out, w, sp, by, s.Most-1)
}

// exact: the way leads to what passes the filter alone, so that a page looks at
// what it gives.
func (w *way) exact(f *store.ItemFilter) bool {
	n := 0
	for _, part := range []string{string(f.State), string(f.Kind), f.User, f.Replica, f.Type, f.Record, string(f.Op)} {
		if part != "" {
			n++
		}
	}
	return n == 0 || n == 1 && w != byArrival
}

// goOn puts the span behind a cursor; not found when it is none of a row here.
func (t *tx) goOn(sp *span, p store.Page) (found bool, err error) {
	if p.After == "" {
		return true, nil
	}
	k, err := landfall.ParseKey(p.After)
	if err != nil {
		return false, err
	}
	at, _, err := t.arrival(sp.ws, k)
	if p.Oldest {
		sp.from = max(sp.from, at+1)
	} else {
		sp.to = min(sp.to, at)
	}
	return at != 0, err
}

// stopped says where a search ended that had looked at all that it might.
func (t *tx) stopped(out *store.Found[store.Item], w *way, sp span, by string, n int) error {
	at, err := t.place(w, sp, by, n)
	if err != nil {
		return err
	}
	return t.query(qAt, func(st *sqlite.Stmt) (bool, error) {
		out.To = moment(st.ColumnInt64(3))
		out.Next = (landfall.Key{Replica: st.ColumnText(0), Incarnation: st.ColumnInt64(1), N: st.ColumnInt64(2)}).String()
		return false, nil
	}, sp.ws, at)
}

// ItemRecords implements store.Reader: each step is a search of its own, since
// one record can have any number of items.
func (t *tx) ItemRecords(ws, prefix string, limit int) (out []string, err error) {
	next, err := t.text(qHasItems, ws, prefix)
	if next == "" && err == nil {
		next, err = t.text(qItemRecord, ws, prefix)
	}
	for err == nil && next != "" && strings.HasPrefix(next, prefix) && len(out) < limit {
		out = append(out, next)
		next, err = t.text(qItemRecord, ws, next)
	}
	return out, err
}

// Known implements store.Reader.
func (t *tx) Known(ws, id string) (number string, keys []string, err error) {
	held := ""
	if err = t.query(qKnown, func(st *sqlite.Stmt) (bool, error) {
		number, held = st.ColumnText(0), st.ColumnText(1)
		return false, nil
	}, ws, id); err != nil {
		return "", nil, err
	}
	keys, err = keysOf(held)
	return number, keys, err
}

// Aging implements store.Reader.
func (t *tx) Aging(ws string, before time.Time, p store.Page) (out store.Found[store.Item], err error) {
	ended, arrived, err := store.ParseAgingCursor(p.After)
	if err != nil || p.Limit < 1 {
		return out, err
	}
	upto := int64(math.MaxInt64)
	if !before.IsZero() {
		upto = nanos(before)
	}
	err = t.query(qAging, func(st *sqlite.Stmt) (bool, error) {
		i, err := item(st)
		out.Rows, out.Next = append(out.Rows, i), store.AgingCursor(st.ColumnInt64(12), st.ColumnInt64(13))
		return true, err
	}, ws, ended, arrived, upto, p.Limit)
	if len(out.Rows) < p.Limit {
		out.Next = ""
	}
	return out, err
}
