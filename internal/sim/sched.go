package sim

import (
	"container/heap"
	"fmt"
	"hash"
	"hash/fnv"
	"io"
	"iter"
	"time"
)

// clockwork is the one scheduler: what happens, happens in the order of its
// events, one at a time. Nothing runs beside it.
type clockwork struct {
	now     time.Time
	events  events
	serial  uint64
	steps   int
	running *routine // that is resumed now
	routine []*routine

	digest hash.Hash64 // of the trace
	trace  io.Writer   // nil: nobody reads it
	began  time.Time
}

// epoch is when every simulated world begins.
var epoch = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func newClockwork(trace io.Writer) *clockwork {
	return &clockwork{now: epoch, began: epoch, digest: fnv.New64a(), trace: trace}
}

type event struct {
	at time.Time
	n  uint64
	f  func()
}

// cancel takes what was to happen back.
func (e *event) cancel() { e.f = nil }

type events []*event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at.Before(e[j].at) || e[i].at.Equal(e[j].at) && e[i].n < e[j].n
}
func (e events) Swap(i, j int) { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)   { *e = append(*e, x.(*event)) } //nolint:forcetypeassert // the heap's own
func (e *events) Pop() any {
	old := *e
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*e = old[:len(old)-1]
	return last
}

// after lets f happen in a while.
func (c *clockwork) after(d time.Duration, f func()) *event {
	c.serial++
	e := &event{c.now.Add(max(d, 0)), c.serial, f}
	heap.Push(&c.events, e)
	return e
}

// step lets the next event happen; false when there is none.
func (c *clockwork) step() bool {
	for len(c.events) > 0 {
		e := heap.Pop(&c.events).(*event) //nolint:forcetypeassert // the heap's own
		if e.f == nil {
			continue
		}
		c.now = e.at
		c.steps++
		e.f()
		return true
	}
	return false
}

// say writes a line of the trace.
func (c *clockwork) say(format string, args ...any) {
	at := c.now.Sub(c.began)
	_, _ = fmt.Fprintf(c.digest, "%d ", at) // a hash takes everything
	_, _ = fmt.Fprintf(c.digest, format, args...)
	if c.trace != nil {
		_, _ = fmt.Fprintf(c.trace, "%9.3fs  "+format+"\n", append([]any{at.Seconds()}, args...)...)
	}
}

// routine is a flow of control that waits for events: a program on a device, a
// person at a desk. It is a coroutine that the scheduler resumes, never beside
// anything else.
type routine struct {
	c      *clockwork
	name   string
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	ticket int
	ended  bool
}

// killed unwinds a routine that was killed.
type killed struct{}

// start runs f as a routine until it waits for the first time.
func (c *clockwork) start(name string, f func()) *routine {
	r := &routine{c: c, name: name}
	r.next, r.stop = iter.Pull(func(yield func(struct{}) bool) {
		r.yield = yield
		defer func() {
			r.ended = true
			if p := recover(); p != nil && p != (killed{}) {
				panic(located(p))
			}
		}()
		f()
	})
	c.routine = append(c.routine, r)
	c.resume(r)
	return r
}

func (c *clockwork) resume(r *routine) {
	if r.ended {
		return
	}
	before := c.running
	c.running = r
	defer func() { c.running = before }()
	r.next()
}

// wait gives way until wake is called with the ticket that it was given.
func (c *clockwork) wait(begin func(wake func())) {
	r := c.running
	r.ticket++
	mine := r.ticket
	begin(func() {
		if r.ticket == mine && !r.ended {
			r.ticket++
			c.resume(r)
		}
	})
	if !r.yield(struct{}{}) {
		panic(killed{})
	}
}

func (c *clockwork) sleep(d time.Duration) {
	c.wait(func(wake func()) { c.after(d, wake) })
}

// kill ends a routine wherever it is; one that kills itself does not return.
func (c *clockwork) kill(r *routine) {
	if r.ended {
		return
	}
	if c.running == r {
		panic(killed{})
	}
	r.stop()
	r.ended = true
}

// end kills all routines.
func (c *clockwork) end() {
	for _, r := range c.routine {
		c.kill(r)
	}
}
