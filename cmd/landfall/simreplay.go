package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/landfall-sync/landfall/internal/sim"
)

type simReplayCmd struct {
	Seed    *uint64 `arg:"" optional:"" help:"The seed of the world."`
	File    string  `help:"Play the scenario in this file instead: one that was kept." type:"existingfile" placeholder:"FILE"`
	Trace   bool    `help:"Print what happens, line by line."`
	Shrink  bool    `help:"When a promise is broken, make the world small and print what happens there."`
	swarm   `prefix:""`
	keeping `prefix:""`
}

func (c *simReplayCmd) Help() string {
	return "The world is played twice, which must come to the same, and beside one that differs only in what one user may not see. It ends with 1 when a promise was broken. --keep makes it small, too.\nExample:\n  landfall sim replay 213 --trace\n  landfall sim replay 213 --shrink --keep lost-receipt\n  landfall sim replay --file internal/sim/testdata/regressions/lost-receipt.json"
}

// Run plays one world.
func (c *simReplayCmd) Run(s *session) error {
	k, err := c.scenario()
	if err != nil {
		return uncheckedError{err}
	}
	o := sim.Options{Seed: k.Scenario.Seed}
	if c.Trace && !s.opts.JSON {
		o.Trace = s.out
	}
	r := sim.Thorough(s.ctx, k.Scenario, o)
	if err := s.replayed(r, k); err != nil {
		return err
	}
	if len(r.Violations) == 0 {
		if c.Keep != "" {
			return uncheckedError{errors.New("nothing is broken, so nothing is kept: --keep is for a world that breaks a rule")}
		}
		return nil
	}
	if c.Shrink || c.Keep != "" {
		small := s.shrink(k.Scenario, r.Violations[0].Rule)
		if !s.opts.JSON && !s.opts.Quiet {
			s.trace(small)
		}
		if err := c.keep(s, small, r.Violations[0]); err != nil {
			return err
		}
	}
	return errWanting
}

// scenario is the one of the seed or the file.
func (c *simReplayCmd) scenario() (*sim.Kept, error) {
	switch {
	case (c.Seed == nil) == (c.File == ""):
		return nil, errors.New("give a seed or --file with a scenario, one of them: landfall sim replay 213")
	case c.File != "" && c.flags() != "":
		return nil, errors.New("--faults and --without go with a seed; a file says itself which faults there are")
	case c.File != "":
		b, err := os.ReadFile(c.File)
		if err != nil {
			return nil, err
		}
		k, err := sim.Read(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.File, err)
		}
		return k, nil
	}
	o, err := c.read()
	if err != nil {
		return nil, err
	}
	drawn := o.Draw(*c.Seed)
	return &sim.Kept{Scenario: &drawn}, nil
}

func (s *session) replayed(r *sim.Result, k *sim.Kept) error {
	switch {
	case s.opts.JSON:
		return s.json(r)
	case s.opts.Quiet:
		for _, v := range r.Violations {
			fmt.Fprintln(s.out, v.Rule)
		}
		return nil
	}
	fmt.Fprintln(s.out, k.Scenario)
	if k.Why != "" {
		fmt.Fprintf(s.out, "kept because: %s\n", k.Why)
	}
	fmt.Fprintf(s.out, "%s steps, %s simulated, trace %016x\n", thousands(int64(r.Steps)), r.Simulated.Round(time.Second), r.Digest)
	for _, v := range r.Violations {
		fmt.Fprintf(s.out, "VIOLATION  %s after %s: %s\n", v.Rule, v.At.Round(time.Millisecond), oneLine(v.Text))
	}
	if len(r.Violations) == 0 {
		fmt.Fprintln(s.out, "no violation")
	}
	return nil
}
