// Package sim plays a whole workspace: the real server, clients and rules, many
// people and devices, on a simulated network, clocks and disks, all of it moved by
// one scheduler from one seed. Whatever can go wrong does, and checkers that share
// no code with the program say when a promise was broken. docs/proof.md says what
// that proves.
package sim

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// world is one simulated workspace: a server, devices, people, and those who
// check them.
type world struct {
	*clockwork
	ctx  context.Context //nolint:containedctx // there is one for all of a run
	seed uint64
	conf Conf

	host    *host
	devices []*device
	clerks  []*person
	leads   []*person
	root    *person
	users   []string // everybody
	staff   []string // everybody but the administrator
	vandal  *vandal

	apps     map[string]*app.App // that were ever made, by source
	followed map[string]int64    // where records last followed what they are seen via

	model      *model.Model
	ledger     ledger
	canaries   canaries
	sent       letters
	violations []Violation
	branches   map[string]int
	given      map[string]string // epochs, by the checkpoints that were given out in them
	begun      map[string]begun  // by checkpoint
	asks       *asks
	asked      map[string]bool // devices that were told to erase themselves
	exports    []*exported
}

// Violation is a promise that was broken.
type Violation struct {
	Rule string        `json:"rule"`
	Text string        `json:"text"`
	At   time.Duration `json:"at"`
}

func (w *world) violate(rule, format string, args ...any) {
	v := Violation{rule, fmt.Sprintf(format, args...), w.now.Sub(w.began)}
	w.violations = append(w.violations, v)
	w.say("VIOLATION of %s: %s", v.Rule, v.Text)
}

// met counts what came about.
func (w *world) met(what string) { w.branches[what]++ }

// app is the one in force: after a restore, that of the backup.
func (w *world) app() *app.App { return w.model.App() }

// version makes another version of the app, in which, with rename, a few things are
// called otherwise.
func (w *world) version(revised, rename bool) *app.App {
	return w.know(w.app().Next(w.conf.Policy, revised, rename))
}

func (w *world) know(a *app.App) *app.App {
	w.apps[a.Source()] = a
	w.model.Know(a)
	return a
}

// committed is a transaction that is on the disk.
func (w *world) committed(c *watch.Commit) {
	w.wiping(c)
	w.asks.note(c)
	for _, v := range w.model.Commit(c) {
		w.violate(v.Rule, "%s", v.Text)
	}
	w.moments(c)
}

// The people of every world.
const administrator = "root"

var (
	workers = []string{"emma", "noah", "mia"}
	teams   = []string{"north", "south"}
)

// first is a workspace as it begins: made once, since a password takes long to
// hash. It is the same for all worlds of a status policy.
type first struct {
	once    sync.Once
	db      *kv.DB
	commits []*watch.Commit
	app     *app.App
	err     error
}

var firsts = map[string]*first{"strict": {}, "transitions": {}, "legal": {}}

func begin(policy string) *first {
	f := firsts[policy]
	f.once.Do(func() {
		f.db, f.app = kv.New(), app.Simulated(1, policy, false)
		compiled, problems := definition.Compile("app.yaml", []byte(f.app.Source()))
		if compiled == nil {
			f.err = fmt.Errorf("the simulated app does not compile: %v", problems)
			return
		}
		d := newDice(0, "first")
		h := &host{dice: d, w: &world{clockwork: newClockwork(nil)}}
		h.ids = &ids{dice: d, clock: h.now}
		st := watch.New(memory.On(f.db))
		p := publish.New(publish.Config{Store: st, Clock: h.now, Mark: h.mark})
		a := auth.New(auth.Config{Store: st, Definitions: p, Clock: h.now, Mark: h.mark, NewID: h.ids.next, Random: d})
		f.err = a.Bootstrap(context.Background(), auth.First{Workspace: workspace, App: compiled, Admin: administrator, Password: "correct horse battery"})
		f.commits = append(f.commits, st.Last())
	})
	return f
}

// newWorld puts a world together, before anything happens in it.
func newWorld(ctx context.Context, s *Scenario, trace io.Writer) (*world, error) {
	f := begin(s.Conf.Policy)
	if f.err != nil {
		return nil, f.err
	}
	w := &world{
		clockwork: newClockwork(trace), ctx: ctx, seed: s.Seed, conf: s.Conf, apps: map[string]*app.App{}, followed: map[string]int64{},
		model: model.New(), sent: letters{}, branches: map[string]int{}, given: map[string]string{},
		begun: map[string]begun{}, asks: newAsks(), asked: map[string]bool{},
		ledger: ledger{by: map[string]*entered{}, receipts: map[string]string{}},
	}
	w.know(f.app)
	for _, c := range f.commits {
		w.committed(c)
	}
	h := &host{w: w, dice: newDice(s.Seed, "server"), db: f.db.Fork(), limit: wire.DefaultLimits()}
	h.disk = newDisk(h.db, newDice(s.Seed, "server's disk"), func(what string) { w.met("server: " + what) }, func() { h.under = h.store.Last() })
	w.host = h
	h.start()
	h.unclean = false
	w.root = w.newPerson(administrator)
	return w, w.people()
}

// people adds teams and users, and gives the devices their codes.
func (w *world) people() error {
	h, root := w.host, w.root
	who, err := h.person(root.name)
	if err != nil {
		return err
	}
	for _, t := range teams {
		if _, err := h.accounts.AddTeam(w.ctx, workspace, who.Actor, wire.Team{Name: t, Title: t}); err != nil {
			return err
		}
	}
	add := func(name string, roles, teams []string) error {
		w.staff = append(w.staff, name)
		_, err := h.accounts.AddUser(w.ctx, workspace, who.Actor, wire.NewUser{Name: name, Roles: roles, Teams: teams})
		return err
	}
	for i, name := range workers[:w.conf.Workers] {
		if err := add(name, []string{app.Worker}, teams[i%2:i%2+1]); err != nil {
			return err
		}
	}
	if err := add("lena", []string{app.Lead}, nil); err != nil {
		return err
	}
	if err := add("cleo", []string{app.Clerk}, nil); err != nil {
		return err
	}
	if w.conf.has(Rights) { // with one clerk only, a queue may lose its last member
		if _, err := h.accounts.ChangeUser(w.ctx, workspace, who.Actor, "", administrator, wire.UserChange{Revoke: []string{app.Clerk}}); err != nil {
			return err
		}
	}
	w.users = append(append(w.users, w.staff...), administrator)
	w.leads, w.clerks = []*person{w.newPerson("lena")}, []*person{w.newPerson("cleo"), w.root}
	for i := range w.conf.Devices {
		user := w.staff[i%(w.conf.Workers+1)]
		if err := w.enrol(w.newDevice(fmt.Sprintf("%s's device %d", user, i+1), user, kv.New())); err != nil {
			return err
		}
	}
	if w.conf.has(Garbage) {
		w.vandal = &vandal{w: w, d: w.newDevice("a device that sends nonsense", workers[0], kv.New())}
		w.vandal.d.retired = true
		return w.enrol(w.vandal.d)
	}
	return nil
}

// enrol makes a device known and lets it sync for the first time.
func (w *world) enrol(d *device) error {
	who, err := w.host.person(administrator)
	if err != nil {
		return err
	}
	code, err := w.host.accounts.NewCode(w.ctx, workspace, who.Actor, wire.NewCode{User: d.user, Name: d.name})
	if err != nil {
		return err
	}
	quiet := d.line.trouble
	d.line.trouble = Trouble{}
	var failed error
	ready := false
	w.start(d.name, func() {
		c := d.tabs[0]
		if failed = c.Enrol(w.ctx, "simulated", code.Code, d.name); failed == nil {
			_, failed = c.Sync(w.ctx, nil)
		}
		d.id()
		ready = true
	})
	for !ready && w.step() {
	}
	d.line.trouble = quiet
	return failed
}
