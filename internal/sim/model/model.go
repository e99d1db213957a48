// Package model is a small, slow and independent reading of the server's rules.
// It takes in what the server committed, in order, and says at every commit
// whether that is what the rules demand. It shares no code with the program.
package model

import (
	"fmt"
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// Model is what the rules make of the commits so far. What its maps hold is
// never written into, only replaced, so that a clone shares it.
type Model struct {
	known   map[string]*app.App // by source
	limits  Limits
	app     *app.App // published now
	version int64
	head    store.Head

	records  map[string]*record
	issues   map[string]*Issue
	items    map[landfall.Key]*Item
	arrived  []landfall.Key
	lanes    map[string][]landfall.Key // held by open issues, by replica, in order
	replicas map[string]replica
	devices  map[string]*store.Replica
	users    map[string]*store.User
	teams    map[string]bool
	grants   map[grant]store.GrantRow // open spans
	forks    map[fork]landfall.Key
	counters map[string]int64
	unique   map[string]string // id of the record, by type, field and value
	pushes   map[int64]*store.Push
	pushed   map[arrival]clocks
	audits   int64
	links    map[string][]landfall.Link // what records are found from
	// published are the places of the versions, from the first on.
	published []int64
	resyncs   int64 // full syncs that were asked for
	settings  map[string]string
}

// Limits are those of one mutation that the server is configured with; zero for
// those that the model takes the server's word for.
type Limits struct{ Bytes, Depth, Group int }

// Violation is something that the rules do not allow. Rule is a short stable
// name, Text one line for people.
type Violation struct{ Rule, Text string }

func (v Violation) String() string { return v.Rule + ": " + v.Text }

// New makes a model that knows nothing.
func New() *Model {
	return &Model{
		known: map[string]*app.App{}, records: map[string]*record{}, issues: map[string]*Issue{}, items: map[landfall.Key]*Item{},
		lanes: map[string][]landfall.Key{}, replicas: map[string]replica{}, devices: map[string]*store.Replica{}, users: map[string]*store.User{},
		teams: map[string]bool{}, app: &app.App{}, grants: map[grant]store.GrantRow{}, forks: map[fork]landfall.Key{}, counters: map[string]int64{}, unique: map[string]string{},
		links: map[string][]landfall.Link{}, pushes: map[int64]*store.Push{}, pushed: map[arrival]clocks{}, settings: map[string]string{},
	}
}

// Know tells the model of an app that may be published, by its source.
func (m *Model) Know(a *app.App) { m.known[a.Source()] = a }

// Limit tells the model the limits of the server.
func (m *Model) Limit(l Limits) { m.limits = l }

// Clone is a model of its own that has seen the same commits.
func (m *Model) Clone() *Model {
	c := *m
	c.known, c.records, c.issues = maps.Clone(m.known), maps.Clone(m.records), maps.Clone(m.issues)
	c.items, c.lanes, c.replicas = maps.Clone(m.items), maps.Clone(m.lanes), maps.Clone(m.replicas)
	c.devices, c.users, c.teams = maps.Clone(m.devices), maps.Clone(m.users), maps.Clone(m.teams)
	c.grants, c.counters, c.unique = maps.Clone(m.grants), maps.Clone(m.counters), maps.Clone(m.unique)
	c.pushes, c.pushed = maps.Clone(m.pushes), maps.Clone(m.pushed)
	c.links, c.published = maps.Clone(m.links), slices.Clip(m.published)
	c.settings = maps.Clone(m.settings)
	c.forks, c.arrived = maps.Clone(m.forks), slices.Clip(m.arrived)
	return &c
}

// Commit takes a commit in and says what is wrong with it.
func (m *Model) Commit(c *watch.Commit) []Violation {
	r := &reading{m: m, seq: m.head.Seq, was: m.head, stood: maps.Clone(m.replicas), rows: maps.Clone(m.devices)}
	r.sort(c)
	r.begin()
	for r.at < len(r.main) {
		r.next()
	}
	r.end()
	return r.found
}

// reading is one commit on its way into the model.
type reading struct {
	m     *Model
	was   store.Head                // before the commit
	stood map[string]replica        // where replicas were before the commit
	rows  map[string]*store.Replica // devices as they were written before
	main  []watch.Op                // changes, items, issues, grants, users, definitions: in order
	at    int                       // in main
	seq   int64                     // last place that was taken
	found []Violation

	sides     []watch.Op // all else
	audits    []*store.AuditEntry
	head      *store.Head
	records   map[string]*watch.Op // as they are stored in the end
	regrouped map[string]*watch.Regrouped
	touched   []string        // ids of records with changes
	withdrawn string          // issue that is settled by a withdrawal that is still to come
	amended   *amendment      // what an amendment that is still to come has done
	retried   string          // issue that was tried again in vain by an amendment or a retry
	settled   map[string]bool // issues that an audit entry must tell of
	replicas  map[string]bool // replicas that moved on
	accounted map[string]bool // users with grants whose account is still to come
}

// complain notes a violation.
func (r *reading) complain(rule, format string, args ...any) {
	r.found = append(r.found, Violation{rule, fmt.Sprintf(format, args...)})
}

// sort puts what belongs to verdicts in a row, and the rest aside.
func (r *reading) sort(c *watch.Commit) {
	r.records, r.settled = map[string]*watch.Op{}, map[string]bool{}
	r.replicas, r.accounted, r.regrouped = map[string]bool{}, map[string]bool{}, map[string]*watch.Regrouped{}
	for i := range c.Ops {
		op := &c.Ops[i]
		switch {
		case op.Change != nil, op.Item != nil, op.Issue != nil, op.Grant != nil, op.User != nil, op.Definition != nil:
			r.main = append(r.main, *op)
		case op.Replica != nil: // what comes after it is judged by it
			r.main, r.sides = append(r.main, *op), append(r.sides, *op)
		case op.Record != nil:
			r.records[op.Record.ID] = op
			delete(r.regrouped, op.Record.ID)
		case op.Regrouped != nil:
			r.regrouped[op.Regrouped.ID] = op.Regrouped
		case op.Head != nil:
			r.head = op.Head
		case op.Audit != nil:
			r.audits = append(r.audits, op.Audit)
		default:
			r.sides = append(r.sides, *op)
		}
	}
}

// next reads one verdict, or one change of an account or the definition.
func (r *reading) next() {
	op := &r.main[r.at]
	switch {
	case op.Change != nil:
		r.verdict()
	case op.Item != nil && op.Added:
		r.unit(nil)
	case op.Replica != nil:
		r.at++
		r.m.devices[op.Replica.ID] = op.Replica
	case op.Item != nil && r.cleaned(op.Item):
	case op.Item != nil:
		r.at++
		r.complain("item", "item %s is written again, and nothing tells why", op.Item.Key)
		r.put(op.Item)
	case op.Issue != nil:
		r.at++
		r.beside(op.Issue)
	case op.Grant != nil:
		r.at++
		r.grant(op.Grant)
	case op.User != nil:
		r.at++
		r.user(op.User)
	default:
		r.at++
		r.publish(op.Definition, nil)
	}
}

// verdict reads the changes at one place, and what they belong to.
func (r *reading) verdict() {
	changes := r.changes()
	var op *watch.Op
	if r.at < len(r.main) {
		op = &r.main[r.at]
	}
	switch {
	case op != nil && op.Issue != nil:
		r.at++
		r.issue(changes, op.Issue)
	case op != nil && op.Item != nil && op.Added:
		r.unit(changes)
	case op != nil && op.Definition != nil:
		r.at++
		r.publish(op.Definition, changes)
	default:
		r.complain("atomic", "the changes at %d belong to no item and no issue", r.seq)
		r.fold(changes)
	}
}

// changes takes the changes at one place, which is the next one.
func (r *reading) changes() []*landfall.Change {
	var out []*landfall.Change
	seq := r.main[r.at].Change.Seq
	for r.at < len(r.main) && r.main[r.at].Change != nil && r.main[r.at].Change.Seq == seq {
		c := r.main[r.at].Change
		r.at++
		if c.Index != len(out) {
			r.complain("sequence", "change of %s at %d has the index %d, not %d", c.ID, seq, c.Index, len(out))
		}
		if !c.At.Equal(r.now()) {
			r.complain("time", "change of %s at %d says %s, the commit %s", c.ID, seq, stamp(c.At), stamp(r.now()))
		}
		out = append(out, c)
	}
	r.place(seq, "a verdict")
	return out
}

// place checks that what happens takes the next place.
func (r *reading) place(seq int64, what string) {
	if seq != r.seq+1 {
		r.complain("sequence", "%s has the place %d, after %d", what, seq, r.seq)
	}
	r.seq = seq
}
