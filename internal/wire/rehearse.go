package wire

import "github.com/landfall-sync/landfall"

// MostRehearsed is how many inbox items a rehearsal judges again at most.
const MostRehearsed = 200_000

// Rehearse asks what a definition would do if it were published.
type Rehearse struct {
	Source string `json:"source"`
	File   string `json:"file,omitempty" doc:"name to show in problems"`
	Items  int    `json:"items,omitempty" minimum:"1" maximum:"200000" doc:"how many of the last inbox items are judged again; 10000 when it is left out"`
}

// RehearsalEvent is one line of a rehearsal as it runs: how far it is, at the end
// its result, or what ended it.
type RehearsalEvent struct {
	Progress *RehearsalProgress `json:"progress,omitempty"`
	Result   *Rehearsal         `json:"result,omitempty"`
	Error    *landfall.Error    `json:"error,omitempty"`
}

// RehearsalProgress is how far a rehearsal is in one of its phases.
type RehearsalProgress struct {
	Phase string `json:"phase" enum:"issues,history,changes,records,devices"`
	Done  int    `json:"done"`
	Total int    `json:"total,omitempty" doc:"0 while it is not known"`
}

// Rehearsal is what a definition would do if it were published now.
type Rehearsal struct {
	Version   int64  `json:"version" doc:"version that it would get"`
	Unchanged bool   `json:"unchanged,omitempty" doc:"it is what is published"`
	Worse     bool   `json:"worse" doc:"something would be refused, invalid or stranded that is not now"`
	Verdict   string `json:"verdict" doc:"all of it in one sentence"`
	// Problems are what a check of it says. With an error among them nothing was
	// rehearsed.
	Problems []Problem        `json:"problems,omitempty"`
	Issues   RehearsedIssues  `json:"issues"`
	Items    RehearsedItems   `json:"items"`
	Records  RehearsedRecords `json:"records"`
	Devices  RehearsedDevices `json:"devices"`
	Sight    []RehearsedSight `json:"sight,omitempty"`
	Groups   []RehearsedGroup `json:"groups,omitempty" doc:"by effect, the largest first"`
	More     map[string]int   `json:"more,omitempty" doc:"by effect: cases of causes beyond those that are listed"`
}

// RehearsedIssues counts the unresolved issues: what a retry of each, alone, would do.
type RehearsedIssues struct {
	Open   int `json:"open"`
	Fixed  int `json:"fixed"`  // would pass under the new definition, and don't pass now
	Ready  int `json:"ready"`  // pass a retry as it is
	Broken int `json:"broken"` // pass a retry as it is, and would not any more
	Stay   int `json:"stay"`   // are refused either way
	Sight  int `json:"sight"`  // would enter or leave devices, since their queue's members change
}

// RehearsedItems counts the last inbox items.
type RehearsedItems struct {
	Looked   int `json:"looked"`
	Judged   int `json:"judged"`   // mutations, under both definitions
	Refused  int `json:"refused"`  // would have been refused, and are not
	Applied  int `json:"applied"`  // would have been applied, and are refused
	Changed  int `json:"changed"`  // would have had another result
	Differ   int `json:"differ"`   // would have been refused for another cause
	Unjudged int `json:"unjudged"` // have no verdict of their own to compare
}

// RehearsedRecords counts stored records. Of types whose rules stay, none is looked at.
type RehearsedRecords struct {
	Looked    int `json:"looked"`
	Invalid   int `json:"invalid"`   // would have faults that they have not now
	Stranded  int `json:"stranded"`  // their type, status, or a field with a value is gone
	Converted int `json:"converted"` // are given other names by a conversion
}

// RehearsedDevices is what may be under way on devices. Waiting is as they
// reported it last.
type RehearsedDevices struct {
	Devices int `json:"devices"`
	Older   int `json:"older"`   // of them: knew an older version than the published one at their last push
	Unsent  int `json:"unsent"`  // of them: had changes that were not sent
	Waiting int `json:"waiting"` // such changes
}

// RehearsedSight counts the records of a type that enter or leave what the
// holders of a key receive. Of keys that a field names, all people or teams count as one.
type RehearsedSight struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	Key   string `json:"key" doc:"all, role:NAME, user or team"`
	Gains int    `json:"gains,omitempty"`
	Loses int    `json:"loses,omitempty"`
}

// The effects that a definition can have on one case.
const (
	EffectFixed     = "fixed"     // an open issue: a retry settles it
	EffectBroken    = "broken"    // an open issue: a retry does not settle it any more
	EffectStays     = "stays"     // an open issue: refused still, for another cause
	EffectRefused   = "refused"   // a change: refused
	EffectApplied   = "applied"   // a change: applied
	EffectChanged   = "changed"   // a change: with another result
	EffectDiffers   = "differs"   // a change: refused for another cause
	EffectInvalid   = "invalid"   // a record
	EffectStranded  = "stranded"  // a record
	EffectConverted = "converted" // a record
)

// RehearsedGroup is what happens for one cause. Messages never hold values.
type RehearsedGroup struct {
	Effect     string             `json:"effect" enum:"fixed,broken,stays,refused,applied,changed,differs,invalid,stranded,converted"`
	Cause      string             `json:"cause,omitempty"`
	Kind       landfall.Kind      `json:"kind,omitempty"`
	Type       string             `json:"type,omitempty"`
	Title      string             `json:"title,omitempty"` // of the type
	Op         landfall.Op        `json:"op,omitempty"`
	Transition string             `json:"transition,omitempty"`
	Messages   []landfall.Message `json:"messages,omitempty"`
	Count      int                `json:"count"`
	Users      int                `json:"users,omitempty"`
	// Examples are at most three: numbers of issues, ids of inbox items, numbers or
	// ids of records; only of what the caller may see.
	Examples []string `json:"examples,omitempty"`
}
