package memory

import (
	"cmp"
	"slices"

	"github.com/landfall-sync/landfall/internal/store"
)

// AddAudit implements store.Writer.
func (t *tx) AddAudit(ws string, e *store.AuditEntry) error {
	rows := t.db.audit[ws]
	e.Seq = int64(len(rows)) + 1
	if len(rows) > 0 {
		last, err := store.Decode[store.AuditEntry](rows[len(rows)-1])
		if err != nil {
			return err
		}
		if e.At.Before(last.At) {
			e.At = last.At
		}
	}
	b, err := store.Encode(e)
	if err == nil {
		set(t, t.db.audit, ws, append(slices.Clip(rows), b))
	}
	return err
}

// Audit implements store.Reader.
func (t *tx) Audit(ws string, f store.AuditFilter, p store.Page) ([]*store.AuditEntry, error) {
	after, err := store.AuditCursor(p.After)
	if err != nil {
		return nil, err
	}
	var rows []*store.AuditEntry
	for _, b := range t.db.audit[ws] {
		e, err := store.Decode[store.AuditEntry](b)
		if err != nil {
			return nil, err
		}
		if f.MatchAudit(e) {
			rows = append(rows, e)
		}
	}
	return page(rows, p, func(a, b *store.AuditEntry) int { return cmp.Compare(b.Seq, a.Seq) },
		func(e *store.AuditEntry) bool { return e.Seq < after }), nil
}
