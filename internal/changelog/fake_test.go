package changelog

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

type fk struct{ key, id string }
type fake struct {
	store.Writer
	mu      sync.Mutex
	head    store.Head
	marks   []string
	recs    map[string]*landfall.Record
	aud     map[string][]string
	feed    map[fk]store.Entry
	changes map[string][]landfall.Change
	grants  []store.GrantRow
	users   map[string]*store.User
	items   []*store.Item
	def     *store.DefinitionRow
	reps    map[string]*store.Replica
}

func newFake() *fake {
	return &fake{recs: map[string]*landfall.Record{}, aud: map[string][]string{}, feed: map[fk]store.Entry{}, changes: map[string][]landfall.Change{}, users: map[string]*store.User{}, reps: map[string]*store.Replica{}, marks: []string{""}}
}
func (f *fake) View(_ context.Context, g func(store.Reader) error) error   { return g(f) }
func (f *fake) Update(_ context.Context, g func(store.Writer) error) error { return g(f) }
func (f *fake) Close() error                                               { return nil }
func (f *fake) Head(string) (*store.Head, error)                           { h := f.head; return &h, nil }
func (f *fake) CreateWorkspace(_ string, h store.Head) error               { f.head = h; return nil }
func (f *fake) SetHead(_ string, h store.Head) error {
	for int64(len(f.marks)) <= h.Seq {
		f.marks = append(f.marks, h.Mark)
	}
	f.head = h
	return nil
}
func (f *fake) Mark(_ string, s int64) (string, error) {
	if s >= int64(len(f.marks)) {
		return "", nil
	}
	return f.marks[s], nil
}
func (f *fake) PutRecord(_ string, r *landfall.Record, keys []string) error {
	f.recs[r.ID] = r.Clone()
	for _, k := range f.aud[r.ID] {
		if !slices.Contains(keys, k) {
			f.feed[fk{k, r.ID}] = store.Entry{Seq: r.Version, Type: r.Type, ID: r.ID, Gone: true}
		}
	}
	for _, k := range keys {
		f.feed[fk{k, r.ID}] = store.Entry{Seq: r.Version, Type: r.Type, ID: r.ID}
	}
	f.aud[r.ID] = keys
	return nil
}
func (f *fake) Record(_, id string) (*landfall.Record, error) { return f.recs[id].Clone(), nil }
func (f *fake) Audience(_, id string) ([]string, error)       { return f.aud[id], nil }
func (f *fake) AddChange(_ string, c *landfall.Change) error {
	f.changes[c.ID] = append(f.changes[c.ID], *c)
	return nil
}
func (f *fake) Changes(_, id string, after int64) ([]landfall.Change, error) {
	return f.changes[id], nil
}
func (f *fake) SetUnique(_, _, _ string, _ map[string]string) error { return nil }
func (f *fake) Feed(_, key string, after, upto int64, limit int) ([]store.Entry, error) {
	var out []store.Entry
	for k, e := range f.feed {
		if k.key == key && e.Seq > after && e.Seq <= upto {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b store.Entry) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.ID, b.ID)) })
	return out[:min(limit, len(out))], nil
}
func (f *fake) Grants(_, user string) ([]store.GrantRow, error) {
	var o []store.GrantRow
	for _, g := range f.grants {
		if g.User == user {
			o = append(o, g)
		}
	}
	slices.SortStableFunc(o, func(a, b store.GrantRow) int { return cmp.Compare(a.From, b.From) })
	return o, nil
}
func (f *fake) PutGrant(_ string, g store.GrantRow) error {
	for i := range f.grants {
		if f.grants[i].User == g.User && f.grants[i].Key == g.Key && f.grants[i].From == g.From {
			f.grants[i] = g
			return nil
		}
	}
	f.grants = append(f.grants, g)
	return nil
}
func (f *fake) PutUser(_ string, u *store.User) error                      { f.users[u.Name] = u; return nil }
func (f *fake) User(_, n string) (*store.User, error)                      { return f.users[n], nil }
func (f *fake) Replica(_, n string) (*store.Replica, error)                { return f.reps[n], nil }
func (f *fake) PutReplica(_ string, r *store.Replica) error                { f.reps[r.ID] = r; return nil }
func (f *fake) PutItem(_ string, i *store.Item) error                      { f.items = append(f.items, i); return nil }
func (f *fake) PutDefinition(_ string, d *store.DefinitionRow) error       { f.def = d; return nil }
func (f *fake) Definition(_ string, v int64) (*store.DefinitionRow, error) { return f.def, nil }
func (f *fake) Outcomes(_, rep string, after, upto int64, limit int) ([]landfall.Outcome, error) {
	var o []landfall.Outcome
	for _, i := range f.items {
		if i.Key.Replica == rep && i.Outcome.Seq > after && i.Outcome.Seq <= upto {
			o = append(o, *i.Outcome)
		}
	}
	return o[:min(limit, len(o))], nil
}
