package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/sim"
)

// A campaign says what it did, and with what confidence nothing is wrong.
func TestSimulatedPrint(t *testing.T) {
	var out strings.Builder
	s := &session{out: &out, err: &out, opts: &commands{}}
	r := &sim.Report{Seeds: 3000, Twice: 300, Paired: 300, Steps: 1_800_000, Simulated: 41.5 * 365.25 * 24 * 3600, Took: 1e11, Workers: 2, Faults: map[sim.Fault]int{sim.Clone: 1200}}
	if err := s.simulated(r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"3,000 seeds from 0 (300 of them twice, 300 paired), 1,800,000 steps, 41 years simulated, in 1m40s\n", "9,000 steps/s on each of 2 workers",
		"clone 1,200\n", "faults that no world had: network, partition,", "rare moments: 0 of ", "a cloned device finds that it is a copy (clone × push: forked)\n",
		"less than 1 seed in 1,000 has one (3/3,000)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
	out.Reset()
	for i := range 25 {
		r.Found = append(r.Found, sim.Found{Seed: uint64(i), Violation: sim.Violation{Rule: "lost", Text: "it is\nnowhere"}})
	}
	if err := s.simulated(r); err != nil || !strings.Contains(out.String(), "\n25 VIOLATIONS:\n  seed 0  lost  it is nowhere\n") || !strings.Contains(out.String(), "and 5 more") || strings.Contains(out.String(), "confidence") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestSpan(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0 seconds", 90: "90 seconds", 7200: "2 hours", 3600 * 36: "36 hours", 86400 * 400: "400 days", 86400 * 365.25 * 1500: "1,500 years"} {
		if got := span(seconds); got != want {
			t.Errorf("%v s: %s, want %s", seconds, got, want)
		}
	}
}

// small is a scenario that nothing is wrong with.
func small(t *testing.T) string {
	t.Helper()
	s := sim.Draw(1)
	s.Actions = s.Actions[:5]
	b, err := json.Marshal(&s)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "small.json")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSimReplay(t *testing.T) {
	file := small(t)
	code, out, errs := program(t, "", "sim", "replay", "--file", file, "--trace")
	if code != exitDone || !strings.Contains(out, "the server starts, for the 1. time") || !strings.Contains(out, "no violation") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if code, out, _ := program(t, "", "sim", "replay", "--file", file, "--json"); code != exitDone || !json.Valid([]byte(out)) {
		t.Errorf("exit %d\n%s", code, out)
	}
	for want, args := range map[string][]string{
		"landfall sim replay 213":                  {"sim", "replay"},
		"landfall sim replay 213 ":                 {"sim", "replay", "1", "--file", file},
		"a file says itself":                       {"sim", "replay", "--file", file, "--faults", "clone"},
		"nothing is kept":                          {"sim", "replay", "--file", file, "--keep", "nothing"},
		"--faults: there is no fault \"cloneing\"": {"sim", "replay", "1", "--faults", "cloneing"},
		"can't be used together":                   {"sim", "run", "--faults", "clone", "--without", "tabs"},
		"can't be less than 0":                     {"sim", "run", "--seeds=-1"},
	} {
		if code, _, errs := program(t, "", args...); code != exitUsage || !strings.Contains(errs, strings.TrimSpace(want)) {
			t.Errorf("landfall %s: exit %d, %s", strings.Join(args, " "), code, errs)
		}
	}
}

// The flags that made a world are in the command that makes it again.
func TestSwarmFlags(t *testing.T) {
	f := swarm{Faults: []string{"clone", "tabs"}}
	o, err := f.read()
	if err != nil || len(o.Only) != 2 || f.flags() != " --faults clone,tabs" {
		t.Errorf("%+v, %q: %v", o, f.flags(), err)
	}
	if f := (swarm{Without: []string{"evict"}}); f.flags() != " --without evict" {
		t.Errorf("%q", f.flags())
	}
}
