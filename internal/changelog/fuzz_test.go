package changelog

import (
	"context"
	"encoding/base64"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// What is read as a checkpoint is what encode writes, and nothing else is.
func FuzzDecode(f *testing.F) {
	f.Add((&position{epoch: "e1", seq: 7, mark: "m", start: 3, head: 9, seen: "n", part: &within{entries, cursor{8, "r"}}}).encode())
	f.Add((&position{epoch: "e1", seq: 7, mark: "m", head: 9, seen: "n", lost: &losing{done: 7, upto: 9, at: cursor{3, "r"}}}).encode())
	f.Add(base64.RawURLEncoding.EncodeToString([]byte{format, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f})) // a text of 2^62 bytes
	f.Add(strings.Repeat("A", 1<<20))
	f.Add((&position{epoch: "e1", seq: 7, mark: "m", head: 9, seen: "n"}).signed("key"))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		p, err := parse(token)
		runtime.ReadMemStats(&after)
		if cost, most := after.TotalAlloc-before.TotalAlloc, uint64(16<<10+8*min(len(token), maxToken)); cost > most {
			t.Fatalf("%d bytes were allocated for a checkpoint of %d", cost, len(token))
		}
		if err != nil {
			if p != nil || Acknowledged(token) != 0 {
				t.Fatalf("%q is refused, and still says something", token)
			}
			return
		}
		if payload, _, _ := strings.Cut(token, "."); p.encode() != payload {
			t.Fatalf("%q was read as %+v", token, p)
		}
		if again, err := decode(p.encode()); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
		for _, n := range []int64{p.seq, p.start, p.head} {
			if n < 0 || n > p.head {
				t.Fatalf("%q leads outside of the sequence: %+v", token, p)
			}
		}
	})
}

// FuzzPull asks with any checkpoint and any limit: the answer is a page within
// its limit, a resync, or an error of the caller; and the same again.
func FuzzPull(f *testing.F) {
	w := newWorld(f, memory.New(), "emma")
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		w.batch(func(b *batch) { b.commit(put{id: id, owner: "emma", status: "s0"}) })
	}
	page := func(since string, limit int) string {
		r, err := w.log.Pull(context.Background(), ws, "", landfall.Actor{User: "emma"}, since, limit)
		if err != nil {
			f.Fatal(err)
		}
		return r.Checkpoint
	}
	first := page("", 2)
	f.Add("", 0)
	f.Add(first, 2)
	f.Add(first[:len(first)-2], 2)
	f.Add(page(first, 1), 1<<62)
	f.Add("***", -1)
	f.Add((&position{epoch: "e1", seq: 3, mark: "m3", head: 5, seen: "m5"}).encode(), 3)
	f.Add((&position{epoch: "e1", seq: 3, mark: "m3", head: 5, seen: "m5", lost: &losing{3, 5, cursor{1 << 62, "\xff"}}}).encode(), 3)
	f.Add((&position{epoch: "e1", seq: 3, mark: "m3", head: 5, seen: "m5", part: &within{backfill, cursor{4, "\xff"}}}).encode(), 3)
	f.Add((&position{epoch: "e2", seq: 1 << 62, head: 1 << 62}).encode(), 3)
	f.Fuzz(func(t *testing.T, since string, limit int) {
		r, err := w.log.Pull(t.Context(), ws, "", landfall.Actor{User: "emma"}, since, limit)
		again, errAgain := w.log.Pull(t.Context(), ws, "", landfall.Actor{User: "emma"}, since, limit)
		if !reflect.DeepEqual(r, again) || landfall.CodeOf(err) != landfall.CodeOf(errAgain) {
			t.Fatalf("the same question, another answer: %+v %v, %+v %v", r, err, again, errAgain)
		}
		if err != nil {
			if landfall.CodeOf(err) != landfall.CodeInvalid {
				t.Fatal(err)
			}
			return
		}
		if limit > 0 && len(r.Changes) > limit {
			t.Errorf("%d changes on a page of %d", len(r.Changes), limit)
		}
		if !r.Resync && r.Checkpoint == "" || r.Lost && r.Checkpoint != "" || r.Resync && len(r.Changes) > 0 {
			t.Errorf("%+v", r)
		}
		if !utf8.ValidString(r.Checkpoint) {
			t.Errorf("%q can't be sent", r.Checkpoint)
		}
	})
}
