package client_test

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// ops are what the changes of a push do.
func ops(t *testing.T, p wire.Push) string {
	t.Helper()
	var out []string
	for _, raw := range p.Mutations {
		_, rest, found := strings.Cut(string(raw), `"op":"`)
		op, _, closed := strings.Cut(rest, `"`)
		if !found || !closed {
			t.Fatalf("no op in %s", raw)
		}
		out = append(out, op)
	}
	return strings.Join(out, " ")
}

// The server was restored to a time before it gave these receipts: the device
// offers the same bytes again, once, with the hash of what the server has last.
func TestOfferedAgain(t *testing.T) {
	f := &fake{push: applied}
	expects := &wire.Expects{Incarnation: 1, Next: 4}
	f.pull = func(string) (*wire.PullReply, error) {
		return &wire.PullReply{Checkpoint: "a", Seq: 10, Definition: 1, Expects: expects}, nil
	}
	c := newClient(t, f)
	for _, p := range []string{"one", "two", "three"} {
		create(t, c, p)
	}
	sync(t, c)
	before := f.pushes[0]
	expects = &wire.Expects{Incarnation: 1, Next: 2, LastHash: core.Hash(before.Mutations[0])}
	restored := f.pushes
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		expects = &wire.Expects{Incarnation: 1, Next: 4}
		return applied(p)
	}
	sync(t, c)
	if len(f.pushes) != len(restored)+1 {
		t.Fatalf("%d pushes after the restore", len(f.pushes)-len(restored))
	}
	p := f.pushes[len(f.pushes)-1]
	if p.First != 2 || len(p.Mutations) != 2 || string(p.Mutations[0]) != string(before.Mutations[1]) || string(p.Mutations[1]) != string(before.Mutations[2]) {
		t.Errorf("offered again: %+v", p)
	}
	if p.Checkpoint != "a" {
		t.Errorf("the push tells of the checkpoint %q", p.Checkpoint)
	}
	sync(t, c)
	if len(f.pushes) != len(restored)+1 {
		t.Error("offered once more, for nothing")
	}
}

// What the device let go of since a backup covered it, and the restored server
// does not have, is declared lost under its number; what its user took back is
// not offered.
func TestLostIsDeclared(t *testing.T) {
	f := &fake{push: applied}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 10, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 3}}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	c := newClient(t, f)
	create(t, c, "covered")
	create(t, c, "covered")
	sync(t, c)
	reply = &wire.PullReply{Checkpoint: "b", Seq: 11, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 4}}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		r := &wire.PushReply{Next: p.First + int64(len(p.Mutations))}
		for i := range p.Mutations {
			r.Receipts = append(r.Receipts, landfall.Receipt{N: p.First + int64(i), Result: landfall.Issued, Seq: 11, Issue: "i", Kind: landfall.KindValidation})
		}
		return r, nil
	}
	id := create(t, c, "refused")
	sync(t, c)
	if err := c.Revert(t.Context(), "i"); err != nil {
		t.Fatal(err)
	}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		r, err := applied(p)
		r.Receipts[0].Seq = 12 // which no backup covers
		return r, err
	}
	reply.Expects = &wire.Expects{Incarnation: 1, Next: 5}
	reply.Checkpoint = "c"
	reply.Outcomes = []landfall.Outcome{{Incarnation: 1, N: 3, Seq: 11, Issue: "i", Settlement: landfall.SettledWithdrawn}}
	sync(t, c)
	reply = &wire.PullReply{Definition: 1, Resync: true, Lost: true, Expects: &wire.Expects{Incarnation: 1, Next: 2, LastHash: "h"}}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		reply = &wire.PullReply{Checkpoint: "d", Seq: 8, KeptThrough: 8, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 5}}
		return applied(p)
	}
	sync(t, c)
	p := f.pushes[len(f.pushes)-1]
	if got := ops(t, p); p.First != 2 || got != "lost void withdraw" || p.PreviousHash != "h" || p.LostThrough != 4 {
		t.Errorf("from %d after %q, lost through %d: %s", p.First, p.PreviousHash, p.LostThrough, got)
	}
	if _, err := c.Get(t.Context(), id); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("what was taken back is shown: %v", err)
	}
}

// What is made while the device still shows lost history is marked, too; what
// is made after the new cut is whole is not.
func TestMadeOnLostHistory(t *testing.T) {
	f := &fake{push: applied}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 10, Definition: 1}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	c := newClient(t, f)
	sync(t, c)
	pushed := func() wire.Push {
		t.Helper()
		create(t, c, "x")
		sync(t, c)
		return f.pushes[len(f.pushes)-1]
	}
	if p := pushed(); p.LostThrough != 0 {
		t.Errorf("nothing was lost: %d", p.LostThrough)
	}
	reply = &wire.PullReply{Resync: true, Lost: true, Definition: 1}
	if worked, err := c.Step(t.Context()); !worked || err != nil {
		t.Fatal(worked, err)
	}
	reply = &wire.PullReply{Checkpoint: "b", Seq: 5, Definition: 1}
	if p := pushed(); p.LostThrough != 2 || p.Checkpoint != "" {
		t.Errorf("while it starts again: %d, %q", p.LostThrough, p.Checkpoint)
	}
	if p := pushed(); p.LostThrough != 0 || p.Checkpoint != "b" {
		t.Errorf("after it: %d, %q", p.LostThrough, p.Checkpoint)
	}
}

// Signing in again keeps the device; somebody else can't.
func TestSignIn(t *testing.T) {
	f := &fake{push: applied}
	c := newClient(t, f)
	create(t, c, "kept")
	f.enrolled = &wire.Enrolled{Replica: "r", Credential: "new", Incarnation: 1, User: "emma"}
	if err := c.SignIn(t.Context(), "code"); err != nil {
		t.Fatal(err)
	}
	if f.asked.Replica != "r" || f.asked.User != "emma" {
		t.Errorf("asked as %+v", f.asked)
	}
	f.enrolled = &wire.Enrolled{Replica: "other", Credential: "x", Incarnation: 1, User: "mara"}
	if err := c.SignIn(t.Context(), "code"); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Error(err)
	}
	if st, err := c.Status(t.Context()); err != nil || st.Waiting != 1 || st.State == client.Synced {
		t.Errorf("%+v %v", st, err)
	}
}
