package client_test

import (
	"fmt"
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
	reply.Checkpoint, reply.Seq = "c", 12
	reply.Outcomes = []landfall.Outcome{{Incarnation: 1, N: 3, Seq: 11, Issue: "i", Settlement: landfall.SettledWithdrawn}}
	sync(t, c)
	reply = &wire.PullReply{Definition: 1, Resync: true, Lost: true, Expects: &wire.Expects{Incarnation: 1, Next: 2, LastHash: "h"}}
	f.push = func(p wire.Push) (*wire.PushReply, error) {
		reply = &wire.PullReply{Checkpoint: "d", Seq: 10, KeptThrough: 8, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 5}}
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
	reply = &wire.PullReply{Checkpoint: "b", Seq: 10, Definition: 1}
	if p := pushed(); p.LostThrough != 2 || p.Checkpoint != "" {
		t.Errorf("while it starts again: %d, %q", p.LostThrough, p.Checkpoint)
	}
	if p := pushed(); p.LostThrough != 0 || p.Checkpoint != "b" {
		t.Errorf("after it: %d, %q", p.LostThrough, p.Checkpoint)
	}
}

// What was made on lost history, and waits behind a verdict until the new cut is whole,
// is marked when it goes.
func TestMadeOnLostHistoryAndSentLater(t *testing.T) {
	f := &fake{push: func(p wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: p.First, Result: landfall.Stored}}}, nil
	}}
	c := newClient(t, f)
	whole := &wire.PullReply{Checkpoint: "b", Seq: 10, Definition: 1}
	f.pull = func(string) (*wire.PullReply, error) {
		f.pull = func(string) (*wire.PullReply, error) { return whole, nil }
		create(t, c, "made while lost history is shown")
		return &wire.PullReply{Resync: true, Lost: true, Definition: 1}, nil
	}
	create(t, c, "waits for its verdict")
	sync(t, c)
	f.push = applied
	sync(t, c)
	if p := f.pushes[len(f.pushes)-1]; len(p.Mutations) != 2 || p.LostThrough != 2 {
		t.Errorf("%d changes are sent, lost through %d", len(p.Mutations), p.LostThrough)
	}
}

// A device that is to begin again shows what it has until the new cut is whole:
// what it sends meanwhile says of which history that is. When that was lost
// meanwhile, what was made on it is marked.
func TestHistoryIsLostBeforeTheNewCut(t *testing.T) {
	f := &fake{push: applied}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 10, Definition: 1}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	c := newClient(t, f)
	sync(t, c)
	step := func(r *wire.PullReply) {
		t.Helper()
		reply = r
		if _, err := c.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	step(&wire.PullReply{Resync: true, Checkpoint: "0", Definition: 1})
	create(t, c, "x")
	step(nil)
	if p := f.pushes[len(f.pushes)-1]; p.Checkpoint != "0" || p.LostThrough != 0 {
		t.Errorf("before the first page: %q, lost through %d", p.Checkpoint, p.LostThrough)
	}
	f.pull = func(since string) (*wire.PullReply, error) {
		if since == "0" {
			return &wire.PullReply{Resync: true, Lost: true, Definition: 1}, nil
		}
		return &wire.PullReply{Checkpoint: "b", Seq: 10, Definition: 1}, nil
	}
	step(nil)
	create(t, c, "y")
	step(nil)
	if p := f.pushes[len(f.pushes)-1]; p.Checkpoint != "" || p.LostThrough != 2 {
		t.Errorf("when it was lost: %q, lost through %d", p.Checkpoint, p.LostThrough)
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

// A copy of the device was first, so the device's change was kept as a fork. The
// server is restored to a time when it had not heard of that: it gets it again,
// whether or not the device is told that what it pulled is lost.
func TestForkOfLostHistory(t *testing.T) {
	for name, pulled := range map[string]bool{"pulled": true, "only pushed": false} {
		t.Run(name, func(t *testing.T) {
			d := newServed(t)
			d.server.copied(1)
			before := d.server.backup()
			d.push("mine")
			if got := d.entries(); got != "1.1 issue fork issue-2" {
				t.Fatal(got)
			}
			for range 2 {
				if pulled {
					sync(t, d.Client)
				}
				d.server.restore(before)
				if got := d.sent(); got != "1: 1-1" {
					t.Errorf("after the restore it sends %q", got)
				}
				d.whole()
			}
		})
	}
}

// After a restore a copy of the device pushed changes of its own under numbers
// that this device has receipts for: those say nothing any more. However many
// the copy pushed, whether or not this device has something to send, and whether
// or not it is told that what it pulled is lost: the server gets all that the
// device has, beside what it has from the copy.
func TestNumbersOfACopy(t *testing.T) {
	for copied := range 5 {
		for _, more := range []bool{false, true} {
			for _, pulled := range []bool{false, true} {
				d := newServed(t)
				d.make("first")
				before := d.server.backup()
				d.push("second", "third")
				if pulled {
					sync(t, d.Client)
				}
				d.server.restore(before)
				d.server.copied(copied)
				if more {
					create(t, d.Client, "fourth")
				}
				sync(t, d.Client)
				d.whole()
				forks := strings.Count(d.entries(), string(landfall.KindFork))
				if want := min(copied, 1) * 2; forks < want || copied == 0 && forks > 0 || !strings.HasPrefix(d.entries(), "1.1 done, ") {
					t.Errorf("after %d of a copy (more: %v, pulled: %v): %s", copied, more, pulled, d.entries())
				}
			}
		}
	}
}

// The copy is found out while the device still has more to send. What was in a push
// keeps its number, since it may have arrived; what it had receipts for before is
// not forgotten; and what is made from now on is of another incarnation.
func TestCopyFoundOutWhileSending(t *testing.T) {
	d := newServed(t)
	d.make("first")
	before := d.server.backup()
	d.push("second", "third")
	d.server.restore(before)
	d.server.copied(3)
	d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
		if p.First > 3 && len(p.Mutations) > 1 {
			return nil, landfall.Errorf(landfall.CodeTooLarge, "one at a time")
		}
		return d.server.push(p)
	}
	create(t, d.Client, "fourth")
	create(t, d.Client, "fifth")
	again := "1: 1-1, 1: 2-2, 1: 3-3, "
	if got := d.sent(); got != "1: 4-5, 1: 4-4, "+again+"1: 5-5, "+again+"1: 4-4, 1: 5-5" {
		t.Errorf("sent %q", got)
	}
	d.whole()
	create(t, d.Client, "sixth")
	if got := d.sent(); got != "2: 1-1" {
		t.Errorf("sent %q", got)
	}
}

// The device had begun another incarnation, and the restored server never knew
// that the one before was closed. It says so with its receipts, or the device
// finds out from a gap or from what is expected: what was kept of the first
// incarnation is offered again, once.
func TestServerBehindAnIncarnation(t *testing.T) {
	for name, c := range map[string]struct {
		old, pending int // of the second incarnation: acknowledged, and not sent yet
		want         string
	}{
		"says so":       {0, 1, "2: 1-1, 1: 1-2"},
		"gap":           {1, 1, "2: 2-2, 1: 1-2, 2: 1-2"},
		"expects":       {1, 0, "1: 1-2, 2: 1-1"},
		"none since":    {0, 0, "1: 1-2"},
		"several of it": {2, 1, "2: 3-3, 1: 1-2, 2: 1-3"},
	} {
		for idle, when := range map[bool]string{false: "", true: ", and it had pulled before"} {
			t.Run(name+when, func(t *testing.T) {
				d := newServed(t)
				d.server.copied(2)
				if idle {
					sync(t, d.Client)
				}
				before := d.server.backup()
				d.push("mine", "mine, too")
				for range c.old {
					d.push("of the second")
				}
				d.server.restore(before)
				for range c.pending {
					create(t, d.Client, "pending")
				}
				if got := d.sent(); got != c.want {
					t.Errorf("sent %q, want %q", got, c.want)
				}
				d.whole()
			})
		}
	}
}

// A server that goes on saying that it is behind hears of the earlier
// incarnations once.
func TestBehindIsAnsweredOnce(t *testing.T) {
	d := newServed(t)
	d.server.copied(1)
	d.make("mine")
	d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
		r, err := d.server.push(p)
		r.Behind = p.Incarnation > 1
		return r, err
	}
	for i, want := range []string{"2: 1-1, 1: 1-1", "2: 2-2", "2: 3-3"} {
		create(t, d.Client, "more")
		if got := d.sent(); got != want {
			t.Errorf("sync %d sent %q, want %q", i+1, got, want)
		}
	}
}

// What the server does have, it answers as before: what was settled stays
// settled, what moved to another issue stays there, and what is open stays open.
func TestAnsweredAsBefore(t *testing.T) {
	for name, slow := range map[string]bool{"at once": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			d := newServed(t)
			d.server.refuse = func(n int64) landfall.Kind {
				return map[int64]landfall.Kind{1: landfall.KindValidation, 2: landfall.KindDuplicate, 3: landfall.KindField}[n]
			}
			d.make("settled", "moved", "open", "applied")
			d.server.settle(1, 1, landfall.SettledKept, "")
			d.server.settle(1, 2, landfall.SettledMoved, "another")
			sync(t, d.Client)
			before, was := d.server.backup(), d.entries()
			if was != "1.1 done validation issue-1 kept, 1.2 issue  another moved, 1.3 issue field-conflict issue-3, 1.4 done" {
				t.Fatal(was)
			}
			d.make("lost")
			d.server.restore(before)
			d.server.copied(1)
			if slow { // the first answer to each push is only that it is stored
				heard := map[string]bool{}
				d.fake.push = func(p wire.Push) (*wire.PushReply, error) {
					r, err := d.server.push(p)
					if at := fmt.Sprint(p.Incarnation, p.First); !heard[at] {
						heard[at] = true
						for i := range r.Receipts {
							r.Receipts[i] = landfall.Receipt{N: r.Receipts[i].N, Result: landfall.Stored}
						}
						r.Forked, r.Behind = false, false
					}
					return r, err
				}
			}
			for range 3 {
				sync(t, d.Client)
			}
			if got := d.entries(); !strings.HasPrefix(got, was+", 1.5 issue fork") {
				t.Errorf("the device says %q\nbefore it was    %q", got, was)
			}
			d.whole()
		})
	}
}

// What is offered again names the change before, though the device has let go of it.
func TestNamesTheOneBeforeThatIsGone(t *testing.T) {
	f := &fake{push: applied}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 10, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 2}}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	c := newClient(t, f)
	create(t, c, "covered")
	sync(t, c)
	f.push = func(wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 3, Receipts: []landfall.Receipt{{N: 2, Result: landfall.Issued, Seq: 11, Issue: "i", Kind: landfall.KindValidation}}}, nil
	}
	reply = &wire.PullReply{Checkpoint: "b", Seq: 10, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 3}}
	create(t, c, "refused")
	sync(t, c)
	lost := *reply
	lost.Resync, lost.Lost, lost.Checkpoint = true, true, ""
	reply = &lost
	f.push = func(wire.Push) (*wire.PushReply, error) {
		reply = &wire.PullReply{Checkpoint: "c", Seq: 10, KeptThrough: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 3}}
		return &wire.PushReply{Next: 3, Receipts: []landfall.Receipt{{N: 2, Result: landfall.Issued, Seq: 11, Issue: "j", Kind: landfall.KindValidation}}}, nil
	}
	before := len(f.pushes)
	sync(t, c)
	if len(f.pushes) != before+1 {
		t.Fatalf("%d pushes after the loss", len(f.pushes)-before)
	}
	if p := f.pushes[before]; p.First != 2 || p.PreviousHash != core.Hash(f.pushes[0].Mutations[0]) {
		t.Errorf("from %d after %q", p.First, p.PreviousHash)
	}
}

// A doubted change that is answered again takes nothing back of what came after
// it: when the server is restored to before that, it is offered, too.
func TestDoubtIsNoStepBack(t *testing.T) {
	d := newServed(t)
	d.server.refuse = func(n int64) landfall.Kind {
		if n == 1 {
			return landfall.KindValidation
		}
		return ""
	}
	d.make("refused")
	early := d.server.backup()
	d.make("two", "three")
	later := d.server.backup()
	d.server.seq++
	sync(t, d.Client)
	d.server.restore(later) // the issue is doubted and answered, and all is there
	sync(t, d.Client)
	d.server.restore(early)
	before := len(d.fake.pushes)
	sync(t, d.Client)
	last := d.fake.pushes[len(d.fake.pushes)-1]
	if len(d.fake.pushes) == before || d.server.next != 4 {
		t.Errorf("the server expects %d after %d pushes, the last from %d", d.server.next, len(d.fake.pushes)-before, last.First)
	}
}

// A receipt whose place is beyond all that the server has is of a history that was
// lost: the change is asked for again, once, and ends its wait.
func TestReceiptBeyondTheHead(t *testing.T) {
	f := &fake{}
	reply := &wire.PullReply{Checkpoint: "a", Seq: 10, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 2}}
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	seq := int64(20)
	f.push = func(wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Applied, Seq: seq}}}, nil
	}
	c := newClient(t, f)
	id := create(t, c, "one")
	sync(t, c)
	if len(f.pushes) != 2 {
		t.Fatalf("%d pushes: a receipt beyond the head is asked for again once", len(f.pushes))
	}
	reply = &wire.PullReply{Checkpoint: "b", Seq: 12, Definition: 1, Expects: reply.Expects}
	sync(t, c)
	if len(f.pushes) != 2 {
		t.Errorf("%d pushes: the same receipt is not asked for once more", len(f.pushes))
	}
	seq = 11 // as the server has it, where another receipt was told
	reply = &wire.PullReply{Resync: true, Lost: true, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 1}}
	f.push = func(wire.Push) (*wire.PushReply, error) {
		reply = &wire.PullReply{Checkpoint: "c", Seq: 12, Definition: 1, Expects: &wire.Expects{Incarnation: 1, Next: 2}}
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Applied, Seq: seq}}}, nil
	}
	sync(t, c)
	if v, err := c.Get(t.Context(), id); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("the server's copy was not pulled, and the change still waits: %+v %v", v, err)
	}
}

// A server that was restored says anew how a change ended, at an earlier place than
// it said before: what it says now is what is true.
func TestEndedAnewAfterRestore(t *testing.T) {
	f := &fake{}
	seen := &wire.Expects{Incarnation: 1, Next: 2}
	page := func(checkpoint string, seq int64, outcomes ...landfall.Outcome) *wire.PullReply {
		return &wire.PullReply{Checkpoint: checkpoint, Seq: seq, Definition: 1, Expects: seen, Outcomes: outcomes}
	}
	issue := func(id, status string) wire.Pulled {
		return wire.Pulled{Seq: 15, Type: landfall.IssueType, ID: id, Record: &landfall.Record{Type: landfall.IssueType, ID: id, Version: 15, Status: status, Fields: landfall.Fields{}}}
	}
	reply := page("a", 15)
	f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
	f.push = func(wire.Push) (*wire.PushReply, error) {
		return &wire.PushReply{Next: 2, Receipts: []landfall.Receipt{{N: 1, Result: landfall.Issued, Seq: 15, Issue: "first", Waiting: true}}}, nil
	}
	c := newClient(t, f)
	create(t, c, "one")
	sync(t, c)
	reply = page("b", 19, landfall.Outcome{Incarnation: 1, N: 1, Seq: 19, Settlement: landfall.SettledMoved, Issue: "second", Kind: landfall.KindValidation})
	reply.Changes = []wire.Pulled{issue("second", landfall.IssueOpen)}
	sync(t, c)

	f.pull = func(string) (*wire.PullReply, error) {
		f.pull = func(string) (*wire.PullReply, error) { return reply, nil }
		return &wire.PullReply{Resync: true, Lost: true, Definition: 1, Expects: seen}, nil
	}
	reply = page("c", 15)
	reply.Changes = []wire.Pulled{issue("first", landfall.IssueOpen)}
	if r := sync(t, c); r.Attention != 1 {
		t.Fatalf("after the restore %d need attention: it waits in the first issue", r.Attention)
	}
	reply = page("d", 18, landfall.Outcome{Incarnation: 1, N: 1, Seq: 18, Settlement: landfall.SettledKept})
	reply.Changes = []wire.Pulled{issue("first", landfall.IssueResolved)}
	if r := sync(t, c); r.Attention != 0 {
		t.Errorf("%d still need attention, though the server says how it ended", r.Attention)
	}
}

// What a copy of the device has delivered keeps its number and its receipt: where
// another copy has closed the incarnation meanwhile, the device asks before it makes
// anything again in a new one.
func TestDeliveredByACopy(t *testing.T) {
	d := newServed(t)
	d.server.refuse = func(n int64) landfall.Kind {
		if n == 1 {
			return landfall.KindValidation
		}
		return ""
	}
	d.make("refused", "applied")
	backup := d.server.backup()
	d.server.seq++ // others work, and the device hears of it
	sync(t, d.Client)
	d.server.restore(backup)
	online := d.fake.push
	d.fake.push = func(wire.Push) (*wire.PushReply, error) {
		return nil, landfall.Errorf(landfall.CodeUnavailable, "cut")
	}
	if _, err := d.Sync(t.Context(), nil); err == nil {
		t.Fatal("it has nothing to offer again")
	}
	create(t, d.Client, "delivered by a copy")
	create(t, d.Client, "delivered by nobody")
	all := d.outbox()
	d.server.take(all[len(all)-2].Hash)
	d.server.closed = 1
	before := d.server.seq
	d.fake.push = online
	if got, want := d.sent(), "1: 1-1, 1: 3-4, 1: 3-3, 2: 1-1"; got != want {
		t.Errorf("sent %q, want %q: again what is doubted, what it asks, what the copy delivered, and the rest anew", got, want)
	}
	if taken := d.server.seq - before; taken != 1 {
		t.Errorf("%d changes took effect; one is new to the server", taken)
	}
	d.whole()
}

// A change was applied; the server lost that, had it landed from an export, and the
// issue that it became was decided before the device asked again. What it hears then
// is the first word on it, which the outcome that it pulled before has overtaken.
func TestOutcomeOvertakesTheReceiptOfALanding(t *testing.T) {
	d := newServed(t)
	d.server.seq++
	before := d.server.backup()
	d.make("one")
	d.server.restore(before)
	d.server.refuse = func(int64) landfall.Kind { return landfall.KindAuthorization }
	d.server.take(d.outbox()[0].Hash)
	d.server.settle(1, 1, landfall.SettledApplied, "")
	kept := d.server.seq - 1
	d.fake.pull = func(since string) (*wire.PullReply, error) {
		r, err := d.server.pull(since)
		r.KeptThrough = kept
		return r, err
	}
	sync(t, d.Client)
	if got, want := d.entries(), "1.1 done authorization issue-2 applied"; got != want {
		t.Errorf("the device says %q, want %q", got, want)
	}
	d.whole()
}

// What was taken back before it was sent, and kept as a fork, is offered again as it
// is: the page that asks for it may say, too, how its issue ended.
func TestVoidKeptAsAForkEnds(t *testing.T) {
	d := newServed(t)
	create(t, d.Client, "one")
	if err := d.Revert(t.Context(), create(t, d.Client, "taken back")); err != nil {
		t.Fatal(err)
	}
	d.server.copied(1) // which has used the first number alone
	d.fake.pull = func(string) (*wire.PullReply, error) {
		return nil, landfall.Errorf(landfall.CodeUnavailable, "cut")
	}
	if _, err := d.Sync(t.Context(), nil); err == nil {
		t.Fatal("it was not cut off")
	}
	forks := d.outbox()
	for _, e := range forks {
		d.server.settle(1, e.N, landfall.SettledApplied, e.Issue)
	}
	d.fake.pull = d.server.pull
	sync(t, d.Client)
	if got, want := d.entries(), "1.1 done fork "+forks[0].Issue+" applied, 1.2 done fork "+forks[1].Issue+" applied"; got != want {
		t.Errorf("the device says %q, want %q", got, want)
	}
}

// How a change ended may be pulled before the receipt that says that it is of this
// change: the server had lost it, got it again by another way, and somebody decided.
// What another change under its number came to is not taken for it.
func TestOutcomeBeforeItsReceipt(t *testing.T) {
	for name, expects := range map[string]wire.Expects{
		"the number is expected": {Incarnation: 1, Next: 1},
		"it is doubted":          {Incarnation: 2, Next: 1},
	} {
		t.Run(name, func(t *testing.T) {
			seen := &wire.Expects{Incarnation: 1, Next: 2}
			issue := "lost"
			reply := &wire.PullReply{Checkpoint: "a", Seq: 9, Definition: 1, Expects: seen}
			f := &fake{}
			f.push = func(p wire.Push) (*wire.PushReply, error) {
				r := &wire.PushReply{Next: 2}
				for range p.Mutations {
					reply.Expects = seen
					r.Receipts = append(r.Receipts, landfall.Receipt{N: 1, Result: landfall.Issued, Issue: issue, Kind: landfall.KindFork, Seq: 9})
				}
				return r, nil
			}
			f.pull = func(string) (*wire.PullReply, error) {
				told := *reply
				reply.Outcomes, reply.NewEpoch = nil, false
				return &told, nil
			}
			c := newClient(t, f)
			create(t, c, "one")
			sync(t, c)
			issue = "landed"
			end := func(issue string, how landfall.Settlement) landfall.Outcome {
				return landfall.Outcome{Incarnation: 1, N: 1, Seq: 12, Settlement: how, Issue: issue}
			}
			reply = &wire.PullReply{
				Checkpoint: "b", Seq: 12, Definition: 1, NewEpoch: true, Expects: &expects,
				Outcomes: []landfall.Outcome{end(issue, landfall.SettledApplied), end("another", landfall.SettledKept)},
			}
			sync(t, c)
			log, err := c.Log(t.Context())
			if err != nil || len(log) != 1 || log[0].Settlement != landfall.SettledApplied || log[0].State != landfall.IssueResolved {
				t.Errorf("%+v %v", log, err)
			}
		})
	}
}
