// Package inbox takes in what devices send and people at the desk do: it
// captures, judges by the rules of core, commits the verdicts of many devices
// together, and answers with receipts. DESIGN.md says why it is as it is.
package inbox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Definitions gives the published definition as a reader sees it.
type Definitions interface {
	At(r store.Reader, ws string) (*definition.App, error)
}

// History tells whether a device's checkpoint is of the history in the store.
// Proved means that the server itself gave it out in this epoch, so history was
// lost without anybody saying so.
type History interface {
	Lost(r store.Reader, ws, checkpoint string) (lost, proved bool, err error)
}

// Config is what an inbox works with.
type Config struct {
	Store       store.Store
	Definitions Definitions
	History     History // nil: nothing is ever lost
	Clock       func() time.Time
	NewID       func() string
	Mark        func() string // random mark of a commit
	Limits      wire.Limits
	// Patience is how long a push waits for its verdicts.
	Patience time.Duration
	// JudgeTime is how long judging one mutation may take; 0: 5 seconds.
	JudgeTime time.Duration
	// Backlog is how many bytes of pushes may wait for their verdicts; 0: 256 MiB.
	Backlog int64
	// RetryPage is how many issues one call of Retry tries, at most; 0: 200.
	RetryPage int
	// Unclean says that the server before this one did not end in order. For
	// CarefulFor (0: 10 minutes) every push is captured before it is judged.
	Unclean    bool
	CarefulFor time.Duration
	// Unaided says whether the issues of a workspace are tried again by the server
	// itself; nil: they are.
	Unaided func(r store.Reader, ws string) (bool, error)
	// Barred is called when a device may only hand in from now on, before it
	// hears of it itself; nil: nobody wants to know.
	Barred func()
	Log    *slog.Logger
}

// Device is who pushes: the replica of the credential, and its user.
type Device struct {
	Replica string
	Actor   landfall.Actor
}

// Inbox captures and judges. Push offers; Step does the work.
type Inbox struct {
	cfg     Config
	batch   int // mutations judged in one transaction, about
	looks   int // items that a page of the list is looked for in; 0: mostLooked
	offered chan struct{}

	backlog atomic.Int64 // bytes that wait for their verdicts
	started time.Time

	mu       sync.Mutex
	offers   []*captured
	underway map[int64]time.Time // captured pushes that are being judged, since when

	// Only Step uses what follows.
	stepping  sync.Mutex
	recovered bool
	suspects  []*captured // captured by a server that died
	pending   []*captured
	known     map[string]string // checkpoints of this history, by replica

	tended int // Tend's alone: whose turn it is

	damper store.Damper
}

// The bounds of work that the configuration leaves open.
const (
	defaultJudgeTime = 5 * time.Second
	defaultBacklog   = 256 << 20
	defaultCareful   = 10 * time.Minute
)

// New makes an inbox. Captured pushes that were not judged are found by the
// first Step.
func New(c Config) *Inbox {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.JudgeTime <= 0 {
		c.JudgeTime = defaultJudgeTime
	}
	if c.RetryPage <= 0 {
		c.RetryPage = retryMost
	}
	if c.Backlog <= 0 {
		c.Backlog = defaultBacklog
	}
	if c.CarefulFor <= 0 {
		c.CarefulFor = defaultCareful
	}
	return &Inbox{cfg: c, batch: batchMutations, offered: make(chan struct{}, 1), started: c.Clock(), known: map[string]string{}}
}

// careful: something may have ended the server, and may come again.
func (in *Inbox) careful() bool {
	return in.cfg.Unclean && in.cfg.Clock().Sub(in.started) < in.cfg.CarefulFor
}

// Offered tells that there is something to do: call Step.
func (in *Inbox) Offered() <-chan struct{} { return in.offered }

func (in *Inbox) wake() {
	select {
	case in.offered <- struct{}{}:
	default:
	}
}

// envelope are the bounds of one mutation.
func (in *Inbox) envelope() core.Limits {
	return core.Limits{MaxBytes: in.cfg.Limits.Mutation, MaxDepth: in.cfg.Limits.Depth, MaxGroup: in.cfg.Limits.Batch}
}

// judging is one transaction in which verdicts are made for a workspace.
type judging struct {
	in  *Inbox
	w   store.Writer
	l   *store.Ledger
	ws  string
	app *definition.App

	actors map[string]landfall.Actor // by user
	staff  map[string]bool           // of queues: whether somebody works them
	// touched are the records that were changed, with the place of the last change.
	touched map[string]int64
	barred  bool // a device may only hand in from now on
}

// judge runs f in one transaction of verdicts. The ledger is closed after f.
func (in *Inbox) judge(ctx context.Context, ws string, f func(*judging) error) error {
	barred := false
	err := in.cfg.Store.Update(ctx, func(w store.Writer) error {
		b := store.NewBatch(w, ws)
		l, err := store.Open(b, ws, in.cfg.Clock(), in.cfg.Mark())
		if err != nil {
			return err
		}
		app, err := in.cfg.Definitions.At(w, ws)
		if err != nil {
			return err
		}
		j := newJudging(in, b, ws, app)
		j.l = l
		if err := f(j); err != nil {
			return err
		}
		if err := j.awaken(); err != nil {
			return err
		}
		if err := b.Flush(); err != nil {
			return err
		}
		barred = j.barred
		return l.Close()
	})
	if err == nil && barred && in.cfg.Barred != nil {
		in.cfg.Barred()
	}
	return err
}

func newJudging(in *Inbox, w store.Writer, ws string, app *definition.App) *judging {
	return &judging{in: in, w: w, ws: ws, app: app, actors: map[string]landfall.Actor{}, staff: map[string]bool{}, touched: map[string]int64{}}
}

// looking asks, of a state that is only read, what judging knows.
func (in *Inbox) looking(r store.Reader, ws string) (*judging, error) {
	app, err := in.cfg.Definitions.At(r, ws)
	return newJudging(in, store.Forgetful{Reader: r}, ws, app), err
}

// actor is a user with what they hold now; a user who is gone holds nothing.
func (j *judging) actor(user string) (landfall.Actor, error) {
	if a, ok := j.actors[user]; ok {
		return a, nil
	}
	u, err := j.w.User(j.ws, user)
	if err != nil {
		return landfall.Actor{}, err
	}
	a := landfall.Actor{User: user, Disabled: true}
	if u != nil {
		a = u.Actor()
	}
	j.actors[user] = a
	return a, nil
}

// author is the actor for a mutation of a replica: blocked when the device is.
func (j *judging) author(user, replica string) (landfall.Actor, error) {
	a, err := j.actor(user)
	if err != nil {
		return a, err
	}
	r, err := j.w.Replica(j.ws, replica)
	if r != nil {
		a.Blocked = r.Deposits()
	}
	return a, err
}

// input is what a verdict is made from, for the next place in the sequence.
func (j *judging) input(a landfall.Actor, lane bool, run ...core.Step) core.Input {
	return core.Input{App: j.app, World: j.world(), Actor: a, Run: run, Seq: j.l.Next(), Now: j.l.Now(), Lane: lane}
}

// commit writes effects at their place; what has none takes no place. It
// returns the sequence at which they are known.
func (j *judging) commit(e *landfall.Effects) (int64, error) {
	if len(e.Changes) == 0 {
		return j.l.Head().Seq, nil
	}
	err := j.l.Commit(e)
	seq := j.l.Head().Seq
	for i := range e.Writes {
		if r := e.Writes[i].Record; r.Type != landfall.IssueType {
			j.touched[r.ID] = seq
		}
	}
	return seq, err
}
