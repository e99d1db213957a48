package definition

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
)

// reads is what a checked expression looks at; t is the type of the record, nil
// where there is none.
func reads(checked *cel.Ast, t *Type) read {
	var out read
	native := checked.NativeRep()
	ast.PostOrderVisit(native.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.IdentKind: // a field by its bare name, or no field
			out.fields = append(out.fields, e.AsIdent())
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
	out.fields, out.parts = slices.Compact(out.fields), slices.Compact(out.parts)
	out.fields = slices.DeleteFunc(out.fields, func(name string) bool { return t == nil || t.Fields[name] == nil })
	return out
}
