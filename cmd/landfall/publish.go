package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type appPublishCmd struct {
	File  string `arg:"" help:"The definition."`
	Yes   bool   `help:"Publish it whatever the rehearsal says; don't ask."`
	Items int    `help:"Judge so many of the last changes again." default:"1000" placeholder:"N"`
}

func (c *appPublishCmd) Help() string {
	return "It is rehearsed first. When something would be refused, invalid or stranded, it asks; without a terminal it publishes nothing then, unless --yes says to.\n\n" +
		"Example:\n  landfall app publish app.yaml"
}

// Validate bounds the flags.
func (c *appPublishCmd) Validate() error { return validItems(c.Items) }

// Run rehearses a definition, asks where that is needed, and publishes it.
func (c *appPublishCmd) Run(s *session) error {
	source, err := os.ReadFile(c.File)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	if !c.Yes {
		if err := c.ask(s, d, string(source)); err != nil {
			return err
		}
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

// ask rehearses it. What makes nothing worse is published without a question;
// so is what can't be published, which says why.
func (c *appPublishCmd) ask(s *session, d *desk.Desk, source string) error {
	o, err := s.rehearse(d, wire.Rehearse{Source: source, File: c.File, Items: c.Items})
	if err != nil {
		return err
	}
	if !o.Worse || mistaken(o.Problems) {
		if !s.opts.JSON && !s.opts.Quiet && !o.Unchanged && !mistaken(o.Problems) {
			fmt.Fprintln(s.out, o.Verdict)
		}
		return nil
	}
	tell := *s
	if s.opts.JSON || s.opts.Quiet {
		tell.out = s.err // what is published is all that is printed there
	}
	tell.rehearsal(o)
	f, ok := s.in.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return landfall.Errorf(landfall.CodeRefused, "nothing is published: it would make something worse").
			WithHint("mend it, or publish it all the same: landfall app publish --yes %s", c.File)
	}
	fmt.Fprint(s.err, "Publish all the same? [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(s.in, 100)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		fmt.Fprintln(s.err, "Nothing is published.")
		return errWanting
	}
	return nil
}
