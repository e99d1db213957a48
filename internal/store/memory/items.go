package memory

import (
	"fmt"
	"math"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Pushes implements store.Reader.
func (t *tx) Pushes(ws string, after int64, limit int) (out []store.Push, err error) {
	for row, b := range t.up(kv.Key("push", ws), kv.Key("push", ws, kv.Number(after))) {
		if len(out) >= limit {
			break
		}
		p, err := store.Decode[store.Push](b)
		if err != nil {
			return nil, err
		}
		body, _ := t.kv.Get(kv.Key("body") + row)
		p.Body = slices.Clone(body)
		out = append(out, *p)
	}
	return out, nil
}

// AddPush implements store.Writer.
func (t *tx) AddPush(ws string, p *store.Push) error {
	last, err := t.number(kv.Key("last push"))
	if err != nil {
		return err
	}
	p.ID = last + 1
	t.putNumber(kv.Key("last push"), p.ID)
	row := kv.Key("push", ws, kv.Number(p.ID))
	t.kv.Put(kv.Key("body")+row, slices.Clone(p.Body))
	kept := *p
	kept.Body = nil
	return t.put(row, &kept)
}

// MarkPush implements store.Writer.
func (t *tx) MarkPush(ws string, p *store.Push) error {
	row := kv.Key("push", ws, kv.Number(p.ID))
	kept, err := get[store.Push](t, row)
	if kept == nil || err != nil {
		return err
	}
	kept.Tried, kept.Trying, kept.Tries = p.Tried, p.Trying, p.Tries
	return t.put(row, kept)
}

// DeletePush implements store.Writer.
func (t *tx) DeletePush(ws string, id int64) error {
	row := kv.Key("push", ws, kv.Number(id))
	t.kv.Delete(row)
	t.kv.Delete(kv.Key("body") + row)
	return nil
}

func itemKey(ws string, k landfall.Key) string {
	return kv.Key("item", ws, k.Replica, kv.Number(k.Incarnation), kv.Number(k.N))
}

// Item implements store.Reader.
func (t *tx) Item(ws string, k landfall.Key) (*store.Item, error) {
	return get[store.Item](t, itemKey(ws, k))
}

// PutItem implements store.Writer.
func (t *tx) PutItem(ws string, i *store.Item) error {
	row := itemKey(ws, i.Key)
	if _, ok := t.kv.Get(row); !ok {
		if err := t.arrive(ws, row, i); err != nil {
			return err
		}
	}
	replica, place := i.Key.Replica, kv.Key(i.Key.Replica, kv.Number(i.Key.Incarnation), kv.Number(i.Key.N))
	var leads []string
	if i.Holder != "" {
		leads = append(leads, kv.Key("held", ws, i.Holder)+place, kv.Key("laned", ws, replica)+place)
		for _, record := range i.Refs {
			leads = append(leads, kv.Key("lane", ws, replica, record)+place)
		}
		for _, record := range slices.Concat(i.Refs, i.Mentions) {
			if lead := kv.Key("held on", ws, record) + place; !slices.Contains(leads, lead) {
				leads = append(leads, lead)
			}
		}
	}
	if i.State != store.Completed && i.State != store.Withdrawn {
		leads = append(leads, kv.Key("open", ws)+place)
	}
	if i.Outcome != nil {
		leads = append(leads, kv.Key("settled", ws, replica, kv.Number(i.Outcome.Seq))+place)
	}
	if i.Record != "" {
		leads = append(leads, kv.Key("named", ws, i.Record)+place)
	}
	if ended := i.Ended(); !ended.IsZero() {
		at, err := t.number(kv.Key("arrival") + row)
		if err != nil {
			return err
		}
		leads = append(leads, kv.Key("ended", ws, kv.Number(ended.UnixNano()), kv.Number(at)))
	}
	t.index(row, leads...)
	return t.put(row, i)
}

// arrive puts a new item behind all others of its workspace.
func (t *tx) arrive(ws, row string, i *store.Item) error {
	last, err := t.number(kv.Key("last arrival", ws))
	if err != nil {
		return err
	}
	at := store.Arrival(last, i)
	t.putNumber(kv.Key("last arrival", ws), at)
	t.putNumber(kv.Key("arrival")+row, at)
	t.kv.Put(kv.Key("arrived", ws, kv.Number(at)), []byte(row))
	return nil
}

// AddItem implements store.Writer.
func (t *tx) AddItem(ws string, i *store.Item) error {
	if _, ok := t.kv.Get(itemKey(ws, i.Key)); ok {
		return fmt.Errorf("the item %s is there already", i.Key)
	}
	return t.PutItem(ws, i)
}

// Items implements store.Reader.
func (t *tx) Items(ws string, f store.ItemFilter, p store.Page) ([]*store.Item, error) {
	arrived, key := "", ""
	if p.After != "" {
		k, err := landfall.ParseKey(p.After)
		if err != nil {
			return nil, err
		}
		n, err := t.number(kv.Key("arrival") + itemKey(ws, k))
		if err != nil || n == 0 {
			return nil, err
		}
		arrived, key = kv.Key("arrived", ws, kv.Number(n)), itemKey(ws, landfall.Key{Replica: f.Replica, Incarnation: k.Incarnation, N: k.N})
	}
	if f.Replica != "" && f.Record == "" {
		return list(t.down(kv.Key("item", ws, f.Replica), key), p.Limit, f.MatchItem)
	}
	return list(t.led(t.down(kv.Key("arrived", ws), arrived)), p.Limit, f.MatchItem)
}

// Held implements store.Reader.
func (t *tx) Held(ws, issue string) ([]*store.Item, error) {
	return list[store.Item](t.led(t.up(kv.Key("held", ws, issue), "")), math.MaxInt, nil)
}

// Laned implements store.Reader.
func (t *tx) Laned(ws, replica string) (bool, error) {
	return t.first(kv.Key("laned", ws, replica)) != "", nil
}

// Lane implements store.Reader.
func (t *tx) Lane(ws, replica, record string) ([]*store.Item, error) {
	return list[store.Item](t.led(t.up(kv.Key("lane", ws, replica, record), "")), math.MaxInt, nil)
}

// Outcomes implements store.Reader.
func (t *tx) Outcomes(ws, replica string, after, upto int64, limit int) (out []landfall.Outcome, err error) {
	settled := func(seq int64) string { return kv.Behind("settled", ws, replica, kv.Number(seq)) }
	for lead, row := range t.up(kv.Key("settled", ws, replica), settled(after)) {
		if lead > settled(upto) || len(out) >= limit {
			break
		}
		i, err := get[struct{ Outcome landfall.Outcome }](t, string(row))
		if err != nil {
			return nil, err
		}
		out = append(out, i.Outcome)
	}
	return out, nil
}
