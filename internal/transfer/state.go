package transfer

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/tabular"
)

// state is how far an import has come. It stands beside the file, so that the
// same command goes on where the last one ended.
type state struct {
	Digest string         `json:"digest"` // of the file, hex SHA-256
	Asked  asked          `json:"asked"`
	Line   int            `json:"next_line"` // the first that is not accounted for
	Counts Counts         `json:"counts"`
	Format tabular.Format `json:"format"`
	// Bytes and Hash are of the file of refused lines.
	Bytes int64  `json:"refused_bytes,omitempty"`
	Hash  string `json:"refused_digest,omitempty"`
}

// asked is what must be the same for an import to go on.
type asked struct {
	Server string   `json:"server"`
	Type   string   `json:"type"`
	Key    string   `json:"key,omitempty"`
	Ignore []string `json:"ignore,omitempty"`
}

func (a asked) same(b asked) bool {
	return a.Server == b.Server && a.Type == b.Type && a.Key == b.Key && slices.Equal(a.Ignore, b.Ignore)
}

// Counts are the lines that are accounted for.
type Counts struct {
	Imported  int `json:"imported"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
}

func statePath(file string) string { return file + ".landfall-import" }

// resumed is the state of an import that was interrupted, or a new one. It
// refuses to go on with a file, or by words, that are others than before.
func resumed(path string, begin state) (*state, error) {
	name := statePath(path)
	b, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return &begin, nil
	}
	if err != nil {
		return nil, err
	}
	var old state
	if json.Unmarshal(b, &old) != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%s can't be read", name).WithHint("remove it to begin anew: what was imported is found unchanged")
	}
	if old.Digest != begin.Digest {
		return nil, landfall.Errorf(landfall.CodeConflict, "%s has changed since its import was interrupted before line %d", path, old.Line).
			WithHint("put the old file back and run the import again; or remove %s to import the new one from its first line: lines without an id or --key make new records then, also where the old ones were imported", name)
	}
	if !old.Asked.same(begin.Asked) || old.Format != begin.Format {
		key := ""
		if old.Asked.Key != "" {
			key = " --key " + old.Asked.Key
		}
		return nil, landfall.Errorf(landfall.CodeConflict, "an import of %s into %s at %s%s was interrupted before line %d", path, old.Asked.Type, old.Asked.Server, key, old.Line).
			WithHint("finish it with the same words; or remove %s to begin this one", name)
	}
	return &old, nil
}

// save writes the state whole and durably.
func (s *state) save(path string) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	name := statePath(path)
	f, err := os.OpenFile(name+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return place(f, name, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// WriteFile writes a file that is there whole, or not at all.
func WriteFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part") // mode 0600
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "%s can't be written", path).WithHint("%v", err)
	}
	return place(f, path, write)
}

// place writes f and gives it its name when it is whole and durable.
func place(f *os.File, path string, write func(io.Writer) error) (err error) {
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // what is in it is of no use; the error matters more
		}
	}()
	if err = errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	_ = d.Sync() // some systems can't; the file itself is safe
	return d.Close()
}

// digestOf reads a file to its end.
func digestOf(f io.Reader) (digest string, size int64, err error) {
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// refusedFile keeps the lines that were refused, beside the file that they are
// from. It is made with the first of them.
type refusedFile struct {
	path  string
	r     *tabular.Reader
	taken func(string) bool
	bytes int64     // that are there for good
	hash  hash.Hash // of them

	f     *os.File
	w     *tabular.Refusals
	aside string // where an older one was moved to
}

func refusedPath(file string, f tabular.Format) string { return file + ".refused." + string(f) }

// open begins the file, or goes on where the last run ended.
func (x *refusedFile) open() (err error) {
	if x.bytes == 0 {
		if err := x.moveAside(); err != nil {
			return err
		}
	}
	if x.f, err = os.OpenFile(x.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	if err := x.f.Truncate(x.bytes); err != nil {
		return err
	}
	if _, err := x.f.Seek(0, io.SeekEnd); err != nil {
		return err
	}
	x.w, err = tabular.NewRefusals(io.MultiWriter(x.f, x.hash), x.r, x.taken, x.bytes > 0)
	return err
}

// resume goes on after what an earlier run left; false when that is not there
// any more as it was: somebody is mending it, or took it away.
func (x *refusedFile) resume(bytes int64, digest string) (bool, error) {
	if bytes == 0 {
		return true, nil
	}
	f, err := os.Open(x.path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // it was only read
	_, err = io.CopyN(x.hash, f, bytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if x.digest() != digest {
		x.hash.Reset()
		return false, nil
	}
	x.bytes = bytes
	return true, nil
}

func (x *refusedFile) digest() string { return hex.EncodeToString(x.hash.Sum(nil)) }

// moveAside keeps an older file of that name: somebody may be mending it.
func (x *refusedFile) moveAside() error {
	if _, err := os.Stat(x.path); errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	for n := 1; ; n++ {
		x.aside = fmt.Sprintf("%s.%d", x.path, n)
		if _, err := os.Stat(x.aside); errors.Is(err, os.ErrNotExist) {
			return os.Rename(x.path, x.aside)
		} else if err != nil {
			return err
		}
	}
}

func (x *refusedFile) write(row *tabular.Row, reason string) error {
	if x.w == nil {
		if err := x.open(); err != nil {
			return err
		}
	}
	return x.w.Refuse(row, reason)
}

// keep makes what was written durable.
func (x *refusedFile) keep() (err error) {
	if x.w == nil {
		return nil
	}
	if err := errors.Join(x.w.Flush(), x.f.Sync()); err != nil {
		return err
	}
	x.bytes, err = x.f.Seek(0, io.SeekCurrent)
	return err
}

func (x *refusedFile) close() error {
	if x.f == nil {
		return nil
	}
	return x.f.Close()
}

// settle removes the older file when the new one says the same, and tells where
// it is otherwise.
func (x *refusedFile) settle() (aside string, err error) {
	if x.aside == "" {
		return "", nil
	}
	before, err := os.ReadFile(x.aside)
	if err != nil {
		return "", err
	}
	now, err := os.ReadFile(x.path)
	if err != nil || !bytes.Equal(before, now) {
		return x.aside, err
	}
	return "", os.Remove(x.aside)
}
