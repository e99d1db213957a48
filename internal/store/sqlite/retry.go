package sqlite

import (
	"slices"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

var (
	qDue         = statement("SELECT body FROM issues WHERE ws = ? AND next <= ? AND next > 0 ORDER BY next, number LIMIT ?")
	qLaning      = statement("SELECT 'yes' FROM mentions WHERE ws = ? LIMIT 1")
	qHeldOn      = statement("SELECT i.replica, i.incarnation, i.n, i.received, i.edited, i.state, i.user, i.record, i.holder, i.hash, i.sent, i.body FROM mentions l JOIN items i ON i.ws = l.ws AND i.replica = l.replica AND i.incarnation = l.incarnation AND i.n = l.n WHERE l.ws = ? AND l.record = ? AND (l.replica, l.incarnation, l.n) > (?, ?, ?) ORDER BY l.replica, l.incarnation, l.n LIMIT ?")
	qDropMention = statement("DELETE FROM mentions WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qPutMention  = statement("INSERT OR IGNORE INTO mentions (ws, replica, record, incarnation, n) VALUES (?, ?, ?, ?, ?)")
	qSweeps      = statement("SELECT body FROM sweeps WHERE ws = ? ORDER BY kind, object LIMIT ?")
	qPutSweep    = statement("INSERT INTO sweeps (ws, kind, object, body) VALUES (?, ?, ?, ?) ON CONFLICT (ws, kind, object) DO UPDATE SET body = excluded.body")
	qDeleteSweep = statement("DELETE FROM sweeps WHERE ws = ? AND kind = ? AND object = ?")
	qAlike       = selectAlike("")
	qAlikeCause  = selectAlike(" AND a.cause = ?")
)

// selectAlike is how many issues are alike, with the first and the last of them.
func selectAlike(where string) string {
	end := func(column, order string) string {
		return "(SELECT " + column + " FROM issues i INDEXED BY issues_alike WHERE i.ws = a.ws AND i.cause = a.cause AND i.kind = a.kind AND i.queue = a.queue AND i.assignee = a.assignee AND i.author = a.author AND i.device = a.device AND i.state <> 'resolved' ORDER BY i.number" + order + " LIMIT 1)"
	}
	return statement("SELECT a.cause, a.kind, a.queue, a.assignee, a.author, a.device, a.n, " + end("i.number", " DESC") + ", " + end("i.received", "") + ", " + end("i.received", " DESC") + " FROM alike a WHERE a.ws = ?" + where)
}

// Due implements store.Reader.
func (t *tx) Due(ws string, until time.Time, limit int) ([]*store.IssueRow, error) {
	return many[store.IssueRow](t, limit, nil, qDue, ws, until, limit)
}

// Laning implements store.Reader.
func (t *tx) Laning(ws string) (bool, error) {
	s, err := t.text(qLaning, ws)
	return s != "", err
}

// HeldOn implements store.Reader.
func (t *tx) HeldOn(ws, record string, after landfall.Key, limit int) ([]*store.Item, error) {
	return t.items(limit, nil, qHeldOn, ws, record, after.Replica, after.Incarnation, after.N, limit)
}

// Sweeps implements store.Reader.
func (t *tx) Sweeps(ws string, limit int) (out []store.Sweep, err error) {
	rows, err := many[store.Sweep](t, limit, nil, qSweeps, ws, limit)
	for _, s := range rows {
		out = append(out, *s)
	}
	return out, err
}

// PutSweep implements store.Writer.
func (t *tx) PutSweep(ws string, s store.Sweep) error {
	return t.put(qPutSweep, s, ws, string(s.Kind), s.Object)
}

// DeleteSweep implements store.Writer.
func (t *tx) DeleteSweep(ws string, s store.Sweep) error {
	return t.exec(qDeleteSweep, ws, string(s.Kind), s.Object)
}

// IssueGroups implements store.Reader. Triggers keep the numbers.
func (t *tx) IssueGroups(ws, cause string) (out []store.IssueGroup, err error) {
	sql, args := qAlike, []any{ws}
	if cause != "" {
		sql, args = qAlikeCause, []any{ws, cause}
	}
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, store.IssueGroup{
			Cause: st.ColumnText(0), Kind: landfall.Kind(st.ColumnText(1)), Queue: st.ColumnText(2), Assignee: st.ColumnText(3),
			Author: st.ColumnText(4), Device: st.ColumnText(5), Count: int(st.ColumnInt64(6)), Newest: st.ColumnInt64(7),
			First: moment(st.ColumnInt64(8)), Last: moment(st.ColumnInt64(9)),
		})
		return true, nil
	}, args...)
	return out, err
}

// mention keeps what a held item touches or refers to.
func (t *tx) mention(ws string, i *store.Item) error {
	k := i.Key
	for _, record := range slices.Concat(i.Refs, i.Mentions) {
		if err := t.exec(qPutMention, ws, k.Replica, record, k.Incarnation, k.N); err != nil {
			return err
		}
	}
	return nil
}
