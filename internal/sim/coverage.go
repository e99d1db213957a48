package sim

import "slices"

// Aim is something rare that a campaign of some size should reach: a branch, or
// a branch in a world in which a fault was in force. The second says that both
// were there, not that one came of the other.
type Aim struct {
	Name   string
	Fault  Fault // "": in any world
	Branch string
}

func (a *Aim) reached(r *Result) bool {
	return r.Met[a.Branch] > 0 && (a.Fault == "" || r.Scenario.inForce(a.Fault))
}

// possible: a campaign of this swarm can reach it.
func (a *Aim) possible(o Swarm) bool {
	return a.Fault == "" || slices.Contains(o.of(slices.Clone(AllFaults)), a.Fault)
}

// Coverage lists what the worlds of a campaign could have reached, and what of
// it none did.
func (r *Report) Coverage() (all, never []Aim) {
	for _, a := range aims {
		if !a.possible(r.Swarm) {
			continue
		}
		if all = append(all, a); r.Aims[a.Name] == 0 {
			never = append(never, a)
		}
	}
	return all, never
}
