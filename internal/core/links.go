package core

import (
	"errors"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// removedWith marks the link of a part that was deleted with its whole, so that
// the whole's restoration finds just those.
const removedWith = "-"

// mostMoved is how many records may be deleted, restored, or enter or leave devices
// with one change: the server judges nothing else while it writes them.
const mostMoved = 10_000

// errTooMany ends a verdict with which more would.
var errTooMany = errors.New("core: too many records move with one change")

// linkPage is how many ids are asked for at a time.
const linkPage = 500

// Links are the records that this one is to be found from: those that it names
// in the fields by which it is seen, or is a part. A deleted record is found from
// none. It is nil when the type has no such field.
func Links(t *definition.Type, r *landfall.Record) []landfall.Link {
	if t == nil || len(t.Linked) == 0 {
		return nil
	}
	out := []landfall.Link{}
	for _, name := range t.Linked {
		if id := text(r.Fields[name]); id != "" && !r.Deleted {
			out = append(out, landfall.Link{Field: name, Target: id})
		}
	}
	return out
}

// links are the record's as this verdict leaves it: one that is deleted with its
// whole is found from that still.
func (w *working) links(t *definition.Type) []landfall.Link {
	if w.removed {
		return []landfall.Link{{Field: removedWith + t.PartOf, Target: wholeOf(t, w.now)}}
	}
	return Links(t, w.now)
}

// referrers gives each record that the World links to target to f.
func (j *judging) referrers(target, typ, field string, f func(id string) error) error {
	for after := ""; ; {
		ids, err := j.in.World.Referrers(target, typ, field, after, linkPage)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := f(id); err != nil {
				return err
			}
		}
		if len(ids) < linkPage {
			return nil
		}
		after = ids[len(ids)-1]
	}
}

// audiences gives the written records their audience, and all that is seen
// through them, by whatever way, its new one. Types are gone through in the order
// of the ways by which their records are seen, so that what a record's audience
// comes from is known before.
func (j *judging) audiences(writes []landfall.Write) error {
	alone := true
	for i := range writes {
		w := &writes[i]
		if t := j.in.App.Types[w.Record.Type]; t != nil && len(t.Linked)+len(t.Followers) > 0 {
			alone = false
			continue
		}
		var err error
		if w.Audience, err = Audience(j.in.App, w.Record, Nobody); err != nil {
			return err
		}
	}
	if alone {
		return nil
	}
	g := &grouping{judging: j, keys: map[string][]string{}, waiting: make([][]string, len(j.in.App.Order)+1)}
	byID := make(map[string]*landfall.Write, len(writes))
	for i := range writes {
		w := &writes[i]
		byID[w.Record.ID] = w
		g.waits(w.Record.Type, w.Record.ID)
	}
	for depth := range g.waiting {
		for k := 0; k < len(g.waiting[depth]); k++ {
			if err := g.settle(g.waiting[depth][k], byID); err != nil {
				return err
			}
		}
	}
	return nil
}

// grouping is the work on audiences.
type grouping struct {
	*judging
	keys    map[string][]string // that records of this verdict have from now on
	waiting [][]string          // ids by the depth of their type
}

func (g *grouping) waits(typ, id string) {
	if t := g.in.App.Types[typ]; t != nil {
		g.waiting[t.Depth] = append(g.waiting[t.Depth], id)
	}
}

// settle works out the audience of one record.
func (g *grouping) settle(id string, writes map[string]*landfall.Write) error {
	if _, done := g.keys[id]; done {
		return nil
	}
	written := writes[id]
	var r *landfall.Record
	if written != nil {
		r = written.Record
	} else {
		var err error
		if r, err = g.in.World.Record(id); r == nil || err != nil {
			return err
		}
	}
	t := g.in.App.Types[r.Type]
	now, err := Audience(g.in.App, r, g.current)
	if err != nil {
		return err
	}
	g.keys[id] = now
	if written != nil {
		written.Audience = now
		if len(t.Followers) == 0 || g.work[id].stored == nil {
			return nil // nobody is seen through it, or not yet
		}
	}
	was, err := g.in.World.Audience(id)
	if err != nil || slices.Equal(was, now) {
		return err
	}
	if len(g.regroups) >= mostMoved {
		return errTooMany
	}
	if written == nil {
		g.regroups = append(g.regroups, landfall.Regroup{ID: id, Audience: now})
	}
	for _, f := range t.Followers {
		if err := g.referrers(id, f.Type, f.Field, func(follower string) error {
			g.waits(f.Type, follower)
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// current is who may see a record after this verdict.
func (g *grouping) current(_, id string) ([]string, error) {
	if keys, known := g.keys[id]; known {
		return keys, nil
	}
	return g.in.World.Audience(id)
}
