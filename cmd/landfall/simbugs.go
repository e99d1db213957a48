package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/landfall-sync/landfall/internal/sim/planted"
)

type simBugsCmd struct {
	Only    []string      `help:"Hunt these bugs alone." placeholder:"NAMES"`
	Seeds   int           `help:"Seeds for each bug, instead of what it is given." placeholder:"N"`
	Workers int           `help:"Bugs that are hunted at a time." default:"1" placeholder:"N"`
	Time    time.Duration `help:"How long the seeds of one bug may take." default:"2m" placeholder:"TIME"`
	List    bool          `help:"Say which bugs there are, and hunt none."`
}

func (c *simBugsCmd) Help() string {
	return "Proves that the simulation finds what it claims: each bug is planted in a program of its own, which must find it within its number of seeds. Run it at the root of a checkout; it needs Go. It ends with 1 when a bug was not found.\nExample:\n  landfall sim bugs --only receipts-pruned,deleted-unseen"
}

// Run hunts the bugs.
func (c *simBugsCmd) Run(s *session) error {
	if c.Seeds < 0 || c.Workers < 1 || c.Time <= 0 {
		return uncheckedError{errors.New("--seeds can't be less than 0, --workers less than 1, or --time nothing")}
	}
	if c.List {
		return s.bugs()
	}
	out := s.out
	if s.opts.JSON || s.opts.Quiet {
		out = s.err
	}
	found, err := planted.Hunt(s.ctx, planted.Options{Root: ".", Seeds: c.Seeds, Only: c.Only, Parallel: c.Workers, Time: c.Time, Out: out})
	if err != nil && len(found) == 0 {
		return err
	}
	if s.opts.JSON {
		if err := s.json(found); err != nil {
			return err
		}
	}
	wanting := err
	for i := range found {
		if !found[i].Good() {
			if s.opts.Quiet {
				fmt.Fprintln(s.out, found[i].Bug.Name)
			}
			wanting = errors.Join(errWanting, err)
		}
	}
	return wanting
}

// bugs lists them.
func (s *session) bugs() error {
	all := planted.All()
	if s.opts.JSON {
		return s.json(all)
	}
	for _, b := range all {
		if s.opts.Quiet {
			fmt.Fprintln(s.out, b.Name)
		} else {
			fmt.Fprintf(s.out, "%s: %s\n", b.Name, b.What)
		}
	}
	return nil
}
