package memory

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Pushes implements store.Reader.
func (t *tx) Pushes(ws string, after int64, limit int) ([]store.Push, error) {
	var out []store.Push
	for _, p := range t.db.pushes[ws] {
		if p.ID > after && len(out) < limit {
			p.Body = slices.Clone(p.Body)
			out = append(out, p)
		}
	}
	return out, nil
}

// AddPush implements store.Writer.
func (t *tx) AddPush(ws string, p *store.Push) error {
	t.db.nextPush++
	p.ID = t.db.nextPush
	kept := *p
	kept.Body = slices.Clone(p.Body)
	set(t, t.db.pushes, ws, append(slices.Clip(t.db.pushes[ws]), kept))
	return nil
}

// MarkPush implements store.Writer.
func (t *tx) MarkPush(ws string, p *store.Push) error {
	all := slices.Clone(t.db.pushes[ws])
	for i := range all {
		if all[i].ID == p.ID {
			all[i].Tried, all[i].Trying, all[i].Tries = p.Tried, p.Trying, p.Tries
		}
	}
	set(t, t.db.pushes, ws, all)
	return nil
}

// DeletePush implements store.Writer.
func (t *tx) DeletePush(ws string, id int64) error {
	set(t, t.db.pushes, ws, slices.DeleteFunc(slices.Clone(t.db.pushes[ws]), func(p store.Push) bool { return p.ID == id }))
	return nil
}

// Item implements store.Reader.
func (t *tx) Item(ws string, k landfall.Key) (*store.Item, error) {
	return get[store.Item](t.db.items, itemKey{ws, k})
}

// PutItem implements store.Writer.
func (t *tx) PutItem(ws string, i *store.Item) error {
	k := itemKey{ws, i.Key}
	if t.db.items[k] == nil {
		set(t, t.db.arrived, k, len(t.db.arrived))
	}
	return put(t, t.db.items, k, i)
}

// AddItem implements store.Writer.
func (t *tx) AddItem(ws string, i *store.Item) error {
	if t.db.items[itemKey{ws, i.Key}] != nil {
		return fmt.Errorf("the item %s is there already", i.Key)
	}
	return t.PutItem(ws, i)
}

func (t *tx) itemsWhere(ws string, match func(*store.Item) bool) ([]*store.Item, error) {
	var out []*store.Item
	for k, b := range t.db.items {
		if k.ws != ws {
			continue
		}
		i, err := store.Decode[store.Item](b)
		if err != nil {
			return nil, err
		}
		if match(i) {
			out = append(out, i)
		}
	}
	slices.SortFunc(out, func(a, b *store.Item) int {
		return cmp.Or(strings.Compare(a.Key.Replica, b.Key.Replica), cmp.Compare(a.Key.Incarnation, b.Key.Incarnation), cmp.Compare(a.Key.N, b.Key.N))
	})
	return out, nil
}

// Items implements store.Reader.
func (t *tx) Items(ws string, f store.ItemFilter, p store.Page) ([]*store.Item, error) {
	var cursor *store.Item
	if p.After != "" {
		k, err := landfall.ParseKey(p.After)
		if err != nil {
			return nil, err
		}
		if cursor, err = t.Item(ws, k); err != nil || cursor == nil {
			return nil, err
		}
	}
	rows, err := t.itemsWhere(ws, f.MatchItem)
	if err != nil {
		return nil, err
	}
	order := func(a, b *store.Item) int {
		if f.Replica != "" && f.Record == "" {
			return cmp.Or(cmp.Compare(b.Key.Incarnation, a.Key.Incarnation), cmp.Compare(b.Key.N, a.Key.N))
		}
		return cmp.Compare(t.db.arrived[itemKey{ws, b.Key}], t.db.arrived[itemKey{ws, a.Key}])
	}
	return page(rows, p, order, func(i *store.Item) bool { return order(cursor, i) < 0 }), nil
}

// Held implements store.Reader.
func (t *tx) Held(ws, issue string) ([]*store.Item, error) {
	return t.itemsWhere(ws, func(i *store.Item) bool { return i.Holder == issue && issue != "" })
}

// Laned implements store.Reader.
func (t *tx) Laned(ws, replica string) (bool, error) {
	rows, err := t.itemsWhere(ws, func(i *store.Item) bool { return i.Holder != "" && i.Key.Replica == replica })
	return len(rows) > 0, err
}

// Lane implements store.Reader.
func (t *tx) Lane(ws, replica, record string) ([]*store.Item, error) {
	return t.itemsWhere(ws, func(i *store.Item) bool {
		return i.Holder != "" && i.Key.Replica == replica && slices.Contains(i.Refs, record)
	})
}

// Outcomes implements store.Reader.
func (t *tx) Outcomes(ws, replica string, after, upto int64, limit int) ([]landfall.Outcome, error) {
	rows, err := t.itemsWhere(ws, func(i *store.Item) bool {
		return i.Outcome != nil && i.Key.Replica == replica && i.Outcome.Seq > after && i.Outcome.Seq <= upto
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(a, b *store.Item) int { return cmp.Compare(a.Outcome.Seq, b.Outcome.Seq) })
	var out []landfall.Outcome
	for _, i := range rows[:min(limit, len(rows))] {
		out = append(out, *i.Outcome)
	}
	return out, nil
}
