package inbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// pushedIn pushes mutations of an incarnation.
func pushedIn(t *testing.T, in *Inbox, incarnation, first int64, previous string, mutations ...string) *wire.PushReply {
	t.Helper()
	p := wire.Push{Replica: "phone", Incarnation: incarnation, Clock: in.cfg.Clock(), Protocol: wire.Protocol, Definition: 1, First: first}
	if previous != "" {
		p.PreviousHash = core.Hash([]byte(previous))
	}
	for _, m := range mutations {
		p.Mutations = append(p.Mutations, json.RawMessage(m))
	}
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := offered(t, in, b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// said is a reply in one line.
func said(r *wire.PushReply) string {
	out := strings.Join(results(r), ", ")
	for _, x := range []struct {
		is   bool
		what string
	}{{r.Gap, "; gap"}, {r.Forked, "; forked"}, {r.Behind, "; behind"}} {
		if x.is {
			out += x.what
		}
	}
	return fmt.Sprint(out, "; next ", r.Next)
}

// made is a creation of its own record.
func made(n int64, id rune) string {
	return strings.Replace(creation(n, string(id)), fmt.Sprint(sheet, n), sheet+string(id), 1)
}

// After a restore a copy of the device was first under its numbers. Offered
// again, what the server has is answered as before and the rest is kept beside
// it; offered once more, all of it is answered as before.
func TestOfferedBesideACopy(t *testing.T) {
	in, st := stocked(t, 0)
	first, second, third := made(1, 'a'), made(2, 'b'), made(3, 'c')
	before := pushedIn(t, in, 1, 1, "", first)
	pushedIn(t, in, 1, 2, first, made(2, 'd'), made(3, 'e'), made(4, 'f')) // the copy's
	r := pushedIn(t, in, 1, 1, "", first, second, third)
	if got := said(r); got != "applied, issue fork, issue fork; forked; next 5" || fmt.Sprint(r.Receipts[0]) != fmt.Sprint(before.Receipts[0]) {
		t.Errorf("%s; first %+v, before %+v", got, r.Receipts[0], before.Receipts[0])
	}
	head := headOf(t, st).Seq
	for from, mutations := range [][]string{{first, second, third}, {second, third}, {third}} {
		again := pushedIn(t, in, 1, int64(from)+1, "", mutations...)
		if fmt.Sprint(again.Receipts) != fmt.Sprint(r.Receipts[from:]) || !again.Forked {
			t.Errorf("from %d: %+v, before %+v", from+1, again.Receipts, r.Receipts[from:])
		}
	}
	if n := headOf(t, st).Seq; n != head {
		t.Errorf("repetitions took %d places", n-head)
	}
}

// The device begins an incarnation of which the server does not know that the
// one before was closed: it says that it is behind until it has heard of it.
func TestBehindAnIncarnation(t *testing.T) {
	in, _ := stocked(t, 0)
	ours, copys := made(1, 'a'), made(1, 'b')
	if got := said(pushedIn(t, in, 1, 1, "", copys)); got != "applied; next 2" {
		t.Errorf("in its first incarnation: %s", got)
	}
	second, third := made(1, 'c'), made(2, 'd')
	for _, step := range []struct {
		what        string
		incarnation int64
		first       int64
		previous    string
		mutation    string
		want        string
	}{
		{"later ones first", 2, 2, second, third, "; gap; behind; next 1"},
		{"a new incarnation", 2, 1, "", second, "applied; behind; next 2"},
		{"more of it", 2, 2, second, third, "applied; behind; next 3"},
		{"the copy's, once more", 1, 1, "", copys, "applied; forked; next 3"},
		{"it does not tell", 2, 2, second, third, "applied; behind; next 3"},
		{"what was kept of the first", 1, 1, "", ours, "issue fork; forked; next 3"},
		{"now it does", 2, 2, second, third, "applied; next 3"},
		{"a third, with the second open", 3, 1, "", made(1, 'e'), "applied; behind; next 2"},
	} {
		if got := said(pushedIn(t, in, step.incarnation, step.first, step.previous, step.mutation)); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
	}
}

// A device that only asks gets the receipts of what is here, forks too, and nothing
// is taken in: not what is new, and not what comes after a gap.
func TestOnlyAsked(t *testing.T) {
	in, st := stocked(t, 0)
	first, second := made(1, 'a'), made(2, 'b')
	pushedIn(t, in, 1, 1, "", first, second)
	fork := made(2, 'c')
	pushedIn(t, in, 1, 2, first, fork)
	head := headOf(t, st).Seq
	ask := func(incarnation, from int64, mutations ...string) string {
		p := wire.Push{Replica: "phone", Incarnation: incarnation, Clock: in.cfg.Clock(), Protocol: wire.Protocol, First: from, Asks: true}
		for _, m := range mutations {
			p.Mutations = append(p.Mutations, json.RawMessage(m))
		}
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		r, err := offered(t, in, b)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, rc := range r.Receipts {
			got = append(got, fmt.Sprint(rc.N, " ", rc.Result, rc.Kind))
		}
		return strings.Join(got, ", ")
	}
	for _, x := range []struct {
		what string
		got  string
		want string
	}{
		{"all that is here", ask(1, 1, first, second), "1 applied, 2 applied"},
		{"a fork", ask(1, 2, fork), "2 issuefork"},
		{"what is not", ask(1, 2, made(2, 'd'), made(3, 'e')), ""},
		{"another incarnation", ask(2, 1, made(1, 'f')), ""},
		{"after a gap", ask(2, 5, made(5, 'g')), ""},
	} {
		if x.got != x.want {
			t.Errorf("%s: %q, want %q", x.what, x.got, x.want)
		}
	}
	if n := headOf(t, st).Seq; n != head {
		t.Errorf("questions took %d places", n-head)
	}
	if items, err := in.Items(t.Context(), "w", landfall.Actor{User: "root", Roles: []string{landfall.Administrator}}, store.ItemFilter{}, store.Page{Limit: 9}); err != nil || len(items.Items) != 3 {
		t.Errorf("%d items %v", len(items.Items), err)
	}
}
