// Package workqueue is where people find the cases that wait for them: work
// queues, worklists and claims, and the sync issues as they may see them. What
// it changes of an issue (claims, comments, assignments, reopening) takes a
// place in the sequence like every change; decisions on issues are the inbox's.
package workqueue

import (
	"context"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// Definitions knows the published definition as of a state of the store; nil
// when none is published.
type Definitions interface {
	At(r store.Reader, ws string) (*definition.App, error)
}

// Config is what a Desk works with.
type Config struct {
	Store       store.Store
	Definitions Definitions
	Clock       func() time.Time
	Mark        func() string // random mark of a commit
	// Lease is how long a claim holds; zero: 15 minutes.
	Lease time.Duration
}

// DefaultLease is how long a claim holds unless told otherwise.
const DefaultLease = 15 * time.Minute

// Desk shows queues, worklists and issues, and changes who has an issue. It is
// safe for concurrent use.
type Desk struct {
	store store.Store
	defs  Definitions
	clock func() time.Time
	mark  func() string
	lease time.Duration
}

// New makes a Desk.
func New(c Config) *Desk {
	if c.Lease <= 0 {
		c.Lease = DefaultLease
	}
	return &Desk{store: c.Store, defs: c.Definitions, clock: c.Clock, mark: c.Mark, lease: c.Lease}
}

// How much a list gives at once.
const (
	defaultPage = 100
	largestPage = 1000
)

func page(p store.Page) store.Page {
	if p.Limit <= 0 {
		p.Limit = defaultPage
	}
	p.Limit = min(p.Limit, largestPage)
	return p
}

// view is one consistent state as the caller may see it.
type view struct {
	r    store.Reader
	ws   string
	who  landfall.Actor
	keys []string
	app  *definition.App
	now  time.Time
	// sight is what the caller may read of records.
	sight *core.Sight
	seen  map[string]bool // visibility of records that were asked for
}

func (d *Desk) look(ctx context.Context, ws string, actor landfall.Actor, f func(*view) error) error {
	return d.store.View(ctx, func(r store.Reader) error {
		v, err := d.view(r, ws, actor, d.clock().UTC())
		if err != nil {
			return err
		}
		return f(v)
	})
}

// view reads who the caller is as of this state: a role that was taken away
// after the caller was authenticated does not count any more.
func (d *Desk) view(r store.Reader, ws string, actor landfall.Actor, now time.Time) (*view, error) {
	u, err := r.User(ws, actor.User)
	if err != nil {
		return nil, err
	}
	who := actor
	if u != nil {
		who = u.Actor()
		who.Disabled = who.Disabled || actor.Disabled
		who.Blocked = actor.Blocked
	}
	if who.Disabled || who.Blocked {
		return nil, landfall.Errorf(landfall.CodeForbidden, "disabled users and blocked devices see no work").
			WithHint("ask an administrator")
	}
	app, err := d.defs.At(r, ws)
	if err != nil {
		return nil, err
	}
	return &view{r: r, ws: ws, who: who, keys: who.Keys(), app: app, now: now, sight: core.SightOf(app, &who), seen: map[string]bool{}}, nil
}

// sees reports whether the caller may see the record now.
func (v *view) sees(id string) (bool, error) {
	if id == "" {
		return false, nil
	}
	if known, ok := v.seen[id]; ok {
		return known, nil
	}
	aud, err := v.r.Audience(v.ws, id)
	if err != nil {
		return false, err
	}
	v.seen[id] = v.holds(aud)
	return v.seen[id], nil
}

func (v *view) holds(audience []string) bool {
	return slices.ContainsFunc(audience, func(k string) bool { return slices.Contains(v.keys, k) })
}

func (v *view) typ(name string) *definition.Type {
	if v.app == nil {
		return nil
	}
	return v.app.Types[name]
}

// queue is a queue as it is now. One that is not declared (any more) is in the
// administrators' hands, so that nothing in it is out of reach.
type queue struct {
	name, title string
	members     []string // roles
	declared    bool
}

func (v *view) queue(name string) queue {
	out := queue{name: name, title: name, members: v.app.Members(name)}
	if v.app != nil && v.app.Queues[name] != nil {
		out.title, out.declared = titled(v.app.Queues[name].Title, name), true
	} else if name == landfall.FallbackQueue {
		out.title, out.declared = "Sync issues", true
	}
	return out
}

// queues names all queues, sorted.
func (v *view) queues() []string {
	names := []string{landfall.FallbackQueue}
	if v.app != nil {
		for name := range v.app.Queues {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (v *view) member(q queue) bool {
	return slices.ContainsFunc(q.members, v.who.Has)
}

// decides reports whether the caller may decide the issue.
func (v *view) decides(i *landfall.Issue) bool { return v.member(v.queue(i.Queue)) }

func titled(title, name string) string {
	if title == "" {
		return name
	}
	return title
}
