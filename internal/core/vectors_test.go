package core_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

const vectorFolder = "../../testdata/vectors"

// vector is one case; testdata/vectors/README.md says what its members mean.
type vector struct {
	Name       string         `json:"name"`
	Call       string         `json:"call"`
	Definition string         `json:"definition"`
	Version    int64          `json:"version"`
	Published  []int64        `json:"published"`
	Actor      landfall.Actor `json:"actor"`
	World      world          `json:"world"`
	Now        time.Time      `json:"now"`
	Seq        int64          `json:"seq"`

	Also *landfall.Actor `json:"also"`

	Run  []step `json:"run"`
	Lane bool   `json:"lane"`

	Raw    string      `json:"raw"`
	RawHex string      `json:"raw_hex"`
	N      int64       `json:"n"`
	Limits core.Limits `json:"limits"`

	Position struct {
		Expected int64  `json:"expected"`
		LastHash string `json:"last_hash"`
		Closed   bool   `json:"closed"`
	} `json:"position"`
	First        int64               `json:"first"`
	PreviousHash string              `json:"previous_hash"`
	Hashes       []string            `json:"hashes"`
	Stored       map[string][]string `json:"stored"`

	Received     time.Time `json:"received"`
	Clock        time.Time `json:"clock"`
	MadeAt       time.Time `json:"made_at"`
	BaseCommit   time.Time `json:"base_commit"`
	PreviousEdit time.Time `json:"previous_edit"`

	Issue    *issue              `json:"issue"`
	Held     []step              `json:"held"`
	Group    []step              `json:"group"`
	Decision core.Decision       `json:"decision"`
	Base     *landfall.Record    `json:"base"`
	Server   *landfall.Record    `json:"server"`
	Pending  []landfall.Mutation `json:"pending"`
	Mutation landfall.Mutation   `json:"mutation"`
	Changes  []landfall.Change   `json:"changes"`
	Kind     landfall.Kind       `json:"kind"`
	User     string              `json:"user"`
	Type     string              `json:"type"`
	Cause    core.Cause          `json:"cause"`

	Expect json.RawMessage `json:"expect"`
}

type step struct {
	Replica     string            `json:"replica"`
	Incarnation int64             `json:"incarnation"`
	Mutation    landfall.Mutation `json:"mutation"`
	Edited      time.Time         `json:"edited"`
	Author      string            `json:"author"`
	By          string            `json:"by"`
	Authors     map[string]string `json:"authors"`
	Given       map[string]bool   `json:"given"`
	Issue       string            `json:"issue"`
	Note        string            `json:"note"`
}

func (s step) core() core.Step {
	m := s.Mutation
	m.Replica, m.Incarnation = s.Replica, s.Incarnation
	return core.Step{Mutation: m, Edited: s.Edited, Author: s.Author, By: s.By, Authors: s.Authors, Given: s.Given, Issue: s.Issue, Note: s.Note}
}

func steps(list []step) []core.Step {
	var out []core.Step
	for _, s := range list {
		out = append(out, s.core())
	}
	return out
}

type issue struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Queue    string `json:"queue"`
	Assignee string `json:"assignee"`
	landfall.Issue
}

func (i *issue) core() *landfall.Issue {
	if i == nil {
		return nil
	}
	c := i.Issue
	c.ID, c.State, c.Queue, c.Assignee = i.ID, i.State, i.Queue, i.Assignee
	return &c
}

// world is the World of a case.
type world struct {
	Records   []*landfall.Record           `json:"records"`
	Audiences map[string][]string          `json:"audiences"` // none: by the definition
	History   map[string][]landfall.Change `json:"changes"`
	Users     []string                     `json:"users"`
	Teams     []string                     `json:"teams"`
	Holders   []holder                     `json:"holders"`
	Creations []holder                     `json:"creations"`
	Counters  map[string]int64             `json:"counters"`
	Uniques   []uniqueValue                `json:"unique"`
	Removed   []string                     `json:"removed"` // parts that were deleted with their whole
	Broken    bool                         `json:"broken"`  // every question fails

	Many *struct { // records that are alike
		Count  int             `json:"count"`
		Record landfall.Record `json:"record"`
	} `json:"many"`

	app *definition.App
	ids map[string]*landfall.Record
}

// found is a record by its id.
func (w *world) found(id string) *landfall.Record {
	if w.ids == nil {
		w.ids = map[string]*landfall.Record{}
		for i := range w.Many.Count {
			r := w.Many.Record
			r.ID = fmt.Sprintf("00000000-0000-7000-9000-%012d", i)
			w.Records = append(w.Records, &r)
		}
		for _, r := range w.Records {
			if w.ids[r.ID] == nil {
				w.ids[r.ID] = r
			}
		}
	}
	return w.ids[id]
}

type holder struct{ Replica, Record, Issue string }

type uniqueValue struct{ Type, Field, Value, Record string }

var errBroken = errors.New("the world is broken")

func (w *world) err() error {
	if w.Broken {
		return errBroken
	}
	return nil
}

func (w *world) Record(id string) (*landfall.Record, error) {
	if w.Many != nil {
		return w.found(id).Clone(), w.err()
	}
	for _, r := range w.Records {
		if r.ID == id {
			return r.Clone(), w.err()
		}
	}
	return nil, w.err()
}

// target is a record that a device has.
func (w *world) target(id string) *landfall.Record {
	for _, r := range w.Records {
		if r.ID == id && !r.Deleted {
			return r
		}
	}
	return nil
}

func (w *world) Changes(id string, after int64) ([]landfall.Change, error) {
	var out []landfall.Change
	for _, c := range w.History[id] {
		if c.Seq > after {
			out = append(out, c)
		}
	}
	return out, w.err()
}

func (w *world) Audience(id string) ([]string, error) {
	if keys, given := w.Audiences[id]; given {
		return keys, w.err()
	}
	r, err := w.Record(id)
	if r == nil || err != nil {
		return nil, err
	}
	return core.Audience(w.app, r, w.of)
}

// of is the audience of a record of a type.
func (w *world) of(typ, id string) ([]string, error) {
	if r, err := w.Record(id); r == nil || r.Type != typ {
		return nil, err
	}
	return w.Audience(id)
}

func (w *world) Referrers(target, typ, field, after string, limit int) ([]string, error) {
	name, removed := strings.CutPrefix(field, "-")
	var out []string
	names := landfall.Value(`"` + target + `"`)
	for _, r := range w.Records {
		linked := r.ID > after && r.Type == typ && bytes.Equal(r.Fields[name], names)
		if linked && r.Deleted == removed && (!removed || slices.Contains(w.Removed, r.ID)) {
			out = append(out, r.ID)
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))], w.err()
}

func (w *world) Unique(typ, field, value string) (string, error) {
	for _, u := range w.Uniques {
		if u.Type == typ && u.Field == field && u.Value == value {
			return u.Record, w.err()
		}
	}
	return "", w.err()
}

func (w *world) Counter(series string) (int64, error) { return w.Counters[series], w.err() }

func (w *world) UserExists(name string) (bool, error) {
	return slices.Contains(w.Users, name), w.err()
}

func (w *world) TeamExists(name string) (bool, error) {
	return slices.Contains(w.Teams, name), w.err()
}

func (w *world) Holder(replica, record string) (string, error) {
	return find(w.Holders, replica, record), w.err()
}

func (w *world) Older(issue, other string) (bool, error) { return issue < other, nil }

func (w *world) CreationHolder(replica, record string) (string, error) {
	return find(w.Creations, replica, record), w.err()
}

func find(list []holder, replica, record string) string {
	for _, h := range list {
		if h.Replica == replica && h.Record == record {
			return h.Issue
		}
	}
	return ""
}

// failer is what ends a test, be it a testing.TB or a rapid.T.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// app compiles a definition once: a named one of the folder, or YAML in place.
var apps = map[string]*definition.App{}

func app(t failer, name string, version int64) *definition.App {
	t.Helper()
	key := fmt.Sprint(version, " ", name)
	if a := apps[key]; a != nil {
		return a
	}
	src := []byte(name)
	if !strings.Contains(name, "\n") {
		var err error
		if src, err = os.ReadFile(filepath.Join(vectorFolder, "definitions", name+".yaml")); err != nil {
			t.Fatal(err)
		}
	}
	a, problems := definition.Compile(name, src)
	if a == nil {
		t.Fatalf("%s: %v", name, problems)
	}
	a.Version = version
	apps[key] = a
	return a
}

// placed is the app with the places at which its versions were published.
func placed(a *definition.App, published []int64) *definition.App {
	own := *a
	own.Convert = slices.Clone(a.Convert)
	for i := range own.Convert {
		own.Convert[i].Seq = published[own.Convert[i].To-1]
	}
	return &own
}

func (v *vector) input(t testing.TB) core.Input {
	a := app(t, v.Definition, v.Version)
	if v.Published != nil {
		a = placed(a, v.Published)
	}
	v.World.app = a
	return core.Input{App: a, World: &v.World, Actor: v.Actor, Also: v.Also, Run: steps(v.Run), Seq: v.Seq, Now: v.Now, Lane: v.Lane}
}

// play makes the call of a case and gives its answer as JSON.
func (v *vector) play(t testing.TB) any {
	t.Helper()
	switch v.Call {
	case "judge":
		verdict, err := core.Judge(v.input(t))
		return failed(err, verdictView(&verdict))
	case "decide":
		d, err := core.Decide(v.input(t), core.Held{Issue: *v.Issue.core(), Lane: steps(v.Held), Group: steps(v.Group)}, v.Decision)
		out := verdictView(&d.Verdict)
		out["settlement"], out["through"], out["columns"], out["record"] = d.Settlement, d.Through, d.Columns, d.Record
		return failed(err, out)
	case "compare":
		h := core.Held{Issue: *v.Issue.core(), Lane: steps(v.Held)}
		return map[string]any{"columns": core.Compare(app(t, v.Definition, v.Version), &v.Actor, h, v.Base, v.Server)}
	case "rebase":
		return map[string]any{"record": core.Rebase(app(t, v.Definition, v.Version), &v.Actor, v.Server, v.Pending, v.World.target)}
	case "read":
		return v.read(t)
	case "local_check":
		return map[string]any{"messages": core.LocalCheck(app(t, v.Definition, v.Version), &v.Actor, v.Server, &v.Mutation, v.World.target)}
	case "parse":
		m, bad := core.ParseMutation(v.raw(t), v.N, v.Limits)
		if bad != nil {
			s := core.Salvage(v.raw(t))
			return map[string]any{"malformed": bad, "salvaged": map[string]any{"type": s.Type, "id": s.ID, "op": s.Op}}
		}
		return map[string]any{"mutation": m}
	case "rescue":
		m := core.Rescue(v.raw(t))
		return map[string]any{"rescued": map[string]any{"type": m.Type, "id": m.ID, "op": m.Op, "set": m.Set, "base": m.Base, "transition": m.Transition, "definition": m.Definition, "made_at": m.MadeAt}}
	case "cause_title":
		title, fix := core.CauseTitle(app(t, v.Definition, v.Version), v.Cause)
		return map[string]any{"title": title, "fix": fix}
	case "place":
		p := core.Place(core.Position(v.Position), v.First, v.PreviousHash, v.Hashes, func(n int64) []string { return v.Stored[fmt.Sprint(n)] })
		return map[string]any{"gap": p.Gap, "forked": p.Forked, "each": p.Each}
	case "edit_time":
		return map[string]any{"at": core.EditTime(v.Received, v.Clock, v.MadeAt, v.BaseCommit, v.PreviousEdit)}
	case "audience":
		v.World.app = app(t, v.Definition, v.Version)
		keys, err := core.Audience(v.World.app, v.Server, v.World.of)
		return failed(err, map[string]any{"keys": keys})
	case "defaults":
		return map[string]any{"fields": core.Defaults(app(t, v.Definition, v.Version), v.Type, &v.Actor, v.Now)}
	case "withdraw":
		ok, note := core.MayWithdraw(v.Issue.core(), &v.Actor)
		return map[string]any{"ok": ok, "noted": note != "", "note": note}
	case "refuse":
		r := core.Refuse(app(t, v.Definition, v.Version), v.Kind, v.User, &v.Mutation)
		return map[string]any{"refusal": refusalView(&r)}
	default:
		t.Fatalf("%s: there is no call %q", v.Name, v.Call)
		return nil
	}
}

// read is what the actor may read of a record, a mutation and changes.
func (v *vector) read(t testing.TB) any {
	t.Helper()
	s := core.SightOf(app(t, v.Definition, v.Version), &v.Actor)
	return map[string]any{
		"hidden": s.Hidden(v.Type), "all": s.Mark() == "",
		"record": s.Record(v.Server), "mutation": s.Mutation(&v.Mutation), "changes": s.Changes(v.Changes),
	}
}

func (v *vector) raw(t testing.TB) []byte {
	if v.RawHex == "" {
		return []byte(v.Raw)
	}
	b, err := hex.DecodeString(v.RawHex)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func failed(err error, out map[string]any) any {
	e := (*landfall.Error)(nil)
	switch {
	case err == nil:
		return out
	case errors.As(err, &e):
		return map[string]any{"error": map[string]any{"code": e.Code, "message": e.Message, "hint": e.Hint}}
	default:
		return map[string]any{"error": map[string]any{"code": "trouble"}}
	}
}

func verdictView(v *core.Verdict) map[string]any {
	records := []any{}
	for _, w := range v.Effects.Writes {
		records = append(records, map[string]any{"record": w.Record, "audience": w.Audience, "unique": w.Unique, "links": linkView(w.Links)})
	}
	regroups := []any{}
	for _, r := range v.Effects.Regroups {
		regroups = append(regroups, map[string]any{"id": r.ID, "audience": r.Audience})
	}
	changes := v.Effects.Changes
	if changes == nil {
		changes = []landfall.Change{}
	}
	return map[string]any{
		"applied": v.Applied, "noted": v.Note != "", "note": v.Note, "waits": v.Waits, "records": records,
		"changes": changes, "counters": v.Effects.Counters, "regroups": regroups, "refusal": refusalView(v.Refusal),
	}
}

func linkView(links []landfall.Link) any {
	out := map[string]any{}
	for _, l := range links {
		out[l.Field] = l.Target
	}
	return out
}

func refusalView(r *core.Refusal) any {
	if r == nil {
		return nil
	}
	return map[string]any{
		"stage": r.Stage, "kind": r.Kind, "step": r.Step, "messages": r.Messages, "cause": r.Cause, "lacks": r.Lacks,
		"queue": r.Queue, "assignee": r.Assignee, "audience": r.Audience, "then": r.Then,
	}
}

// load reads all cases, by file.
func load(t testing.TB) map[string][]*vector {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no vectors in %s: %v", vectorFolder, err)
	}
	out := map[string][]*vector{}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			About string    `json:"about"`
			Cases []*vector `json:"cases"`
		}
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&file); err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		out[strings.TrimSuffix(filepath.Base(p), ".json")] = file.Cases
	}
	return out
}

// tree is any value as decoded JSON.
func tree(t testing.TB, v any) any {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// exact are the members whose value must match in full.
var exact = []string{"fields", "set", "was", "lost", "counters", "unique", "salvaged"}

// mismatch says where got does not match want, or "".
func mismatch(at string, want, got any, whole bool) string {
	switch w := want.(type) {
	case map[string]any:
		g, is := got.(map[string]any)
		if !is {
			return fmt.Sprintf("%s: want %v, got %v", at, want, got)
		}
		if whole && len(g) != len(w) {
			return fmt.Sprintf("%s: want exactly %v, got %v", at, want, got)
		}
		for _, k := range slices.Sorted(maps.Keys(w)) {
			if m := mismatch(at+"."+k, w[k], g[k], slices.Contains(exact, k)); m != "" {
				return m
			}
		}
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return fmt.Sprintf("%s: want %d elements, got %v", at, len(w), got)
		}
		for i := range w {
			if m := mismatch(fmt.Sprintf("%s[%d]", at, i), w[i], g[i], false); m != "" {
				return m
			}
		}
	default:
		if got != want && (want != nil || !empty(got)) {
			return fmt.Sprintf("%s: want %v, got %v", at, want, got)
		}
	}
	return ""
}

// empty tells what null in an expectation matches: what is not there.
func empty(v any) bool {
	if m, is := v.(map[string]any); is {
		return len(m) == 0
	}
	if l, is := v.([]any); is {
		return len(l) == 0
	}
	return v == nil || v == "" || v == false || v == 0.0
}

func TestVectors(t *testing.T) {
	files := load(t)
	answers := map[string]any{}
	count := 0
	for _, file := range slices.Sorted(maps.Keys(files)) {
		for _, v := range files[file] {
			name := file + "/" + v.Name
			if _, twice := answers[name]; twice || v.Name == "" {
				t.Fatalf("%s: every case has a name of its own", name)
			}
			count++
			answers[name] = tree(t, v.play(t))
			var want map[string]any
			if err := json.Unmarshal(v.Expect, &want); err != nil || len(want) == 0 {
				t.Fatalf("%s: expects nothing: %v", name, err)
			}
			relations(t, file, name, want, answers)
			if m := mismatch("expect", want, answers[name], false); m != "" {
				t.Errorf("%s: %s\nwhole answer: %s", name, m, dump(answers[name]))
			}
		}
	}
	t.Logf("%d vectors in %d files", count, len(files))
	if count < 150 {
		t.Errorf("only %d vectors", count)
	}
}

// relations checks what a case says about an earlier case of its file.
func relations(t *testing.T, file, name string, want map[string]any, answers map[string]any) {
	t.Helper()
	for _, rel := range []string{"same_answer_as", "same_cause_as", "other_cause_than"} {
		other, is := want[rel].(string)
		if !is {
			continue
		}
		delete(want, rel)
		a, b := refusalOf(answers[name]), refusalOf(answers[file+"/"+other])
		if a == nil || b == nil {
			t.Errorf("%s: %s %q needs two refusals", name, rel, other)
			continue
		}
		// Then is for those who may see the record.
		delete(a, "then")
		delete(b, "then")
		switch rel {
		case "same_answer_as":
			if dump(a) != dump(b) {
				t.Errorf("%s and %s are told apart:\n%s\n%s", name, other, dump(a), dump(b))
			}
		case "same_cause_as":
			if a["cause"] != b["cause"] {
				t.Errorf("%s and %s have one cause", name, other)
			}
		default:
			if a["cause"] == b["cause"] {
				t.Errorf("%s and %s have two causes", name, other)
			}
		}
	}
}

func refusalOf(answer any) map[string]any {
	a, _ := answer.(map[string]any)
	r, _ := a["refusal"].(map[string]any)
	return maps.Clone(r)
}

func dump(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}
