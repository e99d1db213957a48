package auth

import (
	"sync"
	"time"

	"github.com/landfall-sync/landfall"
)

// How failed sign-ins are slowed down: a few are free, then each must wait
// twice as long as the one before. All users together, and guesses of
// enrolment codes with them, share one allowance.
const (
	freeFailures = 5
	firstWait    = time.Second
	longestWait  = time.Minute
	forgetAfter  = 15 * time.Minute
	allowance    = 100 // failures at once
	refill       = 2   // a second
)

// Busy is the cause of a CodeBusy error that knows when to try again.
type Busy struct{ After time.Duration }

func (b *Busy) Error() string { return "try again after " + b.After.String() }

// RetryAfter is how long the caller should wait.
func (b *Busy) RetryAfter() time.Duration { return b.After }

func busy(message string, after time.Duration) error {
	e := landfall.Errorf(landfall.CodeBusy, "%s", message).
		WithHint("try again in %s", max(after, time.Second).Round(time.Second))
	e.Err = &Busy{After: after}
	return e
}

// throttle counts an attempt as failed from its start, so that many at once
// can't slip through, and gives it back when it wasn't.
type throttle struct {
	mu    sync.Mutex
	users map[string]*failures
	left  float64
	at    time.Time
}

// failures of one user.
type failures struct {
	count int
	next  time.Time // nothing is tried before
	last  time.Time
}

func newThrottle() *throttle {
	return &throttle{users: map[string]*failures{}, left: allowance}
}

// begin starts an attempt, or says when to come back. The name may be "" for
// attempts that belong to nobody. Call back for an attempt that was not a
// wrong guess.
func (t *throttle) begin(name string, now time.Time) (back func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now.After(t.at) {
		t.left = min(allowance, t.left+now.Sub(t.at).Seconds()*refill)
		t.at = now
	}
	if t.left < 1 {
		return nil, busy("too many sign-ins have failed", time.Second)
	}
	if name == "" {
		t.left--
		return t.giveBack(""), nil
	}
	f := t.users[name]
	if f == nil || now.Sub(f.last) > forgetAfter {
		t.forget(now)
		f = &failures{}
		t.users[name] = f
	}
	if wait := f.next.Sub(now); wait > 0 {
		return nil, busy("too many sign-ins of this user have failed", wait)
	}
	t.left--
	f.count++
	f.last = now
	if f.count >= freeFailures {
		f.next = now.Add(min(longestWait, firstWait<<min(f.count-freeFailures, 10)))
	}
	return t.giveBack(name), nil
}

func (t *throttle) giveBack(name string) func() {
	return sync.OnceFunc(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.left = min(allowance, t.left+1)
		if f := t.users[name]; f != nil {
			f.count = max(0, f.count-1)
			f.next = time.Time{}
		}
	})
}

// succeed forgets the user's failures.
func (t *throttle) succeed(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.users, name)
}

// forget drops what is too old to matter. The common allowance bounds how many
// there can be.
func (t *throttle) forget(now time.Time) {
	for name, f := range t.users {
		if now.Sub(f.last) > forgetAfter {
			delete(t.users, name)
		}
	}
}
