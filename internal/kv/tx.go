package kv

import "strings"

// Tx is a transaction: it reads one state, and within Update its own writes.
type Tx struct {
	data    *tree
	own     func() *tree // a tree to write to; nil when the transaction only reads
	touched []string     // the keys that were written, as often as they were
}

// Get is the value of a key. The caller must not change the bytes.
func (t *Tx) Get(key string) ([]byte, bool) { return t.data.Get(key) }

// Put sets a key and takes the bytes over; nil is stored as empty.
func (t *Tx) Put(key string, value []byte) {
	if value == nil {
		value = []byte{}
	}
	t.touch(key)
	t.data.Set(key, value)
}

// Delete takes a key out, if it is there.
func (t *Tx) Delete(key string) {
	if _, ok := t.data.Get(key); ok {
		t.touch(key)
		t.data.Delete(key)
	}
}

// touch makes the tree the transaction's own before its first write.
func (t *Tx) touch(key string) {
	if t.own == nil {
		panic("kv: a write outside of Update")
	}
	if len(t.touched) == 0 {
		t.data = t.own()
	}
	t.touched = append(t.touched, key)
}

// Ascend gives f the keys with prefix in order, those after the key after when
// it is not empty, until f says false. f may write, and meets what it wrote
// further on.
func (t *Tx) Ascend(prefix, after string, f func(key string, value []byte) bool) {
	from, skip := prefix, false
	if after != "" && after >= prefix {
		from, skip = after, true
	}
	for again := true; again; {
		again = false
		t.data.Ascend(from, func(k string, v []byte) bool {
			if skip && k == from {
				return true
			}
			if !strings.HasPrefix(k, prefix) {
				return false
			}
			more, wrote := t.visit(k, v, f)
			if wrote {
				from, skip, again = k, true, more
			}
			return more && !wrote
		})
	}
}

// Descend is Ascend from the other end: keys with prefix, those before the key
// before when it is not empty.
func (t *Tx) Descend(prefix, before string, f func(key string, value []byte) bool) {
	to, bounded := end(prefix)
	if before != "" && (!bounded || before < to) {
		to, bounded = before, true
	}
	for again := true; again; {
		again = false
		visit := func(k string, v []byte) bool {
			if bounded && k == to {
				return true
			}
			if !strings.HasPrefix(k, prefix) {
				return false
			}
			more, wrote := t.visit(k, v, f)
			if wrote {
				to, bounded, again = k, true, more
			}
			return more && !wrote
		}
		if bounded {
			t.data.Descend(to, visit)
		} else {
			t.data.Reverse(visit)
		}
	}
}

// visit reports whether f wrote: then the tree is another one, and the way
// through it has to be found again.
func (t *Tx) visit(key string, value []byte, f func(string, []byte) bool) (more, wrote bool) {
	before := len(t.touched)
	more = f(key, value)
	return more, len(t.touched) != before
}

// end is the first text behind all that begin with prefix, if there is one.
func end(prefix string) (string, bool) {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1}), true
		}
	}
	return "", false
}
