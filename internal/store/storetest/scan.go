package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// scans: pages of any size give all of one workspace, each once, in order.
func scans(t *testing.T, b *bench) {
	places := []store.Place{{ID: "a", Seq: 1}, {ID: "a", Seq: 7, Index: 0}, {ID: "a", Seq: 7, Index: 2}, {ID: "b", Seq: 2}, {ID: "c", Seq: 7, Index: 1}}
	b.update(func(w store.Writer) error {
		gone := record("b", 2)
		gone.Deleted = true
		err := errors.Join(w.PutRecord("w", record("c", 7), []string{"all"}), w.PutRecord("w", gone, nil), w.PutRecord("w", record("a", 7), nil),
			w.PutRecord("other", record("x", 1), nil), w.AddChange("other", &landfall.Change{ID: "a", Seq: 3}))
		for _, i := range []int{3, 0, 4, 1, 2} {
			p := places[i]
			err = errors.Join(err, w.AddChange("w", &landfall.Change{Type: "thing", ID: p.ID, Seq: p.Seq, Index: p.Index, Action: landfall.Updated, Note: fmt.Sprint(p)}))
		}
		return err
	})
	b.view(func(r store.Reader) error {
		for limit := 1; limit < 7; limit++ {
			var ids []string
			for after := ""; ; after = ids[len(ids)-1] {
				page, err := r.RecordIDs("w", after, limit)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				ids = append(ids, page...)
			}
			same(t, fmt.Sprint("ids by ", limit), ids, []string{"a", "b", "c"})
			rest, err := r.RecordsOf("w", "thing", "a", limit)
			same(t, "of a type", rest, []string{"b", "c"}[:min(limit, 2)])
			none, err2 := r.RecordsOf("w", "thin", "", limit)
			same(t, "of another type", none, nil)
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			var got []store.Place
			for after := (store.Place{}); ; after = got[len(got)-1] {
				page, err := r.Log("w", after, limit)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				for i := range page {
					got = append(got, store.PlaceOf(&page[i]))
					same(t, "the change at a place", page[i].Note, fmt.Sprint(got[len(got)-1]))
				}
			}
			same(t, fmt.Sprint("log by ", limit), got, places)
		}
		return nil
	})
}
