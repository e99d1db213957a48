package inbox

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// manyItems is how many items there are to be searched.
var manyItems = flag.Int("items", 1_000_000, "items in the inbox that benchmarks search")

// itemOf is the n-th of years of work: 50 people with two devices each on a
// hundred thousand records of five types. One in 200 was refused, one in 2,000
// waits; one kind is rare.
func benchItem(n int64) *store.Item {
	at := time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 90 * time.Second)
	user, record := n%50, n*7919%100_000
	i := &store.Item{
		Key: landfall.Key{Replica: fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", user*2+n/50%2), Incarnation: 1, N: n}, User: fmt.Sprint("user", user),
		Hash: fmt.Sprintf("%064x", n), State: store.Completed, Type: fmt.Sprint("type", record%5), Record: fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", record),
		Op: []landfall.Op{landfall.OpUpdate, landfall.OpUpdate, landfall.OpUpdate, landfall.OpCreate, landfall.OpTransition}[n%5], ReceivedAt: at, EditedAt: at,
		Receipt: landfall.Receipt{N: n, Result: landfall.Applied, Seq: n}, History: []store.ItemEvent{{At: at, State: store.Queued}, {At: at, State: store.InProgress}, {At: at, State: store.Completed}},
	}
	i.Bytes = fmt.Appendf(nil, `{"n":%d,"op":%q,"type":%q,"id":%q,"set":{"notes":"Delivery %d to the harbour, gate closed","amount":"12.50"},"base":{"version":%d},"made_at":"2026-03-01T08:00:00Z"}`, n, i.Op, i.Type, i.Record, n, n/2)
	i.Refs = []string{i.Record}
	kind := landfall.Kind("")
	switch {
	case n%50_000 == 17:
		kind = landfall.KindFork
	case n%200 == 17:
		kind = landfall.KindValidation
	case n%2000 == 18:
		i.State, i.Holder, i.Receipt = store.Queued, fmt.Sprint("issue", n), landfall.Receipt{N: n, Result: landfall.Issued, Seq: n, Waiting: true}
	}
	if kind != "" {
		i.State, i.Holder = store.WithErrors, fmt.Sprint("issue", n)
		i.Receipt = landfall.Receipt{N: n, Result: landfall.Issued, Seq: n, Kind: kind, Messages: []landfall.Message{{Code: "required", Field: "amount", Text: "Amount is missing.", Hint: "Enter Amount."}}}
	}
	return i
}

// filled is an inbox with so many items.
func filled(b *testing.B) *Inbox {
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = st.Close() }) // it is thrown away
	write := func(f func(store.Writer) error) {
		if err := st.Update(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	write(func(w store.Writer) error {
		for n := range 100 {
			if err := w.PutReplica("w", &store.Replica{ID: fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", n), User: fmt.Sprint("user", n/2), Name: fmt.Sprint("phone ", n)}); err != nil {
				return err
			}
		}
		for n := range 50 {
			if err := w.PutUser("w", &store.User{Name: fmt.Sprint("user", n), Roles: []string{"employee"}}); err != nil {
				return err
			}
		}
		return w.CreateWorkspace("w", store.Head{Epoch: "e", Definition: 1})
	})
	for from := 0; from < 100_000; from += 5000 {
		write(func(w store.Writer) error {
			for n := from; n < from+5000; n++ {
				r := &landfall.Record{Type: fmt.Sprint("type", n%5), ID: fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", n), Version: int64(n + 1), Number: fmt.Sprint("R-", n), Fields: landfall.Fields{"notes": landfall.Value(`"Delivery"`)}}
				if err := w.PutRow("w", nil, r, []string{"role:administrator"}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	start := time.Now()
	for from := 0; from < *manyItems; from += 5000 {
		write(func(w store.Writer) error {
			for n := from; n < from+5000; n++ {
				if err := w.AddItem("w", benchItem(int64(n+1))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.Logf("%d items in %s", *manyItems, time.Since(start).Round(time.Second))
	app := definition.MustCompile("app.yaml", examples.Expenses)
	app.Version = 1
	return New(Config{Store: st, Definitions: published{app}, Clock: time.Now})
}

// BenchmarkSearch is the first page of 50 of the inbox, by each filter.
func BenchmarkSearch(b *testing.B) {
	in := filled(b)
	admin, emma := landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}, landfall.Actor{User: "user7", Roles: []string{"employee"}}
	middle := benchItem(int64(*manyItems / 2)).ReceivedAt
	for _, c := range []struct {
		name string
		who  landfall.Actor
		f    store.ItemFilter
		p    store.Page
	}{
		{"all", admin, store.ItemFilter{}, store.Page{}},
		{"oldest", admin, store.ItemFilter{}, store.Page{Oldest: true}},
		{"own", emma, store.ItemFilter{}, store.Page{}},
		{"state=completed", admin, store.ItemFilter{State: store.Completed}, store.Page{}},
		{"state=completed-with-errors", admin, store.ItemFilter{State: store.WithErrors}, store.Page{}},
		{"state=withdrawn(none)", admin, store.ItemFilter{State: store.Withdrawn}, store.Page{}},
		{"kind=validation", admin, store.ItemFilter{Kind: landfall.KindValidation}, store.Page{}},
		{"kind=fork(rare)", admin, store.ItemFilter{Kind: landfall.KindFork}, store.Page{}},
		{"user", admin, store.ItemFilter{User: "user7"}, store.Page{}},
		{"device", admin, store.ItemFilter{Replica: "phone 14"}, store.Page{}},
		{"type", admin, store.ItemFilter{Type: "type3"}, store.Page{}},
		{"record=id", admin, store.ItemFilter{Record: "0198c3ab-0000-7000-8000-000000000700"}, store.Page{}},
		{"record=number", admin, store.ItemFilter{Record: "R-700"}, store.Page{}},
		{"op=create", admin, store.ItemFilter{Op: landfall.OpCreate}, store.Page{}},
		{"op=update", admin, store.ItemFilter{Op: landfall.OpUpdate}, store.Page{}},
		{"op=delete(none)", admin, store.ItemFilter{Op: landfall.OpDelete}, store.Page{}},
		{"since+until", admin, store.ItemFilter{Since: middle, Until: middle.AddDate(0, 0, 1)}, store.Page{}},
		{"state+user", admin, store.ItemFilter{State: store.WithErrors, User: "user17"}, store.Page{}},
		{"kind+type+user(none)", admin, store.ItemFilter{Kind: landfall.KindValidation, Type: "type3", User: "user7"}, store.Page{}},
		{"user+op+type+until", admin, store.ItemFilter{User: "user8", Op: landfall.OpCreate, Type: "type3", Until: middle}, store.Page{}},
		{"user+op(none)", admin, store.ItemFilter{User: "user7", Op: landfall.OpCreate}, store.Page{}},
		{"own,type", emma, store.ItemFilter{Type: "type3"}, store.Page{}},
		{"text(found)", admin, store.ItemFilter{Text: "HARBOUR"}, store.Page{}},
		{"text(none)", admin, store.ItemFilter{Text: "no such words"}, store.Page{}},
		{"text+user(none)", admin, store.ItemFilter{Text: "no such words", User: "user7"}, store.Page{}},
		{"text+state(none)", admin, store.ItemFilter{Text: "no such words", State: store.WithErrors}, store.Page{}},
		{"own,text(none)", emma, store.ItemFilter{Text: "no such words"}, store.Page{}},
	} {
		b.Run(c.name, func(b *testing.B) {
			c.p.Limit = 50
			found := 0
			for b.Loop() {
				l, err := in.Items(b.Context(), "w", c.who, c.f, c.p)
				if err != nil {
					b.Fatal(err)
				}
				found = len(l.Items)
			}
			b.ReportMetric(float64(found), "found")
		})
	}
}
