// Package sqlite keeps a replica in a folder, in one SQLite database: WAL,
// synchronous=FULL. Several processes may have the same folder open.
package sqlite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
)

// applicationID marks a database as a Landfall replica ("LFrp").
const applicationID = 0x4c467270

const schema = `
CREATE TABLE vals (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE records (id TEXT PRIMARY KEY, type TEXT NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX records_type ON records (type, id);
CREATE TABLE entries (incarnation INTEGER NOT NULL, n INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (incarnation, n)) STRICT, WITHOUT ROWID;
`

const version = 1

// Storage is a replica's folder.
type Storage struct {
	conn chan *sqlite.Conn // holds the connection while nobody has it
}

// File is the database within a replica's folder.
const File = "replica.db"

// Open opens or creates the replica in dir.
func Open(ctx context.Context, dir string) (*Storage, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unavailable("the folder of the device can't be made", err)
	}
	path := filepath.Join(dir, File)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unavailable("the device's data can't be opened", err)
	}
	if err := f.Close(); err != nil {
		return nil, unavailable("the device's data can't be opened", err)
	}
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, unavailable("the device's data can't be opened", err)
	}
	c.SetBusyTimeout(30 * time.Second)
	s := &Storage{conn: make(chan *sqlite.Conn, 1)}
	s.conn <- c
	if err := s.prepare(ctx, path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare checks whose file this is, and makes its tables.
func (s *Storage) prepare(ctx context.Context, path string) error {
	return s.with(ctx, func(c *sqlite.Conn) error {
		id, err := number(c, "PRAGMA application_id")
		tables, err2 := number(c, "SELECT count(*) FROM sqlite_schema")
		have, err3 := number(c, "PRAGMA user_version")
		if err := errors.Join(err, err2, err3); err != nil {
			return unavailable(path+" is damaged", err)
		}
		switch {
		case id != applicationID && (id != 0 || tables > 0):
			return landfall.Errorf(landfall.CodeInvalid, "%s is a database, but not one of a Landfall device", path).WithHint("choose another folder with -C")
		case have > version:
			return landfall.Errorf(landfall.CodeInvalid, "%s was made by a newer version of Landfall", path).WithHint("update this program")
		}
		for _, p := range []string{"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"} {
			if err := sqlitex.ExecuteTransient(c, p, nil); err != nil {
				return err
			}
		}
		if have == version {
			return nil
		}
		return s.create(c)
	})
}

// create makes the tables, unless another process was first.
func (s *Storage) create(c *sqlite.Conn) (err error) {
	end, err := sqlitex.ImmediateTransaction(c)
	if err != nil {
		return err
	}
	defer end(&err)
	have, err := number(c, "PRAGMA user_version")
	if err != nil || have == version {
		return err
	}
	return sqlitex.ExecScript(c, fmt.Sprintf("%s PRAGMA application_id = %d; PRAGMA user_version = %d;", schema, applicationID, version))
}

func number(c *sqlite.Conn, query string) (n int64, err error) {
	err = sqlitex.ExecuteTransient(c, query, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		n = s.ColumnInt64(0)
		return nil
	}})
	return n, err
}

func unavailable(what string, err error) error {
	return &landfall.Error{Code: landfall.CodeUnavailable, Message: fmt.Sprintf("%s: %v", what, err), Hint: "nothing was changed", Err: err}
}

// Close implements client.Storage.
func (s *Storage) Close() error {
	select {
	case c := <-s.conn:
		return c.Close()
	default:
		return nil
	}
}

func (s *Storage) with(ctx context.Context, f func(*sqlite.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case c := <-s.conn:
		defer func() { s.conn <- c }()
		return f(c)
	}
}

// View implements client.Storage.
func (s *Storage) View(ctx context.Context, f func(client.Tx) error) error {
	return s.with(ctx, func(c *sqlite.Conn) (err error) {
		defer sqlitex.Transaction(c)(&err)
		return f(&tx{c})
	})
}

// Update implements client.Storage.
func (s *Storage) Update(ctx context.Context, f func(client.Tx) error) error {
	return s.with(ctx, func(c *sqlite.Conn) (err error) {
		end, err := sqlitex.ImmediateTransaction(c)
		if err != nil {
			return unavailable("the device's data is busy", err)
		}
		defer end(&err)
		return f(&tx{c})
	})
}

// Scrub writes the files anew, so that nothing that was cleared is left in them.
// What the disk below keeps of old blocks is beyond any program.
func (s *Storage) Scrub(ctx context.Context) error {
	return s.with(ctx, func(c *sqlite.Conn) error {
		for _, p := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
			if err := sqlitex.ExecuteTransient(c, p, nil); err != nil {
				return unavailable("what was erased can't be cleared from the device's files yet", err)
			}
		}
		return nil
	})
}

type tx struct{ c *sqlite.Conn }

func (t *tx) exec(sql string, args ...any) error {
	return sqlitex.Execute(t.c, sql, &sqlitex.ExecOptions{Args: args})
}

func bodies[T any](t *tx, sql string, args ...any) (out []*T, err error) {
	err = sqlitex.Execute(t.c, sql, &sqlitex.ExecOptions{Args: args, ResultFunc: func(st *sqlite.Stmt) error {
		b := make([]byte, st.ColumnLen(0))
		st.ColumnBytes(0, b)
		v := new(T)
		out = append(out, v)
		return json.Unmarshal(b, v)
	}})
	return out, err
}

func body[T any](t *tx, sql string, args ...any) (*T, error) {
	all, err := bodies[T](t, sql, args...)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[0], nil
}

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Value implements client.Tx.
func (t *tx) Value(name string) (out []byte, err error) {
	err = sqlitex.Execute(t.c, "SELECT value FROM vals WHERE name = ?", &sqlitex.ExecOptions{Args: []any{name}, ResultFunc: func(st *sqlite.Stmt) error {
		out = make([]byte, st.ColumnLen(0))
		st.ColumnBytes(0, out)
		return nil
	}})
	return out, err
}

// SetValue implements client.Tx.
func (t *tx) SetValue(name string, v []byte) error {
	if v == nil {
		return t.exec("DELETE FROM vals WHERE name = ?", name)
	}
	return t.exec("INSERT INTO vals (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, v)
}

// Clear implements client.Tx.
func (t *tx) Clear() error {
	return errors.Join(t.exec("DELETE FROM vals"), t.exec("DELETE FROM records"), t.exec("DELETE FROM entries"))
}

// Record implements client.Tx.
func (t *tx) Record(id string) (*landfall.Record, error) {
	return body[landfall.Record](t, "SELECT body FROM records WHERE id = ?", id)
}

// Records implements client.Tx.
func (t *tx) Records(typ string) ([]*landfall.Record, error) {
	if typ == "" {
		return bodies[landfall.Record](t, "SELECT body FROM records ORDER BY id")
	}
	return bodies[landfall.Record](t, "SELECT body FROM records WHERE type = ? ORDER BY id", typ)
}

// PutRecord implements client.Tx.
func (t *tx) PutRecord(r *landfall.Record) error {
	b, err := encode(r)
	if err != nil {
		return err
	}
	return t.exec("INSERT INTO records (id, type, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET type = excluded.type, body = excluded.body", r.ID, r.Type, b)
}

// DeleteRecord implements client.Tx.
func (t *tx) DeleteRecord(id string) error { return t.exec("DELETE FROM records WHERE id = ?", id) }

// Entry implements client.Tx.
func (t *tx) Entry(incarnation, n int64) (*client.Entry, error) {
	return body[client.Entry](t, "SELECT body FROM entries WHERE incarnation = ? AND n = ?", incarnation, n)
}

// Entries implements client.Tx.
func (t *tx) Entries() ([]*client.Entry, error) {
	return bodies[client.Entry](t, "SELECT body FROM entries ORDER BY incarnation, n")
}

// PutEntry implements client.Tx.
func (t *tx) PutEntry(e *client.Entry) error {
	b, err := encode(e)
	if err != nil {
		return err
	}
	return t.exec("INSERT INTO entries (incarnation, n, body) VALUES (?, ?, ?) ON CONFLICT (incarnation, n) DO UPDATE SET body = excluded.body", e.Incarnation, e.N, b)
}

// DeleteEntry implements client.Tx.
func (t *tx) DeleteEntry(incarnation, n int64) error {
	return t.exec("DELETE FROM entries WHERE incarnation = ? AND n = ?", incarnation, n)
}
