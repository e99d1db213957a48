package memory

import (
	"math"
	"strconv"

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
	found, err := t.SearchAudit(ws, f, store.Scan[store.AuditEntry]{Page: p, Most: math.MaxInt})
	return found.Rows, err
}

// SearchAudit implements store.Reader.
func (t *tx) SearchAudit(ws string, f store.AuditFilter, s store.Scan[store.AuditEntry]) (out store.Found[store.AuditEntry], err error) {
	after, err := store.AuditCursor(s.After)
	if err != nil || s.Limit < 1 {
		return out, err
	}
	before := ""
	if after != 0 {
		before = kv.Key("audit", ws, kv.Number(after))
	}
	looked, last := 0, (*store.AuditEntry)(nil)
	for _, b := range t.down(kv.Key("audit", ws), before) {
		if looked++; len(out.Rows) == s.Limit || looked > s.Most {
			out.Next, out.To = strconv.FormatInt(last.Seq, 10), last.At
			break
		}
		if last, err = store.Decode[store.AuditEntry](b); err != nil {
			return out, err
		}
		if f.MatchAudit(last) {
			out.Rows = append(out.Rows, last)
		}
	}
	return out, nil
}
