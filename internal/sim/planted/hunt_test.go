package planted

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// checkout is a small one: its program says what the package says.
func checkout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           module + "\n\ngo 1.26\n",
		"says/says.go":     "package says\n\n// Says is the answer.\nfunc Says() string {\n\treturn `{\"seeds\":9,\"clean\":true}`\n}\n",
		program + "/go.go": "package main\n\nimport \"github.com/landfall-sync/landfall/says\"\n\nfunc main() { println(\"trouble\"); print(says.Says()) }\n",
		program + "/print.go": "package main\n\nimport \"os\"\n\nfunc print(s string) {\n" +
			"\tif s == \"\" {\n\t\tselect {}\n\t}\n\tos.Stdout.WriteString(\"progress\\n\" + s + \"\\n\")\n}\n",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// saying is a bug with which the program of the small checkout gives an answer.
func saying(name, code string, finds ...string) *Bug {
	return &Bug{
		Name: name, What: "it says " + name, Breaks: "its silence", Within: 9, Finds: finds,
		Edits: []Edit{{File: "says/says.go", Old: "\treturn `{\"seeds\":9,\"clean\":true}`\n", New: "\t" + code + "\n"}},
	}
}

func TestHunt(t *testing.T) {
	bugs := []*Bug{
		saying("by-rule", "return `{\"seed\":3,\"seeds\":3,\"rule\":\"receipts\",\"text\":\"two\\nreceipts\"}`"),
		saying("as-expected", "return `{\"seed\":9,\"seeds\":9,\"rule\":\"receipts\"}`", "digests", "receipts"),
		saying("by-another", "return `{\"seed\":3,\"seeds\":3,\"rule\":\"receipts\"}`", "digests"),
		saying("too-late", "return `{\"seed\":10,\"seeds\":10,\"rule\":\"receipts\"}`"),
		saying("by-crash", "return `{\"seed\":4,\"seeds\":4,\"crash\":true,\"text\":\"index out of range\"}`"),
		saying("not-at-all", "return `{\"seeds\":9, \"clean\":true}`"),
		saying("silent", "panic(`nobody knows where`)"),
		saying("not-compiled", "return 7"),
		{Name: "moved", What: "it moved", Within: 9, Edits: []Edit{{File: "says/says.go", Old: "\treturn 1\n"}}},
	}
	var out bytes.Buffer
	found, err := hunt(t.Context(), bugs, Options{Root: checkout(t), Parallel: 2, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]struct {
		outcome Outcome
		good    bool
		line    string
	}{
		"by-rule":      {ByRule, true, "3     3      9       receipts"},
		"as-expected":  {ByRule, true, "9     9      9       receipts"},
		"by-another":   {ByRule, false, "receipts (EXPECTED digests)"},
		"too-late":     {ByRule, false, "receipts (TOO LATE)"},
		"by-crash":     {ByCrash, true, "crash"},
		"not-at-all":   {NotFound, false, "-     9      9       NOT FOUND"},
		"silent":       {NoAnswer, false, "NO ANSWER"},
		"not-compiled": {NotPlanted, false, "NOT PLANTED"},
		"moved":        {NotPlanted, false, "the bug moved changes lines of says/says.go that are there 0 times"},
	}
	if len(found) != len(want) {
		t.Errorf("%d of %d", len(found), len(want))
	}
	for _, f := range found {
		w := want[f.Bug.Name]
		if f.Outcome != w.outcome || f.Good() != w.good {
			t.Errorf("%s: %s, good %v: %+v", f.Bug.Name, f.Outcome, f.Good(), f)
		}
		_, row, _ := strings.Cut(out.String(), "\n"+f.Bug.Name+" ")
		if row, _, _ = strings.Cut(row, "\n"); !strings.Contains(row, w.line) {
			t.Errorf("%s: the table has %q", f.Bug.Name, row)
		}
	}
	for _, says := range []string{"9 bugs to find; first 9 seeds without any", " of 9  ", "3 of 9 bugs found"} {
		if !strings.Contains(out.String(), says) {
			t.Errorf("it does not say %q:\n%s", says, out.String())
		}
	}
}

// A program that does not end is ended; it found nothing.
func TestOutOfTime(t *testing.T) {
	bugs := []*Bug{saying("endless", "return ``")}
	found, err := hunt(t.Context(), bugs, Options{Root: checkout(t), Time: 300 * time.Millisecond})
	if err != nil || len(found) != 1 || found[0].Outcome == ByRule || found[0].Good() {
		t.Errorf("%+v %v", found, err)
	}
}

// ended ends a hunt when it says something.
type ended struct {
	bytes.Buffer
	when string
	end  context.CancelFunc
}

func (e *ended) Write(p []byte) (int, error) {
	if strings.Contains(string(p), e.when) {
		e.end()
	}
	return e.Buffer.Write(p)
}

// A hunt that is ended gives what it knows.
func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &ended{when: "1 of 2", end: cancel}
	bugs := []*Bug{saying("first", "return `{\"seed\":1,\"seeds\":1,\"rule\":\"receipts\"}`"), saying("second", "return ``")}
	found, err := hunt(ctx, bugs, Options{Root: checkout(t), Out: out})
	if !errors.Is(err, context.Canceled) || len(found) != 1 || found[0].Bug.Name != "first" {
		t.Errorf("%+v %v", found, err)
	}
	if s := out.String(); !strings.Contains(s, "1 of 1 bugs found") || strings.Contains(s, "second") {
		t.Errorf("it says:\n%s", s)
	}
}

func TestTrouble(t *testing.T) {
	here := checkout(t)
	bare := t.TempDir()
	if err := os.WriteFile(filepath.Join(bare, "go.mod"), []byte(module+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dirty := saying("dirty", "return `{\"seed\":2,\"seeds\":2,\"rule\":\"receipts\",\"text\":\"none\"}`")
	texts, err := dirty.changed(here)
	if err != nil {
		t.Fatal(err)
	}
	found := checkout(t)
	if err := os.WriteFile(filepath.Join(found, "says/says.go"), []byte(texts["says/says.go"]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path, says string
		o                Options
	}{
		{"no checkout", os.Getenv("PATH"), "is not a checkout of Landfall", Options{Root: t.TempDir()}},
		{"no program", os.Getenv("PATH"), "use one of the same version", Options{Root: bare}},
		{"no go", "", "install Go", Options{Root: here}},
		{"no such bug", os.Getenv("PATH"), `there is no bug "x"; there are: dirty`, Options{Root: here, Only: []string{"x"}}},
		{"not clean", os.Getenv("PATH"), "at seed 2, by receipts: none; repair that first", Options{Root: found}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("PATH", c.path)
			if _, err := hunt(t.Context(), []*Bug{dirty}, c.o); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
