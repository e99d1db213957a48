package client

import (
	"context"
	"encoding/json"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What a server asks a device to do, it says with every reply. A device that is
// retired sends all it has and takes in nothing new; one that is wiped sends all
// it has, erases everything, and says so.

// contact is what the device tells of itself. behind are the changes that wait
// and are not in the push that it goes with.
func (c *Client) contact(s *state, waiting int, behind []*Entry) (wire.Contact, error) {
	told := wire.Contact{
		Clock: c.opts.Clock().UTC(), Incarnation: s.Incarnation, Made: s.Next - 1, Waiting: waiting, Client: c.opts.Program, Obeys: s.Order,
	}
	if s.Definition != nil {
		told.Definition = s.Definition.Version
	}
	if len(behind) > 0 {
		m, err := decode(behind[0])
		if err != nil {
			return told, err
		}
		told.Oldest = m.MadeAt
	}
	return told, nil
}

// refused: the server lets the device hand in, and nothing more.
func refused(err error) bool {
	code := landfall.CodeOf(err)
	return err != nil && (code == landfall.CodeForbidden || code == landfall.CodeUnauthorized)
}

// ask hears, with a push of nothing, how a device stands that may only hand in.
// cause is why it could not pull; it stays when nothing is asked.
func (c *Client) ask(ctx context.Context, b *batch, cause error) (deed, error) {
	reply, err := c.contacted(ctx, b)
	if err != nil || reply.Expects == nil {
		return nothing, cause
	}
	offers, err := c.heed(ctx, b, reply)
	switch {
	case err != nil:
		return nothing, err
	case offers || reply.Order == wire.OrderWipe && b.s.Order != reply.Order:
		return something, nil
	case reply.Order == wire.OrderRetire && landfall.CodeOf(cause) == landfall.CodeForbidden:
		return nothing, landfall.Errorf(landfall.CodeForbidden, "this device is retired: what was on it is delivered, and it receives nothing any more").
			WithHint("remove what it still holds: landfall field logout; an administrator can let it in again")
	}
	return nothing, cause
}

// contacted pushes nothing.
func (c *Client) contacted(ctx context.Context, b *batch) (*wire.PushReply, error) {
	body, err := c.body(b, "", b.told.Waiting)
	if err != nil {
		return nil, err
	}
	return c.opts.Transport.Push(ctx, body)
}

// heed takes in what the server answered to a push of nothing: its order, and whether
// it was restored. What it gave receipts for and does not have is offered again.
func (c *Client) heed(ctx context.Context, b *batch, reply *wire.PushReply) (offers bool, err error) {
	err = c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		s.Order = reply.Order
		if offers, err = c.behind(tx, s, b.s, reply.Expects); err != nil {
			return err
		}
		if reply.Lost && s.Checkpoint == b.s.Checkpoint {
			offers = true
			if err := s.anew(tx, "", reply.Expects, true); err != nil {
				return err
			}
		}
		return save(tx, s)
	})
	return offers, err
}

// mayEnter refuses new changes on a device that is going away.
func (s *state) mayEnter() error {
	switch s.Order {
	case wire.OrderRetire:
		return landfall.Errorf(landfall.CodeForbidden, "this device is being retired: nothing new can be entered on it").WithHint("sync to deliver what is on it; go on with another device")
	case wire.OrderWipe:
		return landfall.Errorf(landfall.CodeForbidden, "this device is to be erased: nothing new can be entered on it").WithHint("sync to hand in what is on it")
	}
	return nil
}

// erased is what stays of a device that was told to erase itself.
type erased struct {
	Server     string    `json:"server"`
	Replica    string    `json:"replica"`
	Credential string    `json:"credential,omitempty"` // until the server has heard
	User       string    `json:"user"`
	At         time.Time `json:"at"`
	Body       []byte    `json:"body,omitempty"` // the push that tells it
}

const erasedName = "erased"

func loadErased(tx Tx) (*erased, error) {
	b, err := tx.Value(erasedName)
	if err != nil || b == nil {
		return nil, err
	}
	e := &erased{}
	return e, json.Unmarshal(b, e)
}

func (e *erased) error() error {
	return landfall.Errorf(landfall.CodeConflict, "this device erased itself on %s, as its server had asked; what was on it was handed in before", e.At.Local().Format("2006-01-02 15:04")).
		WithHint("enrol it anew: landfall field init URL --code CODE")
}

func saveErased(tx Tx, e *erased) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return tx.SetValue(erasedName, b)
}

// Scrubber is a storage that can see to it that what was cleared can't be read
// from its files any more.
type Scrubber interface {
	Scrub(ctx context.Context) error
}

// wipe erases the device when the server, asked right before, still wants it, and
// has all that the device gave it. The server may have been restored, and what it
// says of where it stands does not tell of everything that it may have lost, such as
// what it kept beside an incarnation: so all that is kept is offered once more first.
func (c *Client) wipe(ctx context.Context, b *batch, r *Report) (deed, error) {
	if !c.handed.Swap(true) {
		return something, c.opts.Storage.Update(ctx, func(tx Tx) error {
			return doubtAll(tx, func(*Entry) bool { return true })
		})
	}
	reply, err := c.contacted(ctx, b)
	if err != nil {
		return nothing, err
	}
	if reply.Expects == nil {
		return nothing, landfall.Errorf(landfall.CodeBusy, "the server does not say yet whether it has all of this device").WithHint("nothing is erased before; the device asks again by itself")
	}
	if offers, err := c.heed(ctx, b, reply); err != nil || offers || reply.Order != wire.OrderWipe {
		c.handed.Store(false)
		return something, err
	}
	return c.erase(ctx, r)
}

// erase removes everything, once the server has all of the outbox, and tells the
// server. It does nothing when a change was made meanwhile.
func (c *Client) erase(ctx context.Context, r *Report) (deed, error) {
	gone := false
	err := c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		all, err := tx.Entries()
		if err != nil {
			return err
		}
		for _, e := range all {
			if e.unsettled() && e.State != Stored {
				return nil
			}
		}
		b := &batch{s: s, inc: s.Incarnation, wiped: true}
		if b.told, err = c.contact(s, 0, nil); err != nil {
			return err
		}
		body, err := c.body(b, "", 0)
		if err != nil {
			return err
		}
		if err := tx.Clear(); err != nil {
			return err
		}
		gone = true
		return saveErased(tx, &erased{Server: s.Server, Replica: s.Replica, Credential: s.Credential, User: s.User, At: c.opts.Clock().UTC(), Body: body})
	})
	if err != nil || !gone {
		return something, err
	}
	c.mu.Lock()
	c.app = nil
	c.mu.Unlock()
	r.Erased = true
	if st, ok := c.opts.Storage.(Scrubber); ok {
		if err := st.Scrub(ctx); err != nil {
			return nothing, err
		}
	}
	_, err = c.confirm(ctx)
	return nothing, err
}

// confirm tells the server that the device has erased itself, until it heard. It
// is not ok on a device that has not.
func (c *Client) confirm(ctx context.Context) (e *erased, err error) {
	err = c.opts.Storage.View(ctx, func(tx Tx) error {
		if s, err := load(tx); err != nil || s != nil {
			return err
		}
		e, err = loadErased(tx)
		return err
	})
	if err != nil || e == nil || e.Credential == "" {
		return e, err
	}
	if st, ok := c.opts.Storage.(Scrubber); ok { // it may have been killed before it did
		if err := st.Scrub(ctx); err != nil {
			return e, err
		}
	}
	if _, err := c.opts.Transport.Push(ctx, e.Body); err != nil && !refused(err) {
		return e, err
	}
	e.Credential, e.Body = "", nil
	return e, c.opts.Storage.Update(ctx, func(tx Tx) error { return saveErased(tx, e) })
}

// retired: the device has delivered all that it was asked for. cause, that it
// does not hear of the definition any more, is the end of it then.
func (c *Client) retired(ctx context.Context, cause error) (done bool, err error) {
	err = c.opts.Storage.View(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		done = err == nil && s.Order == wire.OrderRetire && (cause == nil || refused(cause))
		return err
	})
	if err != nil || done {
		return done, err
	}
	return false, cause
}
