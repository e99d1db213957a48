package sqlite

import (
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// itemAfter is the keyset of lists of items, newest received first.
const itemAfter = " AND (received, replica, incarnation, n) < (?, ?, ?, ?) ORDER BY received DESC, replica DESC, incarnation DESC, n DESC"

var (
	qPushes      = statement("SELECT n, replica, received, body FROM pushes WHERE ws = ? AND n > ? ORDER BY n LIMIT ?")
	qAddPush     = statement("INSERT INTO pushes (ws, replica, received, body) VALUES (?, ?, ?, ?)")
	qDeletePush  = statement("DELETE FROM pushes WHERE n = ?2 AND ws = ?1")
	qItem        = statement("SELECT body FROM items WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qPutItem     = statement("INSERT INTO items (ws, replica, incarnation, n, received, state, user, record, holder, settled, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ws, replica, incarnation, n) DO UPDATE SET received = excluded.received, state = excluded.state, user = excluded.user, record = excluded.record, holder = excluded.holder, settled = excluded.settled, body = excluded.body")
	qItems       = statement("SELECT body FROM items WHERE ws = ?" + itemAfter)
	qItemsRecord = statement("SELECT body FROM items WHERE ws = ? AND record = ? AND record <> ''" + itemAfter)
	qItemsUser   = statement("SELECT body FROM items WHERE ws = ? AND user = ?" + itemAfter)
	qItemsState  = statement("SELECT body FROM items WHERE ws = ? AND state = ? AND state <> 'completed'" + itemAfter)
	qItemsOf     = statement("SELECT body FROM items WHERE ws = ? AND replica = ? AND (received, incarnation, n) < (?, ?, ?) ORDER BY received DESC, incarnation DESC, n DESC")
	qHeld        = statement("SELECT body FROM items WHERE ws = ? AND holder = ? AND holder <> '' ORDER BY replica, incarnation, n")
	qLane        = statement("SELECT i.body FROM lanes l JOIN items i ON i.ws = l.ws AND i.replica = l.replica AND i.incarnation = l.incarnation AND i.n = l.n WHERE l.ws = ? AND l.replica = ? AND l.record = ? ORDER BY l.incarnation, l.n")
	qDropLane    = statement("DELETE FROM lanes WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qPutLane     = statement("INSERT OR IGNORE INTO lanes (ws, replica, record, incarnation, n) VALUES (?, ?, ?, ?, ?)")
	qSettled     = statement("SELECT body FROM items WHERE ws = ? AND replica = ? AND settled > ? AND settled <= ? AND settled > 0 ORDER BY settled, incarnation, n LIMIT ?")

	qIssue        = statement("SELECT body FROM issues WHERE ws = ? AND id = ?")
	qIssueNumber  = statement("SELECT body FROM issues WHERE ws = ? AND number = ?")
	qPutIssue     = statement("INSERT INTO issues (ws, id, number, state, queue, author, record, cause, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ws, id) DO UPDATE SET number = excluded.number, state = excluded.state, queue = excluded.queue, author = excluded.author, record = excluded.record, cause = excluded.cause, body = excluded.body")
	qIssues       = statement("SELECT body FROM issues WHERE ws = ? AND number < ? ORDER BY number DESC")
	qUnresolved   = statement("SELECT body FROM issues WHERE ws = ? AND number < ? AND state <> 'resolved' ORDER BY number DESC")
	qIssuesRecord = statement("SELECT body FROM issues WHERE ws = ? AND record = ? AND number < ? ORDER BY number DESC")
	qIssuesCause  = statement("SELECT body FROM issues WHERE ws = ? AND cause = ? AND number < ? ORDER BY number DESC")
	qIssuesAuthor = statement("SELECT body FROM issues WHERE ws = ? AND author = ? AND number < ? ORDER BY number DESC")
	qIssuesQueue  = statement("SELECT body FROM issues WHERE ws = ? AND queue = ? AND number < ? ORDER BY number DESC")
)

// Pushes implements store.Reader.
func (t *tx) Pushes(ws string, after int64, limit int) (out []store.Push, err error) {
	err = t.query(qPushes, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, store.Push{ID: st.ColumnInt64(0), Replica: st.ColumnText(1), Received: time.Unix(0, st.ColumnInt64(2)).UTC(), Body: columnBytes(st, 3)})
		return true, nil
	}, ws, after, limit)
	return out, err
}

// AddPush implements store.Writer.
func (t *tx) AddPush(ws string, p *store.Push) error {
	err := t.exec(qAddPush, ws, p.Replica, p.Received, p.Body)
	p.ID = t.c.LastInsertRowID()
	return err
}

// DeletePush implements store.Writer.
func (t *tx) DeletePush(ws string, id int64) error { return t.exec(qDeletePush, ws, id) }

// Item implements store.Reader.
func (t *tx) Item(ws string, k landfall.Key) (*store.Item, error) {
	return one[store.Item](t, qItem, ws, k.Replica, k.Incarnation, k.N)
}

// PutItem implements store.Writer.
func (t *tx) PutItem(ws string, i *store.Item) error {
	settled := int64(0)
	if i.Outcome != nil {
		settled = i.Outcome.Seq
	}
	k := i.Key
	old, err := t.Item(ws, k)
	if err != nil {
		return err
	}
	if old != nil && old.Holder != "" {
		if err := t.exec(qDropLane, ws, k.Replica, k.Incarnation, k.N); err != nil {
			return err
		}
	}
	if i.Holder != "" {
		for _, record := range i.Refs {
			if err := t.exec(qPutLane, ws, k.Replica, record, k.Incarnation, k.N); err != nil {
				return err
			}
		}
	}
	return t.put(qPutItem, i, ws, k.Replica, k.Incarnation, k.N, i.ReceivedAt, string(i.State), i.User, i.Record, i.Holder, settled)
}

// Items implements store.Reader: by the index of the narrowest filter that
// there is; the rest of the filter is applied to what that gives.
func (t *tx) Items(ws string, f store.ItemFilter, p store.Page) ([]*store.Item, error) {
	received, k := int64(math.MaxInt64), landfall.Key{}
	if p.After != "" {
		var err error
		if k, err = landfall.ParseKey(p.After); err != nil {
			return nil, err
		}
		at, err := t.Item(ws, k)
		if err != nil || at == nil {
			return nil, err
		}
		received = nanos(at.ReceivedAt)
	}
	var since int64
	if !f.Since.IsZero() {
		since = nanos(f.Since)
	}
	sql, by := qItems, []any{ws}
	switch {
	case f.Record != "":
		sql, by = qItemsRecord, []any{ws, f.Record}
	case f.Replica != "":
		return t.items(f, p, since, qItemsOf, ws, f.Replica, received, k.Incarnation, k.N)
	case f.State != "" && f.State != store.Completed:
		sql, by = qItemsState, []any{ws, string(f.State)}
	case f.User != "":
		sql, by = qItemsUser, []any{ws, f.User}
	}
	return t.items(f, p, since, sql, append(by, received, k.Replica, k.Incarnation, k.N)...)
}

// items reads until the page is full or the rows are too old.
func (t *tx) items(f store.ItemFilter, p store.Page, since int64, sql string, args ...any) (out []*store.Item, err error) {
	if p.Limit < 1 {
		return nil, nil
	}
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		i, err := store.Decode[store.Item](columnBytes(st, 0))
		if err != nil {
			return false, err
		}
		if nanos(i.ReceivedAt) < since {
			return false, nil
		}
		if f.MatchItem(i) {
			out = append(out, i)
		}
		return len(out) < p.Limit, nil
	}, args...)
	return out, err
}

// Held implements store.Reader.
func (t *tx) Held(ws, issue string) ([]*store.Item, error) {
	return many[store.Item](t, math.MaxInt, nil, qHeld, ws, issue)
}

// Lane implements store.Reader.
func (t *tx) Lane(ws, replica, record string) ([]*store.Item, error) {
	return many[store.Item](t, math.MaxInt, nil, qLane, ws, replica, record)
}

// Outcomes implements store.Reader.
func (t *tx) Outcomes(ws, replica string, after, upto int64, limit int) ([]landfall.Outcome, error) {
	rows, err := many[store.Item](t, max(limit, 1), nil, qSettled, ws, replica, after, upto, limit)
	var out []landfall.Outcome
	for _, i := range rows {
		out = append(out, *i.Outcome)
	}
	return out, err
}

// Issue implements store.Reader.
func (t *tx) Issue(ws, id string) (*store.IssueRow, error) {
	return one[store.IssueRow](t, qIssue, ws, id)
}

// IssueByNumber implements store.Reader.
func (t *tx) IssueByNumber(ws string, number int64) (*store.IssueRow, error) {
	return one[store.IssueRow](t, qIssueNumber, ws, number)
}

// PutIssue implements store.Writer.
func (t *tx) PutIssue(ws string, row *store.IssueRow) error {
	i := &row.Issue
	return t.put(qPutIssue, row, ws, i.ID, i.Number, i.State, i.Queue, i.Author, i.Record, i.Cause)
}

// Issues implements store.Reader, like Items.
func (t *tx) Issues(ws string, f store.IssueFilter, p store.Page) ([]*store.IssueRow, error) {
	after, err := store.IssueCursor(p.After)
	if err != nil {
		return nil, err
	}
	if after == 0 {
		after = math.MaxInt64
	}
	sql, args := qIssues, []any{ws, after}
	switch {
	case f.Record != "":
		sql, args = qIssuesRecord, []any{ws, f.Record, after}
	case f.Cause != "":
		sql, args = qIssuesCause, []any{ws, f.Cause, after}
	case f.State == store.Unresolved || f.State == landfall.IssueOpen || f.State == landfall.IssueClaimed:
		sql = qUnresolved
	case f.User != "":
		sql, args = qIssuesAuthor, []any{ws, f.User, after}
	case f.Queue != "":
		sql, args = qIssuesQueue, []any{ws, f.Queue, after}
	}
	return many(t, p.Limit, func(r *store.IssueRow) bool { return f.MatchIssue(&r.Issue) }, sql, args...)
}
