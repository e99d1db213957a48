package store

import "slices"

// someUsers is how many users are read at a time by who may stop early.
const someUsers = 100

// EachUser goes through the users by name until f returns false.
func EachUser(r Accounts, ws string, f func(*User) bool) error {
	after := ""
	for {
		page, err := r.Users(ws, Page{After: after, Limit: someUsers})
		if err != nil {
			return err
		}
		for _, u := range page {
			if !f(u) {
				return nil
			}
			after = u.Name
		}
		if len(page) < someUsers {
			return nil
		}
	}
}

// Works reports whether the user is enabled and has one of the roles.
func (u *User) Works(roles []string) bool {
	a := u.Actor()
	return !u.Disabled && slices.ContainsFunc(roles, a.Has)
}

// Staffed reports whether a user works with one of the roles; the user except
// is not counted. It reads users until the first is found.
func Staffed(r Accounts, ws string, roles []string, except string) (found bool, err error) {
	err = EachUser(r, ws, func(u *User) bool {
		found = u.Name != except && u.Works(roles)
		return !found
	})
	return found, err
}

// Unattended reports whether sync issues wait in a queue that no user works with
// one of the roles; the user except is not counted.
func Unattended(r Reader, ws, queue string, roles []string, except string) (bool, error) {
	staffed, err := Staffed(r, ws, roles, except)
	if err != nil || staffed {
		return false, err
	}
	waiting, err := r.Issues(ws, IssueFilter{State: Unresolved, Queue: queue}, Page{Limit: 1})
	return len(waiting) > 0, err
}
