// Package memory keeps a replica in memory, for tests and for programs that
// need none of it afterwards.
package memory

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/kv"
)

// Storage keeps a replica in memory. Rows are kept encoded, so that nobody can
// reach into them.
type Storage struct{ db *kv.DB }

// New makes an empty storage.
func New() *Storage { return On(kv.New()) }

// On is the storage that db holds, and nothing else is in db.
func On(db *kv.DB) *Storage { return &Storage{db} }

// Close implements client.Storage.
func (s *Storage) Close() error { return nil }

// View implements client.Storage.
func (s *Storage) View(ctx context.Context, f func(client.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(func(t *kv.Tx) error { return f(&tx{t}) })
}

// Update implements client.Storage.
func (s *Storage) Update(ctx context.Context, f func(client.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(func(t *kv.Tx) error { return f(&tx{t}) })
}

type tx struct{ kv *kv.Tx }

func (t *tx) put(row string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	t.kv.Put(row, b.Bytes())
	return nil
}

func get[T any](t *tx, row string) (*T, error) {
	b, ok := t.kv.Get(row)
	if !ok {
		return nil, nil
	}
	v := new(T)
	return v, json.Unmarshal(b, v)
}

// all reads the rows with prefix, in order.
func all[T any](t *tx, prefix string) (out []*T, err error) {
	t.kv.Ascend(prefix, "", func(_ string, b []byte) bool {
		v := new(T)
		out, err = append(out, v), json.Unmarshal(b, v)
		return err == nil
	})
	return out, err
}

// Value implements client.Tx.
func (t *tx) Value(name string) ([]byte, error) {
	v, _ := t.kv.Get(kv.Key("value", name))
	return bytes.Clone(v), nil
}

// SetValue implements client.Tx.
func (t *tx) SetValue(name string, v []byte) error {
	if v == nil {
		t.kv.Delete(kv.Key("value", name))
	} else {
		t.kv.Put(kv.Key("value", name), bytes.Clone(v))
	}
	return nil
}

// Clear implements client.Tx.
func (t *tx) Clear() error {
	t.kv.Ascend("", "", func(k string, _ []byte) bool {
		t.kv.Delete(k)
		return true
	})
	return nil
}

// A record stands under its type and id; its type stands under its id.

// Record implements client.Tx.
func (t *tx) Record(id string) (*landfall.Record, error) {
	typ, ok := t.kv.Get(kv.Key("type", id))
	if !ok {
		return nil, nil
	}
	return get[landfall.Record](t, kv.Key("record", string(typ), id))
}

// Records implements client.Tx.
func (t *tx) Records(typ string) (out []*landfall.Record, err error) {
	if typ != "" {
		return all[landfall.Record](t, kv.Key("record", typ))
	}
	t.kv.Ascend(kv.Key("type"), "", func(k string, typ []byte) bool {
		var r *landfall.Record
		r, err = get[landfall.Record](t, kv.Key("record", string(typ), kv.Last(k)))
		out = append(out, r)
		return err == nil
	})
	return out, err
}

// PutRecord implements client.Tx.
func (t *tx) PutRecord(r *landfall.Record) error {
	if was, ok := t.kv.Get(kv.Key("type", r.ID)); !ok || string(was) != r.Type {
		t.kv.Delete(kv.Key("record", string(was), r.ID))
		t.kv.Put(kv.Key("type", r.ID), []byte(r.Type))
	}
	return t.put(kv.Key("record", r.Type, r.ID), r)
}

// DeleteRecord implements client.Tx.
func (t *tx) DeleteRecord(id string) error {
	typ, _ := t.kv.Get(kv.Key("type", id))
	t.kv.Delete(kv.Key("record", string(typ), id))
	t.kv.Delete(kv.Key("type", id))
	return nil
}

func entryKey(incarnation, n int64) string {
	return kv.Key("entry", kv.Number(incarnation), kv.Number(n))
}

// Entry implements client.Tx.
func (t *tx) Entry(incarnation, n int64) (*client.Entry, error) {
	return get[client.Entry](t, entryKey(incarnation, n))
}

// Entries implements client.Tx.
func (t *tx) Entries() ([]*client.Entry, error) { return all[client.Entry](t, kv.Key("entry")) }

// PutEntry implements client.Tx.
func (t *tx) PutEntry(e *client.Entry) error { return t.put(entryKey(e.Incarnation, e.N), e) }

// DeleteEntry implements client.Tx.
func (t *tx) DeleteEntry(incarnation, n int64) error {
	t.kv.Delete(entryKey(incarnation, n))
	return nil
}
