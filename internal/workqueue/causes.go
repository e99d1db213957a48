package workqueue

import (
	"cmp"
	"context"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// How much a cause tells.
const (
	usersNamed    = 5
	examplesShown = 3
)

// cause is one group in the making.
type cause struct {
	wire.Cause
	users, devices map[string]bool
	newest         []int64 // numbers
}

// Causes groups the unresolved issues that the caller may see by what caused
// them, the largest group first.
func (d *Desk) Causes(ctx context.Context, ws string, actor landfall.Actor) ([]wire.Cause, error) {
	list := []wire.Cause{}
	err := d.look(ctx, ws, actor, func(v *view) error {
		groups, err := v.r.IssueGroups(ws, "")
		if err != nil {
			return err
		}
		for _, c := range v.causes(groups) {
			if err := v.tell(c); err != nil {
				return err
			}
			list = append(list, c.Cause)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b wire.Cause) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.LastSeen.Compare(a.LastSeen), cmp.Compare(a.Cause, b.Cause))
	})
	return list, err
}

// causes adds up the groups that the caller may see.
func (v *view) causes(groups []store.IssueGroup) []*cause {
	var list []*cause
	at := map[string]*cause{}
	for k := range groups {
		g := &groups[k]
		if !v.seesGroup(g) {
			continue
		}
		c := at[g.Cause]
		if c == nil {
			c = &cause{users: map[string]bool{}, devices: map[string]bool{}}
			c.Cause.Cause, c.Kind, c.FirstSeen, c.LastSeen = g.Cause, g.Kind, g.First, g.Last
			at[g.Cause] = c
			list = append(list, c)
		}
		c.Count += g.Count
		c.users[g.Author], c.devices[g.Device] = true, true
		c.newest = append(c.newest, g.Newest)
		if g.First.Before(c.FirstSeen) {
			c.FirstSeen = g.First
		}
		if g.Last.After(c.LastSeen) {
			c.LastSeen = g.Last
		}
	}
	return list
}

// seesGroup is seesIssue of all issues of a group: who may receive them is the
// same for each.
func (v *view) seesGroup(g *store.IssueGroup) bool {
	return v.holds(core.IssueAudience(v.app, g.Author, g.Queue, g.Assignee)) || v.decides(&landfall.Issue{Queue: g.Queue})
}

// tell says what the cause is, by its newest issues, and who is concerned.
func (v *view) tell(c *cause) error {
	slices.SortFunc(c.newest, func(a, b int64) int { return cmp.Compare(b, a) })
	c.Messages, c.Examples = []landfall.Message{}, []wire.Example{}
	for _, n := range c.newest[:min(len(c.newest), examplesShown)] {
		row, err := v.r.IssueByNumber(v.ws, n)
		if err != nil {
			return err
		}
		if row == nil {
			continue
		}
		i := &row.Issue
		number, err := v.number(i.Record)
		if err != nil {
			return err
		}
		c.Examples = append(c.Examples, wire.Example{ID: i.ID, Number: i.Number, Author: i.Author, RecordNumber: number})
		if len(c.Examples) == 1 {
			c.Type, c.Transition = i.RecordType, i.Transition
			c.Messages = append(c.Messages, i.Messages...)
		}
	}
	if len(c.Messages) > 0 {
		c.Field = c.Messages[0].Field
	}
	for name := range c.users {
		c.Users = append(c.Users, name)
	}
	slices.Sort(c.Users)
	c.UserCount, c.Devices = len(c.Users), len(c.devices)
	who, err := v.whoLacks(c.Users)
	if err != nil {
		return err
	}
	c.Title, c.Fix = core.CauseTitle(v.app, core.Cause{Count: c.Count, Who: who, Kind: c.Kind, Type: c.Type, Transition: c.Transition, Messages: c.Messages})
	c.Users = c.Users[:min(len(c.Users), usersNamed)]
	return nil
}

// rolesAsked is of how many users the roles are looked up.
const rolesAsked = 50

// whoLacks is what the users have in common: a role, or that they are one.
func (v *view) whoLacks(users []string) (core.Who, error) {
	who := core.Who{Users: len(users)}
	if len(users) == 1 {
		who.Name = users[0]
	}
	if len(users) < 2 || len(users) > rolesAsked {
		return who, nil
	}
	var common []string
	for k, name := range users {
		u, err := v.r.User(v.ws, name)
		if err != nil {
			return who, err
		}
		if u == nil {
			return who, nil
		}
		if k == 0 {
			common = slices.Clone(u.Roles)
		}
		common = slices.DeleteFunc(common, func(role string) bool { return !slices.Contains(u.Roles, role) })
	}
	if len(common) == 1 {
		who.Role = common[0]
	}
	return who, nil
}
