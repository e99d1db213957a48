package model

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/store"
)

// record is the model's own fold of the changes of one record.
type record struct {
	*landfall.Record
	keys    []string           // of the audience
	moved   int64              // place at which it last followed what it is seen via
	gone    bool               // deleted with what it is a part of
	history []*landfall.Change // never written into where it is shared
}

// Issue is an issue with what it holds.
type Issue struct {
	landfall.Issue
	store.Tries
	Sent    [][]byte
	Hashes  []string // of Sent
	Repairs []store.Repair
}

// Item is one mutation that arrived, with what became of it.
type Item struct {
	store.Item
	mutation landfall.Mutation
	bad      string // why it could not be read: a code
	took     int64  // place at which its own effect was committed
	Sent     []byte // as it arrived, also when it is cleaned
}

// grouped: it is a member of a group, by what it says.
func (i *Item) grouped() bool { return i.bad == "" && i.mutation.Group != nil && judged(i.mutation.Op) }

// judged are the operations that change a record.
func judged(op landfall.Op) bool {
	switch op {
	case landfall.OpCreate, landfall.OpUpdate, landfall.OpTransition, landfall.OpDelete, landfall.OpRestore:
		return true
	default:
		return false
	}
}

// replica is where the numbers of a replica stand.
type replica struct {
	incarnation, next int64
	hash              string
	edit              time.Time
	closed            int64
}

type grant struct{ user, key string }

// fork names what came under a number that was taken.
type fork struct {
	replica string
	n       int64
	hash    string
}

// arrival names a push by who sent it and when it came.
type arrival struct {
	replica  string
	received int64 // Unix, nanoseconds
}

type clocks struct {
	clock time.Time
	twice bool // two pushes came at once: neither is known by its time
}

// Pushed tells what a push's device clock said, so that the time of edits can be
// worked out exactly.
func (m *Model) Pushed(replica string, received, clock time.Time) {
	at := arrival{replica, received.UnixNano()}
	was, known := m.pushed[at]
	m.pushed[at] = clocks{clock, known && (was.twice || !was.clock.Equal(clock))}
}

// App is the app that is published.
func (m *Model) App() *app.App { return m.app }

// Head is the last place in the sequence.
func (m *Model) Head() int64 { return m.head.Seq }

// Record is the record as its changes leave it; nil when it never was.
func (m *Model) Record(id string) *landfall.Record {
	if r := m.records[id]; r != nil {
		return r.Clone()
	}
	return nil
}

// User is a user as of now; nil for none.
func (m *Model) User(name string) *store.User {
	if u := m.users[name]; u != nil {
		c := *u
		return &c
	}
	return nil
}

// Sees reports whether the user may see a record or an issue now. Disabled users
// see nothing.
func (m *Model) Sees(user, id string) bool {
	u := m.users[user]
	if u == nil || u.Disabled {
		return false
	}
	a := u.Actor()
	if r := m.records[id]; r != nil {
		return !r.Deleted && holds(&a, r.keys)
	}
	if i := m.issues[id]; i != nil {
		return holds(&a, m.issueKeys(&i.Issue))
	}
	return false
}

// Readable are the fields of a record that the user may read now, if they see it.
func (m *Model) Readable(user string, r *landfall.Record) landfall.Fields {
	out := r.Fields.Clone()
	t, u := m.app.Type(r.Type), m.users[user]
	for name := range out {
		if t != nil && (u == nil || t.Hides(u.Roles, name)) {
			delete(out, name)
		}
	}
	return out
}

// Visible lists the records and issues that the user may see now, sorted.
func (m *Model) Visible(user string) []string {
	out := []string{}
	for id := range m.records {
		if m.Sees(user, id) {
			out = append(out, id)
		}
	}
	for id := range m.issues {
		if m.Sees(user, id) {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// Deleted lists the records that are deleted, by id.
func (m *Model) Deleted() []*landfall.Record {
	var out []*landfall.Record
	for _, r := range m.records {
		if r.Deleted {
			out = append(out, r.Clone())
		}
	}
	slices.SortFunc(out, func(a, b *landfall.Record) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// Entered reports whether somebody changed the record after one place, up to
// another: what is computed and converted is nobody's change.
func (m *Model) Entered(id string, after, upto int64) bool {
	r := m.records[id]
	return r != nil && slices.ContainsFunc(r.history, func(c *landfall.Change) bool { return c.Seq > after && c.Seq <= upto && !c.Derived })
}

// Issues lists all issues, open and resolved, by number.
func (m *Model) Issues() []*Issue {
	out := make([]*Issue, 0, len(m.issues))
	for _, i := range m.issues {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b *Issue) int { return int(a.Number - b.Number) })
	return out
}

// Items goes through all items in the order in which they arrived.
func (m *Model) Items() iter.Seq[*Item] {
	return func(yield func(*Item) bool) {
		for _, k := range m.arrived {
			if !yield(m.items[k]) {
				return
			}
		}
	}
}

// Item is one item; nil for none.
func (m *Model) Item(k landfall.Key) *Item { return m.items[k] }

// actor is a user with what they hold now, on a device or at the desk.
func (m *Model) actor(user, device string) landfall.Actor {
	a := landfall.Actor{User: user, Disabled: true}
	if u := m.users[user]; u != nil {
		a = u.Actor()
	}
	if d := m.devices[device]; d != nil {
		a.Blocked = deposits(d)
	}
	return a
}

// holds reports whether the actor holds one of the audience keys.
func holds(a *landfall.Actor, keys []string) bool {
	return slices.ContainsFunc(keys, func(k string) bool {
		kind, name, _ := strings.Cut(k, ":")
		switch kind {
		case "user":
			return name == a.User
		case "role":
			return a.Has(name)
		case "team":
			return a.In(name)
		default:
			return k == "all"
		}
	})
}

// members are the roles that work a queue: administrators where the app does not
// declare it.
func (m *Model) members(queue string) []string { return membersOf(m.app, queue) }

func membersOf(a *app.App, queue string) []string {
	if q := a.Queue(queue); q != nil {
		return q.Members
	}
	return []string{landfall.Administrator}
}

// issueKeys lists who may receive an issue, sorted: its author, who has it in
// the worklist, and the members of its queue.
func (m *Model) issueKeys(i *landfall.Issue) []string { return issueKeys(m.app, i) }

func issueKeys(a *app.App, i *landfall.Issue) []string {
	keys := []string{"user:" + i.Author}
	if to := assignedTo(i); to != "" {
		keys = append(keys, "user:"+to)
	}
	for _, role := range membersOf(a, i.Queue) {
		keys = append(keys, "role:"+role)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// assignedTo is whom an issue was assigned to: a claim keeps that beside who claimed.
func assignedTo(i *landfall.Issue) string {
	if i.State != landfall.IssueClaimed {
		return i.Assignee
	}
	if i.AssignedTo == nil {
		return "nobody knows"
	}
	return *i.AssignedTo
}

// decides reports whether the actor may decide the issue: a member of its queue,
// whom it was assigned to, and its author where no rule routed it.
func (m *Model) decides(a *landfall.Actor, i *landfall.Issue) bool {
	if assignedTo(i) == a.User && (a.User != i.Author || i.Queue == landfall.FallbackQueue) {
		return true
	}
	return slices.ContainsFunc(m.members(i.Queue), a.Has)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
