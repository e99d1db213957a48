package definition

import (
	"cel.dev/cel-go/common/types"
)

func (r *reader) lifecycle(a *App, d *draft) {
	e := d.o["lifecycle"]
	if e.value == nil {
		return
	}
	o := r.object(e.value, "a lifecycle", "initial", "statuses", "transitions")
	l := &Lifecycle{Statuses: map[string]*Status{}, Transitions: map[string]*Transition{}}
	places := map[string]entry{}
	for _, s := range r.entries(o["statuses"].value, "statuses") {
		if !r.wellNamed(s, "status", wordName) {
			continue
		}
		x := r.object(s.value, "a status", "title", "queue", "worklist", "resolved", "frozen")
		status := &Status{Name: s.key, Title: r.title(x["title"], 200), Resolved: r.flag(x["resolved"]), Frozen: r.flag(x["frozen"])}
		if status.Title == "" {
			status.Title = humanise(s.key)
		}
		if q := r.text(x["queue"], 63); q != "" {
			if a.Queues[q] == nil {
				r.unknown(x["queue"].value, "queue", q, sortedKeys(a.Queues))
			}
			status.Queue = q
		}
		if f := r.text(x["worklist"], 63); f != "" {
			if d.Fields[f] == nil || d.Fields[f].Type != UserRef {
				r.errorf(x["worklist"].value, suggest(f, d.fieldsOf(UserRef)), "worklist names a field of type user")
			}
			status.Worklist = f
		}
		l.Statuses[s.key], places[s.key] = status, s
		l.Order = append(l.Order, s.key)
	}
	if len(l.Order) == 0 {
		r.errorf(e.at, "statuses: {open: {}, done: {resolved: true}}", "the lifecycle has no statuses")
	}
	l.Initial = r.text(o["initial"], 63)
	if l.Initial == "" {
		r.errorf(e.at, "initial: STATUS", "the lifecycle does not say where a case begins")
	} else if l.Statuses[l.Initial] == nil {
		r.unknown(o["initial"].value, "status", l.Initial, l.Order)
	}
	d.Lifecycle = l
	for _, m := range r.entries(o["transitions"].value, "transitions") {
		if r.wellNamed(m, "transition", wordName) {
			r.transition(a, d, m)
		}
	}
	r.reach(l, places)
}

func (d *draft) fieldsOf(t FieldType) []string {
	var out []string
	for _, name := range d.Order {
		if d.Fields[name].Type == t {
			out = append(out, name)
		}
	}
	return out
}

func (r *reader) transition(a *App, d *draft, m entry) {
	l := d.Lifecycle
	x := r.object(m.value, "a transition", "title", "from", "to", "roles", "requires", "when", "set")
	t := &Transition{Name: m.key, Title: r.title(x["title"], 200), To: r.text(x["to"], 63)}
	if t.Title == "" {
		t.Title = humanise(m.key)
	}
	if t.From = r.known(r.names(x["from"]), "status", l.Order); len(t.From) == 0 && len(r.names(x["from"])) == 0 {
		r.errorf(m.at, "from: STATUS", "the transition %s does not say where it leads from", m.key)
	}
	if t.To == "" {
		r.errorf(m.at, "to: STATUS", "the transition %s does not say where it leads to", m.key)
	} else if l.Statuses[t.To] == nil {
		r.unknown(x["to"].value, "status", t.To, l.Order)
	}
	if t.Roles = r.known(r.names(x["roles"]), "role", a.Roles); len(t.Roles) == 0 {
		r.errorf(m.at, "roles: [ROLE]", "no role may take the transition %s", m.key)
	}
	t.Requires = r.known(r.names(x["requires"]), "field", d.Order)
	t.When = r.expr(x["when"], d.record, types.BoolType)
	if x["set"].value != nil {
		for _, s := range r.entries(x["set"].value, "set") {
			f := d.Fields[s.key]
			if f == nil {
				r.unknown(s.at, "field", s.key, d.Order)
				continue
			}
			if s.key == d.PartOf || d.fields[s.key]["computed"].value != nil {
				r.errorf(s.at, "set another field", "%s can't be set", s.key)
				continue
			}
			if v := r.expr(s, d.record, celType(f.Type)); v != nil {
				t.Set = append(t.Set, SetExpr{s.key, v})
			}
		}
	}
	d.requires[m.key] = x["requires"]
	l.Transitions[m.key] = t
	l.Moves = append(l.Moves, m.key)
}

// reach finds statuses that can't be reached, and unresolved ones that can't be left.
func (r *reader) reach(l *Lifecycle, places map[string]entry) {
	leads, left := map[string][]string{}, map[string]bool{}
	for _, m := range l.Moves {
		t := l.Transitions[m]
		for _, from := range t.From {
			leads[from] = append(leads[from], t.To)
			left[from] = left[from] || t.To != from
		}
	}
	reached := map[string]bool{l.Initial: true}
	for next := []string{l.Initial}; len(next) > 0; next = next[1:] {
		for _, to := range leads[next[0]] {
			if !reached[to] {
				reached[to] = true
				next = append(next, to)
			}
		}
	}
	for _, name := range l.Order {
		if !reached[name] && l.Statuses[l.Initial] != nil {
			r.errorf(places[name].at, "add a transition to it, or take it out", "no transition leads to the status %s", name)
		}
		if !left[name] && !l.Statuses[name].Resolved {
			r.errorf(places[name].at, "add a transition from it, or resolved: true", "a case in the status %s can't get on", name)
		}
	}
}
