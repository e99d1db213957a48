package sqlite

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Inspection reads a database that no server has, and never writes to it: no
// migration, no recovery, not even the mark of an end that was not in order.
type Inspection struct {
	s     *Store
	path  string
	index bool // SQLite makes the index of the log beside it, which was not there
}

// OpenForInspection opens the database at path to read it. It holds the lock of
// the folder meanwhile: CodeConflict when a server has it. A file that is not
// Landfall's, or of another version, is CodeInvalid. A damaged one is opened as
// long as its beginning can be read.
func OpenForInspection(ctx context.Context, path string) (*Inspection, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist) || err == nil && (info.Size() == 0 || unborn(path)):
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no database in %s", filepath.Dir(path)).WithHint("name the folder that is served with --data")
	case err != nil:
		return nil, unusable("the database can't be read", err)
	}
	lock, err := quietLock(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{writer: make(chan *sqlite.Conn, 1), readers: make(chan *sqlite.Conn, 1), lock: lock}
	s.keep.Store(true) // the lock stays as it was found
	i := &Inspection{s: s, path: path}
	if _, err := os.Stat(path + "-shm"); errors.Is(err, os.ErrNotExist) {
		i.index = true
	}
	if err := i.open(ctx); err != nil {
		return nil, errors.Join(err, i.Close())
	}
	return i, nil
}

func (i *Inspection) open(ctx context.Context) error {
	c, err := sqlite.OpenConn(untouched(i.path), sqlite.OpenReadOnly, sqlite.OpenURI)
	if err != nil {
		return unusable("the database can't be read", err)
	}
	i.s.readers <- c
	c.SetInterrupt(ctx.Done())
	defer c.SetInterrupt(nil)
	version, err := whose(c, i.path)
	if err != nil {
		return err
	}
	if version != latest() {
		return landfall.Errorf(landfall.CodeInvalid, "%s was made by an older version of Landfall", filepath.Base(i.path)).WithHint("use that version, or serve the folder once with this one")
	}
	return nil
}

// quietLock takes the lock of a folder and leaves what stands in it: whether
// the last end was in order is for the next server to know.
func quietLock(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		f, err = os.OpenFile(path, os.O_CREATE|os.O_RDONLY, 0o600)
	}
	if err != nil {
		return nil, unusable("the lock of the database can't be opened", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(landfall.Errorf(landfall.CodeConflict, "the folder %s is in use by a server", filepath.Dir(path)).WithHint("stop it first; or make a backup while it runs, and restore that into another folder"), f.Close())
	}
	return f, nil
}

// View reads one consistent state, like a store's.
func (i *Inspection) View(ctx context.Context, f func(store.Reader) error) error {
	return i.s.View(ctx, f)
}

// Damage lists at most so many things that SQLite finds wrong in the file; none
// when it is sound. An error is trouble with reading at all.
func (i *Inspection) Damage(ctx context.Context, most int) (found []string, err error) {
	err = i.s.with(ctx, i.s.readers, func(c *sqlite.Conn) error {
		return sqlitex.ExecuteTransient(c, "PRAGMA integrity_check", &sqlitex.ExecOptions{ResultFunc: func(st *sqlite.Stmt) error {
			for line := range strings.Lines(st.ColumnText(0)) {
				line = strings.TrimSpace(line)
				if line == "" || line == "ok" || strings.HasPrefix(line, "***") || len(found) >= most {
					continue // the stars say which database: there is one
				}
				found = append(found, line)
			}
			return nil
		}})
	})
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil && broken(err):
		return append(found[:min(len(found), max(most-1, 0))], err.Error()), nil
	}
	return found, i.s.trouble(err)
}

// Close gives the folder back, as it was.
func (i *Inspection) Close() error {
	var errs []error
	for len(i.s.readers) > 0 {
		errs = append(errs, (<-i.s.readers).Close())
	}
	if i.index { // while the lock is still ours
		errs = append(errs, ignoreAbsent(os.Remove(i.path+"-shm")))
	}
	return errors.Join(append(errs, i.s.Close())...)
}
