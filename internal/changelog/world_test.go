package changelog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

const ws = "main"

// fatal is what tests and properties have in common.
type fatal interface {
	Helper()
	Fatalf(format string, args ...any)
}

// editions are the published definitions, by version from 1: each is an index
// into audiences.
type editions struct{ of *[]int }

func (e editions) At(r store.Reader, ws string) (*definition.App, error) {
	h, err := r.Head(ws)
	if err != nil {
		return nil, err
	}
	app := docs((*e.of)[h.Definition-1])
	app.Version = h.Definition
	return app, nil
}

// audiences say who may receive a document, by its status; some tests do without one.
var audiences = []map[string]string{
	{"": "owner team", "s0": "owner team", "s1": "owner team role:a role:b", "s2": "owner team role:b", "s3": "owner team all"},
	{"": "owner", "s0": "owner", "s1": "owner team role:b", "s2": "role:a role:b", "s3": "team"},
	{"": "all", "s0": "all", "s1": "owner role:a", "s2": "team", "s3": "owner team role:a role:b"},
}

// docs is a definition whose records move between audiences by their fields
// and their status. The editions after the audiences are guarded: they have these
// audiences again, and who has not the role a may not read the text.
func docs(edition int) *definition.App {
	guarded := edition >= len(audiences)
	edition %= len(audiences)
	statuses, in := map[string]*definition.Status{}, map[string][]string{}
	order := []string{"s0", "s1", "s2", "s3"}
	for _, s := range order {
		statuses[s] = &definition.Status{Name: s}
	}
	for _, s := range append([]string{""}, order...) {
		for key := range strings.FieldsSeq(audiences[edition][s]) {
			in[key] = append(in[key], s)
		}
	}
	doc := &definition.Type{
		Name: "doc", Title: "Document",
		Fields: map[string]*definition.Field{
			"owner": {Name: "owner", Type: definition.UserRef},
			"team":  {Name: "team", Type: definition.TeamRef},
			"text":  {Name: "text", Type: definition.Text},
		},
		Order:     []string{"owner", "team", "text"},
		Lifecycle: &definition.Lifecycle{Initial: "s0", Statuses: statuses, Order: order},
		Audience: []definition.AudienceKey{
			{Kind: definition.AudienceUser, Name: "owner", Statuses: in["owner"]},
			{Kind: definition.AudienceTeam, Name: "team", Statuses: in["team"]},
			{Kind: definition.AudienceRole, Name: "a", Statuses: in["role:a"]},
			{Kind: definition.AudienceRole, Name: "b", Statuses: in["role:b"]},
		},
	}
	if all := in["all"]; len(all) > 0 {
		doc.Audience = append(doc.Audience, definition.AudienceKey{Kind: definition.AudienceAll, Statuses: all})
	}
	if guarded {
		doc.Rights = map[string]*definition.Right{"a": {}, "b": {Unread: []string{"text"}}}
	}
	return &definition.App{
		Name: "docs", Roles: []string{"a", "b"},
		Queues: map[string]*definition.Queue{"approvals": {Name: "approvals", Title: "Approvals", Members: []string{"a"}}},
		Types:  map[string]*definition.Type{"doc": doc}, Order: []string{"doc"},
	}
}

// audienceOf is the oracle's own reading of the definition in force.
func (w *world) audienceOf(r *landfall.Record) []string {
	if r.Deleted {
		return nil
	}
	keys := []string{}
	for word := range strings.FieldsSeq(audiences[w.editions[len(w.editions)-1]%len(audiences)][r.Status]) {
		switch word {
		case "owner", "team":
			if name := plain(r.Fields[word]); name != "" {
				keys = append(keys, map[string]string{"owner": "user:", "team": "team:"}[word]+name)
			}
		default:
			keys = append(keys, word)
		}
	}
	slices.Sort(keys)
	return keys
}

func plain(v landfall.Value) string {
	s := ""
	_ = json.Unmarshal(v, &s)
	return s
}

func quoted(s string) landfall.Value {
	if s == "" {
		return landfall.Null
	}
	return landfall.Value(`"` + s + `"`)
}

// world is a workspace under change, with what an onlooker remembers of it.
type world struct {
	t     fatal
	store store.Store
	log   *Log
	now   time.Time
	marks int
	seq   int64
	recs  map[string]*landfall.Record
	roles map[string][]string // by user
	teams map[string][]string
	// seen is what each user could see after each place of the sequence: versions by id.
	seen     map[string][]map[string]int64
	outcomes map[string][]landfall.Outcome
	items    int64
	editions []int // published
	since    int64 // place of the last publication but the first
	resyncs  int
}

func newWorld(t fatal, s store.Store, users ...string) *world {
	t.Helper()
	w := &world{
		t: t, store: s, now: time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC),
		recs: map[string]*landfall.Record{}, roles: map[string][]string{}, teams: map[string][]string{},
		editions: []int{0},
		seen:     map[string][]map[string]int64{}, outcomes: map[string][]landfall.Outcome{},
	}
	w.log = New(Config{Store: s, Definitions: editions{&w.editions}, Clock: func() time.Time { return w.now }, NewID: func() string { return "e2" }})
	w.log.pages.from = 2 // so that pages are kept in tests, too
	w.update(func(tx store.Writer) error {
		if err := tx.CreateWorkspace(ws, store.Head{Epoch: "e1", Key: "secret", Time: w.now, App: "docs"}); err != nil {
			return err
		}
		if err := tx.PutDefinition(ws, &store.DefinitionRow{Version: 1, Seq: 1, At: w.now}); err != nil {
			return err
		}
		for _, u := range users {
			if err := tx.PutUser(ws, &store.User{Name: u}); err != nil {
				return err
			}
			w.seen[u] = []map[string]int64{{}}
		}
		return nil
	})
	w.batch(func(b *batch) { b.ledger.Publish(1); b.taken() })
	return w
}

func (w *world) update(f func(store.Writer) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), f); err != nil {
		w.t.Fatalf("update: %v", err)
	}
}

// batch is some verdicts in one transaction.
type batch struct {
	w      *world
	tx     store.Writer
	ledger *store.Ledger
}

func (w *world) batch(f func(*batch)) {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	w.marks++
	w.update(func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.now, fmt.Sprintf("m%d", w.marks))
		if err != nil {
			return err
		}
		f(&batch{w, tx, l})
		return l.Close()
	})
}

// taken notes what everybody could see after the place that was just taken.
func (b *batch) taken() {
	w := b.w
	w.seq = b.ledger.Head().Seq
	for u, all := range w.seen {
		a := landfall.Actor{User: u, Roles: w.roles[u], Teams: w.teams[u]}
		now := map[string]int64{}
		for id, r := range w.recs {
			if slices.ContainsFunc(w.audienceOf(r), func(k string) bool { return slices.Contains(a.Keys(), k) }) {
				now[id] = r.Version
			}
		}
		for int64(len(all)) < w.seq {
			all = append(all, all[len(all)-1])
		}
		w.seen[u] = append(all, now)
	}
}

// put is what one verdict makes of a record.
type put struct {
	id, owner, team, status string
	deleted                 bool
}

// commit makes one verdict of some records' new states.
func (b *batch) commit(puts ...put) {
	w := b.w
	w.t.Helper()
	e := &landfall.Effects{}
	for _, p := range puts {
		old := w.recs[p.id]
		r := &landfall.Record{
			Type: "doc", ID: p.id, Version: b.ledger.Next(), Status: p.status, Deleted: p.deleted,
			Fields: landfall.Fields{}, Edits: map[string]landfall.Edit{"owner": {Author: "x"}},
			CreatedAt: w.now, UpdatedAt: w.now, Queue: map[string]string{"s1": "approvals"}[p.status],
		}
		r.Fields.Put("owner", quoted(p.owner))
		r.Fields.Put("team", quoted(p.team))
		r.Fields.Put("text", quoted("zqtext"))
		c := landfall.Change{Type: "doc", ID: p.id, Action: landfall.Created, To: p.status, At: b.ledger.Now(), Set: r.Fields.Clone()}
		if old != nil {
			r.CreatedAt = old.CreatedAt
			c.Action, c.From, c.Set, c.Was = landfall.Updated, old.Status, landfall.Fields{}, landfall.Fields{}
			for _, f := range []string{"owner", "team"} {
				if !landfall.SameValue(old.Fields[f], r.Fields[f]) {
					c.Set[f], c.Was[f] = or(r.Fields[f]), or(old.Fields[f])
				}
			}
			switch {
			case p.deleted && !old.Deleted:
				c.Action = landfall.Deleted
			case !p.deleted && old.Deleted:
				c.Action = landfall.Restored
			}
		}
		w.recs[p.id] = r
		e.Writes = append(e.Writes, landfall.Write{Record: r.Clone(), Audience: w.audienceOf(r)})
		e.Changes = append(e.Changes, c)
	}
	if err := b.ledger.Commit(e); err != nil {
		w.t.Fatalf("commit: %v", err)
	}
	b.taken()
}

func or(v landfall.Value) landfall.Value {
	if v == nil {
		return landfall.Null
	}
	return v
}

// publish makes another edition the definition in force, and gives each record
// the audience that it has under that.
func (b *batch) publish(edition int) {
	w := b.w
	version := int64(len(w.editions) + 1)
	w.editions = append(w.editions, edition)
	w.since = b.ledger.Publish(version)
	if err := b.tx.PutDefinition(ws, &store.DefinitionRow{Version: version, Seq: w.since, At: w.now}); err != nil {
		w.t.Fatalf("publish: %v", err)
	}
	for id, r := range w.recs {
		if err := b.tx.Regroup(ws, id, w.audienceOf(r), w.since); err != nil {
			w.t.Fatalf("publish: %v", err)
		}
	}
	b.taken()
}

// hold gives a key to a user, or takes it away, at a place of its own. A key
// that has no span when it is lost was held from the beginning.
func (b *batch) hold(user, key string, held bool) {
	w := b.w
	list, name := &w.roles, key[len("role:"):]
	if key[:5] == "team:" {
		list = &w.teams
	}
	has := slices.DeleteFunc(slices.Clone((*list)[user]), func(n string) bool { return n == name })
	if held {
		has = append(has, name)
	}
	(*list)[user] = has
	at := b.ledger.Take()
	row := store.GrantRow{User: user, Key: key, From: at}
	if !held {
		spans, err := b.tx.Grants(ws, user)
		if err != nil {
			w.t.Fatalf("grants: %v", err)
		}
		row.From = 0
		for _, g := range spans {
			if g.Key == key && g.To == 0 {
				row = g
			}
		}
		row.To = at
	}
	if err := b.tx.PutGrant(ws, row); err != nil {
		w.t.Fatalf("grant: %v", err)
	}
	if err := b.tx.PutUser(ws, &store.User{Name: user, Roles: w.roles[user], Teams: w.teams[user]}); err != nil {
		w.t.Fatalf("user: %v", err)
	}
	b.taken()
}

// settle gives a replica n outcomes at one place.
func (b *batch) settle(replica string, n int) {
	w := b.w
	at := b.ledger.Take()
	for range n {
		w.items++
		o := landfall.Outcome{Incarnation: 1, N: w.items, Seq: at, Settlement: landfall.SettledApplied}
		it := &store.Item{Key: landfall.Key{Replica: replica, Incarnation: 1, N: w.items}, State: store.Completed, Outcome: &o}
		if err := b.tx.PutItem(ws, it); err != nil {
			w.t.Fatalf("item: %v", err)
		}
		w.outcomes[replica] = append(w.outcomes[replica], o)
	}
	b.taken()
}

func (w *world) holds(user, key string) bool {
	a := landfall.Actor{User: user, Roles: w.roles[user], Teams: w.teams[user]}
	return slices.Contains(a.Keys(), key)
}

// reads: the user may read the texts, by the definition in force.
func (w *world) reads(user string) bool {
	return w.editions[len(w.editions)-1] < len(audiences) || slices.Contains(w.roles[user], "a")
}

func (d *device) String() string { return d.name }

func (d *device) GoString() string { return d.name }

// device is a replica's model: it does what pages say.
type device struct {
	w          *world
	user, name string
	since      string
	from       string // where its sync began; nothing was taken in at it
	seq        int64
	start      int64
	has        map[string]int64
	outcomes   []landfall.Outcome
	sent       []string        // every record version, as sent
	texts      map[string]bool // whether it holds the text of a record
}

func (w *world) device(user, name string) *device {
	return &device{w: w, user: user, name: name, has: map[string]int64{}, texts: map[string]bool{}, start: -1}
}

// pull asks for a page and checks it; lost pages are not taken in. It reports
// whether there is more.
func (d *device) pull(limit int, lost bool) bool {
	w, t := d.w, d.w.t
	t.Helper()
	reply, err := w.log.Pull(context.Background(), ws, d.name, landfall.Actor{User: d.user}, d.since, limit)
	if err != nil {
		t.Fatalf("pull: %v", err)
	}
	if reply.Resync {
		d.again(reply.Checkpoint)
		return true
	}
	if d.start < 0 {
		d.start = w.seq
	}
	d.check(reply, limit)
	if lost {
		if d.since == d.from {
			d.start = -1
		}
		return true
	}
	for _, c := range reply.Changes {
		if c.Gone {
			delete(d.has, c.ID)
			delete(d.texts, c.ID)
			continue
		}
		d.has[c.ID] = c.Record.Version
		d.texts[c.ID] = !landfall.IsNull(c.Record.Fields["text"])
		d.sent = append(d.sent, fmt.Sprintf("%s@%d", c.ID, c.Record.Version))
	}
	d.outcomes = append(d.outcomes, reply.Outcomes...)
	d.since, d.seq = reply.Checkpoint, reply.Seq
	if !reply.More {
		d.atRest()
	}
	return reply.More
}

// again starts from nothing, which only a publication is a reason for.
func (d *device) again(from string) {
	w := d.w
	w.t.Helper()
	if d.since == "" || w.since == 0 {
		w.t.Fatalf("told to start again")
	}
	w.resyncs++
	d.since, d.from, d.seq, d.start = from, from, 0, -1
	clear(d.has)
	clear(d.texts)
	d.outcomes = nil
}

func (d *device) check(reply *wire.PullReply, limit int) {
	w, t := d.w, d.w.t
	t.Helper()
	seen := w.seen[d.user]
	now := seen[len(seen)-1]
	if len(reply.Changes) > limit {
		t.Fatalf("%d changes in a page of %d", len(reply.Changes), limit)
	}
	pending := len(w.outcomes[d.name]) - len(d.outcomes)
	if reply.More && len(reply.Changes) < limit && pending <= limit {
		t.Fatalf("a page that is not full says that there is more: %d changes, %d outcomes of %d", len(reply.Changes), len(reply.Outcomes), limit)
	}
	if reply.Seq < d.seq || reply.Seq > w.seq || !reply.More && reply.Seq != w.seq {
		t.Fatalf("the checkpoint went from %d to %d, the head is %d", d.seq, reply.Seq, w.seq)
	}
	for _, c := range reply.Changes {
		if c.Gone {
			if c.Record != nil {
				t.Fatalf("gone with a record: %s", c.ID)
			}
			could := slices.ContainsFunc(seen[d.start:], func(m map[string]int64) bool { _, ok := m[c.ID]; return ok })
			if !could {
				t.Fatalf("%s is gone, but the replica could never hold it", c.ID)
			}
			continue
		}
		v, ok := now[c.ID]
		if !ok {
			t.Fatalf("%s was sent, but the caller may not see it", c.ID)
		}
		if c.Record.Version != v || c.Record.Edits != nil || c.Record.Deleted {
			t.Fatalf("%s was sent as %+v, now it is at %d", c.ID, c.Record, v)
		}
		if reads := w.reads(d.user); reads == landfall.IsNull(c.Record.Fields["text"]) {
			t.Fatalf("the caller may read the text is %t, and %s was sent as %+v", reads, c.ID, c.Record)
		}
	}
	for _, o := range reply.Outcomes {
		if o.Seq <= d.seq || o.Seq > reply.Seq {
			t.Fatalf("an outcome of %d in the page (%d, %d]", o.Seq, d.seq, reply.Seq)
		}
	}
}

// atRest checks that the device holds what its user may see, and nothing else.
func (d *device) atRest() {
	w, t := d.w, d.w.t
	t.Helper()
	seen := w.seen[d.user]
	if now := seen[len(seen)-1]; !maps.Equal(now, d.has) {
		t.Fatalf("%s holds %v, may see %v", d.name, d.has, now)
	}
	for id, some := range d.texts {
		if some != w.reads(d.user) {
			t.Fatalf("%s holds the text of %s: %t", d.name, id, some)
		}
	}
	if !slices.Equal(d.outcomes, w.outcomes[d.name]) {
		t.Fatalf("%s has the outcomes %v, not %v", d.name, d.outcomes, w.outcomes[d.name])
	}
}

// sync pulls until there is no more.
func (d *device) sync(limit int) {
	d.w.t.Helper()
	for n := 0; d.pull(limit, false); n++ {
		if n > 10000 {
			d.w.t.Fatalf("pulling never ends")
		}
	}
}

var _ fatal = (*testing.T)(nil)
