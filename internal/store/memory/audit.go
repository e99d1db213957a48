package memory

import (
	"github.com/landfall-sync/landfall/internal/kv"
	"github.com/landfall-sync/landfall/internal/store"
)

// AddAudit implements store.Writer.
func (t *tx) AddAudit(ws string, e *store.AuditEntry) error {
	last, err := list[store.AuditEntry](t.down(kv.Key("audit", ws), ""), 1, nil)
	if err != nil {
		return err
	}
	e.Seq = 1
	if len(last) > 0 {
		e.Seq = last[0].Seq + 1
		if e.At.Before(last[0].At) {
			e.At = last[0].At
		}
	}
	return t.put(kv.Key("audit", ws, kv.Number(e.Seq)), e)
}

// Audit implements store.Reader.
func (t *tx) Audit(ws string, f store.AuditFilter, p store.Page) ([]*store.AuditEntry, error) {
	after, err := store.AuditCursor(p.After)
	if err != nil {
		return nil, err
	}
	before := ""
	if after != 0 {
		before = kv.Key("audit", ws, kv.Number(after))
	}
	return list(t.down(kv.Key("audit", ws), before), p.Limit, f.MatchAudit)
}
