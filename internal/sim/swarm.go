package sim

import (
	"fmt"
	"slices"
	"strings"
)

// Swarm says which faults its worlds may have: all, each chosen by seed, if it is
// empty.
type Swarm struct {
	Only    []Fault `json:"only,omitempty"`    // every world has exactly these
	Without []Fault `json:"without,omitempty"` // no world has these
}

// of is what the swarm makes of the faults that a seed chose.
func (o Swarm) of(chosen []Fault) []Fault {
	if len(o.Only) > 0 {
		chosen = slices.Clone(o.Only)
	}
	return slices.DeleteFunc(chosen, func(f Fault) bool { return slices.Contains(o.Without, f) })
}

// Faults finds faults by their names.
func Faults(names []string) ([]Fault, error) {
	var out []Fault
	for _, name := range names {
		f := Fault(strings.TrimSpace(name))
		if !slices.Contains(AllFaults, f) {
			return nil, fmt.Errorf("there is no fault %q; there are: %s", f, joined(AllFaults))
		}
		out = append(out, f)
	}
	return out, nil
}

func joined(all []Fault) string {
	names := make([]string, len(all))
	for i, f := range all {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}

// inForce: the fault can happen in this world. One that comes by actions needs
// one of them.
func (s *Scenario) inForce(f Fault) bool {
	return s.Conf.has(f) && (added[f] == nil || slices.ContainsFunc(s.Actions, func(a Action) bool { return a.by(f) }))
}

// by: the action is one that the fault adds.
func (a *Action) by(f Fault) bool {
	return slices.ContainsFunc(added[f], func(w weighted) bool { return w.do == a.Do })
}
