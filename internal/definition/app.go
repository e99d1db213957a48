// Package definition reads, checks and compiles an app definition: the YAML
// file that describes an app's types, lifecycles, rights, queues and rules.
// A compiled App is immutable and safe for concurrent use.
package definition

import "github.com/landfall-sync/landfall"

// FieldType names one of the language's field types.
type FieldType string

// The field types.
const (
	Text       FieldType = "text"
	LongText   FieldType = "long_text"
	Integer    FieldType = "integer"
	Decimal    FieldType = "decimal" // exact; carried as a string
	Boolean    FieldType = "boolean"
	Date       FieldType = "date"     // "2006-01-02"
	Time       FieldType = "time"     // "15:04:05"
	DateTime   FieldType = "datetime" // RFC 3339, UTC
	Duration   FieldType = "duration" // as Go and CEL write it: "72h0m0s"
	ChoiceOne  FieldType = "choice"
	ChoiceMany FieldType = "choices"    // sorted set
	Reference  FieldType = "reference"  // id of a record of type To
	References FieldType = "references" // sorted set of such ids
	UserRef    FieldType = "user"
	TeamRef    FieldType = "team"
	JSON       FieldType = "json"
	// Location is {"lat": -90 to 90, "lon": -180 to 180, "accuracy": metres (optional)}, in WGS 84.
	Location FieldType = "location"
	// Attachment names a file: {"hash": hex SHA-256, "name": text, "size": bytes, "type": media type}.
	Attachment  FieldType = "attachment"
	Attachments FieldType = "attachments" // list of such, in the order of their hashes
	Signature   FieldType = "signature"   // an attachment that is an image
)

// Policy says how two edits of one field are merged.
type Policy string

// The merge policies.
const (
	Latest Policy = "latest"
	Server Policy = "server"
	Device Policy = "device"
	Add    Policy = "add"
	Union  Policy = "union"
	Append Policy = "append"
	Review Policy = "review"
)

// StatusPolicy says which mutations conflict with a status that moved.
type StatusPolicy string

// The status policies.
const (
	Strict      StatusPolicy = "strict"      // any mutation
	Transitions StatusPolicy = "transitions" // transitions only
	Legal       StatusPolicy = "legal"       // transitions that can't be made from the current status
)

// App is a compiled definition.
type App struct {
	Name    string
	Title   string
	Version int64  // 0 until published
	Source  []byte // the YAML as published
	Mobile  Mobile
	Roles   []string          // declared roles, in order; administrator is built in and not listed
	Queues  map[string]*Queue // declared queues; the fallback queue is built in and not listed
	Types   map[string]*Type
	Order   []string // names of the types in the order of the file
	Routes  []Route  // issues.routes, in order
	// Languages are those that titles and messages are written in; the App has the
	// texts of the first, the Source those of all.
	Languages []string
	// Convert has the conversions from older versions, by To ascending.
	Convert []Conversion
	// Sealed are fields, by type, that an earlier version kept from some role and
	// that the app does not have any more: what is stored there is for nobody. It
	// is not in the Source, but comes with what was published before.
	Sealed map[string][]string
}

// Conversion says what was renamed in version To. Old names lead to new ones; what
// was made under an older version is read with them.
type Conversion struct {
	To          int64
	Seq         int64 // where To was published; 0 until it is
	Type        string
	Rename      map[string]string // fields
	Statuses    map[string]string
	Transitions map[string]string
}

// Mobile is what the definition says about devices.
type Mobile struct {
	Mode               string // "online" or "offline"
	SyncEvery          string // Go duration, or "manual"
	RequestAccessEmail string
	// Recent is how many records of each section a device keeps for when the network
	// is lost in online mode; 0: none, nothing can be edited then.
	Recent int
	// Sections are the lists of the field app, in order; none: one for each type.
	Sections []Section
	Carry    []Carry // what devices hold of what their user may see, in order
}

// Section is a list in the field app: a hint for clients.
type Section struct {
	Type  string
	Title string
	Roles []string // who has it; none: everybody
	Where *Expr    // nil: every record that the user may see
	Sort  []string // fields
	Show  []string // fields
}

// Carry bounds what devices hold of a type: a hint for clients.
type Carry struct {
	Type     string
	Statuses []string // none: all
	Days     int      // changed within so many days; 0: whenever
}

// Schedule makes records of a type appointments: a hint for clients.
type Schedule struct {
	Starts, Ends, Who string // fields; Ends and Who may be empty
	Days              int    // how far ahead it is shown
}

// FormPart is a part of a form: a hint for clients.
type FormPart struct {
	Title  string
	Fields []string
	Roles  []string // who sees it; none: everybody
}

// Queue is a work queue.
type Queue struct {
	Name    string
	Title   string
	Members []string // roles
	Due     string   // Go duration; empty for none
	// Escalate names the queue that overdue cases go to.
	Escalate string
}

// Members are the roles whose holders work a queue. A queue that the definition
// does not declare, the fallback one above all, is the administrators'. The app
// may be nil.
func (a *App) Members(queue string) []string {
	if a != nil && a.Queues[queue] != nil {
		return a.Queues[queue].Members
	}
	return []string{landfall.Administrator}
}

// Route sends issues for which When holds to Queue.
type Route struct {
	When  *Expr
	Queue string
}

// Type describes records of one type.
type Type struct {
	Name      string
	Title     string
	Number    *Number // nil: records have no number
	Label     *Expr   // nil: the id
	Fields    map[string]*Field
	Order     []string // field names in the order of the file
	Lifecycle *Lifecycle
	Audience  []AudienceKey
	Rights    map[string]*Right // by role
	Status    StatusPolicy
	Queue     string // queue for the type's issues; empty for none
	// PartOf is the type whose records these are parts of; empty for none. The field
	// of that name is the reference to it: required, and never changed.
	PartOf string
	Parts  []string // types that are parts of this one, in the order of the file
	// Schedule and Form are hints for clients; nil and none where nothing is said.
	Schedule *Schedule
	Form     []FormPart

	// What follows from the rest, worked out once.
	Linked    []string   // references that the audience goes by
	Followers []Follower // what is seen through records of this type
	Depth     int        // the longest way to see a record via others: 0 without any
	Computes  []string   // computed fields, each after those that it looks at
	Narrowed  []string   // references with a condition, in the order of the file
	Filling   []string   // references that fill other fields
}

// MaxParts is how many parts of one type a record may have.
const MaxParts = 500

// Number describes a record number such as EXP-1042.
type Number struct {
	Prefix string
	From   int64
}

// Field describes one field.
type Field struct {
	Name     string
	Title    string
	Type     FieldType
	Required bool     // in every status
	Statuses []string // required in these statuses
	Max      int      // characters for texts, members for sets; 0 for the default limit
	Check    *Expr    // runs when the field has a value
	Message  string   // what to say when Check fails
	Policy   Policy
	Choices  []Choice
	Default  string // canonical JSON, or "me", "now", "today"; see DefaultKind
	// DefaultKind tells how to read Default.
	DefaultKind DefaultKind
	To          string // referenced type
	Unique      bool
	Computed    *Expr // worked out by the server when the record or a part of it changes
	// Where narrows what a reference may name; it sees the record and the target.
	Where *Expr
	// Fill sets other fields when the reference is set, and they are not set with it.
	Fill    []SetExpr
	MaxSize int64    // bytes of a file; 0 for the default limit
	Accept  []string // media types of a file, image/* for all images; none: all
}

// DefaultKind tells how to read a field's default.
type DefaultKind int

// The kinds of default.
const (
	NoDefault DefaultKind = iota
	LiteralDefault
	MeDefault
	NowDefault
	TodayDefault
)

// Choice is one value of a choice field.
type Choice struct{ Value, Title string }

// Lifecycle is the graph of statuses and transitions.
type Lifecycle struct {
	Initial     string
	Statuses    map[string]*Status
	Order       []string // statuses in the order of the file
	Transitions map[string]*Transition
	Moves       []string // transitions in the order of the file
}

// Status is where a case can stand.
type Status struct {
	Name     string
	Title    string
	Queue    string // cases in this status wait in this queue
	Worklist string // or with the user in this field
	Resolved bool
	Frozen   bool // nobody sets fields
}

// Transition is a named allowed move.
type Transition struct {
	Name     string
	Title    string
	From     []string
	To       string
	Roles    []string
	Requires []string // fields that must be set
	When     *Expr    // nil: always
	Set      []SetExpr
}

// SetExpr sets a field: when a transition is made, or a reference filled in.
type SetExpr struct {
	Field string
	Value *Expr
}

// AudienceKind is what an audience key names.
type AudienceKind string

// The audience kinds. User and Team name a field; Role names a role; Via names a
// reference: who may see the record that it refers to may see this one.
const (
	AudienceVia  AudienceKind = "via"
	AudienceAll  AudienceKind = "all"
	AudienceRole AudienceKind = "role"
	AudienceUser AudienceKind = "user"
	AudienceTeam AudienceKind = "team"
)

// AudienceKey lets holders receive a record, in Statuses only when there are any.
type AudienceKey struct {
	Kind     AudienceKind
	Name     string
	Statuses []string
}

// Right is what a role may do to records of a type; nil grants are denied.
// Condition of Create runs on the new record, the others' on the current one.
type Right struct {
	Create *Grant
	Update *Grant
	Delete *Grant
	// Unread are the fields that the role may not read, in the type's order; none:
	// it reads all.
	Unread []string
}

// Grant allows an operation on Fields (nil: every field) when When holds (nil: always).
type Grant struct {
	Fields []string
	When   *Expr
}
