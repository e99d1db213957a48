package main

import (
	"fmt"
	"os"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

type appCheckCmd struct {
	File      string `arg:"" help:"The definition."`
	Strict    bool   `help:"Take warnings for errors."`
	Against   string `help:"Say what it would strand of this definition, the published one." type:"path" placeholder:"FILE" xor:"against"`
	Published bool   `help:"Say what it would strand of the one that the server has published." xor:"against"`
}

func (c *appCheckCmd) Help() string {
	return "Needs no server, but for --published. Exit codes: 0 right, 1 wrong (with --strict also warnings), 2 not checked.\nExample:\n  landfall app check app.yaml --against published.yaml"
}

// Run checks a definition.
func (c *appCheckCmd) Run(s *session) error {
	a, problems, err := compileFile(c.File)
	if err != nil {
		return uncheckedError{err}
	}
	if a != nil {
		old, err := c.published(s)
		if err != nil {
			return uncheckedError{err}
		}
		if old != nil {
			problems = append(problems, definition.Stranded(c.File, old, a)...)
		}
	}
	errs, warnings := count(problems)
	if s.opts.JSON {
		err = s.json(map[string]any{"problems": asWire(problems), "errors": errs, "warnings": warnings})
	} else {
		err = s.problems(asWire(problems))
	}
	if err != nil {
		return err
	}
	wrong := a == nil || c.Strict && warnings > 0
	if !s.opts.JSON && !s.opts.Quiet {
		if len(problems) > 0 {
			fmt.Fprintf(s.out, "\n%s, %s.\n", times(errs, "error"), times(warnings, "warning"))
		}
		if !wrong {
			fmt.Fprintf(s.out, "%s is right: %s, %s, %s.\n", c.File, times(len(a.Types), "type"), times(len(a.Roles), "role"), times(len(a.Queues), "queue"))
		}
	}
	if wrong {
		return errWanting
	}
	return nil
}

// published is what the definition is compared with; nil for nothing.
func (c *appCheckCmd) published(s *session) (*definition.App, error) {
	switch {
	case c.Against != "":
		old, problems, err := compileFile(c.Against)
		if err == nil && old == nil {
			err = landfall.Errorf(landfall.CodeInvalid, "%s is not right itself: %s", c.Against, firstError(problems)).
				WithHint("name the file that was published, or compare with the server's: --published")
		}
		return old, err
	case c.Published:
		d, err := s.desk()
		if err != nil {
			return nil, err
		}
		is, err := d.Definition(s.ctx)
		if err != nil {
			return nil, err
		}
		compiled, _ := definition.Compile("published", []byte(is.Source))
		if compiled == nil {
			return nil, landfall.Errorf(landfall.CodeInternal, "this program can't read the published definition").WithHint("the server may be newer than this program: landfall version")
		}
		old := *compiled
		old.Version = is.Version
		return &old, nil
	}
	return nil, nil
}

// firstError is the first problem that is no warning, for people.
func firstError(problems []definition.Problem) string {
	for _, p := range problems {
		if !p.Warning {
			return p.String()
		}
	}
	return ""
}

func count(problems []definition.Problem) (errs, warnings int) {
	for _, p := range problems {
		if p.Warning {
			warnings++
		} else {
			errs++
		}
	}
	return errs, warnings
}

// times counts things: no error, 1 error, 2 errors.
func times(n int, what string) string {
	switch n {
	case 0:
		return "no " + what + "s"
	case 1:
		return "1 " + what
	default:
		return fmt.Sprintf("%d %ss", n, what)
	}
}

// compileFile reads and compiles a definition; the App is nil when it is wrong.
func compileFile(file string) (*definition.App, []definition.Problem, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	a, problems := definition.Compile(file, source)
	return a, problems, nil
}

func asWire(problems []definition.Problem) []wire.Problem {
	list := make([]wire.Problem, 0, len(problems))
	for _, p := range problems {
		list = append(list, wire.Problem{File: p.File, Line: p.Line, Column: p.Column, Warning: p.Warning, Message: p.Message, Hint: p.Hint})
	}
	return list
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

type appSchemaCmd struct{}

func (c *appSchemaCmd) Help() string {
	return "Editors complete and check a definition that begins with\n  # yaml-language-server: $schema=landfall.schema.json\nExample:\n  landfall app schema > landfall.schema.json"
}

// Run prints the schema.
func (c *appSchemaCmd) Run(s *session) error {
	_, err := s.out.Write(definition.Schema())
	return err
}
