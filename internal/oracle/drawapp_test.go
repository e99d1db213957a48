package oracle_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/oracle"
)

// The names that apps and worlds are made of.
var (
	roleNames   = []string{"worker", "lead", "clerk", "nurse", "boss"}
	typeNames   = []string{"visit", "item", "site"}
	statusNames = []string{"draft", "open", "under-way", "checked", "done", "closed"}
	userNames   = []string{"ann", "ben", "cas", "dee", "eve"}
	teamNames   = []string{"north", "south"}
	queueNames  = []string{"intake", "review"}
	choiceNames = []string{"red", "green", "blue"}
)

// kinds are the field types that are drawn, some more than once since
// much hangs on them; merges are the policies that fit them beside those that fit all.
var kinds = []string{"text", "text", "long_text", "integer", "integer", "decimal", "boolean", "choice", "choices", "choices", "user", "user", "team", "reference", "references", "date", "datetime", "duration"}

var merges = map[string][]string{
	"integer": {"add", "add", "add"}, "decimal": {"add", "add", "add"}, "duration": {"add", "add", "add"}, "references": {"union", "union", "union"}, "choices": {"union", "union", "union", "union"},
	"text": {"append"}, "long_text": {"append", "append", "append"},
}

// draw has what every drawing needs. What is drawn is even, where rapid's own
// numbers prefer small ones; it is made small by becoming the first of a list.
type draw struct{ *rapid.T }

var coin = rapid.Bool()

// below draws a number from 0 to n-1.
func (d draw) below(n int) int {
	const bits = 8
	x := 0
	for range bits {
		x *= 2
		if coin.Draw(d.T, "bit") {
			x++
		}
	}
	return x * n >> bits
}

func (d draw) chance(percent int) bool { return d.below(100) >= 100-percent }

func (d draw) count(from, to int) int { return from + d.below(to-from+1) }

func pick[E any](d draw, list []E) E { return list[d.below(len(list))] }

// some are at least so many of the list, in its order, and about a third.
func some(d draw, list []string, atLeast int) []string {
	var out []string
	must := d.below(len(list))
	for i, e := range list {
		if i == must && atLeast > 0 || d.chance(33) {
			out = append(out, e)
		}
	}
	return out
}

// app draws an app that compiles by construction: every status is reached and
// can be left or is resolved, and what is mandatory somebody may write.
func (d draw) app() *oracle.App {
	a := &oracle.App{Roles: roleNames[:d.count(2, 5)], Queues: queueNames}
	names := typeNames[:d.count(1, 3)]
	for _, name := range names {
		a.Types = append(a.Types, d.typ(a, name, names))
	}
	return a
}

func (d draw) typ(a *oracle.App, name string, types []string) *oracle.Type {
	t := &oracle.Type{Name: name}
	for i := range d.count(2, 6) {
		kind := pick(d, kinds)
		f := &oracle.Field{Name: fmt.Sprint(kind, "_", i+1), Kind: kind}
		t.Fields = append(t.Fields, f)
		switch kind {
		case "choice", "choices":
			f.Choices = choiceNames
		case "reference", "references":
			f.To = pick(d, types)
		}
	}
	if d.chance(30) {
		t.Number = "N-"
	}
	if d.chance(80) {
		d.lifecycle(a, t)
	}
	for _, f := range t.Fields {
		d.limits(t, f)
	}
	d.audience(a, t)
	d.rights(a, t)
	letIn(a, t)
	for _, f := range t.Fields {
		written := func(r *oracle.Right) bool {
			return r.Verb != "delete" && (r.Fields == nil || slices.Contains(r.Fields, f.Name))
		}
		if !slices.ContainsFunc(t.Rights, written) {
			f.Required, f.RequiredIn = false, nil
			for _, m := range t.Moves {
				m.Requires = slices.DeleteFunc(m.Requires, func(name string) bool { return name == f.Name })
			}
		}
	}
	return t
}

func (d draw) limits(t *oracle.Type, f *oracle.Field) {
	switch d.count(1, 6) {
	case 1:
		f.Required = true
	case 2:
		if names := statusesOf(t); len(names) > 0 {
			f.RequiredIn = some(d, names, 1)
		}
	}
	if slices.Contains([]string{"text", "long_text", "choices"}, f.Kind) && d.chance(30) {
		f.Max = d.count(2, 5)
	}
	if slices.Contains([]string{"text", "integer", "decimal", "choice", "user"}, f.Kind) && d.chance(12) {
		f.Unique = true
	}
	if d.chance(60) {
		f.Merge = pick(d, append([]string{"server", "device", "review", "latest"}, merges[f.Kind]...))
	}
	if f.Kind == "integer" || f.Kind == "decimal" {
		switch d.count(1, 5) {
		case 1, 2:
			f.Above = map[string]string{"integer": "0", "decimal": "0.25"}[f.Kind]
		case 3:
			if o := t.Fields[0]; o != f && o.Kind == f.Kind {
				f.Above = o.Name
			}
		}
	}
}

func statusesOf(t *oracle.Type) []string {
	var out []string
	for _, s := range t.Statuses {
		out = append(out, s.Name)
	}
	return out
}

func fieldsOf(t *oracle.Type, kinds ...string) []string {
	var out []string
	for _, f := range t.Fields {
		if len(kinds) == 0 || slices.Contains(kinds, f.Kind) {
			out = append(out, f.Name)
		}
	}
	return out
}

func (d draw) lifecycle(a *oracle.App, t *oracle.Type) {
	names := statusNames[:d.count(2, 6)]
	for i, name := range names {
		t.Statuses = append(t.Statuses, d.status(t, name))
		if i > 0 {
			d.move(a, t, "to_"+name, append(some(d, names[i:], 0), pick(d, names[:i])), name)
		}
	}
	for i := range d.count(0, 3) {
		d.move(a, t, fmt.Sprint("move_", i+1), some(d, names, 1), pick(d, names))
	}
	for i, s := range t.Statuses {
		left := slices.ContainsFunc(t.Moves, func(m *oracle.Move) bool { return m.To != s.Name && slices.Contains(m.From, s.Name) })
		t.Statuses[i].Resolved = s.Resolved || !left
	}
	t.Policy = pick(d, []string{"", "strict", "transitions", "legal", "legal"})
}

func (d draw) status(t *oracle.Type, name string) oracle.Status {
	s := oracle.Status{Name: name, Frozen: d.chance(20), Resolved: d.chance(20)}
	if d.chance(40) {
		s.Queue = pick(d, queueNames)
	}
	if users := fieldsOf(t, "user"); len(users) > 0 && d.chance(40) {
		s.Worklist = pick(d, users)
	}
	return s
}

func (d draw) move(a *oracle.App, t *oracle.Type, name string, from []string, to string) {
	m := &oracle.Move{Name: name, From: from, To: to, Roles: some(d, a.Roles, 1)}
	if d.chance(35) {
		m.Requires = some(d, fieldsOf(t), 1)
	}
	if d.chance(30) {
		m.When = d.cond(a, t, 2)
	}
	for _, f := range t.Fields {
		if v := map[string]string{"user": "me", "boolean": "true", "integer": "2", "choice": `"red"`}[f.Kind]; v != "" && d.chance(15) {
			m.Set = append(m.Set, oracle.Put{Field: f.Name, Value: v})
		}
	}
	t.Moves = append(t.Moves, m)
}

// cond draws a condition that the type's expressions may hold.
func (d draw) cond(a *oracle.App, t *oracle.Type, deep int) *oracle.Cond {
	if deep > 0 && d.chance(40) {
		op := pick(d, []string{"not", "and", "or"})
		c := &oracle.Cond{Op: op, Of: []*oracle.Cond{d.cond(a, t, deep-1)}}
		if op != "not" {
			c.Of = append(c.Of, d.cond(a, t, deep-1))
		}
		return c
	}
	all := []*oracle.Cond{
		{Op: "role", Value: pick(d, a.Roles)},
		{Op: "team", Value: pick(d, teamNames)},
		{Op: "mine", Field: "created_by"},
	}
	if names := statusesOf(t); len(names) > 0 {
		all = append(all, &oracle.Cond{Op: "status", Value: pick(d, names)}, &oracle.Cond{Op: "was", Value: pick(d, names)})
	}
	for _, f := range t.Fields {
		switch f.Kind {
		case "user":
			all = append(all, &oracle.Cond{Op: "mine", Field: f.Name})
		case "integer":
			all = append(all, &oracle.Cond{Op: "above", Field: f.Name, Value: "2"})
		case "decimal":
			all = append(all, &oracle.Cond{Op: "above", Field: f.Name, Value: "1.5"})
		case "boolean":
			all = append(all, &oracle.Cond{Op: "flag", Field: f.Name})
		case "choice":
			all = append(all, &oracle.Cond{Op: "is", Field: f.Name, Value: "red"})
		case "text":
			all = append(all, &oracle.Cond{Op: "is", Field: f.Name, Value: "a"})
		}
	}
	return pick(d, all)
}

// letIn adds a role to an audience of users and teams alone that nobody ever
// names: such a definition is refused.
func letIn(a *oracle.App, t *oracle.Type) {
	for _, k := range t.Audience {
		if k.Kind != "user" && k.Kind != "team" || slices.ContainsFunc(t.Rights, func(r *oracle.Right) bool {
			return r.Verb != "delete" && (r.Fields == nil || slices.Contains(r.Fields, k.Name))
		}) {
			return
		}
	}
	t.Audience = append(t.Audience, oracle.Key{Kind: "role", Name: a.Roles[0]})
}

func (d draw) audience(a *oracle.App, t *oracle.Type) {
	keys := []oracle.Key{{Kind: "all"}}
	for _, role := range a.Roles {
		keys = append(keys, oracle.Key{Kind: "role", Name: role})
	}
	for _, kind := range []string{"user", "team"} {
		for _, f := range fieldsOf(t, kind) {
			keys = append(keys, oracle.Key{Kind: kind, Name: f})
		}
	}
	for range d.count(1, 4) {
		k := pick(d, keys)
		if names := statusesOf(t); len(names) > 0 && d.chance(25) {
			k.Statuses = some(d, names, 1)
		}
		t.Audience = append(t.Audience, k)
	}
}

func (d draw) rights(a *oracle.App, t *oracle.Type) {
	for i, role := range a.Roles {
		for _, verb := range []string{"create", "update", "delete"} {
			if i > 0 && !d.chance(70) { // the first role has one of each
				continue
			}
			r := &oracle.Right{Role: role, Verb: verb}
			if d.chance(20) {
				r.Fields = some(d, fieldsOf(t), 1)
			}
			if d.chance(25) {
				r.When = d.cond(a, t, 2)
			}
			t.Rights = append(t.Rights, r)
		}
	}
}
