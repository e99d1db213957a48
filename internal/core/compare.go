package core

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Compare puts base, device and server side by side: the status first, then
// every field in the order of the definition that any side has. The device's
// side are the lane's mutations. base is the record as the author saw it and
// server as it is now; either may be nil. A nil base is pieced together from
// what the mutations say that their author saw. Who looks at it gets the values
// that they may read, and of a field that they may not only that it was set; what
// an author entered and saw themselves stays theirs.
func Compare(app *definition.App, looks *landfall.Actor, h Held, base, server *landfall.Record) []Column {
	t := app.Types[h.Issue.RecordType]
	if t == nil {
		return nil
	}
	w := collapse(convertRun(app, h.Lane), 0)
	w.canonical(t)
	s := &sideways{sight: SightOf(app, looks), author: h.Issue.Author, own: h.Issue.Author == looks.User}
	return s.compare(t, &w, base, server)
}

// sideways compares sides for somebody who looks at them.
type sideways struct {
	sight  *Sight
	author string // of the device's side
	own    bool   // it is they who look
}

func (s *sideways) compare(t *definition.Type, w *wanted, base, server *landfall.Record) []Column {
	if server != nil && server.Deleted {
		server = nil
	}
	base, server = s.sight.Record(base), s.sight.Record(server)
	var out []Column
	if c := statusColumn(t, w, s.author, base, server); c != nil {
		out = append(out, *c)
	}
	for _, name := range t.Order {
		if c := s.column(t, w, name, base, server); c != nil {
			out = append(out, *c)
		}
	}
	return out
}

// column compares one field; nil when no side has it.
func (s *sideways) column(t *definition.Type, w *wanted, name string, base, server *landfall.Record) *Column {
	c := &Column{Field: name, Title: fieldTitle(t, name), Hidden: s.sight.Hides(t.Name, name)}
	value, set := w.set[name]
	if set {
		c.DeviceEdit = &landfall.Edit{Author: s.author, At: w.edits[name]}
	}
	if c.Hidden && (!set || !s.own) {
		if !set {
			return nil
		}
		return c
	}
	if server != nil {
		c.Server = server.Fields[name]
		if e, edited := server.Edits[name]; edited {
			c.ServerEdit = &e
		}
	}
	switch was, known := w.was[name]; {
	case known:
		c.Base = was // as the author saw it, their own earlier changes included
	case base != nil:
		c.Base = base.Fields[name]
	default:
		c.Base = c.Server // nobody says otherwise
	}
	c.Device = c.Base
	if set {
		c.Device = value
		c.DeviceChanged = !landfall.SameValue(c.Device, c.Base)
	}
	if w.remove {
		c.Device, c.DeviceChanged = nil, !landfall.IsNull(c.Base)
	}
	c.ServerChanged = !c.Hidden && !landfall.SameValue(c.Server, c.Base)
	if landfall.IsNull(c.Base) && landfall.IsNull(c.Device) && landfall.IsNull(c.Server) {
		return nil
	}
	c.Base, c.Device, c.Server = orNothing(c.Base), orNothing(c.Device), orNothing(c.Server)
	return c
}

// statusColumn compares the status; nil when the type has no lifecycle.
func statusColumn(t *definition.Type, w *wanted, author string, base, server *landfall.Record) *Column {
	if t.Lifecycle == nil {
		return nil
	}
	c := &Column{Field: "status", Title: "Status", Status: true}
	seen := w.status
	if seen == "" && base != nil {
		seen = base.Status
	}
	after := w.statusAfter(t, seen)
	now := ""
	if server != nil {
		now = server.Status
		c.ServerEdit = server.StatusEdit
	}
	if seen == "" && !w.create {
		seen = now
	}
	if after == "" {
		after = seen
	}
	if w.remove {
		after = ""
	}
	if len(w.moves) > 0 {
		c.DeviceEdit = &landfall.Edit{Author: author, At: w.movedAt}
	}
	c.Base, c.Device, c.Server = textOrNone(seen), textOrNone(after), textOrNone(now)
	c.DeviceChanged, c.ServerChanged = seen != after, seen != now
	return c
}

func textOrNone(s string) landfall.Value {
	if s == "" {
		return nil
	}
	return quote(s)
}
