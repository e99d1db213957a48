package oracle

import (
	"encoding/json"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Value is a value as JSON text, in the one form that it is stored in; empty
// for an unset field.
type Value = string

// most is how far integers go.
const most = 1 << 53

var (
	userForm    = regexp.MustCompile(`^[a-z][a-z0-9_.-]{0,63}$`)
	recordForm  = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	decimalForm = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
)

// Stored is the form in which the field keeps what was entered; false when it
// takes no such value. Entered is JSON text; empty and null clear the field.
func (f *Field) Stored(entered string) (Value, bool) {
	if entered == "" || entered == "null" {
		return "", true
	}
	var x any
	if json.Unmarshal([]byte(entered), &x) != nil {
		return "", false
	}
	s, text := x.(string)
	switch f.Kind {
	case "boolean":
		_, is := x.(bool)
		return entered, is
	case "integer":
		n, err := strconv.ParseInt(entered, 10, 64)
		return strconv.FormatInt(n, 10), err == nil && n >= -most && n <= most
	case "decimal":
		if !text {
			s = entered
		}
		if s == "" {
			return "", true
		}
		return decimal(s)
	case "choices", "references":
		return f.set(entered)
	}
	if !text {
		return "", false
	}
	if s == "" {
		return "", true
	}
	fits := true
	if moments[f.Kind] != nil {
		s, fits = moments[f.Kind](s)
		return quoted(s), fits
	}
	switch f.Kind {
	case "text", "long_text":
		fits = f.Max == 0 || len([]rune(s)) <= f.Max
	case "choice":
		fits = slices.Contains(f.Choices, s)
	case "user", "team":
		fits = userForm.MatchString(s)
	case "reference":
		s = strings.ToLower(s)
		fits = recordForm.MatchString(s)
	}
	return quoted(s), fits
}

// moments are the forms of dates, times and durations.
var moments = map[string]func(string) (string, bool){
	"date": func(s string) (string, bool) {
		t, err := time.Parse(time.DateOnly, s)
		return t.Format(time.DateOnly), err == nil
	},
	"datetime": func(s string) (string, bool) {
		t, err := time.Parse(time.RFC3339Nano, s)
		return t.UTC().Format(time.RFC3339Nano), err == nil
	},
	"duration": func(s string) (string, bool) {
		d, err := time.ParseDuration(s)
		return d.String(), err == nil
	},
}

// set is a list of choices or records, each once and in order.
func (f *Field) set(entered string) (Value, bool) {
	var list []string
	if json.Unmarshal([]byte(entered), &list) != nil {
		return "", false
	}
	for i, m := range list {
		if f.Kind == "references" {
			list[i] = strings.ToLower(m)
		}
		if f.Kind == "references" && !recordForm.MatchString(list[i]) || f.Kind == "choices" && !slices.Contains(f.Choices, m) {
			return "", false
		}
	}
	v := listed(list)
	return v, f.Max == 0 || len(members(v)) <= f.Max
}

func listed(list []string) Value {
	list = slices.Clone(list)
	slices.Sort(list)
	var quotes []string
	for _, m := range slices.Compact(list) {
		quotes = append(quotes, quoted(m))
	}
	if len(quotes) == 0 {
		return ""
	}
	return "[" + strings.Join(quotes, ",") + "]"
}

// quoted is a text without characters that JSON escapes, which is all that tests enter.
func quoted(s string) Value { return `"` + s + `"` }

// decimal is the number without zeros that say nothing.
func decimal(s string) (Value, bool) {
	r, ok := new(big.Rat).SetString(s)
	if !ok || !decimalForm.MatchString(s) {
		return "", false
	}
	return ofRat(r), true
}

func ofRat(r *big.Rat) Value {
	s := r.FloatString(20)
	return quoted(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
}

// number is the value of a number; unset counts as nothing.
func number(v Value) *big.Rat {
	r, ok := new(big.Rat).SetString(text(v))
	if !ok {
		return new(big.Rat)
	}
	return r
}

// length is the value of a duration; unset counts as nothing.
func length(v Value) time.Duration {
	d, err := time.ParseDuration(text(v))
	if err != nil {
		return 0
	}
	return d
}

// text is a value without its quotes.
func text(v Value) string { return strings.Trim(v, `"`) }

func members(v Value) []string {
	if v == "" {
		return nil
	}
	return strings.Split(strings.ReplaceAll(strings.Trim(v, "[]"), `"`, ""), ",")
}

// sum is current + (sent − was); false when the field can't hold it.
func (f *Field) sum(current, sent, was Value) (Value, bool) {
	if f.Kind == "duration" {
		return quoted((length(current) + length(sent) - length(was)).String()), true
	}
	r := new(big.Rat).Add(number(current), new(big.Rat).Sub(number(sent), number(was)))
	if f.Kind == "decimal" {
		return ofRat(r), true
	}
	limit := new(big.Rat).SetInt64(most)
	return r.Num().String(), new(big.Rat).Abs(r).Cmp(limit) <= 0
}

// union is what is there, with what was added and without what was taken out.
func union(current, sent, was Value) Value {
	var out []string
	for _, m := range append(members(current), members(sent)...) {
		added := slices.Contains(members(sent), m) && !slices.Contains(members(was), m)
		taken := slices.Contains(members(was), m) && !slices.Contains(members(sent), m)
		if (slices.Contains(members(current), m) || added) && !taken {
			out = append(out, m)
		}
	}
	return listed(out)
}
