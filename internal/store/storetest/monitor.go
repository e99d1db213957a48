package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// found is a search from page to page: what it found, and how many pages it took.
func found(b *bench, f store.ItemFilter, s store.Scan[store.Item]) (out []string, pages int) {
	b.view(func(r store.Reader) error {
		for {
			got, err := r.Search("w", f, s)
			if err != nil {
				return err
			}
			pages++
			for _, it := range got.Rows {
				out = append(out, it.Key.String())
			}
			if (got.Next == "") != got.To.IsZero() {
				b.t.Errorf("it goes on from %q, and came to %v", got.Next, got.To)
			}
			if got.Next == "" {
				return nil
			}
			s.After = got.Next
		}
	})
	return out, pages
}

func backwards(keys []string) []string {
	out := make([]string, 0, len(keys))
	for i := range keys {
		out = append(out, keys[len(keys)-1-i])
	}
	return out
}

// searched puts in eight items of two devices, and one of each rare kind.
func searched(b *bench) {
	b.update(func(w store.Writer) error {
		for i := range 8 {
			it := store.Item{Key: key([]string{"p", "q"}[i%2], int64(i+1)), User: []string{"emma", "mara"}[i%2], State: store.Completed, Record: []string{"r1", "r2", "ra"}[i%3],
				Type: []string{"thing", "other"}[i/4], Op: []landfall.Op{landfall.OpCreate, landfall.OpUpdate}[i/6], ReceivedAt: at(10 + i/3)}
			switch i {
			case 3:
				it.State, it.Receipt.Kind = store.WithErrors, landfall.KindStatus
			case 5: // it waited, and then was refused itself
				it.State, it.Outcome = store.WithErrors, &landfall.Outcome{Settlement: landfall.SettledMoved, Issue: "i", Kind: landfall.KindGone}
			case 6: // it was refused after waiting, and decided
				it.History = []store.ItemEvent{{At: at(12), State: store.WithErrors, Text: string(landfall.KindFork)}, {At: at(13), State: store.Completed}}
			}
			if err := w.PutItem("w", &it); err != nil {
				return err
			}
		}
		return w.PutItem("other", &store.Item{Key: key("p", 1), User: "emma", State: store.Completed, Record: "r1", ReceivedAt: at(10)})
	})
}

// search: every filter narrows, in both directions, page by page, however little
// each page looks at.
func search(t *testing.T, b *bench) {
	searched(b)
	for name, c := range map[string]struct {
		f    store.ItemFilter
		of   string
		want []string
	}{
		"all":                {want: []string{"q.1.8", "p.1.7", "q.1.6", "p.1.5", "q.1.4", "p.1.3", "q.1.2", "p.1.1"}},
		"user":               {f: store.ItemFilter{User: "mara"}, want: []string{"q.1.8", "q.1.6", "q.1.4", "q.1.2"}},
		"device":             {f: store.ItemFilter{Replica: "p"}, want: []string{"p.1.7", "p.1.5", "p.1.3", "p.1.1"}},
		"record":             {f: store.ItemFilter{Record: "r1"}, want: []string{"p.1.7", "q.1.4", "p.1.1"}},
		"type":               {f: store.ItemFilter{Type: "other"}, want: []string{"q.1.8", "p.1.7", "q.1.6", "p.1.5"}},
		"op":                 {f: store.ItemFilter{Op: landfall.OpUpdate}, want: []string{"q.1.8", "p.1.7"}},
		"state":              {f: store.ItemFilter{State: store.WithErrors}, want: []string{"q.1.6", "q.1.4"}},
		"what is completed":  {f: store.ItemFilter{State: store.Completed, User: "mara"}, want: []string{"q.1.8", "q.1.2"}},
		"kind":               {f: store.ItemFilter{Kind: landfall.KindStatus}, want: []string{"q.1.4"}},
		"kind of an outcome": {f: store.ItemFilter{Kind: landfall.KindGone}, want: []string{"q.1.6"}},
		"kind in the log":    {f: store.ItemFilter{Kind: landfall.KindFork}, want: []string{"p.1.7"}},
		"since":              {f: store.ItemFilter{Since: at(12)}, want: []string{"q.1.8", "p.1.7"}},
		"until":              {f: store.ItemFilter{Until: at(11)}, want: []string{"p.1.3", "q.1.2", "p.1.1"}},
		"span":               {f: store.ItemFilter{Since: at(11), Until: at(12), User: "mara"}, want: []string{"q.1.6", "q.1.4"}},
		"many":               {f: store.ItemFilter{User: "emma", Type: "thing", Op: landfall.OpCreate, Replica: "p", State: store.Completed}, want: []string{"p.1.3", "p.1.1"}},
		"none of both":       {f: store.ItemFilter{User: "emma", Kind: landfall.KindStatus}},
		"of one":             {of: "emma", want: []string{"p.1.7", "p.1.5", "p.1.3", "p.1.1"}},
		"of one, narrowed":   {of: "mara", f: store.ItemFilter{Record: "r1"}, want: []string{"q.1.4"}},
		"of another":         {of: "mara", f: store.ItemFilter{User: "emma"}},
	} {
		for _, most := range []int{1, 3, 100} {
			for _, limit := range []int{1, 2, 100} {
				s := store.Scan[store.Item]{Page: store.Page{Limit: limit}, Most: most, Of: c.of}
				got, _ := found(b, c.f, s)
				same(t, fmt.Sprintf("%s, %d of %d", name, limit, most), got, c.want)
				s.Oldest = true
				got, _ = found(b, c.f, s)
				same(t, fmt.Sprintf("%s, %d of %d, oldest first", name, limit, most), got, backwards(c.want))
			}
		}
	}
	bounded(t, b)
}

// bounded: a page looks at no more than it may, and says how far it came.
func bounded(t *testing.T, b *bench) {
	looked := 0
	pass := func(i *store.Item) (bool, error) { looked++; return i.Key.N == 2, nil }
	b.view(func(r store.Reader) error {
		got, err := r.Search("w", store.ItemFilter{}, store.Scan[store.Item]{Page: store.Page{Limit: 9}, Most: 3, Pass: pass})
		same(t, "looked at", looked, 3)
		same(t, "came to", []any{len(got.Rows), got.Next, got.To}, []any{0, "q.1.6", at(11)})
		return err
	})
	got, pages := found(b, store.ItemFilter{}, store.Scan[store.Item]{Page: store.Page{Limit: 9}, Most: 3, Pass: pass})
	same(t, "found in the end", []any{got, pages}, []any{[]string{"q.1.2"}, 3})
	_, pages = found(b, store.ItemFilter{State: store.Withdrawn, User: "emma", Type: "thing"}, store.Scan[store.Item]{Page: store.Page{Limit: 9}, Most: 1})
	if pages > 9 {
		t.Errorf("what is not there took %d pages", pages)
	}
	b.view(func(r store.Reader) error {
		fail := func(*store.Item) (bool, error) { return false, errNo }
		if _, err := r.Search("w", store.ItemFilter{}, store.Scan[store.Item]{Page: store.Page{Limit: 9}, Most: 3, Pass: fail}); !errors.Is(err, errNo) {
			t.Errorf("a search that fails: %v", err)
		}
		_, err := r.Search("w", store.ItemFilter{}, store.Scan[store.Item]{Page: store.Page{After: "nonsense", Limit: 9}, Most: 3})
		if landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("a cursor that is none: %v", err)
		}
		for prefix, want := range map[string][]string{"r": {"r1", "r2"}, "ra": {"ra"}, "r2": {"r2"}, "x": nil, "": {"r1", "r2"}} {
			got, err := r.ItemRecords("w", prefix, 2)
			same(t, "records that begin with "+prefix, got, want)
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.update(func(w store.Writer) error { return w.PutRecord("w", record("r1", 7), []string{"all", "user:emma"}) })
	b.view(func(r store.Reader) error {
		number, keys, err := r.Known("w", "r1")
		same(t, "known", []any{number, keys}, []any{"", []string{"all", "user:emma"}})
		_, keys, err2 := r.Known("w", "none")
		same(t, "not known", len(keys), 0)
		return errors.Join(err, err2)
	})
}

// aging: what was completed is cleaned by the time at which it was, once; and
// what an issue holds, or what has errors, never.
func aging(t *testing.T, b *bench) {
	put := func(n int64, ended int, change func(*store.Item)) {
		it := &store.Item{Key: key("p", n), State: store.Completed, ReceivedAt: at(1), Bytes: []byte(`{}`), Hash: strings.Repeat("ab", 32), Receipt: landfall.Receipt{N: n, Result: landfall.Applied, Seq: 9, Messages: []landfall.Message{{Code: "c"}}},
			History: []store.ItemEvent{{At: at(1), State: store.Queued}, {At: at(ended), State: store.Completed}}}
		if change != nil {
			change(it)
		}
		b.update(func(w store.Writer) error { return w.PutItem("w", it) })
	}
	put(1, 30, nil)
	put(2, 10, nil)
	put(3, 20, nil)
	put(4, 20, nil)
	put(5, 10, func(i *store.Item) { i.State = store.WithErrors })
	put(6, 10, func(i *store.Item) { i.Holder = "i" })
	put(7, 10, func(i *store.Item) { i.State = store.Withdrawn })
	put(8, 10, func(i *store.Item) { i.State = store.Queued })
	list := func(before time.Time, limit int) (out []int64) {
		b.view(func(r store.Reader) error {
			for after := ""; ; {
				got, err := r.Aging("w", before, store.Page{After: after, Limit: limit})
				if err != nil {
					return err
				}
				for _, it := range got.Rows {
					out = append(out, it.Key.N)
				}
				if after = got.Next; after == "" {
					return nil
				}
			}
		})
		return out
	}
	for limit := 1; limit < 6; limit++ {
		same(t, "all", list(time.Time{}, limit), []int64{2, 3, 4, 1})
		same(t, "old", list(at(20), limit), []int64{2})
	}
	b.update(func(w store.Writer) error {
		it, err := w.Item("w", key("p", 3))
		if err != nil {
			return err
		}
		it.Clean(at(99))
		return w.PutItem("w", it)
	})
	same(t, "without what was cleaned", list(time.Time{}, 2), []int64{2, 4, 1})
	b.view(func(r store.Reader) error {
		got, err := r.Item("w", key("p", 3))
		same(t, "cleaned", got, &store.Item{Key: key("p", 3), State: store.Completed, ReceivedAt: at(1), Bytes: []byte{}, Hash: strings.Repeat("ab", 32), Receipt: landfall.Receipt{N: 3, Result: landfall.Applied, Seq: 9}, Cleaned: &store.Cleaned{At: at(99), Ended: at(20)}})
		if _, err := r.Aging("w", at(1), store.Page{After: "nonsense", Limit: 1}); landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("a cursor that is none: %v", err)
		}
		return err
	})
}

// settings are set, replaced and taken away, each in its workspace.
func settings(t *testing.T, b *bench) {
	row := func(name, value string) store.SettingRow {
		return store.SettingRow{Name: name, Value: value, By: "ada", At: at(1)}
	}
	b.update(func(w store.Writer) error {
		return errors.Join(w.SetSetting("w", row("b", "<1>")), w.SetSetting("w", row("a", "1")), w.SetSetting("w", row("a", "2")), w.SetSetting("other", row("c", "3")),
			w.SetSetting("w", row("d", "4")), w.DeleteSetting("w", "d"), w.DeleteSetting("w", "never set"))
	})
	b.view(func(r store.Reader) error {
		one, err := r.Setting("w", "a")
		same(t, "one", one, row("a", "2"))
		none, err2 := r.Setting("w", "d")
		same(t, "none", none == nil, true)
		all, err3 := r.Settings("w")
		same(t, "all", all, []store.SettingRow{row("a", "2"), row("b", "<1>")})
		return errors.Join(err, err2, err3)
	})
}
