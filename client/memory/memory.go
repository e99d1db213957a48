// Package memory keeps a replica in memory, for tests and for programs that
// need none of it afterwards.
package memory

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
)

// Storage keeps a replica in memory.
type Storage struct {
	mu sync.RWMutex
	d  data
}

// data is kept encoded, so that nobody can reach into it.
type data struct {
	values  map[string]string
	records map[string]string
	entries map[[2]int64]string
}

func empty() data {
	return data{map[string]string{}, map[string]string{}, map[[2]int64]string{}}
}

// New makes an empty storage.
func New() *Storage { return &Storage{d: empty()} }

// Close implements client.Storage.
func (s *Storage) Close() error { return nil }

// View implements client.Storage.
func (s *Storage) View(ctx context.Context, f func(client.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f(&tx{s.d})
}

// Update implements client.Storage: f works on a copy that replaces the data
// when it succeeds.
func (s *Storage) Update(ctx context.Context, f func(client.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tx{data{maps.Clone(s.d.values), maps.Clone(s.d.records), maps.Clone(s.d.entries)}}
	if err := f(t); err != nil {
		return err
	}
	s.d = t.d
	return nil
}

type tx struct{ d data }

func encode[K comparable](m map[K]string, k K, v any) error {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	m[k] = b.String()
	return nil
}

func decode[T any](s string, ok bool) (*T, error) {
	if !ok {
		return nil, nil
	}
	v := new(T)
	return v, json.Unmarshal([]byte(s), v)
}

// Value implements client.Tx.
func (t *tx) Value(name string) ([]byte, error) {
	v, ok := t.d.values[name]
	if !ok {
		return nil, nil
	}
	return []byte(v), nil
}

// SetValue implements client.Tx.
func (t *tx) SetValue(name string, v []byte) error {
	if v == nil {
		delete(t.d.values, name)
		return nil
	}
	t.d.values[name] = string(v)
	return nil
}

// Clear implements client.Tx.
func (t *tx) Clear() error {
	t.d = empty()
	return nil
}

// Record implements client.Tx.
func (t *tx) Record(id string) (*landfall.Record, error) {
	s, ok := t.d.records[id]
	return decode[landfall.Record](s, ok)
}

// Records implements client.Tx.
func (t *tx) Records(typ string) ([]*landfall.Record, error) {
	var out []*landfall.Record
	for id := range t.d.records {
		r, err := t.Record(id)
		if err != nil {
			return nil, err
		}
		if typ == "" || r.Type == typ {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *landfall.Record) int { return strings.Compare(a.ID, b.ID) })
	return out, nil
}

// PutRecord implements client.Tx.
func (t *tx) PutRecord(r *landfall.Record) error { return encode(t.d.records, r.ID, r) }

// DeleteRecord implements client.Tx.
func (t *tx) DeleteRecord(id string) error {
	delete(t.d.records, id)
	return nil
}

// Entry implements client.Tx.
func (t *tx) Entry(incarnation, n int64) (*client.Entry, error) {
	s, ok := t.d.entries[[2]int64{incarnation, n}]
	return decode[client.Entry](s, ok)
}

// Entries implements client.Tx.
func (t *tx) Entries() ([]*client.Entry, error) {
	var out []*client.Entry
	for _, k := range slices.SortedFunc(maps.Keys(t.d.entries), func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) }) {
		e, err := t.Entry(k[0], k[1])
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

// PutEntry implements client.Tx.
func (t *tx) PutEntry(e *client.Entry) error {
	return encode(t.d.entries, [2]int64{e.Incarnation, e.N}, e)
}

// DeleteEntry implements client.Tx.
func (t *tx) DeleteEntry(incarnation, n int64) error {
	delete(t.d.entries, [2]int64{incarnation, n})
	return nil
}
