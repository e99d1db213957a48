package memory

import (
	"math"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Due implements store.Reader.
func (t *tx) Due(ws string, until time.Time, limit int) ([]*store.IssueRow, error) {
	var out []*store.IssueRow
	for lead, row := range t.up(kv.Key("due", ws), "") {
		if len(out) >= limit || lead > kv.Behind("due", ws, kv.Number(until.UnixNano())) {
			break
		}
		i, err := get[store.IssueRow](t, string(row))
		if err != nil {
			return nil, err
		}
		out = append(out, i)
	}
	return out, nil
}

// Laning implements store.Reader.
func (t *tx) Laning(ws string) (bool, error) {
	return t.first(kv.Key("held on", ws)) != "", nil
}

// HeldOn implements store.Reader.
func (t *tx) HeldOn(ws, record string, after landfall.Key, limit int) ([]*store.Item, error) {
	index := kv.Key("held on", ws, record)
	from := ""
	if after != (landfall.Key{}) {
		from = index + kv.Key(after.Replica, kv.Number(after.Incarnation), kv.Number(after.N))
	}
	return list[store.Item](t.led(t.up(index, from)), limit, nil)
}

// Sweeps implements store.Reader.
func (t *tx) Sweeps(ws string, limit int) (out []store.Sweep, err error) {
	rows, err := list[store.Sweep](t.up(kv.Key("sweep", ws), ""), limit, nil)
	for _, s := range rows {
		out = append(out, *s)
	}
	return out, err
}

// PutSweep implements store.Writer.
func (t *tx) PutSweep(ws string, s store.Sweep) error {
	return t.put(kv.Key("sweep", ws, string(s.Kind), s.Object), s)
}

// DeleteSweep implements store.Writer.
func (t *tx) DeleteSweep(ws string, s store.Sweep) error {
	t.kv.Delete(kv.Key("sweep", ws, string(s.Kind), s.Object))
	return nil
}

// IssueGroups implements store.Reader.
func (t *tx) IssueGroups(ws, cause string) ([]store.IssueGroup, error) {
	rows, err := t.Issues(ws, store.IssueFilter{State: store.Unresolved, Cause: cause}, store.Page{Limit: math.MaxInt})
	if err != nil {
		return nil, err
	}
	alike := func(a, b store.IssueGroup) int {
		return slices.Compare([]string{a.Cause, string(a.Kind), a.Queue, a.Assignee, a.Author, a.Device}, []string{b.Cause, string(b.Kind), b.Queue, b.Assignee, b.Author, b.Device})
	}
	var out []store.IssueGroup
	for _, row := range rows {
		i := &row.Issue
		g := store.IssueGroup{Cause: i.Cause, Kind: i.Kind, Queue: i.Queue, Assignee: i.Assigned(), Author: i.Author, Device: i.Device}
		at, found := slices.BinarySearchFunc(out, g, alike)
		if !found {
			g.Newest, g.Last = i.Number, i.ReceivedAt
			out = slices.Insert(out, at, g)
		}
		o := &out[at]
		o.Count++
		o.First = i.ReceivedAt // newest first: the last one is the oldest
	}
	return out, nil
}

// due are the keys that lead to an issue that is tried again.
func due(ws string, row *store.IssueRow, place string) []string {
	if row.Next.IsZero() {
		return nil
	}
	return []string{kv.Key("due", ws, kv.Number(row.Next.UnixNano())) + place}
}
