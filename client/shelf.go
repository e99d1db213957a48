package client

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// shelf is what a device has: the replica, and what is pending on it.
type shelf struct {
	tx      Tx
	s       *state
	app     *definition.App
	entries map[string][]*Entry // that show, by record
}

// targets are the records that references name, as the device shows them. Trouble
// with the storage is where the pointer leads, once they were asked for.
func (f *shelf) targets() (core.Targets, *error) {
	var trouble error
	return func(id string) *landfall.Record {
		r, _, err := f.shown(id)
		if err != nil {
			trouble = err
		}
		return r
	}, &trouble
}

// shown is a record with what is pending on it, and whether the device knows of it.
func (f *shelf) shown(id string) (r *landfall.Record, known bool, err error) {
	server, err := f.tx.Record(id)
	if err != nil {
		return nil, false, err
	}
	pending, err := decodeAll(f.entries[id])
	if err != nil {
		return nil, false, err
	}
	return core.Rebase(f.app, f.s.actor(), server, pending, nil), server != nil || len(pending) > 0, nil
}

// deleted reports whether what the record is a part of is deleted here: its parts
// go with it.
func (f *shelf) deleted(r *landfall.Record) (bool, error) {
	for t := f.app.Types[r.Type]; t != nil && t.PartOf != ""; t = f.app.Types[r.Type] {
		whole, known, err := f.shown(core.Text(r.Fields[t.PartOf]))
		if err != nil || !known {
			return false, err
		}
		if whole == nil {
			return true, nil
		}
		r = whole
	}
	return false, nil
}

func decodeAll(entries []*Entry) ([]landfall.Mutation, error) {
	var out []landfall.Mutation
	for _, e := range entries {
		m, err := decode(e)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}
