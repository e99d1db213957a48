package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What app check says of a definition, alone and against the published one.
func TestAppCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const plain = "app: a\nroles: [w]\ntypes:\n  visit:\n    fields: {note: {type: text}}\n    audience: [all]\n    rights: {w: {create: true}}\n"
	right := write("right.yaml", plain)
	warned := write("warned.yaml", strings.Replace(plain, "[w]", "[w, ghost]", 1))
	wrong := write("wrong.yaml", strings.Replace(plain, "text", "txt", 1))
	next := write("next.yaml", strings.Replace(plain, "note", "notes", 1))
	for _, c := range []struct {
		args []string
		code int
		want []string
	}{
		{[]string{right}, exitDone, []string{"right.yaml is right: 1 type, 1 role, no queues."}},
		{[]string{right, "--quiet"}, exitDone, nil},
		{[]string{warned}, exitDone, []string{"warned.yaml:2:12: warning: the role ghost is used nowhere", "no errors, 1 warning.", "is right"}},
		{[]string{warned, "--strict"}, exitRefused, []string{"no errors, 1 warning."}},
		{[]string{wrong}, exitRefused, []string{`wrong.yaml:5:27: type "txt" is not known`, "1 error, no warnings."}},
		{[]string{next, "--against", right}, exitDone, []string{"next.yaml:5:5: warning: the field visit.note of the published version is gone", "convert: [{to: 2, type: visit, rename: {note: notes}}]"}},
		{[]string{next, "--against", right, "--strict"}, exitRefused, []string{"1 warning"}},
		{[]string{right, "--against", right}, exitDone, []string{"is right"}},
		{[]string{right, "--against", wrong}, exitUsage, []string{"is not right itself"}},
		{[]string{right, "--against", filepath.Join(dir, "none.yaml")}, exitUsage, []string{"can't be read"}},
		{[]string{right, "--published"}, exitUsage, []string{"landfall login"}},
	} {
		code, out, errs := program(t, "", append([]string{"app", "check"}, c.args...)...)
		if code != c.code {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, out, errs)
		}
		for _, w := range c.want {
			if !strings.Contains(out+errs, w) {
				t.Errorf("%v does not say %q:\n%s%s", c.args, w, out, errs)
			}
		}
		if c.want == nil && out != "" {
			t.Errorf("%v: %s", c.args, out)
		}
	}
	code, out, _ := program(t, "", "--json", "app", "check", warned)
	var got struct {
		Problems         []struct{ Line, Column int }
		Errors, Warnings int
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone || got.Warnings != 1 || len(got.Problems) != 1 || got.Problems[0].Line != 2 {
		t.Errorf("exit %d: %v\n%s", code, err, out)
	}
}

func TestAppSchema(t *testing.T) {
	code, out, _ := program(t, "", "app", "schema")
	var s map[string]any
	if err := json.Unmarshal([]byte(out), &s); err != nil || code != exitDone || s["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("exit %d: %v", code, err)
	}
}
