package kv_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall/internal/kv"
)

var errNo = errors.New("no")

// dump is all that is there, as text.
func dump(t *testing.T, d *kv.DB) string {
	t.Helper()
	out := ""
	err := d.View(func(tx *kv.Tx) error {
		tx.Ascend("", "", func(k string, v []byte) bool {
			out += fmt.Sprintf("%s=%s ", k, v)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func holds(t *testing.T, what string, d *kv.DB, want string) {
	t.Helper()
	if got := dump(t, d); got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func put(t *testing.T, d *kv.DB, pairs ...string) {
	t.Helper()
	if err := d.Update(func(tx *kv.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			tx.Put(pairs[i], []byte(pairs[i+1]))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// What fails leaves nothing, wherever it fails, and the map works on.
func TestNothingStays(t *testing.T) {
	change := func(tx *kv.Tx) {
		tx.Put("a", []byte("2"))
		tx.Put("c", nil)
		tx.Delete("b")
	}
	for name, c := range map[string]struct {
		f      func(*kv.Tx) error
		hook   func([]kv.Write) error
		panics bool
	}{
		"error in f":        {f: func(tx *kv.Tx) error { change(tx); return errNo }},
		"panic in f":        {f: func(tx *kv.Tx) error { change(tx); panic(errNo) }, panics: true},
		"error in the hook": {f: func(tx *kv.Tx) error { change(tx); return nil }, hook: func([]kv.Write) error { return errNo }},
		"panic in the hook": {f: func(tx *kv.Tx) error { change(tx); return nil }, hook: func([]kv.Write) error { panic(errNo) }, panics: true},
	} {
		t.Run(name, func(t *testing.T) {
			d := kv.New()
			put(t, d, "a", "1", "b", "1")
			d.OnCommit(c.hook)
			paniced, err := update(d, c.f)
			if !errors.Is(err, errNo) || paniced != c.panics {
				t.Errorf("got %v, by panic %v", err, paniced)
			}
			holds(t, "afterwards", d, "a=1 b=1 ")
			d.OnCommit(nil)
			put(t, d, "a", "3")
			holds(t, "the next one", d, "a=3 b=1 ")
		})
	}
}

// update reports how it failed, also when that was by a panic.
func update(d *kv.DB, f func(*kv.Tx) error) (paniced bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			paniced, err = true, p.(error)
		}
	}()
	return false, d.Update(f)
}

func TestWriteSet(t *testing.T) {
	d := kv.New()
	put(t, d, "a", "1", "b", "1")
	var sets []string
	d.OnCommit(func(ws []kv.Write) error {
		set := ""
		for _, w := range ws {
			set += fmt.Sprintf("%s=%s,%v ", w.Key, w.Value, w.Value == nil)
		}
		sets = append(sets, set)
		holds(t, "in the hook, it is not there yet", d, "a=1 b=1 ")
		return nil
	})
	if err := d.Update(func(tx *kv.Tx) error {
		tx.Put("z", []byte("1"))
		tx.Delete("b")
		tx.Put("a", []byte("1"))
		tx.Put("a", nil)
		tx.Put("new", nil)
		tx.Delete("new")
		tx.Delete("never")
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	d.OnCommit(func([]kv.Write) error { t.Error("nothing was written"); return errNo })
	for _, idle := range []func(tx *kv.Tx){func(*kv.Tx) {}, func(tx *kv.Tx) { tx.Delete("never") }, func(tx *kv.Tx) { tx.Put("new", nil); tx.Delete("new") }} {
		if err := d.Update(func(tx *kv.Tx) error { idle(tx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"a=,false b=,true z=1,false "}; !slices.Equal(sets, want) {
		t.Errorf("got %q", sets)
	}
	holds(t, "afterwards", d, "a= z=1 ")
	d.Apply([]kv.Write{{"a", nil}, {"b", []byte("2")}})
	holds(t, "applied", d, "b=2 z=1 ")
}

func TestForks(t *testing.T) {
	d := kv.New()
	put(t, d, "a", "1")
	d.OnCommit(func([]kv.Write) error { return nil })
	fork := d.Fork()
	put(t, fork, "a", "fork")
	put(t, d, "b", "1")
	holds(t, "the fork", fork, "a=fork ")
	holds(t, "the first", d, "a=1 b=1 ")
	told := 0
	d.OnCommit(func([]kv.Write) error { told++; return nil })
	put(t, fork, "c", "fork")
	d.Replace(fork)
	if told != 0 {
		t.Error("a fork has no hook, and a replacement is no commit")
	}
	put(t, fork, "a", "again")
	holds(t, "replaced", d, "a=fork c=fork ")
	put(t, d, "a", "2")
	holds(t, "and written to", d, "a=2 c=fork ")
	holds(t, "the other is as it was", fork, "a=again c=fork ")
	if told != 1 {
		t.Errorf("the hook stays, and heard %d", told)
	}
	d.Replace(d)
	if holds(t, "by itself", d, "a=2 c=fork "); d.Len() != 2 {
		t.Errorf("%d keys", d.Len())
	}
}

// A view sees what was there when it began, and does not hold updates off.
func TestSnapshots(t *testing.T) {
	d := kv.New()
	put(t, d, "a", "1")
	err := d.View(func(tx *kv.Tx) error {
		put(t, d, "a", "2", "b", "2")
		d.Replace(kv.New())
		if v, ok := tx.Get("a"); !ok || string(v) != "1" {
			t.Errorf("got %q", v)
		}
		_, ok := tx.Get("b")
		if ok {
			t.Error("it sees what came later")
		}
		return errNo
	})
	if !errors.Is(err, errNo) {
		t.Error(err)
	}
	holds(t, "replaced by nothing", d, "")
}

// Who writes outside of Update is told at once, before anything is harmed.
func TestWritesOutside(t *testing.T) {
	d := kv.New()
	put(t, d, "a", "1")
	var kept *kv.Tx
	if err := d.Update(func(tx *kv.Tx) error { kept = tx; tx.Put("b", nil); return nil }); err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func(*kv.Tx){"put": func(tx *kv.Tx) { tx.Put("a", nil) }, "delete": func(tx *kv.Tx) { tx.Delete("a") }} {
		for where, in := range map[string]func(func(*kv.Tx)){"a view": func(f func(*kv.Tx)) { _ = d.View(func(tx *kv.Tx) error { f(tx); return nil }) }, "an old transaction": func(f func(*kv.Tx)) { f(kept) }} {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("a %s in %s was taken", name, where)
					}
				}()
				in(write)
			}()
		}
	}
	holds(t, "afterwards", d, "a=1 b= ")
}

// Many at once, for the race detector: each sum that is seen is right.
func TestAtOnce(t *testing.T) {
	d := kv.New()
	for i := range 200 {
		put(t, d, fmt.Sprint("k", i), "0")
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 100 {
				v := fmt.Sprint(i)
				put(t, d, "k1", v, fmt.Sprint("k", 100+i), v, "k99", v)
				fork := d.Fork()
				put(t, fork, "k1", "fork", "k50", "fork")
			}
		})
		all.Go(func() {
			for range 100 {
				_ = d.View(func(tx *kv.Tx) error { // it fails by itself
					a, _ := tx.Get("k1")
					b, _ := tx.Get("k99")
					if string(a) != string(b) {
						t.Errorf("half a transaction: %s and %s", a, b)
					}
					n := 0
					tx.Descend("k", "", func(_ string, v []byte) bool { n++; return string(v) != "fork" })
					if n != 200 {
						t.Errorf("%d keys, or one of a fork", n)
					}
					return nil
				})
			}
		})
	}
	all.Wait()
}
