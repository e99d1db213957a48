// Package archtest keeps the house in order: who may import whom, and how big
// a file, a function and an interface may be. ARCHITECTURE.md explains why.
package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/landfall-sync/landfall"

// rules says which packages of the module a folder may import. A folder that
// is not listed here fails the test: it needs a place in the house first.
var rules = map[string][]string{
	".":                         {},
	"internal/definition":       {"."},
	"internal/core":             {".", "internal/definition"},
	"internal/kv":               {},
	"internal/store":            {"."},
	"internal/wire":             {".", "internal/core"},
	"internal/inbox":            {".", "internal/core", "internal/definition", "internal/store", "internal/wire"},
	"internal/changelog":        {".", "internal/core", "internal/definition", "internal/store", "internal/wire"},
	"internal/workqueue":        {".", "internal/core", "internal/definition", "internal/store", "internal/wire"},
	"internal/auth":             {".", "internal/definition", "internal/store", "internal/wire"},
	"internal/diagram":          {".", "internal/definition"},
	"internal/rehearse":         {".", "internal/core", "internal/definition", "internal/store", "internal/wire"},
	"internal/settings":         {".", "internal/definition", "internal/store", "internal/wire"},
	"internal/publish":          {".", "internal/core", "internal/definition", "internal/store", "internal/wire"},
	"internal/httpapi":          {".", "internal/core", "internal/store", "internal/wire"},
	"internal/httpapi/apitest":  {},
	"internal/doctor":           {".", "internal/core", "internal/definition", "internal/store"},
	"internal/desk":             {".", "client", "internal/core", "internal/wire"},
	"internal/bench":            {".", "client", "internal/core", "internal/desk", "internal/wire"},
	"internal/demo":             {".", "client", "client/memory", "client/sqlite", "internal/core", "internal/definition", "internal/desk", "internal/wire", "examples"},
	"internal/archtest":         {},
	"internal/sim/app":          {},
	"internal/sim":              {".", "client", "client/memory", "internal/auth", "internal/changelog", "internal/core", "internal/definition", "internal/inbox", "internal/kv", "internal/publish", "internal/settings", "internal/sim/app", "internal/sim/model", "internal/sim/watch", "internal/store", "internal/store/memory", "internal/wire", "internal/workqueue"},
	"internal/sim/watch":        {".", "internal/store"},
	"internal/sim/model":        {".", "internal/store", "internal/sim/app", "internal/sim/watch"},
	"internal/sim/planted":      {},
	"internal/sim/planted/hunt": {"internal/sim"},
	"internal/blob":             {".", "internal/store"},
	"internal/tabular":          {"."},
	"internal/oracle":           {},
	"internal/sealed":           {"."},
	"internal/torn":             {},
	"internal/transfer":         {".", "internal/definition", "internal/tabular", "internal/wire"},
	"client":                    {".", "internal/core", "internal/definition", "internal/wire"},
	"client/clienttest":         {".", "client"},
	"client/memory":             {".", "client", "internal/kv"},
	"client/sqlite":             {".", "client"},
	"internal/store/memory":     {".", "internal/kv", "internal/store"},
	"internal/store/sqlite":     {".", "internal/store"},
	"internal/store/storetest":  {".", "internal/store"},
	"examples":                  {},
	"stories":                   {},
	"server":                    {"*"},
	"cmd/landfall":              {"*"},
}

// forTests are packages that tests alone import, whatever a rule allows.
var forTests = []string{"internal/httpapi/apitest", "internal/oracle", "internal/store/storetest", "internal/torn"}

// pure packages hold rules: no context, clock, randomness, file, network, SQL,
// log or goroutine.
var pure = []string{".", "internal/core", "internal/definition", "internal/diagram", "internal/wire"}

// allowedInPure are the standard packages of values, and the few libraries that
// compute without side effects.
var allowedInPure = []string{
	"bytes", "cmp", "compress/flate", "crypto/sha256", "embed", "encoding/base64", "encoding/hex", "encoding/json", "errors", "fmt",
	"hash/fnv", "io", "iter", "maps", "math", "math/big", "reflect", "regexp", "slices", "sort", "strconv", "strings",
	"sync", "sync/atomic", "time", "unicode", "unicode/utf16", "unicode/utf8",
	"cel.dev/cel-go/", "github.com/cockroachdb/apd/", "github.com/go-json-experiment/json", "go.yaml.in/yaml/",
}

// size budgets, and the named exceptions to them; the lists may only shrink.
const (
	maxFile      = 500
	maxFunc      = 70
	maxInterface = 8
)

var exceptions = map[string]string{
	"internal/store/store.go:Records":      "one reader of a consistent state; drivers implement it whole, consumers declare less",
	"internal/store/store.go:WriteRecords": "the writes of one verdict belong together",
}

func TestHouse(t *testing.T) {
	for dir, files := range sources(t) {
		allowed, known := rules[dir]
		if !known {
			t.Errorf("%s has no place in the house: add it to the rules here and to ARCHITECTURE.md", dir)
			continue
		}
		for _, f := range files {
			checkImports(t, dir, f, allowed)
			checkSizes(t, f)
		}
	}
}

// source is one parsed file that is not a test.
type source struct {
	path  string
	fset  *token.FileSet
	file  *ast.File
	lines int
}

func sources(t *testing.T) map[string][]source {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]source{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "tools" || name == "web") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		dir := filepath.ToSlash(filepath.Dir(rel))
		out[dir] = append(out[dir], source{rel, fset, f, fset.File(f.Pos()).LineCount()})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) < 5 {
		t.Fatalf("only %d packages found: the walk is broken", len(out))
	}
	return out
}

func checkImports(t *testing.T, dir string, s source, allowed []string) {
	t.Helper()
	isPure := slices.Contains(pure, dir)
	for _, spec := range s.file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if path == module || strings.HasPrefix(path, module+"/") {
			inner := strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
			if inner == "" {
				inner = "."
			}
			if slices.Contains(forTests, inner) {
				t.Errorf("%s imports %s, which is for tests", s.path, inner)
			}
			if !slices.Contains(allowed, inner) && !slices.Contains(allowed, "*") {
				t.Errorf("%s imports %s, which %s may not", s.path, inner, dir)
			}
			continue
		}
		if isPure && !slices.ContainsFunc(allowedInPure, func(a string) bool {
			return path == a || strings.HasSuffix(a, "/") && strings.HasPrefix(path, a) || strings.HasPrefix(path, a+"/") && strings.Contains(a, ".")
		}) {
			t.Errorf("%s imports %s: %s is pure", s.path, path, dir)
		}
	}
	if !isPure {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s starts a goroutine: %s is pure", s.fset.Position(n.Pos()), dir)
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains([]string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker"}, n.Sel.Name) {
				t.Errorf("%s reads the clock: %s is pure", s.fset.Position(n.Pos()), dir)
			}
		}
		return true
	})
}

func checkSizes(t *testing.T, s source) {
	t.Helper()
	over := func(name string, got, limit int, what string) {
		if got > limit && exceptions[s.path+":"+name] == "" {
			t.Errorf("%s: %s has %d %s, the budget is %d", s.path, name, got, what, limit)
		}
		if got <= limit && exceptions[s.path+":"+name] != "" {
			t.Errorf("%s: %s is within the budget again: take it off the exceptions", s.path, name)
		}
	}
	over("", s.lines, maxFile, "lines")
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Body != nil {
				over(n.Name.Name, s.fset.Position(n.End()).Line-s.fset.Position(n.Pos()).Line+1, maxFunc, "lines")
			}
		case *ast.TypeSpec:
			if i, ok := n.Type.(*ast.InterfaceType); ok {
				over(n.Name.Name, i.Methods.NumFields(), maxInterface, "methods")
			}
		}
		return true
	})
	banned := []string{"util", "utils", "common", "base", "helpers", "types", "models"}
	if slices.Contains(banned, s.file.Name.Name) {
		t.Errorf("%s: a package called %q says nothing", s.path, s.file.Name.Name)
	}
}
