package stories

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const expenses = "../examples/expenses/app.yaml"

// The script in testdata is what a person would type, line by line.
func TestExpenseScript(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app, err := os.ReadFile(expenses)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"app.yaml": app, "pw": []byte(password + "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	script, err := filepath.Abs("testdata/expense.sh")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("bash", script)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+dir, "LANDFALL_CONFIG_DIR="+filepath.Join(dir, "config"),
		"PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := string(out)
	contains(t, "the comparison", got,
		"status conflict", "in Sync conflicts", "when Emma saw it", "pending-approval", "resolved-approved", "120", "140 *", "Waiting behind it: 1 (submit)")
	contains(t, "the phone's log", got, "Ada", "taxi receipt seen")
	end := got[strings.LastIndex(got, "== the record at the end"):]
	contains(t, "the end", end, "resolved-approved", "140", "taxi")
	if strings.Contains(got, "DATA RACE") {
		t.Error(got)
	}
}
