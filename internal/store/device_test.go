package store

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestDeviceState(t *testing.T) {
	for _, c := range []struct {
		r        Replica
		state    DeviceState
		deposits bool
		order    string
	}{
		{Replica{Credential: "c"}, Active, false, ""},
		{Replica{Credential: "c", Retiring: true}, Retiring, false, OrderRetire},
		{Replica{Credential: "c", Retiring: true, Blocked: true}, Blocked, true, OrderRetire},
		{Replica{Credential: "c", Blocked: true}, Blocked, true, ""},
		{Replica{Credential: "c", Void: true}, Revoked, true, ""},
		{Replica{Credential: "c", Void: true, Wiping: true, Retiring: true}, Wiping, true, OrderWipe},
		{Replica{Credential: "c", Void: true, WipedAt: noon}, Wiped, true, OrderWipe},
		{Replica{}, Revoked, false, ""}, // its credential is gone: nobody can call with it
	} {
		if c.r.State() != c.state || c.r.Deposits() != c.deposits || c.r.Order() != c.order {
			t.Errorf("%+v: %s %t %q", c.r, c.r.State(), c.r.Deposits(), c.r.Order())
		}
	}
}

// What a device tells replaces what it told before, unless it was only long under
// way. A device that has forgotten what it sent is found once.
func TestReports(t *testing.T) {
	r := &Replica{Incarnation: 2, Next: 6}
	tell := func(after time.Duration, incarnation, made int64, waiting int, obeys string) bool {
		return r.Reports(Report{Clock: noon.Add(after), Incarnation: incarnation, Made: made, Waiting: waiting, Oldest: noon, Client: "c", Obeys: obeys}, noon.Add(after+time.Minute))
	}
	check := func(what string, waiting int, made, in int64, mishaps string) {
		t.Helper()
		var all []string
		for _, m := range r.Mishaps {
			all = append(all, fmt.Sprintf("%s %d:%d-%d", m.What, m.Incarnation, m.From, m.To))
		}
		if r.Waiting != waiting || r.Made != made || r.MadeIn != in || strings.Join(all, ", ") != mishaps {
			t.Errorf("%s: waiting %d, made %d in %d, %v", what, r.Waiting, r.Made, r.MadeIn, all)
		}
	}
	tell(time.Hour, 2, 7, 2, "")
	check("two wait", 2, 7, 2, "")
	if r.Skew != -time.Minute || !r.Oldest.Equal(noon) || !r.Reported.Equal(noon.Add(time.Hour+time.Minute)) {
		t.Errorf("%+v", r)
	}
	tell(59*time.Minute, 2, 3, 0, OrderRetire)
	check("it was long under way", 2, 7, 2, "")
	tell(20*time.Minute, 2, 7, 1, "")
	check("the clock was set back", 1, 7, 2, "")
	tell(21*time.Minute, 2, 3, 0, "")
	check("put back to an earlier time", 0, 3, 2, "restored 2:4-5")
	tell(22*time.Minute, 2, 4, 0, "")
	check("once", 0, 4, 2, "restored 2:4-5")
	tell(23*time.Minute, 3, 2, 2, "")
	check("a later incarnation", 2, 2, 3, "restored 2:4-5")
	tell(24*time.Minute, 1<<50, 9, 2, "")
	check("nonsense", 2, 2, 3, "restored 2:4-5")
	if n, in, after := r.Waits(); n != 2 || in != 3 || after != 0 {
		t.Error(n, in, after)
	}
}

// A device is retired when it knows that it is to be, and has nothing left.
func TestRetiredByReport(t *testing.T) {
	for _, c := range []struct {
		retiring bool
		waiting  int
		obeys    string
		want     bool
	}{{true, 0, OrderRetire, true}, {true, 1, OrderRetire, false}, {true, 0, "", false}, {false, 0, OrderRetire, false}} {
		r := &Replica{Incarnation: 1, Next: 1, Retiring: c.retiring}
		got := r.Reports(Report{Clock: noon, Incarnation: 1, Waiting: c.waiting, Obeys: c.obeys}, noon)
		if got != c.want || r.Blocked != c.want {
			t.Errorf("%+v: %t, blocked %t", c, got, r.Blocked)
		}
		if again := r.Reports(Report{Clock: noon, Incarnation: 1, Waiting: c.waiting, Obeys: c.obeys}, noon); again {
			t.Error("retired twice")
		}
	}
}

// What is kept of mishaps is bounded, and never forgets what is still to be done.
func TestMishapsAreBounded(t *testing.T) {
	r := &Replica{}
	r.Found(Mishap{What: MishapEvicted, From: 1, To: 2, Due: true})
	for n := range int64(3 * mostMishaps) {
		r.Found(Mishap{What: MishapLost, Incarnation: 1, From: 10 * n, To: 10 * n})
		r.Found(Mishap{What: MishapLost, Incarnation: 1, From: 10*n + 1, To: 10*n + 1})
	}
	if len(r.Mishaps) != mostMishaps || !r.Mishaps[0].Due || r.Mishaps[mostMishaps-1].To-r.Mishaps[mostMishaps-1].From != 1 {
		t.Errorf("%d mishaps: %+v", len(r.Mishaps), r.Mishaps)
	}
	for n := range int64(2 * mostPast) {
		r.AddLost(r.Incarnation, 1)
		r.Leave(n + 1)
	}
	if len(r.Past) != mostPast || len(r.Lost) > mostPast+1 {
		t.Errorf("%d incarnations, %d with losses", len(r.Past), len(r.Lost))
	}
}
