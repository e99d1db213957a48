// Package wire holds the messages of the HTTP API: what clients and server say
// to each other. Nouns of package landfall travel as they are.
package wire

import (
	"encoding/json"
	"time"

	"github.com/landfall-sync/landfall"
)

// Protocol is the version of the sync protocol spoken here.
const Protocol = 1

// Push is a device's batch of mutations, consecutive in number. Each element of
// Mutations is one landfall.Mutation; its bytes are kept as they are.
type Push struct {
	Replica      string    `json:"replica"`
	Incarnation  int64     `json:"incarnation"`
	Clock        time.Time `json:"clock"` // the device's, when it sent this
	Protocol     int       `json:"protocol"`
	Definition   int64     `json:"definition"`              // version that the client knows
	First        int64     `json:"first"`                   // number of Mutations[0]
	PreviousHash string    `json:"previous_hash,omitempty"` // of number First-1; empty when First is 1
	Waiting      int       `json:"waiting"`                 // outbox size, these included
	// Checkpoint is the one that the device would pull from. It tells the server
	// which history the versions in the mutations are of.
	Checkpoint string `json:"checkpoint,omitempty"`
	// LostThrough: mutations up to this number were made on a history that the
	// server has lost since.
	LostThrough int64 `json:"lost_through,omitempty"`
	// Asks: the device only asks what the server has of these mutations. It gets the
	// receipts of those, and nothing is taken in.
	Asks   bool   `json:"asks,omitempty"`
	Client string `json:"client,omitempty"` // name and version of the program
	// Oldest is when the oldest of those that wait behind these was made.
	Oldest time.Time `json:"oldest,omitzero"`
	// Made is the last number that was given in the incarnation; 0 tells nothing.
	Made int64 `json:"made,omitempty"`
	// Obeys is the order that the device knows of.
	Obeys string `json:"obeys,omitempty"`
	// Wiped: the device has handed in all, and has erased everything else.
	Wiped     bool              `json:"wiped,omitempty"`
	Mutations []json.RawMessage `json:"mutations"`
}

// PushReply answers a push: one receipt a mutation, in order.
type PushReply struct {
	Receipts []landfall.Receipt `json:"receipts"`
	Next     int64              `json:"next"`  // number expected next
	Clock    time.Time          `json:"clock"` // the server's
	// Forked means that the incarnation is closed: start a new one and go on.
	Forked bool `json:"forked,omitempty"`
	// Gap means that nothing was stored since numbers before First are missing:
	// send again from Next.
	Gap bool `json:"gap,omitempty"`
	// LastHash, with Gap, is the hash of number Next-1.
	LastHash string `json:"last_hash,omitempty"`
	// Behind means that the server does not know that the incarnation before this
	// one was closed: it was restored to a time before. Offer again what is kept of
	// earlier incarnations.
	Behind bool `json:"behind,omitempty"`
	// Order is what the device is asked to do: OrderRetire, OrderWipe, or nothing.
	Order string `json:"order,omitempty"`
	// Expects and Lost answer a push of nothing, by which a device that may not pull
	// hears how it stands: as with a pull.
	Expects *Expects `json:"expects,omitempty"`
	Lost    bool     `json:"lost,omitempty"`
}

// Pulled is the latest state of one record, or that it is gone.
type Pulled struct {
	Seq    int64            `json:"seq"`
	Type   string           `json:"type"`
	ID     string           `json:"id"`
	Record *landfall.Record `json:"record,omitempty"`
	Gone   bool             `json:"gone,omitempty"`
}

// PullReply is a page of what changed since a checkpoint.
type PullReply struct {
	Changes  []Pulled           `json:"changes"`
	Outcomes []landfall.Outcome `json:"outcomes,omitempty"`
	// Checkpoint covers everything in this page. Seq is its sequence.
	Checkpoint string `json:"checkpoint"`
	Seq        int64  `json:"seq"`
	More       bool   `json:"more"`
	// Resync means that the checkpoint can't be continued from: start again from
	// the one that is given, or without one, the outbox untouched. Nothing is taken
	// in at the given one; it says which history is shown until the new cut is whole.
	Resync bool `json:"resync,omitempty"`
	// Lost, with Resync, means that the server has lost the history of the
	// checkpoint: it was restored.
	Lost bool `json:"lost,omitempty"`
	// NewEpoch means that the server has lost history since it gave the checkpoint,
	// though perhaps none that the device had pulled: the places in the receipts
	// from before may be of that.
	NewEpoch bool `json:"new_epoch,omitempty"`
	// Expects is where the server stands in the device's outbox. What the device
	// has a receipt for from there on was lost; it offers it again.
	Expects *Expects `json:"expects,omitempty"`
	// KeptThrough: a client keeps a mutation until its receipt's sequence is at or under this.
	KeptThrough int64 `json:"kept_through"`
	// Definition is the published version; fetch it when it is not the one known.
	Definition int64     `json:"definition"`
	Clock      time.Time `json:"clock"`
	// Order is what the device is asked to do.
	Order string `json:"order,omitempty"`
}

// Expects is the mutation that a server expects next of a device.
type Expects struct {
	Incarnation int64  `json:"incarnation"`
	Next        int64  `json:"next"`
	LastHash    string `json:"last_hash,omitempty"` // of number Next-1
}

// Expected is where a server stands; last is the hash of the number before next.
func Expected(incarnation, next int64, last string) *Expects {
	e := &Expects{Incarnation: incarnation, Next: next}
	if next > 1 {
		e.LastHash = last
	}
	return e
}

// EnrolRequest makes an installation a replica: by one-time code, or by a
// signed-in user (no code, with a session token).
type EnrolRequest struct {
	Code string `json:"code,omitempty"`
	Name string `json:"name,omitempty" doc:"what people call the device"`
	// Replica is the device's id when it signs in again: after its credential was
	// revoked, or when the server was restored to a time before it enrolled.
	Replica string `json:"replica,omitempty" maxLength:"64" doc:"the device's id, when it was enrolled before"`
	User    string `json:"user,omitempty" maxLength:"100" doc:"whose device it was; nobody else can sign in on it"`
	// Fresh: nothing of what the device held is there any more. It goes on in an
	// incarnation of its own.
	Fresh bool `json:"fresh,omitempty" doc:"the device comes back empty: its data was evicted or erased"`
}

// Enrolled is a new replica and its credential, which is shown once.
type Enrolled struct {
	Replica     string `json:"replica"`
	Credential  string `json:"credential"`
	Incarnation int64  `json:"incarnation"`
	User        string `json:"user"`
	Workspace   string `json:"workspace"`
}

// Definition is the published definition.
type Definition struct {
	Version int64           `json:"version"`
	Source  string          `json:"source"`
	Actor   *landfall.Actor `json:"actor"` // the caller, with roles and teams
	Limits  Limits          `json:"limits"`
}

// Limits are part of the contract.
type Limits struct {
	Body     int64 `json:"body"`      // bytes of a push, uncompressed
	Batch    int   `json:"batch"`     // mutations a push
	Mutation int   `json:"mutation"`  // bytes of one
	Depth    int   `json:"depth"`     // nesting of one
	PullPage int   `json:"pull_page"` // changes a page, at most
}

// DefaultLimits are what the server enforces unless told otherwise.
func DefaultLimits() Limits {
	return Limits{Body: 32 << 20, Batch: 5000, Mutation: 256 << 10, Depth: 32, PullPage: 5000}
}
