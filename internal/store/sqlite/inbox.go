package sqlite

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// itemColumns are all that an item is read from.
const itemColumns = "replica, incarnation, n, received, edited, state, user, record, holder, hash, sent, body"

// selectItems is a list of items, what arrived last first, by an index: SQLite
// would take the primary key, which has the order, and read what all others sent.
func selectItems(from, where string) string {
	return statement("SELECT " + itemColumns + " FROM items" + from + " WHERE ws = ?" + where + " AND arrived < ? AND arrived >= ? ORDER BY arrived DESC")
}

var (
	qPushes      = statement("SELECT n, replica, received, body, tried, trying, tries, by FROM pushes WHERE ws = ? AND n > ? ORDER BY n LIMIT ?")
	qAddPush     = statement("INSERT INTO pushes (ws, replica, received, body, tried, trying, tries, by) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
	qMarkPush    = statement("UPDATE pushes SET tried = ?3, trying = ?4, tries = ?5 WHERE n = ?2 AND ws = ?1")
	qDeletePush  = statement("DELETE FROM pushes WHERE n = ?2 AND ws = ?1")
	qItem        = statement("SELECT " + itemColumns + " FROM items WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qHolder      = statement("SELECT arrived, holder FROM items WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qLast        = statement("SELECT max(arrived) FROM items WHERE ws = ?")
	qAddItem     = statement("INSERT INTO items (ws, replica, incarnation, n, received, edited, state, user, record, holder, hash, settled, sent, body, type, kind, op, ended, arrived) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
	qPutItem     = statement("UPDATE items SET received = ?5, edited = ?6, state = ?7, user = ?8, record = ?9, holder = ?10, hash = ?11, settled = ?12, sent = ?13, body = ?14, type = ?15, kind = ?16, op = ?17, ended = ?18 WHERE ws = ?1 AND replica = ?2 AND incarnation = ?3 AND n = ?4")
	qItems       = selectItems("", "")
	qItemsRecord = selectItems(" INDEXED BY items_record", " AND record = ? AND record <> ''")
	qItemsUser   = selectItems(" INDEXED BY items_user", " AND user = ?")
	qItemsState  = selectItems(" INDEXED BY items_troubled", " AND state = ? AND state <> 'completed'")
	qItemsOf     = statement("SELECT " + itemColumns + " FROM items WHERE ws = ? AND replica = ? AND (incarnation, n) < (?, ?) ORDER BY incarnation DESC, n DESC")
	qHeld        = statement("SELECT " + itemColumns + " FROM items WHERE ws = ? AND holder = ? AND holder <> '' ORDER BY replica, incarnation, n")
	qLaned       = statement("SELECT 'yes' FROM lanes WHERE ws = ? AND replica = ? LIMIT 1")
	qLane        = statement("SELECT i.replica, i.incarnation, i.n, i.received, i.edited, i.state, i.user, i.record, i.holder, i.hash, i.sent, i.body FROM lanes l JOIN items i ON i.ws = l.ws AND i.replica = l.replica AND i.incarnation = l.incarnation AND i.n = l.n WHERE l.ws = ? AND l.replica = ? AND l.record = ? ORDER BY l.incarnation, l.n")
	qDropLane    = statement("DELETE FROM lanes WHERE ws = ? AND replica = ? AND incarnation = ? AND n = ?")
	qPutLane     = statement("INSERT OR IGNORE INTO lanes (ws, replica, record, incarnation, n) VALUES (?, ?, ?, ?, ?)")
	qSettled     = statement("SELECT body FROM items WHERE ws = ? AND replica = ? AND settled > ? AND settled <= ? AND settled > 0 ORDER BY settled, incarnation, n LIMIT ?")

	qIssue        = statement("SELECT body FROM issues WHERE ws = ? AND id = ?")
	qIssueNumber  = statement("SELECT body FROM issues WHERE ws = ? AND number = ?")
	qPutIssue     = statement("INSERT INTO issues (ws, id, number, state, queue, author, record, cause, assignee, device, kind, received, next, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (ws, id) DO UPDATE SET number = excluded.number, state = excluded.state, queue = excluded.queue, author = excluded.author, record = excluded.record, cause = excluded.cause, assignee = excluded.assignee, device = excluded.device, kind = excluded.kind, received = excluded.received, next = excluded.next, body = excluded.body")
	qIssues       = statement("SELECT body FROM issues WHERE ws = ? AND number < ? ORDER BY number DESC")
	qUnresolved   = statement("SELECT body FROM issues WHERE ws = ? AND number < ? AND state <> 'resolved' ORDER BY number DESC")
	qIssuesRecord = statement("SELECT body FROM issues WHERE ws = ? AND record = ? AND number < ? ORDER BY number DESC")
	qIssuesCause  = statement("SELECT body FROM issues WHERE ws = ? AND cause = ? AND number < ? ORDER BY number DESC")
	qOpenCause    = statement("SELECT body FROM issues WHERE ws = ? AND cause = ? AND number < ? AND state <> 'resolved' ORDER BY number DESC")
	qOpenAuthor   = statement("SELECT body FROM issues WHERE ws = ? AND author = ? AND number < ? AND state <> 'resolved' ORDER BY number DESC")
	qIssuesAuthor = statement("SELECT body FROM issues WHERE ws = ? AND author = ? AND number < ? ORDER BY number DESC")
	qIssuesQueue  = statement("SELECT body FROM issues WHERE ws = ? AND queue = ? AND number < ? ORDER BY number DESC")
)

// Pushes implements store.Reader.
func (t *tx) Pushes(ws string, after int64, limit int) (out []store.Push, err error) {
	err = t.query(qPushes, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, store.Push{ID: st.ColumnInt64(0), Replica: st.ColumnText(1), Received: time.Unix(0, st.ColumnInt64(2)).UTC(), Body: columnBytes(st, 3), Tried: int(st.ColumnInt64(4)), Trying: st.ColumnInt64(5), Tries: int(st.ColumnInt64(6)), By: st.ColumnText(7)})
		return true, nil
	}, ws, after, limit)
	return out, err
}

// AddPush implements store.Writer.
func (t *tx) AddPush(ws string, p *store.Push) error {
	err := t.exec(qAddPush, ws, p.Replica, p.Received, p.Body, p.Tried, p.Trying, p.Tries, p.By)
	p.ID = t.c.LastInsertRowID()
	return err
}

// MarkPush implements store.Writer.
func (t *tx) MarkPush(ws string, p *store.Push) error {
	return t.exec(qMarkPush, ws, p.ID, p.Tried, p.Trying, p.Tries)
}

// DeletePush implements store.Writer.
func (t *tx) DeletePush(ws string, id int64) error { return t.exec(qDeletePush, ws, id) }

// item reads the columns of itemColumns.
func item(st *sqlite.Stmt) (*store.Item, error) {
	i := &store.Item{
		Key:        landfall.Key{Replica: st.ColumnText(0), Incarnation: st.ColumnInt64(1), N: st.ColumnInt64(2)},
		ReceivedAt: moment(st.ColumnInt64(3)), EditedAt: moment(st.ColumnInt64(4)), State: store.ItemState(st.ColumnText(5)),
		User: st.ColumnText(6), Record: st.ColumnText(7), Holder: st.ColumnText(8), Hash: hashText(columnBytes(st, 9)), Bytes: columnBytes(st, 10),
	}
	return i, store.DecodeItem(columnBytes(st, 11), i)
}

// A hash stands as its bytes; what is none stands as it is, after a zero.
func hashBytes(s string) []byte {
	if b, err := hex.DecodeString(s); err == nil && len(b) == sha256.Size {
		return b
	}
	return append([]byte{0}, s...)
}

func hashText(b []byte) string {
	if len(b) == sha256.Size {
		return hex.EncodeToString(b)
	}
	return string(b[min(1, len(b)):])
}

func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// items reads the rows that pass, up to limit.
func (t *tx) items(limit int, pass func(*store.Item) (bool, error), sql string, args ...any) (out []*store.Item, err error) {
	if limit < 1 {
		return nil, nil
	}
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		i, err := item(st)
		if err != nil {
			return false, err
		}
		ok := true
		if pass != nil {
			ok, err = pass(i)
		}
		if ok {
			out = append(out, i)
		}
		return len(out) < limit, err
	}, args...)
	return out, err
}

// Item implements store.Reader.
func (t *tx) Item(ws string, k landfall.Key) (*store.Item, error) {
	rows, err := t.items(1, nil, qItem, ws, k.Replica, k.Incarnation, k.N)
	if len(rows) == 0 {
		return nil, err
	}
	return rows[0], err
}

// PutItem implements store.Writer.
func (t *tx) PutItem(ws string, i *store.Item) error {
	k := i.Key
	arrived, holder, err := t.arrival(ws, k)
	if err != nil {
		return err
	}
	if arrived == 0 {
		return t.AddItem(ws, i)
	}
	if holder != "" {
		for _, drop := range []string{qDropLane, qDropMention} {
			if err := t.exec(drop, ws, k.Replica, k.Incarnation, k.N); err != nil {
				return err
			}
		}
	}
	return t.writeItem(qPutItem, ws, i)
}

// arrival is where an item stands; 0 for none.
func (t *tx) arrival(ws string, k landfall.Key) (arrived int64, holder string, err error) {
	err = t.query(qHolder, func(st *sqlite.Stmt) (bool, error) {
		arrived, holder = st.ColumnInt64(0), st.ColumnText(1)
		return false, nil
	}, ws, k.Replica, k.Incarnation, k.N)
	return arrived, holder, err
}

// AddItem implements store.Writer.
func (t *tx) AddItem(ws string, i *store.Item) error {
	last, known := t.arrived[ws]
	if !known {
		if err := t.query(qLast, func(st *sqlite.Stmt) (bool, error) {
			last = st.ColumnInt64(0)
			return false, nil
		}, ws); err != nil {
			return err
		}
		if t.arrived == nil {
			t.arrived = map[string]int64{}
		}
	}
	last = store.Arrival(last, i)
	t.arrived[ws] = last
	return t.writeItem(qAddItem, ws, i, last)
}

func (t *tx) writeItem(sql, ws string, i *store.Item, more ...any) (err error) {
	k := i.Key
	if i.Holder != "" {
		for _, record := range i.Refs {
			if err := t.exec(qPutLane, ws, k.Replica, record, k.Incarnation, k.N); err != nil {
				return err
			}
		}
		if err := t.mention(ws, i); err != nil {
			return err
		}
	}
	settled := int64(0)
	if i.Outcome != nil {
		settled = i.Outcome.Seq
	}
	if t.body, err = store.EncodeItem(t.body[:0], i); err != nil {
		return err
	}
	args := []any{ws, k.Replica, k.Incarnation, k.N, i.ReceivedAt, i.EditedAt, string(i.State), i.User, i.Record, i.Holder, hashBytes(i.Hash), settled, i.Bytes, t.body, i.Type, string(i.Kind()), string(i.Op), i.Ended()}
	return t.exec(sql, append(args, more...)...)
}

// Items implements store.Reader: by the index of the narrowest filter that
// there is; the rest of the filter is applied to what that gives.
func (t *tx) Items(ws string, f store.ItemFilter, p store.Page) ([]*store.Item, error) {
	before, k := int64(math.MaxInt64), landfall.Key{Incarnation: math.MaxInt64}
	if p.After != "" {
		var err error
		if k, err = landfall.ParseKey(p.After); err != nil {
			return nil, err
		}
		if before, _, err = t.arrival(ws, k); err != nil || before == 0 {
			return nil, err
		}
	}
	// What was received since then did not arrive earlier.
	since := int64(math.MinInt64)
	if !f.Since.IsZero() {
		since = nanos(f.Since)
	}
	match := func(i *store.Item) (bool, error) { return f.MatchItem(i), nil }
	sql, by := qItems, []any{ws}
	switch {
	case f.Record != "":
		sql, by = qItemsRecord, []any{ws, f.Record}
	case f.Replica != "":
		return t.items(p.Limit, match, qItemsOf, ws, f.Replica, k.Incarnation, k.N)
	case f.State != "" && f.State != store.Completed:
		sql, by = qItemsState, []any{ws, string(f.State)}
	case f.User != "":
		sql, by = qItemsUser, []any{ws, f.User}
	}
	return t.items(p.Limit, match, sql, append(by, before, since)...)
}

// Held implements store.Reader.
func (t *tx) Held(ws, issue string) ([]*store.Item, error) {
	return t.items(math.MaxInt, nil, qHeld, ws, issue)
}

// Laned implements store.Reader.
func (t *tx) Laned(ws, replica string) (bool, error) {
	s, err := t.text(qLaned, ws, replica)
	return s != "", err
}

// Lane implements store.Reader.
func (t *tx) Lane(ws, replica, record string) ([]*store.Item, error) {
	return t.items(math.MaxInt, nil, qLane, ws, replica, record)
}

// Outcomes implements store.Reader.
func (t *tx) Outcomes(ws, replica string, after, upto int64, limit int) ([]landfall.Outcome, error) {
	var out []landfall.Outcome
	err := t.query(qSettled, func(st *sqlite.Stmt) (bool, error) {
		i := store.Item{}
		err := store.DecodeItem(columnBytes(st, 0), &i)
		if err == nil && i.Outcome != nil {
			out = append(out, *i.Outcome)
		}
		return true, err
	}, ws, replica, after, upto, limit)
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
	return t.put(qPutIssue, row, ws, i.ID, i.Number, i.State, i.Queue, i.Author, i.Record, i.Cause, i.Assigned(), i.Device, string(i.Kind), i.ReceivedAt, row.Next)
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
	open := f.State == store.Unresolved || f.State == landfall.IssueOpen || f.State == landfall.IssueClaimed
	switch {
	case f.Record != "":
		sql, args = qIssuesRecord, []any{ws, f.Record, after}
	case f.Cause != "" && open:
		sql, args = qOpenCause, []any{ws, f.Cause, after}
	case f.User != "" && open:
		sql, args = qOpenAuthor, []any{ws, f.User, after}
	case f.Cause != "":
		sql, args = qIssuesCause, []any{ws, f.Cause, after}
	case open:
		sql = qUnresolved
	case f.User != "":
		sql, args = qIssuesAuthor, []any{ws, f.User, after}
	case f.Queue != "":
		sql, args = qIssuesQueue, []any{ws, f.Queue, after}
	}
	return many(t, p.Limit, func(r *store.IssueRow) bool { return f.MatchIssue(&r.Issue) }, sql, args...)
}
