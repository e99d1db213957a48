package memory

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Record implements store.Reader.
func (t *tx) Record(ws, id string) (*landfall.Record, error) {
	return t.record(kv.Key("record", ws, id))
}

// record reads a row: the record as devices get it. Who edited its fields
// stands beside it.
func (t *tx) record(row string) (*landfall.Record, error) {
	b, ok := t.kv.Get(row)
	if !ok {
		return nil, nil
	}
	edits, _ := t.kv.Get(kv.Key("edits") + row)
	return store.DecodeRecord(b, edits)
}

// RecordByNumber implements store.Reader.
func (t *tx) RecordByNumber(ws, number string) (*landfall.Record, error) {
	return t.record(t.first(kv.Key("numbered", ws, number)))
}

// RecordIDs implements store.Reader.
func (t *tx) RecordIDs(ws, after string, limit int) ([]string, error) {
	return names(t.up(kv.Key("record", ws), kv.Key("record", ws, after)), limit), nil
}

// RecordsOf implements store.Reader.
func (t *tx) RecordsOf(ws, typ, after string, limit int) ([]string, error) {
	return names(t.up(kv.Key("typed", ws, typ), kv.Key("typed", ws, typ, after)), limit), nil
}

// RecordsByPrefix implements store.Reader.
func (t *tx) RecordsByPrefix(ws, prefix string, limit int) ([]string, error) {
	return names(t.up(kv.Key("record", ws)+kv.Part(prefix), ""), limit), nil
}

// Row implements store.Reader.
func (t *tx) Row(ws, id string) (*store.Row, error) {
	r, err := t.Record(ws, id)
	if r == nil || err != nil {
		return nil, err
	}
	row := &store.Row{Record: r}
	err = t.standing(ws, id, func(key string, e entry) {
		if e.state != gone {
			row.Keys = append(row.Keys, key)
		}
		if e.state != gone && e.seq == r.Version {
			return
		}
		if row.Places == nil {
			row.Places = map[string]int64{}
		}
		row.Places[key] = e.seq
	})
	return row, err
}

// PutRow implements store.Writer.
func (t *tx) PutRow(ws string, _ *store.Row, r *landfall.Record, keys []string) error {
	return t.PutRecord(ws, r, keys)
}

// PutRecord implements store.Writer.
func (t *tx) PutRecord(ws string, r *landfall.Record, keys []string) error {
	was, err := t.Audience(ws, r.ID)
	if err != nil {
		return err
	}
	for _, k := range was {
		if !slices.Contains(keys, k) {
			if err := t.enter(ws, k, r, r.Version, gone); err != nil {
				return err
			}
		}
	}
	for _, k := range keys {
		if err := t.enter(ws, k, r, r.Version, stateOf(r)); err != nil {
			return err
		}
	}
	row, version := kv.Key("record", ws, r.ID), kv.Number(r.Version)
	leads := []string{kv.Key("typed", ws, r.Type, r.ID)}
	if r.Number != "" {
		leads = append(leads, kv.Key("numbered", ws, r.Number, r.ID))
	}
	if r.Queue != "" && !r.Deleted {
		leads = append(leads, kv.Key("queued", ws, r.Queue, version, r.ID))
	}
	if r.Assignee != "" && !r.Deleted {
		leads = append(leads, kv.Key("assigned", ws, r.Assignee, version, r.ID))
	}
	t.index(row, leads...)
	t.kv.Put(row, store.EncodeRecord(nil, r))
	t.kv.Put(kv.Key("edits")+row, store.EncodeEdits(nil, r.Edits))
	return nil
}

// Regroup implements store.Writer.
func (t *tx) Regroup(ws, id string, keys []string, seq int64) error {
	r, err := t.Record(ws, id)
	if err != nil {
		return err
	}
	if r == nil {
		return landfall.Errorf(landfall.CodeInternal, "there is no record %s whose audience could change", id)
	}
	was, err := t.Audience(ws, id)
	if err != nil {
		return err
	}
	for _, k := range slices.Concat(was, keys) {
		state := stateOf(r)
		switch kept, stays := slices.Contains(was, k), slices.Contains(keys, k); {
		case kept && stays:
			continue
		case kept:
			state = gone
		}
		if err := t.enter(ws, k, r, seq, state); err != nil {
			return err
		}
	}
	return nil
}

// Changes implements store.Reader.
func (t *tx) Changes(ws, id string, after int64) ([]landfall.Change, error) {
	return changes(t.up(kv.Key("change", ws, id), kv.Behind("change", ws, id, kv.Number(after))), math.MaxInt)
}

// Log implements store.Reader.
func (t *tx) Log(ws string, after store.Place, limit int) ([]landfall.Change, error) {
	return changes(t.up(kv.Key("change", ws), changeKey(ws, after)), limit)
}

func changes(in rows, limit int) (out []landfall.Change, err error) {
	for _, b := range in {
		if len(out) >= limit {
			break
		}
		c, err := store.Decode[landfall.Change](b)
		if err != nil {
			return nil, err
		}
		out = append(out, *c)
	}
	return out, nil
}

func changeKey(ws string, p store.Place) string {
	return kv.Key("change", ws, p.ID, kv.Number(p.Seq), kv.Number(int64(p.Index)))
}

// AddChange implements store.Writer.
func (t *tx) AddChange(ws string, c *landfall.Change) error {
	row := changeKey(ws, store.PlaceOf(c))
	if _, ok := t.kv.Get(row); ok {
		return fmt.Errorf("the change %d of record %s at %d is there already", c.Index, c.ID, c.Seq)
	}
	return t.put(row, c)
}

// Unique implements store.Reader.
func (t *tx) Unique(ws, typ, field, value string) (string, error) {
	return kv.Last(t.first(kv.Key("unique", ws, typ, field, value))), nil
}

// SetUnique implements store.Writer.
func (t *tx) SetUnique(ws, typ, id string, values map[string]string) error {
	var leads []string
	for _, field := range slices.Sorted(maps.Keys(values)) {
		holder, err := t.Unique(ws, typ, field, values[field])
		if err != nil {
			return err
		}
		if holder != "" && holder != id {
			return landfall.Errorf(landfall.CodeInternal, "the value of the unique field %s.%s is held by another record", typ, field)
		}
		leads = append(leads, kv.Key("unique", ws, typ, field, values[field], id))
	}
	t.index(kv.Key("uniques", ws, id), leads...)
	return nil
}

// Queued implements store.Reader.
func (t *tx) Queued(ws, queue string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(ws, "queued", queue, p)
}

// Assigned implements store.Reader.
func (t *tx) Assigned(ws, user string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(ws, "assigned", user, p)
}

// cases lists by version, newest first; records of one verdict by id.
func (t *tx) cases(ws, index, of string, p store.Page) (out []*landfall.Record, err error) {
	before := ""
	if p.After != "" {
		r, err := t.Record(ws, p.After)
		if r == nil || err != nil {
			return nil, err
		}
		before = kv.Key(index, ws, of, kv.Number(r.Version), r.ID)
	}
	for _, row := range t.down(kv.Key(index, ws, of), before) {
		if len(out) >= p.Limit {
			break
		}
		r, err := t.record(string(row))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
