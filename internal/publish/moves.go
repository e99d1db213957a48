package publish

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// moves are what a publication does to stored records, at its place.
type moves struct {
	w   store.Writer
	ws  string
	seq int64
}

// Regroup gives a record another audience.
func (m *moves) Regroup(id string, keys []string) error {
	return m.w.Regroup(m.ws, id, keys, m.seq)
}

// Link makes a record be found from what it names.
func (m *moves) Link(typ, id string, links []landfall.Link) error {
	return m.w.SetLinks(m.ws, typ, id, links)
}

// trial does nothing.
type trial struct{}

// Regroup implements mover.
func (trial) Regroup(string, []string) error { return nil }

// Link implements mover.
func (trial) Link(string, string, []landfall.Link) error { return nil }
