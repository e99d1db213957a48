// Package core holds the rules: how a change is judged, merged, refused,
// routed, decided and rebased. It is pure: no clock, randomness, goroutine,
// file, network or store. The same input gives the same verdict, byte for byte.
package core

import (
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// World is what a verdict may look at. Its errors are infrastructure trouble
// and are passed through unchanged; absence is nil or empty, never an error.
type World interface {
	// Record is the record's current state, deleted ones too.
	Record(id string) (*landfall.Record, error)
	// Changes lists the record's changes with Seq > after, in order.
	Changes(id string, after int64) ([]landfall.Change, error)
	// Audience lists the keys that may receive the record now.
	Audience(id string) ([]string, error)
	// Unique is the id of the record that holds the value of a unique field, or "".
	Unique(typ, field, value string) (string, error)
	// Counter is the last number given in a series, or 0.
	Counter(series string) (int64, error)
	// Referrers lists, by id, records of a type that are linked to target by a
	// field, with id > after.
	Referrers(target, typ, field, after string, limit int) ([]string, error)
	People
	Lanes
}

// People says whether a user or team of that name exists.
type People interface {
	UserExists(name string) (bool, error)
	TeamExists(name string) (bool, error)
}

// Lanes tells what open issues hold of a replica's mutations.
type Lanes interface {
	// Holder is the earliest open issue that holds a mutation of the replica on
	// the record, or "".
	Holder(replica, record string) (string, error)
	// CreationHolder is the earliest open issue that holds the replica's
	// creation of the record, or "".
	CreationHolder(replica, record string) (string, error)
	// Older reports whether an issue arose before another.
	Older(issue, other string) (bool, error)
}

// Step is one mutation to judge.
type Step struct {
	Mutation landfall.Mutation
	// Edited is when the edit was made, by EditTime.
	Edited time.Time
	// Author is who entered it when that is not the actor; "" for the actor.
	Author string
	// By is who applies it when that is not the actor's own doing: the decider.
	By string
	// Authors names the author of single fields when that is not the actor:
	// "entered by Emma, applied by Ada".
	Authors map[string]string
	// Given are fields whose value By gives at this moment, in view of what is
	// there: with them the step conflicts with nothing, and they are edited now.
	Given map[string]bool
	Issue string // the issue whose decision, retry or repair makes this step
	Note  string
	// current bases the step on what is there when its turn comes: a decision.
	current bool
	// asked is what the device set of what is decided: where the step does not set
	// it, it is to stay as it is.
	asked landfall.Fields
}

// Input is what one verdict is made from.
type Input struct {
	App   *definition.App
	World World
	// Actor is whose rights count: the author, or the decider of an issue.
	Actor landfall.Actor
	// Also must have every right that the actor needs, and see what the actor must
	// see: who repairs what the actor entered. Nil: nobody.
	Also *landfall.Actor
	// Run is judged as one: a single mutation, a group, or a lane. All of it is
	// applied, or none.
	Run []Step
	// Seq is the place in the sequence that the verdict gets if it commits.
	Seq int64
	Now time.Time
	// Lane is set when the run is the lane of an open issue: the check that the
	// lane is free is left out, and required fields and validity count at the end.
	Lane bool
}

// Verdict is the answer to an Input: exactly one of Applied, Refusal and Waits.
type Verdict struct {
	Applied bool
	Effects landfall.Effects
	// Note says why an applied run had no effect.
	Note    string
	Refusal *Refusal
	// Waits is the open issue in whose lane the run waits.
	Waits string
}

// Stage names a check, in the order in which they are made.
type Stage string

// The stages of a verdict. StageLane leads to waiting, all others to a refusal.
const (
	StageLane       Stage = "lane"       // no open issue holds what the run depends on
	StageAuthor     Stage = "author"     // the author may write at all
	StageNames      Stage = "names"      // it converts to the current definition
	StageExistence  Stage = "existence"  // the record is there, and the author may see it
	StageRights     Stage = "rights"     // a role may do this to this type and these fields at all
	StageStatus     Stage = "status"     // the status has not moved
	StageTransition Stage = "transition" // the move is allowed from here, to the author, now
	StageConditions Stage = "conditions" // the conditions of the right hold; the status is not frozen
	StageMerge      Stage = "merge"      // no field needs a person's decision
	StageValidity   Stage = "validity"   // the merged record is valid
)

// Refusal says why a run was refused and where its issue goes.
type Refusal struct {
	Stage    Stage
	Kind     landfall.Kind
	Messages []landfall.Message
	Step     int    // index in the run of the step that was refused
	Cause    string // fingerprint: kind, type, transition or field, right or check
	// Queue, Assignee and Audience place the issue.
	Queue    string
	Assignee string
	Audience []string
	// Lacks is the user whose right is missing, where Also was asked, too.
	Lacks string
	// Then is the record as the refusal found it, nil when there was none.
	Then *landfall.Record
}
