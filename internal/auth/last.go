package auth

import (
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// missed refuses u as it would be, if nobody were left for what only that user
// can do now: administer, or decide what waits in a queue.
func (a *Accounts) missed(r store.Reader, ws string, u *store.User) error {
	was, err := r.User(ws, u.Name)
	if err != nil || was == nil {
		return err
	}
	if err := lastAdministrator(r, ws, was, u); err != nil {
		return err
	}
	return a.lastMember(r, ws, was, u)
}

// lastAdministrator refuses u as it would be, if nobody else could administer.
func lastAdministrator(r store.Reader, ws string, was, u *store.User) error {
	if !administers(was) || administers(u) {
		return nil
	}
	found := false
	err := store.EachUser(r, ws, func(other *store.User) bool {
		found = other.Name != u.Name && administers(other)
		return !found
	})
	if err != nil || found {
		return err
	}
	return landfall.Errorf(landfall.CodeConflict, "%q is the last administrator who can sign in", u.Name).
		WithHint("make somebody else administrator first: without one, nobody could decide sync issues or repair accounts")
}

func administers(u *store.User) bool {
	return u.Password != "" && u.Works([]string{landfall.Administrator})
}

// lastMember refuses u as it would be, if sync issues waited in a queue that
// nobody else works. What is issued later goes to the administrators.
func (a *Accounts) lastMember(r store.Reader, ws string, was, u *store.User) error {
	if was.Disabled || !u.Disabled && len(without(was.Roles, u.Roles...)) == 0 {
		return nil
	}
	app, err := a.defs.At(r, ws)
	if err != nil {
		return err
	}
	for _, queue := range slices.Sorted(maps.Keys(app.Queues)) {
		roles := app.Members(queue)
		if !was.Works(roles) || u.Works(roles) {
			continue
		}
		wait, err := store.Unattended(r, ws, queue, roles, u.Name)
		if err != nil {
			return err
		}
		if wait {
			return landfall.Errorf(landfall.CodeConflict, "sync issues wait in the queue %q, and %q is the last who works it", queue, u.Name).
				WithHint("give somebody else the role %s first, yourself if need be, or have the issues handed to another queue", strings.Join(roles, " or "))
		}
	}
	return nil
}
