package sim

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
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

// begun is how a device stood when the sync began that a checkpoint is of, and at
// the page that gave it out.
type begun struct {
	forced int
	epoch  int    // history
	sight  string // what was hidden from its user

	seq     int64 // of the page
	head    int64 // that the page was read from
	settled int64 // what roles and teams that were lost up to here take away was told
}

// forcedOnce: a full sync begins when one is due, and not again because of the
// same request.
func (h *host) forcedOnce(who *auth.Caller, since string, page *wire.PullPage) {
	w := h.w
	u := w.model.User(who.Actor.User)
	if u == nil {
		return
	}
	head := h.head().Seq
	now := begun{forced: w.asks.due(who.Replica, u.Roles), epoch: h.epoch, sight: w.hidden(u.Roles), seq: page.Seq, head: head, settled: head}
	was, known := w.begun[since]
	if since != "" && known && was.epoch == h.epoch && was.sight == now.sight && !page.Lost {
		switch due := now.forced > was.forced; {
		case due && !page.Resync:
			w.violate("resync", "a full sync of %s was asked for, and it goes on from where it was", short(who.Replica))
		case !due && page.Resync && !h.lostKey(u.Name, &was): // then what to take away can't always be told
			w.violate("resync", "a full sync of %s begins, and nothing calls for it", short(who.Replica))
		case due:
			w.met("pull: a full sync that was asked for")
		}
	}
	if since != "" && known && !page.Resync {
		now.forced, now.epoch, now.sight = was.forced, was.epoch, was.sight
		if page.More && page.Seq == was.seq { // what is taken away comes first, and may go on
			now.settled = was.settled
		}
	}
	if page.Checkpoint != "" {
		w.begun[page.Checkpoint] = now
	}
}

// lostKey reports whether something that a device may have records through was
// taken from its user, though it may be given back by now, and is not settled.
func (h *host) lostKey(user string, was *begun) (lost bool) {
	h.read(func(r store.Reader) error {
		spans, err := r.Grants(workspace, user)
		lost = slices.ContainsFunc(spans, func(g store.GrantRow) bool { return g.From <= was.head && g.To > was.settled })
		return err
	})
	return lost
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
