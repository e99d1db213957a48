package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/wire"
)

// fake is a server that a test plays: each call is answered by its function.
type fake struct {
	push    func(wire.Push) (*wire.PushReply, error)
	pull    func(since string) (*wire.PullReply, error)
	pushes  []wire.Push
	clock   time.Time
	source  string // of the definition, when it is another
	version int64
	// enrolled is the answer to Enrol, when it is set; asked is what was asked.
	enrolled *wire.Enrolled
	asked    wire.EnrolRequest
}

func (f *fake) Enrol(_ context.Context, req wire.EnrolRequest) (*wire.Enrolled, error) {
	f.asked = req
	if f.enrolled != nil {
		return f.enrolled, nil
	}
	return &wire.Enrolled{Replica: "r", Credential: "c", Incarnation: 1, User: "emma", Workspace: "expenses"}, nil
}

func (f *fake) Definition(context.Context) (*wire.Definition, error) {
	if f.source != "" {
		return &wire.Definition{Version: f.version, Source: f.source, Actor: &landfall.Actor{User: "emma", Roles: []string{"worker"}, Teams: []string{"north"}}, Limits: wire.DefaultLimits()}, nil
	}
	return &wire.Definition{Version: 1, Source: string(examples.Expenses), Actor: &landfall.Actor{User: "emma", Roles: []string{"employee"}}, Limits: wire.DefaultLimits()}, nil
}

func (f *fake) Push(_ context.Context, body []byte) (*wire.PushReply, error) {
	var p wire.Push
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, err
	}
	f.pushes = append(f.pushes, p)
	return f.push(p)
}

func (f *fake) Pull(_ context.Context, since string, _ int, _ wire.Contact) (*wire.PullReply, error) {
	if f.pull != nil {
		return f.pull(since)
	}
	return &wire.PullReply{Checkpoint: since, Definition: 1}, nil
}

func (f *fake) Retry(context.Context, string) ([]wire.Retried, error) { return nil, errors.New("no") }

func applied(p wire.Push) (*wire.PushReply, error) {
	r := &wire.PushReply{Next: p.First + int64(len(p.Mutations))}
	for i := range p.Mutations {
		r.Receipts = append(r.Receipts, landfall.Receipt{N: p.First + int64(i), Result: landfall.Applied, Seq: 10})
	}
	return r, nil
}

func newClient(t *testing.T, f *fake) *client.Client {
	t.Helper()
	return clientOn(t, f, memory.New())
}

func clientOn(t *testing.T, f *fake, s client.Storage) *client.Client {
	t.Helper()
	f.clock = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ids := 0
	c, err := client.Open(t.Context(), client.Options{
		Storage: s, Transport: f, Clock: func() time.Time { return f.clock }, Random: func() float64 { return 0.5 },
		NewID: func() string { ids++; return fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", ids) },
	})
	if err == nil {
		err = errors.Join(c.Enrol(t.Context(), "http://server", "code", "phone"), c.Refresh(t.Context()))
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func create(t *testing.T, c *client.Client, purpose string) string {
	t.Helper()
	id, err := c.Create(t.Context(), "expense", landfall.Fields{"purpose": landfall.Value(`"` + purpose + `"`), "amount": landfall.Value(`"1"`)})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sync(t *testing.T, c *client.Client) *client.Report {
	t.Helper()
	r, err := c.Sync(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The bytes that were hashed are the bytes that are sent, again and again.
func TestSameBytesAgain(t *testing.T) {
	f := &fake{push: func(wire.Push) (*wire.PushReply, error) {
		return nil, landfall.Errorf(landfall.CodeUnavailable, "cut")
	}}
	c := newClient(t, f)
	create(t, c, "<b> & co")
	for range 2 {
		if _, err := c.Sync(t.Context(), nil); landfall.CodeOf(err) != landfall.CodeUnavailable {
			t.Fatal(err)
		}
	}
	f.push = applied
	sync(t, c)
	if len(f.pushes) != 3 || string(f.pushes[0].Mutations[0]) != string(f.pushes[2].Mutations[0]) {
		t.Errorf("pushed %d times, with other bytes", len(f.pushes))
	}
	if st, err := c.Status(t.Context()); err != nil || st.State != client.Synced {
		t.Errorf("%+v %v", st, err)
	}
}

// Back-off: after trouble nothing is tried before its time; a person who asks
// for a sync need not wait.
func TestBackOff(t *testing.T) {
	f := &fake{push: func(wire.Push) (*wire.PushReply, error) {
		return nil, &landfall.Error{Code: landfall.CodeBusy, Message: "later", Err: &client.RetryAfter{Wait: time.Minute}}
	}}
	c := newClient(t, f)
	create(t, c, "Oslo")
	if _, err := c.Step(t.Context()); landfall.CodeOf(err) != landfall.CodeBusy {
		t.Fatal(err)
	}
	f.push = applied
	for _, wait := range []time.Duration{0, 59 * time.Second} {
		f.clock = f.clock.Add(wait)
		if worked, err := c.Step(t.Context()); worked || err != nil {
			t.Errorf("tried before its time: %v %v", worked, err)
		}
	}
	f.clock = f.clock.Add(2 * time.Second)
	if worked, err := c.Step(t.Context()); !worked || err != nil {
		t.Errorf("not tried in time: %v %v", worked, err)
	}
}

// Too large: it sends fewer at a time.
func TestTooLarge(t *testing.T) {
	f := &fake{}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		if len(p.Mutations) > 3 {
			return nil, landfall.Errorf(landfall.CodeTooLarge, "too large")
		}
		return applied(p)
	}
	c := newClient(t, f)
	for i := range 10 {
		create(t, c, fmt.Sprint("Trip ", i))
	}
	if r := sync(t, c); r.Sent != 10 || r.Waiting != 0 {
		t.Errorf("%+v", r)
	}
}

// A group is never divided between pushes.
func TestGroupStaysWhole(t *testing.T) {
	f := &fake{}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		if len(p.Mutations) > 4 {
			return nil, landfall.Errorf(landfall.CodeTooLarge, "too large")
		}
		return applied(p)
	}
	c := newClient(t, f)
	create(t, c, "first")
	err := c.Group(t.Context(), func(g *client.Group) error {
		for i := range 4 {
			if _, err := g.Create("expense", landfall.Fields{"purpose": landfall.Value(fmt.Sprintf(`"member %d"`, i)), "amount": landfall.Value(`"1"`)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, c, "last")
	sync(t, c)
	for _, p := range f.pushes {
		members := 0
		for _, raw := range p.Mutations {
			var m landfall.Mutation
			if err := json.Unmarshal(raw, &m); err != nil {
				t.Fatal(err)
			}
			if m.Group != nil {
				members++
			}
		}
		if members != 0 && members != 4 {
			t.Errorf("a push has %d members of a group of 4", members)
		}
	}
}

// The server asks for numbers that the device does not have any more: they are
// declared lost under their numbers, and the rest follows.
func TestGap(t *testing.T) {
	f := &fake{push: applied, pull: func(string) (*wire.PullReply, error) {
		return &wire.PullReply{Checkpoint: "x", Seq: 10, KeptThrough: 10, Definition: 1}, nil
	}}
	c := newClient(t, f)
	create(t, c, "one")
	create(t, c, "two")
	sync(t, c)
	create(t, c, "three")
	f.pushes = nil
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		if p.First > 1 {
			return &wire.PushReply{Gap: true, Next: 1}, nil
		}
		return applied(p)
	}
	sync(t, c)
	last := f.pushes[len(f.pushes)-1]
	if last.First != 1 || len(last.Mutations) != 3 || last.PreviousHash != "" {
		t.Fatalf("%+v", last)
	}
	for i, want := range []landfall.Op{landfall.OpLost, landfall.OpLost, landfall.OpCreate} {
		var m landfall.Mutation
		if err := json.Unmarshal(last.Mutations[i], &m); err != nil || m.Op != want || m.N != int64(i+1) {
			t.Errorf("mutation %d is %s: %v", m.N, m.Op, err)
		}
	}
}

// Forked: what the server kept stays an issue; what it never got is made again
// in the next incarnation, from number 1.
func TestFork(t *testing.T) {
	f := &fake{}
	c := newClient(t, f)
	create(t, c, "one")
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		if p.Incarnation > 1 {
			return applied(p)
		}
		if p.Asks {
			return &wire.PushReply{Forked: true, Next: 9}, nil
		}
		create(t, c, "made while the push was under way")
		return &wire.PushReply{Forked: true, Next: 9, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Issued, Issue: "i1", Kind: landfall.KindFork}}}, nil
	}
	sync(t, c)
	last := f.pushes[len(f.pushes)-1]
	if last.Incarnation != 2 || last.First != 1 || last.PreviousHash != "" || len(last.Mutations) != 1 {
		t.Errorf("%+v", last)
	}
	log, err := c.Log(t.Context())
	if err != nil || len(log) != 1 || log[0].Kind != landfall.KindFork {
		t.Errorf("%+v %v", log, err)
	}
}

// Resync: the server does not know the checkpoint. What is shown stays until
// the new cut is whole, then what did not come again goes; the outbox stays.
func TestResync(t *testing.T) {
	old := &landfall.Record{Type: "expense", ID: "0198c3aa-0000-7000-8000-00000000aaaa", Version: 3, Status: "draft", Fields: landfall.Fields{}}
	kept := &landfall.Record{Type: "expense", ID: "0198c3aa-0000-7000-8000-00000000bbbb", Version: 4, Status: "draft", Fields: landfall.Fields{}}
	changes := func(rs ...*landfall.Record) (out []wire.Pulled) {
		for _, r := range rs {
			out = append(out, wire.Pulled{Seq: r.Version, Type: r.Type, ID: r.ID, Record: r})
		}
		return out
	}
	var c *client.Client
	f := &fake{push: func(wire.Push) (*wire.PushReply, error) {
		return nil, landfall.Errorf(landfall.CodeUnavailable, "cut")
	}}
	pages := []*wire.PullReply{
		{Changes: changes(old, kept), Checkpoint: "a", Seq: 4, Definition: 1},
		{Resync: true, Definition: 1},
		{Changes: changes(kept), Checkpoint: "b", Seq: 9, More: true, Definition: 1},
		{Checkpoint: "c", Seq: 10, Definition: 1},
	}
	f.pull = func(since string) (*wire.PullReply, error) {
		if len(pages) == 0 {
			return &wire.PullReply{Checkpoint: since, Seq: 10, Definition: 1}, nil
		}
		if n := len(pages); n == 2 || n == 1 {
			if _, err := c.Get(t.Context(), old.ID); err != nil {
				t.Errorf("it is gone before the new cut is whole: %v", err)
			}
		}
		p := pages[0]
		pages = pages[1:]
		return p, nil
	}
	c = newClient(t, f)
	sync(t, c)
	if len(pages) != 3 {
		t.Fatalf("%d pages are left", len(pages))
	}
	sync(t, c)
	if _, err := c.Get(t.Context(), old.ID); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("it is still there: %v", err)
	}
	if _, err := c.Get(t.Context(), kept.ID); err != nil {
		t.Error(err)
	}
	create(t, c, "unsent")
	if st, err := c.Status(t.Context()); err != nil || st.Waiting != 1 {
		t.Errorf("%+v %v", st, err)
	}
}

// Signing out with unsent work is refused, unless it is thrown away on purpose.
func TestLogout(t *testing.T) {
	c := newClient(t, &fake{push: applied})
	create(t, c, "unsent")
	if err := c.Logout(t.Context(), false); landfall.CodeOf(err) != landfall.CodeConflict {
		t.Errorf("got %v", err)
	}
	if err := c.Logout(t.Context(), true); err != nil {
		t.Error(err)
	}
	if _, err := c.Status(t.Context()); landfall.CodeOf(err) != landfall.CodeInvalid {
		t.Errorf("got %v", err)
	}
}

// Stored is not a verdict: the change stays in the view and is offered again.
func TestStored(t *testing.T) {
	f := &fake{push: func(p wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: p.First, Result: landfall.Stored}}}, nil
	}}
	c := newClient(t, f)
	id := create(t, c, "Oslo")
	if r := sync(t, c); r.Waiting != 1 {
		t.Errorf("%+v", r)
	}
	if v, err := c.Get(t.Context(), id); err != nil || v.Pending != 1 {
		t.Errorf("%+v %v", v, err)
	}
	f.push = applied
	if r := sync(t, c); r.Waiting != 0 || r.Sent != 1 {
		t.Errorf("%+v", r)
	}
}

// A group that was not sent is taken back whole; its numbers stay, void.
func TestRevertTakesTheGroup(t *testing.T) {
	f := &fake{push: applied}
	c := newClient(t, f)
	create(t, c, "alone")
	var ids []string
	err := c.Group(t.Context(), func(g *client.Group) error {
		for _, p := range []string{"a", "b"} {
			id, err := g.Create("expense", landfall.Fields{"purpose": landfall.Value(`"` + p + `"`), "amount": landfall.Value(`"1"`)})
			if err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Revert(t.Context(), ids[1]); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if _, err := c.Get(t.Context(), id); landfall.CodeOf(err) != landfall.CodeNotFound {
			t.Errorf("%s is still shown: %v", id, err)
		}
	}
	sync(t, c)
	var ops []landfall.Op
	for _, raw := range f.pushes[0].Mutations {
		var m landfall.Mutation
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		ops = append(ops, m.Op)
	}
	if fmt.Sprint(ops) != "[create void void]" {
		t.Error(ops)
	}
}
