// Package client is the field client: it works without a network. What its user
// does goes durably into the outbox and shows at once; Sync sends it when there
// is a network and takes in what changed elsewhere. What the server refuses is
// in the log until somebody has decided it.
//
// A Client is safe for concurrent use.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Transport talks to a server. Trouble of the network is a *landfall.Error with
// CodeUnavailable: nothing is known of what became of the request.
type Transport interface {
	Enrol(ctx context.Context, req wire.EnrolRequest) (*wire.Enrolled, error)
	Definition(ctx context.Context) (*wire.Definition, error)
	Push(ctx context.Context, body []byte) (*wire.PushReply, error)
	Pull(ctx context.Context, since string, limit int, told wire.Contact) (*wire.PullReply, error)
	Retry(ctx context.Context, issue string) ([]wire.Retried, error)
}

// Options of a client. Storage is needed; Transport too, for what uses a network.
type Options struct {
	Storage   Storage
	Transport Transport
	Clock     func() time.Time // default: time.Now
	NewID     func() string    // default: UUIDs of version 7
	Random    func() float64   // in [0, 1), for back-off; default: math/rand
	Program   string           // name and version of the program, told to the server
	Page      int              // changes asked for at a time; default: 1000
}

// Client is a replica with its outbox.
type Client struct {
	opts Options

	mu  sync.Mutex
	app *definition.App // compiled; of the version in compiled
	ver int64

	// handed: all that the device keeps was offered once more, and every step since
	// then went well.
	handed atomic.Bool
}

// Open opens a replica. One that is not enrolled yet can only Enrol.
func Open(_ context.Context, o Options) (*Client, error) {
	if o.Storage == nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "a client needs a storage")
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.NewID == nil {
		o.NewID = func() string { return uuid.Must(uuid.NewV7()).String() }
	}
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Page < 1 {
		o.Page = 1000
	}
	return &Client{opts: o}, nil
}

// state is what a replica knows of itself.
type state struct {
	Server      string           `json:"server"`
	Replica     string           `json:"replica"`
	Credential  string           `json:"credential"`
	User        string           `json:"user"`
	Workspace   string           `json:"workspace"`
	Incarnation int64            `json:"incarnation"`
	Next        int64            `json:"next"` // number for the next mutation
	AckedHash   string           `json:"acked_hash,omitempty"`
	AckedN      int64            `json:"acked_n,omitempty"` // the last number with a final receipt
	Checkpoint  string           `json:"checkpoint,omitempty"`
	Seq         int64            `json:"seq"`
	Definition  *wire.Definition `json:"definition,omitempty"`
	LastSync    time.Time        `json:"last_sync,omitzero"`
	NetworkOff  bool             `json:"network_off,omitempty"`
	Unreached   bool             `json:"unreached,omitempty"` // the last try did not reach the server
	Resyncing   bool             `json:"resyncing,omitempty"`
	Resyncs     int64            `json:"resyncs,omitempty"`      // how often one began
	Adrift      bool             `json:"adrift,omitempty"`       // what is shown is of a history that the server lost
	LostThrough int64            `json:"lost_through,omitempty"` // changes up to here were made on such a history
	Expects     *wire.Expects    `json:"expects,omitempty"`      // as the server said last
	// Asks: the incarnation is closed, and what was never sent is asked for: up to
	// the number AskedN so far, and up to AskTo in the end.
	Asks      bool          `json:"asks,omitempty"`
	AskedN    int64         `json:"asked_n,omitempty"`
	AskTo     int64         `json:"ask_to,omitempty"`
	Offered   *wire.Expects `json:"offered,omitempty"`   // from where all was offered again
	BehindIn  int64         `json:"behind_in,omitempty"` // incarnation in which the server said that it was
	Failures  int           `json:"failures,omitempty"`
	NotBefore time.Time     `json:"not_before,omitzero"` // back-off
	Batch     int           `json:"batch,omitempty"`     // mutations a push, after "too large"
	Order     string        `json:"order,omitempty"`     // what the server asks the device to do
}

const stateName = "state"

func load(tx Tx) (*state, error) {
	b, err := tx.Value(stateName)
	if err != nil || b == nil {
		return nil, err
	}
	s := &state{}
	return s, json.Unmarshal(b, s)
}

// enrolled is the state of a replica that is enrolled.
func enrolled(tx Tx) (*state, error) {
	s, err := load(tx)
	if err == nil && s == nil {
		var gone *erased
		if gone, err = loadErased(tx); gone != nil && err == nil {
			return nil, gone.error()
		}
	}
	if err == nil && s == nil {
		err = landfall.Errorf(landfall.CodeInvalid, "this device is not enrolled").WithHint("enrol it with a one-time code: landfall field init URL --code CODE")
	}
	return s, err
}

func save(tx Tx, s *state) error {
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return tx.SetValue(stateName, b)
}

// compiled is the definition that the replica has.
func (c *Client) compiled(s *state) (*definition.App, error) {
	if s.Definition == nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "this device does not have the definition yet").WithHint("sync once with a network")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.app == nil || c.ver != s.Definition.Version {
		app, problems := definition.Compile("definition", []byte(s.Definition.Source))
		if app == nil {
			return nil, landfall.Errorf(landfall.CodeInternal, "the server's definition can't be read by this program: %v", problems).WithHint("update the program; what you entered is safe")
		}
		app.Version = s.Definition.Version
		c.app, c.ver = app, s.Definition.Version
	}
	return c.app, nil
}

// actor is the device's user, with the roles that the server told last.
func (s *state) actor() *landfall.Actor {
	if s.Definition != nil && s.Definition.Actor != nil {
		return s.Definition.Actor
	}
	return &landfall.Actor{User: s.User}
}

// Enrol makes this installation a replica of the server by a one-time code.
func (c *Client) Enrol(ctx context.Context, server, code, name string) error {
	return c.enrol(ctx, server, wire.EnrolRequest{Code: code, Name: name})
}

// Return makes this installation, which has nothing of it any more, the replica
// that it was before. The server accounts for what it had reported and never sent.
func (c *Client) Return(ctx context.Context, server, code, name, replica string) error {
	return c.enrol(ctx, server, wire.EnrolRequest{Code: code, Name: name, Replica: replica, Fresh: true})
}

func (c *Client) enrol(ctx context.Context, server string, req wire.EnrolRequest) error {
	if err := c.opts.Storage.View(ctx, func(tx Tx) error {
		s, err := load(tx)
		if err == nil && s != nil {
			err = landfall.Errorf(landfall.CodeConflict, "this folder is %s's device already", s.User).WithHint("use another folder, or log out first")
		}
		return err
	}); err != nil {
		return err
	}
	e, err := c.opts.Transport.Enrol(ctx, req)
	if err != nil {
		return err
	}
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s := &state{Server: server, Replica: e.Replica, Credential: e.Credential, User: e.User, Workspace: e.Workspace, Incarnation: e.Incarnation, Next: 1}
		return errors.Join(tx.SetValue(erasedName, nil), save(tx, s))
	})
}

// SignIn gives the device a credential again, by a one-time code or, with a
// transport that carries a session, by its user: after it was revoked, or when
// the server was restored to a time before it enrolled. It stays the device that
// it was; everything on it stays.
func (c *Client) SignIn(ctx context.Context, code string) error {
	var s *state
	if err := c.opts.Storage.View(ctx, func(tx Tx) (err error) {
		s, err = enrolled(tx)
		return err
	}); err != nil {
		return err
	}
	e, err := c.opts.Transport.Enrol(ctx, wire.EnrolRequest{Code: code, Replica: s.Replica, User: s.User})
	if err != nil {
		return err
	}
	if e.Replica != s.Replica || e.User != s.User {
		return landfall.Errorf(landfall.CodeForbidden, "this is %s's device, and %s signed in", s.User, e.User).WithHint("its user has to sign in; nothing was changed")
	}
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		s.Credential, s.Failures, s.NotBefore = e.Credential, 0, time.Time{}
		return save(tx, s)
	})
}

// Identity tells whose device this is. It is empty for one that is not enrolled.
func (c *Client) Identity(ctx context.Context) (server, user, replica string, err error) {
	err = c.opts.Storage.View(ctx, func(tx Tx) error {
		s, err := load(tx)
		if s != nil {
			server, user, replica = s.Server, s.User, s.Replica
		}
		return err
	})
	return server, user, replica, err
}

// Credential reads the credential of the replica in a storage; empty before
// it is enrolled. A transport needs it before there is a client.
func Credential(ctx context.Context, st Storage) (server, credential string, err error) {
	err = st.View(ctx, func(tx Tx) error {
		s, err := load(tx)
		if s != nil {
			server, credential = s.Server, s.Credential
			return err
		}
		if gone, gerr := loadErased(tx); gone != nil && err == nil {
			server, credential, err = gone.Server, gone.Credential, gerr
		}
		return err
	})
	return server, credential, err
}

// SetNetwork switches the network on or off for this replica, as pulling the
// cable does; it stays so until it is switched again.
func (c *Client) SetNetwork(ctx context.Context, on bool) error {
	return c.opts.Storage.Update(ctx, func(tx Tx) error {
		s, err := enrolled(tx)
		if err != nil {
			return err
		}
		s.NetworkOff, s.Unreached, s.NotBefore, s.Failures = !on, false, time.Time{}, 0
		return save(tx, s)
	})
}
