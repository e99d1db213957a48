package planted

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// Every bug compiles and passes vet, or it would not get past anybody.
func TestCompiles(t *testing.T) {
	for _, r := range rounds(All()) {
		t.Run(r[0].Name, func(t *testing.T) {
			t.Parallel()
			vet(t, r)
		})
	}
}

// rounds puts bugs together that are in different packages: no edit changes what
// a package exports, so they compile together as they do alone.
func rounds(bugs []*Bug) (out [][]*Bug) {
	var busy []map[string]bool
	for _, b := range bugs {
		at := slices.IndexFunc(busy, func(m map[string]bool) bool {
			return !slices.ContainsFunc(packages(b), func(p string) bool { return m[p] })
		})
		if at < 0 {
			at = len(busy)
			busy, out = append(busy, map[string]bool{}), append(out, nil)
		}
		out[at] = append(out[at], b)
		for _, p := range packages(b) {
			busy[at][p] = true
		}
	}
	return out
}

func packages(b *Bug) []string {
	var out []string
	for _, e := range b.Edits {
		out = append(out, "./"+filepath.ToSlash(filepath.Dir(e.File)))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func vet(t *testing.T, bugs []*Bug) {
	t.Helper()
	type overlay struct{ Replace map[string]string }
	all := overlay{map[string]string{}}
	args := []string{"vet", "-overlay", filepath.Join(t.TempDir(), "all.json")}
	for _, b := range bugs {
		name, err := b.Overlay(root, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var o overlay
		if err := json.Unmarshal(text, &o); err != nil || len(o.Replace) == 0 {
			t.Fatalf("%s: %v", text, err)
		}
		maps.Copy(all.Replace, o.Replace)
		args = append(args, packages(b)...)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(args[2], text, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", names(bugs), err, out)
	}
}
