package doctor_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/doctor"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/internal/workqueue"
)

const app1 = `
app: jobs
title: Jobs
roles: [worker, boss]
queues:
  conflicts: {title: Conflicts, members: [boss]}
  later: {title: Later, members: [boss]}
types:
  job:
    title: Job
    number: {prefix: J-, from: 1}
    fields:
      title: {type: text, required: true, unique: true}
      hours: {type: decimal, check: "hours > 0"}
      note:  {type: text}
      owner: {type: user, default: me}
    lifecycle:
      initial: open
      statuses: {open: {}, checked: {queue: later}, done: {resolved: true}}
      transitions:
        check:  {from: [open, checked], to: checked, roles: [worker, boss]}
        finish: {from: checked, to: done, roles: [boss]}
        reopen: {from: done, to: open, roles: [boss]}
    audience: [user:owner, role:boss]
    rights:
      worker: {create: true, update: true, delete: true}
      boss:   {create: true, update: true, delete: true}
    conflicts: {status: strict, queue: conflicts}
`

// app2 asks for a field that older records do not have, and lets others receive
// records and issues.
var app2 = strings.NewReplacer(
	"hours: {type: decimal,", "hours: {type: decimal, required: true,",
	"audience: [user:owner, role:boss]", "audience: [user:owner, role:boss, {key: role:worker, statuses: [checked]}]",
	"title: Conflicts, members: [boss]", "title: Conflicts, members: [boss, worker]",
).Replace(app1)

const ws = "w"

// world is a workspace that is used through the real inbox.
type world struct {
	t     *testing.T
	st    store.Store
	in    *inbox.Inbox
	desk  *workqueue.Desk
	now   time.Time
	ids   int
	next  int64
	inc   int64
	last  string // hash of the mutation before
	known map[int64]landfall.Receipt
}

func newWorld(t *testing.T, st store.Store) *world {
	t.Helper()
	w, p := begun(t, st, app1)
	w.live(p)
	return w
}

// begun is a workspace with people, a device, and a published app.
func begun(t *testing.T, st store.Store, source string) (*world, *publish.Publisher) {
	t.Helper()
	w := &world{t: t, st: st, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), next: 1, inc: 1, known: map[int64]landfall.Receipt{}}
	clock := func() time.Time { w.now = w.now.Add(time.Second); return w.now }
	mark := func() string { w.ids++; return fmt.Sprint("m", w.ids) }
	w.update(func(x store.Writer) error {
		if err := x.CreateWorkspace(ws, store.Head{Epoch: "e", App: "jobs", Time: w.now}); err != nil {
			return err
		}
		for name, role := range map[string]string{"emma": "worker", "mara": "boss", "ada": landfall.Administrator} {
			if err := x.PutUser(ws, &store.User{Name: name, Roles: []string{role}}); err != nil {
				return err
			}
		}
		return x.PutReplica(ws, &store.Replica{ID: "phone", User: "emma", Incarnation: 1, Next: 1})
	})
	p := publish.New(publish.Config{Store: st, Clock: clock, Mark: mark})
	w.publish(p, source)
	w.in = inbox.New(inbox.Config{
		Store: st, Definitions: p, Clock: clock, Mark: mark, Limits: wire.DefaultLimits(), Patience: time.Minute,
		JudgeTime: time.Hour, // the clock goes on whenever it is looked at
		NewID:     func() string { w.ids++; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", w.ids) },
	})
	w.desk = workqueue.New(workqueue.Config{Store: st, Definitions: p, Clock: clock, Mark: mark})
	return w, p
}

func (w *world) publish(p *publish.Publisher, source string) {
	w.t.Helper()
	out, err := p.Publish(w.t.Context(), ws, landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}, wire.Publish{Source: source})
	if err != nil || out.Version == 0 {
		w.t.Fatalf("%+v %v", out, err)
	}
}

func (w *world) update(f func(store.Writer) error) {
	w.t.Helper()
	if err := w.st.Update(w.t.Context(), f); err != nil {
		w.t.Fatal(err)
	}
}

func job(n int) string { return fmt.Sprintf("0198c3ac-0000-7000-8000-%012d", n) }

// push sends mutations, each without its number and the time; want are their results.
func (w *world) push(want string, mutations ...string) []landfall.Receipt {
	w.t.Helper()
	p := wire.Push{Replica: "phone", Incarnation: w.inc, Clock: w.now, Protocol: wire.Protocol, Definition: 1, First: w.next, PreviousHash: w.last}
	for i, m := range mutations {
		raw := fmt.Sprintf(`{"n":%d,%s,"made_at":"2026-03-01T08:00:00Z"}`, w.next+int64(i), m)
		p.Mutations = append(p.Mutations, json.RawMessage(raw))
		w.last = core.Hash([]byte(raw))
	}
	r := w.send(p)
	w.next += int64(len(mutations))
	var got []string
	for _, x := range r.Receipts {
		s := string(x.Result)
		if x.Waiting {
			s = "waits"
		}
		if x.Kind != "" {
			s = string(x.Kind)
		}
		got = append(got, s)
	}
	if strings.Join(got, " ") != want {
		w.t.Fatalf("receipts: %v, want %s\n%+v", got, want, r.Receipts)
	}
	return r.Receipts
}

func (w *world) send(p wire.Push) *wire.PushReply {
	w.t.Helper()
	body, err := json.Marshal(p)
	if err != nil {
		w.t.Fatal(err)
	}
	type answer struct {
		r   *wire.PushReply
		err error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := w.in.Push(w.t.Context(), ws, inbox.Device{Replica: "phone", Actor: landfall.Actor{User: "emma"}}, body)
		done <- answer{r, err}
	}()
	for {
		select {
		case a := <-done:
			if a.err != nil {
				w.t.Fatal(a.err)
			}
			return a.r
		case <-w.in.Offered():
			if _, err := w.in.Step(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		}
	}
}

func create(n int, more string) string {
	return fmt.Sprintf(`"op":"create","type":"job","id":"%s","set":{"title":"job %d","owner":"emma"%s},"base":{"version":0}`, job(n), n, more)
}

func set(n int, field, value string, after int64) string {
	return fmt.Sprintf(`"op":"update","type":"job","id":"%s","set":{%q:%s},"base":{"version":0,"after":%d,"status":"open","was":{%q:null}}`, job(n), field, value, after, field)
}

// live lets happen everything that can happen to a mutation and an issue.
func (w *world) live(p *publish.Publisher) {
	ctx, t := w.t.Context(), w.t
	mara := landfall.Actor{User: "mara", Roles: []string{"boss"}}
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.push("applied applied applied applied", create(1, ""), set(1, "note", `"seen"`, 1), set(1, "note", `"seen"`, 2), `"op":"void"`)
	moved := fmt.Sprintf(`"op":"transition","transition":"check","type":"job","id":"%s","base":{"version":0,"after":3,"status":"open"}`, job(1))
	w.push("applied", moved)
	w.push("malformed lost", `"op":"create","op":"create"`, `"op":"lost"`)
	r := w.push("validation waits", create(2, `,"hours":"-1"`), set(2, "note", `"behind it"`, 8)) // 8, 9
	w.push("applied", set(2, "hours", `"1.5"`, 9)+fmt.Sprintf(`,"amends":{"issue":%q}`, r[0].Issue))
	group := `,"group":{"id":"g","of":2}`
	w.push("applied applied", create(3, "")+group, set(3, "note", `null`, 11)+group) // the second changes nothing
	r = w.push("validation", create(4, `,"hours":"0"`))
	w.push("applied", fmt.Sprintf(`"op":"withdraw","issue":%q`, r[0].Issue))
	r = w.push("validation waits", create(5, `,"hours":"0"`), set(5, "note", `"waits for long"`, 15)) // stays open
	invalid := r[0].Issue
	for _, do := range []wire.Do{
		{Op: landfall.OpTransition, Type: "job", ID: job(3), Transition: "check"},
		{Op: landfall.OpTransition, Type: "job", ID: job(3), Transition: "finish"},
		{Op: landfall.OpCreate, Type: "job", ID: job(6), Set: landfall.Fields{"title": landfall.Value(`"from the desk"`)}},
		{Op: landfall.OpDelete, Type: "job", ID: job(6)},
		{Op: landfall.OpRestore, Type: "job", ID: job(6)},
		{Op: landfall.OpUpdate, Type: "job", ID: job(6), Set: landfall.Fields{"owner": landfall.Value(`"emma"`)}},
		{Op: landfall.OpCreate, Type: "job", ID: job(7), Set: landfall.Fields{"title": landfall.Value(`"deleted"`)}},
		{Op: landfall.OpDelete, Type: "job", ID: job(7)},
	} {
		must(w.in.Do(ctx, ws, mara, do))
	}
	r = w.push("status-conflict waits", set(3, "hours", `"4"`, 11), set(3, "note", `"too"`, 17))
	conflict := r[0].Issue
	must(w.desk.Claim(ctx, ws, mara, conflict))
	must(w.desk.Comment(ctx, ws, mara, conflict, "hm"))
	must(w.desk.Release(ctx, ws, mara, conflict))
	must(w.desk.Assign(ctx, ws, mara, conflict, wire.Assign{To: "user:mara"}))
	take := wire.Resolve{Decision: core.Decision{Take: core.DeviceSide, Before: []string{"reopen"}, After: []string{"check"}, To: "user:emma", Through: 17}}
	must(w.in.Resolve(ctx, ws, mara, conflict, take))
	must(w.desk.Reopen(ctx, ws, mara, conflict, "once more"))
	w.fork()
	w.publish(p, app2)
	w.push("validation applied waits", create(8, ""), create(9, `,"hours":"2"`), set(1, "note", `"behind the fork"`, 0))
	must(w.in.Retry(ctx, ws, mara, wire.Retry{Issues: []string{invalid}}))
}

// fork: another history of the incarnation comes, and the device begins anew.
func (w *world) fork() {
	w.t.Helper()
	raw := json.RawMessage(`{"n":2,` + set(1, "note", `"of a copy"`, 1) + `,"made_at":"2026-03-01T08:00:00Z"}`)
	r := w.send(wire.Push{Replica: "phone", Incarnation: 1, Clock: w.now, Protocol: wire.Protocol, First: 2, Mutations: []json.RawMessage{raw}})
	if !r.Forked || r.Receipts[0].Kind != landfall.KindFork {
		w.t.Fatalf("%+v", r)
	}
	w.inc, w.next, w.last = 2, 1, ""
}

func onSQLite(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	st, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func examined(t *testing.T, view func(func(store.Reader) error) error) *doctor.Report {
	t.Helper()
	var report *doctor.Report
	err := view(func(r store.Reader) (err error) {
		report, err = doctor.Examine(t.Context(), r, doctor.Options{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func dump(r *doctor.Report) string {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// What the program itself does is never found wrong, and everything is looked at.
func TestHealthy(t *testing.T) {
	for name, open := range map[string]func(*testing.T) store.Store{
		"memory": func(*testing.T) store.Store { return memory.New() },
		"sqlite": func(t *testing.T) store.Store { return onSQLite(t, filepath.Join(t.TempDir(), "landfall.db")) },
	} {
		t.Run(name, func(t *testing.T) {
			st := open(t)
			defer func() { _ = st.Close() }() // the test is over
			newWorld(t, st)
			report := examined(t, func(f func(store.Reader) error) error { return st.View(t.Context(), f) })
			if !report.Healthy {
				t.Fatal(dump(report))
			}
			for _, r := range report.Results {
				if r.Checked == 0 {
					t.Errorf("%s: nothing was looked at", r.Check)
				}
				if r.Check == doctor.Items {
					for _, fate := range []string{"applied", "without effect", "void", "in an issue", "waiting", "lost", "settled"} {
						if r.Counts[fate] == 0 {
							t.Errorf("no item is %s: %v", fate, r.Counts)
						}
					}
				}
			}
		})
	}
}
