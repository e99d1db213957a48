package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// rawSchema is the least that keeps a record and its change: what anything on
// this engine has to write.
const rawSchema = `CREATE TABLE records (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE changes (id TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (id, seq)) STRICT, WITHOUT ROWID;`

// raw measures the engine alone: a record and a change row for each mutation,
// so many mutations a commit, by one writer.
func (b *Bench) raw(ctx context.Context, batch int) (*Row, error) {
	c, err := sqlite.OpenConn(filepath.Join(b.Dir, fmt.Sprintf("raw-%d", batch)))
	if err != nil {
		return nil, err
	}
	row, err := b.rawOn(ctx, c, batch)
	return row, errors.Join(err, c.Close())
}

func (b *Bench) rawOn(ctx context.Context, c *sqlite.Conn, batch int) (*Row, error) {
	for _, p := range []string{"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 2000"} {
		if err := sqlitex.ExecuteTransient(c, p, nil); err != nil {
			return nil, err
		}
	}
	if err := sqlitex.ExecuteScript(c, rawSchema, nil); err != nil {
		return nil, err
	}
	record, err := c.Prepare("INSERT INTO records (id, version, body) VALUES (?, ?, ?)")
	if err != nil {
		return nil, err
	}
	change, err := c.Prepare("INSERT INTO changes (id, seq, body) VALUES (?, ?, ?)")
	if err != nil {
		return nil, err
	}
	body := []byte(jobFields(1, "emma"))
	n := int64(0)
	var lat latencies
	start := time.Now()
	for time.Since(start) < b.Time && ctx.Err() == nil {
		begun := time.Now()
		err := transaction(c, func() error {
			for range batch {
				n++
				id := jobID(7, n)
				for _, st := range []*sqlite.Stmt{record, change} {
					st.BindText(1, id)
					st.BindInt64(2, n)
					st.BindBytes(3, body)
					if _, err := st.Step(); err != nil {
						return err
					}
					if err := st.Reset(); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		lat.add(time.Since(begun))
	}
	return &Row{Name: fmt.Sprintf("raw SQLite, %d a commit", batch), Count: n, Took: time.Since(start), Latency: lat}, ctx.Err()
}

func transaction(c *sqlite.Conn, f func() error) error {
	if err := sqlitex.ExecuteTransient(c, "BEGIN IMMEDIATE", nil); err != nil {
		return err
	}
	if err := f(); err != nil {
		return errors.Join(err, sqlitex.ExecuteTransient(c, "ROLLBACK", nil))
	}
	return sqlitex.ExecuteTransient(c, "COMMIT", nil)
}

// jobID is an id of version 7's form: who made it, and its number.
func jobID(who int, n int64) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], uint64(0x0198c3aa00007000)+uint64(n)<<16)
	binary.BigEndian.PutUint64(b[8:], 0x8000000000000000|uint64(who)<<32|uint64(n))
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// jobFields are the ten fields of a job, about 300 bytes.
func jobFields(n int64, owner string) string {
	return fmt.Sprintf(`{"title":"Replace the filter of unit %d","site":"Harbour warehouse %d","address":"%d Quay Street, 0150 Oslo","contact":"J. Larsen, +47 %08d","priority":"normal","hours":"%d.50","visits":%d,"due":"2026-03-%02d","notes":"Bring the long ladder and ask for the key at the gate; the dog is friendly.","owner":%q}`,
		n, n%1000, n%300, n%100000000, n%9, n%5, n%28+1, owner)
}
