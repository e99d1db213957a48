// Package publish keeps the published definition of each workspace: it checks
// and publishes new versions, and gives the compiled current one to everybody
// who judges or shows anything.
package publish

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// maxSource is the size of a definition, in bytes.
const maxSource = 1 << 20

// Config is what a Publisher needs. All of it must be set.
type Config struct {
	Store store.Store
	Clock func() time.Time
	Mark  func() string // random mark of a commit
}

// Publisher is safe for concurrent use.
type Publisher struct {
	store store.Store
	clock func() time.Time
	mark  func() string

	mu       sync.Mutex
	compiled map[string]*definition.App // newest compiled version, by workspace
	damper   store.Damper
}

// New makes the publisher of a store.
func New(c Config) *Publisher {
	return &Publisher{store: c.Store, clock: c.Clock, mark: c.Mark, compiled: map[string]*definition.App{}}
}

// At is the definition that is published as of r, with its Version set. It is
// compiled once a version. A workspace that does not exist, or has nothing
// published, is not-found.
func (p *Publisher) At(r store.Reader, ws string) (*definition.App, error) {
	h, err := r.Head(ws)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no workspace %q", ws)
	}
	if h.Definition == 0 {
		return nil, landfall.Errorf(landfall.CodeNotFound, "no definition is published").
			WithHint("publish one: landfall app publish FILE")
	}
	p.mu.Lock()
	app := p.compiled[ws]
	p.mu.Unlock()
	if app != nil && app.Version == h.Definition {
		return app, nil
	}
	row, err := r.Definition(ws, h.Definition)
	if err != nil {
		return nil, err
	}
	if row == nil {
		return nil, landfall.Errorf(landfall.CodeInternal, "version %d of the definition is published, but not stored", h.Definition)
	}
	compiled, problems := definition.Compile("app.yaml", row.Source)
	if compiled == nil {
		return nil, landfall.Errorf(landfall.CodeInternal, "version %d of the definition does not compile any more: %d problems", h.Definition, len(problems)).
			WithHint("it was published by another version of the program; publish it again, mended")
	}
	current := *compiled // whoever else compiled the same source keeps theirs
	current.Version, current.Sealed = h.Definition, row.Sealed
	if current.Convert, err = placed(r, ws, compiled.Convert); err != nil {
		return nil, err
	}
	p.keep(ws, &current)
	return &current, nil
}

// placed are conversions with the places at which their versions were published.
func placed(r store.Reader, ws string, conversions []definition.Conversion) ([]definition.Conversion, error) {
	out := slices.Clone(conversions)
	for i := range out {
		row, err := r.Definition(ws, out[i].To)
		if err != nil {
			return nil, err
		}
		if row != nil {
			out[i].Seq = row.Seq
		}
	}
	return out, nil
}

// keep remembers the app, unless a newer one is known.
func (p *Publisher) keep(ws string, app *definition.App) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if old := p.compiled[ws]; old == nil || old.Version < app.Version {
		p.compiled[ws] = app
	}
}

// Current is the definition that is published now.
func (p *Publisher) Current(ctx context.Context, ws string) (*definition.App, error) {
	var app *definition.App
	err := p.store.View(ctx, func(r store.Reader) error {
		var err error
		app, err = p.At(r, ws)
		return err
	})
	return app, err
}

// Source is the text of the definition that is published now, and its version.
func (p *Publisher) Source(ctx context.Context, ws string) (version int64, source string, err error) {
	app, err := p.Current(ctx, ws)
	if err != nil {
		return 0, "", err
	}
	return app.Version, string(app.Source), nil
}

// Publish checks a definition and makes it the current one, at a place of its
// own in the sequence. There, records get the names, and records and sync issues
// the audience, that it gives them, and values that are unique from then on are held;
// this takes time in proportion to the records of the types of which that changed. When a problem is an error, nothing is published and Version
// is the one that stays. The same source again is Unchanged. A dry run says all
// this and publishes nothing. Administrators only.
func (p *Publisher) Publish(ctx context.Context, ws string, actor landfall.Actor, req wire.Publish) (*wire.Published, error) {
	if actor.Disabled || !actor.Has(landfall.Administrator) {
		if err := p.forbidden(ctx, ws, actor.User); err != nil {
			return nil, err
		}
		return nil, landfall.Errorf(landfall.CodeForbidden, "only an administrator may publish a definition").
			WithHint("ask somebody with the role %q; anybody can check one: landfall app check FILE", landfall.Administrator)
	}
	if req.DryRun {
		return p.check(ctx, ws, req, true)
	}
	app, problems, err := compile(req)
	if err != nil {
		return nil, err
	}
	var out *wire.Published
	err = p.store.Update(ctx, func(w store.Writer) error {
		var err error
		if out, err = p.compare(w, ws, req, app, problems); err != nil || out.Unchanged || refused(out.Problems) {
			return err
		}
		l, err := store.Open(w, ws, p.clock().UTC(), p.mark())
		if err != nil {
			return err
		}
		seq := l.Publish(out.Version)
		next, err := p.numbered(w, ws, app, out.Version)
		if err != nil {
			return err
		}
		moved, err := p.moves(w, ws, req, next, &moves{w: w, ws: ws, next: next, seq: seq, at: l.Now(), by: actor.User})
		if err != nil {
			return err
		}
		out.Problems = append(out.Problems, moved...)
		if refused(out.Problems) {
			out.Version--
			return errShared // and nothing of it is kept
		}
		row := &store.DefinitionRow{Version: out.Version, Seq: seq, Source: []byte(req.Source), By: actor.User, At: l.Now(), Sealed: next.Sealed}
		if err := w.PutDefinition(ws, row); err != nil {
			return err
		}
		if err := w.PutSweep(ws, store.Sweep{Kind: store.SweepDefinition, Why: "the app was published"}); err != nil {
			return err
		}
		published := store.Done(actor.User, store.DefinitionPublish, app.Name, l.Now()).With("version", strconv.FormatInt(out.Version, 10))
		if err := w.AddAudit(ws, published); err != nil {
			return err
		}
		return l.Close()
	})
	if err != nil && !errors.Is(err, errShared) {
		return nil, err
	}
	return out, nil
}

// forbidden keeps that somebody without the right tried to publish; at most once
// a minute, however often they try.
func (p *Publisher) forbidden(ctx context.Context, ws, user string) error {
	now := p.clock().UTC()
	if !p.damper.Pass(ws+"\x00"+user, now) {
		return nil
	}
	return p.store.Update(ctx, func(w store.Writer) error {
		e := store.Done(user, store.DefinitionPublish, "", now)
		e.Outcome = store.AuditRefused
		return w.AddAudit(ws, e)
	})
}

// Check says what Publish would say, to anybody, and publishes nothing. How many
// records there are it does not say. Version is the one that the definition would
// get.
func (p *Publisher) Check(ctx context.Context, ws string, req wire.Publish) (*wire.Published, error) {
	return p.check(ctx, ws, req, false)
}

func (p *Publisher) check(ctx context.Context, ws string, req wire.Publish, count bool) (*wire.Published, error) {
	app, problems, err := compile(req)
	if err != nil {
		return nil, err
	}
	var out *wire.Published
	err = p.store.View(ctx, func(r store.Reader) error {
		var err error
		if out, err = p.compare(r, ws, req, app, problems); err != nil || !count || out.Unchanged || refused(out.Problems) {
			return err
		}
		next, err := p.numbered(r, ws, app, out.Version)
		if err != nil {
			return err
		}
		moved, err := p.moves(r, ws, req, next, nil)
		if out.Problems = append(out.Problems, moved...); refused(moved) {
			out.Version--
		}
		return err
	})
	return out, err
}

// moves tells to of each record that the next definition gives another audience
// than the published one does, and says how many there are; without to it only says.
func (p *Publisher) moves(r store.Reader, ws string, req wire.Publish, next *definition.App, to mover) ([]wire.Problem, error) {
	h, err := r.Head(ws)
	if err != nil || h == nil || h.Definition == 0 {
		return nil, err // there are no records yet
	}
	old, err := p.At(r, ws)
	if err != nil {
		return nil, err
	}
	a := &audiences{r: r, ws: ws, next: next, to: to}
	if to == nil {
		a.to, a.moved = trial{map[[16]byte]bool{}}, map[string][]string{}
	}
	return a.change(placer{file: fileName(req), source: req.Source}, old)
}

// numbered is the app as it is once it is published as a version. Whoever else
// compiled the same source keeps theirs.
func (p *Publisher) numbered(r store.Reader, ws string, app *definition.App, version int64) (*definition.App, error) {
	next := *app
	next.Version = version
	h, err := r.Head(ws)
	if err != nil || h == nil || h.Definition == 0 || version == 1 {
		return &next, err
	}
	old, err := p.At(r, ws)
	if err != nil {
		return nil, err
	}
	next.Sealed = definition.Seal(old, &next)
	next.Convert, err = placed(r, ws, app.Convert)
	return &next, err
}

func compile(req wire.Publish) (*definition.App, []wire.Problem, error) {
	if len(req.Source) > maxSource {
		return nil, nil, landfall.Errorf(landfall.CodeTooLarge, "the definition is larger than %d bytes", maxSource)
	}
	app, problems := definition.Compile(fileName(req), []byte(req.Source))
	return app, asWire(problems), nil
}

func fileName(req wire.Publish) string {
	if req.File == "" {
		return "app.yaml"
	}
	return req.File
}

func asWire(problems []definition.Problem) []wire.Problem {
	out := make([]wire.Problem, 0, len(problems))
	for _, p := range problems {
		out = append(out, wire.Problem{File: p.File, Line: p.Line, Column: p.Column, Warning: p.Warning, Message: p.Message, Hint: p.Hint})
	}
	return out
}

// refused reports whether one of the problems is an error.
func refused(problems []wire.Problem) bool {
	return slices.ContainsFunc(problems, func(p wire.Problem) bool { return !p.Warning })
}

// compare adds what only the published version can tell.
func (p *Publisher) compare(r store.Reader, ws string, req wire.Publish, app *definition.App, problems []wire.Problem) (*wire.Published, error) {
	h, err := r.Head(ws)
	if err != nil {
		return nil, err
	}
	if h == nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no workspace %q", ws)
	}
	out := &wire.Published{Version: h.Definition, Problems: slices.Clone(problems)}
	if app == nil {
		return out, nil
	}
	at := placer{file: fileName(req), source: req.Source}
	if app.Name != h.App {
		out.Problems = append(out.Problems, at.problem("app:", false, "this is the app "+quote(app.Name)+", but the workspace is that of "+quote(h.App),
			"publish it to a workspace of its own, or mend the name"))
		return out, nil
	}
	if h.Definition > 0 {
		old, err := p.At(r, ws)
		if err != nil {
			return nil, err
		}
		if bytes.Equal(old.Source, []byte(req.Source)) {
			out.Unchanged = true
			return out, nil
		}
		numbered := *app
		numbered.Version = h.Definition + 1
		nobody, err := unattended(r, ws, at, old, app)
		if err != nil {
			return nil, err
		}
		out.Problems = slices.Concat(out.Problems, asWire(definition.Stranded(at.file, old, &numbered)), nobody)
	}
	next := h.Definition + 1
	if app.Version != 0 && app.Version != next {
		out.Problems = append(out.Problems, at.wrongVersion(next))
	}
	if !refused(out.Problems) {
		out.Version = next
	}
	return out, nil
}
