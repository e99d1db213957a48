package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// due: issues are found by when they are tried again, with all that they keep of
// their tries and repairs.
func due(t *testing.T, b *bench) {
	put := func(n int64, next time.Time) {
		b.update(func(w store.Writer) error {
			row := &store.IssueRow{Issue: landfall.Issue{ID: fmt.Sprint("i", n), Number: n, State: landfall.IssueOpen, Cause: "c"}}
			row.Tries = store.Tries{Next: next, Why: "a right", InVain: 2, Tried: []store.Try{{At: at(1), Why: "w", Kind: landfall.KindGone}}}
			row.Repairs = []store.Repair{{By: "ada", At: at(2), Note: "n", Of: key("p", n), Mutation: []byte(`{"n":1}`), Fields: []string{"amount"}}}
			return w.PutIssue("w", row)
		})
	}
	list := func(until time.Time, limit int) (out []int64) {
		b.view(func(r store.Reader) error {
			rows, err := r.Due("w", until, limit)
			for _, row := range rows {
				out = append(out, row.Issue.Number)
			}
			return err
		})
		return out
	}
	put(1, at(30))
	put(2, at(10))
	put(3, at(20))
	put(4, time.Time{})
	same(t, "none yet", list(at(9), 9), nil)
	same(t, "due", list(at(20), 9), []int64{2, 3})
	same(t, "limited", list(at(99), 2), []int64{2, 3})
	put(2, time.Time{})
	put(3, at(40))
	same(t, "put off", list(at(99), 9), []int64{1, 3})
	b.view(func(r store.Reader) error {
		row, err := r.Issue("w", "i1")
		same(t, "tries", row.Tries, store.Tries{Next: at(30), Why: "a right", InVain: 2, Tried: []store.Try{{At: at(1), Why: "w", Kind: landfall.KindGone}}})
		same(t, "repairs", row.Repairs, []store.Repair{{By: "ada", At: at(2), Note: "n", Of: key("p", 1), Mutation: []byte(`{"n":1}`), Fields: []string{"amount"}}})
		other, err2 := r.Due("other", at(99), 9)
		same(t, "another workspace", len(other), 0)
		return errors.Join(err, err2)
	})
}

// heldOn: what open issues hold is found by the records that it touches or
// refers to, whoever's it is, a page at a time.
func heldOn(t *testing.T, b *bench) {
	put := func(replica string, n int64, holder, record string, mentions ...string) {
		b.update(func(w store.Writer) error {
			return w.PutItem("w", &store.Item{Key: key(replica, n), Holder: holder, Record: record, Refs: []string{record}, Mentions: mentions})
		})
	}
	list := func(record string, after landfall.Key, limit int) (out []string) {
		b.view(func(r store.Reader) error {
			items, err := r.HeldOn("w", record, after, limit)
			for _, i := range items {
				out = append(out, i.Key.String())
			}
			return err
		})
		return out
	}
	laning := func() (some bool) {
		b.view(func(r store.Reader) (err error) { some, err = r.Laning("w"); return err })
		return some
	}
	same(t, "nothing held", laning(), false)
	put("p", 1, "i1", "a", "b", "c")
	put("p", 2, "i1", "b")
	put("q", 1, "i2", "b", "b")
	put("q", 2, "", "b")
	same(t, "held", laning(), true)
	same(t, "its own", list("a", landfall.Key{}, 9), []string{"p.1.1"})
	same(t, "mentioned", list("b", landfall.Key{}, 9), []string{"p.1.1", "p.1.2", "q.1.1"})
	same(t, "a page", list("b", key("p", 1), 1), []string{"p.1.2"})
	same(t, "the last", list("b", key("p", 2), 9), []string{"q.1.1"})
	b.view(func(r store.Reader) error {
		lane, err := r.Lane("w", "p", "c")
		same(t, "a mention is no lane", len(lane), 0)
		i, err2 := r.Item("w", key("p", 1))
		same(t, "kept", i.Mentions, []string{"b", "c"})
		return errors.Join(err, err2)
	})
	for _, k := range []landfall.Key{key("p", 1), key("p", 2), key("q", 1)} {
		put(k.Replica, k.N, "", "b", "c")
	}
	same(t, "free", list("b", landfall.Key{}, 9), nil)
	same(t, "nothing held any more", laning(), false)
}

// sweeps: there is one of a kind and object.
func sweeps(t *testing.T, b *bench) {
	put := func(s store.Sweep) { b.update(func(w store.Writer) error { return w.PutSweep("w", s) }) }
	emma := store.Sweep{Kind: store.SweepUser, Object: "emma", Why: "a role"}
	put(emma)
	put(store.Sweep{Kind: store.SweepDefinition, Why: "published"})
	emma.After = "17"
	put(emma)
	list := func() (out []store.Sweep) {
		b.view(func(r store.Reader) (err error) { out, err = r.Sweeps("w", 9); return err })
		return out
	}
	same(t, "sweeps", list(), []store.Sweep{{Kind: store.SweepDefinition, Why: "published"}, emma})
	b.update(func(w store.Writer) error { return w.DeleteSweep("w", emma) })
	same(t, "one is done", len(list()), 1)
}

// alike: unresolved issues are counted by what they have in common.
func alike(t *testing.T, b *bench) {
	for n := int64(1); n <= 7; n++ {
		i := landfall.Issue{ID: fmt.Sprint("i", n), Number: n, State: landfall.IssueOpen, Queue: "q", Cause: []string{"c1", "c2"}[n%2], Kind: landfall.KindGone, Author: "emma", Device: "p", ReceivedAt: at(int(10 + n))}
		switch n {
		case 3:
			i.State = landfall.IssueResolved
		case 5:
			i.State, i.Assignee = landfall.IssueClaimed, "ada"
		}
		b.update(func(w store.Writer) error { return w.PutIssue("w", &store.IssueRow{Issue: i}) })
	}
	group := func(cause, assignee string, count int, newest int64, first, last time.Time) store.IssueGroup {
		return store.IssueGroup{Cause: cause, Kind: landfall.KindGone, Queue: "q", Assignee: assignee, Author: "emma", Device: "p", Count: count, Newest: newest, First: first, Last: last}
	}
	b.view(func(r store.Reader) error {
		all, err := r.IssueGroups("w", "")
		same(t, "all", all, []store.IssueGroup{group("c1", "", 3, 6, at(12), at(16)), group("c2", "", 2, 7, at(11), at(17)), group("c2", "ada", 1, 5, at(15), at(15))})
		one, err2 := r.IssueGroups("w", "c2")
		same(t, "one cause", len(one), 2)
		return errors.Join(err, err2)
	})
	// Whatever becomes of them, the numbers are right.
	states := []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved}
	for step := range 60 {
		n := int64(step*5%7 + 1)
		i := landfall.Issue{ID: fmt.Sprint("i", n), Number: n, State: states[step*7%3], Queue: []string{"q", "z"}[step/3%2], Cause: []string{"c1", "c2"}[step/5%2], Kind: landfall.KindGone, Author: "emma", Device: []string{"p", "s"}[step/7%2], ReceivedAt: at(int(n))}
		b.update(func(w store.Writer) error { return w.PutIssue("w", &store.IssueRow{Issue: i}) })
		b.view(func(r store.Reader) error {
			open, err := r.Issues("w", store.IssueFilter{State: store.Unresolved}, store.Page{Limit: 99})
			groups, err2 := r.IssueGroups("w", "")
			sum := 0
			for _, g := range groups {
				sum += g.Count
			}
			same(t, fmt.Sprint("after step ", step), sum, len(open))
			return errors.Join(err, err2)
		})
	}
}
