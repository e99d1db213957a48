package definition

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// defined says what of the schema describes what the reader reads with these words.
var defined = map[string]string{
	"the definition": "", "mobile": "mobile", "sync": "sync", "hybrid": "hybrid", "a section": "section", "what is carried": "carry",
	"a queue": "queue", "a type": "type", "number": "number", "a field": "field", "a lifecycle": "lifecycle", "a status": "status",
	"a transition": "transition", "an audience key": "audience_key", "a right": "right", "a grant": "grant_if", "read": "read",
	"conflicts": "conflicts", "a schedule": "schedule", "a part of a form": "form", "issues": "issues", "a route": "route",
	"an automation": "automation", "an automatic transition": "automatic_transition", "a notification": "notification", "a conversion": "conversion",
}

// node is a part of the schema.
type node struct {
	Description string          `json:"description"`
	Properties  map[string]node `json:"properties"`
	Enum        []string        `json:"enum"`
	Closed      any             `json:"additionalProperties"`
}

func schemaNode(t *testing.T, name string) node {
	t.Helper()
	var n node
	root := struct {
		Defs map[string]json.RawMessage `json:"$defs"`
	}{}
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	raw := json.RawMessage(Schema())
	if name != "" {
		raw = root.Defs[name]
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	if err := dec.Decode(&n); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// read are the words that the reader knows, by what it reads with them: as the
// source has them, so that no word is forgotten.
func readWords(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	set := token.NewFileSet()
	packages, err := parser.ParseDir(set, ".", func(f fs.FileInfo) bool { return !strings.HasSuffix(f.Name(), "_test.go") }, 0) //nolint:staticcheck // the files of one folder are all that is wanted
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range packages["definition"].Files {
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if s, ok := call.Fun.(*ast.SelectorExpr); !ok || s.Sel.Name != "object" {
				return true
			}
			var words []string
			for _, a := range call.Args[1:] {
				lit, ok := a.(*ast.BasicLit)
				if !ok {
					return true
				}
				w, err := strconv.Unquote(lit.Value)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, w)
			}
			out[words[0]] = words[1:]
			return true
		})
	}
	return out
}

// The schema has the words that the reader knows, and no others; each says what it
// is for.
func TestSchemaHasEveryWord(t *testing.T) {
	read := readWords(t)
	if len(read) < 20 {
		t.Fatalf("only %d kinds of objects are read: the source is read wrong", len(read))
	}
	for what, words := range read {
		def, ok := defined[what]
		if !ok {
			t.Errorf("the schema has nothing for %s", what)
			continue
		}
		n := schemaNode(t, def)
		slices.Sort(words)
		if has := slices.Sorted(maps.Keys(n.Properties)); !slices.Equal(has, words) {
			t.Errorf("%s: the schema has %v, the reader knows %v", what, has, words)
		}
		if n.Closed != false {
			t.Errorf("%s: the schema takes other words, too", what)
		}
		for word, p := range n.Properties {
			if p.Description == "" {
				t.Errorf("%s: the schema does not say what %s is", what, word)
			}
		}
	}
	for what := range defined {
		if read[what] == nil {
			t.Errorf("the schema knows %s, which nobody reads", what)
		}
	}
	if types := schemaNode(t, "field").Properties["type"].Enum; !slices.Equal(types, fieldTypes) {
		t.Errorf("the schema has the field types %v", types)
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("definition.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("definition.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plainValue is YAML as JSON has it; days and moments are texts there.
func plainValue(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plainValue(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, 0, len(n.Content))
		for _, c := range n.Content {
			l = append(l, plainValue(t, c))
		}
		return l
	case yaml.ScalarNode:
		var x any
		if n.Tag == "!!timestamp" {
			return n.Value
		}
		if err := n.Decode(&x); err != nil {
			t.Fatal(err)
		}
		return x
	default:
		t.Fatal("neither mapping, list nor scalar")
		return nil
	}
}

func valid(t *testing.T, s *jsonschema.Schema, src []byte) error {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		t.Fatal(err)
	}
	return s.Validate(plainValue(t, doc.Content[0]))
}

// What compiles is valid; what is misspelt is not.
func TestSchemaTells(t *testing.T) {
	s := compiledSchema(t)
	right := map[string][]byte{"related": []byte(related), "words": []byte(words), "costs": []byte(costs)}
	for _, file := range rightFiles {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		right[file] = src
	}
	for name, src := range right {
		if err := valid(t, s, src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	broken, err := os.ReadFile("testdata/broken.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if valid(t, s, broken) == nil {
		t.Error("broken.yaml is valid")
	}
	for _, x := range []struct{ from, to string }{
		{"app: a", "ap: a"}, {"roles: [w, boss]", "roles: {w: 1}"}, {"type: text, required: true", "type: txt"}, {"max_size: 10MB", "max_size: much"},
		{"required: true", "required: {a: b}"}, {"part_of: order", "part-of: order"}, {"to: 3, type", "to: 1, type"}, {"audience: [via:site]", "audience: [by:site]"},
		{"read: {not: [fee]}", "read: {nut: [fee]}"}, {"create: true, update: true, delete: true", "create: 1"}, {"version: 3", "version: soon"},
		{"part_of: order\n", "part_of: order\n    conflicts: {status: often}\n"},
	} {
		src := strings.Replace(related, x.from, x.to, 1)
		if src == related {
			t.Fatalf("%s: nothing was changed", x.from)
		}
		if valid(t, s, []byte(src)) == nil {
			t.Errorf("valid with %s", x.to)
		}
		if app, _ := Compile("a.yaml", []byte(src)); app != nil {
			t.Errorf("compiled with %s", x.to)
		}
	}
}

// The reference names every word of the language, every field type, and nothing is
// left to be guessed.
func TestReferenceHasEveryWord(t *testing.T) {
	page, err := os.ReadFile("../../docs/definition.md")
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	for _, words := range readWords(t) {
		for _, w := range words {
			if !strings.Contains(string(page), "`"+w+"`") {
				missing = append(missing, w)
			}
		}
	}
	for _, typ := range fieldTypes {
		if !strings.Contains(string(page), "| `"+typ+"` |") {
			missing = append(missing, "type "+typ)
		}
	}
	for _, limit := range []int{maxText, maxLongText, costLimit} {
		if n := strconv.Itoa(limit); !strings.Contains(string(page), n[:len(n)-3]+","+n[len(n)-3:]) {
			missing = append(missing, "limit "+n)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		t.Errorf("docs/definition.md does not have %v", slices.Compact(missing))
	}
}
