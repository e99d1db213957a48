package main

import (
	"fmt"
	"os"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/diagram"
)

type appDiagramCmd struct {
	File   string `arg:"" help:"The definition."`
	Type   string `help:"Draw this type alone, with those that it is next to." placeholder:"TYPE"`
	Format string `help:"svg, or mermaid: Markdown with Mermaid diagrams." enum:"svg,mermaid" default:"svg"`
	Out    string `help:"Write to this file." placeholder:"FILE"`
}

func (c *appDiagramCmd) Help() string {
	return "Draws the lifecycle of each type and what the types refer to.\n\nExample:\n  landfall app diagram app.yaml --out app.svg\n  landfall app diagram app.yaml --type expense --format mermaid --out LIFECYCLE.md"
}

// Run draws a definition.
func (c *appDiagramCmd) Run(s *session) error {
	a, problems, err := compileFile(c.File)
	if err != nil {
		return err
	}
	if a == nil {
		if err := s.problems(asWire(problems)); err != nil {
			return err
		}
		return errWanting
	}
	picture, err := c.draw(a)
	if err != nil {
		return err
	}
	if c.Out == "" {
		if s.opts.JSON {
			return s.json(map[string]any{"format": c.Format, "diagram": string(picture)})
		}
		_, err := s.out.Write(picture)
		return err
	}
	if err := os.WriteFile(c.Out, picture, 0o644); err != nil { //nolint:gosec // a picture is there to be seen
		return landfall.Errorf(landfall.CodeInvalid, "the diagram can't be written: %v", err)
	}
	return s.show(map[string]any{"format": c.Format, "file": c.Out, "bytes": len(picture)}, c.Out, func() {
		fmt.Fprintf(s.out, "%s is drawn in %s.\n", c.File, c.Out)
	})
}

func (c *appDiagramCmd) draw(a *definition.App) ([]byte, error) {
	if c.Format == "mermaid" {
		return diagram.Mermaid(a, diagram.Options{Type: c.Type})
	}
	return diagram.SVG(a, diagram.Options{Type: c.Type})
}
