package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type appRehearseCmd struct {
	File  string `arg:"" help:"The definition."`
	Items int    `help:"Judge so many of the last changes again." default:"10000" placeholder:"N"`
}

func (c *appRehearseCmd) Help() string {
	return "It ends with 0 when nothing gets worse, and with 1 when something would be refused, invalid or stranded.\n\n" +
		"Example:\n  landfall app rehearse app.yaml --items 50000"
}

// Validate bounds the flags.
func (c *appRehearseCmd) Validate() error { return validItems(c.Items) }

func validItems(n int) error {
	if n < 1 || n > wire.MostRehearsed {
		return fmt.Errorf("--items is from 1 to %d", wire.MostRehearsed)
	}
	return nil
}

// Run rehearses a definition.
func (c *appRehearseCmd) Run(s *session) error {
	source, err := os.ReadFile(c.File)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	o, err := s.rehearse(d, wire.Rehearse{Source: string(source), File: c.File, Items: c.Items})
	if err != nil {
		return err
	}
	if err := s.show(o, o.Verdict, func() { s.rehearsal(o) }); err != nil {
		return err
	}
	if o.Worse {
		return errWanting
	}
	return nil
}

// phases are what a rehearsal is at, in the words of people.
var phases = map[string]string{
	"issues": "open issues", "history": "inbox items read", "changes": "changes judged again", "records": "records", "devices": "devices",
}

// rehearse runs a rehearsal and shows how far it is.
func (s *session) rehearse(d *desk.Desk, req wire.Rehearse) (*wire.Rehearsal, error) {
	b := s.bar("rehearsing")
	defer b.end()
	return d.Rehearse(s.ctx, req, func(p wire.RehearsalProgress) { b.counted(phases[p.Phase], p.Done, p.Total) })
}

// headings of the groups of an effect.
var headings = map[string]string{
	wire.EffectBroken:    "A retry settles these open issues now, and would not any more",
	wire.EffectRefused:   "These changes would have been refused",
	wire.EffectStranded:  "These records have something that is gone",
	wire.EffectInvalid:   "These records would be invalid",
	wire.EffectFixed:     "A retry would settle these open issues",
	wire.EffectApplied:   "These changes were refused, and would have been applied",
	wire.EffectChanged:   "These changes would have had another result",
	wire.EffectConverted: "These records are converted",
	wire.EffectStays:     "These open issues would be refused for another cause",
	wire.EffectDiffers:   "These changes would have been refused for another cause",
}

// rehearsal prints a rehearsal for a person.
func (s *session) rehearsal(o *wire.Rehearsal) {
	fmt.Fprintln(s.out, o.Verdict)
	s.listProblems(o.Problems)
	effect := ""
	for _, g := range o.Groups {
		if g.Effect != effect {
			s.beyond(o, effect)
			effect = g.Effect
			fmt.Fprintf(s.out, "\n%s:\n", headings[effect])
		}
		s.rehearsed(&g)
	}
	s.beyond(o, effect)
	s.rest(o)
}

// beyond says how many cases of an effect are of causes that are not listed.
func (s *session) beyond(o *wire.Rehearsal, effect string) {
	if n := o.More[effect]; n > 0 {
		fmt.Fprintf(s.out, "%7d  of other causes\n", n)
	}
}

// rehearsed prints one cause.
func (s *session) rehearsed(g *wire.RehearsedGroup) {
	about := []string{g.Title}
	if g.Transition != "" {
		about = append(about, g.Transition)
	} else if g.Op != "" {
		about = append(about, string(g.Op))
	}
	if g.Kind != "" {
		about = append(about, words(g.Kind))
	}
	by := ""
	if g.Users > 0 {
		by = fmt.Sprintf(" by %d %s", g.Users, map[bool]string{true: "person", false: "people"}[g.Users == 1])
	}
	fmt.Fprintf(s.out, "%7d  %s%s\n", g.Count, strings.Join(slices.DeleteFunc(about, func(a string) bool { return a == "" }), ", "), by)
	for _, m := range g.Messages {
		fmt.Fprintf(s.out, "         %s\n", m.Text)
		if m.Hint != "" {
			fmt.Fprintf(s.out, "           %s\n", m.Hint)
		}
	}
	if len(g.Examples) > 0 {
		fmt.Fprintf(s.out, "         for example %s\n", strings.Join(g.Examples, ", "))
	}
}

// rest prints what is no cause of anything.
func (s *session) rest(o *wire.Rehearsal) {
	var lines []string
	if n := o.Issues.Ready; n > 0 {
		lines = append(lines, fmt.Sprintf("%d open issues pass a retry as it is: landfall issue retry --all", n))
	}
	if n := o.Issues.Sight; n > 0 {
		lines = append(lines, fmt.Sprintf("%d open issues enter or leave devices, since the members of their queues change", n))
	}
	for _, x := range o.Sight {
		lines = append(lines, fmt.Sprintf("%s: %s gains sight of %d records, and loses it of %d", x.Title, x.Key, x.Gains, x.Loses))
	}
	if d := &o.Devices; d.Waiting > 0 {
		lines = append(lines, fmt.Sprintf("%d changes were unsent on %d devices when those were last heard of; they are judged by what is published when they come", d.Waiting, d.Unsent))
	}
	if n := o.Devices.Older; n > 0 {
		lines = append(lines, fmt.Sprintf("%d of %d devices knew an older version than the published one at their last push", n, o.Devices.Devices))
	}
	if n := o.Items.Unjudged; n > 0 {
		lines = append(lines, fmt.Sprintf("%d of the last %d inbox items have no verdict that could be compared", n, o.Items.Looked))
	}
	if len(lines) > 0 {
		fmt.Fprintln(s.out)
	}
	for _, line := range lines {
		fmt.Fprintf(s.out, "- %s\n", line)
	}
}

func mistaken(problems []wire.Problem) bool {
	return slices.ContainsFunc(problems, func(p wire.Problem) bool { return !p.Warning })
}
