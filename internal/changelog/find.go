package changelog

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Query narrows a list of records; empty fields but Type do not narrow.
type Query struct {
	Type   string
	Status string
	Queue  string
}

// How much a list gives at once, and how many matches of a short id are counted.
const (
	defaultPage = 100
	largestPage = 1000
	mostCounted = 100
)

// Find is the record of the type that ref names and that the caller may see:
// by id, number, or an id's beginning when only one begins so. Errors:
// CodeNotFound, the same for what is absent and what the caller may not see;
// CodeInvalid for an unknown type and an ambiguous beginning.
func (l *Log) Find(ctx context.Context, ws string, actor landfall.Actor, typ, ref string) (*wire.RecordView, error) {
	var view *wire.RecordView
	err := l.desk(ctx, ws, actor, func(d *desk) error {
		rec, err := d.find(typ, ref)
		if err != nil {
			return err
		}
		view = d.view(rec)
		view.Names, err = d.named(rec)
		return err
	})
	return view, err
}

// Records lists the records of a type that the caller may see, newest first.
// The cursor of a row is its id. An unknown type, status or queue is CodeInvalid.
func (l *Log) Records(ctx context.Context, ws string, actor landfall.Actor, q Query, p store.Page) (wire.List[wire.RecordView], error) {
	list := wire.List[wire.RecordView]{Items: []wire.RecordView{}}
	if p.Limit <= 0 {
		p.Limit = defaultPage
	}
	p.Limit = min(p.Limit, largestPage)
	err := l.desk(ctx, ws, actor, func(d *desk) error {
		if err := d.check(q); err != nil {
			return err
		}
		ids := d.ids(q.Type, p.After)
		for {
			id, err := ids.next()
			if err != nil || id == "" {
				return err
			}
			rec, err := d.r.Record(ws, id)
			if err != nil {
				return err
			}
			if rec == nil || rec.Deleted || q.Status != "" && rec.Status != q.Status || q.Queue != "" && rec.Queue != q.Queue {
				continue
			}
			if len(list.Items) == p.Limit {
				list.Next = list.Items[p.Limit-1].ID
				return nil
			}
			list.Items = append(list.Items, *d.view(rec))
		}
	})
	return list, err
}

// History is every change of a record that the caller may see, in order.
// Errors as Find's.
func (l *Log) History(ctx context.Context, ws string, actor landfall.Actor, typ, ref string) ([]landfall.Change, error) {
	var changes []landfall.Change
	err := l.desk(ctx, ws, actor, func(d *desk) error {
		rec, err := d.find(typ, ref)
		if err != nil {
			return err
		}
		changes, err = d.r.Changes(ws, rec.ID, 0)
		changes = d.sight.Changes(changes)
		return err
	})
	return changes, err
}

// desk reads records for a person on one state of the store.
type desk struct {
	l    *Log
	r    store.Reader
	ws   string
	who  landfall.Actor
	keys []string
	app  *definition.App
	// sight is what the person may read of them.
	sight *core.Sight
}

func (l *Log) desk(ctx context.Context, ws string, actor landfall.Actor, f func(*desk) error) error {
	return l.store.View(ctx, func(r store.Reader) error {
		if _, err := headOf(r, ws); err != nil {
			return err
		}
		who, _, err := receiver(r, ws, "", actor)
		if err != nil {
			return err
		}
		app, err := l.defs.At(r, ws)
		if err != nil {
			return err
		}
		return f(&desk{l: l, r: r, ws: ws, who: who, keys: who.Keys(), app: app, sight: core.SightOf(app, &who)})
	})
}

// check refuses names that the definition does not know.
func (d *desk) check(q Query) error {
	t, err := d.typ(q.Type)
	if err != nil {
		return err
	}
	if q.Status != "" {
		known := []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved}
		if t != nil {
			known = nil
			if t.Lifecycle != nil {
				known = t.Lifecycle.Order
			}
		}
		if !slices.Contains(known, q.Status) {
			return definition.Unknown(landfall.CodeInvalid, "status of "+q.Type, q.Status, known)
		}
	}
	if q.Queue != "" && q.Queue != landfall.FallbackQueue {
		known := []string{landfall.FallbackQueue}
		if d.app != nil {
			for name := range d.app.Queues {
				known = append(known, name)
			}
		}
		slices.Sort(known)
		if !slices.Contains(known, q.Queue) {
			return definition.Unknown(landfall.CodeInvalid, "queue", q.Queue, known)
		}
	}
	return nil
}

// typ is the type of that name; nil for issues, which no definition describes.
func (d *desk) typ(name string) (*definition.Type, error) {
	if name == landfall.IssueType {
		return nil, nil
	}
	known := []string{landfall.IssueType}
	if d.app != nil {
		if t := d.app.Types[name]; t != nil {
			return t, nil
		}
		known = append(slices.Clone(d.app.Order), landfall.IssueType)
	}
	return nil, definition.Unknown(landfall.CodeInvalid, "type", name, known)
}

func (d *desk) sees(id string) (bool, error) {
	aud, err := d.r.Audience(d.ws, id)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(aud, func(k string) bool { return slices.Contains(d.keys, k) }), nil
}

// AnyType finds a record of whatever type.
const AnyType = "-"

// anyType looks among the types in their order.
func (d *desk) anyType(ref string) (*landfall.Record, error) {
	for _, typ := range d.app.Order {
		rec, err := d.find(typ, ref)
		if err == nil || landfall.CodeOf(err) != landfall.CodeNotFound {
			return rec, err
		}
	}
	return nil, landfall.Errorf(landfall.CodeNotFound, "there is no record %q, or you may not see it", ref).
		WithHint("use an id, the beginning of one, or a number")
}

func (d *desk) find(typ, ref string) (*landfall.Record, error) {
	if typ == AnyType && d.app != nil {
		return d.anyType(ref)
	}
	if _, err := d.typ(typ); err != nil {
		return nil, err
	}
	absent := landfall.Errorf(landfall.CodeNotFound, "there is no %s %q, or you may not see it", typ, ref).
		WithHint("use an id, the beginning of one, or a number")
	if ref == "" {
		return nil, absent
	}
	usable := func(rec *landfall.Record) (bool, error) {
		if rec == nil || rec.Deleted || rec.Type != typ {
			return false, nil
		}
		return d.sees(rec.ID)
	}
	for _, look := range []func() (*landfall.Record, error){
		func() (*landfall.Record, error) { return d.r.Record(d.ws, ref) },
		func() (*landfall.Record, error) { return d.numbered(typ, ref) },
		func() (*landfall.Record, error) { return d.begins(typ, ref) },
	} {
		rec, err := look()
		if err != nil {
			return nil, err
		}
		if ok, err := usable(rec); ok || err != nil {
			return rec, err
		}
	}
	return nil, absent
}

// numbered finds a record by its number, in the case given or in capitals.
func (d *desk) numbered(typ, ref string) (*landfall.Record, error) {
	if typ == landfall.IssueType {
		n, _ := strconv.ParseInt(ref, 10, 64) // 0: an id, or the beginning of one
		if n <= 0 {
			return nil, nil
		}
		row, err := d.r.IssueByNumber(d.ws, n)
		if row == nil || err != nil {
			return nil, err
		}
		return d.r.Record(d.ws, row.Issue.ID)
	}
	rec, err := d.r.RecordByNumber(d.ws, ref)
	if up := strings.ToUpper(ref); rec == nil && err == nil && up != ref {
		return d.r.RecordByNumber(d.ws, up)
	}
	return rec, err
}

// begins finds the only visible record of the type whose id begins with ref.
func (d *desk) begins(typ, ref string) (*landfall.Record, error) {
	ids := d.ids(typ, ref+"\x7f") // after every id that begins with ref
	var found *landfall.Record
	n := 0
	for n <= mostCounted {
		id, err := ids.next()
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(id, ref) {
			break
		}
		rec, err := d.r.Record(d.ws, id)
		if err != nil {
			return nil, err
		}
		if rec != nil && !rec.Deleted {
			found = rec
			n++
		}
	}
	switch {
	case n > mostCounted:
		return nil, ambiguous(typ, ref, "more than "+strconv.Itoa(mostCounted))
	case n > 1:
		return nil, ambiguous(typ, ref, strconv.Itoa(n))
	}
	return found, nil
}

func ambiguous(typ, ref, count string) error {
	return landfall.Errorf(landfall.CodeInvalid, "%q is the beginning of %s ids of type %s", ref, count, typ).
		WithHint("use more of the id")
}

// idsChunk is how many ids of a key are read ahead.
const idsChunk = 64

// ids goes through the ids of a type under any of some keys, newest first,
// each once.
type ids struct {
	r       store.Feed
	ws, typ string
	keys    []string
	bufs    [][]string
	before  []string // per key: what was read goes down to here
	done    []bool
}

func (d *desk) ids(typ, before string) *ids {
	n := len(d.keys)
	x := &ids{r: d.r, ws: d.ws, typ: typ, keys: d.keys, bufs: make([][]string, n), before: make([]string, n), done: make([]bool, n)}
	for i := range x.before {
		x.before[i] = before
	}
	return x
}

// next is the next id, or "" at the end.
func (x *ids) next() (string, error) {
	best := ""
	for i, key := range x.keys {
		if len(x.bufs[i]) == 0 && !x.done[i] {
			got, err := x.r.Keyed(x.ws, key, x.typ, x.before[i], idsChunk)
			if err != nil {
				return "", err
			}
			x.bufs[i], x.done[i] = got, len(got) < idsChunk
			if len(got) > 0 {
				x.before[i] = got[len(got)-1]
			}
		}
		if len(x.bufs[i]) > 0 {
			best = max(best, x.bufs[i][0])
		}
	}
	if best == "" {
		return "", nil
	}
	for i := range x.bufs {
		if len(x.bufs[i]) > 0 && x.bufs[i][0] == best {
			x.bufs[i] = x.bufs[i][1:]
		}
	}
	return best, nil
}

// view is the record as the desk shows it.
func (d *desk) view(rec *landfall.Record) *wire.RecordView {
	v := &wire.RecordView{Record: *d.sight.Record(rec), Label: d.label(rec)}
	if rec.Type == landfall.IssueType {
		if i, err := landfall.IssueOf(rec); err == nil {
			v.Label = "Sync issue " + strconv.FormatInt(i.Number, 10)
		}
	}
	return v
}

// named are the labels of the records that this one refers to, by id, as far as
// the caller may see them.
func (d *desk) named(rec *landfall.Record) (map[string]string, error) {
	if d.app == nil {
		return nil, nil
	}
	shown := d.sight.Record(rec)
	ids := core.Named(d.app.Types[rec.Type], func(field string) []landfall.Value { return []landfall.Value{shown.Fields[field]} })
	return core.Labels(ids, d.get, d.label)
}

// get is a record that the caller may see.
func (d *desk) get(id string) (*landfall.Record, error) {
	if ok, err := d.sees(id); !ok || err != nil {
		return nil, err
	}
	return d.r.Record(d.ws, id)
}

func (d *desk) label(rec *landfall.Record) string {
	return core.Label(d.app, d.sight, &d.who, rec, d.l.clock().UTC())
}
