package landfall

import (
	"encoding/json"
	"time"
)

// Kind is the class of an issue.
type Kind string

// The kinds. NotAvailable is what an author who may not see the record gets
// for absent, invisible, merged and duplicate alike.
const (
	KindAuthorization Kind = "authorization"
	KindValidation    Kind = "validation"
	KindConfiguration Kind = "configuration"
	KindStatus        Kind = "status-conflict"
	KindField         Kind = "field-conflict"
	KindGone          Kind = "gone"
	KindDuplicate     Kind = "duplicate"
	KindNotAvailable  Kind = "not-available"
	KindOutdated      Kind = "outdated"
	KindMalformed     Kind = "malformed"
	KindFork          Kind = "fork"
	KindLost          Kind = "lost"
	KindInternal      Kind = "internal"
)

// Kinds are all kinds.
var Kinds = []Kind{
	KindAuthorization, KindValidation, KindConfiguration, KindStatus, KindField, KindGone, KindDuplicate,
	KindNotAvailable, KindOutdated, KindMalformed, KindFork, KindLost, KindInternal,
}

// Amendable reports whether the author may mend an issue of this kind with a
// further mutation; conflicts are decided or withdrawn instead.
func (k Kind) Amendable() bool {
	return k == KindValidation || k == KindAuthorization || k == KindConfiguration
}

// Message says one thing that was wrong, by code, ids and field names, never
// values. Text is plain words in the definition's titles.
type Message struct {
	Code  string `json:"code"`
	Field string `json:"field,omitempty"`
	Text  string `json:"text"`
	Hint  string `json:"hint,omitempty"` // how to fix it
}

// IssueType is the built-in case type of issues.
const IssueType = "sync_issue"

// FallbackQueue is the built-in queue of issues that no rule routes, or that are
// routed to where nobody works.
const FallbackQueue = "sync-issues"

// Administrator is the built-in role; it always belongs to the FallbackQueue.
const Administrator = "administrator"

// The statuses of an issue.
const (
	IssueOpen     = "open"
	IssueClaimed  = "claimed"
	IssueResolved = "resolved"
)

// Comment is a remark on an issue.
type Comment struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Issue is a sync issue: the case that keeps a refused or conflicting mutation
// until a person decides. It is stored and synced as a record of IssueType
// (see Record); what was sent and the server's side are kept apart, since not
// everybody who sees the issue may see those.
type Issue struct {
	ID      string `json:"-"`
	Version int64  `json:"-"`
	State   string `json:"-"`
	Queue   string `json:"-"` // work queue it is in
	// Assignee has it in the worklist: whom it was assigned to, the author where no
	// rule routed it, or who claimed it. See Assigned.
	Assignee string `json:"-"`

	Number       int64      `json:"number"`
	Kind         Kind       `json:"kind"`
	Cause        string     `json:"cause"` // fingerprint shared by issues of one origin
	RecordType   string     `json:"record_type,omitempty"`
	Record       string     `json:"record,omitempty"`
	Op           Op         `json:"op,omitempty"`
	Transition   string     `json:"transition,omitempty"`
	Author       string     `json:"author"`
	Device       string     `json:"device"` // replica
	Incarnation  int64      `json:"incarnation"`
	N            int64      `json:"n"`               // number of the mutation that was refused; of a group, of its first
	Group        int        `json:"group,omitempty"` // members of the refused group; 0 for a single one
	Messages     []Message  `json:"messages"`
	Definition   int64      `json:"definition,omitempty"`
	MadeAt       time.Time  `json:"made_at,omitzero"`
	ReceivedAt   time.Time  `json:"received_at"`
	Attempts     int        `json:"attempts"`
	ClaimedUntil *time.Time `json:"claimed_until,omitempty"`
	AssignedTo   *string    `json:"assigned_to,omitempty"` // while it is claimed: whom it was assigned to before, "" for nobody
	Settlement   Settlement `json:"settlement,omitempty"`
	Decider      string     `json:"decider,omitempty"`
	DecidedAt    *time.Time `json:"decided_at,omitempty"`
	Note         string     `json:"note,omitempty"`
	Through      int64      `json:"through,omitempty"` // last number that the decision covers
	Comments     []Comment  `json:"comments,omitempty"`
}

// Open reports whether the issue still needs a decision.
func (i *Issue) Open() bool { return i.State != IssueResolved }

// Assigned is whom the issue was assigned to, if anybody. Who claims an issue has
// it in the worklist, and sees and decides it by the right that they have anyhow:
// a claim gives none, so that none stays when that right goes.
func (i *Issue) Assigned() string {
	if i.State == IssueClaimed && i.AssignedTo != nil {
		return *i.AssignedTo
	}
	return i.Assignee
}

// AsRecord is the issue as the case that is stored and synced. Audience and
// timestamps of the record are the caller's.
func (i *Issue) AsRecord() (*Record, error) {
	b, err := json.Marshal(i)
	if err != nil {
		return nil, err
	}
	r := &Record{Type: IssueType, ID: i.ID, Version: i.Version, Status: i.State, Queue: i.Queue, Assignee: i.Assignee, CreatedBy: i.Author}
	return r, json.Unmarshal(b, &r.Fields)
}

// IssueOf reads an issue back from its record.
func IssueOf(r *Record) (*Issue, error) {
	b, err := json.Marshal(r.Fields)
	if err != nil {
		return nil, err
	}
	i := &Issue{}
	if err := json.Unmarshal(b, i); err != nil {
		return nil, err
	}
	i.ID, i.Version, i.State, i.Queue, i.Assignee = r.ID, r.Version, r.Status, r.Queue, r.Assignee
	return i, nil
}
