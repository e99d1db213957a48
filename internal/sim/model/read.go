package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/landfall-sync/landfall"
)

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// forms says what an operation must have, and what it may have besides.
var forms = map[landfall.Op][2]string{
	landfall.OpCreate:     {"type id", "set base amends"},
	landfall.OpUpdate:     {"type id base", "set amends"},
	landfall.OpTransition: {"type id base transition", "set amends"},
	landfall.OpDelete:     {"type id base", "amends"},
	landfall.OpRestore:    {"type id base", "amends"},
	landfall.OpWithdraw:   {"issue", "type id"},
	landfall.OpVoid:       {"", "type id"},
	landfall.OpLost:       {"", "type id"},
}

// read reads a mutation strictly; bad is why it can't be read.
func (m *Model) read(raw []byte, k landfall.Key) (out landfall.Mutation, bad string) {
	if m.limits.Bytes > 0 && len(raw) > m.limits.Bytes {
		bad = "too_large"
	} else if bad = m.tokens(raw); bad == "" {
		out, bad = members(raw)
	}
	if bad == "" {
		bad = m.form(&out, k.N)
	}
	out.Replica, out.Incarnation, out.N = k.Replica, k.Incarnation, k.N
	return out, bad
}

// tokens goes through the JSON: one object, with nothing that readers of JSON
// understand differently.
func (m *Model) tokens(raw []byte) string {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if d.PeekKind() != '{' {
		return "not_json"
	}
	for {
		t, err := d.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return ""
		case errors.Is(err, jsontext.ErrDuplicateName):
			return "duplicate_name"
		case err != nil:
			return "not_json"
		case m.limits.Depth > 0 && d.StackDepth() > m.limits.Depth:
			return "too_deep"
		case t.Kind() == '"' && strings.ContainsRune(t.String(), 0):
			return "nul"
		case t.Kind() == '0':
			if _, exp, has := strings.Cut(strings.ToLower(t.String()), "e"); has && len(strings.Trim(exp, "+-")) > 3 {
				return "exponent"
			}
		}
		if d.StackDepth() == 0 && len(bytes.TrimSpace(raw[d.InputOffset():])) > 0 {
			return "not_json"
		}
	}
}

// parts are the members of an object; false when it has one that is not among
// those that are known, or does not have the form that it should.
func parts(raw []byte, into map[string]any) bool {
	all := map[string]json.RawMessage{}
	if json.Unmarshal(raw, &all) != nil {
		return false
	}
	for name, v := range all {
		target, known := into[name]
		if !known || json.Unmarshal(v, target) != nil {
			return false
		}
	}
	return true
}

// members reads the members of a mutation.
func members(raw []byte) (m landfall.Mutation, bad string) {
	var base, group, amends json.RawMessage
	ok := parts(raw, map[string]any{
		"n": &m.N, "op": &m.Op, "type": &m.Type, "id": &m.ID, "set": &m.Set, "base": &base, "transition": &m.Transition,
		"group": &group, "amends": &amends, "issue": &m.Issue, "definition": &m.Definition, "made_at": &m.MadeAt,
	})
	if ok && !landfall.IsNull(base) {
		m.Base = &landfall.Base{}
		ok = parts(base, map[string]any{"version": &m.Base.Version, "after": &m.Base.After, "status": &m.Base.Status, "seen": &m.Base.Seen, "was": &m.Base.Was})
	}
	if ok && !landfall.IsNull(group) {
		m.Group = &landfall.Group{}
		ok = parts(group, map[string]any{"id": &m.Group.ID, "of": &m.Group.Of})
	}
	if ok && !landfall.IsNull(amends) {
		m.Amends = &landfall.Amends{}
		ok = parts(amends, map[string]any{"issue": &m.Amends.Issue, "version": &m.Amends.Version})
	}
	if !ok {
		return m, "wrong_form"
	}
	return m, ""
}

// form checks what the members say together.
func (m *Model) form(x *landfall.Mutation, n int64) string {
	form, known := forms[x.Op]
	if !known {
		return "unknown_op"
	}
	if x.N < 1 || x.N != n {
		return "wrong_number"
	}
	has := map[string]bool{
		"type": x.Type != "", "id": x.ID != "", "set": x.Set != nil, "base": x.Base != nil,
		"transition": x.Transition != "", "amends": x.Amends != nil, "issue": x.Issue != "",
	}
	needs, may := strings.Fields(form[0]), strings.Fields(form[1])
	for name, is := range has {
		if needed := slices.Contains(needs, name); needed != is && (needed || !slices.Contains(may, name)) {
			return "missing"
		}
	}
	g := x.Group
	switch {
	case x.ID != "" && !uuid.MatchString(x.ID):
		return "bad_id"
	case x.Base != nil && (x.Base.Version < 0 || x.Base.After < 0 || x.Base.Seen < 0 || x.Base.After >= x.N):
		return "bad_base"
	case x.Amends != nil && x.Amends.Issue == "":
		return "missing"
	case g != nil && (g.ID == "" || g.Of < 1 || m.limits.Group > 0 && g.Of > m.limits.Group):
		return "bad_group"
	case x.MadeAt.IsZero() || x.MadeAt.UTC().Year() < 1 || x.MadeAt.UTC().Year() > 9999:
		return "bad_time"
	}
	x.MadeAt = x.MadeAt.UTC()
	return ""
}

// ofLimits are the faults of limits, which only the server may know.
var ofLimits = []string{"too_large", "too_deep", "bad_group", "incomplete_group"}
