package model_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/internal/workqueue"
)

const ws = "w"

// tapped tells of every commit.
type tapped struct {
	*watch.Store
	tell func(*watch.Commit)
}

func (s *tapped) Update(ctx context.Context, f func(store.Writer) error) error {
	err := s.Store.Update(ctx, f)
	if err == nil {
		s.tell(s.Last())
	}
	return err
}

// lost says of a checkpoint what it says of itself.
type lost struct{}

func (lost) Lost(_ store.Reader, _, checkpoint string) (bool, bool, error) {
	return checkpoint == "gone", false, nil
}

// world is a real server in memory, and a model that watches it.
type world struct {
	t       testing.TB
	rnd     *rand.Rand
	now     time.Time
	ids     int
	store   *tapped
	in      *inbox.Inbox
	acc     *auth.Accounts
	pub     *publish.Publisher
	desk    *workqueue.Desk
	m       *model.Model
	commits []*watch.Commit
	before  []*model.Model // as it was at each commit; kept when keep is set
	keep    bool
	// found are the model's complaints; what is no complaint about the program is left out.
	found    []model.Violation
	policy   string
	storm    bool   // all devices work on the fields of one record or two
	tidy     bool   // devices send little that cannot be right
	hot      int    // records that everybody works on, about
	previous string // hash of what a script sent last
	admin    landfall.Actor
	phones   []*phone
	app      *app.App   // published last
	apps     []*app.App // all that were
	offered  []func()   // what to do when what was offered is judged
}

func (w *world) clock() time.Time { return w.now }

func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", w.ids)
}

func (w *world) mark() string { return w.id() }

// began are the first commits of workspaces, by the policy of their app, so that
// one password is hashed for all.
var began = map[string]*watch.Commit{}

func newWorld(t testing.TB, seed uint64, keep bool) *world {
	t.Helper()
	w := &world{t: t, rnd: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), m: model.New(), keep: keep}
	w.tidy, w.hot = seed%2 == 0, 2+int(seed%7)
	w.storm = seed%4 == 2
	w.policy = []string{"strict", "transitions", "legal"}[seed%3]
	w.app = app.Simulated(1, w.policy, false)
	w.know(w.app)
	w.m.Limit(model.Limits{Bytes: wire.DefaultLimits().Mutation, Depth: wire.DefaultLimits().Depth, Group: wire.DefaultLimits().Batch})
	w.store = &tapped{Store: watch.New(memory.New()), tell: w.told}
	w.pub = publish.New(publish.Config{Store: w.store, Clock: w.clock, Mark: w.mark})
	w.acc = auth.New(auth.Config{Store: w.store, Definitions: w.pub, Clock: w.clock, Mark: w.mark, NewID: w.id, Random: rand.NewChaCha8([32]byte{1})})
	w.in = inbox.New(inbox.Config{Store: w.store, Definitions: w.pub, Clock: w.clock, NewID: w.id, Mark: w.mark, Limits: wire.DefaultLimits(), Patience: time.Second,
		History: lost{}, Unclean: seed%5 == 0, CarefulFor: 10 * time.Hour})
	w.desk = workqueue.New(workqueue.Config{Store: w.store, Definitions: w.pub, Clock: w.clock, Mark: w.mark})
	w.begin()
	return w
}

func (w *world) know(a *app.App) {
	w.app, w.apps = a, append(w.apps, a)
	w.m.Know(a)
}

// told hands a commit to the model.
func (w *world) told(c *watch.Commit) {
	w.commits = append(w.commits, c)
	if w.keep {
		w.before = append(w.before, w.m.Clone())
	}
	w.found = append(w.found, w.m.Commit(c)...)
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// may takes what the rules refuse for an answer.
func (w *world) may(err error) {
	w.t.Helper()
	if err != nil && landfall.CodeOf(err) == landfall.CodeInternal {
		w.t.Fatal(err)
	}
}

func (w *world) begin() {
	ctx := context.Background()
	first := began[w.policy]
	if first == nil {
		source := app.Simulated(1, w.policy, false).Source()
		w.must(w.acc.Bootstrap(ctx, auth.First{Workspace: ws, App: definition.MustCompile("app.yaml", []byte(source)), Admin: "ada", Password: "landfall-demo"}))
		began[w.policy] = w.commits[0]
	} else {
		w.must(w.store.Update(ctx, func(x store.Writer) error { return again(x, first) }))
	}
	w.admin = landfall.Actor{User: "ada", Roles: []string{landfall.Administrator}}
	for _, name := range []string{"north", "south"} {
		_, err := w.acc.AddTeam(ctx, ws, w.admin, wire.Team{Name: name})
		w.must(err)
	}
	for _, u := range []wire.NewUser{
		{Name: "will", Roles: []string{app.Worker}, Teams: []string{"north"}}, {Name: "wendy", Roles: []string{app.Worker}, Teams: []string{"north", "south"}},
		{Name: "lea", Roles: []string{app.Lead}}, {Name: "carl", Roles: []string{app.Clerk}}, {Name: "gus", Roles: []string{app.Guest}, Teams: []string{"south"}},
	} {
		if w.tidy && u.Name != "gus" || w.storm {
			u.Roles = append(u.Roles, app.Lead)
		}
		slices.Sort(u.Roles)
		u.Roles = slices.Compact(u.Roles)
		_, err := w.acc.AddUser(ctx, ws, w.admin, u)
		w.must(err)
		e, err := w.acc.Enrol(ctx, wire.EnrolRequest{Name: "phone"}, &auth.Caller{Workspace: ws, Actor: landfall.Actor{User: u.Name}})
		w.must(err)
		w.phones = append(w.phones, newPhone(w, u.Name, e.Replica))
	}
	e, err := w.acc.Enrol(ctx, wire.EnrolRequest{Name: "tablet"}, &auth.Caller{Workspace: ws, Actor: landfall.Actor{User: "will"}})
	w.must(err)
	w.phones = append(w.phones, newPhone(w, "will", e.Replica))
}

// again writes the first commit of a workspace once more.
func again(x store.Writer, c *watch.Commit) error {
	for i := range c.Ops {
		var err error
		switch op := &c.Ops[i]; {
		case op.Created != nil:
			err = x.CreateWorkspace(ws, *op.Created)
		case op.Definition != nil:
			err = x.PutDefinition(ws, op.Definition)
		case op.Grant != nil:
			err = x.PutGrant(ws, *op.Grant)
		case op.User != nil:
			err = x.PutUser(ws, op.User)
		case op.Audit != nil:
			e := *op.Audit
			err = x.AddAudit(ws, &e)
		case op.Head != nil:
			err = x.SetHead(ws, *op.Head)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// row reads a record with who may receive it.
func (w *world) row(id string) (row *store.Row) {
	w.must(w.store.View(context.Background(), func(r store.Reader) (err error) {
		row, err = r.Row(ws, id)
		return err
	}))
	return row
}
