// Package oracle says what the rules of rights and lifecycles demand of a
// change: once more, slowly, and in the order in which the rules are written
// down. It reads an app as plain data and shares no function with the packages
// that read definitions and judge changes, so that tests can hold one against
// the other. It imports nothing of the module, and tests alone import it.
package oracle

// App is an app as plain data. YAML writes it as a definition.
type App struct {
	Roles  []string
	Queues []string // all worked by the first role
	Types  []*Type
}

// Type is a type of records. Its records have numbers, from 1 on, when it has a
// prefix for them. It has a lifecycle when it has statuses; the first
// status is the initial one.
type Type struct {
	Name     string
	Number   string
	Fields   []*Field
	Statuses []Status
	Moves    []*Move
	Policy   string // strict (also when empty), transitions or legal
	Audience []Key
	Rights   []*Right
}

// Field is a field. Kind is the name of its type in the definition language.
type Field struct {
	Name       string
	Kind       string
	Required   bool
	RequiredIn []string // statuses
	Max        int      // characters of a text, members of choices; 0: no limit of its own
	Unique     bool
	Choices    []string
	To         string // type that a reference leads to
	Merge      string // latest when empty
	// Above is what a number must be greater than: a number as it is written, or
	// the name of another field; empty for no check.
	Above string
}

// Status is a status of a lifecycle. Cases wait in its queue, or with the user
// in the field that is its worklist.
type Status struct {
	Name     string
	Queue    string
	Worklist string
	Frozen   bool
	Resolved bool
}

// Move is a transition.
type Move struct {
	Name     string
	From     []string
	To       string
	Roles    []string
	Requires []string
	When     *Cond
	Set      []Put
}

// Put sets a field when a transition is made: to a value as JSON, or to the
// name of who makes it when Value is "me".
type Put struct{ Field, Value string }

// Key is a key of an audience: all, role, user or team, and the role or field.
// It counts in Statuses only, when there are any.
type Key struct {
	Kind, Name string
	Statuses   []string
}

// Right allows a role to create, update or delete: Fields (nil: all), when When
// holds (nil: always). A role has at most one right of each verb.
type Right struct {
	Role, Verb string
	Fields     []string
	When       *Cond
}

// Cond is a condition. Op is one of
//
//	mine    FIELD is me
//	above   FIELD > Value, a number as it is written
//	is      FIELD == Value, a text
//	flag    FIELD itself, a boolean
//	status  record.status == Value
//	was     was.status == Value
//	role    has_role(Value)
//	team    in_team(Value)
//	not, and, or  of Of
type Cond struct {
	Op, Field, Value string
	Of               []*Cond
}

// Type is the type of the name, or nil.
func (a *App) Type(name string) *Type {
	for _, t := range a.Types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Field is the field of the name, or nil.
func (t *Type) Field(name string) *Field {
	for _, f := range t.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Status is the status of the name, or nil.
func (t *Type) Status(name string) *Status {
	for i := range t.Statuses {
		if t.Statuses[i].Name == name {
			return &t.Statuses[i]
		}
	}
	return nil
}

// Move is the transition of the name, or nil.
func (t *Type) Move(name string) *Move {
	for _, m := range t.Moves {
		if m.Name == name {
			return m
		}
	}
	return nil
}
