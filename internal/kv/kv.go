// Package kv is an ordered map from text to bytes, in memory, with transactions,
// snapshots and copies that cost nothing. The stores in memory stand on it.
//
// A tree that was once there for somebody never changes again: a transaction
// works on a copy that shares all nodes that it does not touch.
package kv

import (
	"slices"
	"sync"

	"github.com/tidwall/btree"
)

// DB is an ordered map from text to bytes, in memory, with transactions.
type DB struct {
	writing sync.Mutex // one at a time

	mu   sync.Mutex // of what follows; held for moments only
	data *tree
	hook func([]Write) error
}

type tree = btree.Map[string, []byte]

// degree makes nodes that are cheap to copy, since every transaction copies
// those that it writes to.
const degree = 8

// New makes an empty map.
func New() *DB { return &DB{data: btree.NewMap[string, []byte](degree)} }

// Write is what a transaction did to a key.
type Write struct {
	Key   string
	Value []byte // nil: the key is deleted
}

// View runs f on one consistent snapshot. It does not hold updates off.
func (d *DB) View(f func(*Tx) error) error { return f(&Tx{data: d.now()}) }

// Update runs f in the one transaction that writes at a time. It is all or
// nothing: nothing of it stays when f fails or panics, or the commit hook does.
func (d *DB) Update(f func(*Tx) error) error {
	d.writing.Lock()
	defer d.writing.Unlock()
	before := d.now()
	t := &Tx{data: before, own: d.copy}
	defer func() { t.own = nil }() // who kept it can't write any more
	if err := f(t); err != nil {
		return err
	}
	if len(t.touched) == 0 {
		return nil
	}
	if hook := d.hooked(); hook != nil {
		if ws := t.writes(before); len(ws) > 0 {
			if err := hook(ws); err != nil {
				return err
			}
		}
	}
	d.set(t.data)
	return nil
}

func (d *DB) hooked() func([]Write) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.hook
}

// Fork is an independent copy, which has no commit hook.
func (d *DB) Fork() *DB { return &DB{data: d.copy()} }

// Replace takes over what other holds now. The commit hook stays, and does not
// hear of it.
func (d *DB) Replace(other *DB) {
	d.writing.Lock()
	defer d.writing.Unlock()
	d.set(other.copy())
}

// OnCommit sets what sees the write set of each transaction that wrote
// something: keys ascending, one write a key, before it is there for anybody.
// Its error undoes the transaction and is returned by Update.
func (d *DB) OnCommit(f func([]Write) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = f
}

// Apply writes without the commit hook. It takes the bytes over.
func (d *DB) Apply(ws []Write) {
	d.writing.Lock()
	defer d.writing.Unlock()
	t := &Tx{data: d.now(), own: d.copy}
	for _, w := range ws {
		if w.Value == nil {
			t.Delete(w.Key)
		} else {
			t.Put(w.Key, w.Value)
		}
	}
	d.set(t.data)
}

// Len is how many keys there are.
func (d *DB) Len() int { return d.now().Len() }

func (d *DB) now() *tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.data
}

// copy is the tree as it is now, for somebody who will change it.
func (d *DB) copy() *tree {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.data.Copy()
}

func (d *DB) set(data *tree) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.data = data
}

// writes are what became of the keys that were written, each once.
func (t *Tx) writes(before *tree) []Write {
	slices.Sort(t.touched)
	var ws []Write
	for _, k := range slices.Compact(t.touched) {
		v, now := t.data.Get(k)
		if _, had := before.Get(k); now || had {
			ws = append(ws, Write{k, v})
		}
	}
	return ws
}
