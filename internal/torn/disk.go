// Package torn plays losses of power to SQLite databases, for tests. It hears
// what SQLite really does to the files of a folder, each write and each sync,
// and makes of any moment what a disk may hold when the power goes just then:
// what was synced is there; what was written since may be there, whole, torn or
// in part, or not, sector by sector.
package torn

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// sector is what a disk writes at once, unless the power goes meanwhile.
const sector = 512

// deed is what SQLite did to a file.
type deed int

const (
	create deed = iota
	write
	truncate
	flush  // to the disk
	remove // from the folder
)

type event struct {
	deed deed
	file *file
	at   int64  // of a write; the size, of a truncation
	data []byte // of a write
	upto int    // of a flush: what happened before it is on the disk
	// folder: what is in the folder, under which name, is on the disk, too.
	folder bool
}

// file is one file from its making to its end. Another one may have the same
// name later.
type file struct {
	name  string
	given []byte // what it held before anybody listened
	made  bool   // just now: its name may not be on the disk
	log   bool
	gone  bool
}

// Disk is a folder whose files are listened to.
type Disk struct {
	dir      string
	files    []*file
	events   []event
	before   func(name string)
	careless bool // nobody wants to know
}

// Watch listens to what SQLite does in a folder, until the test ends. Databases
// in it are opened afterwards, in one process. Tests that watch don't run at
// the same time as others.
func Watch(t testing.TB, dir string) *Disk {
	t.Helper()
	begin()
	d := &Disk{}
	stop, err := d.watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return d
}

func (d *Disk) watch(dir string) (stop func(), err error) {
	if d.dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	watched[d.dir] = d
	return func() {
		mu.Lock()
		defer mu.Unlock()
		delete(watched, d.dir)
	}, nil
}

// Now is how much has happened so far.
func (d *Disk) Now() int {
	mu.Lock()
	defer mu.Unlock()
	return len(d.events)
}

// Before calls f before each write to a file; nil ends that. What f does itself
// is not told.
func (d *Disk) Before(f func(name string)) {
	mu.Lock()
	defer mu.Unlock()
	d.before = f
}

func (d *Disk) hear(name string) {
	mu.Lock()
	f := d.before
	d.before = nil
	mu.Unlock()
	if f == nil {
		return
	}
	f(name)
	d.Before(f)
}

// known is the file that has the name now.
func (d *Disk) known(name string, log bool) *file {
	if d.careless {
		return &file{name: name}
	}
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	mu.Lock()
	defer mu.Unlock()
	for _, f := range d.files {
		if f.name == name && !f.gone {
			if err == nil {
				return f
			}
			f.gone = true // and not by SQLite
		}
	}
	f := &file{name: name, given: b, made: len(b) == 0, log: log}
	d.files = append(d.files, f)
	d.events = append(d.events, event{deed: create, file: f})
	return f
}

func (d *Disk) note(e event) {
	mu.Lock()
	defer mu.Unlock()
	if d.careless {
		return
	}
	e.folder = e.deed == flush && e.file.log && !d.flushed(e.file, len(d.events))
	d.events = append(d.events, e)
}

func (d *Disk) flushed(f *file, moment int) bool {
	for _, e := range d.events[:moment] {
		if e.deed == flush && e.file == f {
			return true
		}
	}
	return false
}

func (d *Disk) gone(name string, folder bool) {
	mu.Lock()
	defer mu.Unlock()
	for _, f := range d.files {
		if f.name == name && !f.gone {
			f.gone = true
			d.events = append(d.events, event{deed: remove, file: f, folder: folder})
		}
	}
}

func (d *Disk) wrote(name string, from, to int) bool {
	return slices.ContainsFunc(d.events[from:to], func(e event) bool { return e.deed == write && e.file.name == name })
}

// began reports whether a file was written at its beginning between two moments.
func (d *Disk) began(name string, from, to int) bool {
	return slices.ContainsFunc(d.events[from:to], func(e event) bool { return e.deed == write && e.at == 0 && e.file.name == name })
}

// Unsynced lists the files with something that the disk was not asked to keep.
func (d *Disk) Unsynced() (names []string) {
	mu.Lock()
	defer mu.Unlock()
	for _, f := range d.files {
		if f.gone {
			continue
		}
		pending := false
		for i, e := range d.events {
			switch {
			case e.file == f && e.deed == flush:
				pending = slices.ContainsFunc(d.events[e.upto:i], f.changed)
			case f.changed(e):
				pending = true
			}
		}
		if pending {
			names = append(names, f.name)
		}
	}
	return names
}

// changed reports whether an event wrote to the file.
func (f *file) changed(e event) bool {
	return e.file == f && (e.deed == write || e.deed == truncate)
}
