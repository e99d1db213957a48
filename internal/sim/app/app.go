// Package app is the app that a simulated world works with, as plain data. It is
// rendered as a definition for the program under test, and read as it is by the
// checkers, so that both have it from one place and share no code that reads it.
package app

import "slices"

// App is one version of the app.
type App struct {
	Version int64
	Roles   []string
	Queues  []Queue
	Types   []*Type
	Routes  []Route
	Convert []Conversion
}

// Conversion is what one version renamed of a type: old names to new ones.
type Conversion struct {
	To       int64
	Type     string
	Fields   map[string]string
	Statuses map[string]string
	Moves    map[string]string
}

// Queue is a work queue with the roles that work it.
type Queue struct {
	Name    string
	Members []string
}

// Route sends issues of a kind to a queue.
type Route struct {
	Kind  string
	Queue string
}

// Type is a type of records; Initial is empty when it has no lifecycle. One that is
// PartOf another has a reference of that type's name.
type Type struct {
	Name     string
	PartOf   string
	Number   string // prefix of its numbers, from 1; empty: none
	Fields   []*Field
	Initial  string
	Statuses []Status
	Moves    []*Move
	Audience []Key
	Rights   []Right
	Unread   []Unread
	Policy   string // of the status: strict, transitions, legal
	Queue    string // of its issues
}

// The types of fields that the app uses.
const (
	Text      = "text"
	LongText  = "long_text"
	Integer   = "integer"
	Decimal   = "decimal"
	Choice    = "choice"
	Choices   = "choices"
	Reference = "reference"
	User      = "user"
	Team      = "team"
	Datetime  = "datetime"
)

// Field is a field. Positive stands for the check "NAME > 0", Most for "NAME <= N".
type Field struct {
	Name     string
	Type     string
	Conflict string // latest (empty), server, device, add, union, append, review
	Default  string // "me", or the literal text of a choice; empty: none
	To       string // type that a reference leads to
	Choices  []string
	Max      int // characters of a text; 0: the type's own limit
	Required bool
	Unique   bool
	Positive bool
	Most     int64
	Sums     string // TYPE.FIELD of parts: it is computed, their sum
	Where    *Where
	Fill     []Fill
}

// Where is the condition of a reference: its target is not in the status, unless
// the record has nothing in a field.
type Where struct{ Not, Unless string }

// Fill sets a field to one of the target's when the reference is set.
type Fill struct{ Field, From string }

// Status is a status; nobody sets fields of a case in a frozen one.
type Status struct {
	Name   string
	Frozen bool
	Queue  string
}

// Move is a transition. NotOwner stands for when: "record.owner != me"; Stamp
// names a datetime field that it sets to now.
type Move struct {
	Name     string
	From     []string
	To       string
	Roles    []string
	Requires []string
	NotOwner bool
	Stamp    string
}

// Key is an audience key: of a user or team field, of a role, of everybody, or of
// who sees what a reference names.
type Key struct {
	Kind     string // user, team, role, all, via
	Name     string
	Statuses []string // in which it counts; none: always
}

// Right lets a role do something to records. Own stands for the condition
// "record.owner == me". No Fields means all of them.
type Right struct {
	Role   string
	Verb   string // create, update, delete
	Fields []string
	Own    bool
}

// Unread are fields that a role, which has rights of the type, may not read.
type Unread struct {
	Role   string
	Fields []string
}

// Hides reports whether nobody with just these roles may read the field: some role
// may not, and none of theirs that has rights of the type may.
func (t *Type) Hides(roles []string, field string) bool {
	unread := func(role string) bool {
		return slices.ContainsFunc(t.Unread, func(u Unread) bool { return u.Role == role && slices.Contains(u.Fields, field) })
	}
	guarded := false
	for _, u := range t.Unread {
		guarded = guarded || slices.Contains(u.Fields, field)
	}
	return guarded && !slices.ContainsFunc(t.Rights, func(r Right) bool { return slices.Contains(roles, r.Role) && !unread(r.Role) })
}

// Type finds a type; nil for none.
func (a *App) Type(name string) *Type {
	for _, t := range a.Types {
		if t.Name == name {
			return t
		}
	}
	return nil
}

// Seen lists the keys of the audience: of a part, who sees its whole.
func (t *Type) Seen() []Key {
	if t.PartOf != "" {
		return []Key{{Kind: "via", Name: t.PartOf}}
	}
	return t.Audience
}

// Deepest lists the types so that each comes after those through which its records
// are seen.
func (a *App) Deepest() []*Type {
	var out []*Type
	for len(out) < len(a.Types) {
		for _, t := range a.Types {
			if !slices.Contains(out, t) && !slices.ContainsFunc(t.Seen(), func(k Key) bool {
				return k.Kind == "via" && !slices.Contains(out, a.Type(t.Field(k.Name).To))
			}) {
				out = append(out, t)
			}
		}
	}
	return out
}

// Parts lists the types whose records are parts of a type's.
func (a *App) Parts(whole string) []*Type {
	var out []*Type
	for _, t := range a.Types {
		if t.PartOf == whole && whole != "" {
			out = append(out, t)
		}
	}
	return out
}

// Queue finds a queue; nil for none.
func (a *App) Queue(name string) *Queue {
	for i := range a.Queues {
		if a.Queues[i].Name == name {
			return &a.Queues[i]
		}
	}
	return nil
}

// Field finds a field; nil for none.
func (t *Type) Field(name string) *Field {
	for _, f := range t.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Move finds a transition; nil for none.
func (t *Type) Move(name string) *Move {
	for _, m := range t.Moves {
		if m.Name == name {
			return m
		}
	}
	return nil
}

// Status finds a status; nil for none.
func (t *Type) Status(name string) *Status {
	for i := range t.Statuses {
		if t.Statuses[i].Name == name {
			return &t.Statuses[i]
		}
	}
	return nil
}
