package definition

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
)

// What one evaluation may cost, in CEL's units: about a value looked at, or ten
// characters of a text, each. An expression that could cost more than costLimit,
// with everything as large as the definition lets it be, is refused when the
// definition is checked. While it runs it is stopped at costStop: the distance
// covers what the estimate does not foresee, such as records of an older version
// with larger limits.
const (
	costLimit = 100_000
	costStop  = 10 * costLimit
)

// Sizes of what has no limit of its own.
const (
	sizeName    = 64    // names of users and teams
	sizeID      = 36    // ids of records
	sizeWord    = 63    // statuses, kinds and the like
	sizeMoment  = 35    // dates, times, and numbers as text
	sizeMany    = 100   // roles and teams of a person
	sizeUnknown = 4_000 // texts that an expression makes of others
)

// sizes tells the estimator how large what it meets can be, and keeps the
// largest that it was asked for.
type sizes struct {
	view
	met map[string]uint64 // by path, as written
}

// EstimateCallCost implements the estimator of costs.
func (*sizes) EstimateCallCost(function, _ string, target *cost.AstNode, _ []cost.AstNode) *cost.CallEstimate {
	if function != sumName || target == nil {
		return nil
	}
	size := uint64(maxMembers)
	if known := (*target).ComputedSize(); known != nil {
		size = known.Max
	}
	return cost.NewCallEstimate(cost.RangedCostEstimate(1, cost.SafeAdd(size, 1)), nil)
}

// EstimateSize implements the estimator of costs.
func (s *sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	size := s.most(n.Path(), n.Type())
	if len(n.Path()) > 0 && size > sizeWord {
		path := written(n.Path())
		s.met[path] = max(s.met[path], size)
	}
	return &cost.SizeEstimate{Min: 0, Max: size}
}

// most is how large what stands at the path can be.
func (s *sizes) most(path []string, t *types.Type) uint64 {
	if len(path) == 0 {
		if t != nil && (t.Kind() == types.ListKind || t.Kind() == types.MapKind) {
			return maxMembers
		}
		return sizeUnknown
	}
	of := s.record
	rest := path[1:]
	switch path[0] {
	case roleVar, teamVar:
		if len(rest) == 0 {
			return sizeMany
		}
		return sizeName
	case "me":
		return sizeName
	case "now", "today":
		return sizeMoment
	case "issue":
		return sizeWord
	case "target":
		of = s.target
	case "parts":
		if len(rest) < 2 {
			return MaxParts
		}
		if i := slices.IndexFunc(s.parts, func(t *Type) bool { return t.Name == rest[0] }); i >= 0 {
			of = s.parts[i]
		}
		rest = rest[2:] // the type, and one of its records
	case "record", "was":
	default: // a field by its bare name
		rest = path
	}
	if of == nil || len(rest) == 0 {
		return sizeMany
	}
	return of.most(rest)
}

// most is how large the field's value is, or what is within it.
func (t *Type) most(path []string) uint64 {
	f := t.Fields[path[0]]
	if f == nil {
		return sizeWord // what every record has
	}
	inner := len(path) > 1
	switch f.Type {
	case Text, LongText:
		return uint64(f.limit())
	case ChoiceMany, References, Attachments:
		switch {
		case inner && f.Type == References:
			return sizeID
		case inner:
			return maxFileName
		case f.Type == ChoiceMany:
			return uint64(min(f.limit(), len(f.Choices)))
		}
		return uint64(f.limit())
	case Attachment, Signature, Location:
		return maxFileName
	case JSON:
		return maxJSON
	case Reference:
		return sizeID
	case ChoiceOne, UserRef, TeamRef:
		return sizeName
	default:
		return sizeMoment
	}
}

// written is a path as expressions name it.
func written(path []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(path), func(s string) bool { return strings.HasPrefix(s, "@") }), ".")
}

// costly is what is wrong with an expression that could cost too much.
func (s *scope) costly(checked *cel.Ast) *fault {
	n := &sizes{view: s.view, met: map[string]uint64{}}
	estimate, err := s.env.EstimateCost(checked, n)
	if err == nil && estimate.Max <= costLimit {
		return nil
	}
	f := &fault{message: "the expression could cost too much"}
	if err == nil && estimate.Max < 1_000*costLimit {
		f.message += fmt.Sprintf(": %d, where %d are allowed", estimate.Max, costLimit)
	}
	f.hint = n.dear(checked)
	return f
}

// dear says what makes an expression cost so much, and what to do.
func (s *sizes) dear(checked *cel.Ast) string {
	loops, matches := 0, false
	var walk func(e ast.NavigableExpr, depth int)
	walk = func(e ast.NavigableExpr, depth int) {
		switch {
		case e.Kind() == ast.ComprehensionKind:
			depth++
			loops = max(loops, depth)
		case e.Kind() == ast.CallKind && e.AsCall().FunctionName() == "matches":
			matches = true
		}
		for _, c := range e.Children() {
			walk(c, depth)
		}
	}
	walk(ast.NavigateAST(checked.NativeRep()), 0)
	how := "look at fewer or shorter values: max: limits texts and sets"
	switch {
	case loops > 1:
		how = "there is a loop in a loop: keep what the inner one works out in a computed field, or give the sets a smaller max"
	case loops > 0 && matches:
		how = "matches() runs for each value of a list: give the text a smaller max, or put matches() in the check of the field itself"
	case matches:
		how = "matches() reads a long text: give it a smaller max"
	case loops > 0:
		how = "the loop does much for each value: compare less in it, or give the texts that it reads a smaller max"
	}
	if what := s.largest(); what != "" {
		how += "; it looks at " + what
	}
	return how
}

// largest are the largest things that the expression looks at.
func (s *sizes) largest() string {
	paths := sortedKeys(s.met)
	slices.SortStableFunc(paths, func(a, b string) int { return int(s.met[b]) - int(s.met[a]) })
	var out []string
	for _, p := range paths[:min(3, len(paths))] {
		out = append(out, fmt.Sprintf("%s (up to %d)", p, s.met[p]))
	}
	return strings.Join(out, ", ")
}
