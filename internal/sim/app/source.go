package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Source is the app as a definition file.
func (a *App) Source() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("app: simulated")
	p("title: Simulated work, version %d", a.Version)
	p("version: %d", a.Version)
	p("roles: %s", list(a.Roles))
	p("queues:")
	for _, q := range a.Queues {
		p("  %s: {members: %s}", q.Name, list(q.Members))
	}
	p("types:")
	for _, t := range a.Types {
		t.source(p)
	}
	if len(a.Routes) > 0 {
		p("issues:")
		p("  routes:")
		for _, r := range a.Routes {
			p("    - {when: \"issue.kind == '%s'\", queue: %s}", r.Kind, r.Queue)
		}
	}
	if len(a.Convert) > 0 {
		p("convert:")
		for _, c := range a.Convert {
			p("  - {to: %d, type: %s%s%s%s}", c.To, c.Type, names("rename", c.Fields), names("statuses", c.Statuses), names("transitions", c.Moves))
		}
	}
	return b.String()
}

// names are old names with their new ones, in order.
func names(word string, m map[string]string) string {
	var all []string
	for _, old := range slices.Sorted(maps.Keys(m)) {
		all = append(all, old+": "+m[old])
	}
	if len(all) == 0 {
		return ""
	}
	return ", " + word + ": {" + strings.Join(all, ", ") + "}"
}

type printer func(format string, args ...any)

func list(names []string) string { return "[" + strings.Join(names, ", ") + "]" }

func (t *Type) source(p printer) {
	p("  %s:", t.Name)
	if t.PartOf != "" {
		p("    part_of: %s", t.PartOf)
	}
	if t.Number != "" {
		p("    number: {prefix: %s, from: 1}", t.Number)
	}
	p("    fields:")
	for _, f := range t.Fields {
		if f.Name != t.PartOf { // which is there by itself
			p("      %s: {%s}", f.Name, strings.Join(f.words(), ", "))
		}
	}
	if t.Initial != "" {
		t.lifecycle(p)
	}
	var keys []string
	for _, k := range t.Audience {
		keys = append(keys, k.word())
	}
	if t.PartOf == "" {
		p("    audience: %s", list(keys))
	}
	t.rights(p)
	conflicts := "queue: " + t.Queue
	if t.Initial != "" {
		conflicts = "status: " + t.Policy + ", " + conflicts
	}
	p("    conflicts: {%s}", conflicts)
}

func (f *Field) words() []string {
	words := []string{"type: " + f.Type}
	add := func(on bool, format string, args ...any) {
		if on {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(f.Required, "required: true")
	add(f.Unique, "unique: true")
	add(f.Max > 0, "max: %d", f.Max)
	add(f.To != "", "to: %s", f.To)
	add(len(f.Choices) > 0, "choices: %s", list(f.Choices))
	add(f.Default != "", "default: %s", f.Default)
	add(f.Positive, "check: \"%s > 0\", message: Enter more than nothing", f.Name)
	add(f.Most > 0, "check: \"%s <= %d\", message: Enter less", f.Name, f.Most)
	if typ, name, sums := strings.Cut(f.Sums, "."); sums {
		add(true, "computed: \"parts.%s.map(p, p.%s).sum()\"", typ, name)
	}
	if w := f.Where; w != nil {
		add(true, "where: \"target.status != '%s' || record.%s == null\"", w.Not, w.Unless)
	}
	var fill []string
	for _, x := range f.Fill {
		fill = append(fill, x.Field+": target."+x.From)
	}
	add(len(fill) > 0, "fill: {%s}", strings.Join(fill, ", "))
	add(f.Conflict != "", "conflict: %s", f.Conflict)
	return words
}

func (t *Type) lifecycle(p printer) {
	p("    lifecycle:")
	p("      initial: %s", t.Initial)
	p("      statuses:")
	for _, s := range t.Statuses {
		var words []string
		if s.Frozen {
			words = append(words, "resolved: true", "frozen: true")
		}
		if s.Queue != "" {
			words = append(words, "queue: "+s.Queue)
		}
		p("        %s: {%s}", s.Name, strings.Join(words, ", "))
	}
	p("      transitions:")
	for _, m := range t.Moves {
		words := []string{"from: " + list(m.From), "to: " + m.To, "roles: " + list(m.Roles)}
		if len(m.Requires) > 0 {
			words = append(words, "requires: "+list(m.Requires))
		}
		if m.NotOwner {
			words = append(words, `when: "record.owner != me"`)
		}
		if m.Stamp != "" {
			words = append(words, "set: {"+m.Stamp+": now}")
		}
		p("        %s: {%s}", m.Name, strings.Join(words, ", "))
	}
}

func (k *Key) word() string {
	word := k.Kind + ":" + k.Name
	if k.Kind == "all" {
		word = "all"
	}
	if len(k.Statuses) == 0 {
		return word
	}
	return "{key: " + word + ", statuses: " + list(k.Statuses) + "}"
}

func (t *Type) rights(p printer) {
	p("    rights:")
	var roles []string
	verbs := map[string][]string{}
	for _, r := range t.Rights {
		if verbs[r.Role] == nil {
			roles = append(roles, r.Role)
		}
		verbs[r.Role] = append(verbs[r.Role], r.Verb+": "+r.word())
	}
	for _, u := range t.Unread {
		verbs[u.Role] = append(verbs[u.Role], "read: {not: "+list(u.Fields)+"}")
	}
	for _, role := range roles {
		p("      %s: {%s}", role, strings.Join(verbs[role], ", "))
	}
}

func (r *Right) word() string {
	const own = `"record.owner == me"`
	switch {
	case len(r.Fields) > 0 && r.Own:
		return "{fields: " + list(r.Fields) + ", when: " + own + "}"
	case len(r.Fields) > 0:
		return list(r.Fields)
	case r.Own:
		return own
	}
	return "true"
}
