package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

const sheet = "0198c3ac-0000-7000-8000-00000000000"

// creation is a mutation that creates an expense.
func creation(n int64, purpose string) string {
	return fmt.Sprintf(`{"n":%d,"op":"create","type":"expense","id":"%s%d","set":{"purpose":%q,"amount":"120","owner":"emma"},"base":{"version":0},"made_at":"2026-03-01T08:00:00Z"}`, n, sheet, n, purpose)
}

func body(t *testing.T, first int64, mutations ...string) []byte {
	t.Helper()
	p := wire.Push{Replica: "phone", Incarnation: 1, Clock: time.Now(), Protocol: wire.Protocol, First: first}
	for _, m := range mutations {
		p.Mutations = append(p.Mutations, json.RawMessage(m))
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var phone = Device{Replica: "phone", Actor: landfall.Actor{User: "emma"}}

// work steps the inbox until it is told to stop.
func work(t *testing.T, in *Inbox) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-in.Offered():
				for worked := true; worked; {
					var err error
					if worked, err = in.Step(ctx); err != nil && ctx.Err() == nil {
						worked = false
					}
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

func results(r *wire.PushReply) (out []string) {
	for _, x := range r.Receipts {
		s := string(x.Result)
		if x.Kind != "" {
			s += " " + string(x.Kind)
		}
		out = append(out, s)
	}
	return out
}

// The same push, offered many times in the same instant, gets the same receipts
// and takes effect once.
func TestSamePushAtOnce(t *testing.T) {
	in, st := stocked(t, 0)
	defer work(t, in)()
	b := body(t, 1, creation(1, "one"), creation(2, "two"), `{"n":3,"op":"create","op":"create"}`)
	replies := make([]string, 8)
	var wg sync.WaitGroup
	for i := range replies {
		wg.Go(func() {
			r, err := in.Push(t.Context(), "w", phone, b)
			if err != nil {
				t.Error(err)
				return
			}
			text, err := json.Marshal(r.Receipts)
			if err != nil {
				t.Error(err)
			}
			replies[i] = string(text)
		})
	}
	wg.Wait()
	for _, r := range replies[1:] {
		if r != replies[0] || !strings.Contains(r, "malformed") {
			t.Errorf("%s\n%s", r, replies[0])
		}
	}
	head := headOf(t, st)
	if head.Seq != 3 {
		t.Errorf("%d verdicts were committed, want 3", head.Seq)
	}
}

func headOf(t *testing.T, st store.Store) (h *store.Head) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) (err error) {
		h, err = r.Head("w")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Captured and not judged when the server dies: the next one judges it, and the
// device gets the receipts when it asks again.
func TestCrashBetweenCaptureAndVerdict(t *testing.T) {
	in, st := stocked(t, 0)
	broken := &failing{Store: st, after: 1} // captures, and fails to judge
	first := New(withStore(in.cfg, broken))
	first.cfg.Patience, first.cfg.Unclean = time.Nanosecond, true
	b := body(t, 1, creation(1, "one"))
	done := make(chan error, 1)
	go func() {
		_, err := first.Push(t.Context(), "w", phone, b)
		done <- err
	}()
	<-first.Offered()
	if _, err := first.Step(t.Context()); err == nil {
		t.Fatal("the store's trouble was kept from the caller")
	}
	if err := <-done; err != nil && landfall.CodeOf(err) != landfall.CodeBusy {
		t.Errorf("neither stored nor busy: %v", err)
	}
	if n := headOf(t, st).Seq; n != 0 {
		t.Fatalf("%d verdicts were committed", n)
	}
	if l, err := in.Items(t.Context(), "w", landfall.Actor{User: "emma"}, store.ItemFilter{}, store.Page{Limit: 9}); err != nil || len(l.Items) != 1 || l.Items[0].State != string(store.Queued) {
		t.Errorf("captured items are shown as queued: %+v %v", l, err)
	}
	second := New(in.cfg)
	if worked, err := second.Step(t.Context()); !worked || err != nil {
		t.Fatalf("%v %v", worked, err)
	}
	r, err := offered(t, second, b)
	if err != nil || results(r)[0] != "applied" || r.Next != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

func withStore(c Config, s store.Store) Config {
	c.Store = s
	return c
}

// failing is a store whose updates fail after some, or that refuses an item.
type failing struct {
	store.Store
	after  int // updates that succeed; -1: all
	poison string
}

var errDisk = errors.New("the disk is full")

func (f *failing) Update(ctx context.Context, do func(store.Writer) error) error {
	if f.after == 0 {
		return errDisk
	}
	if f.after > 0 {
		f.after--
	}
	return f.Store.Update(ctx, func(w store.Writer) error { return do(&picky{w, f.poison}) })
}

// picky refuses changes of one record.
type picky struct {
	store.Writer
	poison string
}

func (p *picky) AddChange(ws string, c *landfall.Change) error {
	if c.ID == p.poison {
		return errDisk
	}
	return p.Writer.AddChange(ws, c)
}

// What can't be captured is not acknowledged, and nothing of it is stored.
func TestCaptureFails(t *testing.T) {
	in, st := stocked(t, 0)
	in.cfg.Store = &failing{Store: st}
	done := make(chan error, 1)
	go func() {
		_, err := in.Push(t.Context(), "w", phone, body(t, 1, creation(1, "one")))
		done <- err
	}()
	<-in.Offered()
	if _, err := in.Step(t.Context()); !errors.Is(err, errDisk) {
		t.Errorf("step: %v", err)
	}
	if err := <-done; landfall.CodeOf(err) != landfall.CodeUnavailable || !errors.Is(err, errDisk) {
		t.Errorf("push: %v", err)
	}
}

// One mutation that the database refuses becomes an issue of its own; those
// beside it, of the same and of other devices, are applied.
func TestPoisonousMutation(t *testing.T) {
	in, st := stocked(t, 0)
	in.cfg.Store = &failing{Store: st, after: -1, poison: sheet + "2"}
	r := pushed(t, in, 1, "", creation(1, "one"), creation(2, "poison"), creation(3, "three"))
	if got := strings.Join(results(r), ", "); got != "applied, issue internal, applied" {
		t.Error(got)
	}
	again := pushed(t, in, 1, "", creation(1, "one"), creation(2, "poison"), creation(3, "three"))
	if fmt.Sprint(again.Receipts) != fmt.Sprint(r.Receipts) {
		t.Errorf("%v\n%v", again.Receipts, r.Receipts)
	}
}

// A broken push is refused whole, with the place; a gap stores nothing; another
// device's push is not taken.
func TestPushesThatAreNotTaken(t *testing.T) {
	in, st := stocked(t, 0)
	for name, c := range map[string]struct {
		body []byte
		code landfall.Code
	}{
		"not JSON":       {[]byte(`{"replica":"phone","mutations":[{]}`), landfall.CodeInvalid},
		"cut":            {body(t, 1, creation(1, "one"))[:50], landfall.CodeInvalid},
		"another device": {[]byte(strings.Replace(string(body(t, 1, creation(1, "one"))), `"phone"`, `"tablet"`, 1)), landfall.CodeForbidden},
		"from zero":      {body(t, 0, creation(1, "one")), landfall.CodeInvalid},
		"beyond numbers": {body(t, mostNumber+1, creation(1, "one")), landfall.CodeInvalid},
		"too many":       {body(t, 1, slices.Repeat([]string{"1"}, in.cfg.Limits.Batch+1)...), landfall.CodeTooLarge},
		"too large":      {body(t, 1, `"`+strings.Repeat("x", int(in.cfg.Limits.Body))+`"`), landfall.CodeTooLarge},
	} {
		if _, err := offered(t, in, c.body); landfall.CodeOf(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := offered(t, in, body(t, 5, creation(5, "five")))
	if err != nil || !r.Gap || r.Next != 1 || len(r.Receipts) != 0 {
		t.Errorf("%+v %v", r, err)
	}
	if n := headOf(t, st).Seq; n != 0 {
		t.Errorf("%d verdicts were committed", n)
	}
}

// An incomplete group is no group: each member is kept as an issue.
func TestIncompleteGroup(t *testing.T) {
	in, _ := stocked(t, 0)
	member := func(n int64) string {
		return strings.Replace(creation(n, "member"), `"base"`, `"group":{"id":"g","of":3},"base"`, 1)
	}
	r := pushed(t, in, 1, "", member(1), member(2))
	if got := strings.Join(results(r), ", "); got != "issue malformed, issue malformed" {
		t.Error(got)
	}
}

// A disabled user's device can hand in; it all becomes issues.
func TestDisabledUserDeposits(t *testing.T) {
	in, st := stocked(t, 0)
	err := st.Update(t.Context(), func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "emma", Roles: []string{"employee"}, Disabled: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := results(pushed(t, in, 1, "", creation(1, "one")))[0]; got != "issue authorization" {
		t.Error(got)
	}
}

// Whoever holds a device that was blocked, or the device of somebody who is
// disabled, can't end an issue, nor make another one of it: it stays with those who
// decide it. What amends it waits there.
func TestDepositsSettleNothing(t *testing.T) {
	const made = `,"made_at":"2026-03-01T08:00:00Z"}`
	block := func(w store.Writer) error {
		d, err := w.Replica("w", "phone")
		if err != nil {
			return err
		}
		d.Blocked = true
		return w.PutReplica("w", d)
	}
	disable := func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "emma", Roles: []string{"employee"}, Disabled: true})
	}
	for name, lock := range map[string]func(store.Writer) error{"blocked": block, "disabled": disable} {
		t.Run(name, func(t *testing.T) {
			in, st := stocked(t, 0)
			id := pushed(t, in, 1, "", invalid1(1)).Receipts[0].Issue
			before := issueOf(t, st, id)
			update(t, st, lock)
			r := pushed(t, in, 2, core.Hash([]byte(invalid1(1))),
				`{"n":2,"op":"withdraw","issue":"`+id+`"`+made,
				`{"n":3,"op":"update","type":"expense","id":"`+sheet+`1","set":{"amount":"7"},"base":{"version":0,"after":1,"was":{"amount":"-1"}},"amends":{"issue":"`+id+`","version":1}`+made)
			if got := strings.Join(results(r), ", "); got != "applied, issue" || r.Receipts[0].Note == "withdrawn" || !r.Receipts[1].Waiting || r.Receipts[1].Issue != id {
				t.Errorf("%s %+v", got, r.Receipts)
			}
			after := issueOf(t, st, id)
			if !reflect.DeepEqual(after.Issue, before.Issue) {
				t.Errorf("before %+v, after %+v", before.Issue, after.Issue)
			}
			if rec, _ := recordOf(t, st, sheet+"1"); rec != nil {
				t.Errorf("%+v", rec)
			}
		})
	}
}

// At the desk a refusal stores nothing, and says which field and why.
func TestDesk(t *testing.T) {
	in, st := stocked(t, 0)
	emma := landfall.Actor{User: "emma"}
	_, err := in.Do(t.Context(), "w", emma, wire.Do{Op: landfall.OpCreate, Type: "expense", Set: landfall.Fields{"purpose": landfall.Value(`"Oslo"`), "amount": landfall.Value(`"-1"`)}})
	for _, do := range []wire.Do{
		{Op: landfall.OpCreate, Type: "expense", ID: "foo/bar ../x"},
		{Op: landfall.OpCreate, Type: "expense", Set: landfall.Fields{"purpose": landfall.Value(`"` + strings.Repeat("x", in.cfg.Limits.Mutation) + `"`)}},
		{Op: landfall.OpCreate, Type: "expense", Set: landfall.Fields{"notes": landfall.Value(strings.Repeat("[", 99) + strings.Repeat("]", 99))}},
	} {
		if _, err := in.Do(t.Context(), "w", emma, do); landfall.CodeOf(err) != landfall.CodeInvalid {
			t.Errorf("taken at the desk: %v", err)
		}
	}
	e := (*landfall.Error)(nil)
	if !errors.As(err, &e) || e.Code != landfall.CodeRefused || len(e.Messages) != 1 || e.Messages[0].Field != "amount" {
		t.Errorf("%+v", err)
	}
	if n := headOf(t, st).Seq; n != 0 {
		t.Errorf("%d verdicts were committed", n)
	}
	done, err := in.Do(t.Context(), "w", emma, wire.Do{Op: landfall.OpCreate, Type: "expense", Set: landfall.Fields{"purpose": landfall.Value(`"Oslo"`), "amount": landfall.Value(`"1"`)}})
	if err != nil || done.Record.Version != 1 || string(done.Record.Fields["owner"]) != `"emma"` {
		t.Fatalf("%+v %v", done, err)
	}
	l, err := in.Items(t.Context(), "w", emma, store.ItemFilter{Replica: "desk:emma"}, store.Page{Limit: 9})
	if err != nil || len(l.Items) != 1 || l.Items[0].State != string(store.Completed) {
		t.Errorf("%+v %v", l, err)
	}
}

// Nobody sees what others handed in, but administrators; and those not its
// parameters, unless they may see the record.
func TestItemsAreSeenByWhoMay(t *testing.T) {
	in, _ := stocked(t, 0)
	pushed(t, in, 1, "", creation(1, "one"))
	for _, c := range []struct {
		actor  landfall.Actor
		items  int
		hidden bool
	}{
		{landfall.Actor{User: "emma"}, 1, false},
		{landfall.Actor{User: "otto", Roles: []string{"employee"}}, 0, false},
		{landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}, 1, true},
		{landfall.Actor{User: "ada", Roles: []string{landfall.Administrator, "manager"}}, 1, false},
	} {
		l, err := in.Items(t.Context(), "w", c.actor, store.ItemFilter{}, store.Page{Limit: 9})
		if err != nil || len(l.Items) != c.items {
			t.Errorf("%s sees %d items: %v", c.actor.User, len(l.Items), err)
			continue
		}
		if c.items > 0 && (l.Items[0].Hidden != c.hidden || (l.Items[0].Sent == "") != c.hidden) {
			t.Errorf("%s %v: %+v", c.actor.User, c.actor.Roles, l.Items[0])
		}
		if _, err := in.Item(t.Context(), "w", c.actor, "phone.1.1"); (err == nil) != (c.items > 0) {
			t.Errorf("%s: %v", c.actor.User, err)
		}
	}
}

// A group of which a part came before: that part has its receipts, the rest is
// kept as issues, and the same push gets the same answer again.
func TestGroupThatWasDivided(t *testing.T) {
	in, _ := stocked(t, 0)
	member := func(n int64) string {
		return strings.Replace(creation(n, "member"), `"base"`, `"group":{"id":"g","of":3},"base"`, 1)
	}
	first := pushed(t, in, 1, "", member(1), member(2))
	whole := pushed(t, in, 1, "", member(1), member(2), member(3))
	if fmt.Sprint(whole.Receipts[:2]) != fmt.Sprint(first.Receipts) || whole.Receipts[2].Kind != landfall.KindMalformed || whole.Next != 4 {
		t.Errorf("%+v", whole)
	}
	if again := pushed(t, in, 1, "", member(1), member(2), member(3)); fmt.Sprint(again.Receipts) != fmt.Sprint(whole.Receipts) {
		t.Errorf("%+v", again)
	}
}

// What is void is no member of a group, whatever it says, and takes nobody with it.
func TestVoidTakesNobodyWithIt(t *testing.T) {
	in, _ := stocked(t, 0)
	group := `"group":{"id":"g","of":2}`
	r := pushed(t, in, 1, "", `{"n":1,"op":"void",`+group+`,"made_at":"2026-03-01T08:00:00Z"}`, strings.Replace(creation(2, "real"), `"base"`, group+`,"base"`, 1))
	if got := strings.Join(results(r), ", "); got != "issue malformed, issue malformed" && got != "applied, issue malformed" {
		t.Error(got)
	}
}
