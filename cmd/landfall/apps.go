package main

import (
	"fmt"
	"os"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

type appCmd struct {
	Check    appCheckCmd    `cmd:"" help:"Check a definition; needs no server."`
	Rehearse appRehearseCmd `cmd:"" help:"Say what a definition would fix and break, before it is published."`
	Publish  appPublishCmd  `cmd:"" help:"Publish a definition; rehearses it first."`
	Diagram  appDiagramCmd  `cmd:"" help:"Draw a definition; needs no server."`
}

type appCheckCmd struct {
	File   string `arg:"" help:"The definition."`
	Strict bool   `help:"Take warnings for errors."`
}

func (c *appCheckCmd) Help() string { return "Example:\n  landfall app check app.yaml" }

// Run checks a definition.
func (c *appCheckCmd) Run(s *session) error {
	a, list, err := compileFile(c.File)
	if err != nil {
		return err
	}
	if err := s.problems(list); err != nil {
		return err
	}
	if a == nil || c.Strict && len(list) > 0 {
		return errWanting
	}
	if !s.opts.JSON && !s.opts.Quiet {
		fmt.Fprintf(s.out, "%s is right: %d types, %d roles, %d queues.\n", c.File, len(a.Types), len(a.Roles), len(a.Queues))
	}
	return nil
}

// compileFile reads and compiles a definition; the App is nil when it is wrong.
func compileFile(file string) (*definition.App, []wire.Problem, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	a, problems := definition.Compile(file, source)
	list := make([]wire.Problem, 0, len(problems))
	for _, p := range problems {
		list = append(list, wire.Problem{File: p.File, Line: p.Line, Column: p.Column, Warning: p.Warning, Message: p.Message, Hint: p.Hint})
	}
	return a, list, nil
}

// problems prints problems as a compiler does.
func (s *session) problems(list []wire.Problem) error {
	if s.opts.JSON {
		return s.json(map[string]any{"problems": list})
	}
	s.listProblems(list)
	return nil
}

func (s *session) listProblems(list []wire.Problem) {
	for _, p := range list {
		kind := ""
		if p.Warning {
			kind = "warning: "
		}
		fmt.Fprintf(s.out, "%s:%d:%d: %s%s\n", p.File, p.Line, p.Column, kind, p.Message)
		if p.Hint != "" {
			fmt.Fprintf(s.out, "    %s\n", p.Hint)
		}
	}
}
