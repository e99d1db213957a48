package model

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/store"
)

// regroup gives records and issues the names and the audience that the next version
// of the app gives them, as its publication must. Records of a type that it does not
// have stay where they are.
func (r *reading) regroup(next *app.App, d *store.DefinitionRow, changes []*landfall.Change) {
	old := r.m.app
	r.m.app = next
	for _, c := range next.Convert {
		if c.To > r.m.version {
			r.convert(c, d, changes)
		}
	}
	for _, c := range changes {
		if c.ID != "" {
			r.complain("convert", "%s is converted to version %d, and has no names to convert", c.ID, d.Version)
		}
	}
	var all []string
	for _, id := range slices.Sorted(maps.Keys(r.m.records)) {
		if rec := r.m.records[id]; !rec.Deleted && next.Type(rec.Type) != nil {
			all = append(all, id)
		}
	}
	r.follow(all)
	for _, id := range slices.Sorted(maps.Keys(r.m.issues)) {
		i := &r.m.issues[id].Issue
		if was, now := issueKeys(old, i), issueKeys(next, i); !slices.Equal(was, now) {
			r.given(id, now, r.seq)
		}
	}
}
