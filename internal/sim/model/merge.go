package model

import (
	"math/big"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// three are the sides of one field.
type three struct {
	was, current, device landfall.Value
	touched              bool // by somebody else since the base
	later                bool // the device's edit is later than the stored one
	blind                bool // its author may not read the field, so what is stored must not tell
}

// fate is what becomes of the device's value.
type fate int

const (
	taken  fate = iota // it, or what it makes together with the other, is stored
	lost               // what is stored stays, by the policy
	asked              // a person decides
	cannot             // what they make together does not fit the field
)

// merge is the three-way merge of one field by its policy.
func (s three) merge(f *app.Field) (landfall.Value, fate) {
	if !s.touched {
		return s.device, taken
	}
	if f.Conflict != "add" && !s.blind && landfall.SameValue(s.device, s.current) {
		return s.current, taken
	}
	switch f.Conflict {
	case "server":
		return nil, lost
	case "device":
		return s.device, taken
	case "review":
		return nil, asked
	case "add":
		return fits(f, added(f, s))
	case "union":
		return fits(f, set(united(list(s.current), list(s.device), list(s.was))))
	case "append":
		more, begins := strings.CutPrefix(text(s.device), text(s.was))
		if !begins {
			return nil, asked
		}
		return fits(f, quoted(text(s.current)+more))
	}
	if s.later {
		return s.device, taken
	}
	return nil, lost
}

func fits(f *app.Field, v landfall.Value) (landfall.Value, fate) {
	if c, ok := canonical(f, v); ok && v != nil {
		return c, taken
	}
	return nil, cannot
}

// added is current + (device − was), unset counting as 0.
func added(f *app.Field, s three) landfall.Value {
	n := new(big.Rat).Sub(number(s.device), number(s.was))
	n.Add(n, number(s.current))
	if f.Type == app.Integer {
		return landfall.Value(n.Num().String())
	}
	v, ok := writeDecimal(n)
	if !ok {
		return nil
	}
	return v
}

// united is current ∪ (device ∖ was) ∖ (was ∖ device).
func united(current, device, was []string) []string {
	var out []string
	for _, x := range current {
		if !slices.Contains(was, x) || slices.Contains(device, x) {
			out = append(out, x)
		}
	}
	for _, x := range device {
		if !slices.Contains(was, x) {
			out = append(out, x)
		}
	}
	return out
}
