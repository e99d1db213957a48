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
	// SearchedTo is there with Next where a page is searched for.
	SearchedTo time.Time `json:"searched_to,omitzero" doc:"How far a search came: the page may be short, even empty, and next goes on from there"`
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
	// Names are the labels of the records that it refers to, by id, where one record
	// is shown: of those that the caller may see.
	Names map[string]string `json:"names,omitempty"`
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

// ItemView is an inbox item. Mutation is there only for who may see it: its author,
// or a member of the record's audience, who gets the fields that they may read.
// Sent and its hash are there only for who may read every field of the type, and
// until they are cleaned.
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
	Hidden     bool               `json:"hidden,omitempty"` // parameters exist, but not, or not all, for the caller
	// Kind is what it was refused for the last time; Number is the record's, for
	// who may see the record.
	Kind   landfall.Kind `json:"kind,omitempty"`
	Number string        `json:"number,omitempty"`
	Issue  *ItemIssue    `json:"issue,omitempty"`
	// CleanedAt is when its parameters and log were removed, EndedAt when such an
	// item was completed.
	CleanedAt *time.Time   `json:"cleaned_at,omitempty"`
	EndedAt   *time.Time   `json:"ended_at,omitempty"`
	Repairs   []RepairView `json:"repairs,omitempty"`
}

// ItemIssue is the issue that an item belongs to, or waits in.
type ItemIssue struct {
	ID     string `json:"id"`
	Number int64  `json:"number"`
	State  string `json:"state"`
	Waits  bool   `json:"waits,omitempty"` // behind what was refused
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
	// Names are the labels of the records that the fields refer to, by id: of those
	// that the caller may see.
	Names map[string]string `json:"names,omitempty"`
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
	// Repairs are what was put in the place of what was sent, oldest first.
	Repairs []RepairView `json:"repairs,omitempty"`
	// Tried are the last tries that the server made by itself, and NextTry is when
	// it makes the next one.
	Tried   []Try      `json:"tried,omitempty"`
	NextTry *time.Time `json:"next_try,omitempty"`
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
	Issues []string `json:"issues,omitempty" maxItems:"1000"`
	Cause  string   `json:"cause,omitempty"`
	All    bool     `json:"all,omitempty"`
	DryRun bool     `json:"dry_run,omitempty" doc:"tell what would happen to each, as everything is now, and change nothing"`
	// After goes on where an answer ended: with its next, and the same selection.
	After string `json:"after,omitempty" doc:"next of the answer before"`
}

// Retries are the results of one call: those of a bounded number of issues.
type Retries struct {
	Items []Retried `json:"items"`
	Next  string    `json:"next,omitempty" doc:"goes back as after; empty at the end"`
	// Total is how many issues the selection held when it began: in the first answer.
	Total int `json:"total,omitempty"`
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

// Repair edits the parameters of a refused change and has it judged again, as its
// author.
type Repair struct {
	Set        landfall.Fields `json:"set,omitempty" doc:"edited values; null clears"`
	Drop       []string        `json:"drop,omitempty" doc:"fields that are left out"`
	Transition string          `json:"transition,omitempty" doc:"another transition than was sent"`
	// Type, Record and Op say what a change was about that can't be read.
	Type   string      `json:"type,omitempty" doc:"only of a change that can't be read"`
	Record string      `json:"record,omitempty" doc:"its id; only of a change that can't be read"`
	Op     landfall.Op `json:"op,omitempty" doc:"only of a change that can't be read"`
	// N is the number of the change, where the issue holds more than one; 0: the
	// one that was refused.
	N       int64  `json:"n,omitempty"`
	Version int64  `json:"version,omitempty" doc:"of the issue, as it was seen; 0: whatever it is"`
	Note    string `json:"note,omitempty"`
	DryRun  bool   `json:"dry_run,omitempty"`
}

// Repaired is what a repair did, or, dry, would do.
type Repaired struct {
	Issue      IssueView           `json:"issue"`
	DryRun     bool                `json:"dry_run,omitempty"`
	Settlement landfall.Settlement `json:"settlement,omitempty"`
	Fields     []string            `json:"fields"` // that were edited; (transition), (type), … for other parts
	Record     *landfall.Record    `json:"record,omitempty"`
	Released   []Released          `json:"released,omitempty"`
}

// RepairView is a repair, beside what was sent.
type RepairView struct {
	By     string          `json:"by"`
	At     time.Time       `json:"at"`
	Note   string          `json:"note,omitempty"`
	N      int64           `json:"n"`
	Fields []RepairedField `json:"fields"`
	// Mutation is the repaired one, for who may see every field of it.
	Mutation *landfall.Mutation `json:"mutation,omitempty"`
}

// RepairedField is one part of a repair: as it was sent, and as it is now. The
// values are there for who may see every field of both.
type RepairedField struct {
	Field    string         `json:"field"`
	Sent     landfall.Value `json:"sent,omitempty"`
	Repaired landfall.Value `json:"repaired,omitempty"`
}

// Try is one try of an issue that the server made by itself, in vain.
type Try struct {
	At   time.Time     `json:"at"`
	Why  string        `json:"why,omitempty"`
	Kind landfall.Kind `json:"kind"`
}

// Cause is a group of issues of one origin.
type Cause struct {
	Cause      string        `json:"cause"`
	Title      string        `json:"title"`         // in the titles of the definition
	Fix        string        `json:"fix,omitempty"` // what to do about it
	Kind       landfall.Kind `json:"kind"`
	Type       string        `json:"type,omitempty"`
	Transition string        `json:"transition,omitempty"`
	Field      string        `json:"field,omitempty"`
	Count      int           `json:"count"`
	Users      []string      `json:"users" doc:"the first names, of user_count"`
	UserCount  int           `json:"user_count"`
	Devices    int           `json:"devices" doc:"how many devices it comes from"`
	FirstSeen  time.Time     `json:"first_seen"`
	LastSeen   time.Time     `json:"last_seen"`
	// Messages are those of the newest issue.
	Messages []landfall.Message `json:"messages"`
	Examples []Example          `json:"examples"`
}

// Example is one of the issues of a cause.
type Example struct {
	ID           string `json:"id"`
	Number       int64  `json:"number"`
	Author       string `json:"author"`
	RecordNumber string `json:"record_number,omitempty"` // only when the caller may see the record
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
