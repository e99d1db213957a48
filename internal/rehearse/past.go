package rehearse

import (
	"encoding/json"
	"sort"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
)

// history is a record as it was, made again from its changes. It goes forward
// from state to state; going back, it begins again.
type history struct {
	now     *landfall.Record // as it is stored; nil for none
	changes []landfall.Change
	app     *definition.App
	version func(seq int64) int64 // of the definition that was published there

	at  int // how many changes rec has
	rec *landfall.Record
}

// before is the record as it was before a place in the sequence; nil when it was
// not there yet. What it returned before changes with it.
func (h *history) before(seq int64) *landfall.Record {
	n := h.upto(seq)
	if n < h.at {
		h.at, h.rec = 0, nil
	}
	for ; h.at < n; h.at++ {
		h.add(&h.changes[h.at])
	}
	return h.rec
}

// upto is how many changes there were before a place.
func (h *history) upto(seq int64) int {
	return sort.Search(len(h.changes), func(i int) bool { return h.changes[i].Seq >= seq })
}

// between are the changes after one place and before another.
func (h *history) between(after, before int64) []landfall.Change {
	from, to := h.upto(after+1), h.upto(before)
	if from >= to {
		return nil
	}
	return h.changes[from:to:to]
}

// add makes the next change.
func (h *history) add(c *landfall.Change) {
	if h.rec == nil {
		h.rec = &landfall.Record{Type: c.Type, ID: c.ID, Fields: landfall.Fields{}, Edits: map[string]landfall.Edit{}, CreatedBy: c.Author, CreatedAt: c.At}
		if h.now != nil {
			h.rec.Number = h.now.Number
		}
	}
	r := h.rec
	r.Version, r.UpdatedAt = c.Seq, c.At
	if c.Action == landfall.Assigned {
		r.Queue, r.Assignee = plain(c.Set["queue"]), plain(c.Set["assignee"])
		return
	}
	r.Definition = h.version(c.Seq)
	for name, v := range c.Set {
		r.Fields.Put(name, v)
		r.Edits[name] = landfall.Edit{Author: c.Author, By: c.By, At: c.Edited, Seq: c.Seq}
	}
	switch c.Action {
	case landfall.Deleted:
		r.Deleted = true
	case landfall.Restored:
		r.Deleted = false
	default: // it stays where it is
	}
	if c.Action == landfall.Created || c.From != "" || c.To != "" {
		r.Status = c.To
		r.StatusEdit = &landfall.Edit{Author: c.Author, By: c.By, At: c.Edited, Seq: c.Seq}
		h.settle()
	}
}

// settle puts a case where its status says.
func (h *history) settle() {
	t := h.app.Types[h.rec.Type]
	if t == nil || t.Lifecycle == nil {
		return
	}
	if s := t.Lifecycle.Statuses[h.rec.Status]; s != nil {
		h.rec.Queue, h.rec.Assignee = s.Queue, plain(h.rec.Fields[s.Worklist])
	}
}

func plain(v landfall.Value) string {
	s := ""
	if landfall.IsNull(v) || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// archive is what a view of the database was asked for already.
type archive struct {
	r         *run
	s         store.Reader
	histories map[string]*history
	held      int // changes in them
	rows      map[string]*store.Row
	users     map[string]*store.User
	teams     map[string]bool
	versions  []int64 // where each version of the definition was published
}

func (r *run) archive(s store.Reader, versions []int64) *archive {
	return &archive{r: r, s: s, histories: map[string]*history{}, rows: map[string]*store.Row{}, users: map[string]*store.User{}, versions: versions}
}

// mostHeld is how many changes an archive holds, about, before it lets go.
const mostHeld = 20_000

func (a *archive) history(id string) (*history, error) {
	if h := a.histories[id]; h != nil {
		return h, nil
	}
	row, err := a.row(id)
	if err != nil {
		return nil, err
	}
	h := &history{app: a.r.now, version: a.version}
	if row != nil {
		h.now = row.Record
	}
	if h.changes, err = a.s.Changes(a.r.ws, id, 0); err != nil {
		return nil, err
	}
	a.histories[id] = h
	a.held += len(h.changes) + 1
	return h, nil
}

// tidy lets go of what was read, so that memory stays bounded.
func (a *archive) tidy() {
	if a.held > mostHeld {
		a.histories, a.held = map[string]*history{}, 0
	}
	if len(a.rows) > mostHeld {
		a.rows = map[string]*store.Row{}
	}
}

func (a *archive) row(id string) (*store.Row, error) {
	if row, known := a.rows[id]; known {
		return row, nil
	}
	row, err := a.s.Row(a.r.ws, id)
	if err == nil {
		a.rows[id] = row
	}
	return row, err
}

func (a *archive) user(name string) (*store.User, error) {
	if u, known := a.users[name]; known {
		return u, nil
	}
	u, err := a.s.User(a.r.ws, name)
	if err == nil {
		a.users[name] = u
	}
	return u, err
}

// version of the definition that was published at a place.
func (a *archive) version(seq int64) int64 {
	return int64(sort.Search(len(a.versions), func(i int) bool { return a.versions[i] > seq }))
}

// past is the world before a place in the sequence, for one of the definitions:
// the records of what is judged as they were then, all others as they are.
type past struct {
	*archive
	app *definition.App
	seq int64
	own map[string]*history
}

// Record implements core.World.
func (p *past) Record(id string) (*landfall.Record, error) {
	if h := p.own[id]; h != nil {
		rec := h.before(p.seq)
		if rec == nil {
			return nil, nil
		}
		return renamed(p.app, rec), nil
	}
	row, err := p.row(id)
	if row == nil || err != nil {
		return nil, err
	}
	return renamed(p.app, row.Record), nil
}

// Changes implements core.World.
func (p *past) Changes(id string, after int64) ([]landfall.Change, error) {
	if h := p.own[id]; h != nil {
		return h.between(after, p.seq), nil
	}
	return p.s.Changes(p.r.ws, id, after)
}

// Audience implements core.World.
func (p *past) Audience(id string) ([]string, error) {
	rec, err := p.Record(id)
	if rec == nil || err != nil {
		return nil, err
	}
	return core.Audience(p.app, rec, p.through)
}

// through are the keys of a record of a type, through which others are seen.
func (p *past) through(typ, id string) ([]string, error) {
	rec, err := p.Record(id)
	if rec == nil || err != nil || rec.Type != typ {
		return nil, err
	}
	return p.Audience(id)
}

// Referrers implements core.World: as they are now. What was not there yet is no
// record of then.
func (p *past) Referrers(target, typ, field, after string, limit int) ([]string, error) {
	return p.s.Referrers(p.r.ws, target, typ, field, after, limit)
}

// renamed is a record in the names of the app's definition.
func renamed(app *definition.App, r *landfall.Record) *landfall.Record {
	return core.ConvertBase(app, r.Definition, r)
}

// leads: the type has a key that leads to another record.
func leads(t *definition.Type) bool {
	if t == nil {
		return false
	}
	for _, k := range t.Audience {
		if k.Kind == definition.AudienceVia {
			return true
		}
	}
	return false
}

// Unique implements core.World: as it is now.
func (p *past) Unique(typ, field, value string) (string, error) {
	return p.s.Unique(p.r.ws, typ, field, value)
}

// Counter implements core.World.
func (p *past) Counter(series string) (int64, error) { return p.s.Counter(p.r.ws, series) }

// UserExists implements core.World.
func (p *past) UserExists(name string) (bool, error) {
	u, err := p.user(name)
	return u != nil, err
}

// TeamExists implements core.World.
func (p *past) TeamExists(name string) (bool, error) {
	if p.teams == nil {
		teams, err := p.s.Teams(p.r.ws)
		if err != nil {
			return false, err
		}
		p.teams = map[string]bool{}
		for _, t := range teams {
			p.teams[t.Name] = true
		}
	}
	return p.teams[name], nil
}

// Holder implements core.World: what is judged here did not wait.
func (p *past) Holder(string, string) (string, error) { return "", nil }

// CreationHolder implements core.World.
func (p *past) CreationHolder(string, string) (string, error) { return "", nil }

// Older implements core.World.
func (p *past) Older(string, string) (bool, error) { return false, nil }
