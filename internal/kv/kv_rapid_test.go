package kv_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/kv"
)

// model is what a map should hold.
type model map[string]string

func (m model) keys(prefix string, pass func(string) bool) (out []string) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(k, prefix) && pass(k) {
			out = append(out, k)
		}
	}
	return out
}

// keys are few, so that they meet, and of all bytes, so that their order counts.
var keys = rapid.Custom(func(t *rapid.T) string {
	return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xfe, 0xff}), 0, 4).Draw(t, "key"))
})

// ways are the two that lead through a map.
func ways(t *rapid.T, tx *kv.Tx, m model) {
	prefix, from, limit := keys.Draw(t, "prefix"), keys.Draw(t, "from"), rapid.IntRange(1, 9).Draw(t, "limit")
	walk := func(way func(string, string, func(string, []byte) bool)) (got []string) {
		way(prefix, from, func(k string, v []byte) bool {
			if m[k] != string(v) {
				t.Fatalf("%q is %q, not %q", k, v, m[k])
			}
			got = append(got, k)
			return len(got) < limit
		})
		return got
	}
	up := m.keys(prefix, func(k string) bool { return from == "" || k > from })
	down := m.keys(prefix, func(k string) bool { return from == "" || k < from })
	slices.Reverse(down)
	if got, want := walk(tx.Ascend), up[:min(limit, len(up))]; !slices.Equal(got, want) {
		t.Fatalf("up from %q after %q: %q, not %q", prefix, from, got, want)
	}
	if got, want := walk(tx.Descend), down[:min(limit, len(down))]; !slices.Equal(got, want) {
		t.Fatalf("down in %q before %q: %q, not %q", prefix, from, got, want)
	}
	k := keys.Draw(t, "get")
	v, ok := tx.Get(k)
	if want, have := m[k]; ok != have || string(v) != want || ok && v == nil {
		t.Fatalf("%q is %q, %v", k, v, ok)
	}
}

// scribble writes at random, also on the way through the map, where the writes
// ahead are met; the model does the same.
func scribble(t *rapid.T, tx *kv.Tx, m model) {
	write := func() {
		k := keys.Draw(t, "write")
		if rapid.Bool().Draw(t, "delete") {
			tx.Delete(k)
			delete(m, k)
			return
		}
		v := rapid.StringN(0, 2, -1).Draw(t, "value")
		tx.Put(k, []byte(v))
		m[k] = v
	}
	for range rapid.IntRange(0, 12).Draw(t, "writes") {
		write()
	}
	prefix := keys.Draw(t, "walk")
	up, steps, last := rapid.Bool().Draw(t, "up"), 0, ""
	step := func(k string, v []byte) bool {
		next := func(o string) bool { return steps == 0 || up == (o > last) && o != last }
		want := m.keys(prefix, next)
		if !up {
			slices.Reverse(want)
		}
		if len(want) == 0 || want[0] != k || m[k] != string(v) {
			t.Fatalf("after %q comes %q, not %q", last, k, want)
		}
		if last, steps = k, steps+1; rapid.Bool().Draw(t, "and write") {
			write()
		}
		return steps < 30
	}
	if up {
		tx.Ascend(prefix, "", step)
	} else {
		tx.Descend(prefix, "", step)
	}
}

// pair is a map, what it should hold, and a copy that is fed the write sets.
type pair struct {
	d     *kv.DB
	m     model
	heard *kv.DB
}

func (p *pair) listen() *pair {
	p.heard = p.d.Fork()
	p.d.OnCommit(func(ws []kv.Write) error {
		if !slices.IsSortedFunc(ws, func(a, b kv.Write) int { return strings.Compare(a.Key, b.Key) }) || len(ws) == 0 {
			return fmt.Errorf("a write set that is none: %q", ws)
		}
		p.heard.Apply(ws)
		return nil
	})
	return p
}

func (p *pair) update(t *rapid.T) {
	m, fail := maps.Clone(p.m), rapid.Bool().Draw(t, "fail")
	err := p.d.Update(func(tx *kv.Tx) error {
		scribble(t, tx, m)
		ways(t, tx, m)
		if fail {
			return errNo
		}
		return nil
	})
	if fail != (err != nil) {
		t.Fatal(err)
	}
	if !fail {
		p.m = m
	}
}

// TestModel holds many maps that come from each other to plain ones.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := []*pair{(&pair{d: kv.New(), m: model{}}).listen()}
		pick := func(t *rapid.T, what string) *pair { return rapid.SampledFrom(all).Draw(t, what) }
		t.Repeat(map[string]func(*rapid.T){
			"update": func(t *rapid.T) { pick(t, "of").update(t) },
			"fork": func(t *rapid.T) {
				if len(all) > 3 {
					t.Skip("enough of them")
				}
				of := pick(t, "of")
				all = append(all, (&pair{d: of.d.Fork(), m: maps.Clone(of.m)}).listen())
			},
			"replace": func(t *rapid.T) {
				a, b := pick(t, "what"), pick(t, "by")
				a.d.Replace(b.d)
				a.m = maps.Clone(b.m)
				a.listen()
			},
			"snapshot": func(t *rapid.T) {
				p := pick(t, "of")
				before := p.m
				_ = p.d.View(func(tx *kv.Tx) error { // it fails by itself
					p.update(t)
					ways(t, tx, before)
					return nil
				})
			},
			"": func(t *rapid.T) {
				for _, p := range all {
					for _, d := range []*kv.DB{p.d, p.heard} {
						if d.Len() != len(p.m) {
							t.Fatalf("%d keys, not %d", d.Len(), len(p.m))
						}
						_ = d.View(func(tx *kv.Tx) error { ways(t, tx, p.m); return nil }) // it fails by itself
					}
				}
			},
		})
	})
}

// TestKeys: parts come back, sort one by one, and begin what goes on from there.
func TestKeys(t *testing.T) {
	parts := rapid.SliceOfN(rapid.OneOf(keys, rapid.Map(rapid.Int64(), kv.Number)), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		ka, kb := kv.Key(a...), kv.Key(b...)
		if !slices.Equal(kv.Parts(ka), a) || kv.Last(ka) != a[len(a)-1] {
			t.Fatalf("%q became %q, with the last %q", a, kv.Parts(ka), kv.Last(ka))
		}
		if strings.Compare(ka, kb) != slices.Compare(a, b) {
			t.Fatalf("%q and %q sort as %q and %q do not", ka, kb, a, b)
		}
		begins := len(a) <= len(b) && slices.Equal(a, b[:len(a)])
		if strings.HasPrefix(kb, ka) != begins {
			t.Fatalf("%q begins %q", ka, kb)
		}
		if behind := kv.Behind(a...); (behind < kb) != (kb > ka && !begins) {
			t.Fatalf("%q and %q", behind, kb)
		}
		m, n := rapid.Int64().Draw(t, "m"), rapid.Int64().Draw(t, "n")
		if back, err := kv.ParseNumber(kv.Number(m)); err != nil || back != m || (kv.Number(m) < kv.Number(n)) != (m < n) {
			t.Fatalf("%d became %d, %v", m, back, err)
		}
	})
}
