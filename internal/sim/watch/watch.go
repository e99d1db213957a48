// Package watch lies around a store and remembers what each transaction wrote,
// in order, for those who check that it was right.
package watch

import (
	"context"
	"sync"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Store passes everything on and keeps what the last transaction wrote, in order.
type Store struct {
	store.Store
	mu   sync.Mutex
	last *Commit
}

// New makes a Store around another.
func New(inner store.Store) *Store { return &Store{Store: inner} }

// Last is what the last Update wrote whose function returned nil; nil before
// the first. Whether that was committed, whoever called Update knows.
func (s *Store) Last() *Commit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, f func(store.Writer) error) error {
	return s.Store.Update(ctx, func(w store.Writer) error {
		t := &writer{Writer: w, c: &Commit{}}
		if err := f(t); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.last = t.c
		return nil
	})
}

// Commit is what one transaction wrote. WS is empty when it wrote nothing that
// belongs to a workspace.
type Commit struct {
	WS  string
	Ops []Op
}

// Op is one write: exactly one of its members is set, with its companions.
type Op struct {
	Created    *store.Head // of a new workspace
	Head       *store.Head
	Record     *landfall.Record
	Keys       []string // of Record
	Regrouped  *Regrouped
	Change     *landfall.Change
	Item       *store.Item
	Added      bool // Item's key was not there before
	Issue      *store.IssueRow
	Unique     *Unique
	Links      *Links
	Counter    *Counter
	User       *store.User
	Team       *store.Team
	Grant      *store.GrantRow
	Definition *store.DefinitionRow
	Replica    *store.Replica
	Audit      *store.AuditEntry
	// Push is one that was captured, PushMarked one that is tried again, and
	// PushDeleted the id of one that is judged.
	Push        *store.Push
	PushMarked  *store.Push
	PushDeleted int64
	Session     *store.Session
	SessionGone string
	Code        *store.Code
	CodeGone    string
	Setting     *store.SettingRow // with no value: reset
}

// Regrouped is a record, by its id, that got another audience at a place.
type Regrouped struct {
	ID   string
	Keys []string
	Seq  int64
}

// Unique are the unique values that a record holds from now on.
type Unique struct {
	Type, ID string
	Values   map[string]string
}

// Links are the records that a record is found from, from now on.
type Links struct {
	Type, ID string
	Links    []landfall.Link
}

// Counter is the last number given in a series.
type Counter struct {
	Series string
	N      int64
}
