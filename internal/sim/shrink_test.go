package sim

import (
	"context"
	"slices"
	"testing"
)

// broken makes a rule of its own from what a world met.
func broken(rule string, hit func(*Result) bool) player {
	return func(ctx context.Context, s *Scenario, o Options) *Result {
		r := Try(ctx, s, o)
		r.Violations = nil
		if hit(r) {
			r.Violations = []Violation{{Rule: rule, Text: "it was met", At: r.Simulated}}
		}
		return r
	}
}

// A real world: a device is cloned, and its copy finds that it is one.
func TestShrink(t *testing.T) {
	play := broken("fork", func(r *Result) bool { return r.Met["device cloned"] > 0 && r.Met["push: forked"] > 0 })
	s := Swarm{Only: []Fault{Network, Clone, ServerKill, Tabs}}.Draw(5)
	if len(play(t.Context(), &s, Options{}).Violations) == 0 {
		t.Fatal("this seed does not meet what is to be shrunk")
	}
	var last Shrinking
	small := shrink(t.Context(), &s, "fork", func(x Shrinking) { last = x }, play)
	if n := len(small.Actions); n > 6 || n == 0 {
		t.Errorf("%d actions are left of %d: %+v", n, len(s.Actions), small.Actions)
	}
	if !slices.ContainsFunc(small.Actions, func(a Action) bool { return a.Do == "clone" }) || slices.Contains(small.Conf.Faults, Tabs) || small.Conf.Network != (Trouble{}) {
		t.Errorf("what matters is gone, or what does not is there: %s", small)
	}
	if len(play(t.Context(), small, Options{}).Violations) == 0 {
		t.Error("the small one does not break the rule")
	}
	if last.Runs == 0 || last.Runs > mostRuns {
		t.Errorf("it took %d runs", last.Runs)
	}
	if fresh := (Swarm{Only: []Fault{Network, Clone, ServerKill, Tabs}}).Draw(5); !s.same(&fresh) {
		t.Error("the scenario that it was given has changed")
	}
}

// wanted breaks a rule while all of some actions are there, and no other.
func wanted(rule string, n ...int) (*Scenario, player) {
	s := Draw(11)
	var need []Action
	for _, i := range n {
		need = append(need, s.Actions[i])
	}
	return &s, func(_ context.Context, s *Scenario, _ Options) *Result {
		r := &Result{Scenario: *s}
		for _, a := range need {
			if !slices.ContainsFunc(s.Actions, func(b Action) bool { return a.Seed == b.Seed }) {
				r.Violations = []Violation{{Rule: "another", At: 1}}
				return r
			}
		}
		r.Violations = []Violation{{Rule: "another"}, {Rule: rule, At: need[len(need)-1].At}}
		return r
	}
}

// Exactly what is needed is left, wherever it is, and another rule does not count.
func TestShrinkLeavesWhatIsNeeded(t *testing.T) {
	s, play := wanted("mine", 0, 7, 19, 33)
	small := shrink(t.Context(), s, "mine", nil, play)
	if len(small.Actions) != 4 || len(small.Conf.Faults) != 0 || small.Conf.Devices != 1 || small.Conf.Workers != 1 {
		t.Errorf("%s: %v", small, small.Actions)
	}
}

func TestShrinkIsBounded(t *testing.T) {
	s, play := wanted("mine", 0, 20)
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	small := shrink(ctx, s, "mine", nil, func(c context.Context, s *Scenario, o Options) *Result {
		if runs++; runs == 5 {
			cancel()
		}
		if c.Err() != nil {
			t.Error("a run is interrupted in its middle")
		}
		return play(c, s, o)
	})
	if runs != 5 || len(play(t.Context(), small, Options{}).Violations) != 2 {
		t.Errorf("%d runs, and what is left: %s", runs, small)
	}
	if same := shrink(t.Context(), s, "never", nil, play); !same.same(s) {
		t.Error("a scenario that does not break the rule has changed")
	}
}

// A world that is not the same twice is made small, too.
func TestShrinkWhatDiffers(t *testing.T) {
	n := uint64(0)
	s := Draw(11)
	need := s.Actions[9].Seed
	small := shrink(t.Context(), &s, RuleDeterminism, nil, func(_ context.Context, s *Scenario, _ Options) *Result {
		r := &Result{Scenario: *s}
		if slices.ContainsFunc(s.Actions, func(a Action) bool { return a.Seed == need }) {
			n++
			r.Digest = n
		}
		return r
	})
	if len(small.Actions) != 1 || small.Actions[0].Seed != need {
		t.Errorf("%v", small.Actions)
	}
}
