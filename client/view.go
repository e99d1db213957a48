package client

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// View is a record as the device shows it.
type View struct {
	// Record is the server's copy with the pending changes on top.
	Record *landfall.Record `json:"record"`
	Server *landfall.Record `json:"server,omitempty"` // the server's copy
	// Pending counts the changes on top.
	Pending int    `json:"pending"`
	Issue   string `json:"issue,omitempty"` // the open issue of this device on it
	Label   string `json:"label"`
	// NeedsDecision: part of it waits until somebody has decided the issue.
	NeedsDecision bool `json:"needs_decision,omitempty"`

	entries []*Entry
}

// Get is one record by id, unique prefix or number.
func (c *Client) Get(ctx context.Context, ref string) (v *View, err error) {
	err = c.read(ctx, func(tx Tx, s *state, app *definition.App) error {
		v, err = c.find(tx, s, app, ref)
		return err
	})
	return v, err
}

// List shows the records of a type, newest first.
func (c *Client) List(ctx context.Context, typ string) (out []*View, err error) {
	err = c.read(ctx, func(tx Tx, s *state, app *definition.App) error {
		if app.Types[typ] == nil {
			return definition.Unknown(landfall.CodeInvalid, "type", typ, app.Order)
		}
		out, err = c.views(tx, s, app, typ)
		return err
	})
	slices.Reverse(out)
	return out, err
}

// App is the definition that the device has.
func (c *Client) App(ctx context.Context) (out *definition.App, err error) {
	err = c.read(ctx, func(_ Tx, _ *state, app *definition.App) error {
		out = app
		return nil
	})
	return out, err
}

func (c *Client) read(ctx context.Context, f func(Tx, *state, *definition.App) error) error {
	return c.opts.Storage.View(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		app, err := c.compiled(s)
		if err != nil {
			return err
		}
		return f(tx, s, app)
	})
}

// find is the view of one record.
func (c *Client) find(tx Tx, s *state, app *definition.App, ref string) (*View, error) {
	absent := landfall.Errorf(landfall.CodeNotFound, "there is no record %q on this device", ref).WithHint("see `landfall field list TYPE`, or sync")
	entries, err := byRecord(tx)
	if err != nil {
		return nil, err
	}
	id := ref
	if server, err := tx.Record(ref); err != nil {
		return nil, err
	} else if server == nil && entries[ref] == nil {
		if id, err = c.lookup(tx, entries, ref); err != nil {
			return nil, err
		}
	}
	if id == "" {
		return nil, absent
	}
	server, err := tx.Record(id)
	if err != nil {
		return nil, err
	}
	v, err := c.view(&shelf{tx, s, app, entries}, server, entries[id])
	if err == nil && (v == nil || v.Record.Type == landfall.IssueType) {
		err = absent
	}
	return v, err
}

// lookup finds the id that a prefix or a number means.
func (c *Client) lookup(tx Tx, entries map[string][]*Entry, ref string) (string, error) {
	all, err := tx.Records("")
	if err != nil {
		return "", err
	}
	found := map[string]bool{}
	for _, r := range all {
		if r.Type == landfall.IssueType {
			continue
		}
		if r.Number != "" && strings.EqualFold(r.Number, ref) {
			return r.ID, nil
		}
		if len(ref) >= 4 && strings.HasPrefix(r.ID, ref) {
			found[r.ID] = true
		}
	}
	for id := range entries {
		if len(ref) >= 4 && strings.HasPrefix(id, ref) {
			found[id] = true
		}
	}
	if len(found) > 1 {
		return "", landfall.Errorf(landfall.CodeInvalid, "%d records begin with %q", len(found), ref).WithHint("give more of the id")
	}
	for id := range found {
		return id, nil
	}
	return "", nil
}

// byRecord groups the entries that show, in order.
func byRecord(tx Tx) (map[string][]*Entry, error) {
	all, err := tx.Entries()
	out := map[string][]*Entry{}
	for _, e := range all {
		if e.shown() && e.Record != "" {
			out[e.Record] = append(out[e.Record], e)
		}
	}
	return out, err
}

// view puts the pending changes on top of the server's copy; nil when neither
// makes a record.
func (c *Client) view(on *shelf, server *landfall.Record, entries []*Entry) (*View, error) {
	v := &View{Server: server, entries: entries, Pending: len(entries)}
	pending, err := decodeAll(entries)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.State == Issued {
			v.NeedsDecision = true
			if !e.Waiting || v.Issue == "" {
				v.Issue = e.Issue
			}
		}
	}
	targets, failed := on.targets()
	v.Record = core.Rebase(on.app, on.s.actor(), server, pending, targets)
	if v.Record == nil || *failed != nil {
		return nil, *failed
	}
	if deleted, err := on.deleted(v.Record); deleted || err != nil {
		return nil, err
	}
	v.Label = label(on.app, v.Record, c.opts.Clock())
	return v, nil
}

func label(app *definition.App, r *landfall.Record, now time.Time) string {
	if t := app.Types[r.Type]; t != nil && t.Label != nil {
		if s, err := t.Label.Text(&definition.Vars{Type: t, Record: r, Now: now}); err == nil && s != "" {
			return s
		}
	}
	return r.ID
}

// views are all records of a type, by id.
func (c *Client) views(tx Tx, s *state, app *definition.App, typ string) ([]*View, error) {
	records, err := tx.Records(typ)
	if err != nil {
		return nil, err
	}
	entries, err := byRecord(tx)
	if err != nil {
		return nil, err
	}
	on := &shelf{tx, s, app, maps.Clone(entries)}
	var out []*View
	add := func(server *landfall.Record, of []*Entry) error {
		v, err := c.view(on, server, of)
		if v != nil {
			out = append(out, v)
		}
		return err
	}
	for _, r := range records {
		if err := add(r, entries[r.ID]); err != nil {
			return nil, err
		}
		delete(entries, r.ID)
	}
	for _, of := range entries {
		if of[0].Type == typ {
			if err := add(nil, of); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(out, func(a, b *View) int { return strings.Compare(a.Record.ID, b.Record.ID) })
	return out, nil
}

// Indicator is the state that the sync indicator shows. The loss of a network is
// no failure: it is offline.
type Indicator string

// The indicator's states, the first that applies: offline, needs-attention,
// waiting, synced. Syncing is shown by whoever calls Sync, while it runs.
const (
	Offline        Indicator = "offline"
	NeedsAttention Indicator = "needs-attention"
	Waiting        Indicator = "waiting"
	Syncing        Indicator = "syncing"
	Synced         Indicator = "synced"
)

// Status is what the sync indicator tells.
type Status struct {
	State     Indicator `json:"state"`
	Waiting   int       `json:"waiting"`   // changes that the server does not have yet
	Attention int       `json:"attention"` // open issues of this device
	LastSync  time.Time `json:"last_sync,omitzero"`
	Network   bool      `json:"network"` // switched on
	User      string    `json:"user"`
	Server    string    `json:"server"`
}

// Status tells how the replica stands.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	var out *Status
	err := c.opts.Storage.View(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		entries, err := tx.Entries()
		if err != nil {
			return err
		}
		out = &Status{State: Synced, LastSync: s.LastSync, Network: !s.NetworkOff, User: s.User, Server: s.Server}
		issues := map[string]bool{}
		for _, e := range entries {
			if e.unsettled() {
				out.Waiting++
			}
			if e.State == Issued && !e.Reverted && e.Issue != "" {
				issues[e.Issue] = true
			}
		}
		out.Attention = len(issues)
		switch {
		case s.NetworkOff || s.Unreached:
			out.State = Offline
		case out.Attention > 0:
			out.State = NeedsAttention
		case out.Waiting > 0:
			out.State = Waiting
		}
		return nil
	})
	return out, err
}

func parseNumber(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
