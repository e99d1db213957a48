package oracle

import (
	"fmt"
	"strings"
)

// YAML writes the app as a definition.
func (a *App) YAML() string {
	var b strings.Builder
	fmt.Fprintf(&b, "app: drawn\nroles: [%s]\nqueues:\n", strings.Join(a.Roles, ", "))
	for _, q := range a.Queues {
		fmt.Fprintf(&b, "  %s: {members: [%s]}\n", q, a.Roles[0])
	}
	b.WriteString("types:\n")
	for _, t := range a.Types {
		t.yaml(&b)
	}
	return b.String()
}

func (t *Type) yaml(b *strings.Builder) {
	fmt.Fprintf(b, "  %s:\n", t.Name)
	if t.Number != "" {
		fmt.Fprintf(b, "    number: {prefix: %s}\n", t.Number)
	}
	b.WriteString("    fields:\n")
	for _, f := range t.Fields {
		fmt.Fprintf(b, "      %s: {%s}\n", f.Name, strings.Join(f.yaml(), ", "))
	}
	if len(t.Statuses) > 0 {
		fmt.Fprintf(b, "    lifecycle:\n      initial: %s\n      statuses:\n", t.Statuses[0].Name)
		for _, s := range t.Statuses {
			fmt.Fprintf(b, "        %s: {frozen: %v, resolved: %v%s%s}\n", s.Name, s.Frozen, s.Resolved, named(", queue", s.Queue), named(", worklist", s.Worklist))
		}
		b.WriteString("      transitions:\n")
		for _, m := range t.Moves {
			fmt.Fprintf(b, "        %s: {%s}\n", m.Name, strings.Join(m.yaml(), ", "))
		}
	}
	b.WriteString("    audience:\n")
	for _, k := range t.Audience {
		name := k.Kind
		if k.Name != "" {
			name += ":" + k.Name
		}
		fmt.Fprintf(b, "      - {key: %q%s}\n", name, names(", statuses", k.Statuses))
	}
	b.WriteString("    rights:\n")
	seen := map[string]bool{}
	for _, r := range t.Rights {
		if seen[r.Role] {
			continue
		}
		seen[r.Role] = true
		var verbs []string
		for _, v := range t.Rights {
			if v.Role == r.Role {
				verbs = append(verbs, v.Verb+": "+v.yaml())
			}
		}
		fmt.Fprintf(b, "      %s: {%s}\n", r.Role, strings.Join(verbs, ", "))
	}
	if t.Policy != "" {
		fmt.Fprintf(b, "    conflicts: {status: %s}\n", t.Policy)
	}
}

func (f *Field) yaml() []string {
	out := []string{"type: " + f.Kind}
	add := func(is bool, text string) {
		if is {
			out = append(out, text)
		}
	}
	add(f.Required, "required: true")
	add(len(f.RequiredIn) > 0, names("required", f.RequiredIn))
	add(f.Max > 0, fmt.Sprint("max: ", f.Max))
	add(f.Unique, "unique: true")
	add(len(f.Choices) > 0, names("choices", f.Choices))
	add(f.To != "", "to: "+f.To)
	add(f.Merge != "", "conflict: "+f.Merge)
	add(f.Above != "", fmt.Sprintf("check: \"%s > %s\"", f.Name, f.Above))
	return out
}

func (m *Move) yaml() []string {
	out := []string{names("from", m.From), "to: " + m.To, names("roles", m.Roles)}
	if len(m.Requires) > 0 {
		out = append(out, names("requires", m.Requires))
	}
	if m.When != nil {
		out = append(out, fmt.Sprintf("when: %q", m.When))
	}
	if len(m.Set) > 0 {
		var puts []string
		for _, p := range m.Set {
			puts = append(puts, fmt.Sprintf("%s: %q", p.Field, strings.ReplaceAll(p.Value, `"`, "'")))
		}
		out = append(out, "set: {"+strings.Join(puts, ", ")+"}")
	}
	return out
}

func (r *Right) yaml() string {
	switch {
	case r.Fields == nil && r.When == nil:
		return "true"
	case r.Fields == nil:
		return fmt.Sprintf("%q", r.When)
	case r.When == nil:
		return "[" + strings.Join(r.Fields, ", ") + "]"
	default:
		return fmt.Sprintf("{%s, when: %q}", names("fields", r.Fields), r.When)
	}
}

// named is a value under its name; nothing for none.
func named(name, value string) string {
	if value == "" {
		return ""
	}
	return name + ": " + value
}

// names is a list under its name; nothing for an empty one.
func names(name string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return name + ": [" + strings.Join(list, ", ") + "]"
}

// String is the condition in the language of expressions.
func (c *Cond) String() string {
	switch c.Op {
	case "mine":
		return "record." + c.Field + " == me"
	case "above":
		return "record." + c.Field + " > " + c.Value
	case "is":
		return "record." + c.Field + " == '" + c.Value + "'"
	case "flag":
		return "record." + c.Field
	case "status":
		return "record.status == '" + c.Value + "'"
	case "was":
		return "was.status == '" + c.Value + "'"
	case "role":
		return "has_role('" + c.Value + "')"
	case "team":
		return "in_team('" + c.Value + "')"
	case "not":
		return "!(" + c.Of[0].String() + ")"
	}
	sign := map[string]string{"and": " && ", "or": " || "}[c.Op]
	return "(" + c.Of[0].String() + ")" + sign + "(" + c.Of[1].String() + ")"
}
