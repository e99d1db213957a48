package definition

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/interpreter"

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
	// Target is what a reference names, in where and fill.
	Target     *landfall.Record
	TargetType *Type
	// Parts are the record's parts by type, as Expr.Parts names them; deleted ones
	// are not among them.
	Parts []Parts
}

// Parts are the parts of one type that a record has, in the order of their ids.
type Parts struct {
	Type    *Type
	Records []*landfall.Record
}

// Expr is a compiled expression, type-checked and with a cost limit. It is safe
// for concurrent use.
type Expr struct {
	text  string
	prog  cel.Program
	reads read
}

// read is what an expression looks at.
type read struct {
	fields []string // of the record, by whatever name; sorted
	parts  []string // types of parts; sorted
	moving []string // now, today, me and the like: what changes while the record stays
	always bool     // it looks at nothing, and is the same always
}

// Fields are the fields of the record that the expression looks at, sorted; the
// fields of the target and of parts are not among them.
func (e *Expr) Fields() []string { return e.reads.fields }

// Parts are the types of parts that the expression looks at, sorted.
func (e *Expr) Parts() []string { return e.reads.parts }

// maxExpr is how long an expression may be, in bytes.
const maxExpr = 2_000

// String is the expression as written.
func (e *Expr) String() string { return e.text }

var errCost = errors.New("the expression ran over its cost limit")

// Bool evaluates a condition. A value that is missing where one is needed makes
// it false, not an error; an error means that it ran over its cost limit.
func (e *Expr) Bool(v *Vars) (bool, error) {
	out, err := e.eval(v)
	if err != nil || out == nil {
		return false, err
	}
	b, ok := out.Value().(bool)
	return ok && b, nil
}

// Value evaluates to a canonical value of the field; null when a value that it
// needs is missing.
func (e *Expr) Value(v *Vars, f *Field) (landfall.Value, error) {
	out, err := e.eval(v)
	if err != nil || out == nil {
		return landfall.Null, err
	}
	raw, err := toJSON(out, f.Type)
	if err != nil {
		return nil, err
	}
	c, msg := f.Canonical(raw)
	if msg != nil {
		return nil, errors.New(msg.Text)
	}
	return c, nil
}

// Text evaluates to text for people, such as a label; "" when a value is missing.
func (e *Expr) Text(v *Vars) (string, error) {
	out, err := e.eval(v)
	if err != nil || out == nil {
		return "", err
	}
	if s, ok := out.Value().(string); ok {
		return s, nil
	}
	if s, ok := out.ConvertToType(types.StringType).Value().(string); ok {
		return s, nil
	}
	return "", nil
}

// eval is nil where a value was missing.
func (e *Expr) eval(v *Vars) (ref.Val, error) {
	out, _, err := e.prog.Eval(&activation{v: v, made: map[string]any{}})
	if err != nil {
		var stopped interpreter.EvalCancelledError // not by its text: that can hold the name of a field
		if errors.As(err, &stopped) {
			return nil, errCost
		}
		return nil, nil // CEL's "no such overload": null met an operator
	}
	if types.IsUnknownOrError(out) || out == types.NullValue {
		return nil, nil
	}
	return out, nil
}

func toJSON(v ref.Val, t FieldType) (landfall.Value, error) {
	switch x := v.Value().(type) {
	case time.Time:
		if t == Date {
			return quote(x.UTC().Format(time.DateOnly)), nil
		}
		return quote(x.UTC().Format(time.RFC3339Nano)), nil
	case time.Duration:
		return quote(x.String()), nil
	case string:
		return quote(x), nil
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return landfall.Null, nil
		}
		// Doubles are exact to 15 digits: 0.1 + 0.2 is 0.3.
		return landfall.Value(strconv.FormatFloat(x, 'g', 15, 64)), nil
	case bool, int64:
		return encode(x), nil
	}
	if _, list := v.(traits.Lister); !list {
		return nil, fmt.Errorf("no field has a value of the type %s", v.Type().TypeName())
	}
	native, err := v.ConvertToNative(stringSlice)
	if err != nil {
		return nil, err
	}
	return encode(native), nil
}

// activation resolves the variables of an expression when they are asked for, the
// large ones once: an expression names them anew in every turn of a comprehension.
type activation struct {
	v    *Vars
	made map[string]any
}

// Parent implements cel.Activation.
func (a *activation) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (a *activation) ResolveName(name string) (any, bool) {
	switch name {
	case "me":
		if a.v.Actor == nil {
			return types.NullValue, true
		}
		return a.v.Actor.User, true
	case "now":
		return a.v.Now.UTC(), true
	case "today":
		return a.v.Now.UTC().Format(time.DateOnly), true
	case "record", "was", "target", "parts", "issue":
		made := a.made[name]
		if made == nil {
			made = a.large(name)
			a.made[name] = made
		}
		return made, true
	case roleVar:
		return a.names(func(x *landfall.Actor) []string { return x.Roles }), true
	case teamVar:
		return a.names(func(x *landfall.Actor) []string { return x.Teams }), true
	}
	if a.v.Type == nil || a.v.Record == nil {
		return types.NullValue, true
	}
	f, ok := a.v.Type.Fields[name]
	if !ok {
		return nil, false
	}
	return native(f, a.v.Record.Fields[name]), true
}

func (a *activation) names(of func(*landfall.Actor) []string) []string {
	if a.v.Actor == nil {
		return []string{}
	}
	return of(a.v.Actor)
}

func (a *activation) large(name string) any {
	switch name {
	case "record":
		return objectOf(a.v.Type, a.v.Record)
	case "was":
		return objectOf(a.v.Type, a.v.Was)
	case "target":
		return objectOf(a.v.TargetType, a.v.Target)
	case "parts":
		return partVars(a.v.Parts)
	default:
		return issueVars(a.v.Issue)
	}
}

func partVars(all []Parts) any {
	m := make(map[string]any, len(all))
	for _, p := range all {
		list := make([]ref.Val, 0, len(p.Records))
		for _, r := range p.Records {
			list = append(list, objectOf(p.Type, r))
		}
		m[p.Type.Name] = types.NewRefValList(types.DefaultTypeAdapter, list)
	}
	return m
}

func issueVars(i *landfall.Issue) any {
	if i == nil {
		return types.NullValue
	}
	return map[string]any{"kind": string(i.Kind), "record_type": i.RecordType, "author": i.Author, "op": string(i.Op), "transition": i.Transition}
}

// native is a canonical value as the expression language has it; unset is null,
// but for sets, which are then empty.
func native(f *Field, v landfall.Value) any {
	set := f.Type == ChoiceMany || f.Type == References
	if landfall.IsNull(v) {
		if set || f.Type == Attachments {
			return []string{}
		}
		return types.NullValue
	}
	switch f.Type {
	case Location:
		return nativePlace(v)
	case Attachment, Signature, Attachments:
		return nativeFiles(f.Type, v)
	}
	var x any
	if set {
		var members []string
		if json.Unmarshal(v, &members) != nil {
			return types.NullValue
		}
		return members
	}
	if f.Type == Integer {
		var n int64
		if json.Unmarshal(v, &n) != nil {
			return types.NullValue
		}
		return n
	}
	if json.Unmarshal(v, &x) != nil {
		return types.NullValue
	}
	s, ok := x.(string)
	if !ok {
		return x
	}
	return nativeText(f.Type, s)
}

func nativeText(t FieldType, s string) any {
	switch t {
	case Decimal:
		if n, err := json.Number(s).Float64(); err == nil {
			return n
		}
		return types.NullValue
	case DateTime:
		if m, err := time.Parse(time.RFC3339Nano, s); err == nil {
			return m
		}
		return types.NullValue
	case Duration:
		if d, err := time.ParseDuration(s); err == nil {
			return d
		}
		return types.NullValue
	default:
		return s
	}
}
