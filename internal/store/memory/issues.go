package memory

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// Issue implements store.Reader.
func (t *tx) Issue(ws, id string) (*store.IssueRow, error) {
	return get[store.IssueRow](t, kv.Key("issue", ws, id))
}

// IssueByNumber implements store.Reader.
func (t *tx) IssueByNumber(ws string, number int64) (*store.IssueRow, error) {
	return get[store.IssueRow](t, t.first(kv.Key("issue number", ws, kv.Number(number))))
}

// PutIssue implements store.Writer.
func (t *tx) PutIssue(ws string, row *store.IssueRow) error {
	i := &row.Issue
	at, place := kv.Key("issue", ws, i.ID), kv.Key(kv.Number(i.Number), i.ID)
	leads := []string{kv.Key("issue number", ws) + place}
	if i.State != landfall.IssueResolved {
		leads = append(leads, kv.Key("unresolved", ws)+place)
	}
	leads = append(leads, due(ws, row, place)...)
	if i.Cause != "" {
		leads = append(leads, kv.Key("cause", ws, i.Cause)+place)
	}
	t.index(at, leads...)
	return t.put(at, row)
}

// Issues implements store.Reader: by the index of the narrowest filter that
// there is; the rest of the filter is applied to what that gives.
func (t *tx) Issues(ws string, f store.IssueFilter, p store.Page) ([]*store.IssueRow, error) {
	after, err := store.IssueCursor(p.After)
	if err != nil {
		return nil, err
	}
	index, before := kv.Key("issue number", ws), ""
	switch {
	case f.Cause != "":
		index = kv.Key("cause", ws, f.Cause)
	case f.State == store.Unresolved || f.State == landfall.IssueOpen || f.State == landfall.IssueClaimed:
		index = kv.Key("unresolved", ws)
	}
	if after != 0 {
		before = index + kv.Key(kv.Number(after))
	}
	return list(t.led(t.down(index, before)), p.Limit, func(r *store.IssueRow) bool { return f.MatchIssue(&r.Issue) })
}
