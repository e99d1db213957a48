package rehearse

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// jobs is the app of the tests. Its lines are made to be taken out.
const jobs = `app: jobs
roles: [technician, dispatcher]
queues:
  desk: {title: Desk, members: [dispatcher]}
types:
  job:
    title: Job
    number: {prefix: J-, from: 1}
    fields:
      title: {type: text, required: true}
      hours: {type: integer, conflict: review}
      kind: {type: choice, choices: [repair, check, visit]}
      notes: {type: long_text, conflict: append}
      owner: {type: user, default: me}
      site: {type: reference, to: site}
    lifecycle:
      initial: planned
      statuses:
        planned: {}
        open: {queue: desk}
        closed: {resolved: true, frozen: true}
      transitions:
        start: {from: planned, to: open, roles: [technician]}
        close: {from: open, to: closed, roles: [technician, dispatcher]}
        reopen: {from: closed, to: open, roles: [dispatcher]}
    audience: [user:owner, role:dispatcher]
    rights:
      technician: {create: true, update: "record.owner == me"}
      dispatcher: {update: true, delete: true}
    conflicts: {status: strict, queue: desk}
  site:
    title: Site
    fields:
      name: {type: text, required: true}
      code: {type: text}
    audience: [all]
    rights:
      technician: {create: true}
      dispatcher: {create: true, update: true}
`

// fataler is a test, or a run of a property.
type fataler interface {
	Helper()
	Fatalf(form string, args ...any)
}

var root = landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}

// world is a workspace with three devices.
type world struct {
	t         fataler
	st        store.Store
	publisher *publish.Publisher
	inbox     *inbox.Inbox
	stage     *Stage
	now       time.Time
	next      map[string]int64
	last      map[string]string
	version   int64
	ids       int
	marks     int
}

// people by device.
var people = map[string]string{"phone-a": "anna", "phone-b": "ben", "phone-d": "dora"}

func newWorld(t fataler) *world {
	t.Helper()
	return newWorldOn(t, memory.New())
}

func newWorldOn(t fataler, st store.Store) *world {
	t.Helper()
	w := &world{t: t, st: st, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), next: map[string]int64{}, last: map[string]string{}}
	clock := func() time.Time { return w.now }
	mark := func() string { w.marks++; return fmt.Sprint("mark", w.marks) }
	w.must(st.Update(context.Background(), func(s store.Writer) error {
		if err := s.CreateWorkspace("w", store.Head{Epoch: "e", App: "jobs", Time: w.now}); err != nil {
			return err
		}
		for name, roles := range map[string][]string{"ada": {landfall.Administrator}, "anna": {"technician"}, "ben": {"technician"}, "dora": {"dispatcher"}} {
			if err := s.PutUser("w", &store.User{Name: name, Roles: roles}); err != nil {
				return err
			}
		}
		for device, user := range people {
			if err := s.PutReplica("w", &store.Replica{ID: device, User: user, Credential: device, Incarnation: 1, Next: 1}); err != nil {
				return err
			}
		}
		return nil
	}))
	w.publisher = publish.New(publish.Config{Store: st, Clock: clock, Mark: mark})
	w.inbox = inbox.New(inbox.Config{
		Store: st, Definitions: w.publisher, Clock: clock, Mark: mark, Limits: wire.DefaultLimits(), Patience: time.Hour,
		NewID: func() string { w.ids++; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", w.ids) },
	})
	w.stage = New(Config{Store: st, Definitions: w.publisher, Retrier: w.inbox, Clock: clock})
	w.publish(jobs)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v", err)
	}
}

func (w *world) publish(source string) {
	w.t.Helper()
	p, err := w.publisher.Publish(context.Background(), "w", root, wire.Publish{Source: source})
	w.must(err)
	for _, x := range p.Problems {
		if !x.Warning {
			w.t.Fatalf("line %d: %s", x.Line, x.Message)
		}
	}
	w.version = p.Version
}

// id of the nth record.
func id(n int) string { return fmt.Sprintf("0198c3ac-0000-7000-8000-%012d", n) }

// record as it is stored; nil for none.
func (w *world) record(n int) (r *landfall.Record) {
	w.t.Helper()
	w.must(w.st.View(context.Background(), func(s store.Reader) (err error) {
		r, err = s.Record("w", id(n))
		return err
	}))
	return r
}

// push pushes mutations and steps until they are judged.
func (w *world) push(device string, mutations ...landfall.Mutation) []landfall.Receipt {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	first := w.next[device] + 1
	p := wire.Push{Replica: device, Incarnation: 1, Clock: w.now, Protocol: wire.Protocol, Definition: w.version, First: first, PreviousHash: w.last[device], Waiting: len(mutations)}
	for i := range mutations {
		m := mutations[i]
		m.N, m.MadeAt, m.Definition = first+int64(i), w.now, w.version
		if m.Op != landfall.OpCreate {
			base := *m.Base
			base.After = m.N - 1 // the device shows what it did itself
			m.Base = &base
		}
		raw, err := json.Marshal(m)
		w.must(err)
		p.Mutations = append(p.Mutations, raw)
		w.next[device], w.last[device] = m.N, core.Hash(raw)
	}
	body, err := json.Marshal(p)
	w.must(err)
	o, err := w.inbox.Offer(context.Background(), "w", inbox.Device{Replica: device, Actor: landfall.Actor{User: people[device]}}, body)
	w.must(err)
	for !o.Judged() {
		_, err := w.inbox.Step(context.Background())
		w.must(err)
	}
	r, err := o.Reply()
	w.must(err)
	return r.Receipts
}

// on is a mutation of a record as it is now.
func (w *world) on(n int, op landfall.Op, set landfall.Fields) landfall.Mutation {
	w.t.Helper()
	m := landfall.Mutation{Op: op, Type: "job", ID: id(n), Set: set, Base: &landfall.Base{}}
	if r := w.record(n); r != nil {
		m.Type = r.Type
		m.Base = &landfall.Base{Version: r.Version, Status: r.Status, Was: landfall.Fields{}}
		for name := range set {
			m.Base.Was[name] = landfall.Null
			if v := r.Fields[name]; v != nil {
				m.Base.Was[name] = v
			}
		}
	}
	return m
}

func (w *world) create(device string, n int, set landfall.Fields) landfall.Receipt {
	w.t.Helper()
	if set["owner"] == nil {
		set["owner"] = landfall.Value(`"` + people[device] + `"`)
	}
	return w.push(device, landfall.Mutation{Op: landfall.OpCreate, Type: "job", ID: id(n), Set: set, Base: &landfall.Base{}})[0]
}

func (w *world) move(device string, n int, transition string) landfall.Receipt {
	w.t.Helper()
	m := w.on(n, landfall.OpTransition, nil)
	m.Transition = transition
	return w.push(device, m)[0]
}

// rehearse rehearses a definition for the administrator.
func (w *world) rehearse(source string) *wire.Rehearsal {
	w.t.Helper()
	o, err := w.stage.Rehearse(context.Background(), "w", root, wire.Rehearse{Source: source}, func(wire.RehearsalProgress) {})
	w.must(err)
	for _, x := range o.Problems {
		if !x.Warning && !strings.Contains(x.Message, "can't be unique") {
			w.t.Fatalf("line %d: %s", x.Line, x.Message)
		}
	}
	return o
}

// onlyGroup finds the only group of an effect.
func onlyGroup(t *testing.T, o *wire.Rehearsal, effect string) wire.RehearsedGroup {
	t.Helper()
	var found []wire.RehearsedGroup
	for _, g := range o.Groups {
		if g.Effect == effect {
			found = append(found, g)
		}
	}
	if len(found) != 1 {
		t.Fatalf("want one group of the effect %s, got %+v", effect, o.Groups)
	}
	return found[0]
}

// edited is the app with one place changed.
func edited(t *testing.T, old, changed string) string {
	t.Helper()
	if strings.Count(jobs, old) != 1 {
		t.Fatalf("%q is not once in the app", old)
	}
	return strings.Replace(jobs, old, changed, 1)
}
