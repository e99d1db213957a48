package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What once broke a rule breaks none, is the same twice, and tells nobody what they may not see.
func TestRegressions(t *testing.T) {
	all, err := filepath.Glob("testdata/regressions/*.json")
	if err != nil || len(all) == 0 {
		t.Fatalf("no kept scenario was found: %v", err)
	}
	for _, path := range all {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".json"), func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			k, err := Read(b)
			if err != nil {
				t.Fatal(err)
			}
			if k.Why == "" || k.Rule == "" {
				t.Error("it does not say why it is kept, or which rule it broke")
			}
			for _, v := range Thorough(t.Context(), k.Scenario, Options{Seed: k.Scenario.Seed}).Violations {
				t.Errorf("%s: %s (it is kept because: %s)", v.Rule, v.Text, k.Why)
			}
		})
	}
}

func TestKeep(t *testing.T) {
	root := t.TempDir()
	s := Draw(7)
	k := &Kept{Why: "it was in a test", Rule: "receipt", Scenario: &s}
	if _, err := Keep(root, "kept", k); err == nil || !strings.Contains(err.Error(), "root of a checkout") {
		t.Errorf("kept where there is no checkout: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(root, "internal", "sim"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "../up", "Up", "a/b", "a--b"} {
		if _, err := Keep(root, name, k); err == nil {
			t.Errorf("%q is taken for a name", name)
		}
	}
	path, err := Keep(root, "kept", k)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Keep(root, "kept", k); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("overwritten: %v", err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Read(b)
	if err != nil || !again.Scenario.same(&s) || again.Why != k.Why || again.Rule != k.Rule {
		t.Errorf("it is read back as %+v: %v", again, err)
	}
}

func TestReadRefusesWhatCannotBePlayed(t *testing.T) {
	good := string(encoded(Draw(3)))
	if k, err := Read([]byte(good)); err != nil || k.Scenario.Seed != 3 {
		t.Errorf("a scenario alone is not read: %v", err)
	}
	for what, b := range map[string]string{
		"nothing": "", "nothing in it": "{}", "another thing": `{"why":"because"}`,
		"policy":  strings.Replace(good, `"policy":"`, `"policy":"x`, 1),
		"action":  strings.Replace(good, `"do":"`, `"do":"x`, 1),
		"order":   strings.Replace(good, `"at":`, `"at":999`, 1),
		"fault":   strings.Replace(good, `"faults":[`, `"faults":["x",`, 1),
		"devices": strings.Replace(good, `"devices":`, `"devices":-`, 1),
		"page":    strings.Replace(good, `"page":`, `"page":-`, 1),
	} {
		if _, err := Read([]byte(b)); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}
