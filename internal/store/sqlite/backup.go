package sqlite

import (
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// Copied is a whole database in one file.
type Copied struct {
	File       string            `json:"file"`
	Bytes      int64             `json:"bytes"`
	Workspaces map[string]Extent `json:"workspaces"`
}

// Extent is how far the history of a workspace goes.
type Extent struct {
	Epoch string    `json:"epoch"`
	Seq   int64     `json:"seq"`
	Time  time.Time `json:"time"`
}

// Progress hears how many bytes of about how many are written.
type Progress func(done, total int64)

// Backup writes the database at path to a file that is not there yet, while a
// server works on it or not. The copy is one consistent state; it is read back,
// and on the disk, before it gets its name. From then on devices need not keep
// what it holds.
func Backup(ctx context.Context, path, to string, progress Progress) (*Copied, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no database in %s", filepath.Dir(path)).WithHint("name the folder that is served with --data")
	}
	if err := vacant(to); err != nil {
		return nil, err
	}
	c, err := connect(path)
	if err != nil {
		return nil, err
	}
	s := &Store{writer: make(chan *sqlite.Conn, 1)}
	s.writer <- c
	defer func() { _ = c.Close() }() // nothing of it is under way
	if err := current(c, path); err != nil {
		return nil, err
	}
	// Devices keep what they send from before the copy is taken.
	if err := s.covered(ctx, nil); err != nil {
		return nil, err
	}
	made, err := copied(ctx, c, to, progress)
	if err != nil {
		return nil, err
	}
	return made, s.covered(ctx, made.Workspaces)
}

// covered notes what a backup holds; nil: that backups are made at all.
func (s *Store) covered(ctx context.Context, copies map[string]Extent) error {
	return s.Update(ctx, func(w store.Writer) error {
		all, err := w.Workspaces()
		for _, ws := range all {
			h, err := w.Head(ws)
			if err != nil {
				return err
			}
			copied, known := copies[ws]
			switch {
			case known && copied.Epoch == h.Epoch && copied.Seq > h.Covered:
				h.Covered = copied.Seq
			case copies == nil && !h.Backups:
				h.Backups, h.Covered = true, h.Seq
			default:
				continue
			}
			if err := w.SetHead(ws, *h); err != nil {
				return err
			}
		}
		return err
	})
}

// unfinished ends the name of a backup that is being written.
const unfinished = ".part"

// copied writes one state of the connection's database to a file: under another
// name until it is whole, read back, and on the disk.
func copied(ctx context.Context, c *sqlite.Conn, to string, progress Progress) (made *Copied, err error) {
	part := to + unfinished
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, unavailable("an unfinished backup can't be removed", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreAbsent(os.Remove(part)))
		}
	}()
	done := watch(c, part, progress)
	c.SetInterrupt(ctx.Done())
	err = sqlitex.Execute(c, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{part}})
	c.SetInterrupt(nil)
	done()
	if err != nil {
		return nil, errors.Join(ctx.Err(), unavailable("the backup can't be written", err))
	}
	if made, err = inspected(ctx, part); err != nil {
		return nil, err
	}
	made.File = to
	return made, settle(part, to)
}

// watch tells the progress of a copy by the size of its file, until it is done.
func watch(c *sqlite.Conn, file string, progress Progress) (done func()) {
	if progress == nil {
		return func() {}
	}
	pages, err := pragma(c, "page_count")
	size, err2 := pragma(c, "page_size")
	if err != nil || err2 != nil {
		return func() {} // a copy without progress is still a copy
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		t := time.NewTicker(200 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-stop:
				return
			case <-t.C:
			}
			if info, err := os.Stat(file); err == nil {
				progress(min(info.Size(), pages*size), pages*size)
			}
		}
	}()
	return func() { close(stop); <-ended }
}

// inspected reads a copy: that it is sound, and what it holds.
func inspected(ctx context.Context, file string) (made *Copied, err error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, landfall.Errorf(landfall.CodeNotFound, "there is no backup %s", file)
	}
	c, err := unchanging(file)
	if err != nil {
		return nil, unavailable("the copy can't be opened", err)
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := current(c, file); err != nil {
		return nil, err
	}
	c.SetInterrupt(ctx.Done())
	defer c.SetInterrupt(nil)
	if err := sound(c, file); err != nil {
		return nil, errors.Join(ctx.Err(), err)
	}
	made = &Copied{File: file, Bytes: info.Size(), Workspaces: map[string]Extent{}}
	t := &tx{c: c, s: &Store{}}
	all, err := t.Workspaces()
	for _, ws := range all {
		h, err := t.Head(ws)
		if err != nil {
			return nil, err
		}
		made.Workspaces[ws] = Extent{h.Epoch, h.Seq, h.Time}
	}
	if err == nil && len(all) == 0 {
		err = landfall.Errorf(landfall.CodeInvalid, "%s has no workspace", filepath.Base(file)).WithHint("choose another backup")
	}
	return made, err
}

// unchanging opens a file that nobody writes, on a disk that may be read-only.
func unchanging(file string) (*sqlite.Conn, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: "immutable=1"}
	return sqlite.OpenConn(u.String(), sqlite.OpenReadOnly, sqlite.OpenURI)
}

// sound: SQLite finds nothing wrong in the file.
func sound(c *sqlite.Conn, file string) error {
	said := ""
	err := sqlitex.ExecuteTransient(c, "PRAGMA quick_check(1)", &sqlitex.ExecOptions{ResultFunc: func(s *sqlite.Stmt) error {
		said = s.ColumnText(0)
		return nil
	}})
	if err == nil && said != "ok" {
		err = errors.New(said)
	}
	if err != nil {
		return &landfall.Error{Code: landfall.CodeInvalid, Message: filepath.Base(file) + " is damaged: " + err.Error(), Hint: "nothing was changed; use another backup", Err: err}
	}
	return nil
}

// restoring ends the name of a database that is to be put in place.
const restoring = ".restoring"

// Restore puts a backup in the place of the database at path, in a new epoch:
// devices find out, and offer again what came after it. What was there before
// is set aside, under the name that is returned; "" when there was nothing. No
// server may have the folder.
func Restore(ctx context.Context, from, path, epoch string, now time.Time) (made *Copied, aside string, err error) {
	if strings.HasSuffix(from, unfinished) { // it may look sound, with pages missing
		return nil, "", landfall.Errorf(landfall.CodeInvalid, "%s is a backup that did not end", filepath.Base(from)).WithHint("nothing was changed; use another backup")
	}
	if _, err := inspected(ctx, from); err != nil {
		return nil, "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, "", unavailable("the folder of the database can't be made", err)
	}
	lock, _, err := lockFile(path + ".lock")
	if err != nil {
		return nil, "", err
	}
	defer func() { err = errors.Join(err, lock.Truncate(0), lock.Close()) }()
	part := path + restoring
	if err := ignoreAbsent(os.Remove(part)); err != nil {
		return nil, "", unavailable("an unfinished restore can't be removed", err)
	}
	if err := begun(ctx, from, part, epoch, now); err != nil {
		return nil, "", errors.Join(err, ignoreAbsent(os.Remove(part)))
	}
	if made, err = inspected(ctx, part); err != nil {
		return nil, "", err
	}
	if err := synced(part); err != nil {
		return nil, "", unavailable("the database can't be put on the disk", err)
	}
	if aside, err = setAside(path, now); err != nil {
		return nil, "", err
	}
	return made, aside, settle(part, path)
}

// begun is a copy of a backup in which a new epoch has begun.
func begun(ctx context.Context, from, part, epoch string, now time.Time) (err error) {
	c, err := unchanging(from)
	if err != nil {
		return unavailable("the backup can't be opened", err)
	}
	c.SetInterrupt(ctx.Done())
	err = errors.Join(sqlitex.Execute(c, "VACUUM INTO ?", &sqlitex.ExecOptions{Args: []any{part}}), c.Close())
	if err != nil {
		return errors.Join(ctx.Err(), unavailable("the database can't be written", err))
	}
	w, err := connect(part)
	if err != nil {
		return err
	}
	s := &Store{writer: make(chan *sqlite.Conn, 1)}
	s.writer <- w
	defer func() { err = errors.Join(err, w.Close()) }()
	return s.Update(ctx, func(w store.Writer) error {
		all, err := w.Workspaces()
		for _, ws := range all {
			h, err := w.Head(ws)
			if err != nil {
				return err
			}
			h.Epoch, h.Backups, h.Covered = epoch, true, h.Seq
			began := store.Done(store.ByRestore, store.EpochBegin, epoch, now.UTC()).With("reason", "a backup was restored")
			if err := w.AddAudit(ws, began); err != nil {
				return err
			}
			if err := w.SetHead(ws, *h); err != nil {
				return err
			}
		}
		return err
	})
}

// setAside keeps what is there under another name, with its log.
func setAside(path string, now time.Time) (aside string, err error) {
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	// What is in the log goes into the database, unless that is damaged.
	if c, err := connect(path); err == nil {
		_ = sqlitex.ExecuteTransient(c, "PRAGMA wal_checkpoint(TRUNCATE)", nil) // the log is kept otherwise
		_ = c.Close()
	}
	aside = path + ".before-" + now.UTC().Format("20060102T150405Z")
	for _, suffix := range []string{"-wal", "-shm", ""} {
		if err := ignoreAbsent(os.Rename(path+suffix, aside+suffix)); err != nil {
			return "", unavailable("the old database can't be set aside", err)
		}
	}
	if err := synced(filepath.Dir(path)); err != nil { // or its log might come back to the new one
		return "", unavailable("the old database can't be set aside", err)
	}
	return aside, nil
}

// current: the file is a database of this version.
func current(c *sqlite.Conn, file string) error {
	id, err := pragma(c, "application_id")
	if err != nil {
		return &landfall.Error{Code: landfall.CodeInvalid, Message: filepath.Base(file) + " is not a database, or is damaged: " + err.Error(), Hint: "nothing was changed", Err: err}
	}
	version, err := pragma(c, "user_version")
	switch {
	case err != nil:
		return err
	case id != applicationID:
		return landfall.Errorf(landfall.CodeInvalid, "%s is not a database of a Landfall server", filepath.Base(file)).WithHint("nothing was changed")
	case version != latest():
		return landfall.Errorf(landfall.CodeInvalid, "%s was made by another version of Landfall", filepath.Base(file)).WithHint("use that version; a server of this one brings its database up to date when it starts")
	}
	return nil
}

// vacant: nothing is overwritten, and a finished backup does not look unfinished.
func vacant(file string) error {
	if strings.HasSuffix(file, unfinished) {
		return landfall.Errorf(landfall.CodeInvalid, "the name of %s is that of a backup that did not end", filepath.Base(file)).WithHint("choose a name without %s", unfinished)
	}
	if _, err := os.Lstat(file); err == nil {
		return landfall.Errorf(landfall.CodeConflict, "%s is there already", file).WithHint("choose another name; a backup never replaces a file")
	}
	return nil
}

// settle gives a finished file its name, once it is on the disk, and not before.
func settle(part, to string) error {
	for _, step := range []func() error{
		func() error { return os.Chmod(part, 0o600) },
		func() error { return synced(part) },
		func() error { return os.Rename(part, to) },
		func() error { return synced(filepath.Dir(to)) },
	} {
		if err := step(); err != nil {
			return unavailable("the file can't be put on the disk", err)
		}
	}
	return nil
}

func synced(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // a folder on a file system that has no use for it
	}
	return errors.Join(err, f.Close())
}

func ignoreAbsent(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}
