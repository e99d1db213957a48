package sim

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fake is a run that takes no time.
func fake(_ context.Context, s *Scenario, _ Options) *Result {
	return &Result{Scenario: *s, Steps: 10, Simulated: time.Hour, Digest: s.Seed, Met: map[string]int{"push: forked": 2}}
}

// Each seed is played once, and each tenth twice, however many workers there are.
func TestCampaign(t *testing.T) {
	var mu sync.Mutex
	played := map[uint64]int{}
	c := Campaign{From: 5, Seeds: 40, Workers: 4, alone: true, play: func(ctx context.Context, s *Scenario, o Options) *Result {
		mu.Lock()
		defer mu.Unlock()
		played[s.Seed]++
		r := fake(ctx, s, o)
		if s.Seed == 17 || s.Seed == 9 {
			r.Violations = []Violation{{Rule: "lost", Text: "it is nowhere"}, {Rule: "twice"}}
		}
		if s.Seed == 30 {
			r.Digest += uint64(played[s.Seed])
		}
		return r
	}}
	r := c.Run(t.Context())
	for seed := uint64(5); seed < 45; seed++ {
		want := 1
		if seed%10 == 0 {
			want = 2
		}
		if played[seed] != want {
			t.Errorf("seed %d was played %d times", seed, played[seed])
		}
	}
	if r.Seeds != 40 || r.Twice != 4 || r.Steps != 400 || r.Simulated != 40*3600 || r.Met["push: forked"] != 80 || len(played) != 40 {
		t.Errorf("%+v", r)
	}
	if len(r.Found) != 3 || r.Found[0].Seed != 9 || r.Found[1].Rule != "lost" || r.Found[2].Seed != 30 || r.Found[2].Rule != RuleDeterminism {
		t.Errorf("found %+v", r.Found)
	}
	if r.Bound() != 1 {
		t.Error("with violations, something is excluded")
	}
}

func TestBound(t *testing.T) {
	r := Campaign{Seeds: 300, alone: true, play: fake}.Run(t.Context())
	if got := r.Bound(); got != 0.01 {
		t.Errorf("300 clean seeds exclude more than %v", got)
	}
	if got := (&Report{Seeds: 2}).Bound(); got != 1 {
		t.Errorf("2 clean seeds exclude more than %v", got)
	}
}

// An interrupt ends what would begin; what has begun counts.
func TestCampaignInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var n atomic.Int64
	r := Campaign{Workers: 2, alone: true, play: func(c context.Context, s *Scenario, o Options) *Result {
		if n.Add(1) == 25 {
			cancel()
		}
		if c.Err() != nil {
			t.Error("a run is interrupted in its middle")
		}
		return fake(c, s, o)
	}}.Run(ctx)
	if r.Seeds < 20 || r.Seeds > 26 || r.Steps != int64(10*r.Seeds) {
		t.Errorf("%d seeds are known, with %d steps", r.Seeds, r.Steps)
	}
}

// When its time is over, nothing begins.
func TestCampaignEndsInTime(t *testing.T) {
	r := Campaign{Time: 1, Workers: 1, alone: true, play: fake}.Run(t.Context())
	if r.Seeds > 1 {
		t.Errorf("%d seeds in a nanosecond", r.Seeds)
	}
}

func TestCampaignTellsProgress(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	told := false
	r := Campaign{Every: time.Millisecond, alone: true, play: fake, Progress: func(r *Report) {
		if r.Seeds > 0 {
			told = true
			cancel()
		}
	}}.Run(ctx)
	if !told || r.Seeds == 0 || r.Rate() <= 0 {
		t.Errorf("told: %v, %d seeds", told, r.Seeds)
	}
}

// A panic is a violation of its seed, and says where it came from, also when it
// crosses a routine. Nobody else is hurt.
func TestCampaignMeetsPanic(t *testing.T) {
	r := Campaign{Seeds: 12, play: func(ctx context.Context, s *Scenario, o Options) *Result {
		if s.Seed == 3 {
			s.Actions = append(s.Actions, Action{Do: "explode"})
		}
		return Try(ctx, s, o)
	}}.Run(t.Context())
	var seen *Found
	for i := range r.Found {
		if r.Found[i].Seed == 3 {
			seen = &r.Found[i]
		}
	}
	if r.Seeds != 12 || r.Twice != 2 || r.Paired != 1 || seen == nil || seen.Rule != RulePanic || !strings.Contains(seen.Text, "sim.(*world).act (play.go:") {
		t.Errorf("%d seeds: %+v", r.Seeds, seen)
	}
}

func TestPanicOfRoutine(t *testing.T) {
	defer func() {
		if p, ok := recover().(panicked); !ok || !strings.Contains(p.where, "sim.explode (campaign_test.go:") {
			t.Errorf("%+v", p)
		}
	}()
	c := newClockwork(nil)
	c.start("somebody", func() {
		defer func() {
			if p := recover(); p != nil {
				panic(p) // as those do that look for a crash of their own
			}
		}()
		c.sleep(time.Second)
		explode(nil)
	})
	for c.step() {
	}
}

//go:noinline
func explode(m map[string]int) { m["too far"]++ }

// The two sides of the switches: exactly some faults, and all but some.
func TestSwarm(t *testing.T) {
	faults, err := Faults([]string{"network", " clone"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[Fault]bool{}
	for seed := range uint64(30) {
		only := Swarm{Only: faults}.Draw(seed)
		if !only.Conf.has(Network) || !only.Conf.has(Clone) || len(only.Conf.Faults) != 2 || only.Conf.Network == (Trouble{}) {
			t.Errorf("seed %d: %v, %v", seed, only.Conf.Faults, only.Conf.Network)
		}
		without := Swarm{Without: faults}.Draw(seed)
		for _, f := range without.Conf.Faults {
			seen[f] = true
		}
		if without.Conf.Network != (Trouble{}) {
			t.Errorf("seed %d has a bad network: %v", seed, without.Conf.Network)
		}
	}
	if len(seen) != len(AllFaults)-2 || seen[Network] || seen[Clone] {
		t.Errorf("without two faults there are %v", seen)
	}
	if _, err := Faults([]string{"netwerk"}); err == nil || !strings.Contains(err.Error(), "server-kill") {
		t.Errorf("a misspelled fault: %v", err)
	}
}
