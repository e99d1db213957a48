package memory

import (
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Search implements store.Reader: it looks at one after the other.
func (t *tx) Search(ws string, f store.ItemFilter, s store.Scan[store.Item]) (out store.Found[store.Item], err error) {
	from, to := store.Span(f.Since, f.Until)
	f.Since, f.Until = time.Time{}, time.Time{} // of the arrival
	place := func(n int64) string { return kv.Key("arrived", ws, kv.Number(n)) }
	if s.After != "" {
		k, err := landfall.ParseKey(s.After)
		if err != nil {
			return out, err
		}
		n, err := t.number(kv.Key("arrival") + itemKey(ws, k))
		if err != nil || n == 0 {
			return out, err
		}
		if s.Oldest {
			from = max(from, n+1)
		} else {
			to = min(to, n)
		}
	}
	way := t.down(kv.Key("arrived", ws), place(to))
	if s.Oldest {
		way = t.up(kv.Key("arrived", ws), place(from-1))
	}
	looked, last := 0, (*store.Item)(nil)
	for at, row := range way {
		if s.Oldest && at >= place(to) || !s.Oldest && at < place(from) {
			break
		}
		it, err := get[store.Item](t, string(row))
		if err != nil {
			return out, err
		}
		if s.Of != "" && it.User != s.Of {
			continue
		}
		if looked++; looked > s.Most {
			break
		}
		last = it
		ok := f.MatchItem(it)
		if ok && s.Pass != nil {
			if ok, err = s.Pass(it); err != nil {
				return out, err
			}
		}
		if ok {
			out.Rows = append(out.Rows, it)
		}
		if len(out.Rows) == s.Limit {
			looked = s.Most + 1
			break
		}
	}
	if looked > s.Most {
		out.Next, out.To = last.Key.String(), last.ReceivedAt
	}
	return out, nil
}

// ItemRecords implements store.Reader.
func (t *tx) ItemRecords(ws, prefix string, limit int) (out []string, err error) {
	index, after := kv.Key("named", ws), ""
	if prefix != "" {
		after = index + kv.Part(prefix)
	}
	for k := range t.up(index, after) {
		record := kv.Parts(strings.TrimPrefix(k, index))[0]
		if !strings.HasPrefix(record, prefix) || len(out) == limit {
			break
		}
		if len(out) == 0 || out[len(out)-1] != record {
			out = append(out, record)
		}
	}
	return out, nil
}

// Known implements store.Reader.
func (t *tx) Known(ws, id string) (number string, keys []string, err error) {
	rec, err := t.Record(ws, id)
	if rec == nil || err != nil {
		return "", nil, err
	}
	keys, err = t.Audience(ws, id)
	return rec.Number, keys, err
}

// Aging implements store.Reader.
func (t *tx) Aging(ws string, before time.Time, p store.Page) (out store.Found[store.Item], err error) {
	ended, arrived, err := store.ParseAgingCursor(p.After)
	if err != nil {
		return out, err
	}
	index, upto := kv.Key("ended", ws), ""
	if !before.IsZero() {
		upto = kv.Key("ended", ws, kv.Number(before.UnixNano()))
	}
	for k, row := range t.up(index, kv.Key("ended", ws, kv.Number(ended), kv.Number(arrived))) {
		if len(out.Rows) >= p.Limit || upto != "" && k >= upto {
			break
		}
		it, err := get[store.Item](t, string(row))
		if err != nil {
			return out, err
		}
		at, err := t.number(kv.Key("arrival") + string(row))
		if err != nil {
			return out, err
		}
		out.Rows, out.Next = append(out.Rows, it), store.AgingCursor(it.Ended().UnixNano(), at)
	}
	if len(out.Rows) < p.Limit {
		out.Next = ""
	}
	return out, nil
}
