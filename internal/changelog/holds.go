package changelog

import (
	"github.com/landfall-sync/landfall/internal/store"
)

// hold is a finished span in which the caller held a key.
type hold struct {
	key      string
	from, to int64
}

// holds is what the caller holds, and held, as one replica counts it: a grant
// at or before the beginning of its first sync is as good as held for ever.
type holds struct {
	keys []string         // held now, sorted
	from map[string]int64 // since when, by key
	lost []hold
}

// holdsOf reads the caller's spans. A key that is held without a span was held
// since its last loss. A span that is open though its key is not held counts as
// lost at the head: what may be seen is decided by what the caller holds.
func holdsOf(rows []store.GrantRow, keys []string, start, head int64) holds {
	h := holds{keys: keys, from: make(map[string]int64, len(keys))}
	counted := func(from int64) int64 {
		if from <= start {
			return 0
		}
		return from
	}
	held := make(map[string]bool, len(keys))
	for _, k := range keys {
		held[k] = true
		h.from[k] = 0
	}
	open := map[string]bool{}
	for _, g := range rows {
		switch {
		case g.To != 0:
			h.lost = append(h.lost, hold{g.Key, counted(g.From), g.To})
			if held[g.Key] && !open[g.Key] {
				h.from[g.Key] = max(h.from[g.Key], counted(g.To))
			}
		case !held[g.Key]:
			h.lost = append(h.lost, hold{g.Key, counted(g.From), head})
		case !open[g.Key]:
			open[g.Key] = true
			h.from[g.Key] = counted(g.From)
		}
	}
	return h
}

// visible reports whether one of a record's keys is held now, since before or
// at a place of the sequence.
func (h *holds) visible(audience []string, place int64) bool {
	for _, k := range audience {
		if from, ok := h.from[k]; ok && from <= place {
			return true
		}
	}
	return false
}
