package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// program runs the program with settings of its own.
func program(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	if os.Getenv("LANDFALL_CONFIG_DIR") == "" {
		t.Setenv("LANDFALL_CONFIG_DIR", t.TempDir())
	}
	var o, e bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(stdin), &o, &e)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	app := filepath.Join(dir, "app.yaml")
	if err := os.WriteFile(app, []byte("app: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"version"}, exitDone, ""},
		{[]string{"--help"}, exitDone, ""},
		{nil, exitDone, ""},
		{[]string{"issue", "resolve", "--help"}, exitDone, ""},
		{[]string{"flyy"}, exitUsage, "landfall --help"},
		{[]string{"record", "show"}, exitUsage, "landfall record show --help"},
		{[]string{"serve", "--data", dir, "--listen", "0.0.0.0:0"}, exitRefused, "--allow-remote"},
		{[]string{"demo", "--listen", "0.0.0.0:0"}, exitRefused, "listens on this computer alone"},
		{[]string{"record", "list", "expense"}, exitRefused, "landfall login"},
		{[]string{"import", "expense", "expenses.txt"}, exitRefused, "--format csv"},
		{[]string{"import", "expense", "expenses.csv"}, exitRefused, "landfall login"},
		{[]string{"import", "expense", "expenses.csv", "--batch", "0"}, exitUsage, "from 1 to 500"},
		{[]string{"export", "expense", "--format", "xml"}, exitUsage, "csv"},
		{[]string{"login", "http://127.0.0.1:1", "--user", "ada", "--password-stdin"}, exitUnreachable, "can't be reached"},
		{[]string{"field", "-C", dir, "status"}, exitRefused, "landfall field -C"},
		{[]string{"app", "check", app}, exitRefused, ""},
		{[]string{"app", "check", filepath.Join(dir, "none.yaml")}, exitUsage, "can't be read"},
		{[]string{"app", "check", "../../examples/expenses/app.yaml", "--strict"}, exitDone, ""},
		{[]string{"serve", "--data", dir}, exitRefused, "landfall init"},
	} {
		code, _, errs := program(t, "pw\n", c.args...)
		if code != c.code || !strings.Contains(errs, c.want) {
			t.Errorf("landfall %s: exit %d, %s", strings.Join(c.args, " "), code, errs)
		}
	}
}

// Every command that takes arguments has help with an example, or needs none.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"init"}, {"serve"}, {"demo"}, {"login"}, {"app", "check"}, {"app", "schema"}, {"app", "publish"}, {"app", "rehearse"}, {"app", "diagram"}, {"backup"}, {"restore"}, {"user", "add"}, {"device", "enrol"}, {"audit"}, {"record", "create"}, {"record", "move"}, {"import"}, {"export"}, {"issue", "list"}, {"issue", "resolve"}, {"issue", "retry"}, {"inbox", "list"}, {"field", "create"}, {"field", "group"}, {"field", "sync"}, {"sim", "run"}, {"sim", "replay"}, {"sim", "bugs"}} {
		if _, out, _ := program(t, "", append(args, "--help")...); !strings.Contains(out, "Example:") {
			t.Errorf("landfall %s --help has no example:\n%s", strings.Join(args, " "), out)
		}
	}
}

func TestProblemsAsACompilerWritesThem(t *testing.T) {
	code, out, _ := program(t, "", "app", "check", "../../internal/definition/testdata/broken.yaml")
	if code != exitRefused || !strings.Contains(out, "broken.yaml:2:1: the definition has no \"titel\"\n    did you mean \"title\"?\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// The folder with other people's files is never removed.
func TestFreshRemovesTheDemoAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(file, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, errs := program(t, "", "demo", "--fresh", "--data", dir, "--story", "expenses")
	if code != exitRefused || !strings.Contains(errs, "nothing was removed") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// The demo's story ends well, and again on the same data, and with --fresh.
func TestStory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	for i, more := range [][]string{nil, {"--step"}, {"--fresh"}} {
		code, out, errs := program(t, strings.Repeat("\n", 20), append([]string{"demo", "--story", "expenses", "--data", dir, "--listen", "127.0.0.1:0"}, more...)...)
		if code != exitDone || !strings.Contains(out, "made 4  =  applied at once 2  +  decided by a person 2  +  open 0  +  not sent yet 0") {
			t.Fatalf("run %d: exit %d\n%s\n%s", i, code, out, errs)
		}
		for _, part := range []string{"offline, 2 waiting", "needs attention", "140 *", "decided by Ada", "taxi receipt seen"} {
			if !strings.Contains(out, part) {
				t.Errorf("run %d does not tell %q", i, part)
			}
		}
	}
}

func TestCompare(t *testing.T) {
	at := time.Date(2020, 3, 1, 10, 2, 0, 0, time.Local)
	i := &wire.IssueDetail{
		IssueView: wire.IssueView{
			Issue: landfall.Issue{Number: 17, Kind: landfall.KindStatus, Author: "emma", Messages: []landfall.Message{{Text: "It has moved on.", Hint: "Compare both sides."}}},
			State: landfall.IssueOpen, QueueTitle: "Sync conflicts", RecordNumber: "EXP-1042", RecordTitle: "Expense report", DeviceName: "phone",
		},
		Compare: []core.Column{
			{Title: "Status", Status: true, Base: landfall.Value(`"pending-approval"`), Device: landfall.Value(`"pending-approval"`), Server: landfall.Value(`"resolved-approved"`), ServerChanged: true, ServerEdit: &landfall.Edit{Author: "mara", At: at}},
			{Field: "amount", Title: "Amount", Base: landfall.Value(`"120"`), Device: landfall.Value(`"140"`), Server: landfall.Value(`"120"`), DeviceChanged: true},
			{Field: "notes", Title: "Notes", Device: landfall.Value(`"` + strings.Repeat("very ", 20) + `long"`), DeviceChanged: true},
		},
		Sent: []wire.SentView{{N: 3, Mutation: &landfall.Mutation{Op: landfall.OpUpdate}}, {N: 4, Waiting: true, Mutation: &landfall.Mutation{Op: landfall.OpTransition, Transition: "submit"}}},
	}
	i.State, i.Issue.State = landfall.IssueOpen, landfall.IssueOpen
	var b bytes.Buffer
	compare(&b, i)
	want := `Expense report EXP-1042   sync issue 17 · status conflict · in Sync conflicts
It has moved on.
         when Emma saw it   Emma's phone                           server now (Mara, 2020-03-01 10:02)   result
status   pending-approval   pending-approval                       resolved-approved *                   ?
amount   120                140 *                                  120                                   ?
notes                       very very very very very very ver… *                                         ?
Waiting behind it: 1 (submit).
To do:  Compare both sides.
Decide: landfall issue resolve 17 …
  --take device|server|FIELD=SIDE  --set FIELD=VALUE  --to user:…|queue:…  --note …  --dry-run
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

// What is signed in is for its owner alone.
func TestContextsFile(t *testing.T) {
	t.Setenv("LANDFALL_CONFIG_DIR", filepath.Join(t.TempDir(), "deep", "config"))
	c := &contexts{}
	c.put(signedIn{User: "ada", Server: "http://a", Token: "t1"})
	c.put(signedIn{User: "mara", Server: "http://a", Token: "t2"})
	c.put(signedIn{User: "ada", Server: "http://b", Token: "t3"})
	if err := c.save(); err != nil {
		t.Fatal(err)
	}
	path, err := contextsFile()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	back, err := loadContexts()
	if err != nil || len(back.People) != 2 || back.People[0].Token != "t3" {
		t.Errorf("%+v %v", back, err)
	}
}
