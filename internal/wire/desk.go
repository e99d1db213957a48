package wire

import (
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
)

// SignIn asks for a session.
type SignIn struct {
	User     string `json:"user"`
	Password string `json:"password"`
}

// Session is a signed-in person's token, which is shown once.
type Session struct {
	Token     string         `json:"token"`
	Expires   time.Time      `json:"expires"`
	Workspace string         `json:"workspace"`
	Actor     landfall.Actor `json:"actor"`
}

// List is a page of anything; Next is the cursor of the next page, empty at the end.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Do is a change by a signed-in person: applied at once, or refused with
// nothing stored.
type Do struct {
	Op         landfall.Op     `json:"op" enum:"create,update,transition,delete,restore"`
	Type       string          `json:"type"`
	ID         string          `json:"id,omitempty" doc:"id, unique prefix or number; empty to create with a new id"`
	Set        landfall.Fields `json:"set,omitempty"`
	Transition string          `json:"transition,omitempty"`
	Version    int64           `json:"version,omitempty" doc:"version that the person saw; 0: the current one"`
	Note       string          `json:"note,omitempty"`
}

// Done is the answer to Do.
type Done struct {
	Seq    int64            `json:"seq"`
	Record *landfall.Record `json:"record"`
}

// RecordView is a record as lists show it.
type RecordView struct {
	landfall.Record
	Label string `json:"label"`
}

// WorkItem is one line of a queue or worklist.
type WorkItem struct {
	Type     string    `json:"type"`
	ID       string    `json:"id"`
	Number   string    `json:"number,omitempty"`
	Label    string    `json:"label"`
	Status   string    `json:"status"`
	Queue    string    `json:"queue,omitempty"`
	Assignee string    `json:"assignee,omitempty"`
	Since    time.Time `json:"since"` // last change
}

// QueueView is a queue the caller belongs to.
type QueueView struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Members []string `json:"members"` // roles
	Waiting int      `json:"waiting"` // cases in it, counted up to 1000
}

// ItemView is an inbox item. Sent, its hash, and Mutation are there only for who
// may see every field of it: its author, or a member of the record's audience.
type ItemView struct {
	ID         string             `json:"id"`
	User       string             `json:"user"`
	Device     string             `json:"device"`
	DeviceName string             `json:"device_name,omitempty"`
	State      string             `json:"state"`
	Op         landfall.Op        `json:"op,omitempty"`
	Type       string             `json:"type,omitempty"`
	Record     string             `json:"record,omitempty"`
	ReceivedAt time.Time          `json:"received_at"`
	Receipt    *landfall.Receipt  `json:"receipt,omitempty"`
	Outcome    *landfall.Outcome  `json:"outcome,omitempty"`
	History    []ItemEvent        `json:"history,omitempty"`
	Hash       string             `json:"hash,omitempty"`
	Sent       string             `json:"sent,omitempty"` // the bytes as sent
	Mutation   *landfall.Mutation `json:"mutation,omitempty"`
	Hidden     bool               `json:"hidden,omitempty"` // parameters exist, but not for the caller
}

// ItemEvent is one step in an item's history.
type ItemEvent struct {
	At    time.Time `json:"at"`
	State string    `json:"state"`
	By    string    `json:"by,omitempty"`
	Text  string    `json:"text,omitempty"`
}

// IssueView is an issue as lists show it.
type IssueView struct {
	landfall.Issue
	ID           string `json:"id"`
	Version      int64  `json:"version"`
	State        string `json:"state"`
	Queue        string `json:"queue,omitempty"`
	QueueTitle   string `json:"queue_title,omitempty"`
	Assignee     string `json:"assignee,omitempty"`
	RecordNumber string `json:"record_number,omitempty"` // only when the caller may see the record
	RecordTitle  string `json:"record_title,omitempty"`  // title of the type
	DeviceName   string `json:"device_name,omitempty"`
}

// IssueDetail is an issue with both of its parts, as far as the caller may see them.
type IssueDetail struct {
	IssueView
	// Compare is base, device and server, field by field.
	Compare []core.Column `json:"compare"`
	// Sent are the mutations that the issue holds, the refused one first.
	Sent []SentView `json:"sent"`
	// Server is the record now; nil when there is none or the caller may not see it.
	Server *landfall.Record `json:"server,omitempty"`
	// ServerHidden tells that it exists, to deciders only.
	ServerHidden bool `json:"server_hidden,omitempty"`
	// Through and RecordVersion go back with the decision: what the decider saw.
	Through       int64 `json:"through"`
	RecordVersion int64 `json:"record_version"`
	// Before and After name the transitions that the caller could make from
	// the current status, and all that the caller's roles may make.
	Before []string `json:"before,omitempty"`
	After  []string `json:"after,omitempty"`
}

// SentView is one mutation that an issue holds.
type SentView struct {
	N        int64              `json:"n"`
	Waiting  bool               `json:"waiting,omitempty"`
	Record   string             `json:"record"`
	Mutation *landfall.Mutation `json:"mutation,omitempty"` // fields that the caller may see
	Raw      string             `json:"raw,omitempty"`      // only for who may see every field
}

// Resolve is a decision on an issue.
type Resolve struct {
	core.Decision
	DryRun bool `json:"dry_run,omitempty"`
}

// Resolution is what a decision did, or, dry, would do.
type Resolution struct {
	Issue      IssueView           `json:"issue"`
	DryRun     bool                `json:"dry_run,omitempty"`
	Settlement landfall.Settlement `json:"settlement,omitempty"`
	Record     *landfall.Record    `json:"record,omitempty"`
	Compare    []core.Column       `json:"compare,omitempty"`
	// Released are the mutations that waited and were judged in turn.
	Released []Released `json:"released,omitempty"`
}

// Released is what became of a waiting mutation.
type Released struct {
	ID       string             `json:"id"` // of the inbox item
	N        int64              `json:"n"`
	Record   string             `json:"record"`
	Result   landfall.Result    `json:"result"`
	Issue    string             `json:"issue,omitempty"`
	Kind     landfall.Kind      `json:"kind,omitempty"`
	Messages []landfall.Message `json:"messages,omitempty"`
}

// Retry asks to judge issues again, as their authors.
type Retry struct {
	Issues []string `json:"issues,omitempty"`
	Cause  string   `json:"cause,omitempty"`
	All    bool     `json:"all,omitempty"`
	DryRun bool     `json:"dry_run,omitempty"`
}

// Retried is the result of one retry.
type Retried struct {
	Issue    string              `json:"issue"`
	Number   int64               `json:"number"`
	Settled  bool                `json:"settled"`
	Settle   landfall.Settlement `json:"settlement,omitempty"`
	Kind     landfall.Kind       `json:"kind,omitempty"` // why it is still refused
	Messages []landfall.Message  `json:"messages,omitempty"`
	Released []Released          `json:"released,omitempty"`
}

// Cause is a group of issues of one origin.
type Cause struct {
	Cause     string             `json:"cause"`
	Kind      landfall.Kind      `json:"kind"`
	Type      string             `json:"type,omitempty"`
	Count     int                `json:"count"`
	Users     []string           `json:"users"`
	FirstSeen time.Time          `json:"first_seen"`
	LastSeen  time.Time          `json:"last_seen"`
	Messages  []landfall.Message `json:"messages"`
}

// Comment is a remark on an issue.
type Comment struct {
	Text string `json:"text"`
}

// Assign sends an issue to a queue or person.
type Assign struct {
	To   string `json:"to" doc:"user:NAME or queue:NAME"`
	Note string `json:"note,omitempty"`
}

// Reopen takes a resolved issue up again.
type Reopen struct {
	Note string `json:"note,omitempty"`
}

// NewUser adds a user.
type NewUser struct {
	Name     string   `json:"name"`
	Title    string   `json:"title,omitempty"`
	Password string   `json:"password,omitempty" doc:"empty: the user can't sign in until one is set"`
	Roles    []string `json:"roles,omitempty"`
	Teams    []string `json:"teams,omitempty"`
}

// UserChange changes a user; nil leaves as it is.
type UserChange struct {
	Title    *string  `json:"title,omitempty"`
	Password *string  `json:"password,omitempty"`
	Grant    []string `json:"grant,omitempty"`  // roles to give
	Revoke   []string `json:"revoke,omitempty"` // roles to take
	Join     []string `json:"join,omitempty"`   // teams
	Leave    []string `json:"leave,omitempty"`
	Disabled *bool    `json:"disabled,omitempty"`
}

// UserView is a user without secrets.
type UserView struct {
	Name     string    `json:"name"`
	Title    string    `json:"title,omitempty"`
	Roles    []string  `json:"roles"`
	Teams    []string  `json:"teams"`
	Disabled bool      `json:"disabled,omitempty"`
	Created  time.Time `json:"created"`
}

// Team is a named group of users.
type Team struct {
	Name  string `json:"name"`
	Title string `json:"title,omitempty"`
}

// NewCode asks for a one-time enrolment code.
type NewCode struct {
	User string `json:"user"`
	Name string `json:"name,omitempty"`
}

// Code is a one-time enrolment code, which is shown once.
type Code struct {
	Code    string    `json:"code"`
	User    string    `json:"user"`
	Expires time.Time `json:"expires"`
}

// DeviceView is a replica as administrators see it.
type DeviceView struct {
	ID          string        `json:"id"`
	User        string        `json:"user"`
	Name        string        `json:"name,omitempty"`
	Enrolled    time.Time     `json:"enrolled"`
	State       string        `json:"state" enum:"active,retiring,blocked,wiping,wiped,revoked"`
	LastContact time.Time     `json:"last_contact,omitzero"`
	Waiting     int           `json:"waiting"` // as it told last
	Oldest      time.Time     `json:"oldest,omitzero" doc:"when the oldest of these was made, by the device's clock"`
	Reported    time.Time     `json:"reported,omitzero" doc:"when it told"`
	Skew        time.Duration `json:"skew" doc:"nanoseconds; device clock minus server clock"`
	Incarnation int64         `json:"incarnation"`
	Next        int64         `json:"next"`
	Behind      int64         `json:"behind"` // sequence numbers behind the head
	Definition  int64         `json:"definition,omitempty"`
	Client      string        `json:"client,omitempty"`
	Blocked     bool          `json:"blocked,omitempty"`
	Revoked     bool          `json:"revoked,omitempty"`
	WipedAt     time.Time     `json:"wiped_at,omitzero" doc:"when it said that it has erased itself"`
	ResyncDue   bool          `json:"resync_due,omitempty" doc:"its next contact begins a full sync"`
}

// Publish asks to check or publish a definition.
type Publish struct {
	Source string `json:"source"`
	File   string `json:"file,omitempty" doc:"name to show in problems"`
	DryRun bool   `json:"dry_run,omitempty" doc:"check only"`
}

// Published is the result of publishing.
type Published struct {
	Version   int64     `json:"version"`
	Unchanged bool      `json:"unchanged,omitempty"`
	Problems  []Problem `json:"problems,omitempty"`
}

// Problem is one thing that is wrong with a definition.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Warning bool   `json:"warning,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Version says what the server is.
type Version struct {
	Version  string `json:"version"`
	Protocol int    `json:"protocol"`
}
