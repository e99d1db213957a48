package workqueue

import (
	"context"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// mostCounted is how far the cases in a queue are counted.
const mostCounted = 1000

// Queues lists the queues that the caller is a member of, by name, with how
// many cases wait in each that the caller may see.
func (d *Desk) Queues(ctx context.Context, ws string, actor landfall.Actor) ([]wire.QueueView, error) {
	list := []wire.QueueView{}
	err := d.look(ctx, ws, actor, func(v *view) error {
		for _, name := range v.queues() {
			q := v.queue(name)
			if !v.member(q) {
				continue
			}
			n := 0
			_, err := v.work(v.queued(name), store.Page{Limit: mostCounted}, func(*landfall.Record) error { n++; return nil })
			if err != nil {
				return err
			}
			list = append(list, wire.QueueView{Name: name, Title: q.title, Members: q.members, Waiting: n})
		}
		return nil
	})
	return list, err
}

// Queue lists what waits in a queue and the caller may see, newest change
// first; the cursor of a row is its id. CodeNotFound for an unknown queue,
// CodeForbidden for who is not a member.
func (d *Desk) Queue(ctx context.Context, ws string, actor landfall.Actor, name string, p store.Page) (wire.List[wire.WorkItem], error) {
	list := wire.List[wire.WorkItem]{Items: []wire.WorkItem{}}
	err := d.look(ctx, ws, actor, func(v *view) error {
		q := v.queue(name)
		if !q.declared {
			return definition.Unknown(landfall.CodeNotFound, "queue", name, v.queues())
		}
		if !v.member(q) {
			return landfall.Errorf(landfall.CodeForbidden, "only members of %s see what waits in it", q.title).
				WithHint("its members have the role %s", strings.Join(q.members, " or "))
		}
		return v.list(&list, v.queued(name), p)
	})
	return list, err
}

// Worklist lists the cases and issues that are assigned to the caller and that
// the caller may see, newest change first; the cursor of a row is its id.
func (d *Desk) Worklist(ctx context.Context, ws string, actor landfall.Actor, p store.Page) (wire.List[wire.WorkItem], error) {
	list := wire.List[wire.WorkItem]{Items: []wire.WorkItem{}}
	err := d.look(ctx, ws, actor, func(v *view) error {
		assigned := func(p store.Page) ([]*landfall.Record, error) { return v.r.Assigned(v.ws, v.who.User, p) }
		return v.list(&list, assigned, p)
	})
	return list, err
}

// cases reads a page of cases from the store.
type cases func(store.Page) ([]*landfall.Record, error)

func (v *view) queued(name string) cases {
	return func(p store.Page) ([]*landfall.Record, error) { return v.r.Queued(v.ws, name, p) }
}

func (v *view) list(list *wire.List[wire.WorkItem], from cases, p store.Page) error {
	next, err := v.work(from, page(p), func(rec *landfall.Record) error {
		w, err := v.workItem(rec)
		if err == nil {
			list.Items = append(list.Items, *w)
		}
		return err
	})
	list.Next = next
	return err
}

// work gives f at most p.Limit cases that still wait and that the caller may
// see, and returns the cursor of the next page, "" at the end.
func (v *view) work(from cases, p store.Page, f func(*landfall.Record) error) (string, error) {
	after, last, n := p.After, "", 0
	chunk := min(p.Limit+1, largestPage)
	for {
		got, err := from(store.Page{After: after, Limit: chunk})
		if err != nil {
			return "", err
		}
		for _, rec := range got {
			after = rec.ID
			if rec.Deleted || rec.Type == landfall.IssueType && rec.Status == landfall.IssueResolved {
				continue
			}
			ok, err := v.sees(rec.ID)
			if err != nil {
				return "", err
			}
			if !ok {
				continue
			}
			if n == p.Limit {
				return last, nil
			}
			if err := f(rec); err != nil {
				return "", err
			}
			last = rec.ID
			n++
		}
		if len(got) < chunk {
			return "", nil
		}
	}
}

func (v *view) workItem(rec *landfall.Record) (*wire.WorkItem, error) {
	w := &wire.WorkItem{
		Type: rec.Type, ID: rec.ID, Number: rec.Number, Status: rec.Status,
		Queue: rec.Queue, Assignee: rec.Assignee, Since: rec.UpdatedAt,
	}
	if rec.Type == landfall.IssueType {
		i, err := landfall.IssueOf(rec)
		if err != nil {
			return nil, err
		}
		w.Number = strconv.FormatInt(i.Number, 10)
		w.Label, err = v.issueLabel(i)
		return w, err
	}
	w.Label = v.label(rec)
	if t := v.typ(rec.Type); t != nil && t.Lifecycle != nil {
		if s := t.Lifecycle.Statuses[rec.Status]; s != nil {
			w.Status = titled(s.Title, s.Name)
		}
	}
	return w, nil
}

// label is the record's label, of what the caller may read.
func (v *view) label(rec *landfall.Record) string {
	return core.Label(v.app, v.sight, &v.who, rec, v.now)
}

// named are the labels of the records that the columns refer to, by id, as far as
// the caller may see them.
func (v *view) named(typ string, columns []core.Column) (map[string]string, error) {
	values := map[string][]landfall.Value{}
	for i := range columns {
		if c := &columns[i]; !c.Status {
			values[c.Field] = []landfall.Value{c.Base, c.Device, c.Server}
		}
	}
	ids := core.Named(v.typ(typ), func(field string) []landfall.Value { return values[field] })
	return core.Labels(ids, v.get, v.label)
}

// get is a record that the caller may see.
func (v *view) get(id string) (*landfall.Record, error) {
	if ok, err := v.sees(id); !ok || err != nil {
		return nil, err
	}
	return v.r.Record(v.ws, id)
}

// issueLabel says what the issue is about, without anything of a record that
// the caller may not see.
func (v *view) issueLabel(i *landfall.Issue) (string, error) {
	label := "Sync issue " + strconv.FormatInt(i.Number, 10) + " · " + string(i.Kind)
	if i.RecordType == "" {
		return label, nil
	}
	label += " · " + v.title(i.RecordType)
	number, err := v.number(i.Record)
	if number != "" {
		label += " " + number
	}
	return label, err
}

// title is a type's title, or its name.
func (v *view) title(typ string) string {
	if t := v.typ(typ); t != nil {
		return titled(t.Title, t.Name)
	}
	return typ
}

// number is the record's number when the caller may see the record, else "".
func (v *view) number(id string) (string, error) {
	ok, err := v.sees(id)
	if !ok || err != nil {
		return "", err
	}
	rec, err := v.r.Record(v.ws, id)
	if rec == nil || err != nil {
		return "", err
	}
	return rec.Number, nil
}
