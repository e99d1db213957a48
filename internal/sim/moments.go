package sim

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// moments counts what came about in a commit with what belongs together, and with
// what was renamed.
func (w *world) moments(c *watch.Commit) {
	follow := 0
	for i := range c.Ops {
		op := &c.Ops[i]
		switch {
		case op.Change != nil && op.Change.Type != landfall.IssueType:
			w.changed(op.Change, c)
		case op.Regrouped != nil && w.model.Record(op.Regrouped.ID) != nil:
			follow++
			w.followed[op.Regrouped.ID] = op.Regrouped.Seq
			if w.inIssue(op.Regrouped.ID) {
				w.met("commit: what an issue is about follows")
			}
		case op.Item != nil && op.Added:
			w.arrived(op.Item)
		}
	}
	published := slices.ContainsFunc(c.Ops, func(op watch.Op) bool { return op.Definition != nil })
	if follow > 0 && !published {
		w.met("commit: others follow")
	}
	if follow > 3 && !published {
		w.met("commit: many follow")
	}
}

func (w *world) changed(c *landfall.Change, in *watch.Commit) {
	w.copies(c.Type, c.ID, c.Set)
	t := w.app().Type(c.Type)
	switch {
	case c.Derived && c.Origin.Replica != "":
		w.met("commit: computed")
	case c.Derived:
		w.met("commit: converted")
		if w.inIssue(c.ID) {
			w.met("commit: a conversion meets an issue")
		}
	case t != nil && t.PartOf != "" && (c.Action == landfall.Deleted || c.Action == landfall.Restored):
		whole := unquote(w.model.Record(c.ID).Fields[t.PartOf])
		if slices.ContainsFunc(in.Ops, func(op watch.Op) bool {
			return op.Change != nil && op.Change.ID == whole && op.Change.Seq == c.Seq && op.Change.Action == c.Action
		}) {
			w.met("commit: a part is " + string(c.Action) + " with its whole")
		}
	}
}

// inIssue: an open issue is about the record.
func (w *world) inIssue(id string) bool {
	for _, i := range w.model.Issues() {
		if i.Record == id && i.Open() {
			return true
		}
	}
	return false
}

func (w *world) arrived(it *store.Item) {
	_, m := content(it.Bytes)
	if m == nil || strings.HasPrefix(it.Key.Replica, "desk:") {
		return
	}
	if m.Base != nil { // the author's device filled it in, too
		was := landfall.Fields{}
		for name, v := range m.Base.Was {
			was[w.app().Called(m.Definition, m.Type, name)] = v
		}
		w.copies(m.Type, m.ID, was)
	}
	taken := it.Receipt.Result == landfall.Applied && it.Receipt.Note == ""
	behind := w.app().Version - m.Definition
	if now := w.app(); m.Definition > 0 && taken && len(now.Old(m.Definition, m.Type)) > 0 {
		w.met("commit: an older change is converted")
		if behind >= 3 {
			w.met("commit: a change of three versions ago is converted")
		}
	}
	if t := w.app().Type(m.Type); t != nil && t.PartOf != "" {
		w.part(it)
	}
	if m.Base != nil && m.Base.Version > 0 && m.Base.Version < w.followed[m.ID] && taken {
		w.met("commit: a follower was edited meanwhile")
	}
	for _, x := range it.Receipt.Messages {
		w.met("receipt: " + x.Code)
	}
}

func (w *world) part(it *store.Item) {
	for _, i := range w.model.Issues() {
		if it.Receipt.Waiting && i.ID == it.Receipt.Issue && i.Record != it.Record && slices.Contains(it.Refs, i.Record) {
			w.met("commit: a part waits for its whole")
		}
	}
	for _, x := range it.Receipt.Messages {
		w.met("receipt of a part: " + x.Code)
	}
}

// copies notes what a reference filled in: what was entered elsewhere is here, too.
func (w *world) copies(typ, record string, set landfall.Fields) {
	t := w.app().Type(typ)
	if t == nil {
		return
	}
	for _, f := range t.Fields {
		for _, x := range f.Fill {
			w.canaries.found(set[x.Field], func(n int) {
				if k := &w.canaries.all[n]; k.record != record {
					w.met("commit: filled in")
					k.copies = append(k.copies, canary{typ: typ, record: record, field: x.Field, since: w.app().Version})
				}
			})
		}
	}
}

// on is the app that a device works with: of the definition that it has.
func (w *world) on(source []byte) *app.App {
	if a := w.apps[string(source)]; a != nil {
		return a
	}
	return w.app()
}
