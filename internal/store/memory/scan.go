package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// RecordIDs implements store.Reader.
func (t *tx) RecordIDs(ws, after string, limit int) ([]string, error) {
	var out []string
	for k := range t.db.records {
		if k[0] == ws && k[1] > after {
			out = append(out, k[1])
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))], nil
}

// Log implements store.Reader.
func (t *tx) Log(ws string, after store.Place, limit int) ([]landfall.Change, error) {
	var out []landfall.Change
	for k := range t.db.changes {
		if k[0] != ws || k[1] < after.ID {
			continue
		}
		all, err := t.Changes(ws, k[1], 0)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if order(store.PlaceOf(&all[i]), after) > 0 {
				out = append(out, all[i])
			}
		}
	}
	slices.SortFunc(out, func(a, b landfall.Change) int { return order(store.PlaceOf(&a), store.PlaceOf(&b)) })
	return out[:min(limit, len(out))], nil
}

func order(a, b store.Place) int {
	return cmp.Or(strings.Compare(a.ID, b.ID), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
}
