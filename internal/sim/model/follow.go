package model

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// seers lists who may receive a record of a type, by its keys.
type seers func(typ, id string) []string

// audience lists who may receive the record as it is, sorted. Of what it is seen
// via, via says it.
func audience(a *app.App, r *landfall.Record, via seers) []string {
	t := a.Type(r.Type)
	if t == nil {
		return nil
	}
	var keys []string
	for _, k := range t.Seen() {
		if len(k.Statuses) > 0 && !slices.Contains(k.Statuses, r.Status) {
			continue
		}
		name := text(r.Fields[k.Name])
		switch {
		case k.Kind == "all":
			keys = append(keys, "all")
		case k.Kind == "role":
			keys = append(keys, "role:"+k.Name)
		case name == "":
		case k.Kind == "via":
			keys = append(keys, via(t.Field(k.Name).To, name)...)
		default:
			keys = append(keys, k.Kind+":"+name)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Keys are those under which a record is kept now; none of one that is deleted, not
// there, or of another type.
func (m *Model) Keys(typ, id string) []string {
	if r := m.records[id]; r != nil && r.Type == typ {
		return r.keys
	}
	return nil
}

// audience is who may receive a record now.
func (m *Model) audience(r *landfall.Record) []string {
	if r.Deleted {
		return nil
	}
	return audience(m.app, r, m.Keys)
}

// follow gives records that changed their audience, and what is seen via them,
// and what is seen via that.
func (r *reading) follow(ids []string) {
	todo := map[string]bool{}
	for _, id := range ids {
		todo[id] = true
	}
	for _, t := range r.m.app.Deepest() {
		for _, id := range slices.Sorted(maps.Keys(todo)) {
			rec := r.m.records[id]
			if rec.Type != t.Name {
				continue
			}
			keys := r.m.audience(rec.Record)
			if slices.Equal(rec.keys, keys) {
				continue
			}
			moved := *rec
			if moved.keys = keys; moved.Version != r.seq {
				moved.moved = r.seq
			}
			r.m.records[id] = &moved
			r.m.followers(t.Name, id, todo)
		}
	}
}

// followers adds what is seen via a record.
func (m *Model) followers(typ, id string, to map[string]bool) {
	by := map[string][]string{}
	for _, t := range m.app.Types {
		for _, k := range t.Seen() {
			if k.Kind == "via" && t.Field(k.Name).To == typ {
				by[t.Name] = append(by[t.Name], k.Name)
			}
		}
	}
	if len(by) == 0 {
		return
	}
	for other, rec := range m.records {
		for _, name := range by[rec.Type] {
			if text(rec.Fields[name]) == id {
				to[other] = true
			}
		}
	}
}

// followed: who only follows is entered anew under the keys that are left and won,
// at the place where that happened, and nobody else is.
func (r *reading) followed() {
	var ids []string
	for id, rec := range r.m.records {
		if rec.moved > r.was.Seq && rec.moved > rec.Version {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		rec := r.m.records[id]
		r.given(id, rec.keys, rec.moved)
	}
}

// given: who receives it from a place on is stored at that place.
func (r *reading) given(id string, keys []string, seq int64) {
	stored := r.regrouped[id]
	delete(r.regrouped, id)
	switch {
	case stored == nil:
		r.complain("audience", "%s stays where it was at %d, and is for %v now", id, seq, keys)
	case !slices.Equal(stored.Keys, keys) || stored.Seq != seq:
		r.complain("audience", "%s is for %v from %d on, not for %v from %d on", id, keys, seq, stored.Keys, stored.Seq)
	}
}

// linked: a record is found from what it is seen via; what went with its whole is
// found from that, in a way of its own.
func (r *reading) linked() {
	for _, id := range r.touched {
		rec := r.m.records[id]
		t := r.m.app.Type(rec.Type)
		if t == nil {
			continue
		}
		want := []landfall.Link{}
		for _, k := range t.Seen() {
			if target := text(rec.Fields[k.Name]); k.Kind == "via" && target != "" && !rec.Deleted {
				want = append(want, landfall.Link{Field: k.Name, Target: target})
			}
		}
		if rec.gone {
			want = append(want, landfall.Link{Field: "-" + t.PartOf, Target: whole(t, rec.Record)})
		}
		if !slices.Equal(r.m.links[id], want) {
			r.complain("link", "%s is found from %v, not from %v", id, r.m.links[id], want)
		}
	}
}
