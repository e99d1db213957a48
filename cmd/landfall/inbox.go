package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type inboxCmd struct {
	List   inboxListCmd   `cmd:"" help:"What came in, newest first."`
	Show   inboxShowCmd   `cmd:"" help:"One item with its history and parameters."`
	Retry  inboxRetryCmd  `cmd:"" help:"Judge the items' issues again."`
	Repair inboxRepairCmd `cmd:"" help:"Edit what was refused, and judge it again as its author's."`
	Clean  inboxCleanCmd  `cmd:"" help:"Remove the parameters of items that were completed long ago."`
}

type inboxListCmd struct {
	State  string `help:"In this state." placeholder:"STATE"`
	Kind   string `help:"Refused for this." placeholder:"KIND"`
	User   string `help:"By this user." placeholder:"NAME"`
	Device string `help:"From this device: its name, or enough of its id." placeholder:"DEVICE"`
	Type   string `help:"About records of this type." placeholder:"TYPE"`
	Record string `help:"About this record: its number, or enough of its id." placeholder:"REF"`
	Op     string `help:"That do this: create, update, transition, delete, ..." placeholder:"OP"`
	Since  string `help:"Received since: a time, a date, or how long ago, such as 2h or 3d." placeholder:"WHEN"`
	Until  string `help:"Received before: like --since." placeholder:"WHEN"`
	Text   string `help:"With this in anything that the list or the item shows you, in whatever case." placeholder:"TEXT"`
	Order  string `help:"desc: newest first; asc: oldest first." enum:"asc,desc" default:"desc"`
	pageFlags
}

func (c *inboxListCmd) Help() string {
	return "States: queued, in-progress, completed, completed-with-errors, withdrawn.\nExample:\n" +
		"  landfall inbox list --state completed-with-errors --user emma\n  landfall inbox list --record EXP-1042 --order asc\n  landfall inbox list --since 3d --until 2h --text taxi"
}

// Run lists the inbox.
func (c *inboxListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := search(s, c.pageFlags, func(p pageFlags) (*wire.List[wire.ItemView], error) {
		return d.Inbox(s.ctx, desk.Filter{
			State: c.State, Kind: c.Kind, User: c.User, Device: c.Device, Type: c.Type, Record: c.Record, Op: c.Op,
			Since: instant(c.Since), Until: instant(c.Until), Text: c.Text, Order: c.Order, Limit: p.Limit, After: p.After,
		})
	})
	if err != nil {
		return err
	}
	return page(s, l, func(i *wire.ItemView) string { return i.ID }, "Nothing came in that is like this.",
		[]string{"RECEIVED", "STATE", "WHY", "USER", "DEVICE", "WHAT", "RECORD", "ID"}, func(i *wire.ItemView) []string {
			return []string{when(i.ReceivedAt), i.State, words(i.Kind), i.User, or(i.DeviceName, abbreviate(i.Device)), string(i.Op) + " " + i.Type, or(i.Number, abbreviate(i.Record)), i.ID}
		})
}

// search asks on until a page is full, or there is no more: the server looks at
// so much a request. It can be interrupted.
func search[T any](s *session, p pageFlags, ask func(pageFlags) (*wire.List[T], error)) (*wire.List[T], error) {
	all := &wire.List[T]{Items: []T{}}
	for {
		l, err := ask(p)
		if err != nil {
			return nil, err
		}
		all.Items = append(all.Items, l.Items...)
		all.Next, all.SearchedTo = l.Next, l.SearchedTo
		if l.Next == "" || l.SearchedTo.IsZero() || len(l.Items) >= p.Limit {
			break
		}
		p.After, p.Limit = l.Next, p.Limit-len(l.Items)
		if s.interactive() {
			fmt.Fprintf(s.err, "\rsearched to %s \x1b[K", when(l.SearchedTo))
		}
	}
	if s.interactive() {
		fmt.Fprint(s.err, "\r\x1b[K")
	}
	return all, nil
}

// instant is a date as the beginning of that day here; anything else stays for
// the server to read.
func instant(text string) string {
	if t, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return t.Format(time.RFC3339)
	}
	return text
}

type inboxShowCmd struct {
	ID   string `arg:"" help:"Which item."`
	Wait string `help:"Wait until it is in this state (up to 30 seconds)." placeholder:"STATE"`
}

func (c *inboxShowCmd) Help() string {
	return "Example:\n  landfall inbox show 0198c3aa….1.7 --wait completed"
}

// Run shows an item.
func (c *inboxShowCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	i, err := d.Item(s.ctx, c.ID, c.Wait)
	if err != nil {
		return err
	}
	if err := s.show(i, i.ID, func() {
		printItem(s.out, i)
		nextStep(s, d, i)
	}); err != nil {
		return err
	}
	if c.Wait != "" && i.State != c.Wait {
		return errWanting
	}
	return nil
}

// printItem shows an item to a person: what was asked for, what became of it,
// how it came to that, and what to do next.
func printItem(w io.Writer, i *wire.ItemView) {
	what := string(i.Op)
	if m := i.Mutation; m != nil && m.Transition != "" {
		what = m.Transition
	}
	fmt.Fprintf(w, "%s %s %s   %s%s\n", what, i.Type, or(i.Number, i.Record), i.State, inBrackets(words(i.Kind)))
	fmt.Fprintf(w, "by %s on %s, received %s\n%s\n", capital(i.User), or(i.DeviceName, i.Device), when(i.ReceivedAt), i.ID)
	if r := i.Receipt; r != nil {
		for _, m := range r.Messages {
			fmt.Fprintf(w, "  - %s\n", said(&m))
		}
		fmt.Fprintf(w, "receipt   %s at %d%s\n", r.Result, r.Seq, inBrackets(r.Note))
	}
	if o := i.Outcome; o != nil {
		fmt.Fprintf(w, "outcome   %s at %d\n", o.Settlement, o.Seq)
	}
	if len(i.History) > 0 {
		fmt.Fprintln(w, "history")
		for _, e := range i.History {
			line := fmt.Sprintf("  %s  %-22s %s%s", e.At.Local().Format(time.DateTime), e.State, e.Text, byWhom(e.By))
			fmt.Fprintln(w, strings.TrimRight(line, " "))
		}
	}
	parameters(w, i)
	repairs(w, i.Repairs)
}

func inBrackets(text string) string {
	if text == "" {
		return ""
	}
	return " (" + text + ")"
}

func byWhom(name string) string {
	if name == "" {
		return ""
	}
	return ", by " + capital(name)
}

// parameters prints what was sent: field by field, where it can be read.
func parameters(w io.Writer, i *wire.ItemView) {
	switch {
	case i.CleanedAt != nil:
		age := i.CleanedAt.Sub(*i.EndedAt)
		after := fmt.Sprintf("%d days", int(age.Hours()/24))
		if age < 48*time.Hour {
			after = fmt.Sprintf("%d hours", int(age.Hours()))
		}
		fmt.Fprintf(w, "Its parameters were removed on %s, %s after it completed.\n", i.CleanedAt.Local().Format(time.DateOnly), after)
		return
	case i.Hidden:
		fmt.Fprintln(w, "You may not see its parameters.")
		return
	}
	if m := i.Mutation; m != nil && len(m.Set) > 0 {
		var rows [][]string
		for name := range m.Set {
			was := ""
			if m.Base != nil && m.Base.Was != nil {
				was = plain(m.Base.Was[name])
			}
			rows = append(rows, []string{name, plain(m.Set[name]), was})
		}
		slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
		grid(w, append([][]string{{"parameters", "to", "from"}}, rows...))
	}
	if i.Sent != "" {
		fmt.Fprintf(w, "as sent   %s\n", strings.TrimSpace(i.Sent))
	}
}

// nextStep says where to go on: to the issue, for those who may see it. Not
// everybody who sees an item does.
func nextStep(s *session, d *desk.Desk, i *wire.ItemView) {
	w, x := s.out, i.Issue
	if x != nil {
		if _, err := d.Issue(s.ctx, fmt.Sprint(x.Number)); err != nil {
			fmt.Fprintf(w, "It belongs to sync issue %d (%s), which others decide: it is in a queue that is not yours.\n", x.Number, x.State)
			return
		}
	}
	switch {
	case x == nil:
	case x.Waits:
		fmt.Fprintf(w, "It waits behind sync issue %d: landfall issue show %d\n", x.Number, x.Number)
	case x.State == landfall.IssueResolved:
		fmt.Fprintf(w, "Sync issue %d is decided: landfall issue show %d\n", x.Number, x.Number)
	default:
		fmt.Fprintf(w, "It is sync issue %d (%s): landfall issue show %d\n", x.Number, x.State, x.Number)
	}
}

type inboxCleanCmd struct {
	OlderThan string `help:"Completed so long ago, such as 90d or 36h; or before a point in time." required:"" placeholder:"AGE"`
	DryRun    bool   `help:"Only count them."`
}

func (c *inboxCleanCmd) Help() string {
	return "The server does this by itself, as the setting inbox.keep says. What was sent, the history and the messages of\n" +
		"completed items go; their numbers, hashes, results and outcomes stay. Items with errors are never touched.\n" +
		"Example:\n  landfall inbox clean --older-than 8d --dry-run"
}

// Run cleans step by step. Interrupted, it has done what it has done; run it again.
func (c *inboxCleanCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	ask, total := wire.Clean{OlderThan: instant(c.OlderThan), DryRun: c.DryRun}, wire.Cleaning{DryRun: c.DryRun}
	for {
		done, err := d.Clean(s.ctx, ask)
		if err != nil {
			return err
		}
		total.Cleaned, total.Kept, total.Before = total.Cleaned+done.Cleaned, total.Kept+done.Kept, done.Before
		if done.Next == "" {
			break
		}
		ask.After, ask.OlderThan = done.Next, done.Before.Format(time.RFC3339Nano)
		if s.interactive() {
			fmt.Fprintf(s.err, "\rcleaned %d ", total.Cleaned)
		}
	}
	if s.interactive() {
		fmt.Fprint(s.err, "\r\x1b[K")
	}
	return s.show(&total, fmt.Sprint(total.Cleaned), func() {
		said := "The parameters of %d items were removed"
		if c.DryRun {
			said = "The parameters of %d items would be removed"
		}
		fmt.Fprintf(s.out, said+": completed before %s.\n", total.Cleaned, when(total.Before))
		if total.Kept > 0 {
			fmt.Fprintf(s.out, "%d stay, since an open issue needs them.\n", total.Kept)
		}
	})
}
