package definition

import (
	"fmt"
	"strings"
	"testing"
)

// pathological are definitions of about a megabyte, or of great depth, that ask
// for much work; each ends with problems, and soon.
func pathological() map[string]string {
	const head = "app: x\nroles: [w]\n"
	list := func(n int, f func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(f(i))
		}
		return b.String()
	}
	typ := func(fields string) string {
		return head + "types:\n  t:\n    fields:\n" + fields + "    audience: [all]\n    rights: {w: {create: true}}\n"
	}
	return map[string]string{
		"keys":   list(60_000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }),
		"roles":  "app: x\nroles: [" + list(100_000, func(i int) string { return fmt.Sprintf("r%d,", i) }) + "]\n",
		"types":  head + "types:\n" + list(20_000, func(i int) string { return fmt.Sprintf("  t%d: {fields: {a: {type: txt}}}\n", i) }),
		"fields": typ(list(20_000, func(i int) string { return fmt.Sprintf("      f%d: {type: text, check: \"f%d == f%d\"}\n", i, i, i+1) })),
		"unknown": typ(list(900, func(i int) string {
			return fmt.Sprintf("      f%d: {type: reference, to: nowhere%d, check: \"nothing%d\"}\n", i, i, i)
		})),
		"choices": typ("      f: {type: choice, choices: [" + list(100_000, func(i int) string { return fmt.Sprintf("c%d,", i) }) + "]}\n"),
		"computed": typ(list(60, func(i int) string {
			return fmt.Sprintf("      f%d: {type: integer, computed: \"%s\"}\n", i, strings.TrimSuffix(list(60, func(j int) string { return fmt.Sprintf("record.f%d + ", j) }), " + "))
		})),
		"via": head + "types:\n" + list(700, func(i int) string {
			return fmt.Sprintf("  t%d: {fields: {a: {type: reference, to: t%d}, b: {type: reference, to: t%d}}, audience: [via:a, via:b], rights: {w: {create: true}}}\n", i, min(i+1, 699), min(i+1, 699))
		}),
		"parts": head + "types:\n" + list(900, func(i int) string {
			return fmt.Sprintf("  t%d: {part_of: t%d, fields: {a: {type: text}}, rights: {w: {create: true}}}\n", i, (i+1)%900)
		}),
		"transitions": head + "types:\n  t:\n    fields: {a: {type: text}}\n    audience: [all]\n    rights: {w: {create: true}}\n    lifecycle:\n      initial: s0\n      statuses:\n" + list(900, func(i int) string { return fmt.Sprintf("        s%d: {}\n", i) }) + "      transitions:\n" + list(900, func(i int) string {
			return fmt.Sprintf("        m%d: {from: [s%d], to: s%d, roles: [w]}\n", i, i, (i+1)%900)
		}),
		"conversions":  typ("      f: {type: text}\n") + "convert:\n" + list(20_000, func(i int) string { return fmt.Sprintf("  - {to: %d, type: t, rename: {g%d: f}}\n", i+2, i) }),
		"automations":  typ("      f: {type: text}\n") + "automations:\n" + list(10_000, func(int) string { return "  - {on: t.create, create: t}\n" }),
		"nesting":      head + "types: " + strings.Repeat("{a: ", 5_000) + strings.Repeat("}", 5_000),
		"languages":    "app: x\nlanguages: [" + list(1_000, func(i int) string { return fmt.Sprintf("aa-%d0,", i+10) }) + "]\ntitle: {aa-100: x}\nroles: [w]\n",
		"expression":   typ("      f: {type: text, check: \"" + strings.Repeat("(", 900) + "f" + strings.Repeat(")", 900) + " == ''\"}\n"),
		"negations":    typ("      f: {type: boolean, check: \"" + strings.Repeat("!", 1_900) + "f\"}\n"),
		"conditionals": typ("      f: {type: boolean, check: \"" + strings.Repeat("f ? ", 200) + "f" + strings.Repeat(" : f", 200) + "\"}\n"),
		"long list":    typ("      f: {type: text, check: \"f in [" + strings.Repeat("f,", 900) + "f]\"}\n"),
		"loops":        typ("      f: {type: choices, choices: [a], check: \"" + strings.Repeat("f.all(a, ", 30) + "true" + strings.Repeat(")", 30) + "\"}\n"),
		"sections":     typ("      f: {type: text}\n") + "mobile:\n  sections:\n" + list(15_000, func(int) string { return "    - {type: t, where: \"record.f == me\"}\n" }),
		"scopes": head + "types:\n" + list(1_000, func(i int) string {
			return fmt.Sprintf("  t%d: {label: record.a, fields: {a: {type: text, check: \"a != ''\"}, b: {type: reference, to: t%d, where: \"target.a == record.a\"}}, audience: [all], rights: {w: {create: true, update: \"record.a == me\"}}}\n", i, i)
		}),
		"wide": typ(list(990, func(i int) string {
			return fmt.Sprintf("      f%d: {type: reference, to: t, where: \"target.f%d == record.f%d\"}\n", i, i, i)
		})),
		"routes": typ("      f: {type: text}\n") + "issues:\n  routes:\n" + list(15_000, func(int) string { return "    - {when: \"issue.kind == 'x'\", queue: q}\n" }),
	}
}

func TestPathological(t *testing.T) {
	for name, src := range pathological() {
		t.Run(name, func(t *testing.T) {
			if len(src) > maxSource {
				t.Fatalf("%d bytes are refused for their length alone", len(src))
			}
			app, problems := Compile("p.yaml", []byte(src))
			if app == nil && len(problems) == 0 {
				t.Error("refused without a word")
			}
			if len(problems) > maxProblems {
				t.Errorf("%d problems", len(problems))
			}
		})
	}
}
