package definition

import (
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// moving are the names of what changes while the record stays.
var moving = map[string]string{"now": "now", "today": "today", "me": "me", roleVar: "has_role", teamVar: "in_team"}

// reads is what a checked expression looks at; t is the type of the record, nil
// where there is none.
func reads(checked *cel.Ast, t *Type) read {
	var out read
	native := checked.NativeRep()
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind: // a field by its bare name, or no field
			out.fields = append(out.fields, e.AsIdent())
			if what := moving[e.AsIdent()]; what != "" && !slices.Contains(out.moving, what) {
				out.moving = append(out.moving, what)
			}
		case ast.SelectKind:
			s := e.AsSelect()
			if s.Operand().Kind() != ast.IdentKind {
				return
			}
			switch s.Operand().AsIdent() {
			case "record", "was":
				out.fields = append(out.fields, s.FieldName())
			case "parts":
				out.parts = append(out.parts, s.FieldName())
			}
		}
	}))
	slices.Sort(out.fields)
	slices.Sort(out.parts)
	out.always = !slices.ContainsFunc(out.fields, func(name string) bool { return !strings.HasPrefix(name, "@") || moving[name] != "" })
	out.fields, out.parts = slices.Compact(out.fields), slices.Compact(out.parts)
	out.fields = slices.DeleteFunc(out.fields, func(name string) bool { return t == nil || t.Fields[name] == nil })
	return out
}
