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
)

// Try plays a scenario. A panic in it is a violation.
func Try(ctx context.Context, s *Scenario, o Options) (r *Result) {
	defer func() {
		if p := recover(); p != nil {
			l, ok := located(p).(panicked)
			if !ok {
				l = panicked{p, origin()}
			}
			r = &Result{Scenario: *s, Violations: []Violation{{Rule: RulePanic, Text: fmt.Sprintf("%v, in %s", l.value, l.where)}}}
		}
	}()
	return Play(ctx, s, o)
}

// Twice plays a scenario two times: not to be the same is a violation, too.
func Twice(ctx context.Context, s *Scenario, o Options) *Result { return twice(ctx, s, o, Try) }

type player func(context.Context, *Scenario, Options) *Result

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
