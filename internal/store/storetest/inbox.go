package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

func pushes(t *testing.T, b *bench) {
	body := []byte("{\x00 not even JSON")
	var ids []int64
	b.update(func(w store.Writer) error {
		for i := range 3 {
			p := store.Push{Replica: fmt.Sprint("p", i), By: []string{"ada", "", ""}[i], Received: at(i), Body: body}
			if err := w.AddPush("w", &p); err != nil {
				return err
			}
			ids = append(ids, p.ID)
		}
		return errors.Join(w.DeletePush("w", ids[1]), w.MarkPush("w", &store.Push{ID: ids[2], Tried: 2, Trying: 17, Tries: 1}))
	})
	body[0] = 'x'
	b.view(func(r store.Reader) error {
		got, err := r.Pushes("w", 0, 9)
		same(t, "pushes", got, []store.Push{{ID: ids[0], Replica: "p0", By: "ada", Received: at(0), Body: []byte("{\x00 not even JSON")}, {ID: ids[2], Replica: "p2", Received: at(2), Body: []byte("{\x00 not even JSON"), Tried: 2, Trying: 17, Tries: 1}})
		after, err2 := r.Pushes("w", ids[0], 1)
		same(t, "after", len(after), 1)
		return errors.Join(err, err2)
	})
	// A number is never given twice: what waits for it would take it for its own.
	b.update(func(w store.Writer) error {
		if err := w.DeletePush("w", ids[2]); err != nil {
			return err
		}
		p := store.Push{Replica: "p9"}
		err := w.AddPush("w", &p)
		if p.ID <= ids[2] {
			t.Errorf("push %d comes after %d", p.ID, ids[2])
		}
		return err
	})
}

func key(replica string, n int64) landfall.Key {
	return landfall.Key{Replica: replica, Incarnation: 1, N: n}
}

func items(t *testing.T, b *bench) {
	full := store.Item{Key: key("p.x", 1), User: "emma", Hash: "h", Bytes: []byte(`{"n":1}`), State: store.WithErrors, Type: "thing", Record: "r", Op: landfall.OpUpdate,
		ReceivedAt: at(1), EditedAt: at(0), Holder: "i", Refs: []string{"r", "s"}, History: []store.ItemEvent{{At: at(1), State: store.Queued}},
		Receipt: landfall.Receipt{N: 1, Result: landfall.Issued, Issue: "i", Kind: landfall.KindGone, Messages: []landfall.Message{{Code: "c", Field: "f", Text: "<t>"}}}}
	b.update(func(w store.Writer) error { return w.AddItem("w", &full) })
	if err := b.s.Update(t.Context(), func(w store.Writer) error { return w.AddItem("w", &full) }); err == nil {
		t.Error("an item was added twice")
	}
	b.view(func(r store.Reader) error {
		got, err := r.Item("w", full.Key)
		same(t, "item", got, full)
		none, err2 := r.Item("w", key("p.x", 2))
		same(t, "none", none == nil, true)
		return errors.Join(err, err2)
	})
	b.update(func(w store.Writer) error {
		for i := range 8 {
			it := store.Item{Key: key([]string{"p", "q"}[i%2], int64(i+1)), User: []string{"emma", "mara"}[i%2], State: store.Completed, Record: []string{"r1", "r2"}[i/4], Type: "thing", ReceivedAt: at(10 + i/3)}
			if i == 5 {
				it.State, it.Receipt.Kind = store.WithErrors, landfall.KindStatus
			}
			if err := w.PutItem("w", &it); err != nil {
				return err
			}
		}
		return nil
	})
	for name, c := range map[string]struct {
		f    store.ItemFilter
		want []string
	}{
		"user":    {store.ItemFilter{User: "mara"}, []string{"q.1.8", "q.1.6", "q.1.4", "q.1.2"}},
		"replica": {store.ItemFilter{Replica: "p"}, []string{"p.1.7", "p.1.5", "p.1.3", "p.1.1"}},
		"record":  {store.ItemFilter{Record: "r2"}, []string{"q.1.8", "p.1.7", "q.1.6", "p.1.5"}},
		"state":   {store.ItemFilter{State: store.WithErrors}, []string{"q.1.6", "p.x.1.1"}},
		"kind":    {store.ItemFilter{Kind: landfall.KindStatus}, []string{"q.1.6"}},
		"since":   {store.ItemFilter{Since: at(12)}, []string{"q.1.8", "p.1.7"}},
		"two":     {store.ItemFilter{User: "emma", Record: "r1", State: store.Completed}, []string{"p.1.3", "p.1.1"}},
		"all":     {store.ItemFilter{}, []string{"q.1.8", "p.1.7", "q.1.6", "p.1.5", "q.1.4", "p.1.3", "q.1.2", "p.1.1", "p.x.1.1"}},
	} {
		same(t, name, listItems(b, c.f), c.want)
	}
	b.view(func(r store.Reader) error {
		if _, err := r.Items("w", store.ItemFilter{}, store.Page{After: "nonsense", Limit: 1}); landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("a cursor that is none: %v", err)
		}
		return nil
	})
}

// listItems reads all pages, two at a time.
func listItems(b *bench, f store.ItemFilter) (out []string) {
	b.view(func(r store.Reader) error {
		after := ""
		for {
			page, err := r.Items("w", f, store.Page{After: after, Limit: 2})
			if err != nil || len(page) == 0 {
				return err
			}
			for _, i := range page {
				after = i.Key.String()
				out = append(out, after)
			}
		}
	})
	return out
}

func lanes(t *testing.T, b *bench) {
	put := func(n int64, holder string, refs ...string) {
		b.update(func(w store.Writer) error {
			return w.PutItem("w", &store.Item{Key: key("p", n), Holder: holder, Refs: refs})
		})
	}
	put(10, "i1", "a")
	put(2, "i1", "a", "b")
	put(3, "i2", "b")
	put(4, "", "a")
	b.update(func(w store.Writer) error {
		return w.PutItem("w", &store.Item{Key: key("q", 1), Holder: "i3", Refs: []string{"a"}})
	})
	numbers := func(list []*store.Item) (out []int64) {
		for _, i := range list {
			out = append(out, i.Key.N)
		}
		return out
	}
	check := func(what string, lane, held []int64) {
		t.Helper()
		b.view(func(r store.Reader) error {
			l, err := r.Lane("w", "p", "a")
			h, err2 := r.Held("w", "i1")
			same(t, what+": lane", numbers(l), lane)
			same(t, what+": held", numbers(h), held)
			none, err3 := r.Held("w", "")
			laned, err4 := r.Laned("w", "p")
			same(t, what+": laned", laned, true)
			unlaned, err5 := r.Laned("w", "z")
			same(t, what+": not laned", unlaned, false)
			same(t, what+": held by nothing", none, nil)
			return errors.Join(err, err2, err3, err4, err5)
		})
	}
	check("at first", []int64{2, 10}, []int64{2, 10})
	put(2, "", "a", "b")
	check("one is free", []int64{10}, []int64{10})
	put(2, "i2", "a", "b")
	check("held by another", []int64{2, 10}, []int64{10})
}

func outcomes(t *testing.T, b *bench) {
	for n, seq := range map[int64]int64{1: 30, 2: 10, 3: 20, 4: 10} {
		b.update(func(w store.Writer) error {
			return w.PutItem("w", &store.Item{Key: key("p", n), Outcome: &landfall.Outcome{Incarnation: 1, N: n, Seq: seq, Settlement: landfall.SettledKept}})
		})
	}
	b.update(func(w store.Writer) error { return w.PutItem("w", &store.Item{Key: key("p", 5)}) })
	b.view(func(r store.Reader) error {
		got, err := r.Outcomes("w", "p", 5, 20, 9)
		var n []int64
		for _, o := range got {
			n = append(n, o.N)
		}
		same(t, "outcomes", n, []int64{2, 4, 3})
		one, err2 := r.Outcomes("w", "p", 10, 99, 1)
		same(t, "limited", len(one), 1)
		return errors.Join(err, err2)
	})
}

func issues(t *testing.T, b *bench) {
	row := &store.IssueRow{Issue: landfall.Issue{ID: "i1", Version: 7, State: landfall.IssueOpen, Queue: "q", Assignee: "emma", Number: 1, Kind: landfall.KindStatus, Cause: "c1",
		RecordType: "thing", Record: "r", Author: "emma", Device: "p", Incarnation: 1, N: 3, ReceivedAt: at(3), Messages: []landfall.Message{{Code: "x", Text: "y"}}},
		Sent: [][]byte{[]byte(`{"n":3}`)}, Hash: "h", Then: record("r", 5), Base: record("r", 4)}
	b.update(func(w store.Writer) error { return w.PutIssue("w", row) })
	b.view(func(r store.Reader) error {
		got, err := r.Issue("w", "i1")
		if err != nil {
			return err
		}
		same(t, "issue", got, row)
		same(t, "what its record keeps", []any{got.Issue.ID, got.Issue.Version, got.Issue.State, got.Issue.Queue, got.Issue.Assignee}, []any{"i1", 7, "open", "q", "emma"})
		by, err := r.IssueByNumber("w", 1)
		if err != nil {
			return err
		}
		same(t, "by number", by.Issue.ID, "i1")
		none, err := r.IssueByNumber("w", 2)
		same(t, "none", none == nil, true)
		return err
	})
	b.update(func(w store.Writer) error {
		for n := int64(2); n <= 6; n++ {
			i := row.Issue
			i.ID, i.Number = fmt.Sprint("i", n), n
			i.State = []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved}[n%3]
			i.Queue, i.Author, i.Record, i.Cause = []string{"q", "z"}[n%2], []string{"emma", "mara"}[n%2], []string{"r", "s"}[n%2], []string{"c1", "c2"}[n%2]
			if err := w.PutIssue("w", &store.IssueRow{Issue: i}); err != nil {
				return err
			}
		}
		return nil
	})
	for name, c := range map[string]struct {
		f    store.IssueFilter
		want []int64
	}{
		"all":        {store.IssueFilter{}, []int64{6, 5, 4, 3, 2, 1}},
		"unresolved": {store.IssueFilter{State: store.Unresolved}, []int64{6, 4, 3, 1}},
		"resolved":   {store.IssueFilter{State: landfall.IssueResolved}, []int64{5, 2}},
		"queue":      {store.IssueFilter{Queue: "z"}, []int64{5, 3}},
		"author":     {store.IssueFilter{User: "emma"}, []int64{6, 4, 2, 1}},
		"record":     {store.IssueFilter{Record: "s"}, []int64{5, 3}},
		"cause":      {store.IssueFilter{Cause: "c1", State: landfall.IssueOpen}, []int64{6, 1}},
	} {
		var got []int64
		b.view(func(r store.Reader) error {
			after := ""
			for {
				page, err := r.Issues("w", c.f, store.Page{After: after, Limit: 2})
				if err != nil || len(page) == 0 {
					return err
				}
				for _, row := range page {
					got = append(got, row.Issue.Number)
					after = fmt.Sprint(row.Issue.Number)
				}
			}
		})
		same(t, name, got, c.want)
	}
}
