// Package sqlite keeps a store in one SQLite database: WAL, synchronous=FULL,
// one writing connection, a pool of reading ones.
package sqlite

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// applicationID marks a database as Landfall's server's ("LFsv").
const applicationID = 0x4c467376

// The layout, and what changed in it since.
var (
	//go:embed schema.sql
	schema string
	//go:embed schema-3.sql
	schema3 string
	//go:embed schema-4.sql
	schema4 string
	//go:embed schema-5.sql
	schema5 string
	//go:embed schema-6.sql
	schema6 string
	//go:embed schema-7.sql
	schema7 string
)

// migrations bring a database from version i to i+1.
var migrations = []string{schema, schema3, schema4, schema5, schema6, schema7}

// Options of a store. The zero value is for production.
type Options struct {
	Readers int // connections that read at the same time; 0: 4
}

// Store is a SQLite database.
type Store struct {
	writer  chan *sqlite.Conn // holds the writing connection while nobody has it
	readers chan *sqlite.Conn
	size    int
	lock    *os.File
	unclean bool
	keep    atomic.Bool // the lock says in use after Close, too
	damage  atomic.Bool // the file is known to be damaged

	queries, rows, commits atomic.Int64

	// Checkpoint's alone.
	path   string
	tidier *sqlite.Conn
	tidied int64 // commits that it brought in
}

// Stats counts what the store did since it was opened.
type Stats struct {
	Queries  int64 // statements run
	RowsRead int64 // rows that they gave
	Commits  int64
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	return Stats{s.queries.Load(), s.rows.Load(), s.commits.Load()}
}

// Open opens or creates the database at path. It takes the lock of its folder:
// CodeConflict when another process has it. A file that is not Landfall's, or
// of a newer version, is CodeInvalid and is not touched.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if o.Readers < 1 {
		o.Readers = 4
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, unusable("the folder of the database can't be made", err)
	}
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		if _, err := os.Stat(path + restoring); err == nil {
			return nil, landfall.Errorf(landfall.CodeConflict, "a restore into %s did not end", filepath.Dir(path)).WithHint("run landfall restore again; what was here before it stands beside, as %s.before-…", filepath.Base(path))
		}
	}
	lock, unclean, err := lockFile(path + ".lock")
	if err != nil {
		return nil, err
	}
	s := &Store{writer: make(chan *sqlite.Conn, 1), readers: make(chan *sqlite.Conn, o.Readers), size: o.Readers, lock: lock, unclean: unclean, path: path}
	if err := s.open(ctx, path); err != nil {
		s.keep.Store(unclean) // nothing was mended: the next one has to look, too
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) error {
	if f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return unusable("the database can't be opened", err)
	} else if err := f.Close(); err != nil {
		return unavailable("the database can't be opened", err)
	}
	if err := inspect(ctx, path, s.unclean); err != nil {
		return err
	}
	w, err := connect(path)
	if err != nil {
		return err
	}
	s.writer <- w
	if err := migrate(ctx, w, path); err != nil {
		return err
	}
	for range s.size {
		c, err := connect(path)
		if err != nil {
			return err
		}
		s.readers <- c
		if err := sqlitex.ExecuteTransient(c, fmt.Sprintf("PRAGMA mmap_size = %d", mapped), nil); err != nil {
			return unavailable("the database can't be opened", err)
		}
		if err := sqlitex.ExecuteTransient(c, "PRAGMA query_only = ON", nil); err != nil {
			return err
		}
	}
	return nil
}

// mostBehind is how many pages the log may hold before the writer itself brings
// them into the database, while it keeps everybody waiting. It hardly comes to
// that where somebody calls Checkpoint.
const mostBehind = 16_000

// Checkpoint brings what the log holds into the database, beside the writer, if
// anything was committed since the last time.
func (s *Store) Checkpoint(ctx context.Context) error {
	done := s.commits.Load()
	if done == s.tidied {
		return nil
	}
	if s.tidier == nil {
		c, err := connect(s.path)
		if err != nil {
			return err
		}
		s.tidier = c
	}
	s.tidier.SetInterrupt(ctx.Done())
	defer s.tidier.SetInterrupt(nil)
	if err := sqlitex.ExecuteTransient(s.tidier, "PRAGMA wal_checkpoint(PASSIVE)", nil); err != nil {
		return unavailable("the log can't be brought into the database", err)
	}
	s.tidied = done
	return nil
}

// mapped is how many bytes of the database readers see as memory, instead of
// copying each page that they read. A system with small addresses maps less.
const mapped = min(4<<30, math.MaxInt)

func connect(path string) (*sqlite.Conn, error) {
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite)
	if err != nil {
		return nil, unavailable("the database can't be opened", err)
	}
	c.SetBusyTimeout(10 * time.Second)
	// In KiB; what a large batch changes fits in.
	if err := sqlitex.ExecuteTransient(c, "PRAGMA cache_size = -32768", nil); err != nil {
		return nil, errors.Join(unavailable("the database can't be opened", err), c.Close())
	}
	return c, nil
}

// migrate brings the file up to date.
func migrate(ctx context.Context, c *sqlite.Conn, path string) error {
	c.SetInterrupt(ctx.Done())
	defer c.SetInterrupt(nil)
	version, err := whose(c, path)
	if err != nil {
		return err
	}
	for _, p := range []string{"PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", mostBehind)} {
		if err := sqlitex.ExecuteTransient(c, p, nil); err != nil {
			return unavailable("the database can't be prepared", err)
		}
	}
	for v := max(version, draft); v < latest(); v++ {
		script := fmt.Sprintf("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;", migrations[v-draft], applicationID, v+1)
		if err := sqlitex.ExecuteScript(c, script, nil); err != nil {
			return unavailable("the database can't be brought up to date", err)
		}
	}
	return nil
}

// draft is the version of a layout that no release had; migrations go on from it.
const draft = 1

func latest() int64 { return draft + int64(len(migrations)) }

func pragma(c *sqlite.Conn, name string) (int64, error) { return number(c, "PRAGMA "+name) }

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

// unusable is trouble with the rights, or the place, of a file.
func unusable(what string, err error) error {
	return &landfall.Error{Code: landfall.CodeUnavailable, Message: fmt.Sprintf("%s: %v", what, err), Hint: "nothing was changed; make the folder writable for the user that serves, or choose another one with --data", Err: err}
}

// inUse stands in the lock while a process has the database. Close takes it
// out; a process that is killed can't.
const inUse = "in use\n"

// Unclean reports whether the process before this one died with the database
// open. It says nothing of the database, which survives that.
func (s *Store) Unclean() bool { return s.unclean }

// lockFile holds an advisory lock for as long as the process lives.
func lockFile(path string) (f *os.File, unclean bool, err error) {
	f, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, unusable("the lock of the database can't be opened", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, false, errors.Join(landfall.Errorf(landfall.CodeConflict, "the folder %s is in use by another server", filepath.Dir(path)).WithHint("stop that one first, or choose another folder"), f.Close())
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt([]byte(inUse), 0)
	}
	if err != nil {
		return nil, false, errors.Join(unavailable("the lock of the database can't be written", err), f.Close())
	}
	return f, info.Size() > 0, nil
}

// Close waits for the transactions under way and closes everything.
func (s *Store) Close() error {
	var errs []error
	if s.lock == nil {
		return nil
	}
	closeAll := func(conns chan *sqlite.Conn) {
		for {
			select {
			case c := <-conns:
				errs = append(errs, c.Close())
			default:
				return
			}
		}
	}
	closeAll(s.readers)
	if s.tidier != nil {
		errs = append(errs, s.tidier.Close())
	}
	closeAll(s.writer)
	if !s.keep.Load() {
		errs = append(errs, s.lock.Truncate(0))
	}
	errs = append(errs, s.lock.Close())
	s.lock = nil
	return errors.Join(errs...)
}

// View implements store.Store: a read transaction on one snapshot.
func (s *Store) View(ctx context.Context, f func(store.Reader) error) error {
	return s.with(ctx, s.readers, func(c *sqlite.Conn) (err error) {
		defer func() { err = s.trouble(err) }()
		t := &tx{c: c, s: s}
		if err := t.exec(begin); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, (&tx{c: c, s: s}).exec(rollback)) }()
		// A deferred transaction takes its snapshot at its first read.
		if err := t.exec(touch); err != nil {
			return err
		}
		return f(t)
	})
}

// Update implements store.Store: the one writing transaction.
func (s *Store) Update(ctx context.Context, f func(store.Writer) error) error {
	if s.damage.Load() {
		return landfall.Errorf(landfall.CodeUnavailable, "the database is damaged, and nothing more is written to it").WithHint("stop the server; see what is left with `landfall doctor`, or restore a backup")
	}
	return s.with(ctx, s.writer, func(c *sqlite.Conn) (err error) {
		defer func() { err = s.trouble(err) }()
		t := &tx{c: c, s: s}
		if err := t.exec(beginWrite); err != nil {
			return err
		}
		done := false
		defer func() {
			if !done && !c.AutocommitEnabled() {
				c.SetInterrupt(nil) // to roll back even when time is up
				err = errors.Join(err, t.exec(rollback))
			}
		}()
		if err := f(t); err != nil {
			return err
		}
		if err := t.exec(commit); err != nil {
			return err
		}
		done = true
		s.commits.Add(1)
		return nil
	})
}

// with lends a connection to f.
func (s *Store) with(ctx context.Context, conns chan *sqlite.Conn, f func(*sqlite.Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case c := <-conns:
		defer func() {
			c.SetInterrupt(nil)
			conns <- c
		}()
		c.SetInterrupt(ctx.Done())
		return f(c)
	}
}
