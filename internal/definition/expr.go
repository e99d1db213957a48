package definition

import (
	"errors"
	"time"

	"github.com/landfall-sync/landfall"
)

// Vars is what an expression may look at.
type Vars struct {
	Type   *Type            // of Record
	Record *landfall.Record // current (or merged) record
	Was    *landfall.Record // before the mutation; nil where there is none
	Actor  *landfall.Actor  // me, has_role, in_team
	Now    time.Time        // now, today
	Issue  *landfall.Issue  // in routes only
}

// Expr is a compiled expression, type-checked and with a cost limit.
type Expr struct {
	text string
}

// String is the expression as written.
func (e *Expr) String() string { return e.text }

// Bool evaluates a condition. A value that is missing where one is needed makes
// it false, not an error; an error means that it ran over its cost limit or failed.
func (e *Expr) Bool(v *Vars) (bool, error) { return false, errors.New("definition: unfinished") }

// Value evaluates to a canonical value of the field.
func (e *Expr) Value(v *Vars, f *Field) (landfall.Value, error) {
	return nil, errors.New("definition: unfinished")
}

// Text evaluates to text for people, such as a label.
func (e *Expr) Text(v *Vars) (string, error) { return "", errors.New("definition: unfinished") }

// Canonical checks a value against the field's type and limits and returns its
// canonical form. Null is canonical for every type. The error is a
// *landfall.Message: it names the field and what was expected, never the value.
func (f *Field) Canonical(v landfall.Value) (landfall.Value, *landfall.Message) { return v, nil }

// Problem is one thing that is wrong with a definition.
type Problem struct {
	File         string
	Line, Column int
	Warning      bool
	Message      string
	Hint         string
}

// Compile reads, checks and compiles a definition. It reports every problem at
// once, in order of place; the App is nil when one of them is an error.
func Compile(file string, src []byte) (*App, []Problem) { return nil, nil }

// Nearest is the candidate that is spelled most like name, or "" when none is close.
func Nearest(name string, candidates []string) string { return "" }
