package sim

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// counters are the names that the source gives to what it counts: whole ones,
// and the beginnings of those that it puts together.
func counters(t *testing.T) (whole, begun []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`met\(("[^"]*"|captured)( \+)?`)
	whole = []string{captured}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(b), -1) {
			switch text := strings.Trim(m[1], `"`); {
			case m[2] != "":
				begun = append(begun, text)
			case strings.Contains(name, "disk"):
				whole = append(whole, "server: "+text, "device: "+text)
			default:
				whole = append(whole, text)
			}
		}
	}
	begun = slices.DeleteFunc(begun, func(text string) bool { return text == "server: " || text == "device: " })
	return whole, begun
}

// Every aim can be reached: there is such a fault, and something counts its
// branch. No two are the same.
func TestAims(t *testing.T) {
	whole, begun := counters(t)
	if len(whole) < 20 || len(begun) < 4 {
		t.Fatalf("only %d counters are found in the source: %q, %q", len(whole)+len(begun), whole, begun)
	}
	names, pairs := map[string]bool{}, map[string]bool{}
	for _, a := range aims {
		if a.Fault != "" && !slices.Contains(AllFaults, a.Fault) {
			t.Errorf("%s: there is no fault %q", a.Name, a.Fault)
		}
		if !slices.Contains(whole, a.Branch) && !slices.ContainsFunc(begun, func(text string) bool { return strings.HasPrefix(a.Branch, text) }) {
			t.Errorf("%s: nothing counts %q", a.Name, a.Branch)
		}
		pair := string(a.Fault) + " × " + a.Branch
		if names[a.Name] || pairs[pair] {
			t.Errorf("%s (%s) is there twice", a.Name, pair)
		}
		names[a.Name], pairs[pair] = true, true
	}
	for _, f := range AllFaults {
		if !slices.ContainsFunc(aims, func(a Aim) bool { return a.Fault == f }) {
			t.Errorf("nothing is to be reached with %s", f)
		}
	}
}

func TestCoverage(t *testing.T) {
	r := newReport()
	one := &Result{Scenario: Scenario{Conf: Conf{Faults: []Fault{Clone, Network}}}, Met: map[string]int{"push: forked": 1, "push: replayed": 3}}
	r.add(one)
	all, never := r.Coverage()
	if len(all) != len(aims) || len(all)-len(never) != 2 { // a clone needs to be made
		t.Errorf("%d of %d are reached: %v", len(all)-len(never), len(all), r.Aims)
	}
	one.Scenario.Actions = []Action{{Do: "clone"}}
	r.add(one)
	if _, never := r.Coverage(); len(all)-len(never) != 4 {
		t.Errorf("with a clone, %d are reached: %v", len(all)-len(never), r.Aims)
	}
	r.Swarm = Swarm{Only: []Fault{Clone}}
	if all, _ := r.Coverage(); slices.ContainsFunc(all, func(a Aim) bool { return a.Fault == Network }) {
		t.Error("without a network that is bad, nothing can be reached with it")
	}
}
