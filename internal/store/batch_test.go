package store_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

// What a batch holds back of a record stands before its audience changes, and
// what it writes of it afterwards begins from that.
func TestRegroupInABatch(t *testing.T) {
	a := func(version int64) *landfall.Record {
		return &landfall.Record{Type: "thing", ID: "a", Version: version, Fields: landfall.Fields{}}
	}
	said := func(r store.Reader) string {
		row, err := r.Row("w", "a")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(row.Record.Version, row.Keys, row.Places)
	}
	for again, want := range map[bool]string{false: "1 [l] map[k:2 l:2]", true: "3 [k] map[l:3]"} {
		err := memory.New().Update(t.Context(), func(w store.Writer) error {
			b := store.NewBatch(w, "w")
			if err := errors.Join(b.PutRecord("w", a(1), []string{"k"}), b.Regroup("w", "a", []string{"l"}, 2)); err != nil {
				return err
			}
			if got := said(b); got != "1 [l] map[k:2 l:2]" {
				t.Errorf("within the batch it is %s", got)
			}
			if again {
				if err := b.PutRecord("w", a(3), []string{"k"}); err != nil {
					return err
				}
			}
			err := b.Flush()
			if got := said(w); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
