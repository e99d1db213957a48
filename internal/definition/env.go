package definition

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
)

// The variables behind has_role and in_team, which macros could not reach by
// these names.
const (
	roleVar = "@roles"
	teamVar = "@teams"
)

var stringSlice = reflect.TypeFor[[]string]()

// builtIn are what every record has beside its fields.
var builtIn = map[string]*types.Type{
	"id": types.StringType, "status": types.StringType, "number": types.StringType,
	"version": types.IntType, "created_by": types.StringType, "created_at": types.TimestampType,
}

var issueFields = map[string]*types.Type{
	"kind": types.StringType, "record_type": types.StringType, "author": types.StringType,
	"op": types.StringType, "transition": types.StringType,
}

var placeFields = map[string]*types.Type{"lat": types.DoubleType, "lon": types.DoubleType, "accuracy": types.DoubleType}

var fileFields = map[string]*types.Type{"hash": types.StringType, "name": types.StringType, "size": types.IntType, "type": types.StringType}

// celType is the type of a field's values in expressions.
func celType(t FieldType) *types.Type {
	switch t {
	case Integer:
		return types.NewNullableType(types.IntType)
	case Decimal:
		return types.NewNullableType(types.DoubleType)
	case Boolean:
		return types.NewNullableType(types.BoolType)
	case DateTime:
		return types.TimestampType
	case Duration:
		return types.DurationType
	case ChoiceMany, References:
		return types.NewListType(types.StringType)
	case Location:
		return types.NewObjectType(placeObject)
	case Attachment, Signature:
		return types.NewObjectType(fileObject)
	case Attachments:
		return types.NewListType(types.NewObjectType(fileObject))
	case JSON:
		return types.DynType
	default:
		return types.NewNullableType(types.StringType)
	}
}

// provider knows the fields of records of one type, so that a name that does
// not exist is found when the definition is checked.
type provider struct {
	types.Provider
	structs map[string]map[string]*types.Type
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if _, ok := p.structs[name]; ok {
		return types.NewTypeTypeWithParam(types.NewObjectType(name)), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ok := p.structs[name]
	if !ok {
		return p.Provider.FindStructFieldNames(name)
	}
	return sortedKeys(fields), true
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ok := p.structs[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	t, ok := fields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: t}, true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// scope is what an expression may name. It is made when the first one asks.
type scope struct {
	view
	env   *cel.Env
	names []string // for the nearest
}

// view says what an expression looks at.
type view struct {
	record *Type   // record and was
	bare   bool    // its fields by their bare names, instead
	parts  []*Type // parts.TYPE of the record
	target *Type   // target: what a reference names
	issue  bool
}

// The names of the types that expressions have.
const (
	recordObject = "landfall.Record"
	targetObject = "landfall.Target"
	partsObject  = "landfall.Parts"
	partObject   = "landfall.Part." // and the type's name
	issueObject  = "landfall.Issue"
	placeObject  = "landfall.Location"
	fileObject   = "landfall.File"
)

func newScope(v view) *scope { return &scope{view: v} }

// prepare makes the environment, once.
func (s *scope) prepare() error {
	if s.env != nil {
		return nil
	}
	base, err := types.NewRegistry()
	if err != nil {
		return err
	}
	v := s.view
	p := &provider{Provider: base, structs: map[string]map[string]*types.Type{placeObject: placeFields, fileObject: fileFields}}
	s.names = []string{"me", "now", "today", "has_role", "in_team"}
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(p), cel.CustomTypeAdapter(base),
		cel.CrossTypeNumericComparisons(true),
		cel.Variable("me", types.NewNullableType(types.StringType)),
		cel.Variable("now", cel.TimestampType), cel.Variable("today", cel.StringType),
		cel.Variable(roleVar, cel.ListType(cel.StringType)), cel.Variable(teamVar, cel.ListType(cel.StringType)),
		member("has_role", roleVar), member("in_team", teamVar), sum(),
	}
	object := func(name, of string, fields map[string]*types.Type) {
		p.structs[of] = fields
		s.names = append(s.names, sortedKeys(fields)...)
		if name != "" {
			opts = append(opts, cel.Variable(name, cel.ObjectType(of)))
			s.names = append(s.names, name)
		}
	}
	if v.record != nil && v.bare {
		for _, name := range v.record.Order { // not the map's order: the nearest name is the first of equals
			opts = append(opts, cel.Variable(name, celType(v.record.Fields[name].Type)))
			s.names = append(s.names, name)
		}
		object("", recordObject, recordFields(v.record))
	} else if v.record != nil {
		object("record", recordObject, recordFields(v.record))
		opts = append(opts, cel.Variable("was", cel.ObjectType(recordObject)))
		s.names = append(s.names, "was")
	}
	if v.target != nil {
		object("target", targetObject, recordFields(v.target))
	}
	if len(v.parts) > 0 {
		lists := map[string]*types.Type{}
		for _, t := range v.parts {
			object("", partObject+t.Name, recordFields(t))
			lists[t.Name] = types.NewListType(types.NewObjectType(partObject + t.Name))
		}
		object("parts", partsObject, lists)
	}
	if v.issue {
		object("issue", issueObject, issueFields)
	}
	s.env, err = cel.NewEnv(opts...)
	return err
}

// recordFields are what expressions see of a record.
func recordFields(t *Type) map[string]*types.Type {
	fields := map[string]*types.Type{}
	for name, f := range t.Fields {
		fields[name] = celType(f.Type)
	}
	for name, bt := range builtIn {
		fields[name] = bt
	}
	return fields
}

// member makes name(x) mean: x is in the list.
func member(name, list string) cel.EnvOption {
	return cel.Macros(cel.GlobalMacro(name, 1, func(f cel.MacroExprFactory, _ ast.Expr, args []ast.Expr) (ast.Expr, *cel.Error) {
		return f.NewCall(operators.In, args[0], f.NewIdent(list)), nil
	}))
}

// fault is what is wrong with an expression, at a place in its text.
type fault struct {
	column  int // from 0
	message string
	hint    string
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	undefined  = regexp.MustCompile(`undefined field '([^']*)'`)
	overload   = regexp.MustCompile(`found no matching overload for '_?([^']*?)_?' applied to '\((.*)\)'`)
)

// compile checks an expression; want is nil where any type will do.
func (s *scope) compile(text string, want *types.Type) (*Expr, []fault) {
	if len(text) > maxExpr {
		return nil, []fault{{0, fmt.Sprintf("the expression is longer than %d bytes", maxExpr), "split it, or keep what it works out in a field"}}
	}
	if err := s.prepare(); err != nil {
		return nil, []fault{{0, fmt.Sprintf("expressions can't be prepared here: %v", err), "shorten the definition"}}
	}
	checked, issues := s.env.Compile(text)
	if issues != nil && issues.Err() != nil {
		return nil, s.faults(issues.Errors())
	}
	if want != nil && !fits(want, checked.OutputType()) {
		return nil, []fault{{0, fmt.Sprintf("the expression gives %s, but %s is needed", named(checked.OutputType()), named(want)), "make it give " + named(want) + ": compare something, or convert it, as in string(x), int(x) or double(x)"}}
	}
	if costly := s.costly(checked); costly != nil {
		return nil, []fault{*costly}
	}
	prog, err := s.env.Program(checked, cel.CostLimit(costStop), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, []fault{{0, err.Error(), "write it in another way"}}
	}
	return &Expr{text: text, prog: prog, reads: reads(checked, s.record)}, nil
}

// fits: an integer is a decimal, too.
func fits(want, got *types.Type) bool {
	return want.IsAssignableType(got) || got == types.DynType || sameNullable(want, got) ||
		got == types.IntType && sameNullable(want, types.DoubleType)
}

// named is a type of CEL as the definition names it.
func named(t *types.Type) string { return plainTypes.Replace(t.String()) }

// sameNullable takes a value that may be null for one that may not: null then
// makes the condition false.
func sameNullable(want, got *types.Type) bool {
	return types.NewNullableType(want).IsAssignableType(got) || types.NewNullableType(want).TypeName() == got.TypeName()
}

func (s *scope) faults(errs []*cel.Error) []fault {
	var out []fault
	for _, e := range errs {
		f := fault{column: e.Location.Column(), message: strings.TrimSpace(strings.ReplaceAll(e.Message, "\n", " ")), hint: "see what expressions may say: docs/definition.md"}
		for _, re := range []*regexp.Regexp{undeclared, undefined} {
			m := re.FindStringSubmatch(e.Message)
			if m == nil {
				continue
			}
			f.message = fmt.Sprintf("%q is not known here", m[1])
			f.hint = suggest(m[1], s.names)
		}
		if m := overload.FindStringSubmatch(e.Message); m != nil {
			f.message = fmt.Sprintf("%s does not go with %s", m[1], plainTypes.Replace(m[2]))
			f.hint = "compare values of one type; a decimal or integer with a number, a text with a 'text'"
		}
		out = append(out, f)
	}
	return out
}

// plainTypes names CEL's types as the definition does.
var plainTypes = strings.NewReplacer("wrapper(double)", "decimal", "wrapper(int)", "integer", "wrapper(string)", "text", "wrapper(bool)", "boolean",
	"google.protobuf.Timestamp", "datetime", "timestamp", "datetime", "google.protobuf.Duration", "duration", "double", "decimal", "int", "integer", "string", "text", "bool", "boolean", ", ", " and ")
