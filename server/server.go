package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/changelog"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/httpapi"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/publish"
	"github.com/landfall-sync/landfall/internal/rehearse"
	"github.com/landfall-sync/landfall/internal/settings"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
	"github.com/landfall-sync/landfall/internal/workqueue"
)

// Version of the program; the build sets it.
var Version = "devel"

// Store is a database that a server works on; see OpenFolder.
type Store = store.Store

// Limits bound what devices may send; they are told with the definition.
type Limits = wire.Limits

// Options say how a server works. Only Store must be set.
type Options struct {
	Store  Store
	Limits Limits       // zero: the defaults
	Log    *slog.Logger // nil: slog.Default
	// Patience is how long a push waits for its verdicts before its receipts
	// say stored; zero: 10 seconds.
	Patience time.Duration
	Bounds   Bounds
	// Grace is how long Run lets requests finish that are under way when it is
	// told to end; zero: 30 seconds.
	Grace time.Duration
	Seams
}

// Seams are what a test or a simulation replaces. Each has a default.
type Seams struct {
	Clock  func() time.Time // time.Now
	NewID  func() string    // UUID version 7
	Random io.Reader        // crypto/rand
}

func (s *Seams) fill() {
	if s.Clock == nil {
		s.Clock = time.Now
	}
	if s.NewID == nil {
		s.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if s.Random == nil {
		s.Random = rand.Reader
	}
}

// mark makes the random mark of a commit. Without randomness the process can
// do nothing safely, so it ends.
func (s *Seams) mark() string {
	b := make([]byte, 12)
	if _, err := io.ReadFull(s.Random, b); err != nil {
		panic(fmt.Sprintf("no randomness: %v", err))
	}
	return hex.EncodeToString(b)
}

// Server is a Landfall server on a store.
type Server struct {
	opts      Options
	inbox     *inbox.Inbox
	ahead     *ahead
	publisher *publish.Publisher
	api       *httpapi.API
}

// How a request waits for an inbox item's state.
const (
	longestWait = 30 * time.Second
	lookEvery   = 50 * time.Millisecond
)

// New puts a server together. It starts nothing; see Run and Work.
func New(o Options) (*Server, error) {
	if o.Store == nil {
		return nil, errors.New("server: no store")
	}
	o.fill()
	if o.Limits == (Limits{}) {
		o.Limits = wire.DefaultLimits()
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Patience <= 0 {
		o.Patience = 10 * time.Second
	}
	o.Bounds.fill(o.Limits)
	if o.Grace <= 0 {
		o.Grace = 30 * time.Second
	}
	s := &Server{opts: o}
	s.publisher = publish.New(publish.Config{Store: o.Store, Clock: o.Clock, Mark: o.mark})
	accounts := accountsOf(&o, s.publisher)
	log := changelog.New(changelog.Config{Store: o.Store, Definitions: s.publisher, Clock: o.Clock, NewID: o.NewID, Limits: o.Limits, Barred: accounts.Forget})
	s.ahead = &ahead{log: log, busy: make(chan struct{}, 1)}
	s.inbox = inbox.New(inbox.Config{
		Store: o.Store, Definitions: s.publisher, History: log, Clock: o.Clock, NewID: o.NewID, Mark: o.mark,
		Limits: o.Limits, Patience: o.Patience, Log: o.Log, Unclean: unclean(o.Store),
		JudgeTime: o.Bounds.JudgeTime, Backlog: o.Bounds.Backlog, Barred: accounts.Forget,
		Unaided: func(r store.Reader, ws string) (bool, error) { return settings.On(r, ws, settings.RetryUnaided) },
	})
	desk := workqueue.New(workqueue.Config{Store: o.Store, Definitions: s.publisher, Clock: o.Clock, Mark: o.mark})
	var err error
	s.api, err = httpapi.New(httpapi.Config{
		Sessions: callers{accounts, s.inbox, o.Log}, Devices: callers{accounts, s.inbox, o.Log}, People: accounts, Definitions: s.publisher,
		Rehearsals: rehearse.New(rehearse.Config{Store: o.Store, Definitions: s.publisher, Retrier: s.inbox, Clock: o.Clock}),
		Settings:   settings.New(settings.Config{Store: o.Store, Clock: o.Clock}),
		Inbox:      pushes{s.inbox}, Landing: s.inbox, Records: reads{log, o.Log, s.ahead}, Queues: desk, Issues: desk, IssueWork: desk, Audit: accounts, Cleaner: s.inbox,
		Limits: o.Limits, PushMemory: o.Bounds.Memory, Memory: o.Bounds.Memory, Times: o.Bounds.Times, Clock: o.Clock, NewID: o.NewID, Log: o.Log, Version: Version,
		Wait: longestWait, Look: lookEvery, Schema: definition.Schema(),
	})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	return s, nil
}

// unclean: the server before this one did not end in order.
func unclean(s Store) bool {
	u, ok := s.(interface{ Unclean() bool })
	return ok && u.Unclean()
}

func accountsOf(o *Options, defs auth.Definitions) *auth.Accounts {
	return auth.New(auth.Config{Store: o.Store, Definitions: defs, Clock: o.Clock, Mark: o.mark, NewID: o.NewID, Random: o.Random})
}

// Handler answers HTTP requests. Pushes get verdicts while Run or Work runs.
func (s *Server) Handler() http.Handler { return s.api }

// Document is the OpenAPI 3.1 document as JSON.
func (s *Server) Document() []byte { return s.api.Document() }

// How long to wait before another try when the store can't do its work.
const (
	firstBackOff   = 50 * time.Millisecond
	longestBackOff = 5 * time.Second
)

// tendEvery is how often a server that has nothing to do looks whether there is
// something to do by itself.
const tendEvery = 500 * time.Millisecond

// Work captures and judges what comes in, until ctx is done. What was captured
// before a crash is judged first. When nobody waits, it tries issues again whose
// cause may be gone.
func (s *Server) Work(ctx context.Context) {
	wait := time.Duration(0)
	var rest time.Time // until when nothing is tried again by itself
	for ctx.Err() == nil {
		worked, err := s.inbox.Step(ctx)
		if err == nil && !worked && time.Now().After(rest) { // nobody waits
			if worked, rest = s.tend(ctx); worked {
				continue
			}
		}
		if err == nil && worked {
			wait = 0
			continue
		}
		again := time.After(tendEvery)
		if err != nil && ctx.Err() == nil {
			wait = min(max(2*wait, firstBackOff), longestBackOff)
			s.opts.Log.LogAttrs(ctx, slog.LevelError, "inbox", slog.String("error", err.Error()), slog.Duration("again_in", wait))
			again = time.After(wait)
		}
		offered := s.inbox.Offered()
		if err != nil {
			offered = nil // whoever waits is served by the next try
		}
		select {
		case <-offered:
		case <-again:
		case <-ctx.Done():
		}
	}
}

// tend does a little of what the server does by itself. Trouble with that is no
// trouble for those who push: it rests for a while.
func (s *Server) tend(ctx context.Context) (worked bool, rest time.Time) {
	worked, err := s.inbox.Tend(ctx)
	if err == nil || ctx.Err() != nil {
		return worked && err == nil, time.Time{}
	}
	s.opts.Log.LogAttrs(ctx, slog.LevelError, "issues could not be tried again", slog.String("error", err.Error()), slog.Duration("again_in", longestBackOff))
	return false, time.Now().Add(longestBackOff)
}

// Run serves on ln until ctx is done, and works meanwhile. Then it takes no
// more requests, finishes those under way (a push with its verdicts, too), and
// closes ln. It returns nil after an orderly end.
func (s *Server) Run(ctx context.Context, ln net.Listener) error {
	door := &door{Listener: ln, most: int64(s.opts.Bounds.Connections)}
	h := &http.Server{
		Handler:           door.handler(s.api),
		ReadHeaderTimeout: s.opts.Bounds.HeaderTime,
		IdleTimeout:       s.opts.Bounds.IdleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.opts.Log.Handler(), slog.LevelWarn),
	}
	// The work goes on until the last request is answered.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		s.Work(working)
	}()
	tidied := make(chan struct{})
	go func() {
		defer close(tidied)
		s.tidy(working)
	}()
	cleaned := make(chan struct{})
	go func() {
		defer close(cleaned)
		s.clean(working)
	}()
	served := make(chan error, 1)
	go func() {
		err := h.Serve(door)
		if errors.Is(err, http.ErrServerClosed) {
			err = nil
		}
		served <- err
	}()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		err = errors.Join(s.end(context.WithoutCancel(ctx), h), <-served)
	}
	stop()
	<-worked
	<-tidied
	<-cleaned
	s.ahead.done.Wait()
	return err
}

// tidyEvery is how often a database is tidied that asks for it.
const tidyEvery = 250 * time.Millisecond

// tidy lets a store do what it can do beside its writer, until ctx is done.
func (s *Server) tidy(ctx context.Context) {
	st, ok := s.opts.Store.(interface{ Checkpoint(context.Context) error })
	if !ok {
		return
	}
	every := time.NewTicker(tidyEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if err := st.Checkpoint(ctx); err != nil && ctx.Err() == nil {
			s.opts.Log.LogAttrs(ctx, slog.LevelWarn, "the database's log was not brought in; the next try is soon", slog.String("error", err.Error()))
		}
	}
}

// end lets requests finish, for so long.
func (s *Server) end(ctx context.Context, h *http.Server) error {
	s.api.Stop()
	grace, cancel := context.WithTimeout(ctx, s.opts.Grace)
	defer cancel()
	if err := h.Shutdown(grace); err != nil {
		s.opts.Log.LogAttrs(grace, slog.LevelWarn, "requests were cut off", slog.String("error", err.Error()))
		return h.Close()
	}
	return nil
}

// Loopback reports whether nobody but this machine can reach the address, such
// as 127.0.0.1:8080 or localhost:0. An address without a host is everybody's.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
