package client

import (
	"context"

	"github.com/landfall-sync/landfall"
)

// Storage keeps a replica. Update runs f in one durable transaction: when it
// returns nil, everything f wrote survives a killed process and a lost power
// supply; when f fails, nothing of it is there. Several processes may have the
// same storage open; their transactions follow one another.
type Storage interface {
	View(ctx context.Context, f func(Tx) error) error
	Update(ctx context.Context, f func(Tx) error) error
	Close() error
}

// Tx reads and, within Update, writes. What is not there is nil, not an error.
type Tx interface {
	Values
	Replica
	Outbox
}

// Values are small things by name.
type Values interface {
	Value(name string) ([]byte, error)
	SetValue(name string, v []byte) error
	// Clear empties the storage: values, records and outbox.
	Clear() error
}

// Replica is the server's state as far as it was pulled.
type Replica interface {
	Record(id string) (*landfall.Record, error)
	// Records lists records of a type by id; of all types when typ is empty.
	Records(typ string) ([]*landfall.Record, error)
	PutRecord(r *landfall.Record) error
	DeleteRecord(id string) error
}

// Outbox keeps the device's mutations, and what the server said to them.
type Outbox interface {
	Entry(incarnation, n int64) (*Entry, error)
	// Entries lists all that are kept, in order of (incarnation, n).
	Entries() ([]*Entry, error)
	PutEntry(e *Entry) error
	DeleteEntry(incarnation, n int64) error
}

// EntryState is where an outbox entry stands.
type EntryState string

// The states of an entry. Sent means that the server may have it: its bytes
// never change any more. Done entries have left the view.
const (
	Pending EntryState = "pending"
	Sent    EntryState = "sent"
	Stored  EntryState = "stored"
	Applied EntryState = "applied" // its effect has not been pulled yet
	Issued  EntryState = "issue"   // it is an issue, or waits in one
	Done    EntryState = "done"
)

// Entry is one mutation in the outbox.
type Entry struct {
	Incarnation int64             `json:"incarnation"`
	N           int64             `json:"n"`
	Bytes       []byte            `json:"bytes"` // as they are sent
	Hash        string            `json:"hash"`
	Previous    string            `json:"previous,omitempty"` // hash of the one before, when it was sent first
	State       EntryState        `json:"state"`
	Record      string            `json:"record,omitempty"`
	Type        string            `json:"type,omitempty"`
	Receipt     *landfall.Receipt `json:"receipt,omitempty"`
	Outcome     *landfall.Outcome `json:"outcome,omitempty"`
	// Heard are outcomes under its number of issues that the device did not know: of
	// other changes, or of this one. The next receipt tells.
	Heard   []landfall.Outcome `json:"heard,omitempty"`
	Issue   string             `json:"issue,omitempty"` // that holds it now
	Kind    landfall.Kind      `json:"kind,omitempty"`
	Waiting bool               `json:"waiting,omitempty"`
	// Reverted entries are out of the view, since their user took them back.
	Reverted bool `json:"reverted,omitempty"`
	// Astray: the place in its receipt is of a history that the server has lost.
	Astray bool `json:"astray,omitempty"`
	// Doubted entries are offered again, though the server gave a receipt.
	Doubted bool `json:"doubted,omitempty"`
	// Beyond is the place of a receipt that was beyond all that the server had.
	Beyond int64 `json:"beyond,omitempty"`
}

// unsettled: the server has not said yet what becomes of it.
func (e *Entry) unsettled() bool { return e.State == Pending || e.State == Sent || e.State == Stored }

// shown: it is part of what the user sees.
func (e *Entry) shown() bool { return e.State != Done && !e.Reverted }
