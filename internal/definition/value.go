package definition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cockroachdb/apd/v3"

	"github.com/landfall-sync/landfall"
)

// Limits of values that a definition does not limit itself.
const (
	maxText     = 4_000
	maxLongText = 100_000
	maxMembers  = 500
	maxDigits   = 34
	maxJSON     = 64 << 10
)

var (
	userName = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	recordID = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)
)

// Canonical checks a value against the field's type and limits and returns its
// canonical form. Null is canonical for every type. The message names the field
// and what was expected, never the value.
func (f *Field) Canonical(v landfall.Value) (landfall.Value, *landfall.Message) {
	if landfall.IsNull(v) {
		return landfall.Null, nil
	}
	switch f.Type {
	case Text, LongText, ChoiceOne, Reference, UserRef, TeamRef, Date, Time, DateTime, Duration:
		s, plain := plainText(v)
		if !plain && json.Unmarshal(v, &s) != nil {
			return nil, f.wrong()
		}
		c, bad := f.canonicalText(s)
		switch {
		case bad != nil:
			return nil, bad
		case c == "":
			return landfall.Null, nil
		case plain && c == s:
			return v, nil // as it is
		}
		return quote(c), nil
	case Integer:
		return f.canonicalInteger(v)
	case Decimal:
		return f.canonicalDecimal(v)
	case Boolean:
		if s := string(v); s != "true" && s != "false" {
			return nil, f.wrong()
		}
		return v, nil
	case ChoiceMany, References:
		return f.canonicalSet(v)
	case Location:
		return f.canonicalPlace(v)
	case Attachment, Attachments, Signature:
		return f.canonicalFiles(v)
	default:
		return f.canonicalJSON(v)
	}
}

func (f *Field) wrong() *landfall.Message {
	return &landfall.Message{Code: "wrong_type", Field: f.Name, Text: f.Title + ": " + f.expected() + " was expected", Hint: "Enter it like that."}
}

func (f *Field) expected() string {
	switch f.Type {
	case Integer:
		return "a whole number such as 12"
	case Decimal:
		return "a number such as 12.50"
	case Boolean:
		return "true or false"
	case Date:
		return "a date such as 2026-03-31"
	case Time:
		return "a time such as 14:05:00"
	case DateTime:
		return "a date and time such as 2026-03-31T14:05:00Z"
	case Duration:
		return "a duration such as 1h30m"
	case ChoiceOne:
		return "one of " + f.choiceList()
	case ChoiceMany:
		return "a list out of " + f.choiceList()
	case Reference:
		return "the id of a record"
	case References:
		return "a list of ids of records"
	case UserRef:
		return "the name of a user"
	case TeamRef:
		return "the name of a team"
	case JSON:
		return "JSON"
	case Location:
		return `a place such as {"lat":52.23,"lon":21.01}`
	case Attachment, Signature:
		return "a file: its hash, name, size and type"
	case Attachments:
		return "a list of files: hash, name, size and type of each"
	default:
		return "text"
	}
}

func (f *Field) choiceList() string {
	var names []string
	for _, c := range f.Choices {
		names = append(names, c.Value)
	}
	return strings.Join(names, ", ")
}

// plainText is the text of a JSON string that needs no escapes in any writing:
// nothing to decode, and nothing to encode.
func plainText(v landfall.Value) (string, bool) {
	if len(v) < 2 || v[0] != '"' || v[len(v)-1] != '"' {
		return "", false
	}
	in := v[1 : len(v)-1]
	for _, c := range in {
		if c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return "", false
		}
	}
	return string(in), true
}

// canonicalText is the canonical form of what is carried as text; "" clears.
func (f *Field) canonicalText(s string) (string, *landfall.Message) {
	if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return "", f.wrong()
	}
	if s == "" {
		return "", nil
	}
	switch f.Type {
	case Text, LongText:
		limit := f.limit()
		if n := utf8.RuneCountInString(s); n > limit {
			return "", &landfall.Message{Code: "too_long", Field: f.Name, Text: fmt.Sprintf("%s: at most %d characters fit", f.Title, limit), Hint: "Make it shorter."}
		}
	case ChoiceOne:
		if m := f.knownChoice(s); m != nil {
			return "", m
		}
	case Reference:
		s = strings.ToLower(s)
		if !recordID.MatchString(s) {
			return "", f.wrong()
		}
	case UserRef, TeamRef:
		if !userName.MatchString(s) {
			return "", f.wrong()
		}
	default:
		c, ok := canonicalMoment(f.Type, s)
		if !ok {
			return "", f.wrong()
		}
		s = c
	}
	return s, nil
}

func (f *Field) limit() int {
	if f.Max > 0 {
		return f.Max
	}
	switch f.Type {
	case Text:
		return maxText
	case LongText:
		return maxLongText
	default:
		return maxMembers
	}
}

func (f *Field) knownChoice(s string) *landfall.Message {
	var names []string
	for _, c := range f.Choices {
		if c.Value == s {
			return nil
		}
		names = append(names, c.Value)
	}
	m := f.wrong()
	m.Code, m.Hint = "unknown_choice", "Choose one of them."
	if near := Nearest(s, names); near != "" {
		m.Hint = "Did you mean " + near + "?"
	}
	return m
}

// canonicalMoment is the canonical form of dates, times and durations.
func canonicalMoment(t FieldType, s string) (string, bool) {
	switch t {
	case Date:
		d, err := time.Parse(time.DateOnly, s)
		return s, err == nil && d.Year() > 0
	case Time:
		for _, layout := range []string{"15:04:05", "15:04"} {
			if c, err := time.Parse(layout, s); err == nil {
				return c.Format("15:04:05"), true
			}
		}
		return "", false
	case DateTime:
		c, err := time.Parse(time.RFC3339Nano, s)
		c = c.UTC()
		return c.Format(time.RFC3339Nano), err == nil && c.Year() > 0 && c.Year() < 10_000
	default:
		d, err := time.ParseDuration(s)
		return d.String(), err == nil
	}
}

func (f *Field) canonicalInteger(v landfall.Value) (landfall.Value, *landfall.Message) {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return nil, f.wrong()
	}
	if n > 1<<53 || n < -(1<<53) {
		return nil, &landfall.Message{Code: "out_of_range", Field: f.Name, Text: f.Title + ": the number is too large; integers go up to 2^53", Hint: "Enter a smaller one."}
	}
	return landfall.Value(strconv.FormatInt(n, 10)), nil
}

func (f *Field) canonicalDecimal(v landfall.Value) (landfall.Value, *landfall.Message) {
	s := string(v)
	if v[0] == '"' && json.Unmarshal(v, &s) != nil {
		return nil, f.wrong()
	}
	if s == "" {
		return landfall.Null, nil
	}
	if len(s) > 2*maxDigits {
		return nil, f.tooManyDigits()
	}
	d, _, err := apd.NewFromString(s)
	if err != nil || d.Form != apd.Finite {
		return nil, f.wrong()
	}
	c, ok := CanonicalDecimal(d)
	if !ok {
		return nil, f.tooManyDigits()
	}
	return quote(c), nil
}

func (f *Field) tooManyDigits() *landfall.Message {
	return &landfall.Message{Code: "out_of_range", Field: f.Name, Text: fmt.Sprintf("%s: at most %d digits fit", f.Title, maxDigits), Hint: "Enter fewer."}
}

// CanonicalDecimal writes a finite decimal without exponent or trailing zeros.
// It is false when more digits would be needed than a decimal may have.
func CanonicalDecimal(d *apd.Decimal) (string, bool) {
	if d.IsZero() {
		return "0", true
	}
	if d.Exponent > maxDigits || d.Exponent < -2*maxDigits {
		return "", false
	}
	var r apd.Decimal
	r.Reduce(d)
	text := r.Text('f')
	return text, len(strings.Trim(text, "-.")) <= maxDigits+1
}

func (f *Field) canonicalSet(v landfall.Value) (landfall.Value, *landfall.Message) {
	var members []string
	if json.Unmarshal(v, &members) != nil {
		return nil, f.wrong()
	}
	for i, m := range members {
		if f.Type == References {
			members[i] = strings.ToLower(m)
			if !recordID.MatchString(members[i]) {
				return nil, f.wrong()
			}
			continue
		}
		if msg := f.knownChoice(m); msg != nil {
			return nil, msg
		}
	}
	slices.Sort(members)
	members = slices.Compact(members)
	if len(members) == 0 {
		return landfall.Null, nil
	}
	if n := len(members); n > f.limit() {
		return nil, &landfall.Message{Code: "too_long", Field: f.Name, Text: fmt.Sprintf("%s: at most %d fit", f.Title, f.limit()), Hint: "Leave some out."}
	}
	return encode(members), nil
}

func (f *Field) canonicalJSON(v landfall.Value) (landfall.Value, *landfall.Message) {
	if len(v) > maxJSON {
		return nil, f.tooManyBytes()
	}
	dec := json.NewDecoder(bytes.NewReader(v))
	dec.UseNumber()
	var x any
	if dec.Decode(&x) != nil || dec.More() {
		return nil, f.wrong()
	}
	c := encode(x)
	if len(c) > maxJSON { // some characters take more bytes in canonical form
		return nil, f.tooManyBytes()
	}
	return c, nil
}

func (f *Field) tooManyBytes() *landfall.Message {
	return &landfall.Message{Code: "too_long", Field: f.Name, Text: fmt.Sprintf("%s: at most %d bytes fit", f.Title, maxJSON), Hint: "Make it shorter."}
}

func quote(s string) landfall.Value { return encode(s) }

// encode is canonical JSON: compact, sorted keys, no HTML escapes. It is used
// for values that always can be encoded.
func encode(x any) landfall.Value {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return landfall.Null
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// FromText turns what a person typed into a canonical value. Nothing typed
// clears the field; sets are lists with commas, or arrays as JSON writes them.
func FromText(f *Field, s string) (landfall.Value, *landfall.Message) {
	if s == "" {
		return landfall.Null, nil
	}
	switch f.Type {
	case Integer, Boolean, JSON, Location, Attachment, Attachments, Signature:
		if !json.Valid([]byte(s)) {
			return nil, f.wrong()
		}
		return f.Canonical(landfall.Value(s))
	case ChoiceMany, References:
		if array(s) {
			return f.Canonical(landfall.Value(s))
		}
		var members []string
		for m := range strings.SplitSeq(s, ",") {
			members = append(members, strings.TrimSpace(m))
		}
		return f.Canonical(encode(members))
	default:
		return f.Canonical(quote(s))
	}
}
