package inbox

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/internal/wire"
)

const dock = "0198c3aa-0000-7000-8000-000000000000"

// docked is an inbox on a database in which n orders are seen through one site.
func docked(t testing.TB, n int) (*Inbox, *sqlite.Store) {
	t.Helper()
	src, err := os.ReadFile("../../testdata/vectors/definitions/related.yaml")
	if err != nil {
		t.Fatal(err)
	}
	app := definition.MustCompile("app.yaml", src)
	app.Version = 3
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // the test is over
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	north := []string{"role:boss", "team:north"}
	err = st.Update(t.Context(), func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{Epoch: "e", Time: now, Definition: 3}); err != nil {
			return err
		}
		for _, team := range []string{"north", "south"} {
			if err := w.PutTeam("w", store.Team{Name: team}); err != nil {
				return err
			}
		}
		if err := w.PutUser("w", &store.User{Name: "emma", Roles: []string{"boss"}}); err != nil {
			return err
		}
		l, err := store.Open(w, "w", now, "m")
		if err != nil {
			return err
		}
		r := &landfall.Record{Type: "site", ID: dock, Version: l.Next(), Fields: landfall.Fields{"name": landfall.Value(`"dock"`), "team": landfall.Value(`"north"`)}}
		e := landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: north}}}
		for i := range n {
			o := &landfall.Record{Type: "order", ID: fmt.Sprintf("0198c3aa-0000-7000-9000-%012d", i), Version: l.Next(), Status: "planned", Fields: landfall.Fields{"site": landfall.Value(`"` + dock + `"`)}}
			e.Writes = append(e.Writes, landfall.Write{Record: o, Audience: north, Links: core.Links(app.Types["order"], o)})
		}
		if err := l.Commit(&e); err != nil {
			return err
		}
		return l.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{
		Store: st, Definitions: published{app}, Clock: time.Now, Mark: func() string { return "m2" },
		NewID: func() string { return "0198c3ab-0000-7000-8000-000000000001" }, Limits: wire.DefaultLimits(), Patience: time.Minute,
	}), st
}

func (in *Inbox) moveDock(t testing.TB, team string) (*wire.Done, error) {
	t.Helper()
	return in.Do(t.Context(), "w", landfall.Actor{User: "emma"}, wire.Do{Op: landfall.OpUpdate, Type: "site", ID: dock, Set: landfall.Fields{"team": landfall.Value(`"` + team + `"`)}})
}

// What is seen through a record follows it at the same place, and nothing of it
// gets a new version.
func TestFollowersMove(t *testing.T) {
	in, st := docked(t, 3)
	done, err := in.moveDock(t, "south")
	if err != nil {
		t.Fatal(err)
	}
	err = st.View(t.Context(), func(r store.Reader) error {
		left, err := r.Feed("w", "team:north", store.Behind(1), done.Seq, 9)
		if err != nil {
			return err
		}
		came, err := r.Feed("w", "team:south", store.Spot{}, done.Seq, 9)
		if err != nil {
			return err
		}
		if len(left) != 4 || len(came) != 4 {
			t.Errorf("%d left, %d came", len(left), len(came))
		}
		for i := range left {
			if !left[i].Gone || came[i].Gone || left[i].Seq != done.Seq || came[i].Seq != done.Seq || len(came[i].Record) == 0 {
				t.Errorf("%+v %+v", left[i], came[i])
			}
		}
		o, err := r.Record("w", "0198c3aa-0000-7000-9000-000000000001")
		if o.Version != 1 {
			t.Errorf("%+v", o)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkFollowersMove is a verdict with which ten thousand records move.
func BenchmarkFollowersMove(b *testing.B) {
	in, _ := docked(b, 10_000)
	n := 0
	for b.Loop() {
		n++
		if _, err := in.moveDock(b, []string{"north", "south"}[n%2]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPartOfMany is a change of one of 500 parts, of which the whole computes
// something.
func BenchmarkPartOfMany(b *testing.B) {
	in, st := docked(b, 1)
	app := in.cfg.Definitions.(published).app
	task := func(i int) string { return fmt.Sprintf("0198c3aa-0000-7000-a000-%012d", i) }
	err := st.Update(b.Context(), func(w store.Writer) error {
		l, err := store.Open(w, "w", in.cfg.Clock(), "m")
		if err != nil {
			return err
		}
		var e landfall.Effects
		for i := range 500 {
			r := &landfall.Record{Type: "task", ID: task(i), Version: l.Next(), Fields: landfall.Fields{
				"order": landfall.Value(`"0198c3aa-0000-7000-9000-000000000000"`), "title": landfall.Value(`"t"`), "done": landfall.Value("true"), "steps": landfall.Value("0")}}
			e.Writes = append(e.Writes, landfall.Write{Record: r, Audience: []string{"role:boss"}, Links: core.Links(app.Types["task"], r)})
		}
		if err := l.Commit(&e); err != nil {
			return err
		}
		u := &store.User{Name: "emma", Roles: []string{"boss", "worker"}}
		if err := w.PutUser("w", u); err != nil {
			return err
		}
		return l.Close()
	})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		do := wire.Do{Op: landfall.OpUpdate, Type: "task", ID: task(250), Set: landfall.Fields{"done": landfall.Value([]string{"true", "false"}[n%2])}}
		if _, err := in.Do(b.Context(), "w", landfall.Actor{User: "emma"}, do); err != nil {
			b.Fatal(err)
		}
	}
}
