package sim

// Aim is something rare that a campaign of some size should reach: a branch, or
// a branch in a world with a certain fault.
type Aim struct {
	Name   string
	Fault  Fault // "": in any world
	Branch string
}

func (a *Aim) reached(r *Result) bool {
	return r.Met[a.Branch] > 0 && (a.Fault == "" || r.Scenario.inForce(a.Fault))
}

var aims []Aim
