package core

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cockroachdb/apd/v3"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// sides are the three sides of one field, all canonical.
type sides struct {
	was, current, device landfall.Value
	touched              bool // by somebody else since the base
	later                bool // the device's edit was made after the stored one
	blind                bool // the author may not read the field: the current value must not tell
}

// fate is what becomes of the device's value.
type fate int

const (
	merged     fate = iota // the result is the value that merge returns
	deviceLost             // by the declared policy: what is stored stays
	undecided              // a person must decide
	outOfRange             // the sum does not fit the field
)

// merge is the three-way merge of one field. Both sides the same is nothing to
// do, except for sums: two who take one from ten each write nine, and eight are left.
func (s sides) merge(f *definition.Field) (landfall.Value, fate) {
	if !s.touched {
		return s.device, merged
	}
	if landfall.SameValue(s.device, s.current) && f.Policy != definition.Add && !s.blind {
		return s.current, merged
	}
	switch f.Policy {
	case definition.Server:
		return nil, deviceLost
	case definition.Device:
		return s.device, merged
	case definition.Add:
		if v, ok := added(f.Type, s.current, s.device, s.was); ok {
			return v, merged
		}
		return nil, outOfRange
	case definition.Union:
		if f.Type == definition.Attachments {
			return unitedFiles(s.current, s.device, s.was), merged
		}
		return united(s.current, s.device, s.was), merged
	case definition.Append:
		was, device := text(s.was), text(s.device)
		if !strings.HasPrefix(device, was) {
			return nil, undecided
		}
		return quote(text(s.current) + device[len(was):]), merged
	case definition.Review:
		return nil, undecided
	default:
		if s.later {
			return s.device, merged
		}
		return nil, deviceLost
	}
}

// combines reports whether both sides are kept together. Somebody who can't read
// what is there adds to it, and replaces nothing unseen.
func combines(p definition.Policy) bool {
	return p == definition.Add || p == definition.Union || p == definition.Append
}

// added is current + (device − was), exactly; unset counts as nothing. It is
// false when the result does not fit, or the type can't be added.
func added(t definition.FieldType, current, device, was landfall.Value) (landfall.Value, bool) {
	switch t {
	case definition.Integer:
		n, ok := sum(integer(current), integer(device), integer(was))
		return landfall.Value(strconv.FormatInt(n, 10)), ok
	case definition.Duration:
		n, ok := sum(duration(current), duration(device), duration(was))
		return quote(time.Duration(n).String()), ok
	case definition.Decimal:
		return addedDecimal(current, device, was)
	default:
		return nil, false
	}
}

// sum is a + (b − c), false on overflow.
func sum(a, b, c int64) (int64, bool) {
	d := b - c
	if (c > 0 && d > b) || (c < 0 && d < b) {
		return 0, false
	}
	n := a + d
	if (d > 0 && n < a) || (d < 0 && n > a) || n == math.MinInt64 {
		return 0, false
	}
	return n, true
}

func integer(v landfall.Value) int64 {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil {
		return 0 // unset
	}
	return n
}

func duration(v landfall.Value) int64 {
	d, err := time.ParseDuration(text(v))
	if err != nil {
		return 0 // unset
	}
	return int64(d)
}

func addedDecimal(current, device, was landfall.Value) (landfall.Value, bool) {
	c := apd.BaseContext.WithPrecision(400)
	c.Traps = apd.SystemOverflow | apd.SystemUnderflow | apd.Overflow | apd.Underflow | apd.InvalidOperation | apd.Inexact
	var d, n apd.Decimal
	if _, err := c.Sub(&d, number(device), number(was)); err != nil {
		return nil, false
	}
	if _, err := c.Add(&n, number(current), &d); err != nil {
		return nil, false
	}
	s, ok := definition.CanonicalDecimal(&n)
	return quote(s), ok
}

func number(v landfall.Value) *apd.Decimal {
	d, _, err := apd.NewFromString(text(v))
	if err != nil || d.Form != apd.Finite {
		return apd.New(0, 0) // unset
	}
	return d
}

// unitedFiles is united for files: those of one hash are one. Where both sides
// have a file, it is described as the device does if that described it anew.
func unitedFiles(current, device, was landfall.Value) landfall.Value {
	now, mine, old := files(current), files(device), files(was)
	out := []byte{'['}
	for _, hash := range slices.Sorted(maps.Keys(now)) {
		if mine[hash] == nil && old[hash] != nil {
			delete(now, hash)
		}
	}
	for hash, f := range mine {
		if now[hash] == nil && old[hash] != nil || now[hash] != nil && landfall.SameValue(f, old[hash]) {
			continue
		}
		now[hash] = f
	}
	for _, hash := range slices.Sorted(maps.Keys(now)) {
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(out, now[hash]...)
	}
	return append(out, ']')
}

// files are the files in a value, by their hashes.
func files(v landfall.Value) map[string]landfall.Value {
	var list []landfall.Value
	out := map[string]landfall.Value{}
	if landfall.IsNull(v) || json.Unmarshal(v, &list) != nil {
		return out
	}
	for _, f := range list {
		var is struct {
			Hash string `json:"hash"`
		}
		if json.Unmarshal(f, &is) == nil {
			out[is.Hash] = f
		}
	}
	return out
}

// united is current ∪ (device ∖ was) ∖ (was ∖ device), sorted.
func united(current, device, was landfall.Value) landfall.Value {
	now, mine, old := texts(current), texts(device), texts(was)
	var out []string
	for _, m := range append(slices.Clone(now), mine...) {
		inMine, inOld := contains(mine, m), contains(old, m)
		if inOld && !inMine || !contains(now, m) && inOld {
			continue
		}
		out = append(out, m)
	}
	slices.Sort(out)
	return listOf(slices.Compact(out))
}
