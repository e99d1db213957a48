// Package rehearse runs a definition before it is published: against the open
// issues, against the last changes that came in, on the records as they were
// then, and against the stored records. It only reads, in many short views of
// the database, and never keeps a writer waiting. DESIGN.md says what it can know.
package rehearse

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Definitions compiles a definition as it would be published, beside the one
// that is. The first is nil when it would not be published.
type Definitions interface {
	Candidate(ctx context.Context, ws string, req wire.Publish) (next, now *definition.App, said *wire.Published, err error)
}

// Retrier says what a retry of an issue would do under a definition; nil: it
// would settle it.
type Retrier interface {
	Rejudge(r store.Reader, ws string, app *definition.App, row *store.IssueRow) (*core.Refusal, error)
}

// Config is what rehearsals need. All of it must be set.
type Config struct {
	Store       store.Store
	Definitions Definitions
	Retrier     Retrier
	Clock       func() time.Time
}

// Stage is where definitions are rehearsed. It is safe for concurrent use.
type Stage struct {
	cfg Config

	mu   sync.Mutex
	busy map[string]bool // workspaces in which one runs
}

// New makes a stage.
func New(c Config) *Stage { return &Stage{cfg: c, busy: map[string]bool{}} }

// usual is how many items are judged again when nobody says otherwise.
const usual = 10_000

// run is one rehearsal.
type run struct {
	*Stage
	ctx       context.Context //nolint:containedctx // a run lives as long as its call
	ws        string
	actor     landfall.Actor
	now, next *definition.App
	file      string
	tell      func(wire.RehearsalProgress)
	out       *wire.Rehearsal
	groups    groups
}

// Rehearse says what the definition would do if it were published. tell hears
// how far it is. One rehearsal runs in a workspace at a time; a second is
// CodeBusy. Administrators only.
func (s *Stage) Rehearse(ctx context.Context, ws string, actor landfall.Actor, req wire.Rehearse, tell func(wire.RehearsalProgress)) (*wire.Rehearsal, error) {
	if actor.Disabled || !actor.Has(landfall.Administrator) {
		return nil, landfall.Errorf(landfall.CodeForbidden, "only an administrator may rehearse a definition").
			WithHint("anybody can check one: landfall app check FILE")
	}
	if req.Items < 0 || req.Items > wire.MostRehearsed {
		return nil, landfall.Errorf(landfall.CodeInvalid, "from 1 to %d items can be judged again", wire.MostRehearsed)
	}
	if !s.begin(ws) {
		return nil, landfall.Errorf(landfall.CodeBusy, "a definition is being rehearsed already").WithHint("try again when that is done")
	}
	defer s.end(ws)
	next, now, said, err := s.cfg.Definitions.Candidate(ctx, ws, wire.Publish{Source: req.Source, File: req.File})
	if err != nil {
		return nil, err
	}
	r := &run{Stage: s, ctx: ctx, ws: ws, actor: actor, now: now, next: next, file: cmp.Or(req.File, "app.yaml"), tell: tell, groups: groups{},
		out: &wire.Rehearsal{Version: said.Version, Unchanged: said.Unchanged, Problems: said.Problems}}
	if next == nil {
		r.out.Worse = true
		r.out.Verdict = verdict(r.out)
		return r.out, nil
	}
	items := req.Items
	if items == 0 {
		items = usual
	}
	if err := r.all(items); err != nil {
		return nil, err
	}
	return r.out, nil
}

func (s *Stage) begin(ws string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy[ws] {
		return false
	}
	s.busy[ws] = true
	return true
}

func (s *Stage) end(ws string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.busy, ws)
}

func (r *run) all(items int) error {
	if err := r.issues(); err != nil {
		return err
	}
	if err := r.changes(items); err != nil {
		return err
	}
	if err := r.records(); err != nil {
		return err
	}
	if err := r.devices(); err != nil {
		return err
	}
	r.out.Groups, r.out.More = r.groups.list()
	o := r.out
	o.Worse = o.Issues.Broken > 0 || o.Items.Refused > 0 || o.Records.Invalid > 0 || o.Records.Stranded > 0 || o.Devices.Waiting > 0 && r.narrower()
	o.Verdict = verdict(o)
	return nil
}

// view reads one consistent state, unless the run was given up.
func (r *run) view(f func(store.Reader) error) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.cfg.Store.View(r.ctx, f)
}

func (r *run) progress(phase string, done, total int) {
	r.tell(wire.RehearsalProgress{Phase: phase, Done: done, Total: total})
}

// narrower: a name that devices may have used in what they did not send yet is
// gone, so that it may become outdated.
func (r *run) narrower() bool {
	for _, name := range r.now.Order {
		was, is := r.now.Types[name], r.next.Types[name]
		if is == nil || slices.ContainsFunc(was.Order, func(f string) bool { return is.Fields[f] == nil && !r.converts(name, f, "") }) {
			return true
		}
		if was.Lifecycle == nil {
			continue
		}
		if is.Lifecycle == nil || slices.ContainsFunc(was.Lifecycle.Moves, func(m string) bool { return is.Lifecycle.Transitions[m] == nil && !r.converts(name, "", m) }) {
			return true
		}
	}
	return false
}

// converts: a conversion of the new definition has another name for the field,
// or the transition.
func (r *run) converts(typ, field, move string) bool {
	return slices.ContainsFunc(r.next.Convert, func(c definition.Conversion) bool {
		return c.Type == typ && c.To > r.now.Version && (field != "" && c.Rename[field] != "" || move != "" && c.Transitions[move] != "")
	})
}

// devicePage is how many devices are read at a time.
const devicePage = 500

// devices says what may still be under way.
func (r *run) devices() error {
	d := &r.out.Devices
	for after := ""; ; {
		var page []*store.Replica
		err := r.view(func(s store.Reader) (err error) {
			page, err = s.Replicas(r.ws, "", store.Page{After: after, Limit: devicePage})
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, rep := range page {
			after = rep.ID
			if rep.Credential == "" {
				continue // revoked: nothing comes from it any more
			}
			d.Devices++
			if rep.Definition < r.now.Version {
				d.Older++
			}
			if rep.Waiting > 0 {
				d.Unsent++
				d.Waiting += rep.Waiting
			}
		}
		r.progress("devices", d.Devices, 0)
	}
}
