package model_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What the model says that a user may see is what the server's index gives out,
// and its records are those that are stored.
func TestQueries(t *testing.T) {
	for seed := range uint64(12) {
		w := newWorld(t, seed, false)
		for range 40 {
			w.act()
		}
		w.judge()
		w.must(w.store.View(context.Background(), func(r store.Reader) error {
			for _, name := range []string{"ada", "will", "wendy", "lea", "carl", "gus"} {
				if got, want := w.m.Visible(name), stored(t, r, name); !slices.Equal(got, want) {
					t.Errorf("seed %d: %s may see %v, and is given %v", seed, name, got, want)
				}
			}
			for id := range w.phones[0].seen {
				got, is := w.m.Record(id), w.row(id)
				if (got == nil) != (is == nil) || got != nil && (got.Version != is.Record.Version || got.Status != is.Record.Status || len(got.Fields) != len(is.Record.Fields)) {
					t.Errorf("seed %d: %s is %+v, and is stored as %+v", seed, id, got, is)
				}
			}
			h, err := r.Head(ws)
			if h.Seq != w.m.Head() {
				t.Errorf("seed %d: the head is at %d, not %d", seed, w.m.Head(), h.Seq)
			}
			return err
		}))
	}
}

// stored lists what is under the audience keys of a user.
func stored(t *testing.T, r store.Reader, name string) []string {
	t.Helper()
	u, err := r.User(ws, name)
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	if u.Disabled {
		return out
	}
	a := u.Actor()
	for _, key := range a.Keys() {
		for _, typ := range []string{"job", "task", "memo", "step", "note", landfall.IssueType} {
			ids, err := r.Keyed(ws, key, typ, "", 10_000)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, ids...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// A clone goes its own way: what it takes in changes nothing for the other.
func TestClone(t *testing.T) {
	w := newWorld(t, 2, true)
	for range 50 {
		w.act()
	}
	half := len(w.commits) / 2
	m := w.before[half]
	for _, a := range w.apps {
		m.Know(a)
	}
	head := m.Head()
	for range 2 {
		c := m.Clone()
		for n, x := range w.commits[half:] {
			if found := c.Commit(x); len(found) > 0 {
				t.Fatalf("commit %d: %v", half+n, found)
			}
		}
		if c.Head() != w.m.Head() || !slices.Equal(c.Visible("lea"), w.m.Visible("lea")) || len(c.Issues()) != len(w.m.Issues()) {
			t.Errorf("the clone is at %d, the model at %d", c.Head(), w.m.Head())
		}
		if m.Head() != head {
			t.Errorf("the model went on to %d with its clone", m.Head())
		}
	}
}

// An issue where nobody may decide is told of.
func TestUnattended(t *testing.T) {
	w := newWorld(t, 1, false)
	p := w.phones[0] // will
	p.add(&landfall.Mutation{Op: landfall.OpCreate, Type: "memo", ID: w.id(), Base: &landfall.Base{}, MadeAt: w.now})
	p.push()
	w.judge()
	if len(w.m.Issues()) != 1 || w.m.Issues()[0].Queue != "conflicts" || len(w.m.Issues()[0].Hashes) != 1 {
		t.Fatalf("there is no issue: %+v", w.m.Issues())
	}
	_, err := w.acc.ChangeUser(context.Background(), ws, w.admin, "", "carl", wire.UserChange{Revoke: []string{app.Clerk}})
	w.must(err)
	_, err = w.acc.ChangeUser(context.Background(), ws, w.admin, "", "ada", wire.UserChange{Revoke: []string{app.Clerk}})
	if landfall.CodeOf(err) != landfall.CodeConflict {
		t.Errorf("nobody may decide it, and the server says %v", err)
	}
	_, err = w.acc.ChangeUser(context.Background(), ws, w.admin, "", "ada", wire.UserChange{Revoke: []string{app.Guest}})
	w.must(err)
	forged := copied(w.commits[len(w.commits)-1])
	for _, op := range pointers(forged) {
		if op.User != nil {
			op.User.Roles = []string{landfall.Administrator}
		}
	}
	found := w.before0().Commit(forged)
	if !slices.ContainsFunc(found, func(v model.Violation) bool { return v.Rule == "unattended" }) {
		t.Errorf("nobody may decide it, and the model says %v", found)
	}
	if w.m.User("carl") == nil || w.m.User("nobody") != nil || w.m.Sees("carl", w.m.Issues()[0].ID) || !w.m.Sees("will", w.m.Issues()[0].ID) {
		t.Error("who may see it is not so")
	}
}

// Where nobody works, a new issue is the administrators'.
func TestNobodyWorksThere(t *testing.T) {
	w := newWorld(t, 1, false)
	for _, name := range []string{"carl", "ada"} {
		_, err := w.acc.ChangeUser(context.Background(), ws, w.admin, "", name, wire.UserChange{Revoke: []string{app.Clerk}})
		w.must(err)
	}
	p := w.phones[0] // will
	p.add(&landfall.Mutation{Op: landfall.OpCreate, Type: "memo", ID: w.id(), Base: &landfall.Base{}, MadeAt: w.now})
	p.push()
	w.judge()
	if all := w.m.Issues(); len(all) != 1 || all[0].Queue != landfall.FallbackQueue || all[0].Assignee != "will" || len(w.found) > 0 {
		t.Fatalf("%+v, %v", all, w.found)
	}
	last := len(w.commits) - 1
	forged := copied(w.commits[last])
	if !opened(func(row *store.IssueRow) bool { row.Issue.Queue, row.Issue.Assignee = "conflicts", ""; return true })(forged) {
		t.Fatal("nothing was opened")
	}
	found := w.before0().Commit(forged)
	for _, rule := range []string{"route", "unattended"} {
		if !slices.ContainsFunc(found, func(v model.Violation) bool { return v.Rule == rule }) {
			t.Errorf("it is where nobody works, and the model says %v", found)
		}
	}
}

// before0 is a model that has seen all commits but the last.
func (w *world) before0() *model.Model {
	m := model.New()
	m.Know(app.Simulated(1, w.policy, false))
	for _, c := range w.commits[:len(w.commits)-1] {
		m.Commit(c)
	}
	return m
}

// The time of an edit is worked out exactly where the model knows the clock.
func TestEditTime(t *testing.T) {
	w := newWorld(t, 1, true)
	p := w.phones[0]
	p.add(&landfall.Mutation{Op: landfall.OpCreate, Type: "memo", ID: w.id(), Base: &landfall.Base{}, MadeAt: w.now.Add(p.skew - time.Minute)})
	p.push()
	w.judge()
	last := len(w.commits) - 1
	forged := copied(w.commits[last])
	if !added(func(it *store.Item) bool { it.EditedAt = it.EditedAt.Add(time.Second); return true })(forged) {
		t.Fatal("nothing arrived")
	}
	found := w.before[last].Clone().Commit(forged)
	if len(w.found) > 0 || !slices.ContainsFunc(found, func(v model.Violation) bool { return v.Rule == "edit-time" }) {
		t.Errorf("%v, and forged %v", w.found, found)
	}
}
