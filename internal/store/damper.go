package store

import (
	"sync"
	"time"
)

// Damper lets one of a kind pass a minute, so that who is refused again and
// again can't fill the audit.
type Damper struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// dampFor is how long one of a kind is enough.
const dampFor = time.Minute

// Pass reports whether the last of the kind that passed is long enough ago.
func (d *Damper) Pass(kind string, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if at, ok := d.last[kind]; ok && now.Sub(at) < dampFor {
		return false
	}
	if d.last == nil {
		d.last = map[string]time.Time{}
	}
	for k, at := range d.last {
		if now.Sub(at) >= dampFor {
			delete(d.last, k)
		}
	}
	d.last[kind] = now
	return true
}
