package diagram

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall/internal/definition"
)

var update = flag.Bool("update", false, "write the pictures again")

// TestGolden holds every picture to its bytes. That of the expense app is the
// one in the README.
func TestGolden(t *testing.T) {
	for _, c := range []struct{ source, only, svg, mermaid string }{
		{"../../examples/expenses/app.yaml", "", "../../docs/diagrams/expenses.svg", "testdata/expenses.md"},
		{"../../examples/fieldservice/app.yaml", "", "../../docs/diagrams/fieldservice.svg", "testdata/fieldservice.md"},
		{"testdata/workorders.yaml", "", "testdata/workorders.svg", "testdata/workorders.md"},
		{"testdata/workorders.yaml", "site", "testdata/site.svg", "testdata/site.md"},
		{"testdata/hostile.yaml", "", "testdata/hostile.svg", "testdata/hostile.md"},
	} {
		src, err := os.ReadFile(c.source)
		if err != nil {
			t.Fatal(err)
		}
		app := definition.MustCompile(c.source, src)
		svg, err := SVG(app, Options{Type: c.only})
		if err != nil {
			t.Fatal(err)
		}
		text, err := Mermaid(app, Options{Type: c.only})
		if err != nil {
			t.Fatal(err)
		}
		golden(t, c.svg, svg)
		golden(t, c.mermaid, text)
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Errorf("%s is not current: look at the difference, then run go test ./internal/diagram -update", file)
	}
}
