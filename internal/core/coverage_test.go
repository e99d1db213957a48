package core_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

// TestEverythingHasAVector: every stage, kind, policy, placing, action and code
// that the code names is the answer, or the subject, of at least one vector.
func TestEverythingHasAVector(t *testing.T) {
	seen := map[string]map[string]bool{}
	see := func(what, name string) {
		if seen[what] == nil {
			seen[what] = map[string]bool{}
		}
		seen[what][name] = true
	}
	for _, cases := range load(t) {
		for _, v := range cases {
			answer := tree(t, v.play(t))
			walk(answer, see)
			if a, is := answer.(map[string]any); is && a["waits"] != nil && a["waits"] != "" {
				see("stage", "lane")
			}
			v.policies(t, see)
		}
	}
	for _, want := range []struct{ what, file, prefix string }{
		{"stage", "core.go", "Stage"},
		{"each", "sequence.go", "Place"},
		{"code", "messages.go", "Code"},
		{"code", "envelope.go", "Code"},
		{"kind", "../../issue.go", "Kind"},
		{"action", "../../change.go", ""},
		{"policy", "../definition/app.go", "Policy "},
		{"status policy", "../definition/app.go", "StatusPolicy "},
	} {
		names := constants(t, want.file, want.prefix)
		if len(names) == 0 {
			t.Errorf("%s names no %s: the test looks in the wrong place", want.file, want.what)
		}
		for _, name := range names {
			if !seen[want.what][name] {
				t.Errorf("the %s %q has no vector", want.what, name)
			}
		}
	}
	for _, s := range []landfall.Settlement{landfall.SettledApplied, landfall.SettledMerged, landfall.SettledKept} {
		if !seen["settlement"][string(s)] {
			t.Errorf("the settlement %q has no vector", s)
		}
	}
}

// walk notes every member of an answer whose value is text.
func walk(v any, see func(what, name string)) {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if s, is := e.(string); is {
				see(k, s)
			}
			if list, is := e.([]any); is {
				for _, m := range list {
					if s, is := m.(string); is {
						see(k, s)
					}
				}
			}
			walk(e, see)
		}
	case []any:
		for _, e := range x {
			walk(e, see)
		}
	}
}

// policies notes the policy of each field that the case sets and somebody else
// changed, and the status policy of each case that somebody else moved.
func (v *vector) policies(t *testing.T, see func(what, name string)) {
	if v.Call != "judge" {
		return
	}
	a := app(t, v.Definition, v.Version)
	for _, s := range v.Run {
		typ := a.Types[s.Mutation.Type]
		if typ == nil {
			continue
		}
		for _, c := range v.World.History[s.Mutation.ID] {
			if c.Transition != "" {
				see("status policy", string(typ.Status))
			}
			for name := range s.Mutation.Set {
				if _, crossed := c.Set[name]; crossed && typ.Fields[name] != nil {
					see("policy", string(typ.Fields[name].Policy))
				}
			}
		}
	}
}

// constants lists the text constants of a file: those whose name begins with
// the prefix, or, for a prefix that ends in a space, those of that type.
func constants(t *testing.T, file, prefix string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.FromSlash(file), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ofType, byType := strings.CutSuffix(prefix, " ")
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		if !is || len(spec.Values) != 1 {
			return true
		}
		lit, is := spec.Values[0].(*ast.BasicLit)
		if !is || lit.Kind != token.STRING {
			return true
		}
		typ := ""
		if id, named := spec.Type.(*ast.Ident); named {
			typ = id.Name
		}
		if byType && typ != ofType || !byType && !strings.HasPrefix(spec.Names[0].Name, prefix) {
			return true
		}
		s, err := strconv.Unquote(lit.Value)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
		return true
	})
	return out
}
