package sim

import (
	"context"
	"io"
	"maps"
	"time"
)

// Options of a run.
type Options struct {
	Seed  uint64
	Trace io.Writer // gets what happens, line by line; nil: nobody
}

// Result is what came out of a run.
type Result struct {
	Scenario   Scenario
	Violations []Violation
	Steps      int
	Simulated  time.Duration
	Digest     uint64         // of the trace: the same for the same scenario
	Met        map[string]int // what came about, and how often
}

// Run plays the scenario of a seed.
func Run(ctx context.Context, o Options) *Result {
	s := Draw(o.Seed)
	return Play(ctx, &s, o)
}

// Play plays a scenario.
func Play(ctx context.Context, s *Scenario, o Options) *Result {
	r := &Result{Scenario: *s}
	w, err := newWorld(ctx, s, o.Trace)
	if err != nil {
		r.Violations = append(r.Violations, Violation{Rule: "start", Text: err.Error()})
		return r
	}
	defer w.end()
	w.play(s)
	r.Violations, r.Steps, r.Simulated, r.Digest, r.Met = w.violations, w.steps, w.now.Sub(w.began), w.digest.Sum64(), maps.Clone(w.branches)
	return r
}
