package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type issueCmd struct {
	List    issueListCmd    `cmd:"" help:"List issues."`
	Causes  issueCausesCmd  `cmd:"" help:"Unresolved issues by what they have in common."`
	Show    issueShowCmd    `cmd:"" help:"Compare both sides."`
	Claim   issueClaimCmd   `cmd:"" help:"Take an issue for a while."`
	Release issueReleaseCmd `cmd:"" help:"Give an issue back."`
	Resolve issueResolveCmd `cmd:"" help:"Decide an issue."`
	Retry   issueRetryCmd   `cmd:"" help:"Judge issues again, as their authors."`
	Repair  issueRepairCmd  `cmd:"" help:"Edit what was refused, and judge it again as its author's."`
	Comment issueCommentCmd `cmd:"" help:"Remark on an issue."`
	Assign  issueAssignCmd  `cmd:"" help:"Send an issue to a queue or person."`
	Reopen  issueReopenCmd  `cmd:"" help:"Take a resolved issue up again."`
}

type issueArg struct {
	Issue string `arg:"" help:"Which issue: its number, id, or the beginning of the id."`
}

type issueListCmd struct {
	listFlags
	Cause string `help:"Of this cause." placeholder:"CAUSE"`
}

func (c *issueListCmd) Help() string {
	return "Unresolved ones, unless --state says otherwise (open, claimed, resolved, unresolved, all).\nExample:\n  landfall issue list --queue sync-conflicts"
}

// Run lists issues.
func (c *issueListCmd) Run(s *session) error {
	if err := c.known(); err != nil {
		return err
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	f := c.filter()
	f.Cause = c.Cause
	l, err := d.Issues(s.ctx, f)
	if err != nil {
		return err
	}
	return page(s, l, func(i *wire.IssueView) string { return i.ID }, "No issue waits here: whatever devices sent is applied or decided.",
		[]string{"NO.", "KIND", "RECORD", "BY", "STATE", "QUEUE", "RECEIVED"}, func(i *wire.IssueView) []string {
			state := i.State
			switch {
			case i.State == landfall.IssueClaimed:
				state += " (" + i.Assignee + ")"
			case i.Settlement != "":
				state += " (" + string(i.Settlement) + ")"
			}
			return []string{fmt.Sprint(i.Number), words(i.Kind), or(i.RecordTitle, i.RecordType) + " " + or(i.RecordNumber, abbreviate(i.Record)), i.Author, state, or(i.QueueTitle, i.Queue), when(i.ReceivedAt)}
		})
}

// issueStates are what --state can be.
var issueStates = []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved, "unresolved", "all"}

// known names what was probably meant by a kind or state that there is not.
func (c *issueListCmd) known() error {
	kinds := make([]string, 0, len(landfall.Kinds))
	for _, k := range landfall.Kinds {
		kinds = append(kinds, string(k))
	}
	if c.Kind != "" && !slices.Contains(kinds, c.Kind) {
		return definition.Unknown(landfall.CodeInvalid, "kind", c.Kind, kinds)
	}
	if c.State != "" && !slices.Contains(issueStates, c.State) {
		return definition.Unknown(landfall.CodeInvalid, "state", c.State, issueStates)
	}
	return nil
}

type issueCausesCmd struct{}

func (c *issueCausesCmd) Help() string {
	return "The largest cause first; they count the issues that you may see.\nExample:\n  landfall issue causes\n  landfall issue retry --cause 9c1e04b2a7d0f311 --dry-run"
}

// Run groups issues.
func (c *issueCausesCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Causes(s.ctx)
	if err != nil {
		return err
	}
	if s.opts.JSON || s.opts.Quiet || len(l.Items) == 0 {
		return page(s, l, func(x *wire.Cause) string { return x.Cause }, "No issue waits that you may see: whatever devices sent is applied or decided.", nil, nil)
	}
	for i := range l.Items {
		s.cause(&l.Items[i])
	}
	return nil
}

// cause prints one cause: what it is, what to do, whom it concerns, and how to
// go on.
func (s *session) cause(x *wire.Cause) {
	users := strings.Join(x.Users, ", ")
	if n := x.UserCount - len(x.Users); n > 0 {
		users += fmt.Sprintf(" and %d more", n)
	}
	fmt.Fprintf(s.out, "%s  %s  %s\n", x.Cause, words(x.Kind), x.Title)
	if x.Fix != "" {
		fmt.Fprintf(s.out, "  %s\n", x.Fix)
	}
	fmt.Fprintf(s.out, "  by %s, on %d %s, last at %s: landfall issue list --cause %s\n", users, x.Devices, plural(x.Devices, "device", "devices"), when(x.LastSeen), x.Cause)
}

type issueShowCmd struct{ issueArg }

func (c *issueShowCmd) Help() string { return "Example:\n  landfall issue show 17" }

// Run shows an issue.
func (c *issueShowCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Issue(s.ctx, c.Issue)
	if err != nil {
		return err
	}
	return s.show(i, i.ID, func() { compare(s.out, i) })
}

func (s *session) issue(i *wire.IssueView, err error, what string) error {
	if err != nil {
		return err
	}
	return s.show(i, i.ID, func() { fmt.Fprintf(s.out, "Sync issue %d %s\n", i.Number, what) })
}

type issueClaimCmd struct{ issueArg }

func (c *issueClaimCmd) Help() string {
	return "Nobody else may take, assign or decide it until the claim ends: when its time is\n" +
		"over, when you release it, or when you may not decide it any more. Claim it\nagain to keep it for longer. Example:\n  landfall issue claim 17"
}

// Run claims an issue.
func (c *issueClaimCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Claim(s.ctx, c.Issue)
	until := ""
	if i != nil && i.ClaimedUntil != nil {
		until = " until " + when(*i.ClaimedUntil)
	}
	return s.issue(i, err, "is yours"+until+".")
}

type issueReleaseCmd struct{ issueArg }

// Run gives an issue back.
func (c *issueReleaseCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Release(s.ctx, c.Issue)
	return s.issue(i, err, "is open to everybody in its queue again.")
}

type issueCommentCmd struct {
	issueArg
	Text string `arg:"" help:"What to say."`
}

func (c *issueCommentCmd) Help() string {
	return "Example:\n  landfall issue comment 17 \"asked Emma for the receipt\""
}

// Run comments on an issue.
func (c *issueCommentCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Comment(s.ctx, c.Issue, c.Text)
	return s.issue(i, err, "has your comment; its author's devices get it, too.")
}

type issueAssignCmd struct {
	issueArg
	To   string `arg:"" help:"user:NAME or queue:NAME."`
	Note string `help:"Why."`
}

func (c *issueAssignCmd) Help() string { return "Example:\n  landfall issue assign 17 user:mara" }

// Run assigns an issue.
func (c *issueAssignCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Assign(s.ctx, c.Issue, wire.Assign{To: c.To, Note: c.Note})
	return s.issue(i, err, "goes to "+c.To+".")
}

type issueReopenCmd struct {
	issueArg
	Note string `help:"Why."`
}

// Run takes an issue up again.
func (c *issueReopenCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Reopen(s.ctx, c.Issue, c.Note)
	return s.issue(i, err, "is open again, with everything that was sent.")
}

type issueResolveCmd struct {
	issueArg
	Take   []string `help:"device or server, for all fields or FIELD=SIDE; may be repeated." placeholder:"SIDE"`
	Set    []string `help:"Another value, FIELD=VALUE; may be repeated." placeholder:"FIELD=VALUE" sep:"none"`
	Before []string `help:"A transition to make first; may be repeated." placeholder:"MOVE"`
	After  []string `help:"A transition to make last; may be repeated." placeholder:"MOVE"`
	To     string   `help:"Hand the case to user:NAME or queue:NAME."`
	Note   string   `help:"Why; the author reads it."`
	IfSeen int64    `help:"Decide up to this change of the device; what came later is judged after." placeholder:"N"`
	DryRun bool     `help:"Tell what would happen, and change nothing."`
}

func (c *issueResolveCmd) Help() string {
	return "Example:\n  landfall issue resolve 17 --take device --before reopen --after submit --to user:mara --note \"receipt seen\""
}

// Run decides an issue.
func (c *issueResolveCmd) Run(s *session) error {
	if len(c.Take)+len(c.Set)+len(c.Before)+len(c.After) == 0 {
		return landfall.Errorf(landfall.CodeInvalid, "this does not say what to keep").
			WithHint("--take device applies what was entered, --take server leaves it out, --take FIELD=SIDE and --set FIELD=VALUE choose field by field; look first with --dry-run")
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Issue(s.ctx, c.Issue)
	if err != nil {
		return err
	}
	dec, err := c.decision(s, d, i)
	if err != nil {
		return err
	}
	r, err := d.Resolve(s.ctx, i.ID, wire.Resolve{Decision: *dec, DryRun: c.DryRun})
	if err != nil {
		return err
	}
	return s.show(r, r.Issue.ID, func() { resolution(s.out, i, r) })
}

func (c *issueResolveCmd) decision(s *session, d *desk.Desk, i *wire.IssueDetail) (*core.Decision, error) {
	dec := &core.Decision{Before: c.Before, After: c.After, To: c.To, Note: c.Note, Through: c.IfSeen, Version: i.RecordVersion, Fields: map[string]core.Side{}}
	if dec.Through == 0 {
		dec.Through = i.Through
	}
	for _, t := range c.Take {
		field, side, one := strings.Cut(t, "=")
		if !one {
			side = field
		}
		if side != string(core.DeviceSide) && side != string(core.ServerSide) {
			return nil, landfall.Errorf(landfall.CodeInvalid, "--take %s: a side is device or server", t).WithHint("for example --take device, or --take amount=device")
		}
		if one {
			dec.Fields[field] = core.Side(side)
		} else {
			dec.Take = core.Side(side)
		}
	}
	if len(c.Set) == 0 {
		return dec, nil
	}
	a, err := app(s, d)
	if err != nil {
		return nil, err
	}
	t := a.Types[i.RecordType]
	if t == nil {
		t = &definition.Type{Title: i.RecordType}
	}
	dec.Set, err = assignments(t, c.Set)
	return dec, err
}
