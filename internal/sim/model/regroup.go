package model

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall/internal/sim/app"
)

// regroup gives records and issues the audience that the next version of the app
// gives them, as its publication must. Records of a type that it does not have
// stay where they are.
func (r *reading) regroup(next *app.App) {
	for _, id := range slices.Sorted(maps.Keys(r.m.records)) {
		rec := r.m.records[id]
		if rec.Deleted || next.Type(rec.Type) == nil {
			continue
		}
		moved := *rec
		moved.keys = audience(next, rec.Record)
		r.m.records[id] = &moved
		r.moved(id, rec.keys, moved.keys)
	}
	for _, id := range slices.Sorted(maps.Keys(r.m.issues)) {
		i := &r.m.issues[id].Issue
		r.moved(id, issueKeys(r.m.app, i), issueKeys(next, i))
	}
}

// moved: who receives it from here on is stored at this place, and nothing else.
func (r *reading) moved(id string, was, now []string) {
	if slices.Equal(was, now) {
		return
	}
	stored := r.regrouped[id]
	delete(r.regrouped, id)
	switch {
	case stored == nil:
		r.complain("audience", "%s stays with %v at %d, and is for %v now", id, was, r.seq, now)
	case !slices.Equal(stored.Keys, now) || stored.Seq != r.seq:
		r.complain("audience", "%s is for %v from %d on, not for %v from %d on", id, now, r.seq, stored.Keys, stored.Seq)
	}
}
