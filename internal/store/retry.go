package store

import (
	"time"

	"github.com/landfall-sync/landfall"
)

// Tries are the tries of an issue that the server makes by itself.
type Tries struct {
	// Next is when it is tried again; zero: not by the server itself.
	Next time.Time `json:",omitzero"`
	// Why it is tried then; empty: it is the schedule's turn.
	Why string `json:",omitempty"`
	// InVain counts the tries by the schedule.
	InVain int `json:",omitempty"`
	// Tried are the last tries, oldest first.
	Tried []Try `json:",omitempty"`
}

// Try is one try that the server made by itself, and that did not pass.
type Try struct {
	At   time.Time
	Why  string `json:",omitempty"`
	Kind landfall.Kind
}

// Repair is what somebody put in the place of a mutation that was sent.
type Repair struct {
	By   string
	At   time.Time
	Note string       `json:",omitempty"`
	Of   landfall.Key // the item that it repairs
	// Mutation is the repaired one, in JSON; Fields are those that were edited.
	Mutation []byte
	Fields   []string `json:",omitempty"`
}

// SweepKind says which open issues a Sweep is about.
type SweepKind string

// The kinds of sweeps: all of an author's, all that hold something on a record,
// all that there are, those that name a user, or a team, that was not there.
const (
	SweepUser       SweepKind = "user"
	SweepRecord     SweepKind = "record"
	SweepDefinition SweepKind = "definition"
	SweepNames      SweepKind = "names"
)

// The objects of SweepNames.
const (
	NamesUser = "user"
	NamesTeam = "team"
)

// Sweep is a piece of work that goes on after the transaction that gave rise to
// it: issues whose cause may be gone are put down for another try, a page at a
// time. There is one of a kind and object; it begins again when it is put again.
type Sweep struct {
	Kind   SweepKind
	Object string // the user, the record, or what was named; "" for a definition
	Why    string
	After  string // cursor; "" at its beginning
}

// MayPass puts all open issues of a user down for another try: they got a right,
// or their device may write again. It is for the transaction that gave it.
func MayPass(w WriteRetries, ws, user, why string) error {
	return w.PutSweep(ws, Sweep{Kind: SweepUser, Object: user, Why: why})
}

// Added puts the open issues down that named a user, or a team, that was not there.
// It is for the transaction that adds one. Usually there are no issues at all.
func Added(w Writer, ws, what string) error {
	some, err := w.Issues(ws, IssueFilter{State: Unresolved}, Page{Limit: 1})
	if err != nil || len(some) == 0 {
		return err
	}
	return w.PutSweep(ws, Sweep{Kind: SweepNames, Object: what, Why: "a " + what + " was added"})
}

// IssueGroup counts unresolved issues that are alike in all of this.
type IssueGroup struct {
	Cause    string
	Kind     landfall.Kind
	Queue    string
	Assignee string // whom they were assigned to
	Author   string
	Device   string
	Count    int
	Newest   int64 // the highest number among them
	// First and Last are when those with the lowest and the highest number were received.
	First, Last time.Time
}

// Retries reads what is to be tried again, and what has one cause.
type Retries interface {
	// Due lists issues whose Next is set and not after until, earliest first.
	Due(ws string, until time.Time, limit int) ([]*IssueRow, error)
	// Laning reports whether open issues hold anything at all.
	Laning(ws string) (bool, error)
	// HeldOn lists the items that touch or refer to a record and that open issues
	// hold, of all replicas, after the given key, in order of keys.
	HeldOn(ws, record string, after landfall.Key, limit int) ([]*Item, error)
	// Sweeps lists those that are not done, by kind and object.
	Sweeps(ws string, limit int) ([]Sweep, error)
	// IssueGroups counts the unresolved issues; of one cause, or of all ("").
	IssueGroups(ws, cause string) ([]IssueGroup, error)
}

// WriteRetries writes sweeps.
type WriteRetries interface {
	PutSweep(ws string, s Sweep) error
	DeleteSweep(ws string, s Sweep) error
}
