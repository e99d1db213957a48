package publish

import (
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// moves are what a publication does to stored records, at its place.
type moves struct {
	w     store.Writer
	ws    string
	next  *definition.App
	seq   int64
	at    time.Time
	by    string
	index int // of the next change
}

// Regroup gives a record another audience.
func (m *moves) Regroup(id string, keys []string) error {
	return m.w.Regroup(m.ws, id, keys, m.seq)
}

// Link makes a record be found from what it names.
func (m *moves) Link(typ, id string, links []landfall.Link) error {
	return m.w.SetLinks(m.ws, typ, id, links)
}

// Convert stores a record under its new names. It is stamped with the version that
// is published if it is valid under that; else it keeps its stamp, until somebody
// changes it.
func (m *moves) Convert(was, now *landfall.Record, keys []string) error {
	now = now.Clone()
	c := core.Converted(was, now)
	c.Seq, c.Index, c.At, c.Edited, c.Author = m.seq, m.index, m.at, m.at, m.by
	c.Note = "converted to version " + strconv.FormatInt(m.next.Version, 10)
	m.index++
	now.Version, now.UpdatedAt = m.seq, m.at
	if core.Valid(m.next, now, m.at) {
		now.Definition = m.next.Version
	}
	if err := m.w.PutRecord(m.ws, now, keys); err != nil {
		return err
	}
	return m.w.AddChange(m.ws, &c)
}

// Regroup implements mover.
func (trial) Regroup(string, []string) error { return nil }

// Link implements mover.
func (trial) Link(string, string, []landfall.Link) error { return nil }

// Convert implements mover.
func (trial) Convert(*landfall.Record, *landfall.Record, []string) error { return nil }
