package sqlite

import (
	"math"
	"strconv"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall/internal/store"
)

// The lists are newest first, between two places of the sequence.
const (
	auditOf    = "SELECT body FROM audit WHERE ws = ? AND "
	auditRange = "seq < ? AND seq >= ? ORDER BY seq DESC"
)

var (
	qLastAudit   = statement("SELECT body FROM audit WHERE ws = ? ORDER BY seq DESC LIMIT 1")
	qAddAudit    = statement("INSERT INTO audit (ws, seq, at, by, device, area, action, object, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
	qAuditFrom   = statement("SELECT seq FROM audit WHERE ws = ? AND at >= ? ORDER BY at, seq LIMIT 1")
	qAudit       = statement(auditOf + auditRange)
	qAuditBy     = statement(auditOf + "by = ? AND " + auditRange)
	qAuditDevice = statement(auditOf + "device = ? AND device <> '' AND " + auditRange)
	qAuditArea   = statement(auditOf + "area = ? AND " + auditRange)
	qAuditAction = statement(auditOf + "action = ? AND " + auditRange)
	qAuditObject = statement(auditOf + "object = ? AND object <> '' AND " + auditRange)
)

// AddAudit implements store.Writer.
func (t *tx) AddAudit(ws string, e *store.AuditEntry) error {
	last, err := one[store.AuditEntry](t, qLastAudit, ws)
	if err != nil {
		return err
	}
	e.Seq = 1
	if last != nil {
		e.Seq = last.Seq + 1
		if e.At.Before(last.At) {
			e.At = last.At
		}
	}
	return t.put(qAddAudit, e, ws, e.Seq, e.At, e.By, e.Device, store.Area(e.Action), e.Action, e.Object)
}

// Audit implements store.Reader.
func (t *tx) Audit(ws string, f store.AuditFilter, p store.Page) ([]*store.AuditEntry, error) {
	found, err := t.SearchAudit(ws, f, store.Scan[store.AuditEntry]{Page: p, Most: math.MaxInt})
	return found.Rows, err
}

// SearchAudit implements store.Reader: by the index of the narrowest filter that
// there is; the rest of the filter is applied to what that gives.
func (t *tx) SearchAudit(ws string, f store.AuditFilter, s store.Scan[store.AuditEntry]) (out store.Found[store.AuditEntry], err error) {
	before, err := store.AuditCursor(s.After)
	if err != nil {
		return out, err
	}
	if before == 0 {
		before = math.MaxInt64
	}
	// Time goes on with the sequence, so that spans of one are spans of the other.
	from := int64(1)
	if !f.Since.IsZero() {
		if from, err = t.auditFrom(ws, nanos(f.Since)); err != nil {
			return out, err
		}
	}
	if !f.Until.IsZero() {
		until, err := t.auditFrom(ws, nanos(f.Until))
		if err != nil {
			return out, err
		}
		before = min(before, until)
	}
	sql, by := qAudit, []any{ws}
	switch {
	case f.Object != "":
		sql, by = qAuditObject, []any{ws, f.Object}
	case f.Device != "":
		sql, by = qAuditDevice, []any{ws, f.Device}
	case f.Action != "" && f.Action != store.Area(f.Action):
		sql, by = qAuditAction, []any{ws, f.Action}
	case f.By != "":
		sql, by = qAuditBy, []any{ws, f.By}
	case f.Action != "":
		sql, by = qAuditArea, []any{ws, f.Action}
	}
	return t.auditRows(&f, s, sql, append(by, before, from)...)
}

func (t *tx) auditRows(f *store.AuditFilter, s store.Scan[store.AuditEntry], sql string, args ...any) (out store.Found[store.AuditEntry], err error) {
	if s.Limit < 1 {
		return out, nil
	}
	looked, last := 0, (*store.AuditEntry)(nil)
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		if looked++; len(out.Rows) == s.Limit || looked > s.Most {
			out.Next, out.To = strconv.FormatInt(last.Seq, 10), last.At
			return false, nil
		}
		e, err := store.Decode[store.AuditEntry](columnBytes(st, 0))
		if err == nil && f.MatchAudit(e) {
			out.Rows = append(out.Rows, e)
		}
		last = e
		return true, err
	}, args...)
	return out, err
}

// auditFrom is the first place at that time or later; one behind all when
// there is none.
func (t *tx) auditFrom(ws string, at int64) (seq int64, err error) {
	seq = math.MaxInt64
	err = t.query(qAuditFrom, func(st *sqlite.Stmt) (bool, error) {
		seq = st.ColumnInt64(0)
		return false, nil
	}, ws, at)
	return seq, err
}
