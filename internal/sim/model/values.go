package model

import (
	"bytes"
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

var (
	accountName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	uuid        = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	decimal     = regexp.MustCompile(`^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?$`)
)

// text is the text in a value, "" when it holds none.
func text(v landfall.Value) string {
	s := ""
	if landfall.IsNull(v) || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// quoted is a text as a value; nothing is null.
func quoted(s string) landfall.Value {
	if s == "" {
		return landfall.Null
	}
	return encoded(s)
}

func encoded[T string | []string](x T) landfall.Value {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return landfall.Null // texts can always be written
	}
	return bytes.TrimSpace(b.Bytes())
}

// list are the texts in a value: of a list its members, of a text itself.
func list(v landfall.Value) []string {
	var out []string
	if landfall.IsNull(v) || json.Unmarshal(v, &out) == nil {
		return out
	}
	if s := text(v); s != "" {
		return []string{s}
	}
	return nil
}

func orNull(v landfall.Value) landfall.Value {
	if landfall.IsNull(v) {
		return landfall.Null
	}
	return v
}

// canonical is the form in which the field keeps a value; false when the field
// can't keep it.
func canonical(f *app.Field, v landfall.Value) (landfall.Value, bool) {
	if landfall.IsNull(v) {
		return landfall.Null, true
	}
	switch f.Type {
	case app.Integer:
		n, err := strconv.ParseInt(string(v), 10, 64)
		return landfall.Value(strconv.FormatInt(n, 10)), err == nil && n <= 1<<53 && n >= -1<<53
	case app.Decimal:
		return canonicalDecimal(v)
	case app.Choices:
		return canonicalChoices(f, v)
	}
	s := ""
	if json.Unmarshal(v, &s) != nil || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return nil, false
	}
	if s == "" {
		return landfall.Null, true
	}
	var ok bool
	switch f.Type {
	case app.Choice:
		ok = slices.Contains(f.Choices, s)
	case app.Reference:
		s = strings.ToLower(s)
		ok = uuid.MatchString(s)
	case app.User, app.Team:
		ok = accountName.MatchString(s)
	case app.Datetime:
		t, err := time.Parse(time.RFC3339Nano, s)
		s, ok = stamp(t), err == nil && t.UTC().Year() > 0 && t.UTC().Year() < 10_000
	default:
		ok = utf8.RuneCountInString(s) <= longest(f)
	}
	return quoted(s), ok
}

// longest is how many characters a text may have.
func longest(f *app.Field) int {
	switch {
	case f.Max > 0:
		return f.Max
	case f.Type == app.LongText:
		return 100_000
	default:
		return 4_000
	}
}

func canonicalChoices(f *app.Field, v landfall.Value) (landfall.Value, bool) {
	var members []string
	if json.Unmarshal(v, &members) != nil {
		return nil, false
	}
	for _, m := range members {
		if !slices.Contains(f.Choices, m) {
			return nil, false
		}
	}
	return set(members), true
}

// set is a sorted set of texts as a value; null when it is empty.
func set(members []string) landfall.Value {
	members = slices.Clone(members)
	slices.Sort(members)
	members = slices.Compact(members)
	if len(members) == 0 {
		return landfall.Null
	}
	return encoded(members)
}

func canonicalDecimal(v landfall.Value) (landfall.Value, bool) {
	s := string(v)
	if v[0] == '"' {
		if json.Unmarshal(v, &s) != nil {
			return nil, false
		}
		if s == "" {
			return landfall.Null, true
		}
	}
	if len(s) > 68 || !decimal.MatchString(s) {
		return nil, false
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, false
	}
	return writeDecimal(r)
}

// writeDecimal writes a number exactly, without trailing zeros; false when it
// takes more than 34 digits.
func writeDecimal(r *big.Rat) (landfall.Value, bool) {
	s := r.FloatString(80)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" || s == "-" {
		s = "0"
	}
	if r.IsInt() {
		s = r.Num().String()
	}
	if back, ok := new(big.Rat).SetString(s); !ok || back.Cmp(r) != 0 {
		return nil, false
	}
	return quoted(s), len(strings.TrimLeft(s, "-")) <= 35
}

// number is a decimal or integer as a number; unset is 0.
func number(v landfall.Value) *big.Rat {
	s := string(v)
	if !landfall.IsNull(v) && v[0] == '"' {
		s = text(v)
	}
	if r, ok := new(big.Rat).SetString(s); ok && !landfall.IsNull(v) {
		return r
	}
	return new(big.Rat)
}
