package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

// repairFlags say how a refused change is repaired.
type repairFlags struct {
	Set        []string `arg:"" optional:"" help:"Edited values, FIELD=VALUE; FIELD= clears." name:"field=value" sep:"none"`
	Drop       []string `help:"A field that is left out; may be repeated." placeholder:"FIELD"`
	Transition string   `help:"Another transition than was sent." placeholder:"MOVE"`
	Type       string   `help:"Of a change that can't be read: the type of its record." placeholder:"TYPE"`
	Record     string   `help:"Of a change that can't be read: the id of its record." placeholder:"ID"`
	Op         string   `help:"Of a change that can't be read: create, update, transition, delete or restore." placeholder:"OP"`
	Note       string   `help:"Why; the author reads it."`
	IfSeen     int64    `help:"Only if the issue is still at this version." placeholder:"VERSION"`
	DryRun     bool     `help:"Tell what would happen, and change nothing."`
}

type issueRepairCmd struct {
	issueArg
	N int64 `help:"Which of the changes that the issue holds, by its number; else the refused one." placeholder:"N"`
	repairFlags
}

func (c *issueRepairCmd) Help() string {
	return "What was sent stays, and so does who sent it. It is judged as its author's change, and both of you need the right to make it.\nExample:\n  landfall issue repair 17 amount=120 --note \"a comma was missing\" --dry-run"
}

// Run repairs what an issue holds.
func (c *issueRepairCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	return c.repair(s, d, c.Issue, c.N)
}

type inboxRepairCmd struct {
	ID string `arg:"" help:"Which item."`
	repairFlags
}

func (c *inboxRepairCmd) Help() string {
	return "Example:\n  landfall inbox repair 0198c3aa….1.7 amount=120 --note \"a comma was missing\""
}

// Run repairs an item of the inbox.
func (c *inboxRepairCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	issue, it, err := openIssue(s, d, c.ID)
	if err != nil {
		return err
	}
	k, err := landfall.ParseKey(it.ID)
	if err != nil {
		return err
	}
	return c.repair(s, d, issue, k.N)
}

func (c *repairFlags) repair(s *session, d *desk.Desk, issue string, n int64) error {
	i, err := d.Issue(s.ctx, issue)
	if err != nil {
		return err
	}
	req := wire.Repair{Drop: c.Drop, Transition: c.Transition, Type: c.Type, Record: c.Record, Op: landfall.Op(c.Op), N: n, Version: c.IfSeen, Note: c.Note, DryRun: c.DryRun}
	if req.Set, err = c.set(s, d, i, n); err != nil {
		return err
	}
	r, err := d.Repair(s.ctx, i.ID, req)
	if err != nil {
		return err
	}
	return s.show(r, r.Issue.ID, func() { repaired(s.out, i, r) })
}

// set reads the values by the type of the record of the change.
func (c *repairFlags) set(s *session, d *desk.Desk, i *wire.IssueDetail, n int64) (landfall.Fields, error) {
	if len(c.Set) == 0 {
		return nil, nil
	}
	a, err := app(s, d)
	if err != nil {
		return nil, err
	}
	name := or(c.Type, i.RecordType)
	for _, x := range i.Sent {
		if x.N == n && x.Mutation != nil && x.Mutation.Type != "" {
			name = x.Mutation.Type
		}
	}
	t := a.Types[name]
	if t == nil {
		return nil, definition.Unknown(landfall.CodeInvalid, "type", name, a.Order)
	}
	return assignments(t, c.Set)
}

func repaired(w io.Writer, i *wire.IssueDetail, r *wire.Repaired) {
	verb := "is repaired"
	if r.DryRun {
		verb = "would be repaired"
	}
	fmt.Fprintf(w, "Sync issue %d %s (%s): %s\n", i.Number, verb, strings.Join(r.Fields, ", "), r.Settlement)
	if rec := r.Record; rec != nil {
		fmt.Fprintf(w, "%s %s", or(i.RecordTitle, rec.Type), or(rec.Number, abbreviate(rec.ID)))
		if rec.Status != "" {
			fmt.Fprintf(w, " · %s", rec.Status)
		}
		fmt.Fprintln(w)
	}
	released(w, r.Released, r.DryRun)
}

// repairs prints what was put in the place of what was sent.
func repairs(w io.Writer, all []wire.RepairView) {
	for _, r := range all {
		fmt.Fprintf(w, "repaired by %s, %s%s\n", capital(r.By), when(r.At), note(r.Note))
		for _, f := range r.Fields {
			fmt.Fprintf(w, "  %-14s sent %s, repaired to %s\n", f.Field, or(plain(f.Sent), "(none)"), or(plain(f.Repaired), "(none)"))
		}
	}
}

// tried prints the tries that the server made by itself.
func tried(w io.Writer, i *wire.IssueDetail) {
	if n := len(i.Tried); n > 0 {
		last := i.Tried[n-1]
		fmt.Fprintf(w, "tried again by the server, last %s (%s): %s\n", when(last.At), or(last.Why, "from time to time"), words(last.Kind))
	}
	if i.NextTry != nil {
		fmt.Fprintf(w, "tried again by itself at %s\n", when(*i.NextTry))
	}
}
