package sim

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/wire"
)

type authCaller = auth.Caller

// asks are the full syncs that were asked for, as the world knows: the last one
// of each kind.
type asks struct {
	all     int
	roles   map[string]int
	devices map[string]int
}

func newAsks() *asks { return &asks{roles: map[string]int{}, devices: map[string]int{}} }

func (a *asks) clone() *asks {
	c := newAsks()
	c.all = a.all
	for k, v := range a.roles {
		c.roles[k] = v
	}
	for k, v := range a.devices {
		c.devices[k] = v
	}
	return c
}

// note takes in what was asked for by a commit.
func (a *asks) note(c *watch.Commit) {
	for i := range c.Ops {
		op := &c.Ops[i]
		if d := op.Replica; d != nil && d.Resync > 0 {
			a.devices[d.ID] = int(d.Resync)
		}
		if op.Counter == nil {
			continue
		}
		role, of := strings.CutPrefix(op.Counter.Series, "full sync of role:")
		switch n := int(op.Counter.N); {
		case of:
			a.roles[role] = n
		case op.Counter.Series == "full sync of all":
			a.all = n
		}
	}
}

func (a *asks) due(replica string, roles []string) int {
	due := max(a.all, a.devices[replica])
	for _, role := range roles {
		due = max(due, a.roles[role])
	}
	return due
}

// begun is how a device stood when the sync began that a checkpoint is of.
type begun struct {
	forced int
	epoch  int      // history
	sight  string   // what was hidden from its user
	keys   []string // roles and teams of its user, at the page itself
}

// forcedOnce: a full sync begins when one is due, and not again because of the
// same request.
func (h *host) forcedOnce(who *auth.Caller, since string, page *wire.PullPage) {
	w := h.w
	u := w.model.User(who.Actor.User)
	if u == nil {
		return
	}
	now := begun{forced: w.asks.due(who.Replica, u.Roles), epoch: h.epoch, sight: w.hidden(u.Roles), keys: slices.Concat(u.Roles, u.Teams)}
	was, known := w.begun[since]
	if since != "" && known && was.epoch == h.epoch && was.sight == now.sight && !page.Lost {
		switch due := now.forced > was.forced; {
		case due && !page.Resync:
			w.violate("resync", "a full sync of %s was asked for, and it goes on from where it was", short(who.Replica))
		case !due && page.Resync && !lostKey(was.keys, now.keys): // then what to take away can't always be told
			w.violate("resync", "a full sync of %s begins, and nothing calls for it", short(who.Replica))
		case due:
			w.met("pull: a full sync that was asked for")
		}
	}
	if since != "" && known && !page.Resync {
		now.forced, now.epoch, now.sight = was.forced, was.epoch, was.sight
	}
	if page.Checkpoint != "" {
		w.begun[page.Checkpoint] = now
	}
}

// lostKey reports whether something was taken away.
func lostKey(was, now []string) bool {
	return slices.ContainsFunc(was, func(key string) bool { return !slices.Contains(now, key) })
}

// hidden names what nobody with these roles may read.
func (w *world) hidden(roles []string) string {
	var out []string
	for _, t := range w.app().Types {
		for _, f := range t.Fields {
			if t.Hides(roles, f.Name) {
				out = append(out, t.Name+"."+f.Name)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
