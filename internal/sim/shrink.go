package sim

import (
	"context"
	"math"
	"slices"
	"time"
)

// mostRuns is how often a scenario is played, at most, to make it small.
const mostRuns = 1500

// Shrinking is how far it is.
type Shrinking struct {
	Runs    int
	Actions int
	Faults  int
}

// Shrink makes a scenario that breaks a rule small enough to be read: it leaves
// out whatever it can while the rule is still broken. It gives the smallest that
// it has found when ctx ends, and the same scenario when it does not break the
// rule. Every scenario that it keeps was played as it is.
func Shrink(ctx context.Context, s *Scenario, rule string, progress func(Shrinking)) *Scenario {
	return shrink(ctx, s, rule, progress, Try)
}

func shrink(ctx context.Context, s *Scenario, rule string, progress func(Shrinking), play player) *Scenario {
	x := &shrinker{ctx: ctx, rule: rule, play: playing(rule, play), told: progress, left: mostRuns, best: s.clone()}
	at, broken := x.breaks(x.best)
	if !broken {
		return x.best
	}
	x.try(func(s *Scenario) { // what came later did nothing
		s.Actions = slices.DeleteFunc(s.Actions, func(a Action) bool { return a.At > at })
	})
	for before := -1; before != x.best.size() && x.more(); {
		before = x.best.size()
		x.faults()
		x.kinds()
		x.actions()
		x.conf()
	}
	return x.best
}

type shrinker struct {
	ctx  context.Context //nolint:containedctx // one call
	rule string
	play player
	told func(Shrinking)
	left int // runs
	best *Scenario
}

func (s *Scenario) clone() *Scenario {
	c := *s
	c.Actions, c.Conf.Faults = slices.Clone(s.Actions), slices.Clone(s.Conf.Faults)
	return &c
}

// size gets less with all that is left out.
func (s *Scenario) size() int {
	return 100*len(s.Actions) + 10*(len(s.Conf.Faults)+s.Conf.Devices+s.Conf.Workers) + troubles(s.Conf.Network)
}

func troubles(t Trouble) (n int) {
	for _, share := range []float64{t.Lost, t.Doubled, t.Late, t.Cut} {
		if share > 0 {
			n++
		}
	}
	return n
}

func (x *shrinker) more() bool { return x.left > 0 && x.ctx.Err() == nil }

// breaks plays a scenario; it says when the rule was broken.
func (x *shrinker) breaks(s *Scenario) (at time.Duration, broken bool) {
	if !x.more() {
		return 0, false
	}
	x.left--
	if x.told != nil {
		x.told(Shrinking{mostRuns - x.left, len(x.best.Actions), len(x.best.Conf.Faults)})
	}
	r := x.play(context.WithoutCancel(x.ctx), s, Options{Seed: s.Seed})
	i := slices.IndexFunc(r.Violations, func(v Violation) bool { return v.Rule == x.rule })
	if i < 0 {
		return 0, false
	}
	if at = r.Violations[i].At; x.rule == RulePanic || x.rule == RuleDeterminism {
		at = math.MaxInt64 // nobody knows
	}
	return at, true
}

// try keeps a change if the rule is still broken with it. One that changes
// nothing is not played.
func (x *shrinker) try(change func(*Scenario)) bool {
	s := x.best.clone()
	change(s)
	if s.same(x.best) {
		return false
	}
	_, broken := x.breaks(s)
	if broken {
		x.best = s
	}
	return broken
}

func (s *Scenario) same(o *Scenario) bool {
	a, b := s.Conf, o.Conf
	faults := slices.Equal(a.Faults, b.Faults)
	a.Faults, b.Faults = nil, nil
	return faults && string(encoded(a)) == string(encoded(b)) && slices.Equal(s.Actions, o.Actions)
}

// faults leaves out faults, with what happens by them.
func (x *shrinker) faults() {
	x.try(func(s *Scenario) { s.Conf.Faults, s.Conf.Network = nil, Trouble{} })
	for _, f := range slices.Clone(x.best.Conf.Faults) {
		x.try(func(s *Scenario) {
			s.without(f)
			s.Actions = slices.DeleteFunc(s.Actions, func(a Action) bool { return a.by(f) })
		})
	}
	for _, f := range slices.Clone(x.best.Conf.Faults) {
		x.try(func(s *Scenario) { s.without(f) })
	}
}

func (s *Scenario) without(f Fault) {
	s.Conf.Faults = slices.DeleteFunc(s.Conf.Faults, func(o Fault) bool { return o == f })
	if f == Network {
		s.Conf.Network = Trouble{}
	}
}

// kinds leaves out all actions of a kind.
func (x *shrinker) kinds() {
	var all []string
	for _, a := range x.best.Actions {
		if !slices.Contains(all, a.Do) {
			all = append(all, a.Do)
		}
	}
	for _, do := range all {
		x.try(func(s *Scenario) {
			s.Actions = slices.DeleteFunc(s.Actions, func(a Action) bool { return a.Do == do })
		})
	}
}

// actions leaves out ever smaller stretches of the actions, down to single ones.
// The last ones come first: most of the time, the first ones are needed.
func (x *shrinker) actions() {
	for size := (len(x.best.Actions) + 1) / 2; size > 0 && x.more(); size /= 2 {
		for from := len(x.best.Actions) - size; from > -size && x.more(); from -= size {
			x.try(func(s *Scenario) {
				s.Actions = slices.Delete(s.Actions, max(0, from), from+size)
			})
		}
	}
}

// conf makes the world simpler.
func (x *shrinker) conf() {
	for _, simpler := range []func(*Conf){
		func(c *Conf) { c.Network = Trouble{} },
		func(c *Conf) { c.Network.Lost = 0 },
		func(c *Conf) { c.Network.Doubled = 0 },
		func(c *Conf) { c.Network.Late = 0 },
		func(c *Conf) { c.Network.Cut = 0 },
		func(c *Conf) { c.Backups = false },
		func(c *Conf) { c.Policy = "strict" },
		func(c *Conf) { c.KeptFrom = 500 },
		func(c *Conf) { c.Page = 20 },
		func(c *Conf) { c.RetryPage = 0 },
		func(c *Conf) { c.Careful = time.Second },
		func(c *Conf) { c.Outage = time.Second },
		func(c *Conf) { c.Think = time.Second },
	} {
		x.try(func(s *Scenario) { simpler(&s.Conf) })
	}
	for x.best.Conf.Devices > 1 && (x.try(fewerDevices) || x.try(dealtAnew)) {
	}
	for x.best.Conf.Workers > 1 && x.try(func(s *Scenario) { s.Conf.Workers-- }) {
	}
}

// fewerDevices leaves out the last device; what happens on the others, stays there.
func fewerDevices(s *Scenario) {
	for i := range s.Actions {
		s.Actions[i].Who %= s.Conf.Devices
	}
	s.Conf.Devices--
}

// dealtAnew leaves out a device, and deals what happens anew.
func dealtAnew(s *Scenario) { s.Conf.Devices-- }
