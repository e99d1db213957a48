package memory

import (
	"cmp"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Record implements store.Reader.
func (t *tx) Record(ws, id string) (*landfall.Record, error) {
	return get[landfall.Record](t.db.records, [2]string{ws, id})
}

func (t *tx) all(ws string) ([]*landfall.Record, error) {
	var out []*landfall.Record
	for k := range t.db.records {
		if k[0] != ws {
			continue
		}
		r, err := t.Record(ws, k[1])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// RecordByNumber implements store.Reader.
func (t *tx) RecordByNumber(ws, number string) (*landfall.Record, error) {
	all, err := t.all(ws)
	for _, r := range all {
		if r.Number == number && number != "" {
			return r, err
		}
	}
	return nil, err
}

// RecordsByPrefix implements store.Reader.
func (t *tx) RecordsByPrefix(ws, prefix string, limit int) ([]string, error) {
	var out []string
	for k := range t.db.records {
		if k[0] == ws && strings.HasPrefix(k[1], prefix) {
			out = append(out, k[1])
		}
	}
	slices.Sort(out)
	return out[:min(limit, len(out))], nil
}

// Audience implements store.Reader.
func (t *tx) Audience(ws, id string) ([]string, error) {
	return slices.Clone(t.db.audience[[2]string{ws, id}]), nil
}

// Row implements store.Reader.
func (t *tx) Row(ws, id string) (*store.Row, error) {
	r, err := t.Record(ws, id)
	if r == nil {
		return nil, err
	}
	return &store.Row{Record: r, Keys: slices.Clone(t.db.audience[[2]string{ws, id}])}, err
}

// PutRow implements store.Writer.
func (t *tx) PutRow(ws string, _ *store.Row, r *landfall.Record, keys []string) error {
	return t.PutRecord(ws, r, keys)
}

// PutRecord implements store.Writer.
func (t *tx) PutRecord(ws string, r *landfall.Record, keys []string) error {
	at := [2]string{ws, r.ID}
	for _, k := range t.db.audience[at] {
		if !slices.Contains(keys, k) {
			set(t, t.db.feed, [3]string{ws, k, r.ID}, store.Entry{Seq: r.Version, Type: r.Type, ID: r.ID, Gone: true})
		}
	}
	for _, k := range keys {
		set(t, t.db.feed, [3]string{ws, k, r.ID}, store.Entry{Seq: r.Version, Type: r.Type, ID: r.ID})
	}
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	set(t, t.db.audience, at, slices.Compact(sorted))
	return put(t, t.db.records, at, r)
}

// Feed implements store.Reader.
func (t *tx) Feed(ws, key string, after, upto int64, limit int) ([]store.Entry, error) {
	var out []store.Entry
	for k, e := range t.db.feed {
		if k[0] == ws && k[1] == key && e.Seq > after && e.Seq <= upto {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b store.Entry) int { return cmp.Or(cmp.Compare(a.Seq, b.Seq), strings.Compare(a.ID, b.ID)) })
	out = out[:min(limit, len(out))]
	for i := range out {
		r, err := t.Record(ws, out[i].ID)
		if err != nil {
			return nil, err
		}
		if r != nil && !r.Deleted && !out[i].Gone {
			out[i].Record = store.EncodeRecord(nil, r)
		}
	}
	return out, nil
}

// Keyed implements store.Reader.
func (t *tx) Keyed(ws, key, typ, before string, limit int) ([]string, error) {
	var out []string
	for k, e := range t.db.feed {
		if k[0] == ws && k[1] == key && e.Type == typ && !e.Gone && (before == "" || e.ID < before) {
			out = append(out, e.ID)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(b, a) })
	return out[:min(limit, len(out))], nil
}

// Changes implements store.Reader.
func (t *tx) Changes(ws, id string, after int64) ([]landfall.Change, error) {
	var out []landfall.Change
	for _, b := range t.db.changes[[2]string{ws, id}] {
		c, err := store.Decode[landfall.Change](b)
		if err != nil {
			return nil, err
		}
		if c.Seq > after {
			out = append(out, *c)
		}
	}
	return out, nil
}

// AddChange implements store.Writer.
func (t *tx) AddChange(ws string, c *landfall.Change) error {
	b, err := store.Encode(c)
	if err != nil {
		return err
	}
	k := [2]string{ws, c.ID}
	set(t, t.db.changes, k, append(slices.Clip(t.db.changes[k]), b))
	return nil
}

// Unique implements store.Reader.
func (t *tx) Unique(ws, typ, field, value string) (string, error) {
	return t.db.unique[[4]string{ws, typ, field, value}], nil
}

// SetUnique implements store.Writer.
func (t *tx) SetUnique(ws, typ, id string, values map[string]string) error {
	at := [2]string{ws, id}
	for field, value := range t.db.uniqueOf[at] {
		remove(t, t.db.unique, [4]string{ws, typ, field, value})
	}
	kept := map[string]string{}
	for field, value := range values {
		k := [4]string{ws, typ, field, value}
		if holder := t.db.unique[k]; holder != "" && holder != id {
			return landfall.Errorf(landfall.CodeInternal, "the value of the unique field %s.%s is held by another record", typ, field)
		}
		set(t, t.db.unique, k, id)
		kept[field] = value
	}
	if len(kept) > 0 || t.db.uniqueOf[at] != nil {
		set(t, t.db.uniqueOf, at, kept)
	}
	return nil
}

// Queued implements store.Reader.
func (t *tx) Queued(ws, queue string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(ws, p, func(r *landfall.Record) bool { return r.Queue == queue })
}

// Assigned implements store.Reader.
func (t *tx) Assigned(ws, user string, p store.Page) ([]*landfall.Record, error) {
	return t.cases(ws, p, func(r *landfall.Record) bool { return r.Assignee == user })
}

// cases lists by version, newest first; records of one verdict by id.
func (t *tx) cases(ws string, p store.Page, match func(*landfall.Record) bool) ([]*landfall.Record, error) {
	all, err := t.all(ws)
	if err != nil {
		return nil, err
	}
	var cursor *landfall.Record
	if p.After != "" {
		if cursor, err = t.Record(ws, p.After); err != nil || cursor == nil {
			return nil, err
		}
	}
	order := func(a, b *landfall.Record) int {
		return cmp.Or(cmp.Compare(b.Version, a.Version), strings.Compare(b.ID, a.ID))
	}
	all = slices.DeleteFunc(all, func(r *landfall.Record) bool { return r.Deleted || !match(r) })
	return page(all, p, order, func(r *landfall.Record) bool { return order(cursor, r) < 0 }), nil
}

// Issue implements store.Reader.
func (t *tx) Issue(ws, id string) (*store.IssueRow, error) {
	return get[store.IssueRow](t.db.issues, [2]string{ws, id})
}

// IssueByNumber implements store.Reader.
func (t *tx) IssueByNumber(ws string, number int64) (*store.IssueRow, error) {
	for k := range t.db.issues {
		if k[0] != ws {
			continue
		}
		row, err := t.Issue(ws, k[1])
		if err != nil || row.Issue.Number == number {
			return row, err
		}
	}
	return nil, nil
}

// PutIssue implements store.Writer.
func (t *tx) PutIssue(ws string, i *store.IssueRow) error {
	return put(t, t.db.issues, [2]string{ws, i.Issue.ID}, i)
}

// Issues implements store.Reader.
func (t *tx) Issues(ws string, f store.IssueFilter, p store.Page) ([]*store.IssueRow, error) {
	after, err := store.IssueCursor(p.After)
	if err != nil {
		return nil, err
	}
	var rows []*store.IssueRow
	for k := range t.db.issues {
		if k[0] != ws {
			continue
		}
		row, err := t.Issue(ws, k[1])
		if err != nil {
			return nil, err
		}
		if f.MatchIssue(&row.Issue) {
			rows = append(rows, row)
		}
	}
	return page(rows, p, func(a, b *store.IssueRow) int { return cmp.Compare(b.Issue.Number, a.Issue.Number) },
		func(r *store.IssueRow) bool { return r.Issue.Number < after }), nil
}
