package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const expenses = "../../examples/expenses/app.yaml"

func TestDiagram(t *testing.T) {
	file := filepath.Join(t.TempDir(), "expenses.svg")
	code, out, errs := program(t, "", "app", "diagram", expenses, "--out", file)
	if code != exitDone || !strings.Contains(out, "expenses.svg") {
		t.Fatalf("exit %d: %s%s", code, out, errs)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile("../../docs/diagrams/expenses.svg")
	if err != nil {
		t.Fatal(err)
	}
	if string(written) != string(readme) {
		t.Error("docs/diagrams/expenses.svg is not what the command draws: run it again, with --out")
	}
	if code, out, _ = program(t, "", "app", "diagram", expenses); code != exitDone || out != string(written) {
		t.Errorf("exit %d, and %d bytes instead of %d", code, len(out), len(written))
	}
	code, out, _ = program(t, "", "app", "diagram", expenses, "--type", "expense", "--format", "mermaid")
	if code != exitDone || !strings.Contains(out, "stateDiagram-v2") || !strings.Contains(out, "erDiagram") {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out, _ = program(t, "", "--json", "app", "diagram", expenses)
	var reply struct{ Format, Diagram string }
	if err := json.Unmarshal([]byte(out), &reply); err != nil || code != exitDone || reply.Format != "svg" || reply.Diagram != string(written) {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
}

func TestDiagramOfWhatIsWrong(t *testing.T) {
	broken := "../../internal/definition/testdata/broken.yaml"
	code, out, _ := program(t, "", "app", "diagram", broken)
	_, check, _ := program(t, "", "app", "check", broken)
	if code != exitRefused || !strings.HasPrefix(check, out) || !strings.Contains(out, "broken.yaml:2:1: ") {
		t.Errorf("exit %d\n%s", code, out)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{expenses, "--type", "expens"}, exitRefused, `did you mean "expense"?`},
		{[]string{expenses, "--format", "png"}, exitUsage, "svg"},
		{[]string{filepath.Join(t.TempDir(), "none.yaml")}, exitRefused, "can't be read"},
		{[]string{expenses, "--out", filepath.Join(t.TempDir(), "none", "x.svg")}, exitRefused, "can't be written"},
	} {
		if code, _, errs := program(t, "", append([]string{"app", "diagram"}, c.args...)...); code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("%q: exit %d, %s", c.args, code, errs)
		}
	}
}
