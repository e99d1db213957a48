package sim

import (
	"context"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/changelog"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/settings"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/internal/workqueue"
)

// workspace is the one that a simulated server has.
const workspace = "w"

// host is the server: the services of the program as it puts them together, on
// one database. It dies and starts again.
type host struct {
	w     *world
	dice  dice
	db    *kv.DB
	disk  *disk
	store *durable
	under *watch.Commit // the transaction that the disk wrote last
	ids   *ids
	limit wire.Limits

	up      bool
	unclean bool
	life    int     // counts the starts
	epoch   int     // counts the histories
	cuts    []int64 // where each ended
	wrong   time.Duration
	backup  *backup

	inbox     *inbox.Inbox
	log       *changelog.Log
	desk      *workqueue.Desk
	accounts  *auth.Accounts
	publisher *publish.Publisher
	settings  *settings.Service

	offers   []*offered // that wait for their verdicts
	stepping bool
	failures int
}

// backup is a copy of the database, with what the checkers knew then.
type backup struct {
	db    *kv.DB
	model *model.Model
	asks  *asks
}

// durable is the host's store: the checkers see each transaction that is durable.
type durable struct {
	*watch.Store
	h *host
}

// Update implements store.Store.
func (d *durable) Update(ctx context.Context, f func(store.Writer) error) error {
	err := d.Store.Update(ctx, f)
	if err == nil {
		d.h.w.committed(d.Last())
	}
	return err
}

// now is the server's clock.
func (h *host) now() time.Time { return h.w.now.Add(h.wrong) }

func (h *host) mark() string {
	b := make([]byte, 12)
	_, _ = h.dice.Read(b) // dice never run out
	const digits = "0123456789abcdef"
	text := make([]byte, 0, 2*len(b))
	for _, c := range b {
		text = append(text, digits[c>>4], digits[c&15])
	}
	return string(text)
}

// start puts the services together as the program does, on what the disk holds.
func (h *host) start() {
	h.life++
	h.ids = &ids{dice: h.dice, clock: h.now}
	h.store = &durable{watch.New(memory.On(h.db)), h}
	h.publisher = publish.New(publish.Config{Store: h.store, Clock: h.now, Mark: h.mark})
	h.newAccounts()
	h.log = changelog.New(changelog.Config{
		Store: h.store, Definitions: h.publisher, Clock: h.now, NewID: h.ids.next, Limits: h.limit, KeptFrom: h.w.conf.KeptFrom, Barred: h.accounts.Forget,
	})
	h.inbox = inbox.New(inbox.Config{
		Store: h.store, Definitions: h.publisher, History: h.log, Clock: h.now, NewID: h.ids.next, Mark: h.mark,
		Limits: h.limit, Patience: patience, Unclean: h.unclean, CarefulFor: h.w.conf.Careful, Backlog: h.w.conf.Backlog, RetryPage: h.w.conf.RetryPage, Barred: h.accounts.Forget,
		Unaided: func(r store.Reader, ws string) (bool, error) { return settings.On(r, ws, settings.RetryUnaided) },
	})
	h.desk = workqueue.New(workqueue.Config{Store: h.store, Definitions: h.publisher, Clock: h.now, Mark: h.mark})
	h.settings = settings.New(settings.Config{Store: h.store, Clock: h.now})
	if len(h.pushes()) > 0 {
		h.w.met(captured)
	}
	h.up, h.unclean, h.failures = true, true, 0
	h.w.say("the server starts, for the %d. time", h.life)
	h.work(0)
	h.tick(h.life)
}

// tendEvery is how often a server that has nothing to do looks whether there is
// something to do by itself: seldom, so that quiet hours pass quickly.
const tendEvery = 20 * time.Second

// tick lets the server look, as long as it lives.
func (h *host) tick(life int) {
	h.w.after(tendEvery, func() {
		if h.life != life || !h.up {
			return
		}
		h.work(0)
		h.tick(life)
	})
}

func (h *host) newAccounts() {
	h.accounts = auth.New(auth.Config{Store: h.store, Definitions: h.publisher, Clock: h.now, Mark: h.mark, NewID: h.ids.next, Random: h.dice})
}

// patience is how long a push waits for its verdicts.
const patience = 4 * time.Second

// guard runs what the server does. A crash in the middle of it ends the server.
func (h *host) guard(f func()) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if c, ok := p.(crash); !ok || c.disk != h.disk {
			panic(p)
		}
		h.die("in the middle of a commit")
	}()
	f()
}

// die ends the server where it is: what was in memory is gone. It starts again
// in a while.
func (h *host) die(how string) {
	if !h.up {
		return
	}
	h.w.met("server killed")
	h.w.say("the server dies %s", how)
	h.up = false
	if h.disk.recover() {
		h.w.met("server: durable, and nobody had heard")
		h.w.committed(h.under)
	}
	for _, o := range h.offers {
		if o.push.Judged() { // it may have been answered in the last moment
			o.answer()
		} else {
			o.fail()
		}
	}
	h.offers, h.stepping = nil, false
	h.inbox, h.log, h.desk, h.accounts, h.publisher = nil, nil, nil, nil, nil
	life := h.life
	h.w.after(h.dice.span(50*time.Millisecond, h.w.conf.Outage), func() {
		if h.life == life && !h.up {
			h.start()
		}
	})
}

// stop ends the server in order, and starts it again.
func (h *host) stop() {
	if !h.up {
		return
	}
	h.die("in order")
	h.unclean = len(h.pushes()) > 0 // it finishes what is under way; what was captured stays
}

func (h *host) pushes() (all []store.Push) {
	h.read(func(r store.Reader) (err error) {
		all, err = r.Pushes(workspace, 0, 1<<20)
		return err
	})
	return all
}

// work lets the inbox take its next step in a while.
func (h *host) work(in time.Duration) {
	if h.stepping {
		return
	}
	h.stepping = true
	life := h.life
	h.w.after(in, func() {
		if h.life != life {
			return
		}
		h.stepping = false
		if h.up {
			h.guard(h.step)
		}
	})
}

func (h *host) step() {
	worked, err := h.inbox.Step(context.Background())
	if err == nil && !worked {
		if worked, err = h.inbox.Tend(context.Background()); worked && err == nil {
			h.w.met("inbox: tends")
		}
	}
	waiting := h.offers[:0:0]
	for _, o := range h.offers {
		switch {
		case o.push.Judged():
			o.answer()
		case !o.done:
			waiting = append(waiting, o)
		}
	}
	h.offers = waiting
	switch {
	case err != nil:
		h.failures++
		h.w.met("inbox: store in trouble")
		h.work(min(50*time.Millisecond<<min(h.failures, 7), 5*time.Second))
	case worked:
		h.failures = 0
		h.work(h.dice.span(time.Millisecond, 40*time.Millisecond))
	default:
		h.failures = 0
	}
}

// offered is a push at the server.
type offered struct {
	push  *inbox.Offered
	reply func(any, error)
	done  bool
}

func (o *offered) answer() {
	if !o.done {
		o.done = true
		r, err := o.push.Reply()
		o.reply(r, err)
	}
}

// fail: the connection ended with the server.
func (o *offered) fail() {
	if !o.done {
		o.done = true
		o.reply(nil, errCutOff)
	}
}

// push takes a push in; reply is called when there is an answer.
func (h *host) push(who *auth.Caller, q *request, reply func(any, error)) {
	var p *inbox.Offered
	var err error
	if q.land != "" {
		p, err = h.inbox.OfferLanding(context.Background(), workspace, who.Actor, q.land, q.push)
	} else {
		p, err = h.inbox.Offer(context.Background(), workspace, inbox.Device{Replica: who.Replica, Actor: who.Actor}, q.push)
	}
	if err != nil {
		reply(nil, err)
		return
	}
	o := &offered{push: p, reply: h.w.asksCopies(who.Replica, p, reply)}
	if p.Judged() {
		o.answer()
		return
	}
	h.offers = append(h.offers, o)
	h.work(h.dice.span(0, h.w.conf.Gather))
	life := h.life
	h.w.after(patience, func() {
		if h.life == life && !o.done {
			h.w.met("push: patience ended")
			h.guard(o.answer)
		}
	})
}

// pull is a pull as the program answers it: the page first, then the note of
// the contact.
func (h *host) pull(who *auth.Caller, since string, limit int, told wire.Contact) (any, error) {
	ctx := context.Background()
	before := h.head().Epoch
	page, err := h.log.Page(ctx, workspace, who.Replica, who.Actor, since, limit)
	if err != nil {
		return nil, err
	}
	h.proved(before, since, page)
	h.receives(who)
	h.forcedOnce(who, since, page)
	if page.Packed != nil {
		h.w.met("pull: a kept page")
		if page.Encoded, err = page.Packed.Text(); err != nil {
			return nil, err
		}
		page.Packed = nil
	}
	_ = h.log.Heard(ctx, workspace, who.Replica, since, page, &told) // a contact that was not noted costs the device nothing
	return page, nil
}

func (h *host) definition(who *auth.Caller) (any, error) {
	version, source, err := h.publisher.Source(context.Background(), workspace)
	if err != nil {
		return nil, err
	}
	return &wire.Definition{Version: version, Source: source, Actor: &who.Actor, Limits: h.limit}, nil
}

// person is who a signed-in user is at this moment.
func (h *host) person(name string) (*auth.Caller, error) {
	var u *store.User
	if err := h.store.View(context.Background(), func(r store.Reader) (err error) {
		u, err = r.User(workspace, name)
		return err
	}); err != nil {
		return nil, err
	}
	if u == nil || u.Disabled {
		return nil, landfall.Errorf(landfall.CodeUnauthorized, "sign in again")
	}
	return &auth.Caller{Workspace: workspace, Actor: u.Actor()}, nil
}

// enrol lets a device in, as the program does: what it lost when it comes back
// empty becomes an issue.
func (h *host) enrol(req wire.EnrolRequest) (any, error) {
	in, err := h.accounts.Enrol(h.w.ctx, req, nil)
	if err == nil && req.Fresh {
		_ = h.inbox.Losses(h.w.ctx, workspace, in.Replica) // else its next push opens it
	}
	return in, err
}
