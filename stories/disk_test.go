package stories

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// verdicts are the answers to pushes while a disk makes trouble.
type verdicts struct {
	done, refused int
	last          []byte // refusal
}

// Watch counts how pushes are answered from now on.
func (p *Wire) Watch() *verdicts {
	v := &verdicts{}
	p.Plan(func(x *Passage) {
		if x.Call != "push" {
			return
		}
		x.At = answered
		x.Do = func() {
			if bytes.HasPrefix(x.Reply, []byte("HTTP/1.1 200 ")) {
				v.done++
				return
			}
			v.refused++
			v.last = x.Reply
		}
	})
	return v
}

// unavailable expects that the last refusal is one that a device understands.
func (v *verdicts) unavailable(t *testing.T) {
	t.Helper()
	contains(t, "the answer", string(v.last), "HTTP/1.1 503 ", `"code":"unavailable"`, "nothing is lost", "Retry-After: ")
}

// limited lets the server write files of so many bytes at most, as on a disk
// that is full: what goes beyond fails.
func limited(size string) func(*exec.Cmd) {
	return func(cmd *exec.Cmd) {
		script := `ulimit -f $((` + size + ` / 512)); exec "$0" "$@"` // it counts in blocks
		cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", script}, cmd.Args...)
	}
}

// The disk fills up. What does not fit is not acknowledged, and says so; what
// was acknowledged is there when there is room again, and the device sends the
// rest by itself. Nothing becomes an issue that only the disk was too small for.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, limit string
		work        func(*pocket)
	}{
		{"many small changes", "400000", func(p *pocket) { p.work(20) }},
		{"a few large ones", "2000000", func(p *pocket) {
			for i := range 3 {
				p.create(fmt.Sprintf("sheet %d", p.made), strings.Repeat("x", 20_000*(i+1)))
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(t, "testdata/sheets.yaml")
			w.User("emma", "worker")
			wire := NewWire(w)
			p := w.Pocket("pocket", "emma", wire.URL)
			same(t, "the first sync", p.sync(), true)
			w.Stop()
			w.around = limited(c.limit)
			w.Start()
			v := wire.Watch()
			for round := 0; v.refused == 0; round++ {
				if round == 200 {
					t.Fatal("the disk is never full")
				}
				c.work(p)
				p.sync()
			}
			v.unavailable(t)
			if v.done == 0 {
				t.Error("nothing was ever stored")
			}
			c.work(p)
			same(t, "a sync while the disk is full", p.sync(), false)
			v.unavailable(t)
			t.Logf("%d pushes stored, %d refused, %d of %d changes acknowledged", v.done, v.refused, wire.given(), p.made)
			w.Kill()
			contains(t, "the log", w.logs.String(), "disk")
			w.around = nil
			w.Start()
			p.restored(wire)
		})
	}
}

// restored expects that all is well again, without anybody doing anything.
func (p *pocket) restored(wire *Wire) {
	t := p.w.t
	t.Helper()
	wire.Plan(nil)
	same(t, "the sync when all is well again", p.sync(), true)
	st, err := p.Status(t.Context())
	if err != nil || st.Waiting != 0 || st.Attention != 0 {
		t.Errorf("afterwards: %+v %v", st, err)
	}
	same(t, "receipts", wire.given(), p.made)
	same(t, "issues", len(p.w.Ada().Issues()), 0)
	p.w.Stop()
	before := p.w.State()
	p.asMade(before)
	p.w.Start()
	wire.Replay()
	p.w.Stop()
	sameState(t, "after all pushes again", p.w.State(), before)
	p.w.Start()
}

// refused runs a server that has to refuse, and returns what it said.
func (w *World) refused(data string) Result {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute) // one that serves would do so for ever
	defer cancel()
	args := []string{"serve", "--data", data, "--listen", "127.0.0.1:0"}
	cmd := exec.CommandContext(ctx, serverProgram, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = w.env(), &out, &errs
	if w.around != nil {
		w.around(cmd)
	}
	r := w.result(args, cmd.Run(), &out, &errs)
	if r.Code <= 0 || r.Out != "" {
		w.t.Errorf("it should have refused: exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
	lines := strings.Split(strings.TrimSpace(r.Err), "\n")
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "landfall: ") || !strings.HasPrefix(lines[1], "  ") {
		w.t.Errorf("a sentence that says why, and one that says what to do: %s", r.Err)
	}
	return r
}

// digests are of all files below a folder, by name.
func digests(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		sum := sha256.Sum256(b)
		all.WriteString(filepath.Base(path) + " " + hex.EncodeToString(sum[:]) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// asNobody runs the server without the rights that root has, if the test is root's.
func asNobody(cmd *exec.Cmd) {
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
}

// openUp lets everybody pass through the folders from path up.
func openUp(t *testing.T, path string) {
	t.Helper()
	for p := path; p != filepath.Dir(p) && p != filepath.Clean(os.TempDir()); p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err == nil {
			err = os.Chmod(p, info.Mode().Perm()|0o555)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A folder that can't be written is refused in words, and stays as it is.
func TestFolderNotWritable(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.Stop()
	t.Cleanup(w.Start) // the world ends with a server
	w.write("file", "not a folder")
	openUp(t, filepath.Dir(serverProgram))
	openUp(t, w.path("d"))
	for _, c := range []struct {
		name, data string
		prepare    func() error
	}{
		{"below a file", w.path("file/d"), func() error { return nil }},
		{"where nobody can write", "/proc/landfall", func() error { return nil }},
		{"a new folder in one that is read-only", w.path("closed/d"), func() error { return os.Mkdir(w.path("closed"), 0o555) }},
		{"files that are read-only", w.path("d"), func() error { return chmodAll(w.path("d"), 0o444) }},
		{"files and folder that are read-only", w.path("d"), func() error { return os.Chmod(w.path("d"), 0o555) }},
	} {
		if err := c.prepare(); err != nil {
			t.Fatal(err)
		}
		before := digests(t, w.dir)
		w.around = asNobody
		r := w.refused(c.data)
		w.around = nil
		contains(t, c.name, r.Err, "nothing was changed", "make the folder writable", "--data")
		same(t, c.name+": files", digests(t, w.dir), before)
	}
	if err := errors.Join(os.Chmod(w.path("d"), 0o700), chmodAll(w.path("d"), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func chmodAll(dir string, mode fs.FileMode) error {
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	for _, f := range files {
		err = errors.Join(err, os.Chmod(f, mode))
	}
	return err
}

// A database that was damaged is refused, and stays as it is: with whatever
// else is in the folder, as often as it is tried.
func TestDamagedDatabase(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	p := w.Pocket("pocket", "emma", w.URL)
	for range 40 {
		p.work(20)
		p.sync()
	}
	w.Stop() // all is in the database
	w.Start()
	p.work(20)
	same(t, "the last sync", p.sync(), true)
	w.Kill() // and something in its log
	folder := w.path("d")
	whole := read(t, folder)
	for _, c := range []struct {
		name   string
		whole  bool // in the log, which puts it right
		damage func(db []byte) []byte
	}{
		{"garbage at the beginning", true, func(db []byte) []byte { copy(db, strings.Repeat("garbage ", 20)); return db }},
		{"half of it", false, func(db []byte) []byte { return db[:len(db)/2/4096*4096] }},
		{"half of it, not even a page", false, func(db []byte) []byte { return db[:len(db)/2+100] }},
		{"noise in the middle", false, func(db []byte) []byte {
			for i := len(db) / 4; i < len(db)*3/4; i++ {
				db[i] ^= 0x5a
			}
			return db
		}},
		{"zeros in the middle", false, func(db []byte) []byte { clear(db[len(db)/2 : len(db)/2+8*4096]); return db }},
	} {
		for _, log := range []bool{true, false} {
			if log && c.whole {
				continue
			}
			files := map[string][]byte{}
			for name, b := range whole {
				if log || !strings.HasSuffix(name, "-wal") && !strings.HasSuffix(name, "-shm") {
					files[name] = bytes.Clone(b)
				}
			}
			files["landfall.db"] = c.damage(files["landfall.db"])
			replace(t, folder, files)
			before := digests(t, folder)
			for range 2 {
				r := w.refused(folder)
				contains(t, c.name, r.Err, "damaged", "landfall.db", "nothing was changed", "landfall doctor", "restore a backup")
				same(t, c.name+": files", digests(t, folder), before)
			}
		}
	}
	replace(t, folder, whole)
	w.Start()
	same(t, "a sync with the backup", p.sync(), true)
	w.Stop()
	p.asMade(w.State())
	w.Start()
}

func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for _, f := range files {
		if all[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// replace makes these the files of a folder.
func replace(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
