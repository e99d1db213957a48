package workqueue

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/internal/wire"
)

// arise puts an issue where its audience finds it.
func (w *world) arise(i landfall.Issue) {
	w.t.Helper()
	w.update(func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.now, w.mark())
		if err != nil {
			return err
		}
		i.Version = l.Next()
		rec, err := i.AsRecord()
		if err != nil {
			return err
		}
		if err := l.Commit(&landfall.Effects{Writes: []landfall.Write{{Record: rec, Audience: core.IssueAudience(w.defs.app, i.Author, i.Queue, i.Assigned())}}, Changes: []landfall.Change{{Type: rec.Type, ID: rec.ID, Action: landfall.Created, At: l.Now()}}}); err != nil {
			return err
		}
		if err := tx.PutIssue(ws, &store.IssueRow{Issue: i}); err != nil {
			return err
		}
		return l.Close()
	})
}

// A cause counts exactly what the caller may see, and names nobody else.
func TestCausesCountWhatIsSeen(t *testing.T) {
	people := []string{"emma", "mara", "ada", "sven", "otto"}
	for seed := range uint64(20) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		one := func(of ...string) string { return of[rnd.IntN(len(of))] }
		w := newWorld(t)
		for n := range 40 {
			w.now = w.now.Add(time.Minute)
			kind := landfall.Kind(one(string(landfall.KindStatus), string(landfall.KindValidation), string(landfall.KindAuthorization)))
			i := landfall.Issue{
				ID: fmt.Sprintf("i-%02d", n), Number: int64(n + 1), Kind: kind, Cause: string(kind) + one("1", "2"), State: one(landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved),
				Queue: one("sync-conflicts", "approvals", landfall.FallbackQueue, "undeclared"), Author: one("emma", "otto", "mara"), Assignee: one("", "", "sven", "otto"),
				RecordType: "expense", Device: one("phone", "tablet"), ReceivedAt: start.Add(time.Duration(n) * time.Minute),
				Messages: []landfall.Message{{Code: "c", Text: "It is so."}},
			}
			w.arise(i)
		}
		for _, name := range people {
			compareCauses(t, w, name)
		}
	}
}

func compareCauses(t *testing.T, w *world, name string) {
	t.Helper()
	want := map[string]*wire.Cause{}
	users, devices := map[string]map[string]bool{}, map[string]map[string]bool{}
	all := must[wire.List[wire.IssueView]](t)(w.desk.Issues(ctx, ws, actor(name), store.IssueFilter{State: store.Unresolved}, store.Page{Limit: 1000}))
	for _, i := range all.Items {
		c := want[i.Cause]
		if c == nil {
			c = &wire.Cause{FirstSeen: i.ReceivedAt, LastSeen: i.ReceivedAt}
			want[i.Cause], users[i.Cause], devices[i.Cause] = c, map[string]bool{}, map[string]bool{}
			c.Examples = []wire.Example{{ID: i.ID}}
		}
		c.Count++
		users[i.Cause][i.Author], devices[i.Cause][i.Device] = true, true
		if i.ReceivedAt.Before(c.FirstSeen) {
			c.FirstSeen = i.ReceivedAt
		}
		if i.ReceivedAt.After(c.LastSeen) {
			c.LastSeen = i.ReceivedAt
		}
	}
	got := must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor(name)))
	if len(got) != len(want) {
		t.Fatalf("%s sees %d causes of %d", name, len(got), len(want))
	}
	for _, c := range got {
		x := want[c.Cause]
		if x == nil || c.Count != x.Count || c.UserCount != len(users[c.Cause]) || c.Devices != len(devices[c.Cause]) || !c.FirstSeen.Equal(x.FirstSeen) || !c.LastSeen.Equal(x.LastSeen) || c.Examples[0].ID != x.Examples[0].ID {
			t.Errorf("%s: %+v, and should be %+v of %v on %v", name, c, x, users[c.Cause], devices[c.Cause])
		}
		for _, u := range c.Users {
			if !users[c.Cause][u] {
				t.Errorf("%s is told of %s", name, u)
			}
		}
	}
}

// A cause is told by whom it concerns and by what they lack.
func TestCausesAreTold(t *testing.T) {
	w := newWorld(t)
	w.expense("e1", "EXP-1", "draft")
	lack := func(n int, author string) landfall.Issue {
		return landfall.Issue{
			ID: fmt.Sprintf("i-%d", n), Number: int64(n), Kind: landfall.KindAuthorization, Cause: "c", State: landfall.IssueOpen, Queue: "sync-conflicts", Author: author, Device: author,
			Record: "e1", RecordType: "expense", Transition: "approve", ReceivedAt: w.now, Messages: []landfall.Message{{Code: core.CodeTransitionRole, Text: "The right is missing.", Hint: "It belongs to manager."}},
		}
	}
	w.arise(lack(1, "emma"))
	tell := func() wire.Cause {
		t.Helper()
		return must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor("sven")))[0]
	}
	if c := tell(); c.Title != "1 change: emma lacks approve on Expense report" || c.Fix != "It belongs to manager." || c.Transition != "approve" {
		t.Errorf("%+v", c)
	}
	w.update(func(tx store.Writer) error {
		return tx.PutUser(ws, &store.User{Name: "noah", Roles: []string{"employee"}})
	})
	w.arise(lack(2, "noah"))
	if c := tell(); c.Title != "2 changes: the role employee lacks approve on Expense report" || len(c.Examples) != 2 || c.Examples[0].RecordNumber != "" {
		t.Errorf("%+v", c)
	}
	w.arise(lack(3, "otto"))
	if c := tell(); c.Title != "3 changes: 3 users lack approve on Expense report" {
		t.Errorf("%+v", c)
	}
	ada := must[[]wire.Cause](t)(w.desk.Causes(ctx, ws, actor("emma")))
	if len(ada) != 1 || ada[0].Count != 1 || ada[0].Examples[0].RecordNumber != "EXP-1" {
		t.Errorf("Emma sees %+v", ada)
	}
}

// BenchmarkCauses lists the causes of 100,000 open issues: 40 causes, 200 users.
func BenchmarkCauses(b *testing.B) {
	st, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = st.Close() }() // it is over
	put := func(f func(w store.Writer) error) {
		if err := st.Update(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
	put(func(w store.Writer) error {
		if err := w.CreateWorkspace(ws, store.Head{Epoch: "e", App: "expenses"}); err != nil {
			return err
		}
		return w.PutUser(ws, &store.User{Name: "sven", Roles: []string{"sync_admin"}})
	})
	put(func(w store.Writer) error {
		for n := range 100_000 {
			user := fmt.Sprintf("user%03d", n%200)
			err := w.PutIssue(ws, &store.IssueRow{Issue: landfall.Issue{
				ID: fmt.Sprintf("i-%06d", n), Number: int64(n + 1), Kind: landfall.KindValidation, Cause: fmt.Sprintf("c%02d", n%40), State: landfall.IssueOpen, Queue: "sync-conflicts",
				Author: user, Device: user, RecordType: "expense", ReceivedAt: start.Add(time.Duration(n) * time.Second), Messages: []landfall.Message{{Code: "c", Text: "It is so."}},
			}})
			if err != nil {
				return err
			}
		}
		return nil
	})
	desk := New(Config{Store: st, Definitions: &fixed{expenses()}, Clock: func() time.Time { return start }, Mark: func() string { return "m" }})
	list := func(b *testing.B) {
		b.Helper()
		all, err := desk.Causes(b.Context(), ws, actor("sven"))
		if err != nil || len(all) != 40 || all[0].Count != 2500 {
			b.Fatalf("%d causes, %v", len(all), err)
		}
	}
	for b.Loop() {
		list(b)
	}
}
