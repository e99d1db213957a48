package sqlite

import (
	"fmt"
	"regexp"
	"time"

	"zombiezen.com/go/sqlite"

	"github.com/landfall-sync/landfall/internal/store"
)

// statements are all the SQL that the driver runs; a test reads their plans.
var statements []string

// limits are bare parameters of LIMIT. SQLite plans by the value of such a one,
// and prepares the statement anew whenever another is bound, which costs more
// than most of the queries do. It does not look into an expression.
var limits = regexp.MustCompile(`LIMIT (\?\d*)`)

// statement names a piece of SQL and registers it.
func statement(sql string) string {
	sql = limits.ReplaceAllString(sql, "LIMIT ($1 + 0)")
	statements = append(statements, sql)
	return sql
}

const (
	begin      = "BEGIN DEFERRED"
	beginWrite = "BEGIN IMMEDIATE"
	commit     = "COMMIT"
	rollback   = "ROLLBACK"
	touch      = "SELECT 1 FROM heads LIMIT 1"
)

// tx is a transaction on one connection.
type tx struct {
	c *sqlite.Conn
	s *Store

	arrived     map[string]int64 // of the item that was added last, by workspace
	body, edits []byte           // what is being written; used again and again
}

// query runs a statement and gives each row to f until it says enough.
func (t *tx) query(sql string, f func(*sqlite.Stmt) (more bool, err error), args ...any) (err error) {
	st, err := t.c.Prepare(sql)
	if err != nil {
		return err
	}
	defer func() {
		if e := st.Reset(); err == nil {
			err = e
		}
		if e := st.ClearBindings(); err == nil {
			err = e
		}
	}()
	for i, a := range args {
		switch a := a.(type) {
		case string:
			st.BindText(i+1, a)
		case int64:
			st.BindInt64(i+1, a)
		case int:
			st.BindInt64(i+1, int64(a))
		case bool:
			st.BindBool(i+1, a)
		case time.Time:
			st.BindInt64(i+1, nanos(a))
		case []byte:
			st.BindBytes(i+1, a)
		default:
			return fmt.Errorf("sqlite: can't bind %T", a)
		}
	}
	t.s.queries.Add(1)
	for {
		row, err := st.Step()
		if err != nil || !row {
			return err
		}
		t.s.rows.Add(1)
		if f == nil {
			continue
		}
		if more, err := f(st); err != nil || !more {
			return err
		}
	}
}

// nanos is how a time stands beside a body; the zero time is the first of all.
func nanos(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixNano()
}

func (t *tx) exec(sql string, args ...any) error { return t.query(sql, nil, args...) }

// bytes is a column's value, copied.
func columnBytes(st *sqlite.Stmt, col int) []byte {
	b := make([]byte, st.ColumnLen(col))
	st.ColumnBytes(col, b)
	return b
}

// one reads the body in the first column of at most one row.
func one[T any](t *tx, sql string, args ...any) (v *T, err error) {
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		v, err = store.Decode[T](columnBytes(st, 0))
		return false, err
	}, args...)
	return v, err
}

// many reads bodies of the rows that pass, up to limit.
func many[T any](t *tx, limit int, pass func(*T) bool, sql string, args ...any) (out []*T, err error) {
	if limit < 1 {
		return nil, nil
	}
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		v, err := store.Decode[T](columnBytes(st, 0))
		if err != nil {
			return false, err
		}
		if pass == nil || pass(v) {
			out = append(out, v)
		}
		return len(out) < limit, nil
	}, args...)
	return out, err
}

// put writes a row whose last parameter is the body.
func (t *tx) put(sql string, body any, args ...any) error {
	b, err := store.Encode(body)
	if err != nil {
		return err
	}
	return t.exec(sql, append(args, b)...)
}

// text reads the first column of at most one row; "" for none.
func (t *tx) text(sql string, args ...any) (s string, err error) {
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		s = st.ColumnText(0)
		return false, nil
	}, args...)
	return s, err
}

// texts reads the first column of all rows.
func (t *tx) texts(sql string, args ...any) (out []string, err error) {
	err = t.query(sql, func(st *sqlite.Stmt) (bool, error) {
		out = append(out, st.ColumnText(0))
		return true, nil
	}, args...)
	return out, err
}
