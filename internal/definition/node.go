package definition

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

// Problem is one thing that is wrong with a definition.
type Problem struct {
	File         string
	Line, Column int
	Warning      bool
	Message      string
	Hint         string
}

// String is file:line:column: message (hint).
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	if p.Hint != "" {
		s += " (" + p.Hint + ")"
	}
	return s
}

// reader walks the YAML and collects what is wrong with it.
type reader struct {
	file      string
	languages []string // declared ones; none: titles are plain texts
	problems  []Problem
}

// maxProblems is how many are told at once; who has more begins with these.
const maxProblems = 1_000

// maxEntries is how many keys a mapping, and how many names a list may have.
const maxEntries = 1_000

func (r *reader) errorf(n *yaml.Node, hint, format string, args ...any) {
	if len(r.problems) >= maxProblems {
		return
	}
	r.problems = append(r.problems, Problem{File: r.file, Line: max(n.Line, 1), Column: max(n.Column, 1), Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (r *reader) warnf(n *yaml.Node, hint, format string, args ...any) {
	before := len(r.problems)
	r.errorf(n, hint, format, args...)
	if len(r.problems) > before {
		r.problems[before].Warning = true
	}
}

// failed reports whether one of the problems is an error.
func (r *reader) failed() bool {
	return slices.ContainsFunc(r.problems, func(p Problem) bool { return !p.Warning })
}

// unknown reports a name that is not among the known ones, with the nearest.
func (r *reader) unknown(n *yaml.Node, what, name string, known []string) {
	r.errorf(n, suggest(name, known), "%s %q is not known", what, name)
}

// entry is one key of a mapping with its value.
type entry struct {
	key   string
	at    *yaml.Node // the key's node
	value *yaml.Node
}

// entries reads a mapping in order; duplicates are reported and left out.
func (r *reader) entries(n *yaml.Node, what string) []entry {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.errorf(n, "write key: value", "%s is a mapping", what)
		return nil
	}
	if len(n.Content) > 2*maxEntries {
		r.errorf(n.Content[2*maxEntries], "split it", "%s has more than %d keys", what, maxEntries)
	}
	var out []entry
	there := map[string]bool{}
	for i := 0; i+1 < min(len(n.Content), 2*maxEntries); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.Kind != yaml.ScalarNode {
			r.errorf(k, "write word: value", "a key of %s is a plain word", what)
			continue
		}
		if there[k.Value] {
			r.errorf(k, "keep one of them", "%q is there twice", k.Value)
			continue
		}
		there[k.Value] = true
		out = append(out, entry{k.Value, k, v})
	}
	return out
}

// object reads a mapping whose keys are known; others are reported.
func (r *reader) object(n *yaml.Node, what string, known ...string) map[string]entry {
	out := map[string]entry{}
	for _, e := range r.entries(n, what) {
		switch {
		case slices.Contains(known, e.key):
			out[e.key] = e
		default:
			slices.Sort(known)
			r.errorf(e.at, suggest(e.key, known), "%s has no %q", what, e.key)
		}
	}
	return out
}

// text reads a plain text; "" when it is not there.
func (r *reader) text(e entry, limit int) string {
	if e.value == nil {
		return ""
	}
	if e.value.Kind != yaml.ScalarNode || e.value.Tag == "!!null" {
		r.errorf(e.value, "write it in quotes, on one level", "%s is a text", e.key)
		return ""
	}
	if len(e.value.Value) > limit {
		r.errorf(e.value, fmt.Sprintf("at most %d bytes", limit), "%s is too long", e.key)
		return ""
	}
	return e.value.Value
}

func (r *reader) flag(e entry) bool {
	if e.value == nil {
		return false
	}
	b, err := strconv.ParseBool(e.value.Value)
	if err != nil || e.value.Tag != "!!bool" {
		r.errorf(e.value, e.key+": true, or leave it out", "%s is true or false", e.key)
	}
	return b
}

func (r *reader) number(e entry, least int64) int64 {
	if e.value == nil {
		return 0
	}
	n, err := strconv.ParseInt(e.value.Value, 10, 53)
	if err != nil || n < least {
		r.errorf(e.value, fmt.Sprintf("%s: %d", e.key, max(least, 1)), "%s is a whole number, %d or more", e.key, least)
	}
	return n
}

func (r *reader) duration(e entry, words ...string) string {
	s := r.text(e, 50)
	if s == "" || slices.Contains(words, s) {
		return s
	}
	if d, err := time.ParseDuration(s); err != nil || d <= 0 {
		r.errorf(e.value, e.key+": 4h", "%s is a duration such as 5m or 4h", e.key)
		return ""
	}
	return s
}

// oneOf reads a word of a closed list.
func (r *reader) oneOf(e entry, known ...string) string {
	s := r.text(e, 100)
	if s != "" && !slices.Contains(known, s) {
		r.unknown(e.value, e.key, s, known)
		return ""
	}
	return s
}

// name is one name with its place.
type name struct {
	text string
	at   *yaml.Node
}

// names reads one name or a list of them.
func (r *reader) names(e entry) []name {
	if e.value == nil {
		return nil
	}
	nodes := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		nodes = e.value.Content
	}
	if len(nodes) > maxEntries {
		r.errorf(nodes[maxEntries], "split it", "%s has more than %d names", e.key, maxEntries)
		nodes = nodes[:maxEntries]
	}
	var out []name
	there := map[string]bool{}
	for _, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			r.errorf(n, e.key+": [NAME, NAME]", "%s is a name, or a list of names", e.key)
			continue
		}
		if there[n.Value] {
			r.warnf(n, "keep one of them", "%q is there twice", n.Value)
			continue
		}
		there[n.Value] = true
		out = append(out, name{n.Value, n})
	}
	return out
}

// known keeps the names that are in the list and reports the others.
func (r *reader) known(names []name, what string, list []string) []string {
	var out []string
	for _, n := range names {
		if !slices.Contains(list, n.text) {
			r.unknown(n.at, what, n.text, list)
			continue
		}
		out = append(out, n.text)
	}
	return out
}

var (
	fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)
	wordName  = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
)

func (r *reader) wellNamed(e entry, what string, re *regexp.Regexp) bool {
	if re.MatchString(e.key) {
		return true
	}
	r.errorf(e.at, "begin with a lower-case letter and go on with letters, digits and _", "%s name %q is not well formed", what, e.key)
	return false
}

// list is a list of whatever read makes of each; a problem where it is none.
func (r *reader) list(e entry, hint string) []*yaml.Node {
	if e.value == nil {
		return nil
	}
	if e.value.Kind != yaml.SequenceNode {
		r.errorf(e.value, hint, "%s is a list", e.key)
		return nil
	}
	if len(e.value.Content) > maxEntries {
		r.errorf(e.value.Content[maxEntries], "split it", "%s has more than %d entries", e.key, maxEntries)
		return e.value.Content[:maxEntries]
	}
	return e.value.Content
}

// expr compiles an expression at its place.
func (r *reader) expr(e entry, s *scope, want *typ) *Expr {
	if e.value == nil {
		return nil
	}
	if e.value.Kind != yaml.ScalarNode || strings.TrimSpace(e.value.Value) == "" {
		r.errorf(e.value, "write a condition in quotes", "%s is an expression", e.key)
		return nil
	}
	if s == nil {
		return nil
	}
	x, faults := s.compile(e.value.Value, want)
	for _, f := range faults {
		at := *e.value
		at.Column += max(f.column, 0)
		if e.value.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			at.Column++
		}
		r.errorf(&at, f.hint, "%s: %s", e.key, f.message)
	}
	if x != nil && x.reads.always && want == types.BoolType {
		r.always(e, x)
	}
	return x
}

// always tells of a condition that is the same whatever it looks at.
func (r *reader) always(e entry, x *Expr) {
	holds, err := x.Bool(&Vars{})
	switch {
	case err == nil && holds:
		r.warnf(e.value, "take it out", "%s: the condition holds always", e.key)
	case e.key == "where":
		r.errorf(e.value, "compare a field of target", "%s: the condition never holds: nothing could be referred to", e.key)
	default:
		r.warnf(e.value, "take out what it allows", "%s: the condition never holds", e.key)
	}
}
