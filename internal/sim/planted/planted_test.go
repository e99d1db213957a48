package planted

import (
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const root = "../../.."

// The bugs are many, and in all the places where sync is decided.
func TestBugs(t *testing.T) {
	all := All()
	if len(all) < 34 {
		t.Errorf("%d bugs", len(all))
	}
	var whats []string
	places := map[string]bool{}
	for _, b := range all {
		whats = append(whats, b.What)
		for _, e := range b.Edits {
			places[filepath.ToSlash(filepath.Dir(e.File))] = true
		}
	}
	slices.Sort(whats)
	if len(slices.Compact(whats)) != len(all) {
		t.Error("two bugs say the same")
	}
	for _, place := range []string{"client", "internal/auth", "internal/changelog", "internal/core", "internal/inbox", "internal/publish", "internal/store", "internal/workqueue"} {
		if !places[place] {
			t.Errorf("no bug in %s", place)
		}
	}
}

// Each old text is in the code once, and each bug changes what the code does:
// not its layout, and not its comments alone.
func TestPlanted(t *testing.T) {
	for _, b := range All() {
		texts, err := b.changed(root)
		if err != nil {
			t.Error(err)
			continue
		}
		for file, text := range texts {
			was, err := os.ReadFile(filepath.Join(root, file))
			if err != nil {
				t.Fatal(err)
			}
			formatted, err := format.Source([]byte(text))
			if err != nil {
				t.Errorf("%s: %s: %v", b.Name, file, err)
				continue
			}
			if string(formatted) != text {
				t.Errorf("%s: %s is not formatted", b.Name, file)
			}
			if code(text) == code(string(was)) {
				t.Errorf("%s changes nothing in %s", b.Name, file)
			}
		}
	}
}

// code is a text without its comments, its empty lines and its indentation.
func code(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}
