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
}

// Mobile is what the definition says about devices.
type Mobile struct {
	Mode               string // "online" or "offline"
	SyncEvery          string // Go duration, or "manual"
	RequestAccessEmail string
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
}

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

// SetExpr sets a field when a transition is made.
type SetExpr struct {
	Field string
	Value *Expr
}

// AudienceKind is what an audience key names.
type AudienceKind string

// The audience kinds. User and Team name a field; Role names a role.
const (
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
}

// Grant allows an operation on Fields (nil: every field) when When holds (nil: always).
type Grant struct {
	Fields []string
	When   *Expr
}
