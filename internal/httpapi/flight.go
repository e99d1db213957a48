package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// flight is a request under way. What it answers was read before: when its caller
// loses a right meanwhile, it is cut off before whoever took the right away hears
// that it is done. So no byte leaves after that which would not be given any more.
type flight struct {
	conn   *http.ResponseController
	cancel context.CancelFunc
	done   chan struct{}

	ws, user, replica string
}

// flights are the requests under way of callers that are known. Pushes are not
// among them: receipts are given to everybody.
type flights struct {
	mu  sync.Mutex
	all map[*flight]bool
}

func (f *flights) begin(w http.ResponseWriter, cancel context.CancelFunc) *flight {
	return &flight{conn: http.NewResponseController(w), cancel: cancel, done: make(chan struct{})}
}

// of says whose request it is.
func (f *flights) of(x *flight, c *Caller, pattern string) {
	if x == nil || c == nil || pattern == depositOnly {
		return
	}
	x.ws, x.user, x.replica = c.Workspace, c.Actor.User, c.Replica
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.all == nil {
		f.all = map[*flight]bool{}
	}
	f.all[x] = true
}

// end: all of the answer has gone to the connection, or is given up.
func (f *flights) end(x *flight) {
	if x.replica != "" {
		_ = x.conn.Flush() // what the connection holds back is gone, or will be never
	}
	f.mu.Lock()
	delete(f.all, x)
	f.mu.Unlock()
	close(x.done)
	x.cancel()
}

// cut ends the requests of a user, or of one device, and waits until they are over.
// The one that ctx is of goes on.
func (f *flights) cut(ctx context.Context, ws, user, replica string) {
	own, _ := ctx.Value(seenKey{}).(*seen)
	var over []*flight
	f.mu.Lock()
	for x := range f.all {
		if x.ws == ws && (replica != "" && x.replica == replica || replica == "" && x.user == user) && (own == nil || own.flight != x) {
			over = append(over, x)
		}
	}
	f.mu.Unlock()
	for _, x := range over {
		_ = x.conn.SetWriteDeadline(time.Unix(1, 0)) // real time, long ago; what is no connection ends by itself
		x.cancel()
	}
	for _, x := range over {
		select {
		case <-x.done:
		case <-ctx.Done(): // the caller itself is cut off, and is told nothing
			return
		}
	}
}
