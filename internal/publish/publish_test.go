package publish

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

const ws = "tasks"

// source is a definition in which each word of what can be replaced.
const source = `app: tasks
title: Tasks
roles: [worker]
types:
  task:
    title: Task
    fields:
      what: {type: text, required: true}
      note: {type: text}
    lifecycle:
      initial: open
      statuses: {open: {}, done: {resolved: true}, late: {resolved: true}}
      transitions:
        finish: {from: open, to: done, roles: [worker]}
        delay:  {from: open, to: late, roles: [worker]}
    audience: [all]
    rights:
      worker: {create: true, update: true}
  spare:
    title: Spare
    fields:
      what: {type: text}
    audience: [all]
    rights:
      worker: {create: true, update: true}
`

var admin = landfall.Actor{User: "ada", Roles: []string{"administrator"}}

type world struct {
	*Publisher
	t *testing.T
}

func newWorld(t *testing.T) *world {
	t.Helper()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	marks := 0
	st := memory.New()
	w := &world{t: t, Publisher: New(Config{Store: st, Clock: func() time.Time { return now }, Mark: func() string { marks++; return fmt.Sprint(marks) }})}
	err := st.Update(t.Context(), func(w store.Writer) error {
		return w.CreateWorkspace(ws, store.Head{Epoch: "e", Time: now, App: "tasks"})
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) publish(source string) *wire.Published {
	w.t.Helper()
	out, err := w.Publish(w.t.Context(), ws, admin, wire.Publish{Source: source, File: "tasks.yaml"})
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

func (w *world) head() store.Head {
	w.t.Helper()
	var h *store.Head
	err := w.store.View(w.t.Context(), func(r store.Reader) (err error) {
		h, err = r.Head(ws)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return *h
}

func text(problems []wire.Problem) string {
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%s:%d warning=%t %s (%s)", p.File, p.Line, p.Warning, p.Message, p.Hint))
	}
	return strings.Join(out, "\n")
}

// What may pass under another definition is tried again; a check, and the same
// definition again, change nothing about that.
func TestPublishingHasIssuesTriedAgain(t *testing.T) {
	w := newWorld(t)
	sweeps := func() (n int) {
		t.Helper()
		if err := w.store.View(t.Context(), func(r store.Reader) error {
			list, err := r.Sweeps(ws, 9)
			n = len(list)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if _, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: source, DryRun: true}); err != nil || sweeps() != 0 {
		t.Errorf("a dry run: %d %v", sweeps(), err)
	}
	w.publish(source)
	if n := sweeps(); n != 1 {
		t.Errorf("published: %d", n)
	}
	if err := w.store.Update(t.Context(), func(tx store.Writer) error { return tx.DeleteSweep(ws, store.Sweep{Kind: store.SweepDefinition}) }); err != nil {
		t.Fatal(err)
	}
	w.publish(source)
	if n := sweeps(); n != 0 {
		t.Errorf("published again: %d", n)
	}
}

func TestPublish(t *testing.T) {
	w := newWorld(t)
	if _, err := w.Current(t.Context(), ws); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Error(err)
	}
	if out := w.publish(source); out.Version != 1 || out.Unchanged || text(out.Problems) != "" {
		t.Errorf("%+v", out)
	}
	app, err := w.Current(t.Context(), ws)
	if err != nil || app.Version != 1 || app.Types["task"] == nil || string(app.Source) != source {
		t.Fatal(app, err)
	}
	again, err := w.Current(t.Context(), ws)
	if err != nil || again != app {
		t.Error("it was compiled again")
	}
	if h := w.head(); h.Seq != 1 || h.Definition != 1 || h.Mark == "" {
		t.Errorf("%+v", h)
	}
	if out := w.publish(source); out.Version != 1 || !out.Unchanged {
		t.Errorf("%+v", out)
	}
	if out := w.publish(source + "# a remark\n"); out.Version != 2 || out.Unchanged {
		t.Errorf("%+v", out)
	}
	if app, err = w.Current(t.Context(), ws); err != nil || app.Version != 2 {
		t.Error(app, err)
	}
	if v, s, err := w.Source(t.Context(), ws); v != 2 || s != source+"# a remark\n" || err != nil {
		t.Error(v, s, err)
	}
	if h := w.head(); h.Seq != 2 {
		t.Errorf("%+v", h)
	}
}

// What is refused or only tried changes nothing.
func TestNotPublished(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	before := w.head()
	for _, c := range []struct{ name, source, want string }{
		{"another app", strings.Replace(source, "app: tasks", "app: chores", 1), `tasks.yaml:1 warning=false this is the app "chores"`},
		{"a wrong version", "version: 7\n" + source, "tasks.yaml:1 warning=false the next version is 2"},
		{"the version that is there", source + "version: 1\n", "warning=false the next version is 2"},
		{"not YAML", "app: [", "warning=false"},
		{"an error", strings.Replace(source, "initial: open", "initial: opn", 1), "warning=false"},
	} {
		out := w.publish(c.source)
		if out.Version != 1 || out.Unchanged || !strings.Contains(text(out.Problems), c.want) {
			t.Errorf("%s: version %d, unchanged %t\n%s", c.name, out.Version, out.Unchanged, text(out.Problems))
		}
	}
	dry, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: source + "version: 2\n", DryRun: true})
	if err != nil || dry.Version != 2 || text(dry.Problems) != "" {
		t.Errorf("%+v, %v", dry, err)
	}
	if w.head() != before {
		t.Errorf("%+v", w.head())
	}
	out := w.publish(source + "version: 2\n")
	if out.Version != 2 {
		t.Errorf("the version that comes next is refused: %s", text(out.Problems))
	}
}

func TestWhoMayPublish(t *testing.T) {
	w := newWorld(t)
	gone := admin
	gone.Disabled = true
	for _, a := range []landfall.Actor{{User: "emma", Roles: []string{"worker"}}, gone} {
		for _, dry := range []bool{true, false} {
			if _, err := w.Publish(t.Context(), ws, a, wire.Publish{Source: source, DryRun: dry}); landfall.CodeOf(err) != landfall.CodeForbidden {
				t.Error(err)
			}
		}
	}
	if _, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: strings.Repeat("#", maxSource+1)}); landfall.CodeOf(err) != landfall.CodeTooLarge {
		t.Error(err)
	}
	if _, err := w.Publish(t.Context(), "elsewhere", admin, wire.Publish{Source: source}); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Error(err)
	}
}

// What disappears is said, and published all the same.
func TestWhatIsGone(t *testing.T) {
	w := newWorld(t)
	w.publish(source)
	next, _, _ := strings.Cut(source, "  spare:")
	next = strings.Replace(next, "      note: {type: text}\n", "", 1)
	next = strings.Replace(next, ", late: {resolved: true}", "", 1)
	next = strings.Replace(next, "        delay:  {from: open, to: late, roles: [worker]}\n", "", 1)
	next = strings.Replace(next, "what: {type: text, required: true}", "what: {type: integer, required: true}", 1)
	out := w.publish(next)
	got := text(out.Problems)
	for _, want := range []string{
		`tasks.yaml:4 warning=true the type spare of the published version is gone`, `the field task.note`, `the status task.late`, `the transition task.delay`,
		`the field task.what was of type text and is of type integer now`, "outdated",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if out.Version != 2 || refused(out.Problems) || len(out.Problems) != 5 {
		t.Errorf("%+v", out)
	}
}

// A definition under which nobody could decide what waits in a queue is refused.
func TestSomebodyIsLeftToDecide(t *testing.T) {
	w := newWorld(t)
	queues := func(members, more string) string {
		return strings.Replace(source, "roles: [worker]\n", "roles: [worker, clerk, auditor]\nqueues:\n  conflicts: {title: Conflicts, members: ["+members+"]}\n"+more, 1)
	}
	put := func(users ...store.User) {
		t.Helper()
		err := w.store.Update(t.Context(), func(tx store.Writer) error {
			for i := range users {
				if err := tx.PutUser(ws, &users[i]); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	wait := func(state string) {
		t.Helper()
		err := w.store.Update(t.Context(), func(tx store.Writer) error {
			i := landfall.Issue{ID: "i", Number: 1, Version: 1, State: state, Queue: "conflicts"}
			rec, err := i.AsRecord()
			if err != nil {
				return err
			}
			return errors.Join(tx.PutRecord(ws, rec, nil), tx.PutIssue(ws, &store.IssueRow{Issue: i}))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	published := func(source string) {
		t.Helper()
		if out := w.publish(source); refused(out.Problems) || out.Unchanged {
			t.Errorf("not published: %s", text(out.Problems))
		}
	}
	put(store.User{Name: "carl", Roles: []string{"clerk"}}, store.User{Name: "gone", Roles: []string{"auditor"}, Disabled: true})
	wait(landfall.IssueResolved)
	published(queues("auditor", "")) // nothing waits there
	published(queues("clerk", ""))
	wait(landfall.IssueOpen)
	before := w.head()
	for _, dry := range []bool{true, false} {
		out, err := w.Publish(t.Context(), ws, admin, wire.Publish{Source: queues("auditor", ""), File: "tasks.yaml", DryRun: dry})
		want := `tasks.yaml:4 warning=false sync issues wait in the queue "conflicts", and no enabled user has the role auditor`
		if err != nil || !strings.Contains(text(out.Problems), want) || out.Version != before.Definition {
			t.Errorf("%+v, %v", out, err)
		}
	}
	if w.head() != before {
		t.Error("it was published all the same")
	}
	published(queues("auditor, clerk", ""))
	published(source) // without the queue: it is the administrators' now
	if out := w.publish(queues("auditor", "")); !refused(out.Problems) {
		t.Error("what waits was taken from the administrators, and given to nobody")
	}
	put(store.User{Name: "mia", Roles: []string{"auditor"}})
	published(queues("auditor", ""))
	put(store.User{Name: "mia"})
	published(queues("auditor", "  spare: {title: Spare, members: [auditor]}\n")) // who works there is as before
}
