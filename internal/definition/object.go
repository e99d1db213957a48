package definition

import (
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/landfall-sync/landfall"
)

// object is a record as expressions have it: a map whose values are made when
// they are asked for, since most expressions look at a field or two.
type object struct {
	t     *Type
	r     *landfall.Record
	found map[string]ref.Val
	whole traits.Mapper // nil until somebody needs all of it
}

var _ traits.Mapper = (*object)(nil)

func objectOf(t *Type, r *landfall.Record) ref.Val {
	if r == nil || t == nil {
		return types.NullValue
	}
	return &object{t: t, r: r, found: map[string]ref.Val{}}
}

// Find implements traits.Mapper.
func (o *object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.Value().(string)
	if !ok {
		return nil, false
	}
	v, known := o.found[name]
	if !known {
		v = o.value(name)
		o.found[name] = v
	}
	return v, v != nil
}

// value is nil for what a record does not have.
func (o *object) value(name string) ref.Val {
	var v any
	switch name {
	case "id":
		v = o.r.ID
	case "status":
		v = o.r.Status
	case "number":
		v = o.r.Number
	case "version":
		v = o.r.Version
	case "created_by":
		v = o.r.CreatedBy
	case "created_at":
		v = o.r.CreatedAt
	default:
		f := o.t.Fields[name]
		if f == nil {
			return nil
		}
		v = native(f, o.r.Fields[name])
	}
	return types.DefaultTypeAdapter.NativeToValue(v)
}

// all is the record as a map of its own.
func (o *object) all() traits.Mapper {
	if o.whole == nil {
		m := map[ref.Val]ref.Val{}
		for name := range recordFields(o.t) {
			key := types.String(name)
			m[key], _ = o.Find(key)
		}
		o.whole = types.NewRefValMap(types.DefaultTypeAdapter, m)
	}
	return o.whole
}

// Get implements traits.Indexer.
func (o *object) Get(key ref.Val) ref.Val {
	if v, ok := o.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

// Contains implements traits.Container.
func (o *object) Contains(key ref.Val) ref.Val {
	_, ok := o.Find(key)
	return types.Bool(ok)
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	if same, ok := other.(*object); ok {
		return o.all().Equal(same.all())
	}
	return o.all().Equal(other)
}

// Iterator implements traits.Iterable.
func (o *object) Iterator() traits.Iterator { return o.all().Iterator() }

// Size implements traits.Sizer.
func (o *object) Size() ref.Val { return o.all().Size() }

// Type implements ref.Val.
func (o *object) Type() ref.Type { return types.MapType }

// Value implements ref.Val.
func (o *object) Value() any { return o.all().Value() }

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(t reflect.Type) (any, error) { return o.all().ConvertToNative(t) }

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(t ref.Type) ref.Val { return o.all().ConvertToType(t) }
