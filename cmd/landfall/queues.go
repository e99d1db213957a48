package main

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

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
