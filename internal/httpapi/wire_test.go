package httpapi

import (
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/wire"
)

var update = flag.Bool("update", false, "write testdata/wire.golden")

// TestWireIsAPromise holds the messages that devices exchange to a fingerprint
// each. Descriptions don't count.
func TestWireIsAPromise(t *testing.T) {
	a, _, _ := newAPI(t)
	var doc struct {
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(a.Document(), &doc); err != nil {
		t.Fatal(err)
	}
	found := map[string]any{}
	for _, call := range []string{"POST /v1/devices", "POST /v1/sync/push", "GET /v1/sync/pull", "GET /v1/definition"} {
		method, path, _ := strings.Cut(call, " ")
		op, ok := doc.Paths[path][strings.ToLower(method)].(map[string]any)
		if !ok {
			t.Fatalf("there is no %s", call)
		}
		found[call] = essence(map[string]any{"parameters": op["parameters"], "request": op["requestBody"], "responses": op["responses"]}, false)
	}
	for more := true; more; { // all that they refer to
		more = false
		for _, v := range found {
			for _, name := range refs(v) {
				if found[name] == nil {
					found[name], more = essence(doc.Components.Schemas[name], false), true
				}
			}
		}
	}
	for _, name := range []string{"Push", "PushReply", "Mutation", "Base", "Receipt", "PullReply", "Pulled", "Outcome", "Record", "Error"} {
		if found[name] == nil {
			t.Errorf("%s is not reached: the walk is broken", name)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "protocol %d\n", wire.Protocol)
	for _, name := range slices.Sorted(maps.Keys(found)) {
		text, err := json.Marshal(found[name])
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%x %s\n", sha256.Sum256(text), name)
	}
	const golden = "testdata/wire.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("the messages of the sync protocol have changed.\nDevices in the field speak the old ones: bump wire.Protocol, see docs/protocol.md, "+
			"and then run go test ./internal/httpapi -run Wire -update.\nChanged:\n%s", difference(string(want), got))
	}
}

// essence is a schema without what is only for people. The keys of named are
// names of properties, all of which count.
func essence(v any, named bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, inner := range v {
			if named || key != "description" && key != "examples" && key != "title" {
				out[key] = essence(inner, !named && key == "properties")
			}
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, inner := range v {
			out = append(out, essence(inner, false))
		}
		return out
	}
	return v
}

func refs(v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			out = append(out, ref[strings.LastIndex(ref, "/")+1:])
		}
		for _, inner := range v {
			out = append(out, refs(inner)...)
		}
	case []any:
		for _, inner := range v {
			out = append(out, refs(inner)...)
		}
	}
	return out
}

func difference(want, got string) string {
	var b strings.Builder
	for line := range strings.Lines(got) {
		if !strings.Contains(want, line) {
			b.WriteString("  " + line)
		}
	}
	for line := range strings.Lines(want) {
		if !strings.Contains(got, line) {
			b.WriteString("  was " + line)
		}
	}
	return b.String()
}
