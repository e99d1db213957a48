package diagram

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/internal/definition"
)

// Mermaid draws an app as a Markdown document with Mermaid diagrams: one state
// diagram for each lifecycle, and one entity diagram.
func Mermaid(app *definition.App, o Options) ([]byte, error) {
	c, err := choose(app, o)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", markdown(said(app.Title, app.Name)))
	for _, t := range c.cases {
		fmt.Fprintf(&b, "\n## %s: lifecycle\n\n```mermaid\n", markdown(said(t.Title, t.Name)))
		states(&b, t)
		b.WriteString("```\n")
	}
	b.WriteString("\n## Types and references\n\n```mermaid\nerDiagram\n")
	c.erDiagram(&b)
	b.WriteString("```\n")
	return []byte(b.String()), nil
}

// identifier is a name that Mermaid takes for nothing else: its words such as
// "end" are also good names of statuses, and "-" is no part of its names.
func identifier(prefix string, i int, name string) string {
	return fmt.Sprintf("%s%d_%s", prefix, i+1, strings.ReplaceAll(name, "-", "_"))
}

func states(b *strings.Builder, t *definition.Type) {
	l := t.Lifecycle
	b.WriteString("stateDiagram-v2\n")
	ids := map[string]string{}
	for i, s := range l.Order {
		ids[s] = identifier("s", i, s)
		fmt.Fprintf(b, "    state \"%s\" as %s\n", mermaidText(said(l.Statuses[s].Title, s)), ids[s])
	}
	fmt.Fprintf(b, "    [*] --> %s\n", ids[l.Initial])
	for _, m := range l.Moves {
		move := l.Transitions[m]
		for _, from := range move.From {
			fmt.Fprintf(b, "    %s --> %s : %s (%s)\n", ids[from], ids[move.To], mermaidText(said(move.Title, m)), mermaidText(list(move.Roles, "or")))
		}
	}
	for _, s := range l.Order {
		if l.Statuses[s].Resolved {
			fmt.Fprintf(b, "    %s --> [*]\n", ids[s])
		}
	}
}

func (c *chosen) erDiagram(b *strings.Builder) {
	ids := map[string]string{}
	for i, t := range c.types {
		ids[t.Name] = identifier("t", i, t.Name)
		fmt.Fprintf(b, "    %s[\"%s\"]", ids[t.Name], mermaidText(said(t.Title, t.Name)))
		fields := c.fields(t)
		if len(fields) > 0 {
			b.WriteString(" {\n")
			for _, f := range fields {
				fmt.Fprintf(b, "        %s %s%s\n", f.Type, attributeName(f.Name), mermaidNotes(f))
			}
			b.WriteString("    }")
		}
		b.WriteString("\n")
	}
	for _, t := range c.types {
		for _, f := range c.fields(t) {
			if to, drawn := ids[f.To]; drawn {
				ends := map[footKind]string{manyEnd: "o{", oneEnd: "||", mayBeEnd: "o|"}
				label := f.Name
				if f.Name == t.PartOf {
					label = "part of"
				}
				fmt.Fprintf(b, "    %s }o--%s %s : \"%s\"\n", ids[t.Name], ends[ending(f)], to, label)
			}
		}
	}
}

// attributeName keeps the fields pk, fk and uk apart from Mermaid's marks of keys.
func attributeName(name string) string {
	if name == "pk" || name == "fk" || name == "uk" {
		return name + "_"
	}
	return name
}

func mermaidNotes(f *definition.Field) string {
	var keys []string
	if f.To != "" {
		keys = append(keys, "FK")
	}
	if f.Unique {
		keys = append(keys, "UK")
	}
	s := ""
	if len(keys) > 0 {
		s = " " + strings.Join(keys, ", ")
	}
	switch {
	case f.Required:
		s += ` "required"`
	case len(f.Statuses) > 0:
		s += ` "sometimes required"`
	}
	return s
}

// mermaidText writes as a numbered entity whatever could mean something to
// Mermaid, to its Markdown or to HTML.
func mermaidText(s string) string {
	var b strings.Builder
	for i, r := range s {
		inWord := r == '_' && i > 0 && i+1 < len(s) && letter(rune(s[i-1])) && letter(rune(s[i+1]))
		keyword := len(s) >= i+len(anywhere) && strings.EqualFold(s[i:i+len(anywhere)], anywhere)
		if !keyword && (letter(r) || inWord || r == ' ' || r == ',' || r == '.' || r >= 0xA0) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "#%d;", r)
		}
	}
	return b.String()
}

// anywhere is the word that Mermaid finds anywhere in a line, even in quotes.
const anywhere = "direction"

func letter(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// markdown escapes what means something within a heading.
func markdown(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune("\\`*_[]<>#|~&!$@", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}
