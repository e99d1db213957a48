package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
)

// A request travels as what the server is to do, and its reply as the bytes that
// the program would send. Between a device and the server both get lost, doubled,
// late, out of order, and cut at any byte.

// unreachable is what a client gets when nothing came back: nothing is known.
func unreachable(why string) error {
	return &landfall.Error{Code: landfall.CodeUnavailable, Message: "the server can't be reached: " + why, Hint: "nothing is lost; try again when it is there"}
}

var errCutOff = unreachable("the connection ended")

// timeout is how long a client waits for a reply.
const timeout = 20 * time.Second

// line is the network between one party and the server.
type line struct {
	w       *world
	name    string // of the party
	dice    dice
	trouble Trouble
	down    bool // no network here
	sent    int
	epoch   int // history that the reply is of which came last
}

// Trouble is how bad a network is: the shares of messages that it loses,
// doubles, holds up for long, or cuts.
type Trouble struct {
	Lost, Doubled, Late, Cut float64
}

// request is one call to the server.
type request struct {
	what       string
	user       string                              // whose bytes the reply will be
	credential string                              // of a device; "": a person at the desk
	replica    string                              // whose credential it is, as far as it is known
	do         func(who *auth.Caller) (any, error) // answers at once, or
	push       []byte                              // is a push, or
	land       string                              // (of this device, by a person)
	open       func() (any, error)                 // needs no credential
}

// call sends a request and waits for what comes back; out gets the reply.
func (l *line) call(q request, out any) error {
	w := l.w
	var got []byte
	err := unreachable("no reply came")
	w.wait(func(wake func()) {
		ended := false
		var late *event
		end := func(b []byte, e error) {
			if !ended {
				ended, got, err = true, b, e
				if late != nil {
					late.cancel()
				}
				wake()
			}
		}
		if l.down {
			w.after(l.delay(), func() { end(nil, unreachable("there is no network")) })
			return
		}
		late = w.after(timeout, func() { end(nil, unreachable("no reply came in time")) })
		l.send(q, end)
	})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(got, out); err != nil {
		w.met("net: reply cut")
		return unreachable("the reply was cut off")
	}
	return nil
}

func (l *line) delay() time.Duration {
	if l.dice.chance(l.trouble.Late) {
		l.w.met("net: late")
		return l.dice.span(time.Second, 3*timeout)
	}
	return l.dice.span(2*time.Millisecond, 80*time.Millisecond)
}

// send lets the request reach the server: never, once or twice.
func (l *line) send(q request, end func([]byte, error)) {
	l.sent++
	arrive := func() { l.w.arrive(l, q, end) }
	late := l.delay()
	if l.dice.chance(l.trouble.Lost) {
		l.w.met("net: request lost")
	} else {
		l.w.after(late, arrive)
	}
	if l.dice.chance(l.trouble.Doubled) {
		l.w.met("net: request doubled")
		if l.dice.chance(0.5) {
			late = l.delay()
		}
		l.w.after(late, arrive)
	}
}

// arrive is a request at the server. Who it is, is asked now; what it asks for is
// done a little later.
func (w *world) arrive(l *line, q request, end func([]byte, error)) {
	h := w.host
	if !h.up {
		w.after(l.delay(), func() { end(nil, unreachable("connection refused")) })
		return
	}
	reply := func(v any, err error) { l.back(q, v, err, end) }
	life := h.life
	h.guard(func() {
		var who *auth.Caller
		var err error
		switch {
		case q.open != nil:
		case q.credential == "":
			who, err = h.person(q.user)
		default:
			if who, err = h.accounts.Authenticate(w.ctx, q.credential); err == nil {
				q.replica = who.Replica
			}
		}
		if err == nil {
			err = mayCall(who, &q)
		}
		if err != nil {
			reply(nil, err)
			return
		}
		w.after(h.pause(), func() {
			if h.life != life || !h.up {
				end(nil, errCutOff)
				return
			}
			if w.cutOff(&q) {
				end(nil, errCutOff)
				return
			}
			answered := false
			h.guard(func() {
				w.serve(q, who, func(v any, err error) {
					answered = true
					reply(v, err)
				})
				answered = true
			})
			if !answered {
				end(nil, errCutOff)
			}
		})
	})
	if !h.up {
		end(nil, errCutOff)
	}
}

// cutOff: the HTTP API ends the requests of a device that may only hand in from
// now on. Pushes go on, and pulls look for themselves.
func (w *world) cutOff(q *request) bool {
	u := w.model.User(q.user)
	return q.replica != "" && q.push == nil && q.what != "pull" && (w.model.Deposits(q.replica) || u != nil && u.Disabled)
}

// pause is how long it takes from knowing the caller to doing what they ask: long
// when the rest of the request comes slowly.
func (h *host) pause() time.Duration {
	if h.dice.chance(0.08) {
		return h.dice.span(0, 4*time.Second)
	}
	return h.dice.span(0, 25*time.Millisecond)
}

// mayCall is what the HTTP API asks of a device before anything else: those of
// disabled users, and blocked ones, only hand in.
func mayCall(who *auth.Caller, q *request) error {
	if who != nil && who.Void && q.push == nil {
		return landfall.Errorf(landfall.CodeUnauthorized, "the server does not let this device in (any more)")
	}
	if who != nil && who.Replica != "" && (who.Actor.Disabled || who.Actor.Blocked) && q.push == nil {
		return landfall.Errorf(landfall.CodeForbidden, "this account or device is blocked: it can hand in what it has, and receives nothing")
	}
	return nil
}

func (w *world) serve(q request, who *auth.Caller, reply func(any, error)) {
	switch {
	case q.push != nil:
		w.host.push(who, &q, reply)
	case q.open != nil:
		reply(q.open())
	default:
		reply(q.do(who))
	}
}

// back sends the reply. What leaves the server is searched before anything can
// happen to it.
func (l *line) back(q request, v any, failed error, end func([]byte, error)) {
	w := l.w
	if failed == errCutOff { //nolint:errorlint // it is this very one, and says that nothing was sent
		end(nil, failed)
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if failed != nil {
		v = asError(failed)
		if v.(*landfall.Error).Code == landfall.CodeInternal { //nolint:forcetypeassert // it was made so
			w.say("the server's trouble: %v", failed)
		}
	}
	if err := enc.Encode(v); err != nil {
		w.violate("reply", "the reply to %s can't be encoded: %v", q.what, err)
		return
	}
	w.leaves(q, b.Bytes(), failed)
	w.receiptsAlone(&q, b.Bytes(), failed)
	w.say("%s: %s is answered with %s", l.name, q.what, summary(b.Len(), failed))
	if l.dice.chance(l.trouble.Lost) {
		w.met("net: reply lost")
		return
	}
	sent, epoch := b.Bytes(), w.host.epoch
	if failed == nil && l.dice.chance(l.trouble.Cut) {
		sent = sent[:l.dice.IntN(len(sent))]
	}
	w.after(l.delay(), func() {
		l.epoch = epoch
		if failed != nil {
			end(nil, asError(failed))
			return
		}
		end(sent, nil)
	})
}

func asError(err error) *landfall.Error {
	var e *landfall.Error
	if !errors.As(err, &e) || e.Code == landfall.CodeInternal {
		return landfall.Errorf(landfall.CodeInternal, "something went wrong in the server")
	}
	c := *e
	c.Err = nil
	return &c
}

func summary(size int, failed error) string {
	if failed != nil {
		return "an error: " + string(landfall.CodeOf(failed))
	}
	return strconv.Itoa(size) + " bytes"
}
