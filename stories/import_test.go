package stories

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

// importFile has a thousand lines, five of which are wrong, each in its own way.
func importFile() (text string, mended string) {
	wrong := map[int][2]string{
		101: {"Sheet 101,x", "Sheet 101,x,1,red"},
		301: {"Sheet 301,x,many,red", "Sheet 301,x,3,red"},
		501: {",x,5,red", "Sheet 501,x,5,red"},
		701: {"Sheet \xff,x,7,red", "Sheet é,x,7,red"},
		901: {"Sheet 901,x,9,pink", "Sheet 901,x,9,green"},
	}
	var all, some strings.Builder
	all.WriteString("\ufefftitle,latest,add,union\r\n")
	some.WriteString("line,title,latest,add,union\r\n")
	for line := 2; line <= 1001; line++ {
		if w, is := wrong[line]; is {
			fmt.Fprintf(&all, "%s\r\n", w[0])
			fmt.Fprintf(&some, "%d,%s\r\n", line, w[1])
			continue
		}
		fmt.Fprintf(&all, "Sheet %d,\"=1+%d, \"\"so\"\"; é\",%d,\"red,blue\"\r\n", line, line, line)
	}
	return all.String(), some.String()
}

// Background starts a command in the background.
func (p *Person) Background(args ...string) *Running {
	p.w.t.Helper()
	full := append([]string{"--as", p.Name}, args...)
	cmd, out, errs := p.w.command("", full...)
	if err := cmd.Start(); err != nil {
		p.w.t.Fatal(err)
	}
	return &Running{p.w, full, cmd, out, errs}
}

// exported is what an export of all sheets holds, without the versions: they are
// places in the sequence of their own world.
func (p *Person) exported(name string) []string {
	p.w.t.Helper()
	p.Do("export", "sheet", "--out", p.w.path(name))
	b, err := os.ReadFile(p.w.path(name))
	if err != nil {
		p.w.t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		p.w.t.Fatal(err)
	}
	var out []string
	for _, r := range rows[1:] {
		r[1] = ""
		out = append(out, fmt.Sprintf("%q", r))
	}
	return out
}

// A file of a thousand lines is imported by a program that is killed in the
// middle, whose server is killed, and that is interrupted by its user. In the end
// every line is a record once, or is told as refused.
func TestImport(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	boss := w.Person("otto", "boss")
	proxy := NewProxy(w)
	w.must(w.exec("", password+"\n", "login", proxy.URL, "--user", "otto", "--password-stdin"))
	text, mended := importFile()
	w.write("sheets.csv", text)
	file := w.path("sheets.csv")
	args := []string{"import", "sheet", file, "--batch", "50"}

	dry := boss.Try(append(args, "--dry-run")...)
	same(t, "exit of the dry run", dry.Code, 1)
	contains(t, "the dry run", dry.Out, "a dry run, nothing was stored: imported 995, unchanged 0, refused 5")
	same(t, "records after the dry run", len(boss.exported("dry.csv")), 0)

	for _, moment := range []string{"killed before the call arrives", "killed after the commit", "the server killed", "interrupted"} {
		r := importUntil(w, proxy, boss, args, moment)
		switch moment {
		case "the server killed":
			same(t, moment, r.Code, 3)
			contains(t, moment, r.Err, "can't be reached", "run the same command again")
			w.Start()
		case "interrupted":
			same(t, moment, r.Code, 3)
			contains(t, moment, r.Err, "interrupted before line", "run the same command again")
		default:
			same(t, moment, r.interrupted, true)
		}
		if _, err := os.Stat(file + ".landfall-import"); err != nil {
			t.Errorf("%s: there is no state to go on from: %v", moment, err)
		}
	}
	end := boss.Try(args...)
	same(t, "exit", end.Code, 1)
	contains(t, "the end", end.Out, ", refused 5 (see "+file+".refused.csv)")
	contains(t, "the end", end.Err, "going on at line", "line 901: Union: a list out of red, green, blue, black was expected")
	refusedLines(t, file+".refused.csv", "101", "301", "501", "701", "901")
	same(t, "records", len(boss.exported("first.csv")), 995)
	same(t, "changes", len(w.Ada().Inbox("--user", "otto")), 995)
	same(t, "issues", len(w.Ada().Issues("--state", "all")), 0)
	if _, err := os.Stat(file + ".landfall-import"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the state is still there: %v", err)
	}

	contains(t, "again", boss.Try(args...).Out, "imported 0, unchanged 995, refused 5")
	w.write("mended.csv", mended)
	contains(t, "the mended lines", boss.Do("import", "sheet", w.path("mended.csv")), "imported 5, unchanged 0, refused 0")
	same(t, "changes", len(w.Ada().Inbox("--user", "otto")), 1000)

	all := boss.exported("all.csv")
	same(t, "records", len(all), 1000)
	boss.Do("export", "sheet", "--out", w.path("all.jsonl"))
	contains(t, "the export back again", boss.Do("import", "sheet", w.path("all.csv")), "imported 0, unchanged 1 000, refused 0")
	second := NewWorld(t, "testdata/sheets.yaml")
	mara := second.Person("mara", "boss")
	contains(t, "the second world", mara.Do("import", "sheet", w.path("all.csv")), "imported 1 000, unchanged 0, refused 0")
	contains(t, "the second world, again", mara.Do("import", "sheet", w.path("all.jsonl")), "imported 0, unchanged 1 000, refused 0")
	for i, r := range mara.exported("second.csv") {
		same(t, "a record of the second world", r, all[i])
	}
}

// importUntil runs the import until something happens to it at its fifth call.
func importUntil(w *World, proxy *Proxy, p *Person, args []string, moment string) Result {
	w.t.Helper()
	started, came := make(chan *Running, 1), make(chan struct{}, 1)
	proxy.Hook(func(x *Exchange) {
		if x.Call != "/v1/records/sheet/import" || x.Nth != 5 {
			return
		}
		came <- struct{}{}
		kill := func() { (<-started).Kill() }
		switch moment {
		case "killed before the call arrives":
			x.BeforeForward, x.Drop = kill, true
		case "killed after the commit":
			x.BeforeReply, x.CutAfter = func([]byte) { kill() }, 0
		case "the server killed":
			x.BeforeReply, x.CutAfter = func([]byte) { w.Kill() }, 0
		default:
			x.BeforeForward = func() {
				if err := (<-started).cmd.Process.Signal(os.Interrupt); err != nil {
					w.t.Error(err)
				}
			}
		}
	})
	defer proxy.Hook(nil)
	run := p.Background(args...)
	started <- run
	r := run.Wait()
	select {
	case <-came:
	default:
		w.t.Errorf("%s: the moment never came: %s%s", moment, r.Out, r.Err)
	}
	return r
}

// refusedLines checks that the file holds exactly these lines.
func refusedLines(t *testing.T, path string, lines ...string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, row[0])
		if len(row) < 4 || row[1] == "" {
			t.Errorf("%q does not say why, and what", row)
		}
	}
	same(t, "header", strings.Join(rows[0], ","), "line,reason,title,latest,add,union")
	same(t, "refused lines", strings.Join(got, " "), strings.Join(lines, " "))
}
