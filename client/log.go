package client

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// LogEntry is one conflict or refusal in the sync log.
type LogEntry struct {
	Issue      string              `json:"issue"`
	Number     int64               `json:"number,omitempty"` // once the issue has been pulled
	Kind       landfall.Kind       `json:"kind"`
	Messages   []landfall.Message  `json:"messages,omitempty"`
	Type       string              `json:"type,omitempty"`
	Record     string              `json:"record,omitempty"`
	Label      string              `json:"label,omitempty"` // of the record, as far as the device has it
	Changes    int                 `json:"changes"`         // of this device that it holds
	State      string              `json:"state"`           // open, claimed, resolved
	Settlement landfall.Settlement `json:"settlement,omitempty"`
	Decider    string              `json:"decider,omitempty"`
	Note       string              `json:"note,omitempty"` // why
	Comments   []landfall.Comment  `json:"comments,omitempty"`
	At         time.Time           `json:"at,omitzero"`
	// Elsewhere: it came from another device of the user.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Reverting: the user took it back, and the server has yet to say so.
	Reverting bool `json:"reverting,omitempty"`
	// Actions that make sense now: amend, revert, retry.
	Actions []string `json:"actions,omitempty"`
}

// PendingEntry is one change that the server does not have yet, or has stored
// and not judged.
type PendingEntry struct {
	N          int64           `json:"n"`
	State      EntryState      `json:"state"`
	Op         landfall.Op     `json:"op"`
	Type       string          `json:"type,omitempty"`
	Record     string          `json:"record,omitempty"`
	Label      string          `json:"label,omitempty"`
	Transition string          `json:"transition,omitempty"`
	Set        landfall.Fields `json:"set,omitempty"`
	MadeAt     time.Time       `json:"made_at"`
}

// Pending lists what has not been sent, oldest first.
func (c *Client) Pending(ctx context.Context) (out []PendingEntry, err error) {
	err = c.read(ctx, func(tx Tx, s *state, app *definition.App) error {
		all, err := tx.Entries()
		if err != nil {
			return err
		}
		for _, e := range all {
			if !e.unsettled() {
				continue
			}
			m, err := decode(e)
			if err != nil {
				return err
			}
			out = append(out, PendingEntry{N: e.N, State: e.State, Op: m.Op, Type: m.Type, Record: m.ID, Label: c.labelOf(tx, s, app, m.ID), Transition: m.Transition, Set: m.Set, MadeAt: m.MadeAt})
		}
		return nil
	})
	return out, err
}

func (c *Client) labelOf(tx Tx, s *state, app *definition.App, id string) string {
	if id == "" {
		return ""
	}
	if v, err := c.find(tx, s, app, id); err == nil {
		return v.Label
	}
	return ""
}

// Log lists conflicts and refusals, newest first. Resolved ones stay, with who
// decided, how and why.
func (c *Client) Log(ctx context.Context) (out []LogEntry, err error) {
	err = c.read(ctx, func(tx Tx, s *state, app *definition.App) error {
		found := map[string]*LogEntry{}
		if err := mine(tx, found); err != nil {
			return err
		}
		issues, err := tx.Records(landfall.IssueType)
		if err != nil {
			return err
		}
		for _, r := range issues {
			i, err := landfall.IssueOf(r)
			if err != nil {
				return err
			}
			if i.Author == s.User {
				known(found, i, s.Replica)
			}
		}
		for _, l := range found {
			l.Label = c.labelOf(tx, s, app, l.Record)
			l.Actions = l.actions()
			out = append(out, *l)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b LogEntry) int { return strings.Compare(b.Issue, a.Issue) })
	return out, err
}

// mine are the issues that this device's own entries tell of.
func mine(tx Tx, found map[string]*LogEntry) error {
	all, err := tx.Entries()
	for _, e := range all {
		if e.Issue == "" {
			continue
		}
		l := found[e.Issue]
		if l == nil {
			l = &LogEntry{Issue: e.Issue, State: landfall.IssueOpen, Record: e.Record, Type: e.Type}
			found[e.Issue] = l
		}
		l.Changes++
		l.Reverting = l.Reverting || e.Reverted && e.State == Issued
		if !e.Waiting {
			l.Kind, l.Record, l.Type = e.Kind, e.Record, e.Type
			if e.Receipt != nil && e.Receipt.Issue == e.Issue {
				l.Messages = e.Receipt.Messages
			}
		}
		if e.State == Done && e.Outcome != nil {
			l.State, l.Settlement = landfall.IssueResolved, e.Outcome.Settlement
		}
	}
	return err
}

// known adds what the pulled issue tells.
func known(found map[string]*LogEntry, i *landfall.Issue, replica string) {
	l := found[i.ID]
	if l == nil {
		l = &LogEntry{Issue: i.ID, Elsewhere: i.Device != replica}
		found[i.ID] = l
	}
	l.Number, l.Kind, l.Messages, l.Type, l.Record = i.Number, i.Kind, i.Messages, i.RecordType, i.Record
	l.State, l.Settlement, l.Decider, l.Note, l.Comments, l.At = i.State, i.Settlement, i.Decider, i.Note, i.Comments, i.ReceivedAt
}

func (l *LogEntry) actions() []string {
	if l.State == landfall.IssueResolved || l.Elsewhere || l.Reverting {
		return nil
	}
	if l.Kind.Amendable() {
		return []string{"amend", "revert", "retry"}
	}
	return []string{"revert"}
}

// Retry asks the server to judge an issue of this device again.
func (c *Client) Retry(ctx context.Context, ref string) error {
	l, err := c.logged(ctx, ref)
	if err != nil {
		return err
	}
	done, err := c.opts.Transport.Retry(ctx, l.Issue)
	if err != nil {
		return err
	}
	for _, d := range done {
		if !d.Settled {
			return &landfall.Error{Code: landfall.CodeRefused, Message: "it is still refused", Kind: d.Kind, Messages: d.Messages}
		}
	}
	return nil
}

// logged finds an open entry of the log by number, id or record.
func (c *Client) logged(ctx context.Context, ref string) (*LogEntry, error) {
	all, err := c.Log(ctx)
	if err != nil {
		return nil, err
	}
	n, isNumber := parseNumber(ref)
	for _, l := range all {
		if l.State != landfall.IssueResolved && !l.Elsewhere && (isNumber && l.Number == n || l.Issue == ref || l.Record == ref || len(ref) >= 8 && (strings.HasPrefix(l.Issue, ref) || strings.HasPrefix(l.Record, ref))) {
			return &l, nil
		}
	}
	return nil, landfall.Errorf(landfall.CodeNotFound, "there is no open sync issue %q of this device", ref).WithHint("see `landfall field log`")
}

// Revert takes changes back: an issue with all of its lane, or the changes on a
// record. What was not sent becomes void under its number; what the server
// keeps as an issue is withdrawn.
func (c *Client) Revert(ctx context.Context, ref string) error {
	issue := ""
	if l, err := c.logged(ctx, ref); err == nil {
		issue = l.Issue
	} else if landfall.CodeOf(err) != landfall.CodeNotFound {
		return err
	}
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		app, err := c.compiled(s)
		if err != nil {
			return err
		}
		if issue != "" {
			return c.withdraw(tx, s, issue)
		}
		v, err := c.find(tx, s, app, ref)
		if err != nil {
			return err
		}
		return c.void(tx, v)
	})
}

// withdraw asks the server to take back what the issue holds, and takes it out
// of the view at once.
func (c *Client) withdraw(tx Tx, s *state, issue string) error {
	all, err := tx.Entries()
	if err != nil {
		return err
	}
	record := ""
	for _, e := range all {
		if e.Issue == issue && e.State == Issued {
			if e.Reverted {
				return landfall.Errorf(landfall.CodeConflict, "this was reverted already").WithHint("sync to hear of it")
			}
			if record == "" || !e.Waiting {
				record = e.Record
			}
		}
	}
	var unsent []*Entry
	for _, e := range all {
		switch {
		case e.Issue == issue && e.State == Issued && e.Record == record:
			e.Reverted = true
			if err := tx.PutEntry(e); err != nil {
				return err
			}
		case e.State == Pending && e.Record == record && record != "":
			unsent = append(unsent, e)
		}
	}
	if _, err := c.voidAll(tx, unsent); err != nil {
		return err
	}
	m := landfall.Mutation{N: s.Next, Op: landfall.OpWithdraw, Issue: issue, MadeAt: c.opts.Clock().UTC()}
	b, err := encode(&m)
	if err != nil {
		return err
	}
	s.Next++
	if err := tx.PutEntry(&Entry{Incarnation: s.Incarnation, N: m.N, Bytes: b, Hash: core.Hash(b), State: Pending}); err != nil {
		return err
	}
	return save(tx, s)
}

// void makes the unsent changes on a record void.
func (c *Client) void(tx Tx, v *View) error {
	n, err := c.voidAll(tx, v.entries)
	if err == nil && n == 0 {
		err = landfall.Errorf(landfall.CodeConflict, "there is nothing on this record that was not sent").WithHint("edit it again, or sync first")
	}
	return err
}

// voidAll makes those of the entries void that were not sent, their groups with
// them, since a group is applied all or not at all.
func (c *Client) voidAll(tx Tx, entries []*Entry) (int, error) {
	groups, voided := map[string]bool{}, map[int64]bool{}
	take := func(e *Entry) error {
		voided[e.N] = true
		return c.voidOne(tx, e)
	}
	for _, e := range entries {
		if e.State != Pending {
			continue
		}
		m, err := decode(e)
		if err != nil {
			return 0, err
		}
		if m.Group != nil {
			groups[m.Group.ID] = true
		}
		if err := take(e); err != nil {
			return 0, err
		}
	}
	if len(groups) == 0 {
		return len(voided), nil
	}
	all, err := tx.Entries()
	if err != nil {
		return 0, err
	}
	for _, e := range all {
		m, err := decode(e)
		if err != nil {
			return 0, err
		}
		if e.State == Pending && !voided[e.N] && m.Group != nil && groups[m.Group.ID] {
			if err := take(e); err != nil {
				return 0, err
			}
		}
	}
	return len(voided), nil
}

func (c *Client) voidOne(tx Tx, e *Entry) error {
	b, err := encode(&landfall.Mutation{N: e.N, Op: landfall.OpVoid, MadeAt: c.opts.Clock().UTC()})
	if err != nil {
		return err
	}
	e.Bytes, e.Hash, e.Reverted = b, core.Hash(b), true
	return tx.PutEntry(e)
}
