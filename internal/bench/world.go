package bench

import (
	"context"
	_ "embed" // the definition is a file
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

//go:embed app.yaml
var appSource []byte

const password = "bench-password"

// world is a server in a process of its own, with people and devices.
type world struct {
	dir    string
	url    string
	cmd    *exec.Cmd
	ended  chan error
	desk   *desk.Desk
	wire   atomic.Int64
	loaded time.Duration // CPU of this process at the begin
	work   time.Duration // CPU of the server's at the begin
	disk   int64
	people int
}

// serve starts a server on a folder; a new one gets a workspace first.
func (b *Bench) serve(ctx context.Context, folder string) (*world, error) {
	w := &world{dir: filepath.Join(b.Dir, folder)}
	if _, err := os.Stat(w.dir); errors.Is(err, os.ErrNotExist) {
		if err := b.initialise(ctx, w.dir); err != nil {
			return nil, err
		}
	}
	ready := filepath.Join(b.Dir, "ready")
	if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	w.cmd = exec.CommandContext(ctx, b.Program, "serve", "--data", w.dir, "--listen", "127.0.0.1:0", "--ready-file", ready) //nolint:gosec // the program under test, as whoever measures names it
	w.cmd.Env = append(os.Environ(), b.Env...)
	log, err := os.Create(filepath.Join(b.Dir, folder+".log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the server has a handle of its own
	w.cmd.Stderr, w.cmd.Stdout = log, log
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	w.ended = make(chan error, 1)
	go func() { w.ended <- w.cmd.Wait() }()
	for {
		text, err := os.ReadFile(ready)
		if err == nil && len(text) > 0 {
			w.url = strings.TrimSpace(string(text))
			break
		}
		select {
		case err := <-w.ended:
			return nil, fmt.Errorf("the server ended: %w; see %s", err, log.Name())
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	s, err := desk.SignIn(ctx, w.url, "ada", password)
	if err != nil {
		return nil, errors.Join(err, w.close())
	}
	w.desk = desk.New(w.url, s.Token)
	return w, nil
}

func (b *Bench) initialise(ctx context.Context, dir string) error {
	app := filepath.Join(b.Dir, "app.yaml")
	if err := os.WriteFile(app, appSource, 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, b.Program, "init", "--data", dir, "--app", app, "--admin", "ada", "--password-stdin") //nolint:gosec // the program under test
	cmd.Stdin = strings.NewReader(password)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("init: %w\n%s", err, out)
	}
	return nil
}

func (w *world) host() string { return strings.TrimPrefix(w.url, "http://") }

// close ends the server as Ctrl-C does.
func (w *world) close() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return <-w.ended
}

// user adds a user with roles.
func (w *world) user(ctx context.Context, name string, roles ...string) error {
	_, err := w.desk.AddUser(ctx, wire.NewUser{Name: name, Roles: roles})
	return err
}

// devices enrols devices of a user and connects them.
func (w *world) devices(ctx context.Context, user string, n int) ([]*device, error) {
	var out []*device
	for range n {
		w.people++
		code, err := w.desk.NewCode(ctx, wire.NewCode{User: user, Name: fmt.Sprint("device ", w.people)})
		if err != nil {
			return nil, err
		}
		e, err := client.NewHTTP(w.url, func() string { return "" }).Enrol(ctx, wire.EnrolRequest{Code: code.Code})
		if err != nil {
			return nil, err
		}
		d := &device{who: w.people, replica: e.Replica, credential: e.Credential, host: w.host(), wire: &w.wire, next: 1}
		if err := d.dial(ctx); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// begin notes where the meters stand.
func (w *world) begin() {
	runtime.GC()
	w.wire.Store(0)
	w.loaded, w.work, w.disk = ownCPU(), w.cpu(), w.written()
}

// measured fills a row with what the meters say since begin.
func (w *world) measured(r *Row) {
	r.ServerCPU, r.LoadCPU = w.cpu()-w.work, ownCPU()-w.loaded
	r.Wire, r.Disk, r.Memory = w.wire.Load(), w.written()-w.disk, w.memory()
}

func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// The meters of another process are Linux's; elsewhere they say 0.

// cpu is what the server used so far. A tick is 10 ms.
func (w *world) cpu() time.Duration {
	_, rest, _ := strings.Cut(w.proc("stat"), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	return time.Duration(whole(f[11])+whole(f[12])) * 10 * time.Millisecond
}

// memory is what the server holds, in bytes, without the pages of the database
// that it sees as memory: those are the system's.
func (w *world) memory() int64 { return 1024 * whole(w.field("status", "RssAnon:")) }

// written is what the server gave the disk so far, in bytes.
func (w *world) written() int64 { return whole(w.field("io", "write_bytes:")) }

func (w *world) proc(name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", w.cmd.Process.Pid, name))
	if err != nil {
		return ""
	}
	return string(b)
}

func (w *world) field(file, name string) string {
	for line := range strings.Lines(w.proc(file)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB"))
		}
	}
	return ""
}

func whole(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
