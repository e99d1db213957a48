package sim

import (
	"context"
	"fmt"
	"path"
	"runtime"
	"strings"
)

// own is how the functions of this module begin.
const own = "github.com/landfall-sync/landfall"

// panicked is a panic with the place that it came from, which is not on the stack
// any more when it leaves its routine.
type panicked struct {
	value any
	where string
}

// located adds its place to a panic that was just recovered.
func located(p any) any {
	switch p.(type) {
	case panicked, crash:
		return p
	}
	return panicked{p, origin()}
}

// origin is the first function of our own below the panic that is recovered now.
func origin() string {
	pcs := make([]uintptr, 200)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	where, seeking := "", false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic": // the last one is the first that happened
			where, seeking = "", true
		case seeking && strings.HasPrefix(f.Function, own):
			where, seeking = fmt.Sprintf("%s (%s:%d)", path.Base(f.Function), path.Base(f.File), f.Line), false
		}
		if !more {
			return where
		}
	}
}

// The rules that a run as such can break, beside those of its checkers.
const (
	RulePanic       = "panic"
	RuleDeterminism = "determinism"
	RulePaired      = "paired"
)

type player func(context.Context, *Scenario, Options) *Result

// guarded lets a panic be a violation.
func guarded(s *Scenario, r *Result) {
	p := recover()
	if p == nil {
		return
	}
	l, ok := located(p).(panicked)
	if !ok {
		l = panicked{p, origin()}
	}
	r.Scenario = *s
	r.Violations = append(r.Violations, Violation{Rule: RulePanic, Text: fmt.Sprintf("%v, in %s", l.value, l.where)})
}

// Try plays a scenario. A panic in it is a violation.
func Try(ctx context.Context, s *Scenario, o Options) *Result {
	r := &Result{}
	func() {
		defer guarded(s, r)
		*r = *Play(ctx, s, o)
	}()
	return r
}

// Twice plays a scenario two times: not to be the same is a violation, too.
func Twice(ctx context.Context, s *Scenario, o Options) *Result { return twice(ctx, s, o, Try) }

func twice(ctx context.Context, s *Scenario, o Options, play player) *Result {
	a := play(ctx, s, o)
	b := play(ctx, s, Options{Seed: o.Seed})
	if a.Digest != b.Digest || a.Steps != b.Steps {
		a.Violations = append(a.Violations, Violation{
			Rule: RuleDeterminism, At: min(a.Simulated, b.Simulated),
			Text: fmt.Sprintf("played twice, it took %d steps and %d, and the traces are %x and %x", a.Steps, b.Steps, a.Digest, b.Digest),
		})
	}
	return a
}

// Paired plays a scenario, and a pair of it: that somebody is sent what depends
// on what they may not see is a violation, too.
func Paired(ctx context.Context, s *Scenario, o Options) *Result { return paired(ctx, s, o, Try) }

func paired(ctx context.Context, s *Scenario, o Options, play player) *Result {
	r := play(ctx, s, o)
	if len(r.Violations) == 0 {
		func() {
			defer guarded(s, r)
			r.Violations = Pair(ctx, s)
		}()
	}
	return r
}

// Thorough is all of this.
func Thorough(ctx context.Context, s *Scenario, o Options) *Result {
	return paired(ctx, s, o, Twice)
}

// Seed plays the scenario of a seed as a campaign does: of every ten seeds one
// twice, and one as a pair.
func Seed(ctx context.Context, seed uint64) *Result {
	c := Campaign{play: Try}
	return c.one(ctx, seed)
}

// playing is how a scenario must be played to break a rule.
func playing(rule string, play player) player {
	by := map[string]func(context.Context, *Scenario, Options, player) *Result{RuleDeterminism: twice, RulePaired: paired}[rule]
	if by == nil {
		return play
	}
	return func(ctx context.Context, s *Scenario, o Options) *Result { return by(ctx, s, o, play) }
}
