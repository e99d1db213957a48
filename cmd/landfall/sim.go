package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/landfall-sync/landfall/internal/sim"
)

type simCmd struct {
	Run    simRunCmd    `cmd:"" help:"Play many worlds, and look for a promise that is broken."`
	Replay simReplayCmd `cmd:"" help:"Play one world again, from its seed or from a file."`
	Bugs   simBugsCmd   `cmd:"" help:"Plant known bugs, and see that each is found."`
}

func (c *simCmd) Help() string {
	return "A whole workspace (server, devices, people, network, disks and clocks) is played from a seed, with all that can go wrong, and checked against a model of the rules. The same seed gives the same world, to the byte."
}

// swarm are the flags that say which faults there are.
type swarm struct {
	Faults  []string `help:"Every world has exactly these faults." placeholder:"NAMES" xor:"faults"`
	Without []string `help:"No world has these faults." placeholder:"NAMES" xor:"faults"`
}

func (f *swarm) read() (o sim.Swarm, err error) {
	if o.Only, err = sim.Faults(f.Faults); err != nil {
		return o, fmt.Errorf("--faults: %w", err)
	}
	if o.Without, err = sim.Faults(f.Without); err != nil {
		return o, fmt.Errorf("--without: %w", err)
	}
	return o, nil
}

// flags are those that make the same worlds again.
func (f *swarm) flags() string {
	switch {
	case len(f.Faults) > 0:
		return " --faults " + strings.Join(f.Faults, ",")
	case len(f.Without) > 0:
		return " --without " + strings.Join(f.Without, ",")
	}
	return ""
}

// keeping are the flags that make a scenario a test.
type keeping struct {
	Keep string `help:"Keep what is found, made small, among the tests of the checkout here, by this name." placeholder:"NAME"`
	Why  string `help:"Why it is kept, in a sentence." placeholder:"TEXT"`
}

func (k *keeping) keep(s *session, small *sim.Scenario, v sim.Violation) error {
	if k.Keep == "" {
		return nil
	}
	why := k.Why
	if why == "" {
		why = "It broke " + v.Rule + ": " + oneLine(v.Text) + "."
	}
	path, err := sim.Keep(".", k.Keep, &sim.Kept{Why: why, Rule: v.Rule, Scenario: small})
	if err == nil {
		fmt.Fprintf(s.err, "kept in %s: go test ./internal/sim plays it from now on\n", path)
	}
	return err
}

type simRunCmd struct {
	Seeds   int     `help:"How many worlds; 1000 if neither this nor --minutes is given." placeholder:"N"`
	From    uint64  `help:"The first seed." placeholder:"SEED" default:"0"`
	Minutes float64 `help:"No world begins after so long." placeholder:"M"`
	Workers int     `help:"Worlds that are played at a time; as many as there are processors if none is given." placeholder:"N"`
	swarm   `prefix:""`
	keeping `prefix:""`
}

func (c *simRunCmd) Help() string {
	return "It ends with 1 when a promise was broken: the first such world is made small and shown. Ctrl-C ends it with what is known.\n\nFaults: " + faults() + ".\n\nExample:\n  landfall sim run --seeds 5000\n  landfall sim run --minutes 30 --from 100000\n  landfall sim run --faults clone,tabs"
}

func faults() string {
	names := make([]string, len(sim.AllFaults))
	for i, f := range sim.AllFaults {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// Run plays a campaign.
func (c *simRunCmd) Run(s *session) error {
	o, err := c.read()
	if err != nil {
		return uncheckedError{err}
	}
	if c.Seeds < 0 || c.Minutes < 0 || c.Workers < 0 {
		return uncheckedError{errors.New("--seeds, --minutes and --workers can't be less than 0")}
	}
	if c.Seeds == 0 && c.Minutes == 0 {
		c.Seeds = 1000
	}
	b := s.simBar()
	r := sim.Campaign{
		Swarm: o, From: c.From, Seeds: c.Seeds, Time: time.Duration(c.Minutes * float64(time.Minute)), Workers: c.Workers, Progress: b.tell,
	}.Run(s.ctx)
	b.end()
	if err := s.simulated(r); err != nil {
		return err
	}
	if len(r.Found) > 0 {
		if err := c.first(s, o, r.Found[0]); err != nil {
			return err
		}
		return errWanting
	}
	if s.stopped() {
		return context.Canceled
	}
	return nil
}

// first makes the first seed that broke a promise small, and shows it.
func (c *simRunCmd) first(s *session, o sim.Swarm, f sim.Found) error {
	show := !s.opts.JSON && !s.opts.Quiet
	if show {
		fmt.Fprintf(s.out, "\nTo play it again: landfall sim replay %d%s --shrink\n", f.Seed, c.flags())
	}
	if s.stopped() || !show && c.Keep == "" {
		return nil
	}
	scenario := o.Draw(f.Seed)
	small := s.shrink(&scenario, f.Rule)
	if show {
		s.trace(small)
	}
	return c.keep(s, small, f.Violation)
}

func (s *session) stopped() bool { return s.ctx.Err() != nil }

// shrink makes a scenario small, and says how far it is.
func (s *session) shrink(big *sim.Scenario, rule string) *sim.Scenario {
	b := s.bar("making seed " + fmt.Sprint(big.Seed) + " small")
	last := time.Time{}
	small := sim.Shrink(s.ctx, big, rule, func(x sim.Shrinking) {
		if time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			b.say(fmt.Sprintf("%d of %d actions after %d runs", x.Actions, len(big.Actions), x.Runs))
		}
	})
	b.end()
	return small
}

// trace plays a scenario and shows what happens.
func (s *session) trace(small *sim.Scenario) {
	fmt.Fprintf(s.out, "\nmade small: %s\n\n", small)
	sim.Try(s.ctx, small, sim.Options{Seed: small.Seed, Trace: s.out})
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
