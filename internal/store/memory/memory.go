// Package memory is the store in memory: all rows in one ordered map, found by
// ranges of keys. It says by plain code what the other drivers must do; tests
// and simulations use it.
//
// A row stands under its table's name, its workspace and its id. Rows are kept
// encoded, so that nobody can reach into them.
package memory

import (
	"bytes"
	"context"
	"iter"
	"slices"

	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Store keeps workspaces in memory.
type Store struct{ db *kv.DB }

// New makes an empty store.
func New() *Store { return On(kv.New()) }

// On is the store that db holds.
func On(db *kv.DB) *Store { return &Store{db} }

// Close implements store.Store.
func (s *Store) Close() error { return nil }

// View implements store.Store.
func (s *Store) View(ctx context.Context, f func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(func(t *kv.Tx) error { return f(&tx{t}) })
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, f func(store.Writer) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(func(t *kv.Tx) error { return f(&tx{t}) })
}

type tx struct{ kv *kv.Tx }

func get[T any](t *tx, row string) (*T, error) {
	b, ok := t.kv.Get(row)
	if !ok {
		return nil, nil
	}
	return store.Decode[T](b)
}

func (t *tx) put(row string, v any) error {
	b, err := store.Encode(v)
	if err == nil {
		t.kv.Put(row, b)
	}
	return err
}

// number is the number in a row; 0 for none.
func (t *tx) number(row string) (int64, error) {
	b, ok := t.kv.Get(row)
	if !ok {
		return 0, nil
	}
	return kv.ParseNumber(string(b))
}

func (t *tx) putNumber(row string, n int64) { t.kv.Put(row, []byte(kv.Number(n))) }

// rows are keys with what stands there.
type rows = iter.Seq2[string, []byte]

// up are the rows with prefix after a key, in order.
func (t *tx) up(prefix, after string) rows {
	return func(yield func(string, []byte) bool) { t.kv.Ascend(prefix, after, yield) }
}

// down are the rows with prefix before a key, the last one first; "" for all.
func (t *tx) down(prefix, before string) rows {
	return func(yield func(string, []byte) bool) { t.kv.Descend(prefix, before, yield) }
}

// index makes these the keys that lead to a row. Each ends with what tells the
// row from others. What led to it before does so no more.
func (t *tx) index(row string, keys ...string) {
	at, now := kv.Key("index")+row, []byte(kv.Key(keys...))
	was, _ := t.kv.Get(at)
	if bytes.Equal(was, now) {
		return
	}
	for _, k := range kv.Parts(string(was)) {
		if !slices.Contains(keys, k) {
			t.kv.Delete(k)
		}
	}
	for _, k := range keys {
		t.kv.Put(k, []byte(row))
	}
	t.kv.Put(at, now)
}

// first is the first row that an index leads to; "" for none.
func (t *tx) first(index string) string {
	for _, row := range t.up(index, "") {
		return string(row)
	}
	return ""
}

// led are the rows that an index leads to.
func (t *tx) led(index rows) rows {
	return func(yield func(string, []byte) bool) {
		for _, row := range index {
			b, _ := t.kv.Get(string(row))
			if !yield(string(row), b) {
				return
			}
		}
	}
}

// list reads rows that pass, up to limit.
func list[T any](in rows, limit int, pass func(*T) bool) (out []*T, err error) {
	for _, b := range in {
		if len(out) >= limit {
			break
		}
		v, err := store.Decode[T](b)
		if err != nil {
			return nil, err
		}
		if pass == nil || pass(v) {
			out = append(out, v)
		}
	}
	return out, nil
}

// names are the last parts of keys, up to limit.
func names(in rows, limit int) (out []string) {
	for k := range in {
		if len(out) >= limit {
			break
		}
		out = append(out, kv.Last(k))
	}
	return out
}
