package definition

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// sumName is the one function that the language adds to CEL's own:
// parts.visit.map(v, v.hours).sum().
const sumName = "sum"

// sum adds up a list of numbers or durations. What is not set counts nothing; the
// sum of nothing is 0.
func sum() cel.EnvOption {
	overloads := []cel.FunctionOpt{cel.SingletonUnaryBinding(added)}
	for _, x := range []struct {
		id         string
		of, result *cel.Type
	}{
		{"sum_integer", types.NewNullableType(types.IntType), types.IntType},
		{"sum_decimal", types.NewNullableType(types.DoubleType), types.DoubleType},
		{"sum_duration", types.DurationType, types.DurationType},
	} {
		overloads = append(overloads, cel.MemberOverload(x.id, []*cel.Type{cel.ListType(x.of)}, x.result))
	}
	return cel.Function(sumName, overloads...)
}

// added is the sum of what a list holds; 0 when it holds nothing.
func added(list ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	var total ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		v := it.Next()
		if v == types.NullValue {
			continue
		}
		adder, ok := total.(traits.Adder)
		switch {
		case total == nil:
			total = v
			continue
		case !ok:
			return types.MaybeNoSuchOverloadErr(total)
		}
		if total = adder.Add(v); types.IsUnknownOrError(total) {
			return total
		}
	}
	if total == nil {
		return types.IntZero
	}
	return total
}
