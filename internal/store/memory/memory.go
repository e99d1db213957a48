// Package memory is the reference store: everything in maps, nothing on disk.
// It says by plain code what the other drivers must do; tests use it.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Store keeps workspaces in memory.
type Store struct {
	mu sync.RWMutex
	db *db
}

// New makes an empty store.
func New() *Store { return &Store{db: newDB()} }

// Close implements store.Store.
func (s *Store) Close() error { return nil }

// View implements store.Store.
func (s *Store) View(ctx context.Context, f func(store.Reader) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return f(&tx{db: s.db})
}

// Update implements store.Store.
func (s *Store) Update(ctx context.Context, f func(store.Writer) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &tx{db: s.db}
	done := false
	defer func() {
		if !done || err != nil {
			t.rollback()
		}
	}()
	err = f(t)
	done = true
	return err
}

// tables. Rows are kept encoded, so that nobody can reach into them.
type db struct {
	heads       map[string][]byte
	commits     map[string][]commit
	records     map[[2]string][]byte   // ws, id
	audience    map[[2]string][]string // ws, id
	feed        map[[3]string]store.Entry
	changes     map[[2]string][][]byte
	unique      map[[4]string]string            // ws, type, field, value → id
	uniqueOf    map[[2]string]map[string]string // ws, id → field → value
	counters    map[[2]string]int64
	issues      map[[2]string][]byte
	grants      map[[2]string][]store.GrantRow // ws, user
	definitions map[string][]byte              // ws + version
	pushes      map[string][]store.Push
	nextPush    int64
	items       map[itemKey][]byte
	arrived     map[itemKey]int
	users       map[[2]string][]byte
	teams       map[[2]string]store.Team
	sessions    map[string]owned
	codes       map[string]owned
	replicas    map[[2]string][]byte
	audit       map[string][][]byte // by workspace, in order
}

type commit struct {
	last int64
	mark string
}

type itemKey struct {
	ws  string
	key landfall.Key
}

type owned struct {
	ws   string
	body []byte
}

func newDB() *db {
	return &db{
		heads: map[string][]byte{}, commits: map[string][]commit{}, records: map[[2]string][]byte{}, audience: map[[2]string][]string{},
		feed: map[[3]string]store.Entry{}, changes: map[[2]string][][]byte{}, unique: map[[4]string]string{}, uniqueOf: map[[2]string]map[string]string{},
		counters: map[[2]string]int64{}, issues: map[[2]string][]byte{}, grants: map[[2]string][]store.GrantRow{}, definitions: map[string][]byte{},
		pushes: map[string][]store.Push{}, items: map[itemKey][]byte{}, arrived: map[itemKey]int{}, users: map[[2]string][]byte{}, teams: map[[2]string]store.Team{},
		sessions: map[string]owned{}, codes: map[string]owned{}, replicas: map[[2]string][]byte{}, audit: map[string][][]byte{},
	}
}

// tx is a transaction; undo puts back what it changed.
type tx struct {
	db   *db
	undo []func()
}

func (t *tx) rollback() {
	for _, f := range slices.Backward(t.undo) {
		f()
	}
}

// set changes one entry of a table and remembers how it was.
func set[K comparable, V any](t *tx, m map[K]V, k K, v V) {
	old, had := m[k]
	t.undo = append(t.undo, func() {
		if had {
			m[k] = old
		} else {
			delete(m, k)
		}
	})
	m[k] = v
}

func remove[K comparable, V any](t *tx, m map[K]V, k K) {
	old, had := m[k]
	if !had {
		return
	}
	t.undo = append(t.undo, func() { m[k] = old })
	delete(m, k)
}

func put[K comparable](t *tx, m map[K][]byte, k K, v any) error {
	b, err := store.Encode(v)
	if err == nil {
		set(t, m, k, b)
	}
	return err
}

func get[T any, K comparable](m map[K][]byte, k K) (*T, error) {
	b, ok := m[k]
	if !ok {
		return nil, nil
	}
	return store.Decode[T](b)
}

// page sorts rows, skips to the one after the cursor, and cuts at the limit.
func page[T any](rows []T, p store.Page, order func(a, b T) int, after func(T) bool) []T {
	slices.SortFunc(rows, order)
	var out []T
	for _, r := range rows {
		if p.After != "" && !after(r) {
			continue
		}
		if len(out) == p.Limit {
			break
		}
		out = append(out, r)
	}
	return out
}

// Head implements store.Reader.
func (t *tx) Head(ws string) (*store.Head, error) { return get[store.Head](t.db.heads, ws) }

// Workspaces implements store.Reader.
func (t *tx) Workspaces() ([]string, error) {
	var out []string
	for ws := range t.db.heads {
		out = append(out, ws)
	}
	slices.Sort(out)
	return out, nil
}

// CreateWorkspace implements store.Writer.
func (t *tx) CreateWorkspace(ws string, h store.Head) error {
	if t.db.heads[ws] != nil {
		return landfall.Errorf(landfall.CodeConflict, "there is a workspace %q already", ws)
	}
	return put(t, t.db.heads, ws, &h)
}

// SetHead implements store.Writer.
func (t *tx) SetHead(ws string, h store.Head) error {
	old, err := t.Head(ws)
	if err != nil {
		return err
	}
	if old == nil {
		return fmt.Errorf("there is no workspace %q", ws)
	}
	if h.Seq > old.Seq {
		set(t, t.db.commits, ws, append(slices.Clip(t.db.commits[ws]), commit{h.Seq, h.Mark}))
	}
	return put(t, t.db.heads, ws, &h)
}

// Mark implements store.Reader.
func (t *tx) Mark(ws string, seq int64) (string, error) {
	if seq < 1 {
		return "", nil
	}
	for _, c := range t.db.commits[ws] {
		if seq <= c.last {
			return c.mark, nil
		}
	}
	return "", nil
}

// Definition implements store.Reader.
func (t *tx) Definition(ws string, version int64) (*store.DefinitionRow, error) {
	return get[store.DefinitionRow](t.db.definitions, definitionKey(ws, version))
}

// PutDefinition implements store.Writer.
func (t *tx) PutDefinition(ws string, d *store.DefinitionRow) error {
	return put(t, t.db.definitions, definitionKey(ws, d.Version), d)
}

func definitionKey(ws string, version int64) string { return fmt.Sprintf("%s\x00%d", ws, version) }

// Counter implements store.Reader.
func (t *tx) Counter(ws, series string) (int64, error) {
	return t.db.counters[[2]string{ws, series}], nil
}

// SetCounter implements store.Writer.
func (t *tx) SetCounter(ws, series string, n int64) error {
	set(t, t.db.counters, [2]string{ws, series}, n)
	return nil
}

// Grants implements store.Reader.
func (t *tx) Grants(ws, user string) ([]store.GrantRow, error) {
	out := slices.Clone(t.db.grants[[2]string{ws, user}])
	slices.SortFunc(out, func(a, b store.GrantRow) int {
		return cmp.Or(cmp.Compare(a.From, b.From), strings.Compare(a.Key, b.Key))
	})
	return out, nil
}

// PutGrant implements store.Writer.
func (t *tx) PutGrant(ws string, g store.GrantRow) error {
	k := [2]string{ws, g.User}
	rows := slices.Clone(t.db.grants[k])
	i := slices.IndexFunc(rows, func(r store.GrantRow) bool { return r.Key == g.Key && r.From == g.From })
	if i < 0 {
		rows = append(rows, g)
	} else {
		rows[i] = g
	}
	set(t, t.db.grants, k, rows)
	return nil
}
