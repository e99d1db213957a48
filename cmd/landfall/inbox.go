package main

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type inboxCmd struct {
	List  inboxListCmd  `cmd:"" help:"List what came in, newest first."`
	Show  inboxShowCmd  `cmd:"" help:"One item with its history and parameters."`
	Retry inboxRetryCmd `cmd:"" help:"Judge the item's issue again."`
}

type inboxListCmd struct{ listFlags }

func (c *inboxListCmd) Help() string {
	return "States: queued, in-progress, completed, completed-with-errors, withdrawn.\nExample:\n  landfall inbox list --state completed-with-errors --user emma"
}

// Run lists the inbox.
func (c *inboxListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Inbox(s.ctx, c.filter())
	if err != nil {
		return err
	}
	return page(s, l, func(i *wire.ItemView) string { return i.ID }, "Nothing came in that is like this.",
		[]string{"RECEIVED", "STATE", "USER", "DEVICE", "WHAT", "RECORD", "ID"}, func(i *wire.ItemView) []string {
			return []string{when(i.ReceivedAt), i.State, i.User, or(i.DeviceName, abbreviate(i.Device)), string(i.Op) + " " + i.Type, abbreviate(i.Record), i.ID}
		})
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
	if err := s.show(i, i.ID, func() { s.item(i) }); err != nil {
		return err
	}
	if c.Wait != "" && i.State != c.Wait {
		return errWanting
	}
	return nil
}

func (s *session) item(i *wire.ItemView) {
	fmt.Fprintf(s.out, "%s  %s\n%s %s %s, by %s on %s\n", i.ID, i.State, i.Op, i.Type, i.Record, capital(i.User), or(i.DeviceName, i.Device))
	for _, e := range i.History {
		by := ""
		if e.By != "" {
			by = " by " + capital(e.By)
		}
		fmt.Fprintf(s.out, "  %s  %s%s  %s\n", when(e.At), e.State, by, e.Text)
	}
	if r := i.Receipt; r != nil {
		fmt.Fprintf(s.out, "receipt: %s", r.Result)
		if r.Issue != "" {
			fmt.Fprintf(s.out, " %s", r.Issue)
		}
		fmt.Fprintf(s.out, " at %d %s\n", r.Seq, r.Note)
		for _, m := range r.Messages {
			fmt.Fprintf(s.out, "  - %s %s\n", m.Text, m.Hint)
		}
	}
	if o := i.Outcome; o != nil {
		fmt.Fprintf(s.out, "outcome: %s %s\n", o.Settlement, o.Issue)
	}
	if i.Hidden {
		fmt.Fprintln(s.out, "You may not see its parameters.")
	} else if i.Sent != "" {
		fmt.Fprintf(s.out, "as sent: %s\n", strings.TrimSpace(i.Sent))
	}
}

type inboxRetryCmd struct {
	ID []string `arg:"" help:"Which items."`
}

func (c *inboxRetryCmd) Help() string { return "Example:\n  landfall inbox retry 0198c3aa….1.7" }

// Run retries items.
func (c *inboxRetryCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	all := &wire.List[wire.Retried]{Items: []wire.Retried{}}
	for _, id := range c.ID {
		l, err := d.RetryItem(s.ctx, id)
		if err != nil {
			return err
		}
		all.Items = append(all.Items, l.Items...)
	}
	return s.retried(all, false)
}

type queueCmd struct {
	List queueListCmd `cmd:"" help:"The queues that you belong to."`
	Show queueShowCmd `cmd:"" help:"What waits in a queue."`
	Land queueLandCmd `cmd:"" help:"Hand in what was exported from a device."`
}

type queueListCmd struct{}

// Run lists queues.
func (c *queueListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Queues(s.ctx)
	if err != nil {
		return err
	}
	return page(s, l, func(q *wire.QueueView) string { return q.Name }, "You belong to no queue.", []string{"NAME", "TITLE", "MEMBERS", "WAITING"}, func(q *wire.QueueView) []string {
		return []string{q.Name, q.Title, strings.Join(q.Members, ", "), fmt.Sprint(q.Waiting)}
	})
}

func (s *session) work(l *wire.List[wire.WorkItem], err error, empty string) error {
	if err != nil {
		return err
	}
	return page(s, l, func(i *wire.WorkItem) string { return i.ID }, empty, []string{"ID", "WHAT", "NUMBER", "LABEL", "STATUS", "WAITS", "SINCE"}, func(i *wire.WorkItem) []string {
		return []string{abbreviate(i.ID), i.Type, i.Number, i.Label, i.Status, waits(i.Queue, i.Assignee), when(i.Since)}
	})
}

type queueShowCmd struct {
	Name string `arg:"" help:"Which queue."`
	pageFlags
}

func (c *queueShowCmd) Help() string { return "Example:\n  landfall queue show approvals" }

// Run shows a queue.
func (c *queueShowCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Queue(s.ctx, c.Name, desk.Filter{Limit: c.Limit, After: c.After})
	return s.work(l, err, "Nothing waits in this queue.")
}

type worklistCmd struct{ pageFlags }

func (c *worklistCmd) Help() string { return "Example:\n  landfall --as mara worklist" }

// Run shows the worklist.
func (c *worklistCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Worklist(s.ctx, desk.Filter{Limit: c.Limit, After: c.After})
	return s.work(l, err, "Nothing waits for you. What waits for one of many is in the queues: landfall queue list")
}
