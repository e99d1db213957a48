// Package doctor looks at all that a server stored, and tells where it is not
// what it must be. It reads by pages and keeps one record at a time, so that its
// memory does not grow with the database; it writes nothing.
package doctor

import (
	"context"
	"fmt"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Reader is what the checks need of a store's consistent state.
type Reader interface {
	Records
	Inbox
	Workspaces() ([]string, error)
	Head(ws string) (*store.Head, error)
	Definition(ws string, version int64) (*store.DefinitionRow, error)
	Users(ws string, p store.Page) ([]*store.User, error)
	Replicas(ws, user string, p store.Page) ([]*store.Replica, error)
}

// Records are the records with their history, and who may receive them.
type Records interface {
	RecordIDs(ws, after string, limit int) ([]string, error)
	Log(ws string, after store.Place, limit int) ([]landfall.Change, error)
	Row(ws, id string) (*store.Row, error)
	Unique(ws, typ, field, value string) (string, error)
	Referrers(ws, target, typ, field, after string, limit int) ([]string, error)
	Counter(ws, series string) (int64, error)
	Entered(ws, key, id string, seq int64) (bool, error)
	Keyed(ws, key, typ, before string, limit int) ([]string, error)
}

// Inbox is what devices sent, and the issues of it.
type Inbox interface {
	Item(ws string, k landfall.Key) (*store.Item, error)
	Items(ws string, f store.ItemFilter, p store.Page) ([]*store.Item, error)
	Held(ws, issue string) ([]*store.Item, error)
	Lane(ws, replica, record string) ([]*store.Item, error)
	Issue(ws, id string) (*store.IssueRow, error)
	Issues(ws string, f store.IssueFilter, p store.Page) ([]*store.IssueRow, error)
}

// The checks, in the order in which they are told. docs/doctor.md explains each.
const (
	File     = "file"     // the database as a file
	Numbers  = "numbers"  // the numbers of devices have one inbox item each
	Items    = "items"    // each item is where its receipt says
	Commits  = "commits"  // what was committed together is there together
	Issues   = "issues"   // an issue and what it holds
	Audience = "audience" // who receives a record
	Fold     = "fold"     // a record is what its changes make of it
	Statuses = "statuses" // a status follows another by a transition
	Valid    = "valid"    // a record is valid under its definition
)

// checks in their order: what is counted, what is right and what is wrong about
// it, and what to do then.
var checks = []struct{ name, good, bad, next string }{
	{
		Numbers, "numbers given by devices and desks have one inbox item each", "numbers given by devices and desks have no inbox item, or a wrong one",
		"don't serve this folder before you have a copy of it; restore a backup, and devices offer again what they kept",
	},
	{
		Items, "inbox items are where their receipts say", "inbox items are not where their receipts say",
		"look at each with `landfall inbox show ITEM`, and make by hand on its record what is missing; or restore a backup",
	},
	{
		Commits, "effects stand in the history, the inbox and the record alike", "effects are missing in the history, the inbox or the record",
		"part of a commit is lost, which the program never does by itself: look for trouble with the disk, and restore a backup",
	},
	{
		Issues, "issues hold what was sent, and nothing else is held", "issues do not hold what they should",
		"decide each with `landfall issue show ISSUE` from what was sent; or restore a backup",
	},
	{
		Audience, "records are received by whom the definition says", "records are received by others than the definition says",
		"change any field of each record: that works its audience out again",
	},
	{
		Fold, "records fold from their changes", "records do not fold from their changes",
		"compare each with its history, `landfall record history RECORD`, and set what is wrong; something else than Landfall wrote to the database",
	},
	{
		Statuses, "moves are transitions of the definition of their time", "moves are no transitions of the definition of their time",
		"look at each with `landfall record history RECORD`, and move it to where it belongs",
	},
	{
		Valid, "records are valid under their definition", "records are not valid under their definition",
		"set the fields that are named; a change of such a record is refused until they are right",
	},
}

// mostExamples is how many findings of a check are told; all are counted.
const mostExamples = 10

// Finding is one thing that is wrong.
type Finding struct {
	Workspace string `json:"workspace,omitempty"`
	Record    string `json:"record,omitempty"`
	Item      string `json:"item,omitempty"`
	Issue     string `json:"issue,omitempty"`
	Device    string `json:"device,omitempty"`
	What      string `json:"what"`
}

// Result is what one check found.
type Result struct {
	Check    string           `json:"check"`
	Text     string           `json:"text"`
	Checked  int64            `json:"checked"`
	Wrong    int64            `json:"wrong"`
	Counts   map[string]int64 `json:"counts,omitempty"` // of Checked, by what became of them
	Examples []Finding        `json:"examples,omitempty"`
	Next     string           `json:"next,omitempty"`
}

// Report is all that was found.
type Report struct {
	Healthy bool      `json:"healthy"`
	Results []*Result `json:"results"`
}

// Options of an examination.
type Options struct {
	// Progress hears now and then what is looked at, and how many were.
	Progress func(what string, done int64)
}

// examination is one run over one state.
type examination struct {
	ctx     context.Context
	r       Reader
	o       Options
	results map[string]*Result
}

// Examine makes all checks on all workspaces. What it finds is in the report; an
// error means that it was interrupted.
func Examine(ctx context.Context, r Reader, o Options) (*Report, error) {
	e := &examination{ctx: ctx, r: r, o: o, results: map[string]*Result{}}
	report := &Report{Healthy: true}
	for _, c := range checks {
		e.results[c.name] = &Result{Check: c.name}
		report.Results = append(report.Results, e.results[c.name])
	}
	all, err := r.Workspaces()
	if err != nil {
		e.lost(&workspace{examination: e}, "the workspaces", err, Numbers, Items, Commits, Issues, Audience, Fold, Statuses, Valid)
	}
	for _, name := range all {
		if err := e.workspace(name); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, c := range checks {
		report.tell(report.Results[i], c.good, c.bad, c.next)
	}
	return report, nil
}

func (r *Report) tell(x *Result, good, bad, next string) {
	x.Text = good
	if x.Wrong > 0 {
		x.Text, x.Next, r.Healthy = bad, next, false
	}
}

// AddFile puts before the others what the database itself finds in its file.
func (r *Report) AddFile(damage []string) {
	x := &Result{Check: File, Checked: 1, Wrong: int64(len(damage))}
	for _, what := range damage[:min(len(damage), mostExamples)] {
		x.Examples = append(x.Examples, Finding{What: what})
	}
	r.tell(x, "file is sound", "places in the file are damaged", "copy the folder elsewhere, look for trouble with the disk, and restore a backup")
	r.Results = append([]*Result{x}, r.Results...)
}

// workspace is one that is looked at.
type workspace struct {
	*examination
	ws   string
	head store.Head
	apps *versions
}

func (e *examination) workspace(name string) error {
	w := &workspace{examination: e, ws: name}
	h, err := e.r.Head(name)
	if err == nil && h != nil {
		w.head = *h
		w.apps, err = published(e.r, name, h.Definition)
	}
	if err != nil || h == nil {
		e.lost(w, "the workspace", err, Numbers, Items, Commits, Issues, Audience, Fold, Statuses, Valid)
		return e.ctx.Err()
	}
	for _, pass := range []struct {
		what   string
		run    func() error
		checks []string
	}{
		{"the inbox", w.inbox, []string{Numbers, Items, Commits}},
		{"the issues", w.issues, []string{Issues}},
		{"the records", w.records, []string{Commits, Audience, Fold, Statuses, Valid}},
	} {
		if err := pass.run(); err != nil {
			e.lost(w, pass.what, err, pass.checks...)
		}
		if err := e.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// lost tells of each check that it could not be made to the end.
func (e *examination) lost(w *workspace, what string, err error, checks ...string) {
	for _, c := range checks {
		w.found(c, Finding{What: fmt.Sprintf("%s can't be read to the end: %v", what, err)})
	}
}

// found notes what is wrong.
func (w *workspace) found(check string, f Finding) {
	r := w.results[check]
	r.Wrong++
	if len(r.Examples) < mostExamples {
		f.Workspace = w.ws
		r.Examples = append(r.Examples, f)
	}
}

// looked counts what was checked, and goes on unless it is interrupted.
func (w *workspace) looked(check, what string, n int64) error {
	r := w.results[check]
	r.Checked += n
	if w.o.Progress != nil {
		w.o.Progress(what, r.Checked)
	}
	return w.ctx.Err()
}
