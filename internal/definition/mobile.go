package definition

import (
	"slices"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// What clients are told about lists, forms and appointments. The server acts on
// none of it.

// Limits of what clients are told.
const (
	defaultRecent = 10
	maxRecent     = 100
	maxCarryDays  = 3_650
	maxAhead      = 366
	defaultAhead  = 14
)

// hybrid reads how many records devices keep in online mode.
func (r *reader) hybrid(e entry, m *Mobile) {
	if e.value == nil {
		return
	}
	if e.value.Kind == yaml.ScalarNode {
		if r.oneOf(e, "off") == "off" {
			m.Recent = 0
		}
		return
	}
	o := r.object(e.value, "hybrid", "recent")
	if o["recent"].value == nil {
		r.errorf(e.value, "hybrid: {recent: 10}, or hybrid: off", "hybrid does not say how many records")
		return
	}
	m.Recent = int(r.between(o["recent"], 1, maxRecent))
}

// between reads a whole number within bounds.
func (r *reader) between(e entry, least, most int64) int64 {
	n := r.number(e, least)
	if n > most {
		r.errorf(e.value, "write a smaller number", "%s is %d at most", e.key, most)
		return most
	}
	return n
}

func (r *reader) sections(a *App, drafts []*draft, e entry) {
	for _, n := range r.list(e, "sections: [{type: TYPE, title: Mine}]") {
		o := r.object(n, "a section", "type", "title", "roles", "where", "sort", "show")
		s := Section{Type: r.text(o["type"], 63), Title: r.title(o["title"], 200)}
		d := r.draftOf(drafts, n, o["type"], s.Type)
		if d == nil {
			continue
		}
		if s.Title == "" {
			s.Title = d.Title
		}
		s.Roles = r.known(r.names(o["roles"]), "role", a.Roles)
		s.Where = r.expr(o["where"], d.plain, types.BoolType)
		sortable := append(slices.Clone(d.Order), sortedKeys(builtIn)...)
		s.Sort = r.known(r.names(o["sort"]), "field", sortable)
		s.Show = r.known(r.names(o["show"]), "field", sortable)
		a.Mobile.Sections = append(a.Mobile.Sections, s)
	}
}

// draftOf is the type that is named; nil, and a problem, where there is none.
func (r *reader) draftOf(drafts []*draft, n *yaml.Node, e entry, name string) *draft {
	var known []string
	for _, d := range drafts {
		if d.Name == name {
			return d
		}
		known = append(known, d.Name)
	}
	switch {
	case e.value == nil:
		r.errorf(n, "type: TYPE", "it does not say of which type")
	case name != "":
		r.unknown(e.value, "type", name, known)
	}
	return nil
}

func (r *reader) carry(a *App, e entry) {
	if e.value == nil {
		return
	}
	for _, x := range r.entries(e.value, "carry") {
		t := a.Types[x.key]
		if t == nil {
			r.unknown(x.at, "type", x.key, a.Order)
			continue
		}
		o := r.object(x.value, "what is carried", "statuses", "days")
		if len(o) == 0 {
			r.errorf(x.at, "{statuses: [STATUS], days: 30}", "carry does not say what devices hold of %s", x.key)
		}
		statuses, _ := lifecycleOf(t)
		c := Carry{Type: x.key, Days: int(r.between(o["days"], 1, maxCarryDays))}
		c.Statuses = r.known(r.names(o["statuses"]), "status", statuses)
		a.Mobile.Carry = append(a.Mobile.Carry, c)
	}
}

// lifecycleOf are a type's statuses and transitions.
func lifecycleOf(t *Type) (statuses, moves []string) {
	if t.Lifecycle == nil {
		return nil, nil
	}
	return t.Lifecycle.Order, t.Lifecycle.Moves
}

// schedule reads which fields make a record an appointment.
func (r *reader) schedule(d *draft) {
	e := d.o["schedule"]
	if e.value == nil {
		return
	}
	o := r.object(e.value, "a schedule", "starts", "ends", "who", "days")
	s := &Schedule{Days: int(r.between(o["days"], 1, maxAhead))}
	if s.Days == 0 {
		s.Days = defaultAhead
	}
	s.Starts = r.fieldOf(d, o["starts"], DateTime, Date)
	s.Ends = r.fieldOf(d, o["ends"], DateTime, Date, Duration)
	s.Who = r.fieldOf(d, o["who"], UserRef)
	if o["starts"].value == nil {
		r.errorf(e.at, "starts: FIELD", "the schedule does not say when a record starts")
	}
	d.Schedule = s
}

// fieldOf reads the name of a field of one of the types.
func (r *reader) fieldOf(d *draft, e entry, of ...FieldType) string {
	name := r.text(e, 63)
	if name == "" {
		return ""
	}
	f := d.Fields[name]
	if f == nil {
		r.unknown(e.value, "field", name, d.Order)
		return ""
	}
	if !slices.Contains(of, f.Type) {
		var fit []string
		for _, t := range of {
			fit = append(fit, d.fieldsOf(t)...)
		}
		r.errorf(e.value, suggest(name, fit), "%s can't be a field of type %s", e.key, f.Type)
		return ""
	}
	return name
}

// form reads how a form is divided.
func (r *reader) form(a *App, d *draft) {
	for _, n := range r.list(d.o["form"], "form: [{title: Findings, fields: [FIELD]}]") {
		o := r.object(n, "a part of a form", "title", "fields", "roles")
		part := FormPart{Title: r.title(o["title"], 200), Roles: r.known(r.names(o["roles"]), "role", a.Roles)}
		if part.Fields = r.known(r.names(o["fields"]), "field", d.Order); o["fields"].value == nil {
			r.errorf(n, "fields: [FIELD]", "the part of the form has no fields")
		}
		d.Form = append(d.Form, part)
	}
}
