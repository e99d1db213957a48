package rehearse

import (
	"reflect"

	"github.com/landfall-sync/landfall/internal/definition"
)

// alike reports whether two compiled parts of a definition say the same.
// Conditions are compared by their text.
func alike(a, b any) bool { return same(reflect.ValueOf(a), reflect.ValueOf(b)) }

var exprType = reflect.TypeFor[*definition.Expr]()

func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		if a.Type() == exprType {
			return a.Interface().(*definition.Expr).String() == b.Interface().(*definition.Expr).String() //nolint:forcetypeassert // it is its type
		}
		return same(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if !same(a.MapIndex(k), b.MapIndex(k)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}
