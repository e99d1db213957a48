package watch

import (
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// writer copies what is written, since its callers go on with their structs.
type writer struct {
	store.Writer
	c *Commit
}

func (w *writer) note(ws string, op Op) {
	if ws != "" {
		w.c.WS = ws
	}
	w.c.Ops = append(w.c.Ops, op)
}

func (w *writer) CreateWorkspace(ws string, h store.Head) error {
	w.note(ws, Op{Created: &h})
	return w.Writer.CreateWorkspace(ws, h)
}

func (w *writer) SetHead(ws string, h store.Head) error {
	w.note(ws, Op{Head: &h})
	return w.Writer.SetHead(ws, h)
}

func (w *writer) PutRecord(ws string, r *landfall.Record, keys []string) error {
	w.note(ws, Op{Record: r.Clone(), Keys: slices.Clone(keys)})
	return w.Writer.PutRecord(ws, r, keys)
}

func (w *writer) PutRow(ws string, old *store.Row, r *landfall.Record, keys []string) error {
	w.note(ws, Op{Record: r.Clone(), Keys: slices.Clone(keys)})
	return w.Writer.PutRow(ws, old, r, keys)
}

func (w *writer) Regroup(ws, id string, keys []string, seq int64) error {
	w.note(ws, Op{Regrouped: &Regrouped{ID: id, Keys: slices.Clone(keys), Seq: seq}})
	return w.Writer.Regroup(ws, id, keys, seq)
}

func (w *writer) AddChange(ws string, c *landfall.Change) error {
	own := *c
	own.Set, own.Was, own.Lost = c.Set.Clone(), c.Was.Clone(), c.Lost.Clone()
	w.note(ws, Op{Change: &own})
	return w.Writer.AddChange(ws, c)
}

func (w *writer) SetUnique(ws, typ, id string, values map[string]string) error {
	w.note(ws, Op{Unique: &Unique{typ, id, maps.Clone(values)}})
	return w.Writer.SetUnique(ws, typ, id, values)
}

func (w *writer) SetLinks(ws, typ, id string, links []landfall.Link) error {
	w.note(ws, Op{Links: &Links{typ, id, slices.Clone(links)}})
	return w.Writer.SetLinks(ws, typ, id, links)
}

func (w *writer) SetCounter(ws, series string, n int64) error {
	w.note(ws, Op{Counter: &Counter{series, n}})
	return w.Writer.SetCounter(ws, series, n)
}

func (w *writer) PutIssue(ws string, i *store.IssueRow) error {
	own := *i
	own.Issue.Messages, own.Issue.Comments = slices.Clone(i.Issue.Messages), slices.Clone(i.Issue.Comments)
	own.Issue.AssignedTo = copied(i.Issue.AssignedTo)
	own.Issue.ClaimedUntil, own.Issue.DecidedAt = copied(i.Issue.ClaimedUntil), copied(i.Issue.DecidedAt)
	own.Sent, own.Then, own.Base = slices.Clone(i.Sent), i.Then.Clone(), i.Base.Clone()
	w.note(ws, Op{Issue: &own})
	return w.Writer.PutIssue(ws, i)
}

func (w *writer) PutGrant(ws string, g store.GrantRow) error {
	w.note(ws, Op{Grant: &g})
	return w.Writer.PutGrant(ws, g)
}

func (w *writer) PutDefinition(ws string, d *store.DefinitionRow) error {
	w.note(ws, Op{Definition: copied(d)})
	return w.Writer.PutDefinition(ws, d)
}

func (w *writer) AddPush(ws string, p *store.Push) error {
	err := w.Writer.AddPush(ws, p) // which gives it its id
	w.note(ws, Op{Push: copied(p)})
	return err
}

func (w *writer) MarkPush(ws string, p *store.Push) error {
	w.note(ws, Op{PushMarked: copied(p)})
	return w.Writer.MarkPush(ws, p)
}

func (w *writer) DeletePush(ws string, id int64) error {
	w.note(ws, Op{PushDeleted: id})
	return w.Writer.DeletePush(ws, id)
}

func (w *writer) PutItem(ws string, i *store.Item) error {
	w.note(ws, Op{Item: item(i)})
	return w.Writer.PutItem(ws, i)
}

func (w *writer) AddItem(ws string, i *store.Item) error {
	w.note(ws, Op{Item: item(i), Added: true})
	return w.Writer.AddItem(ws, i)
}

func item(i *store.Item) *store.Item {
	own := *i
	own.Receipt.Messages = slices.Clone(i.Receipt.Messages)
	own.Refs, own.History, own.Outcome = slices.Clone(i.Refs), slices.Clone(i.History), copied(i.Outcome)
	return &own
}

func (w *writer) PutUser(ws string, u *store.User) error {
	own := *u
	own.Roles, own.Teams = slices.Clone(u.Roles), slices.Clone(u.Teams)
	w.note(ws, Op{User: &own})
	return w.Writer.PutUser(ws, u)
}

func (w *writer) PutTeam(ws string, t store.Team) error {
	w.note(ws, Op{Team: &t})
	return w.Writer.PutTeam(ws, t)
}

func (w *writer) PutSession(ws string, s *store.Session) error {
	w.note(ws, Op{Session: copied(s)})
	return w.Writer.PutSession(ws, s)
}

func (w *writer) DeleteSession(hash string) error {
	w.note("", Op{SessionGone: hash})
	return w.Writer.DeleteSession(hash)
}

func (w *writer) PutCode(ws string, c *store.Code) error {
	w.note(ws, Op{Code: copied(c)})
	return w.Writer.PutCode(ws, c)
}

func (w *writer) DeleteCode(hash string) error {
	w.note("", Op{CodeGone: hash})
	return w.Writer.DeleteCode(hash)
}

func (w *writer) PutReplica(ws string, r *store.Replica) error {
	w.note(ws, Op{Replica: copied(r)})
	return w.Writer.PutReplica(ws, r)
}

func (w *writer) AddAudit(ws string, e *store.AuditEntry) error {
	err := w.Writer.AddAudit(ws, e) // which gives it its place
	own := *e
	own.Detail = maps.Clone(e.Detail)
	w.note(ws, Op{Audit: &own})
	return err
}

func (w *writer) SetSetting(ws string, s store.SettingRow) error {
	w.note(ws, Op{Setting: &s})
	return w.Writer.SetSetting(ws, s)
}

func (w *writer) DeleteSetting(ws, name string) error {
	w.note(ws, Op{Setting: &store.SettingRow{Name: name}})
	return w.Writer.DeleteSetting(ws, name)
}

func copied[T any](x *T) *T {
	if x == nil {
		return nil
	}
	c := *x
	return &c
}
