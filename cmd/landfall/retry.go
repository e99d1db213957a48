package main

import (
	"fmt"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type issueRetryCmd struct {
	Issues []string `arg:"" optional:"" help:"Which issues." name:"issue"`
	Cause  string   `help:"All issues of this cause." placeholder:"CAUSE"`
	All    bool     `help:"All unresolved issues that you may retry."`
	DryRun bool     `help:"Tell what would happen to each as everything is now, and change nothing."`
	Yes    bool     `help:"Don't ask before retrying many."`
}

func (c *issueRetryCmd) Help() string {
	return "It goes on a few at a time, and can be interrupted: what is settled stays so, and the same command goes on with the rest.\nExample:\n  landfall issue retry --cause 9c1e04b2a7d0 --dry-run"
}

// Run retries issues.
func (c *issueRetryCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	if (c.All || c.Cause != "") && !c.DryRun && !c.Yes {
		return landfall.Errorf(landfall.CodeInvalid, "this may retry many issues").WithHint("look first with --dry-run, then say --yes")
	}
	return s.retry(d, wire.Retry{Issues: c.Issues, Cause: c.Cause, All: c.All, DryRun: c.DryRun})
}

// retry asks for one page of a retry after the other, and tells of each as it
// comes.
func (s *session) retry(d *desk.Desk, req wire.Retry) error {
	t := &retryTold{s: s, dry: req.DryRun, all: &wire.List[wire.Retried]{Items: []wire.Retried{}}}
	b := s.bar("retrying")
	defer b.end()
	for {
		l, err := d.Retry(s.ctx, req)
		if err != nil {
			b.end()
			t.summary(req.After != "" && !req.DryRun)
			return err
		}
		b.end()
		t.tell(l)
		if l.Next == "" {
			return t.end()
		}
		b.counted("issues", t.settled+t.refused, max(t.settled+t.refused, t.total))
		req.After = l.Next
	}
}

type inboxRetryCmd struct {
	ID     []string `arg:"" help:"Which items."`
	DryRun bool     `help:"Tell what would happen to each as everything is now, and change nothing."`
}

func (c *inboxRetryCmd) Help() string { return "Example:\n  landfall inbox retry 0198c3aa….1.7" }

// Run retries the issues of items.
func (c *inboxRetryCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	req := wire.Retry{DryRun: c.DryRun}
	for _, id := range c.ID {
		issue, _, err := openIssue(s, d, id)
		if err != nil {
			return err
		}
		req.Issues = append(req.Issues, issue)
	}
	return s.retry(d, req)
}

// openIssue is the open issue of an inbox item.
func openIssue(s *session, d *desk.Desk, id string) (string, *wire.ItemView, error) {
	it, err := d.Item(s.ctx, id, "")
	if err != nil {
		return "", nil, err
	}
	issue := ""
	if it.Receipt != nil {
		issue = it.Receipt.Issue
	}
	if o := it.Outcome; o != nil {
		issue = ""
		if o.Settlement == landfall.SettledMoved {
			issue = o.Issue
		}
	}
	if issue == "" {
		return "", nil, landfall.Errorf(landfall.CodeConflict, "the item %s has no open issue, so there is nothing to do about it", id).WithHint("landfall inbox show %s tells what became of it", id)
	}
	return issue, it, nil
}

// retryTold tells what becomes of retries, page by page.
type retryTold struct {
	s                *session
	dry              bool
	settled, refused int
	total            int
	all              *wire.List[wire.Retried] // for JSON
}

func (t *retryTold) tell(l *wire.Retries) {
	t.total = max(t.total, l.Total)
	for i := range l.Items {
		r := &l.Items[i]
		if r.Settled {
			t.settled++
		} else {
			t.refused++
		}
		switch {
		case t.s.opts.JSON:
			t.all.Items = append(t.all.Items, *r)
		case t.s.opts.Quiet:
			fmt.Fprintln(t.s.out, r.Issue)
		default:
			t.line(r)
		}
	}
}

func (t *retryTold) line(r *wire.Retried) {
	verb, still := "is", "is still refused"
	if t.dry {
		verb, still = "would be", "would still be refused"
	}
	if r.Settled {
		fmt.Fprintf(t.s.out, "Sync issue %d %s settled: %s\n", r.Number, verb, r.Settle)
		released(t.s.out, r.Released, t.dry)
		return
	}
	fmt.Fprintf(t.s.out, "Sync issue %d %s (%s)\n", r.Number, still, words(r.Kind))
	for _, m := range r.Messages {
		fmt.Fprintf(t.s.out, "  - %s\n", said(&m))
	}
}

// summary says how far it is.
func (t *retryTold) summary(more bool) {
	n := t.settled + t.refused
	if n < 2 && !more || t.s.opts.JSON || t.s.opts.Quiet {
		return
	}
	verb, still := "settled", "still refused"
	if t.dry {
		verb, still = "would be settled", "would still be refused"
	}
	fmt.Fprintf(t.s.out, "%d tried: %d %s, %d %s.\n", n, t.settled, verb, t.refused, still)
	if more {
		fmt.Fprintln(t.s.out, "The same command goes on with the rest.")
	}
}

// end is the last word; an issue that is still refused is wanting.
func (t *retryTold) end() error {
	t.summary(false)
	if t.settled+t.refused == 0 && !t.s.opts.Quiet && !t.s.opts.JSON {
		fmt.Fprintln(t.s.out, "There was nothing to retry.")
	}
	if t.s.opts.JSON {
		if err := t.s.json(t.all); err != nil {
			return err
		}
	}
	if t.refused > 0 {
		return errWanting
	}
	return nil
}
