package torn

import (
	"path/filepath"
	"strings"
	"sync"
	"unsafe"

	"modernc.org/libc"
	sqlite "modernc.org/sqlite/lib"
)

// What SQLite asks of the files goes through here, by the default file system
// of SQLite in which a few calls are replaced: each does what it did, and notes
// it when the file lies in a folder that is watched.
var (
	system  *sqlite.Tsqlite3_vfs // as it was
	watcher sqlite.Tsqlite3_vfs

	install sync.Once
	mu      sync.Mutex
	watched = map[string]*Disk{}
	files   = map[uintptr]*open{} // by SQLite's handle
	tables  = map[uintptr]*sqlite.Tsqlite3_io_methods{}
)

// open is a file that SQLite has open.
type open struct {
	disk *Disk
	file *file
	real *sqlite.Tsqlite3_io_methods
}

// at is what an address of SQLite's points to.
func at[T any](address uintptr) *T { return *(**T)(unsafe.Pointer(&address)) }

// address is where a function or a value stands, for SQLite.
func address[T any](v T) uintptr { return *(*uintptr)(unsafe.Pointer(&v)) }

// function makes a function of SQLite's callable.
func function[T any](address uintptr) T {
	p := &struct{ uintptr }{address}
	return *(*T)(unsafe.Pointer(&p.uintptr))
}

// room is memory of SQLite's kind, empty, for good.
func room(tls *libc.TLS, size int) uintptr {
	p := libc.Xcalloc(tls, 1, libc.Tsize_t(size))
	if p == 0 {
		panic("no memory")
	}
	return p
}

type (
	openFunc     = func(tls *libc.TLS, vfs, name, handle uintptr, flags int32, out uintptr) int32
	deleteFunc   = func(tls *libc.TLS, vfs, name uintptr, folder int32) int32
	randomFunc   = func(tls *libc.TLS, vfs uintptr, n int32, to uintptr) int32
	writeFunc    = func(tls *libc.TLS, handle, from uintptr, n int32, offset int64) int32
	truncateFunc = func(tls *libc.TLS, handle uintptr, size int64) int32
	syncFunc     = func(tls *libc.TLS, handle uintptr, flags int32) int32
	closeFunc    = func(tls *libc.TLS, handle uintptr) int32
)

// begin puts the watcher in the place of the default file system, and makes
// SQLite's randomness begin anew: what is random in a log is the same each run.
func begin() {
	tls := libc.NewTLS()
	defer tls.Close()
	install.Do(func() {
		sqlite.Xsqlite3_initialize(tls)
		system = at[sqlite.Tsqlite3_vfs](sqlite.Xsqlite3_vfs_find(tls, 0))
		watcher = *system
		watcher.FpNext = 0
		watcher.FzName = room(tls, len("watched")+1)
		copy(unsafe.Slice(at[byte](watcher.FzName), len("watched")), "watched")
		watcher.FxOpen = address[openFunc](opened)
		watcher.FxDelete = address[deleteFunc](removed)
		watcher.FxRandomness = address[randomFunc](same)
		sqlite.Xsqlite3_vfs_register(tls, address(&watcher), 1)
	})
	sqlite.Xsqlite3_randomness(tls, 0, 0)
}

// logs are the kinds of files with whose first sync SQLite syncs the folder.
const logs = sqlite.SQLITE_OPEN_WAL | sqlite.SQLITE_OPEN_MAIN_JOURNAL | sqlite.SQLITE_OPEN_SUPER_JOURNAL

func opened(tls *libc.TLS, vfs, name, handle uintptr, flags int32, out uintptr) int32 {
	var d *Disk
	var f *file
	if name != 0 {
		if d = watching(libc.GoString(name)); d != nil {
			f = d.known(filepath.Base(libc.GoString(name)), flags&logs != 0)
		}
	}
	rc := function[openFunc](system.FxOpen)(tls, vfs, name, handle, flags, out)
	if rc != sqlite.SQLITE_OK || d == nil {
		return rc
	}
	mu.Lock()
	defer mu.Unlock()
	h := at[sqlite.Tsqlite3_file](handle)
	table := tables[h.FpMethods]
	if table == nil {
		table = at[sqlite.Tsqlite3_io_methods](room(tls, int(unsafe.Sizeof(*table))))
		*table = *at[sqlite.Tsqlite3_io_methods](h.FpMethods)
		table.FxWrite = address[writeFunc](wrote)
		table.FxTruncate = address[truncateFunc](truncated)
		table.FxSync = address[syncFunc](synced)
		table.FxClose = address[closeFunc](closed)
		tables[h.FpMethods] = table
	}
	files[handle] = &open{d, f, at[sqlite.Tsqlite3_io_methods](h.FpMethods)}
	h.FpMethods = address(table)
	return rc
}

// watching is who watches the folder of the file, if anybody does.
func watching(path string) *Disk {
	mu.Lock()
	defer mu.Unlock()
	return watched[filepath.Dir(path)]
}

func behind(handle uintptr) *open {
	mu.Lock()
	defer mu.Unlock()
	return files[handle]
}

func wrote(tls *libc.TLS, handle, from uintptr, n int32, offset int64) int32 {
	o := behind(handle)
	data := []byte(strings.Clone(unsafe.String(at[byte](from), int(n))))
	o.disk.hear(o.file.name)
	rc := function[writeFunc](o.real.FxWrite)(tls, handle, from, n, offset)
	if rc == sqlite.SQLITE_OK {
		o.disk.note(event{file: o.file, deed: write, at: offset, data: data})
	}
	return rc
}

func truncated(tls *libc.TLS, handle uintptr, size int64) int32 {
	o := behind(handle)
	rc := function[truncateFunc](o.real.FxTruncate)(tls, handle, size)
	if rc == sqlite.SQLITE_OK {
		o.disk.note(event{file: o.file, deed: truncate, at: size})
	}
	return rc
}

// synced notes that what was written before is on the disk now. It is not, for
// the sake of speed: the power never really goes.
func synced(_ *libc.TLS, handle uintptr, _ int32) int32 {
	o := behind(handle)
	o.disk.note(event{file: o.file, deed: flush, upto: o.disk.Now()})
	return sqlite.SQLITE_OK
}

func closed(tls *libc.TLS, handle uintptr) int32 {
	o := behind(handle)
	mu.Lock()
	delete(files, handle)
	mu.Unlock()
	return function[closeFunc](o.real.FxClose)(tls, handle)
}

func removed(tls *libc.TLS, vfs, name uintptr, folder int32) int32 {
	path := libc.GoString(name)
	d := watching(path)
	rc := function[deleteFunc](system.FxDelete)(tls, vfs, name, folder)
	if rc == sqlite.SQLITE_OK && d != nil {
		d.gone(filepath.Base(path), folder != 0)
	}
	return rc
}

// same gives bytes that are random enough for a log, and the same each time.
func same(_ *libc.TLS, _ uintptr, n int32, to uintptr) int32 {
	b := unsafe.Slice(at[byte](to), int(n))
	for i := range b {
		b[i] = byte(i*131 + 17)
	}
	return n
}
