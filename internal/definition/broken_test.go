package definition

import (
	"os"
	"strings"
	"testing"
)

// Everything that is wrong is found at once, each at its place.
func TestBroken(t *testing.T) {
	src, err := os.ReadFile("testdata/broken.yaml")
	if err != nil {
		t.Fatal(err)
	}
	app, problems := Compile("broken.yaml", src)
	if app != nil {
		t.Error("it was compiled all the same")
	}
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
		if p.Hint == "" {
			t.Errorf("no hint: %s", p)
		}
	}
	all := strings.Join(got, "\n")
	want := []string{
		`broken.yaml:1:6: the app's name "Broken App" is not well formed`,
		`broken.yaml:2:1: the definition has no "titel" (did you mean "title"?)`,
		`broken.yaml:3:10: version is a whole number, 1 or more`,
		`broken.yaml:5:9: mode "onlin" is not known (did you mean "online"?)`,
		`broken.yaml:6:17: every is a duration such as 5m or 4h`,
		`broken.yaml:7:23: "administrator" can't be the name of a role`,
		`broken.yaml:7:38: the role ghost is used nowhere`,
		`broken.yaml:7:45: "worker" is there twice`,
		`broken.yaml:9:3: the queue empty has no members`,
		`broken.yaml:10:20: role "bos" is not known (did you mean "boss"?)`,
		`broken.yaml:10:31: due is a duration`,
		`broken.yaml:10:48: queue "dsk" is not known (did you mean "desk"?)`,
		`broken.yaml:11:34: escalation goes in a circle`,
		`broken.yaml:13:3: the queue sync-issues can't be declared (it is built in)`,
		`broken.yaml:15:3: the type sync_issue can't be declared (it is built in)`,
		`broken.yaml:16:3: type name "Bad-Name" is not well formed`,
		`broken.yaml:18:13: a number has a prefix`,
		`broken.yaml:19:18: label: "purpos" is not known here (did you mean "purpose"?)`,
		`broken.yaml:21:7: every record has id already`,
		`broken.yaml:22:23: type "txt" is not known (did you mean "text"?)`,
		`broken.yaml:22:33: max is a whole number, 1 or more`,
		`broken.yaml:23:46: check: > does not go with decimal and text`,
		`broken.yaml:23:64: conflict: union does not fit a field of type decimal`,
		`broken.yaml:24:36: conflict "lates" is not known (did you mean "latest"?)`,
		`broken.yaml:24:43: a message without a check is never said`,
		`broken.yaml:25:7: the field kind has no choices`,
		`broken.yaml:26:29: a field of type integer has no choices`,
		`broken.yaml:26:52: default: Size: a whole number such as 12 was expected`,
		`broken.yaml:26:58: max does not apply to a field of type integer`,
		`broken.yaml:27:35: default: When: a date such as 2026-03-31 was expected`,
		`broken.yaml:28:7: the field site does not say what it refers to`,
		`broken.yaml:29:36: type "sight" is not known`,
		`broken.yaml:30:33: unique is true or false`,
		`broken.yaml:31:46: a field of type choices can't be unique`,
		`broken.yaml:34:38: computed: the expression gives int`,
		`broken.yaml:35:38: status "opne" is not known (did you mean "open"?)`,
		`broken.yaml:36:7: the field typeless has no type`,
		`broken.yaml:53:26: status "opn" is not known (did you mean "open"?)`,
		`broken.yaml:40:23: queue "dsk" is not known`,
		`broken.yaml:40:38: worklist names a field of type user`,
		`broken.yaml:41:9: a case in the status stuck can't get on`,
		`broken.yaml:42:9: no transition leads to the status island`,
		`broken.yaml:44:65: field "purpos" is not known (did you mean "purpose"?)`,
		`broken.yaml:44:95: when: > does not go with decimal and datetime`,
		`broken.yaml:44:119: who: + does not go with text and integer`,
		`broken.yaml:44:125: field "nowhere" is not known`,
		`broken.yaml:45:9: the transition fly does not say where it leads from`,
		`broken.yaml:45:19: status "sky" is not known`,
		`broken.yaml:45:9: no role may take the transition fly`,
		`broken.yaml:46:16: user:note names no field of type user`,
		`broken.yaml:46:27: role "bos" is not known`,
		`broken.yaml:46:47: an audience key is all, role:ROLE, user:FIELD, team:FIELD or via:FIELD`,
		`broken.yaml:46:85: status "opn" is not known`,
		`broken.yaml:48:34: field "nots" is not known`,
		`broken.yaml:48:56: update: "owner" is not known here`,
		`broken.yaml:49:7: role "chef" is not known`,
		`broken.yaml:50:25: status "strictt" is not known (did you mean "strict"?)`,
		`broken.yaml:50:41: queue "dsk" is not known`,
		`broken.yaml:51:3: nobody may see records of type site: it has no audience`,
		`broken.yaml:51:3: no role may write records of type site`,
		`broken.yaml:55:49: when: "nothing" is not known here`,
		`broken.yaml:55:72: queue "dsk" is not known`,
		`broken.yaml:56:1: this version does not run automations yet`,
	}
	for _, w := range want {
		if !strings.Contains(all, w) {
			t.Errorf("not found: %s", w)
		}
	}
	if t.Failed() {
		t.Logf("found:\n%s", all)
	}
	for i := 1; i < len(problems); i++ {
		if a, b := problems[i-1], problems[i]; a.Line > b.Line || a.Line == b.Line && a.Column > b.Column {
			t.Errorf("out of order: %s before %s", a, b)
		}
	}
}

// What is no definition at all is answered with a place and a hint, too.
func TestNoDefinition(t *testing.T) {
	for src, want := range map[string]string{
		"":                          "1:1: this is not YAML",
		"just a word":               "1:1: a definition is a mapping",
		"app: x\n\troles: [a]":      "2:1: this is not YAML",
		"a: &x [1]\nb: *x":          "anchors and aliases",
		"app: x\n---\napp: y":       "one YAML document",
		"app: x\napp: y":            `2:1: "app" is there twice`,
		strings.Repeat("a", 2<<20):  "larger than",
		strings.Repeat("[", 10_000): "not YAML",
	} {
		app, problems := Compile("f", []byte(src))
		if app != nil || len(problems) == 0 || !strings.Contains(problemText(problems), want) {
			t.Errorf("%.20q: %s", src, problemText(problems))
		}
	}
}

func problemText(problems []Problem) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

// rightFiles are right, without a warning.
var rightFiles = []string{"../../examples/expenses/app.yaml", "../../examples/fieldservice/app.yaml", "../../examples/fieldservice/app-v2.yaml", "../../stories/testdata/sheets.yaml"}

func TestExamples(t *testing.T) {
	for _, file := range rightFiles {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if app, problems := Compile(file, src); app == nil || len(problems) > 0 {
			t.Error(problemText(problems))
		}
	}
}

// What can be read and can't be meant.
func TestOdd(t *testing.T) {
	const app = "app: a\ntitle: A\nroles: [w]\ntypes:\n  t:\n    title: T\n    fields:\n      c: {type: choice, choices: [żółty, \"\"]}\n    lifecycle:\n      initial: s\n      statuses: {s: {}, z: {}}\n      transitions:\n        go: {from: [], to: z, roles: [w]}\n    audience: [all]\n    rights: {w: {create: true}}\n"
	_, problems := Compile("a.yaml", []byte(app))
	var got []string
	for _, p := range problems {
		got = append(got, p.String())
	}
	if all := strings.Join(got, "\n"); !strings.Contains(all, "a.yaml:13:9: the transition go does not say where it leads from") {
		t.Error(all)
	}
	if title := humanise("żółty_x"); title != "Żółty x" {
		t.Errorf("%q", title)
	}
}
