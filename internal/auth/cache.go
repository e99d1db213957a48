package auth

import (
	"context"
	"sync"

	"github.com/landfall-sync/landfall/internal/store"
)

// mostCached is how many devices the cache remembers before it begins anew.
const mostCached = 20_000

// cache remembers the devices that called, so that a push of one change does
// not look its device up twice. Whatever this package writes empties it before
// the caller hears of it, so that what was revoked is revoked. It is for a store
// that one process writes.
type cache struct {
	store.Store
	mu         sync.Mutex
	generation int
	callers    map[string]Caller // by hash of the credential
}

// Update empties the cache once f is committed.
func (c *cache) Update(ctx context.Context, f func(store.Writer) error) error {
	err := c.Store.Update(ctx, f)
	c.forget()
	return err
}

func (c *cache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	clear(c.callers)
}

// get gives the caller of a credential, or the generation in which to look.
func (c *cache) get(hash string) (who *Caller, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.callers[hash]; ok {
		return &known, c.generation
	}
	return nil, c.generation
}

// put remembers what was found in a generation, unless something was written since.
func (c *cache) put(hash string, who Caller, generation int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation {
		return
	}
	if c.callers == nil || len(c.callers) >= mostCached {
		c.callers = map[string]Caller{}
	}
	c.callers[hash] = who
}
