package stories

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const password = "a-long-password"

var (
	serverFlags   []string // to build the server with
	program       string   // path of the program, for devices and people
	serverProgram string   // path of the program, for the server
)

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "landfall-stories-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder; the exit code matters more
	program, serverProgram = filepath.Join(dir, "landfall"), filepath.Join(dir, "server")
	for path, flags := range map[string][]string{program: nil, serverProgram: serverFlags} {
		args := append([]string{"build", "-o", path}, flags...)
		out, err := exec.Command("go", append(args, "../cmd/landfall")...).CombinedOutput()
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s\n%v\n", out, err)
			return 1
		}
	}
	return m.Run()
}

// World is one server with its people and their devices.
type World struct {
	t      *testing.T
	dir    string
	URL    string
	server *exec.Cmd
	logs   *bytes.Buffer
	exited chan error
	// around, when it is set, puts something around the server that starts next.
	around func(*exec.Cmd)
}

// NewWorld serves the definition with ada as its first administrator.
func NewWorld(t *testing.T, app string) *World {
	t.Helper()
	w := &World{t: t, dir: t.TempDir()}
	w.write("pw", password+"\n")
	app, err := filepath.Abs(app)
	if err != nil {
		t.Fatal(err)
	}
	w.must(w.exec("", password, "init", "--data", w.path("d"), "--app", app, "--admin", "ada", "--password-stdin"))
	w.Start()
	w.login("ada")
	t.Cleanup(func() {
		if w.server != nil {
			w.Stop()
		}
		w.Doctor()
		if t.Failed() {
			t.Logf("server log:\n%s", w.logs)
		}
	})
	return w
}

func (w *World) path(name string) string { return filepath.Join(w.dir, name) }

func (w *World) write(name, text string) {
	w.t.Helper()
	if err := os.WriteFile(w.path(name), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *World) env() []string {
	return append(os.Environ(), "HOME="+w.dir, "LANDFALL_CONFIG_DIR="+w.path("config"), "XDG_DATA_HOME="+w.path("share"))
}

// Start serves; on the address that it had before, if it did.
func (w *World) Start() {
	w.t.Helper()
	listen := "127.0.0.1:0"
	if w.URL != "" {
		listen = strings.TrimPrefix(w.URL, "http://")
	}
	ready := w.path("url")
	if err := os.Remove(ready); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	if w.logs == nil {
		w.logs = &bytes.Buffer{}
	}
	cmd := exec.Command(serverProgram, "serve", "--data", w.path("d"), "--listen", listen, "--ready-file", ready)
	cmd.Env, cmd.Stderr, cmd.Stdout = w.env(), w.logs, w.logs
	if w.around != nil {
		w.around(cmd)
	}
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.server, w.exited = cmd, make(chan error, 1)
	go func(exited chan<- error) { exited <- cmd.Wait() }(w.exited)
	w.await("the server to be ready", func() bool {
		select {
		case err := <-w.exited:
			w.server = nil
			w.t.Fatalf("the server ended: %v\n%s", err, w.logs)
		default:
		}
		b, err := os.ReadFile(ready)
		w.URL = strings.TrimSpace(string(b))
		return err == nil && w.URL != ""
	})
}

// await polls for a condition that another process brings about.
func (w *World) await(what string, done func() bool) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(60 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-limit:
			w.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Kill ends the server with kill -9.
func (w *World) Kill() {
	w.t.Helper()
	if err := w.server.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		w.t.Fatal(err)
	}
	if err := <-w.exited; err == nil {
		w.t.Error("the server ended by itself before it was killed")
	}
	w.server = nil
}

// Stop ends the server as Ctrl-C does and expects a clean end.
func (w *World) Stop() {
	w.t.Helper()
	if err := w.server.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Error(err)
	}
	if err := <-w.exited; err != nil {
		w.t.Errorf("the server ended with %v", err)
	}
	w.server = nil
	if bytes.Contains(w.logs.Bytes(), []byte("DATA RACE")) {
		w.t.Error("the race detector found something in the server")
	}
}

// Doctor expects the stopped server's database to be healthy. Every world ends
// with it, whatever was done to it.
func (w *World) Doctor() {
	w.t.Helper()
	if r := w.exec("", "", "doctor", "--data", w.path("d")); r.Code != 0 {
		w.t.Errorf("landfall doctor: exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
}

// Result is what a run of the program printed.
type Result struct {
	Args        []string
	Out, Err    string
	Code        int
	interrupted bool
}

func (w *World) command(stdin string, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	cmd := exec.Command(program, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = w.env(), strings.NewReader(stdin), &out, &errs
	return cmd, &out, &errs
}

func (w *World) exec(as, stdin string, args ...string) Result {
	w.t.Helper()
	if as != "" {
		args = append([]string{"--as", as}, args...)
	}
	cmd, out, errs := w.command(stdin, args...)
	return w.result(args, cmd.Run(), out, errs)
}

func (w *World) result(args []string, err error, out, errs *bytes.Buffer) Result {
	w.t.Helper()
	r := Result{Args: args, Out: out.String(), Err: errs.String()}
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		r.Code = e.ExitCode()
		r.interrupted = r.Code == -1
	} else if err != nil {
		w.t.Fatal(err)
	}
	if strings.Contains(r.Err, "DATA RACE") || strings.Contains(r.Err, "panic:") {
		w.t.Fatalf("landfall %s\n%s", strings.Join(args, " "), r.Err)
	}
	return r
}

func (w *World) must(r Result) string {
	w.t.Helper()
	if r.Code != 0 {
		w.t.Fatalf("landfall %s: exit %d\n%s%s", strings.Join(r.Args, " "), r.Code, r.Out, r.Err)
	}
	return strings.TrimSpace(r.Out)
}

func (w *World) login(name string) {
	w.t.Helper()
	w.must(w.exec("", password+"\n", "login", w.URL, "--user", name, "--password-stdin"))
}

// Person is somebody at the desk.
type Person struct {
	w    *World
	Name string
}

// Ada is the first administrator.
func (w *World) Ada() *Person { return &Person{w, "ada"} }

// Person adds a user with roles and signs them in.
func (w *World) Person(name string, roles ...string) *Person {
	w.t.Helper()
	w.User(name, roles...)
	w.login(name)
	return &Person{w, name}
}

// User adds a user who does not sign in at the desk.
func (w *World) User(name string, roles ...string) {
	w.t.Helper()
	args := []string{"user", "add", name, "--password-stdin"}
	for _, r := range roles {
		args = append(args, "--role", r)
	}
	w.must(w.exec("ada", password+"\n", args...))
}

// Do runs a command that must succeed and returns what it printed.
func (p *Person) Do(args ...string) string {
	p.w.t.Helper()
	return p.w.must(p.w.exec(p.Name, "", args...))
}

// Try runs a command that may fail.
func (p *Person) Try(args ...string) Result {
	p.w.t.Helper()
	return p.w.exec(p.Name, "", args...)
}

// JSON runs a command with --json and decodes its output into out.
func (p *Person) JSON(out any, args ...string) {
	p.w.t.Helper()
	decode(p.w.t, p.Do(append(args, "--json")...), out)
}

func decode(t *testing.T, text string, out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), out); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
}

// Device is a field client in a folder of its own.
type Device struct {
	w       *World
	Folder  string
	replica string // once it was asked for
}

// Device enrols a device for the user, by way of the server's address or a proxy's.
func (w *World) Device(folder, user, url string) *Device {
	w.t.Helper()
	code := w.Ada().Do("device", "enrol", "--user", user, "--quiet")
	d := &Device{w: w, Folder: folder}
	d.Do("init", url, "--code", code, "--name", folder)
	return d
}

func (d *Device) args(args []string) []string {
	return append([]string{"field", "-C", d.w.path(d.Folder)}, args...)
}

// Do runs a field command that must succeed.
func (d *Device) Do(args ...string) string {
	d.w.t.Helper()
	return d.w.must(d.Try(args...))
}

// Try runs a field command that may fail.
func (d *Device) Try(args ...string) Result {
	d.w.t.Helper()
	return d.w.exec("", "", d.args(args)...)
}

// JSON runs a field command with --json and decodes its output into out.
func (d *Device) JSON(out any, args ...string) {
	d.w.t.Helper()
	decode(d.w.t, d.Do(append(args, "--json")...), out)
}

// Background starts a field command and returns the process; wait for it with Wait.
func (d *Device) Background(args ...string) *Running {
	d.w.t.Helper()
	full := d.args(args)
	cmd, out, errs := d.w.command("", full...)
	if err := cmd.Start(); err != nil {
		d.w.t.Fatal(err)
	}
	return &Running{d.w, full, cmd, out, errs}
}

// Running is a command in the background.
type Running struct {
	w         *World
	args      []string
	cmd       *exec.Cmd
	out, errs *bytes.Buffer
}

// Kill ends it with kill -9; it may have ended already.
func (r *Running) Kill() {
	if err := r.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		r.w.t.Error(err)
	}
}

// Wait waits for its end.
func (r *Running) Wait() Result {
	r.w.t.Helper()
	return r.w.result(r.args, r.cmd.Wait(), r.out, r.errs)
}

// publish publishes the definition with one place changed.
func (w *World) publish(app, old, changed string) {
	w.t.Helper()
	b, err := os.ReadFile(app)
	if err != nil {
		w.t.Fatal(err)
	}
	if strings.Count(string(b), old) != 1 {
		w.t.Fatalf("%q is not once in %s", old, app)
	}
	w.write("changed.yaml", strings.Replace(string(b), old, changed, 1))
	w.Ada().Do("app", "publish", "--yes", w.path("changed.yaml"))
}

// publishAll publishes the definition with all of these replaced, wherever they are.
func (w *World) publishAll(app string, oldAndNew ...string) {
	w.t.Helper()
	b, err := os.ReadFile(app)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write("changed.yaml", strings.NewReplacer(oldAndNew...).Replace(string(b)))
	w.Ada().Do("app", "publish", w.path("changed.yaml"))
}
