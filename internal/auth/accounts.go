// Package auth knows who is calling: users with their roles and teams,
// sessions of people, devices with their credentials, and one-time codes for
// enrolment.
//
// Tokens and codes are random, opaque and kept as SHA-256 hashes; passwords as
// argon2id. A session ends 12 hours after its last use and 30 days after
// signing in at the latest. What a user is given or loses takes places in the
// workspace's sequence, so that devices learn of it in order.
package auth

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// Definitions gives the published definition as a reader sees it.
type Definitions interface {
	At(r store.Reader, ws string) (*definition.App, error)
}

// Config is what Accounts needs. Store, Definitions, Clock, Mark and NewID
// must be set.
type Config struct {
	Store       store.Store
	Definitions Definitions
	Clock       func() time.Time
	Mark        func() string // random mark of a commit
	NewID       func() string // id of a replica or an epoch
	Random      io.Reader     // secrets and salts; nil: crypto/rand
	Hashers     int           // passwords hashed at once; 0: 2
	MaxWaiting  int           // sign-ins that wait for a hasher before the rest is sent away; 0: 32
}

// Accounts keeps users, sessions and devices. It is safe for concurrent use.
type Accounts struct {
	store    *cache
	defs     Definitions
	clock    func() time.Time
	mark     func() string
	newID    func() string
	random   io.Reader
	hasher   *hasher
	throttle *throttle
	damper   store.Damper
}

// New makes the accounts of a store.
func New(c Config) *Accounts {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Hashers <= 0 {
		c.Hashers = 2
	}
	if c.MaxWaiting <= 0 {
		c.MaxWaiting = 32
	}
	return &Accounts{
		store: &cache{Store: c.Store}, defs: c.Definitions, clock: c.Clock, mark: c.Mark, newID: c.NewID, random: c.Random,
		hasher:   newHasher(c.Random, c.Hashers, c.MaxWaiting),
		throttle: newThrottle(),
	}
}

// now is the clock in UTC. Milliseconds are enough, and survive every store.
func (a *Accounts) now() time.Time { return a.clock().UTC().Truncate(time.Millisecond) }

// update runs f with a ledger whose places are committed together with all
// else that f writes.
func (a *Accounts) update(ctx context.Context, ws string, f func(w store.Writer, l *store.Ledger) error) error {
	return a.store.Update(ctx, func(w store.Writer) error {
		l, err := store.Open(w, ws, a.now(), a.mark())
		if err != nil {
			return err
		}
		if err := f(w, l); err != nil {
			return err
		}
		return l.Close()
	})
}

// mustAdminister refuses everybody but enabled administrators.
func mustAdminister(actor *landfall.Actor, what string) error {
	if actor.Disabled || !actor.Has(landfall.Administrator) {
		return landfall.Errorf(landfall.CodeForbidden, "only an administrator may %s", what).
			WithHint("ask somebody with the role %q", landfall.Administrator)
	}
	return nil
}

// userNames lists the names of users, for hints.
func userNames(r store.Reader, ws string) ([]string, error) {
	users, err := r.Users(ws, store.Page{Limit: 1000})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(users))
	for _, u := range users {
		names = append(names, u.Name)
	}
	return names, nil
}

// mustUser finds a user, or says who is spelled most like it.
func mustUser(r store.Reader, ws, name string) (*store.User, error) {
	u, err := r.User(ws, name)
	if err != nil || u != nil {
		return u, err
	}
	names, err := userNames(r, ws)
	if err != nil {
		return nil, err
	}
	return nil, definition.Unknown(landfall.CodeNotFound, "user", name, names)
}
