package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// folding makes a record again from its changes, in the simplest way that there
// is: nothing of it is shared with what made the record.
type folding struct {
	count   int
	typ     string
	fields  landfall.Fields
	status  string
	deleted bool
	version int64
	wrong   []string
}

// add makes the next change.
func (f *folding) add(c *landfall.Change) {
	if f.count == 0 {
		f.typ = c.Type
		if c.Action != landfall.Created {
			f.wrong = append(f.wrong, fmt.Sprintf("its history begins at %d with %q", c.Seq, c.Action))
		}
	} else if c.Action == landfall.Created {
		f.wrong = append(f.wrong, fmt.Sprintf("it was created a second time, at %d", c.Seq))
	}
	f.count++
	switch c.Action {
	case landfall.Deleted:
		f.deleted = true
	case landfall.Restored:
		f.deleted = false
	}
	if c.Action == landfall.Created || c.From != "" || c.To != "" {
		f.status = c.To
	}
	f.version = c.Seq
	if c.Action == landfall.Assigned || c.Type == landfall.IssueType {
		return // who has it is not a field; what an issue says stands in the issue
	}
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		if !landfall.SameValue(f.fields[name], c.Was[name]) {
			f.wrong = append(f.wrong, fmt.Sprintf("the change at %d does not begin where the one before ended: %s", c.Seq, name))
		}
		f.fields.Put(name, c.Set[name])
	}
}

// differences are what the record has otherwise than its history.
func (f *folding) differences(r *landfall.Record) []string {
	out := f.wrong
	if f.count == 0 {
		return append(out, "it has no history")
	}
	if r.Type != f.typ {
		out = append(out, "its type is not that of its history")
	}
	if r.Status != f.status {
		out = append(out, fmt.Sprintf("its status is %q, its history ends with %q", r.Status, f.status))
	}
	if r.Deleted != f.deleted {
		out = append(out, fmt.Sprintf("deleted is %t, by its history %t", r.Deleted, f.deleted))
	}
	if r.Type == landfall.IssueType {
		return out
	}
	var fields []string
	for name := range r.Fields {
		if !landfall.SameValue(r.Fields[name], f.fields[name]) {
			fields = append(fields, name)
		}
	}
	for name := range f.fields {
		if _, there := r.Fields[name]; !there {
			fields = append(fields, name)
		}
	}
	if len(fields) > 0 {
		slices.Sort(fields)
		out = append(out, "its history gives other values: "+strings.Join(fields, ", "))
	}
	return out
}

// move checks that a change of status is one that was allowed at its time. What
// the folding has is the status before.
func (w *workspace) move(f *folding, c *landfall.Change) {
	moves := c.Action == landfall.Moved || c.From != c.To
	if !moves && c.Action != landfall.Created {
		return
	}
	w.results[Statuses].Checked++
	tell := func(what string) { w.found(Statuses, Finding{Record: c.ID, What: what}) }
	if c.Action != landfall.Created && c.From != f.status {
		tell(fmt.Sprintf("the move at %d is from %q, but it was in %q", c.Seq, c.From, f.status))
	}
	if c.Type == landfall.IssueType {
		if !issueMoves(c) {
			tell(fmt.Sprintf("an issue does not go from %q to %q, as at %d", c.From, c.To, c.Seq))
		}
		return
	}
	if w.apps.any(c.At, func(app *definition.App) bool { return allowed(app.Types[c.Type], c) || c.Derived && converts(app, c) }) {
		return
	}
	if c.Action == landfall.Created {
		tell(fmt.Sprintf("it began in %q, which is not where its type begins", c.To))
		return
	}
	tell(fmt.Sprintf("no transition %q leads from %q to %q, as at %d", c.Transition, c.From, c.To, c.Seq))
}

// allowed: the type begins there, or has the transition.
func allowed(t *definition.Type, c *landfall.Change) bool {
	if t == nil {
		return false
	}
	if t.Lifecycle == nil {
		return c.Action == landfall.Created && c.To == ""
	}
	if c.Action == landfall.Created {
		return c.From == "" && c.To == t.Lifecycle.Initial
	}
	m := t.Lifecycle.Transitions[c.Transition]
	return c.Action == landfall.Moved && m != nil && slices.Contains(m.From, c.From) && m.To == c.To
}

// converts: a publication gave the status its new name.
func converts(app *definition.App, c *landfall.Change) bool {
	at := c.From
	for _, x := range app.Convert {
		if to := x.Statuses[at]; x.Type == c.Type && to != "" {
			at = to
		}
	}
	return at == c.To
}

// issueMoves is the built-in lifecycle of issues.
func issueMoves(c *landfall.Change) bool {
	if c.Action == landfall.Created {
		return c.To == landfall.IssueOpen
	}
	known := []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved}
	if c.From == landfall.IssueResolved && c.To == landfall.IssueClaimed {
		return false // it is reopened first
	}
	return slices.Contains(known, c.From) && slices.Contains(known, c.To)
}
