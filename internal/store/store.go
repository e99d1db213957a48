// Package store declares what Landfall needs of a database. No rule lives
// here or in a driver: a driver stores what it is given and finds it again.
//
// Every key leads with the workspace. All methods return nil or an empty slice
// where nothing is found, never an error for absence. An error means that the
// database could not do its work; the transaction is then rolled back.
package store

import (
	"context"
	"time"

	"github.com/landfall-sync/landfall"
)

// Store is a database. View runs f on one consistent snapshot. Update runs f
// in the one writing transaction that there is at a time; it is durable (fsync)
// when Update returns nil, and leaves no trace when f or the commit fails.
type Store interface {
	View(ctx context.Context, f func(Reader) error) error
	Update(ctx context.Context, f func(Writer) error) error
	Close() error
}

// Reader reads one consistent state.
type Reader interface {
	Records
	Feed
	Scans
	Items
	Issues
	Accounts
	Definitions
	Audits
}

// Writer reads its own writes.
type Writer interface {
	Reader
	WriteRecords
	WriteItems
	WriteAccounts
	WriteAudit
	WriteSettings
	WriteRetries
}

// Head is where a workspace's sequence stands.
type Head struct {
	Epoch string    // minted when history was lost
	Seq   int64     // last sequence; gapless from 1
	Mark  string    // random mark of the last commit
	Time  time.Time // time of the last commit; never runs backwards
	App   string    // name of the app
	// Definition is the published version; 0 for none.
	Definition int64
	// Key signs checkpoints, so that one of lost history can be told from one
	// that was made up.
	Key string
	// Backups says that backups are made; Covered is the sequence that the last
	// one holds.
	Backups bool
	Covered int64
}

// Kept is the sequence through which devices need not keep what they sent: what
// a backup covers, or, where none is made, all that is committed. What had no
// effect took no place: its receipt tells the place before it, so that what was
// answered at the last place of a backup may be younger than the backup.
func (h *Head) Kept() int64 {
	if h.Backups {
		return h.Covered - 1
	}
	return h.Seq
}

// Records reads records and their history.
type Records interface {
	// Head is nil when the workspace does not exist.
	Head(ws string) (*Head, error)
	// Workspaces lists their names.
	Workspaces() ([]string, error)
	Record(ws, id string) (*landfall.Record, error)
	// Row is a record with who may receive it; nil for none.
	Row(ws, id string) (*Row, error)
	RecordByNumber(ws, number string) (*landfall.Record, error)
	// RecordsByPrefix finds at most limit ids that begin with prefix.
	RecordsByPrefix(ws, prefix string, limit int) ([]string, error)
	// Audience lists the keys that may receive the record now, sorted.
	Audience(ws, id string) ([]string, error)
	// Changes lists a record's changes with Seq > after, in order.
	Changes(ws, id string, after int64) ([]landfall.Change, error)
	// Unique is the id of the record of the type that holds the value, or "".
	Unique(ws, typ, field, value string) (string, error)
	// Referrers lists, by id, records of a type that were linked to target by a
	// field, with id > after.
	Referrers(ws, target, typ, field, after string, limit int) ([]string, error)
	// Counter is the last number given in a series, or 0.
	Counter(ws, series string) (int64, error)
	// Queued lists cases in a queue, newest change first; Assigned those of a user.
	Queued(ws, queue string, p Page) ([]*landfall.Record, error)
	Assigned(ws, user string, p Page) ([]*landfall.Record, error)
}

// Row is a record as it is stored.
type Row struct {
	Record *landfall.Record
	Keys   []string // that may receive it now, sorted
	// Places are where its entries in the feed are that are not at its version:
	// those of keys that it left, and of keys that it was regrouped under.
	Places map[string]int64
}

// Place is where the record's entry under one of its keys is.
func (r *Row) Place(key string) int64 {
	if at, elsewhere := r.Places[key]; elsewhere {
		return at
	}
	return r.Record.Version
}

// Audiences tells who may receive a record of a type, by its id; nobody, if there is
// no such record.
func Audiences(r Records, ws string) func(typ, id string) ([]string, error) {
	return func(typ, id string) ([]string, error) {
		row, err := r.Row(ws, id)
		if row == nil || row.Record.Type != typ {
			return nil, err
		}
		return row.Keys, err
	}
}

// Page asks for at most Limit rows after the row whose cursor is After. The
// cursor of a row is what the method's comment says, else its id. Limit must be positive.
type Page struct {
	After string
	Limit int
	// Oldest asks for the oldest first, where a method searches.
	Oldest bool
}

// Entry says that a record under an audience key changed, or left the key. Its
// Seq is the record's version, or a later place at which the record was regrouped.
type Entry struct {
	Seq  int64
	Type string
	ID   string
	Gone bool // no longer under this key
	// Record is the record as devices get it, in JSON, without Edits; empty when
	// it is gone or deleted.
	Record []byte
}

// GrantRow is one span in which a user held an audience key.
type GrantRow struct {
	User string
	Key  string
	From int64 // sequence of the grant
	To   int64 // sequence of the loss; 0 while held
}

// Spot is a position in the feed of a key: behind the entry of ID at Seq. The
// zero Spot is its beginning.
type Spot struct {
	Seq int64
	ID  string
}

// Behind is the position behind all entries up to a place.
func Behind(seq int64) Spot { return Spot{Seq: seq + 1} }

// Feed reads who may receive what, by index.
type Feed interface {
	// Feed lists the entries under key that come after a position and have
	// Seq <= upto, in order of (Seq, ID). There is one entry a record and key: the
	// latest. At one place there may be many, since a publication has one.
	Feed(ws, key string, after Spot, upto int64, limit int) ([]Entry, error)
	// Keyed lists ids of records of a type under key (not gone), by id
	// descending (newest first), with id < before when before is not empty.
	Keyed(ws, key, typ, before string, limit int) ([]string, error)
	// Grants lists all spans of a user, by From.
	Grants(ws, user string) ([]GrantRow, error)
	// Mark is the mark of the commit that holds seq, or "" when there is none.
	Mark(ws string, seq int64) (string, error)
}

// ItemState is the state of an inbox item.
type ItemState string

// The inbox states.
const (
	Queued     ItemState = "queued"
	InProgress ItemState = "in-progress"
	Completed  ItemState = "completed"
	WithErrors ItemState = "completed-with-errors"
	Withdrawn  ItemState = "withdrawn"
)

// Push is one captured push that is not judged yet: the body as received.
type Push struct {
	ID       int64 // given by the store, ascending
	Replica  string
	By       string // the administrator who landed it; "" when the device sent it
	Received time.Time
	Body     []byte
	// Tried counts the servers that died after they began to judge it. From
	// the second on its mutations are judged one by one: Trying is the number of
	// the one that was under way, Tries how often that one was.
	Tried  int
	Trying int64
	Tries  int
}

// Item is one mutation in the inbox: a background action.
type Item struct {
	Key        landfall.Key
	User       string // author
	Hash       string // of Bytes as first stored, hex SHA-256
	Bytes      []byte // the mutation as sent
	State      ItemState
	Type       string // of the record, as far as it can be read
	Record     string
	Op         landfall.Op
	ReceivedAt time.Time
	EditedAt   time.Time // when the edit was made, by the clock-proof rule
	// Unbased: its base is of a history that the server lost.
	Unbased bool
	Receipt landfall.Receipt
	// Holder is the open issue that the item belongs to or waits in; "" when free.
	Holder string
	// Refs are the records that the mutation touches or refers to, for lanes.
	Refs []string
	// Mentions are records that the mutation of a held item refers to: when one of
	// them changes, it may pass.
	Mentions []string
	// Outcome is set when an issued item is settled.
	Outcome *landfall.Outcome
	// Took: what was sent took effect once, whatever was decided since.
	Took    bool
	History []ItemEvent
	// Cleaned is set when Bytes, History and the receipt's messages were removed.
	Cleaned *Cleaned
}

// ItemEvent is one step in an item's history.
type ItemEvent struct {
	At    time.Time `json:"at"`
	State ItemState `json:"state"`
	By    string    `json:"by,omitempty"`
	Text  string    `json:"text,omitempty"`
	// Issue has what it was repaired to.
	Issue string `json:"issue,omitempty"`
}

// ItemFilter narrows a list of items. Empty fields do not narrow.
type ItemFilter struct {
	State   ItemState
	Kind    landfall.Kind
	User    string
	Replica string
	Type    string
	Record  string
	Op      landfall.Op
	Since   time.Time // received at or after
	Until   time.Time // received before
	// Text is part of what the reader is shown of the item, in whatever case.
	Text string
}

// Items reads the inbox.
type Items interface {
	// Pushes lists captured pushes that are not judged, in order of ID > after.
	Pushes(ws string, after int64, limit int) ([]Push, error)
	Item(ws string, k landfall.Key) (*Item, error)
	// Items lists what arrived last first, of one replica by incarnation and
	// number; the cursor of a row is Key.String().
	Items(ws string, f ItemFilter, p Page) ([]*Item, error)
	// Held lists the items that issue holds, in order of (incarnation, n).
	Held(ws, issue string) ([]*Item, error)
	// Laned reports whether open issues hold any item of the replica.
	Laned(ws, replica string) (bool, error)
	// Lane lists the items of a replica on a record that open issues hold, in order.
	Lane(ws, replica, record string) ([]*Item, error)
	// Outcomes lists a replica's settled items with after < Outcome.Seq <= upto, in order.
	Outcomes(ws, replica string, after, upto int64, limit int) ([]landfall.Outcome, error)
	Monitor
}

// IssueRow is an issue with what not everybody who sees it may see.
type IssueRow struct {
	Issue landfall.Issue
	// Sent are the refused mutations as sent: one, or the members of a group.
	Sent [][]byte
	Hash string // of the first
	// Then is the record as the refusal found it; nil when there was none.
	Then *landfall.Record
	// Base is the record as the author saw it, as far as the server knows it.
	Base *landfall.Record
	Tries
	// Repairs are what people put in the place of what was sent; that stays.
	Repairs []Repair `json:",omitempty"`
}

// IssueFilter narrows a list of issues. Empty fields do not narrow.
type IssueFilter struct {
	State  string // open, claimed, resolved; "unresolved" for open and claimed
	Kind   landfall.Kind
	Queue  string
	User   string // author
	Device string
	Type   string
	Record string
	Cause  string
	Since  time.Time // received at or after
}

// Issues reads issues.
type Issues interface {
	Issue(ws, id string) (*IssueRow, error)
	IssueByNumber(ws string, number int64) (*IssueRow, error)
	// Issues lists newest first; the cursor of a row is its number.
	Issues(ws string, f IssueFilter, p Page) ([]*IssueRow, error)
	Retries
}

// User is an account.
type User struct {
	Name     string
	Title    string
	Password string // argon2id, encoded; empty: can't sign in
	Roles    []string
	Teams    []string
	Disabled bool
	Created  time.Time
}

// Actor is the user with what they hold.
func (u *User) Actor() landfall.Actor {
	return landfall.Actor{User: u.Name, Roles: u.Roles, Teams: u.Teams, Disabled: u.Disabled}
}

// Team is a named group of users.
type Team struct {
	Name  string
	Title string
}

// Session is a signed-in person.
type Session struct {
	Token   string // hash
	User    string
	Created time.Time
	Expires time.Time
}

// Replica is one installation of a client: a device on screens.
type Replica struct {
	ID          string
	User        string
	Name        string
	Credential  string    // hash; empty: there is none
	Incarnation int64     // current
	Next        int64     // number expected next in it
	LastHash    string    // of number Next-1 in it; "" when Next is 1
	LastEdit    time.Time // when number Next-1 was edited
	Closed      int64     // incarnations up to this one are closed by a fork
	Blocked     bool
	Enrolled    time.Time
	LastContact time.Time
	LastPush    time.Time
	LastPull    time.Time
	Checkpoint  int64         // last sequence that it acknowledged by pulling from there
	Skew        time.Duration // device clock minus server clock at its last push
	Waiting     int           // outbox size as it reported
	Client      string        // version of its client
	Definition  int64         // version that it knew at its last push

	Void     bool      `json:",omitempty"` // Credential lets it hand in, and nothing more
	Retiring bool      `json:",omitempty"` // it is blocked once it has delivered all
	Wiping   bool      `json:",omitempty"` // it is to erase itself
	WipedAt  time.Time `json:",omitzero"`  // when it said that it did
	Emptied  int64     `json:",omitempty"` // the last incarnation that it left by coming back empty
	// Resync is the number of the full sync that was asked of it alone; Resynced
	// that of the last one that it began.
	Resync   int64           `json:",omitempty"`
	Resynced int64           `json:",omitempty"`
	Oldest   time.Time       `json:",omitzero"`  // when the oldest change in its outbox was made, by its clock
	Reported time.Time       `json:",omitzero"`  // when it told of its outbox
	Told     time.Time       `json:",omitzero"`  // the same by its clock
	Made     int64           `json:",omitempty"` // the last number that it gave in the incarnation MadeIn, as it reported
	MadeIn   int64           `json:",omitempty"` // Incarnation, or a later one of which nothing came yet
	Past     []Past          `json:",omitempty"` // incarnations before
	Lost     map[int64]int64 `json:",omitempty"` // numbers lost, by incarnation
	Forked   int64           `json:",omitempty"` // mutations of other histories that are kept
	Mishaps  []Mishap        `json:",omitempty"` // the last ones found
}

// Code is a one-time code for enrolment.
type Code struct {
	Hash    string
	User    string
	Name    string // of the device
	Expires time.Time
}

// Accounts reads users, teams, sessions and devices.
type Accounts interface {
	User(ws, name string) (*User, error)
	Users(ws string, p Page) ([]*User, error) // by name; the cursor is the name
	Teams(ws string) ([]Team, error)
	// Session and Code look up by hash, over all workspaces.
	Session(hash string) (ws string, s *Session, err error)
	Code(hash string) (ws string, c *Code, err error)
	Devices
}

// DefinitionRow is one published version.
type DefinitionRow struct {
	Version int64
	Seq     int64 // its place in the sequence
	Source  []byte
	By      string
	At      time.Time
	// Sealed are fields, by type, that are for nobody (definition.App).
	Sealed map[string][]string `json:",omitempty"`
}

// Definitions reads published definitions, and the settings beside them.
type Definitions interface {
	Definition(ws string, version int64) (*DefinitionRow, error)
	Settings
}

// WriteRecords writes records, history and the sequence.
type WriteRecords interface {
	CreateWorkspace(ws string, h Head) error
	// SetHead moves the head. With a higher Seq than before it records the
	// commit: (old Seq, new Seq] has the mark.
	SetHead(ws string, h Head) error
	// PutRecord stores the record, makes its audience exactly keys, and enters
	// it in the feed at r.Version under each; keys that it leaves get a Gone
	// entry at r.Version. A deleted record is stored with no keys.
	PutRecord(ws string, r *landfall.Record, keys []string) error
	// PutRow is PutRecord by somebody who has read what it replaces: nil for none.
	PutRow(ws string, old *Row, r *landfall.Record, keys []string) error
	// Regroup makes the record's audience exactly keys as of seq, without a new
	// version of it: it is entered in the feed at seq under each key that is new
	// to it, and keys that it leaves get a Gone entry there. Under keys that it
	// keeps nothing happens.
	Regroup(ws, id string, keys []string, seq int64) error
	AddChange(ws string, c *landfall.Change) error
	// SetUnique makes the record hold exactly these values (field → value).
	SetUnique(ws, typ, id string, values map[string]string) error
	// SetLinks makes these the record's links.
	SetLinks(ws, typ, id string, links []landfall.Link) error
	SetCounter(ws, series string, n int64) error
	PutIssue(ws string, i *IssueRow) error
	PutGrant(ws string, g GrantRow) error // by user, key and From
	PutDefinition(ws string, d *DefinitionRow) error
}

// WriteItems writes the inbox.
type WriteItems interface {
	AddPush(ws string, p *Push) error // sets p.ID
	// MarkPush keeps Tried, Trying and Tries of a push that is stored.
	MarkPush(ws string, p *Push) error
	DeletePush(ws string, id int64) error
	PutItem(ws string, i *Item) error
	// AddItem is PutItem for one whose key is not there yet; it fails when it is.
	AddItem(ws string, i *Item) error
}

// WriteAccounts writes users, teams, sessions and devices.
type WriteAccounts interface {
	PutUser(ws string, u *User) error
	PutTeam(ws string, t Team) error
	PutSession(ws string, s *Session) error
	DeleteSession(hash string) error
	PutCode(ws string, c *Code) error
	DeleteCode(hash string) error
	PutReplica(ws string, r *Replica) error
}
