package store

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
)

// Batch is a Writer for many verdicts in one transaction. What they look at
// again and again is read once, and a record that many of them change is
// written once, as the last of them left it: nobody else can see a state in
// between. Flush writes what is still held back; without it, that is lost.
// What lists and searches is not told of what is held back.
type Batch struct {
	Writer
	ws       string
	rows     map[string]*batchRow
	changes  map[string]*batchChanges
	replicas map[string]*batchReplica
	users    map[string]*User
	teams    []Team
	counters map[string]*batchCounter
	laned    map[string]bool
	order    []string // ids of records in the order in which they were first written
}

type batchRow struct {
	stored *Row // as the database has it; nil for none
	now    *Row
	dirty  bool
}

type batchChanges struct {
	after int64
	list  []landfall.Change
}

type batchReplica struct {
	r     *Replica
	dirty bool
}

type batchCounter struct {
	n     int64
	dirty bool
}

// NewBatch holds back what is written to a workspace.
func NewBatch(w Writer, ws string) *Batch {
	return &Batch{
		Writer: w, ws: ws, rows: map[string]*batchRow{}, changes: map[string]*batchChanges{}, replicas: map[string]*batchReplica{},
		users: map[string]*User{}, counters: map[string]*batchCounter{}, laned: map[string]bool{},
	}
}

func (b *Batch) row(id string) (*batchRow, error) {
	if r := b.rows[id]; r != nil {
		return r, nil
	}
	stored, err := b.Writer.Row(b.ws, id)
	if err != nil {
		return nil, err
	}
	r := &batchRow{stored: stored, now: stored}
	b.rows[id] = r
	return r, nil
}

// Row implements Reader. The caller must not change what it gets.
func (b *Batch) Row(ws, id string) (*Row, error) {
	if ws != b.ws {
		return b.Writer.Row(ws, id)
	}
	r, err := b.row(id)
	if err != nil {
		return nil, err
	}
	return r.now, nil
}

// Record implements Reader. The caller must not change what it gets.
func (b *Batch) Record(ws, id string) (*landfall.Record, error) {
	r, err := b.Row(ws, id)
	if r == nil {
		return nil, err
	}
	return r.Record, nil
}

// Audience implements Reader.
func (b *Batch) Audience(ws, id string) ([]string, error) {
	r, err := b.Row(ws, id)
	if r == nil {
		return nil, err
	}
	return r.Keys, nil
}

// PutRecord implements Writer.
func (b *Batch) PutRecord(ws string, rec *landfall.Record, keys []string) error {
	if ws != b.ws {
		return b.Writer.PutRecord(ws, rec, keys)
	}
	r, err := b.row(rec.ID)
	if err != nil {
		return err
	}
	if !r.dirty {
		b.order = append(b.order, rec.ID)
	}
	r.now, r.dirty = &Row{Record: rec, Keys: sortedKeys(keys)}, true
	return nil
}

// Regroup implements Writer. What is held back of the record is written first.
func (b *Batch) Regroup(ws, id string, keys []string, seq int64) error {
	if r := b.rows[id]; r != nil && ws == b.ws {
		if err := b.flush(r); err != nil {
			return err
		}
		delete(b.rows, id)
	}
	return b.Writer.Regroup(ws, id, keys, seq)
}

func sortedKeys(keys []string) []string {
	keys = slices.Clone(keys)
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Changes implements Reader.
func (b *Batch) Changes(ws, id string, after int64) ([]landfall.Change, error) {
	if ws != b.ws {
		return b.Writer.Changes(ws, id, after)
	}
	c := b.changes[id]
	if c == nil || after < c.after {
		r, err := b.row(id)
		if err != nil {
			return nil, err
		}
		c = &batchChanges{after: after}
		if r.stored != nil || c.after < 0 || b.changes[id] != nil {
			if c.list, err = b.Writer.Changes(ws, id, after); err != nil {
				return nil, err
			}
		}
		b.changes[id] = c
	}
	i, _ := slices.BinarySearchFunc(c.list, after, func(c landfall.Change, seq int64) int {
		if c.Seq <= seq {
			return -1
		}
		return 1
	})
	return c.list[i:len(c.list):len(c.list)], nil
}

// AddChange implements Writer.
func (b *Batch) AddChange(ws string, c *landfall.Change) error {
	if known := b.changes[c.ID]; known != nil && ws == b.ws {
		known.list = append(known.list, *c)
	} else if r := b.rows[c.ID]; r != nil && r.stored == nil && ws == b.ws {
		b.changes[c.ID] = &batchChanges{list: []landfall.Change{*c}}
	}
	return b.Writer.AddChange(ws, c)
}

// Replica implements Reader.
func (b *Batch) Replica(ws, id string) (*Replica, error) {
	if ws != b.ws {
		return b.Writer.Replica(ws, id)
	}
	if r := b.replicas[id]; r != nil {
		return r.r, nil
	}
	r, err := b.Writer.Replica(ws, id)
	if err == nil {
		b.replicas[id] = &batchReplica{r: r}
	}
	return r, err
}

// PutReplica implements Writer.
func (b *Batch) PutReplica(ws string, r *Replica) error {
	if ws != b.ws {
		return b.Writer.PutReplica(ws, r)
	}
	b.replicas[r.ID] = &batchReplica{r, true}
	return nil
}

// User implements Reader.
func (b *Batch) User(ws, name string) (*User, error) {
	if ws != b.ws {
		return b.Writer.User(ws, name)
	}
	if u, ok := b.users[name]; ok {
		return u, nil
	}
	u, err := b.Writer.User(ws, name)
	if err == nil {
		b.users[name] = u
	}
	return u, err
}

// PutUser implements Writer.
func (b *Batch) PutUser(ws string, u *User) error {
	delete(b.users, u.Name)
	return b.Writer.PutUser(ws, u)
}

// Teams implements Reader.
func (b *Batch) Teams(ws string) ([]Team, error) {
	if ws != b.ws {
		return b.Writer.Teams(ws)
	}
	if b.teams == nil {
		t, err := b.Writer.Teams(ws)
		if err != nil {
			return nil, err
		}
		b.teams = append([]Team{}, t...)
	}
	return b.teams, nil
}

// PutTeam implements Writer.
func (b *Batch) PutTeam(ws string, t Team) error {
	b.teams = nil
	return b.Writer.PutTeam(ws, t)
}

// Counter implements Reader.
func (b *Batch) Counter(ws, series string) (int64, error) {
	if ws != b.ws {
		return b.Writer.Counter(ws, series)
	}
	if c := b.counters[series]; c != nil {
		return c.n, nil
	}
	n, err := b.Writer.Counter(ws, series)
	if err == nil {
		b.counters[series] = &batchCounter{n: n}
	}
	return n, err
}

// SetCounter implements Writer.
func (b *Batch) SetCounter(ws, series string, n int64) error {
	if ws != b.ws {
		return b.Writer.SetCounter(ws, series, n)
	}
	b.counters[series] = &batchCounter{n, true}
	return nil
}

// Lane implements Reader. Most replicas have no issues, and no lanes.
func (b *Batch) Lane(ws, replica, record string) ([]*Item, error) {
	if ws == b.ws {
		some, known := b.laned[replica]
		if !known {
			var err error
			if some, err = b.Laned(ws, replica); err != nil {
				return nil, err
			}
			b.laned[replica] = some
		}
		if !some {
			return nil, nil
		}
	}
	return b.Writer.Lane(ws, replica, record)
}

// AddItem implements Writer.
func (b *Batch) AddItem(ws string, i *Item) error {
	b.held(i)
	return b.Writer.AddItem(ws, i)
}

// PutItem implements Writer.
func (b *Batch) PutItem(ws string, i *Item) error {
	b.held(i)
	return b.Writer.PutItem(ws, i)
}

func (b *Batch) held(i *Item) {
	if i.Holder != "" {
		b.laned[i.Key.Replica] = true
	}
}

// Flush writes what was held back, in an order that is the same each time.
func (b *Batch) Flush() error {
	for _, id := range b.order {
		if r := b.rows[id]; r != nil {
			if err := b.flush(r); err != nil {
				return err
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(b.replicas)) {
		if r := b.replicas[id]; r.dirty {
			if err := b.Writer.PutReplica(b.ws, r.r); err != nil {
				return err
			}
		}
	}
	for _, series := range slices.Sorted(maps.Keys(b.counters)) {
		if c := b.counters[series]; c.dirty {
			if err := b.Writer.SetCounter(b.ws, series, c.n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *Batch) flush(r *batchRow) error {
	if !r.dirty {
		return nil
	}
	r.dirty = false
	return b.PutRow(b.ws, r.stored, r.now.Record, r.now.Keys)
}
