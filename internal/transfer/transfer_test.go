package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/tabular"
	"github.com/landfall-sync/landfall/internal/wire"
)

const app = `
app: trees
roles: [ranger]
types:
  tree:
    label: record.name
    fields:
      name:   {type: text}
      height: {type: decimal}
      kinds:  {type: choices, choices: [oak, "ash, white"]}
      reason: {type: text}
    audience: [all]
    rights: {ranger: {create: true}}
`

func tree(t *testing.T) *definition.Type {
	t.Helper()
	a, problems := definition.Compile("app.yaml", []byte(app))
	if a == nil {
		t.Fatal(problems)
	}
	return a.Types["tree"]
}

// forest is a server that keeps what it is sent. It refuses names with "bad".
type forest struct {
	trees map[string]landfall.Fields
	calls int
	// before is called with the number of a call; an error of it is the answer.
	before func(call int) error
	// after is called when it is done, as if the answer was lost.
	after func(call int) error
}

func (f *forest) Import(_ context.Context, _ string, req wire.Import) (*wire.Imported, error) {
	f.calls++
	if f.before != nil {
		if err := f.before(f.calls); err != nil {
			return nil, err
		}
	}
	out := &wire.Imported{}
	for _, r := range req.Rows {
		a := wire.ImportedRow{Line: r.Line, Result: wire.ImportApplied}
		switch known := f.trees[r.ID]; {
		case bytes.Contains(r.Set["name"], []byte("bad")):
			a.Result, a.Messages = wire.ImportRefused, []landfall.Message{{Text: "The name is bad.", Hint: "Take another one."}, {Text: "And sad."}}
		case known != nil && fmt.Sprint(known) == fmt.Sprint(r.Set):
			a.Result = wire.ImportUnchanged
		case !req.DryRun:
			f.trees[r.ID] = r.Set
		}
		out.Rows = append(out.Rows, a)
	}
	if f.after != nil {
		if err := f.after(f.calls); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plot is a folder with a file in it, and a server.
type plot struct {
	t     *testing.T
	path  string
	f     *forest
	told  []string
	notes []string
}

func newPlot(t *testing.T, name, text string) *plot {
	t.Helper()
	p := &plot{t: t, path: filepath.Join(t.TempDir(), name), f: &forest{trees: map[string]landfall.Fields{}}}
	p.write(text)
	return p
}

func (p *plot) write(text string) {
	p.t.Helper()
	if err := os.WriteFile(p.path, []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plot) read(path string) string {
	p.t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(b)
}

func (p *plot) run(ctx context.Context, change func(*Import)) (string, error) {
	p.t.Helper()
	p.told, p.notes = nil, nil
	im := &Import{
		Server: p.f, Address: "http://here", App: "trees", Type: tree(p.t), Path: p.path, Format: tabular.FormatOf(p.path), Batch: 2,
		Refused: func(line int, reason string) { p.told = append(p.told, fmt.Sprint(line, ": ", reason)) },
		Note:    func(text string) { p.notes = append(p.notes, text) },
	}
	if change != nil {
		change(im)
	}
	r, err := im.Run(ctx)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(r.Imported, " ", r.Unchanged, " ", r.Refused), nil
}

func (p *plot) must(want string, change func(*Import)) {
	p.t.Helper()
	if got, err := p.run(p.t.Context(), change); got != want || err != nil {
		p.t.Errorf("imported, unchanged, refused: %s, want %s; %v", got, want, err)
	}
}

func (p *plot) fails(ctx context.Context, code landfall.Code, want string, change func(*Import)) {
	p.t.Helper()
	if _, err := p.run(ctx, change); landfall.CodeOf(err) != code || !strings.Contains(fmt.Sprint(err), want) {
		p.t.Errorf("%v, want %s with %q", err, code, want)
	}
}

// files lists what stands beside the file.
func (p *plot) files() string {
	p.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(p.path))
	if err != nil {
		p.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

const trees = "name,height\none,1\nbad,2\nthree,3,3\nfour,x\nfive,5.0\nsix,\n"

func TestImportAndAgain(t *testing.T) {
	p := newPlot(t, "t.csv", trees)
	p.must("3 0 3", func(im *Import) { im.DryRun = true })
	if len(p.f.trees) != 0 || p.files() != "t.csv" {
		t.Errorf("a dry run left %d trees and %s", len(p.f.trees), p.files())
	}
	p.must("3 0 3", nil)
	told := "3: The name is bad; And sad (Take another one)\n4: it has 3 columns, the header has 2 (Put a cell that holds a separator in quotes)\n5: Height: a number such as 12.50 was expected (Enter it like that)"
	if got := strings.Join(p.told, "\n"); got != told {
		t.Errorf("told:\n%s", got)
	}
	refused := "_line,_reason,name,height\r\n3,The name is bad; And sad (Take another one),bad,2\r\n4,\"it has 3 columns, the header has 2 (Put a cell that holds a separator in quotes)\",three,3,3\r\n5,Height: a number such as 12.50 was expected (Enter it like that),four,x\r\n"
	refused = strings.Replace(refused, ",The name is bad; And sad (Take another one)", ",\"The name is bad; And sad (Take another one)\"", 1)
	if got := p.read(p.path + ".refused.csv"); got != refused {
		t.Errorf("%q, want\n%q", got, refused)
	}
	p.must("0 3 3", nil)
	if p.files() != "t.csv t.csv.refused.csv" || len(p.f.trees) != 3 {
		t.Errorf("%s, %d trees", p.files(), len(p.f.trees))
	}

	// Somebody is mending the refused lines: their work is kept, and it goes in.
	mended := "_line,_reason,name,height\n3,,good,2\n4,,three,3\n5,,four,4\n"
	p.path += ".refused.csv"
	p.write(mended)
	p.path = strings.TrimSuffix(p.path, ".refused.csv")
	p.must("0 3 3", nil)
	if p.files() != "t.csv t.csv.refused.csv t.csv.refused.csv.1" || p.read(p.path+".refused.csv.1") != mended || len(p.notes) != 1 {
		t.Errorf("%s, %q", p.files(), p.notes)
	}
	p.path += ".refused.csv.1"
	p.must("3 0 0", func(im *Import) { im.Format = tabular.CSV })
	if len(p.f.trees) != 6 {
		t.Errorf("%d trees", len(p.f.trees))
	}
}

// An import that ends at a call, before it arrives or after the server's commit,
// goes on with the next run, and accounts for every line once. There are two
// calls: lines 4 and 5 are refused unsent.
func TestInterrupted(t *testing.T) {
	for _, c := range []struct {
		call int
		lost bool
		want string
	}{{1, false, "3 0 3"}, {1, true, "2 1 3"}, {2, false, "3 0 3"}, {2, true, "1 2 3"}} {
		p := newPlot(t, "t.csv", trees)
		cut := func(n int) error {
			if n == c.call {
				return landfall.Errorf(landfall.CodeUnavailable, "cut")
			}
			return nil
		}
		if c.lost {
			p.f.after = cut
		} else {
			p.f.before = cut
		}
		p.fails(t.Context(), landfall.CodeUnavailable, "run the same command again", nil)
		p.f.before, p.f.after = nil, nil
		p.must(c.want, nil)
		if lines := strings.Count(p.read(p.path+".refused.csv"), "\r\n"); lines != 4 || p.files() != "t.csv t.csv.refused.csv" {
			t.Errorf("call %d: %d lines, %s", c.call, lines, p.files())
		}
	}
}

func TestCtrlC(t *testing.T) {
	p := newPlot(t, "t.csv", trees)
	ctx, cancel := context.WithCancel(t.Context())
	p.f.before = func(int) error { cancel(); return nil }
	p.fails(ctx, landfall.CodeUnavailable, "interrupted before line 4 (run the same command again", nil)
	if len(p.f.trees) != 1 {
		t.Error("the batch under way was not finished")
	}
	state := p.read(p.path + ".landfall-import")
	for _, c := range []struct {
		text, want string
		change     func(*Import)
	}{
		{trees + "seven,7\n", "has changed", nil},
		{trees, "with the same words", func(im *Import) { im.Key = "name" }},
		{trees, "with the same words", func(im *Import) { im.Address = "http://there" }},
		{trees, "with the same words", func(im *Import) { im.Ignore = []string{"height"} }},
	} {
		p.write(c.text)
		p.fails(t.Context(), landfall.CodeConflict, c.want, c.change)
		if p.read(p.path+".landfall-import") != state {
			t.Error("the state was lost")
		}
	}
	p.f.before = nil
	p.must("3 0 3", nil)

	// The refused lines were changed meanwhile: it begins anew and keeps both.
	p = newPlot(t, "t.csv", trees)
	ctx, cancel = context.WithCancel(t.Context())
	p.f.before = func(int) error { cancel(); return nil }
	p.fails(ctx, landfall.CodeUnavailable, "interrupted", nil)
	if err := os.WriteFile(p.path+".refused.csv", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.f.before = nil
	p.must("2 1 3", nil)
	if p.read(p.path+".refused.csv.1") != "mine" || strings.Count(p.read(p.path+".refused.csv"), "\r\n") != 4 {
		t.Error(p.files())
	}
	p.write(trees)
	if err := os.WriteFile(statePath(p.path), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.fails(t.Context(), landfall.CodeInvalid, "remove it to begin anew", nil)
}

func TestColumns(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		change           func(*Import)
	}{
		{"t.csv", "name,heightt\n", `line 1: there is no field of Tree "heightt" (did you mean "height"?; or pass over it: --ignore heightt)`, nil},
		{"t.csv", "name,created_by\n", "line 1: created_by is given by the server and can't be imported (pass over it: --ignore created_by)", nil},
		{"t.csv", "id,line\n", "line 1: there is no field of Tree among the columns (there are: name, height, kinds, reason)", nil},
		{"t.csv", "height\n", `line 1: there is no column "name", which is the key (leave out --key, or name a column of the file)`, func(im *Import) { im.Key = "name" }},
		{"t.csv", "name\n", `there is no field of Tree "nam" (did you mean "name"?)`, func(im *Import) { im.Key = "nam" }},
		{"t.jsonl", `{"namme":1}`, `line 1: there is no field of Tree "namme" (did you mean "name"?; or pass over it: --ignore namme)`, nil},
	} {
		p := newPlot(t, c.name, c.text)
		p.fails(t.Context(), landfall.CodeInvalid, c.want, c.change)
	}
	p := newPlot(t, "t.csv", trees)
	p.path += ".not"
	p.fails(t.Context(), landfall.CodeInvalid, "can't be read", func(im *Import) { im.Format = tabular.CSV })
}

const uuid1 = "0198c3ac-0000-7000-8000-000000000001"

func TestRows(t *testing.T) {
	for _, c := range []struct{ name, text, want, told string }{
		{"t.csv", "id,version,status,name,reason,line\n" + strings.ToUpper(uuid1) + ",7,open, a ,why,9\n", uuid1 + ` 7 open {"name":" a ","reason":"why"}`, ""},
		{"t.csv", "name,height,kinds\n=1+1, 2.50 ,\"[\"\"ash, white\"\",\"\"oak\"\"]\"\n", `? 0  {"height":"2.5","kinds":["ash, white","oak"],"name":"=1+1"}`, ""},
		{"t.csv", "name,height\nx,\n", `? 0  {"height":null,"name":"x"}`, ""},
		{"t.csv", "id,name\n7,x\n", "", "2: the id is not well formed (Take it from an export, or leave it empty)"},
		{"t.csv", "version,name\n-1,x\n", "", "2: the version is not well formed (Take it from an export, or leave it empty)"},
		{"t.csv", "height,kinds\nx,elm\n", "", "2: Height: a number such as 12.50 was expected; Kinds: a list out of oak, ash, white was expected (Enter it like that)"},
		{"t.csv", "name,height\n,\n", "", "2: there is nothing in it (Leave the line out)"},
		{"t.csv", "id,name\n" + uuid1 + ",x\n" + uuid1 + ",y\n", uuid1 + ` 0  {"name":"x"}`, "3: line 2 is about the same record (Leave one of them out)"},
		{"t.jsonl", `{"id":null,"version":7,"name":"x","kinds":["oak"]}` + "\n" + `{"namme":1}` + "\n" + `{"height":[]}` + "\n{}\n", `? 7  {"kinds":["oak"],"name":"x"}`,
			"2: there is no field of Tree \"namme\" (did you mean \"name\"?; or pass over it: --ignore namme)\n3: Height: a number such as 12.50 was expected (Enter it like that)\n4: there is nothing in it (Leave the line out)"},
		{"t.jsonl", `{"id":[],"name":"x"}`, "", "1: the id is not well formed (Take it from an export, or leave it empty)"},
		{"t.csv", "name\n\"" + strings.Repeat("x", 5000) + "\"\n", "", "2: Name: at most 4000 characters fit (Make it shorter)"},
	} {
		p := newPlot(t, c.name, c.text)
		var sent []string
		if _, err := p.run(t.Context(), func(im *Import) { im.Server = sentTo(func(r wire.ImportRow) { sent = append(sent, described(t, r)) }) }); err != nil {
			t.Errorf("%q: %v", c.text, err)
		}
		want := c.want
		if strings.HasPrefix(want, "?") && len(sent) > 0 { // made from file and line
			want = sent[0][:36] + want[1:]
		}
		if got := strings.Join(sent, "\n"); got != want {
			t.Errorf("%q sent %s", c.text, got)
		}
		if got := strings.Join(p.told, "\n"); got != c.told {
			t.Errorf("%q told %s", c.text, got)
		}
	}
}

type sentTo func(wire.ImportRow)

func (f sentTo) Import(_ context.Context, _ string, req wire.Import) (*wire.Imported, error) {
	out := &wire.Imported{}
	for _, r := range req.Rows {
		f(r)
		out.Rows = append(out.Rows, wire.ImportedRow{Line: r.Line, Result: wire.ImportApplied})
	}
	return out, nil
}

func described(t *testing.T, r wire.ImportRow) string {
	t.Helper()
	var b []string
	for _, name := range []string{"height", "kinds", "name", "reason"} {
		if v, ok := r.Set[name]; ok {
			b = append(b, fmt.Sprintf("%q:%s", name, v))
		}
	}
	return fmt.Sprintf("%s %d %s {%s}", r.ID, r.Version, r.Status, strings.Join(b, ","))
}

// A key makes the same id in every file; a line makes one of its own in each.
func TestKey(t *testing.T) {
	p := newPlot(t, "t.csv", "name,height\na,1\nb,2\n,3\na,4\n")
	byKey := func(im *Import) { im.Key = "name" }
	p.must("2 0 2", byKey)
	p.write("height,name\n2,b\n5,a\n")
	p.must("1 1 0", byKey)
	p.write("height,name\n2,b\n5,a\n6,a\n")
	p.must("3 0 0", nil)
	if len(p.f.trees) != 5 {
		t.Errorf("%d trees", len(p.f.trees))
	}
}

// Many large rows are divided by their bytes, and none is lost at the seams.
func TestLargeRows(t *testing.T) {
	var b strings.Builder
	b.WriteString("name,reason\n")
	for i := range 700 {
		fmt.Fprintf(&b, "%d,%s\n", i, strings.Repeat("x", 3900))
	}
	p := newPlot(t, "t.csv", b.String())
	p.must("700 0 0", func(im *Import) { im.Batch = 0 })
	if len(p.f.trees) != 700 || p.f.calls < 3 {
		t.Errorf("%d trees in %d calls", len(p.f.trees), p.f.calls)
	}
}

func TestExportAndImportGiveTheSame(t *testing.T) {
	page := func(_ context.Context, after string) (*wire.List[wire.RecordView], error) {
		l := &wire.List[wire.RecordView]{}
		r := wire.RecordView{Record: landfall.Record{ID: uuid1, Version: 12, Status: "open", Fields: landfall.Fields{"name": landfall.Value(`"=1+\"1\"\r\n;,"`), "height": landfall.Value(`"2.5"`), "kinds": landfall.Value(`["ash, white","oak"]`)}}}
		if after == "" {
			l.Next = "x"
		} else {
			r.Record = landfall.Record{ID: strings.Replace(uuid1, "1", "2", 1), Version: 13}
		}
		l.Items = append(l.Items, r)
		return l, nil
	}
	csv := "id,version,status,name,height,kinds,reason\r\n" + uuid1 + ",12,open,\"=1+\"\"1\"\"\r\n;,\",2.5,\"[\"\"ash, white\"\",\"\"oak\"\"]\",\r\n"
	for _, f := range []tabular.Format{tabular.CSV, tabular.JSONL} {
		var b bytes.Buffer
		n, err := (&Export{Page: page, Type: tree(t), Format: f}).Write(t.Context(), &b)
		if err != nil || n != 2 || f == tabular.CSV && !strings.HasPrefix(b.String(), csv) {
			t.Fatalf("%d %v\n%q", n, err, b.String())
		}
		p := newPlot(t, "t."+string(f), b.String())
		var sent []string
		if _, err := p.run(t.Context(), func(im *Import) { im.Server = sentTo(func(r wire.ImportRow) { sent = append(sent, described(t, r)) }) }); err != nil {
			t.Fatal(err)
		}
		want := uuid1 + ` 12 open {"height":"2.5","kinds":["ash, white","oak"],"name":"=1+\"1\"\r\n;,","reason":null}`
		if len(sent) != 2 || sent[0] != want || len(p.told) != 0 {
			t.Errorf("%q, %q\nwant\n%s", sent, p.told, want)
		}
	}
}

// A file is there whole, or not at all.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	failed := errors.New("cut")
	for i, err := range []error{failed, nil, failed} {
		got := WriteFile(path, func(w io.Writer) error {
			if _, werr := fmt.Fprint(w, "text ", i); werr != nil {
				t.Error(werr)
			}
			return err
		})
		if !errors.Is(got, err) {
			t.Error(got)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Error(entries, err)
	}
	if b, err := os.ReadFile(path); string(b) != "text 1" || err != nil {
		t.Error(string(b), err)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1 000", 1234567: "1 234 567", -1000: "-1 000", -100: "-100"} {
		if got := Grouped(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// What the reader may not read has no column: an empty one would clear it when the
// file is imported.
func TestExportLeavesOutWhatIsHidden(t *testing.T) {
	page := func(context.Context, string) (*wire.List[wire.RecordView], error) {
		return &wire.List[wire.RecordView]{Items: []wire.RecordView{{Record: landfall.Record{ID: uuid1, Version: 12, Status: "open", Fields: landfall.Fields{"name": landfall.Value(`"Ash"`)}}}}}, nil
	}
	for f, want := range map[tabular.Format]string{
		tabular.CSV:   "id,version,status,name,kinds,reason\r\n" + uuid1 + ",12,open,Ash,,\r\n",
		tabular.JSONL: `{"id":"` + uuid1 + `","version":12,"status":"open","name":"Ash","kinds":null,"reason":null}` + "\n",
	} {
		var b bytes.Buffer
		if _, err := (&Export{Page: page, Type: tree(t), Hidden: []string{"height"}, Format: f}).Write(t.Context(), &b); err != nil || b.String() != want {
			t.Errorf("%q, not %q: %v", b.String(), want, err)
		}
	}
}
