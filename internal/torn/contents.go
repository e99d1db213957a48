package torn

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// Contents tells what a database holds, all of it, short: how many rows there
// are in each table, and a digest. It fails when SQLite finds the file damaged.
func Contents(c *sqlite.Conn) (string, error) {
	sound, err := column(c, "PRAGMA integrity_check")
	if err != nil {
		return "", err
	}
	if len(sound) != 1 || sound[0] != "ok" {
		return "", errors.New("damaged: " + strings.Join(sound, "; "))
	}
	tables, err := column(c, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
	if err != nil {
		return "", err
	}
	var out strings.Builder
	digest := sha256.New()
	for _, table := range tables {
		rows := 0
		err := sqlitex.ExecuteTransient(c, "SELECT * FROM "+table, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
			rows++
			for i := range s.ColumnCount() {
				fmt.Fprintf(digest, "%d %d ", s.ColumnType(i), s.ColumnLen(i))
				digest.Write([]byte(s.ColumnText(i)))
			}
			return nil
		}})
		if err != nil {
			return "", err
		}
		fmt.Fprintf(digest, "%s %d\n", table, rows)
		if rows > 0 {
			fmt.Fprintf(&out, "%s %d, ", table, rows)
		}
	}
	fmt.Fprintf(&out, "%x", digest.Sum(nil)[:6])
	return out.String(), nil
}

func column(c *sqlite.Conn, query string) (all []string, err error) {
	err = sqlitex.ExecuteTransient(c, query, &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		all = append(all, s.ColumnText(0))
		return nil
	}})
	return all, err
}
