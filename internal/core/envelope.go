package core

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/landfall-sync/landfall"
)

// Limits bound one mutation. No limit truncates: what is too big is malformed.
type Limits struct {
	MaxBytes int // of one mutation; 0: no limit
	MaxDepth int // nesting of objects and arrays; 0: no limit
	MaxGroup int // members of a group; 0: no limit
}

// The codes of malformed mutations.
const (
	CodeTooLarge      = "too_large"
	CodeTooDeep       = "too_deep"
	CodeNotJSON       = "not_json"
	CodeDuplicateName = "duplicate_name"
	CodeNUL           = "nul"
	CodeExponent      = "exponent"
	CodeUnknownMember = "unknown_member"
	CodeWrongForm     = "wrong_form"
	CodeUnknownOp     = "unknown_op"
	CodeMissing       = "missing"
	CodeBadID         = "bad_id"
	CodeBadGroup      = "bad_group"
	CodeBadTime       = "bad_time"
	CodeBadBase       = "bad_base"
	CodeWrongNumber   = "wrong_number"
	CodeNotAllowed    = "not_allowed"
)

const clientHint = "This is a fault of the client: update it. What was sent is kept, and can be repaired."

// maxExponent is how many digits the exponent of a number may have.
const maxExponent = 3

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// ParseMutation reads one mutation strictly. n is the number that its place in
// the push gives it; 0 accepts any. Replica and Incarnation are the caller's to
// set. The message says what makes it malformed, and never holds a value.
func ParseMutation(raw []byte, n int64, l Limits) (landfall.Mutation, *landfall.Message) {
	if l.MaxBytes > 0 && len(raw) > l.MaxBytes {
		return landfall.Mutation{}, malformed(CodeTooLarge, "It has %d bytes; at most %d are taken.", len(raw), l.MaxBytes)
	}
	if m := scan(raw, l.MaxDepth); m != nil {
		return landfall.Mutation{}, m
	}
	var m landfall.Mutation
	if err := json.Unmarshal(raw, &m, json.RejectUnknownMembers(true)); err != nil {
		return landfall.Mutation{}, misfit(err)
	}
	if bad := envelope(&m, n, l); bad != nil {
		return landfall.Mutation{}, bad
	}
	return m, nil
}

func malformed(code, format string, args ...any) *landfall.Message {
	return &landfall.Message{Code: code, Text: fmt.Sprintf(format, args...), Hint: clientHint}
}

// scan walks the tokens: one JSON object within the limits, with nothing that
// readers of JSON understand differently.
func scan(raw []byte, maxDepth int) *landfall.Message {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	if dec.PeekKind() != '{' {
		return malformed(CodeNotJSON, "It is not a JSON object.")
	}
	for {
		tok, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			if errors.Is(err, jsontext.ErrDuplicateName) {
				return malformed(CodeDuplicateName, "It names a member twice.")
			}
			return malformed(CodeNotJSON, "It is not valid JSON at byte %d.", dec.InputOffset())
		}
		if maxDepth > 0 && dec.StackDepth() > maxDepth {
			return malformed(CodeTooDeep, "It is nested deeper than %d levels.", maxDepth)
		}
		switch tok.Kind() {
		case '"':
			if strings.ContainsRune(tok.String(), 0) {
				return malformed(CodeNUL, "It holds a NUL character.")
			}
		case '0':
			s := tok.String()
			if i := strings.IndexAny(s, "eE"); i >= 0 && len(strings.TrimLeft(s[i+1:], "+-")) > maxExponent {
				return malformed(CodeExponent, "It holds a number with an exponent of more than %d digits.", maxExponent)
			}
		}
		if dec.StackDepth() == 0 && len(bytes.TrimSpace(raw[dec.InputOffset():])) > 0 {
			return malformed(CodeNotJSON, "Something follows the JSON object.")
		}
	}
}

// misfit says which member does not have the form that it should.
func misfit(err error) *landfall.Message {
	where := ""
	var sem *json.SemanticError
	if errors.As(err, &sem) {
		where = member(string(sem.JSONPointer))
	}
	switch {
	case errors.Is(err, json.ErrUnknownName):
		return malformed(CodeUnknownMember, "It has a member %s that is not known.", quoted(where))
	case where == "made_at":
		return malformed(CodeBadTime, "made_at is not a time such as 2026-03-31T14:05:00Z.")
	default:
		return malformed(CodeWrongForm, "Its member %s does not have the form that it should.", quoted(where))
	}
}

// member is the path of a member, cut off before the names of fields' contents.
func member(pointer string) string {
	parts := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	if len(parts) > 3 {
		parts = parts[:3]
	}
	return strings.Join(parts, ".")
}

// rule says which members an operation needs, and which it may have beside
// n, op, group, definition and made_at.
type rule struct{ needs, may []string }

var rules = map[landfall.Op]rule{
	landfall.OpCreate:     {[]string{"type", "id"}, []string{"set", "base", "amends"}},
	landfall.OpUpdate:     {[]string{"type", "id", "base"}, []string{"set", "amends"}},
	landfall.OpTransition: {[]string{"type", "id", "base", "transition"}, []string{"set", "amends"}},
	landfall.OpDelete:     {[]string{"type", "id", "base"}, []string{"amends"}},
	landfall.OpRestore:    {[]string{"type", "id", "base"}, []string{"amends"}},
	landfall.OpWithdraw:   {[]string{"issue"}, []string{"type", "id"}},
	landfall.OpVoid:       {nil, []string{"type", "id"}},
	landfall.OpLost:       {nil, []string{"type", "id"}},
}

// envelope checks what the members say together.
func envelope(m *landfall.Mutation, n int64, l Limits) *landfall.Message {
	r, known := rules[m.Op]
	if !known {
		return malformed(CodeUnknownOp, "Its op is not one that this server knows.")
	}
	if m.N < 1 || n > 0 && m.N != n {
		return malformed(CodeWrongNumber, "Its number does not fit its place in the push.")
	}
	has := map[string]bool{
		"type": m.Type != "", "id": m.ID != "", "set": m.Set != nil, "base": m.Base != nil,
		"transition": m.Transition != "", "amends": m.Amends != nil, "issue": m.Issue != "",
	}
	for _, name := range []string{"type", "id", "transition", "issue", "base", "set", "amends"} {
		switch needed := slices.Contains(r.needs, name); {
		case needed && !has[name]:
			return malformed(CodeMissing, "It has no %s.", name)
		case has[name] && !needed && !slices.Contains(r.may, name):
			return malformed(CodeNotAllowed, "A %s has no %s.", m.Op, name)
		}
	}
	if m.ID != "" && !uuidForm.MatchString(m.ID) {
		return malformed(CodeBadID, "Its record id is not a UUID in lower case.")
	}
	if m.Base != nil && (m.Base.Version < 0 || m.Base.After < 0 || m.Base.Seen < 0 || m.Base.After >= m.N) {
		return malformed(CodeBadBase, "Its base names what can't have been seen.")
	}
	if m.Amends != nil && m.Amends.Issue == "" {
		return malformed(CodeMissing, "It amends no issue.")
	}
	if g := m.Group; g != nil && (g.ID == "" || g.Of < 1 || l.MaxGroup > 0 && g.Of > l.MaxGroup) {
		return malformed(CodeBadGroup, "Its group has no id, or not between 1 and %d members.", l.MaxGroup)
	}
	if m.MadeAt.IsZero() {
		return malformed(CodeBadTime, "It does not say when it was made.")
	}
	m.MadeAt = m.MadeAt.UTC()
	if y := m.MadeAt.Year(); y < 1 || y > 9999 { // an offset leads out of the years that can be written
		return malformed(CodeBadTime, "made_at is not within the years 1 to 9999.")
	}
	return nil
}

// Salvaged is what could be read of a mutation that can't be parsed, for lists.
type Salvaged struct {
	Type string
	ID   string
	Op   landfall.Op
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// Salvage reads what it can of a mutation that ParseMutation refuses. Each part
// is empty when it can't be read or does not look like what it should be.
func Salvage(raw []byte) Salvaged {
	var out Salvaged
	dec := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if tok, err := dec.ReadToken(); err != nil || tok.Kind() != '{' {
		return out
	}
	for {
		name, err := dec.ReadToken()
		if err != nil || name.Kind() != '"' {
			return out
		}
		key := name.String()
		if dec.PeekKind() != '"' {
			if dec.SkipValue() != nil {
				return out
			}
			continue
		}
		tok, err := dec.ReadToken()
		if err != nil {
			return out
		}
		switch value := tok.String(); key {
		case "type":
			if plainName.MatchString(value) {
				out.Type = value
			}
		case "id":
			if uuidForm.MatchString(value) {
				out.ID = value
			}
		case "op":
			if _, known := rules[landfall.Op(value)]; known {
				out.Op = landfall.Op(value)
			}
		}
	}
}
