package sqlite

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
)

// inspect looks at the file before anything writes to it, so that one that is
// refused stays as it is, its log included: a connection that can write would
// bring the log into the file when it closes. After an end that was not in
// order every page is read, which takes as long as reading the file does.
func inspect(ctx context.Context, path string, unclean bool) error {
	info, err := os.Stat(path)
	if err != nil {
		return unusable("the database can't be read", err)
	}
	if info.Size() == 0 || unborn(path) {
		return nil // it is new
	}
	c, err := sqlite.OpenConn(untouched(path), sqlite.OpenReadOnly, sqlite.OpenURI)
	if err != nil {
		return unusable("the database can't be read", err)
	}
	defer func() { _ = c.Close() }() // it was only read
	c.SetInterrupt(ctx.Done())
	if _, err := whose(c, path); err != nil || !unclean {
		return err
	}
	found := ""
	err = sqlitex.ExecuteTransient(c, "PRAGMA quick_check(1)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		found = s.ColumnText(0)
		return nil
	}})
	switch {
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return unreadable(filepath.Base(path), err)
	case found != "ok":
		lines := strings.Split(found, "\n") // the first says which database
		return damaged(filepath.Base(path) + ": " + lines[len(lines)-1])
	}
	return nil
}

// untouched is the address of the file for a connection that leaves it, and
// what stands beside it, as it is. Without a log it needs no locks, since the
// folder's lock is ours; with one, its index is rebuilt in memory.
func untouched(path string) string {
	q := url.Values{"mode": {"ro"}}
	if !logged(path) {
		q.Set("immutable", "1")
	} else if _, err := os.Stat(path + "-shm"); err == nil {
		q.Set("readonly_shm", "1")
	}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: q.Encode()}).String()
}

// logged reports whether there is a log with something in it. One that ends
// with its header, or has none, is empty to SQLite; but a connection that can
// not write waits for somebody to make a better one.
func logged(path string) bool {
	const header = 32
	f, err := os.Open(path + "-wal")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	begin := make([]byte, header+1)
	if _, err := io.ReadFull(f, begin); err != nil {
		return false
	}
	return binary.BigEndian.Uint32(begin)&^1 == 0x377f0682
}

// unborn reports whether the power went while the file got its first page: its
// journal says that there was none before, and SQLite goes back to that.
func unborn(path string) bool {
	f, err := os.Open(path + "-journal")
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }() // it was only read
	begin := make([]byte, 20)        // what a journal is known by, two numbers, and the pages before
	if _, err := io.ReadFull(f, begin); err != nil {
		return false
	}
	return binary.BigEndian.Uint64(begin) == 0xd9d505f920a163d7 && binary.BigEndian.Uint32(begin[16:]) == 0
}

// whose checks that a database is a Landfall server's, of a version that this
// program knows, which it returns.
func whose(c *sqlite.Conn, path string) (version int64, err error) {
	name := filepath.Base(path)
	id, err := pragma(c, "application_id")
	if err != nil {
		return 0, unreadable(name+" is not a database, or its beginning is gone", err)
	}
	tables, err := number(c, "SELECT count(*) FROM sqlite_schema")
	if err == nil {
		version, err = pragma(c, "user_version")
	}
	if err != nil {
		return 0, unreadable(name, err)
	}
	switch {
	case id != applicationID && (id != 0 || tables > 0):
		return 0, landfall.Errorf(landfall.CodeInvalid, "%s is a database, but not one of a Landfall server", name).WithHint("choose another folder with --data")
	case version > 0 && version <= draft:
		return 0, landfall.Errorf(landfall.CodeInvalid, "%s was made by a draft of Landfall that was never released", name).WithHint("begin with another folder, or serve this one with the program that made it")
	case version > latest():
		return 0, landfall.Errorf(landfall.CodeInvalid, "%s was made by a newer version of Landfall", name).WithHint("use that version, or a backup made by this one")
	}
	return version, nil
}

// unreadable is damage, or trouble with the disk.
func unreadable(what string, err error) error {
	if broken(err) {
		return damaged(fmt.Sprintf("%s: %v", what, err))
	}
	return unavailable("the database can't be read", err)
}

func broken(err error) bool {
	code := sqlite.ErrCode(err).ToPrimary()
	return code == sqlite.ResultCorrupt || code == sqlite.ResultNotADB
}

// damaged says that the file can't be relied on any more.
func damaged(what string) error {
	return landfall.Errorf(landfall.CodeInvalid, "the database is damaged: %s", what).WithHint("nothing was changed; see what is left with `landfall doctor`, or restore a backup")
}

// trouble tells what went wrong with the file, or the disk below it, from what
// is wrong with what was asked. Once the file turned out to be damaged nothing
// is written to it any more, and the next start checks all of it.
func (s *Store) trouble(err error) error {
	if err == nil {
		return nil
	}
	if broken(err) {
		s.damage.Store(true)
		s.keep.Store(true)
		return unavailable("the database can't do its work", err)
	}
	switch sqlite.ErrCode(err).ToPrimary() {
	case sqlite.ResultFull, sqlite.ResultIOErr, sqlite.ResultCantOpen, sqlite.ResultReadOnly:
		return unavailable("the database can't do its work", err)
	default:
		return err
	}
}
