package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/landfall-sync/landfall/internal/sim"
)

// simBar shows how far a campaign is: all the time on a terminal, elsewhere a
// line now and then.
type simBar struct {
	*bar
	s    *session
	last time.Time
}

const betweenLines = 15 * time.Second

func (s *session) simBar() *simBar { return &simBar{s.bar("simulating"), s, time.Now()} }

func (b *simBar) tell(r *sim.Report) {
	text := fmt.Sprintf("%s seeds, %s steps/s, %s", thousands(int64(r.Seeds)), thousands(int64(r.Rate()*float64(r.Workers))), violations(len(r.Found)))
	if n := len(r.Found); n > 0 {
		text += fmt.Sprintf(", the last in seed %d (%s)", r.Found[n-1].Seed, r.Found[n-1].Rule)
	}
	b.say(text)
	if b.out == nil && !b.s.opts.Quiet && time.Since(b.last) >= betweenLines {
		b.last = time.Now()
		fmt.Fprintf(b.s.err, "%s: %s\n", r.Took.Round(time.Second), text)
	}
}

func violations(n int) string {
	if n == 1 {
		return "1 violation"
	}
	return thousands(int64(n)) + " violations"
}

// mostShown violations are listed.
const mostShown = 20

// simulated prints what a campaign came to.
func (s *session) simulated(r *sim.Report) error {
	switch {
	case s.opts.JSON:
		return s.json(r)
	case s.opts.Quiet:
		for _, f := range r.Found {
			fmt.Fprintln(s.out, f.Seed)
		}
		return nil
	}
	fmt.Fprintf(s.out, "%s seeds from %d (%s of them twice, %s paired), %s steps, %s simulated, in %s\n", thousands(int64(r.Seeds)), r.From,
		thousands(int64(r.Twice)), thousands(int64(r.Paired)), thousands(r.Steps), span(r.Simulated), r.Took.Round(time.Second))
	fmt.Fprintf(s.out, "%s steps/s on each of %d workers\n", thousands(int64(r.Rate())), r.Workers)
	s.met(r)
	if len(r.Found) == 0 {
		if bound := r.Bound(); bound < 1 {
			fmt.Fprintf(s.out, "\nno violation: with 95 %% confidence, less than 1 seed in %s has one (3/%s)\n", thousands(int64(1/bound)), thousands(int64(r.Seeds)))
		} else {
			fmt.Fprintln(s.out, "\nno violation, in too few seeds to say more")
		}
		return nil
	}
	fmt.Fprintf(s.out, "\n%s:\n", strings.ToUpper(violations(len(r.Found))))
	for i, f := range r.Found {
		if i == mostShown {
			fmt.Fprintf(s.out, "  and %s more\n", thousands(int64(len(r.Found)-i)))
			break
		}
		fmt.Fprintf(s.out, "  seed %d  %s  %s\n", f.Seed, f.Rule, oneLine(f.Text))
	}
	return nil
}

// met says which faults there were, and which rare moments there were not.
func (s *session) met(r *sim.Report) {
	var there, missing []string
	for _, f := range sim.AllFaults {
		if n := r.Faults[f]; n > 0 {
			there = append(there, fmt.Sprintf("%s %s", f, thousands(int64(n))))
		} else {
			missing = append(missing, string(f))
		}
	}
	fmt.Fprintf(s.out, "faults, and in how many worlds: %s\n", orNone(there))
	if len(missing) > 0 {
		fmt.Fprintf(s.out, "faults that no world had: %s\n", strings.Join(missing, ", "))
	}
	all, never := r.Coverage()
	fmt.Fprintf(s.out, "rare moments: %d of %d\n", len(all)-len(never), len(all))
	if len(never) > 0 {
		fmt.Fprintln(s.out, "never reached:")
	}
	for _, a := range never {
		how := a.Branch
		if a.Fault != "" {
			how = string(a.Fault) + " × " + how
		}
		fmt.Fprintf(s.out, "  %s (%s)\n", a.Name, strings.TrimSpace(how))
	}
}

func orNone(all []string) string {
	if len(all) == 0 {
		return "none"
	}
	return strings.Join(all, ", ")
}

// span writes a long time as people say it.
func span(seconds float64) string {
	for _, unit := range []struct {
		name string
		long float64
	}{{"years", 365.25 * 24 * 3600}, {"days", 24 * 3600}, {"hours", 3600}, {"minutes", 60}} {
		if n := seconds / unit.long; n >= 2 {
			return thousands(int64(n)) + " " + unit.name
		}
	}
	return thousands(int64(seconds)) + " seconds"
}
