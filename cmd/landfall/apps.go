package main

import (
	"fmt"
	"os"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

type appCmd struct {
	Check   appCheckCmd   `cmd:"" help:"Check a definition; needs no server."`
	Publish appPublishCmd `cmd:"" help:"Publish a definition."`
	Diagram appDiagramCmd `cmd:"" help:"Draw a definition; needs no server."`
	Schema  appSchemaCmd  `cmd:"" help:"Print the JSON Schema of definitions, for editors."`
}

type appPublishCmd struct {
	File string `arg:"" help:"The definition."`
}

func (c *appPublishCmd) Help() string { return "Example:\n  landfall app publish app.yaml" }

// Run publishes a definition.
func (c *appPublishCmd) Run(s *session) error {
	source, err := os.ReadFile(c.File)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	p, err := d.Publish(s.ctx, wire.Publish{Source: string(source), File: c.File})
	if err != nil {
		return err
	}
	refused := false
	for _, x := range p.Problems {
		refused = refused || !x.Warning
	}
	if refused {
		if err := s.problems(p.Problems); err != nil {
			return err
		}
		return errWanting
	}
	return s.show(p, fmt.Sprint(p.Version), func() {
		for _, x := range p.Problems {
			fmt.Fprintf(s.out, "warning: %s:%d:%d: %s\n", x.File, x.Line, x.Column, x.Message)
		}
		if p.Unchanged {
			fmt.Fprintf(s.out, "Version %d is published already, and is the same.\n", p.Version)
			return
		}
		fmt.Fprintf(s.out, "Version %d is published; devices take it with their next sync.\n", p.Version)
	})
}
