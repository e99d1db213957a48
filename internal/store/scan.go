package store

import "github.com/landfall-sync/landfall"

// Scans reads a workspace from end to end, a page at a time, for those who
// check all of it.
type Scans interface {
	// RecordIDs lists ids of records, deleted ones too, after the given one, in order.
	RecordIDs(ws, after string, limit int) ([]string, error)
	// RecordsOf lists those of a type in the same way.
	RecordsOf(ws, typ, after string, limit int) ([]string, error)
	// Entered reports whether the feed of a key has a record at a place, not gone.
	Entered(ws, key, id string, seq int64) (bool, error)
	// Log lists changes of all records after the given place, in order of (ID, Seq, Index).
	Log(ws string, after Place, limit int) ([]landfall.Change, error)
}

// Place is where a change stands in the log of its record.
type Place struct {
	ID    string
	Seq   int64
	Index int
}

// PlaceOf is where the change stands.
func PlaceOf(c *landfall.Change) Place { return Place{c.ID, c.Seq, c.Index} }
