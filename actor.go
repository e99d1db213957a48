package landfall

import "slices"

// Actor is who does something: a user with what they hold at this moment.
type Actor struct {
	User  string   `json:"user"`
	Roles []string `json:"roles,omitempty"`
	Teams []string `json:"teams,omitempty"`
	// Disabled users and blocked devices may deposit, and receive nothing.
	Disabled bool `json:"disabled,omitempty"`
	Blocked  bool `json:"blocked,omitempty"`
}

// Has reports whether the actor holds the role.
func (a *Actor) Has(role string) bool { return slices.Contains(a.Roles, role) }

// In reports whether the actor is in the team.
func (a *Actor) In(team string) bool { return slices.Contains(a.Teams, team) }

// Keys are the audience keys that the actor holds, sorted: all, role:…, team:…, user:….
func (a *Actor) Keys() []string {
	keys := []string{"all", "user:" + a.User}
	for _, r := range a.Roles {
		keys = append(keys, "role:"+r)
	}
	for _, t := range a.Teams {
		keys = append(keys, "team:"+t)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
