package inbox

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// refs notes the lane of an item: its record, and what that is a part of, as far as
// it can be known by now. What can't be read says no type, and is part of nothing;
// what is only without its group is part of what it says.
func (j *judging) refs(u *unit, x *member) error {
	if x.item.Record == "" {
		return nil
	}
	x.item.Refs = []string{x.item.Record}
	wholes, err := core.Wholes(j.app, &x.m, func(id string) (*landfall.Record, error) {
		r, err := j.w.Record(j.ws, id)
		if r != nil || err != nil {
			return r, err
		}
		return j.asked(u, x.m.Replica, id)
	})
	x.item.Refs = append(x.item.Refs, wholes...)
	return err
}

// asked is a record that is not there, as the replica asks to make it: in the same
// unit, or in what issues hold; nil when it does not.
func (j *judging) asked(u *unit, replica, id string) (*landfall.Record, error) {
	of := func(m *landfall.Mutation) *landfall.Record {
		return &landfall.Record{Type: m.Type, ID: id, Fields: m.Set}
	}
	for i := range u.members {
		if m := &u.members[i].m; m.Op == landfall.OpCreate && m.ID == id {
			return of(m), nil
		}
	}
	held, err := j.w.Lane(j.ws, replica, id)
	for _, it := range held {
		if it.Record == id && it.Op == landfall.OpCreate {
			if x := j.in.reread(it); x.bad == nil {
				return of(&x.m), err
			}
		}
	}
	return nil, err
}

// withParts is what a withdrawal covers of a lane: what is on the issue's record,
// and, when that is not there, what waits to become a part of it. A group of which
// something else is a member is left to be judged.
func (j *judging) withParts(i *landfall.Issue, l *lane) ([]*store.Item, error) {
	out := slices.Clone(l.own)
	if i.Record == "" || len(l.others) == 0 {
		return out, nil
	}
	rec, err := j.w.Record(j.ws, i.Record)
	if rec != nil || err != nil {
		return out, err
	}
	part := func(it *store.Item) bool {
		return it.Key.Replica == i.Device && it.Record != i.Record && slices.Contains(it.Refs, i.Record)
	}
	for k := 0; k < len(l.others); {
		to := k + j.in.together(l.others[k:])
		if x := j.in.reread(l.others[k]); (!x.grouped() || to-k == x.m.Group.Of) && !slices.ContainsFunc(l.others[k:to], func(it *store.Item) bool { return !part(it) }) {
			out = append(out, l.others[k:to]...)
		}
		k = to
	}
	return out, nil
}
