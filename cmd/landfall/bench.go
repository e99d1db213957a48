package main

import (
	"os"
	"time"

	"github.com/landfall-sync/landfall/internal/bench"
)

type benchCmd struct {
	Time    time.Duration `help:"How long to measure each rate." default:"5s"`
	Only    string        `help:"Measure only what has this in its name." placeholder:"TEXT"`
	Large   int           `help:"Records in the large database." default:"1000000"`
	Program string        `help:"The program to measure; this one if none is given." type:"path" placeholder:"FILE"`
}

func (c *benchCmd) Help() string { return "Example:\n  landfall bench --only push" }

// Run measures this program on this machine, in a temporary folder.
func (c *benchCmd) Run(s *session) (err error) {
	if c.Program == "" {
		if c.Program, err = os.Executable(); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "landfall-bench-")
	if err != nil {
		return err
	}
	defer func() {
		if rerr := os.RemoveAll(dir); err == nil {
			err = rerr
		}
	}()
	out := s.out
	if s.opts.JSON {
		out = s.err
	}
	b := &bench.Bench{Program: c.Program, Dir: dir, Time: c.Time, Only: c.Only, Large: c.Large, Out: out}
	rows, err := b.Run(s.ctx)
	if err == nil && s.opts.JSON {
		err = s.json(rows)
	}
	return err
}
