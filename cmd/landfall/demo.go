package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/demo"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/server"
)

type demoCmd struct {
	App    string `help:"The app: expenses, or fieldservice." enum:"expenses,fieldservice" default:"expenses"`
	Story  string `help:"Tell a story: expenses." enum:",expenses" default:"" placeholder:"NAME"`
	Step   bool   `help:"Wait for Enter between the steps of the story."`
	Fresh  bool   `help:"Begin anew: remove the demo's data first."`
	Data   string `help:"Folder of the demo's data." type:"path" placeholder:"DIR"`
	Listen string `help:"Address on this computer; the next free port is taken when it is busy." default:"127.0.0.1:8080"`
}

func (c *demoCmd) Help() string {
	return "Everybody's password is " + demo.Password + ".\nExample:\n  landfall demo --story expenses\n  landfall demo --app fieldservice"
}

// demoFile marks a folder as the demo's, and says where it is served.
const demoFile = "demo.json"

type demoMark struct {
	Seeded bool   `json:"seeded"`
	URL    string `json:"url,omitempty"`
	App    string `json:"app,omitempty"` // none: expenses
}

// Run serves the demo, or tells a story on it.
func (c *demoCmd) Run(s *session) error {
	if !server.Loopback(c.Listen) {
		return landfall.Errorf(landfall.CodeInvalid, "the demo's passwords are known to everybody: it listens on this computer alone").WithHint("for example --listen 127.0.0.1:8080")
	}
	if c.Story != "" && c.App != c.Story {
		return uncheckedError{landfall.Errorf(landfall.CodeInvalid, "the story %s is not one of the app %s", c.Story, c.App).WithHint("leave out --app")}
	}
	dir, err := c.folder()
	if err != nil {
		return err
	}
	mark := readMark(dir)
	if was := mark.app(); was != c.App && mark.Seeded && !c.Fresh {
		return landfall.Errorf(landfall.CodeConflict, "%s has the data of the app %s", dir, was).WithHint("choose another folder with --data, or begin anew with --fresh")
	}
	if c.Story != "" && !c.Fresh && alive(s.ctx, mark.URL) {
		fmt.Fprintf(s.out, "Telling the story on the demo that runs at %s.\n\n", mark.URL)
		return c.tell(s, dir, mark.URL)
	}
	if c.Fresh {
		if err := c.remove(s, dir, mark); err != nil {
			return err
		}
	}
	d, err := c.start(s, dir)
	if err != nil {
		return err
	}
	if c.Story != "" {
		return errors.Join(c.tell(s, dir, d.url), d.stop())
	}
	c.welcome(s, d.url, dir)
	<-s.ctx.Done()
	fmt.Fprintln(s.out, "\nStopped; the data stays in", dir)
	return d.stop()
}

// folder is where the demo's data is: as told, else with the user's data.
func (c *demoCmd) folder() (string, error) {
	if c.Data != "" {
		return c.Data, nil
	}
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		if home, err := os.UserHomeDir(); err == nil {
			base = filepath.Join(home, ".local", "share")
		}
	}
	if base != "" {
		name := "landfall-demo"
		if c.App != demo.Apps[0].Name {
			name += "-" + c.App
		}
		dir := filepath.Join(base, name)
		if os.MkdirAll(dir, 0o700) == nil { //nolint:gosec // the user's own folder, as the environment names it
			return dir, nil
		}
	}
	return filepath.Abs("landfall-demo")
}

func (m demoMark) app() string {
	if m.App == "" {
		return demo.Apps[0].Name
	}
	return m.App
}

func readMark(dir string) demoMark {
	var m demoMark
	if b, err := os.ReadFile(filepath.Join(dir, demoFile)); err == nil && json.Unmarshal(b, &m) != nil {
		return demoMark{}
	}
	return m
}

func writeMark(dir string, m demoMark) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, demoFile), string(b)+"\n")
}

// alive reports whether a demo answers at the address.
func alive(ctx context.Context, url string) bool {
	if url == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	_, err := desk.SignIn(ctx, url, demo.Admin, demo.Password)
	return err == nil
}

// remove empties the folder, if it is the demo's and nobody serves it.
func (c *demoCmd) remove(s *session, dir string, mark demoMark) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, demoFile)); err != nil {
		return landfall.Errorf(landfall.CodeRefused, "%s is not the demo's folder; nothing was removed", dir).WithHint("choose another with --data")
	}
	if alive(s.ctx, mark.URL) {
		return landfall.Errorf(landfall.CodeConflict, "a demo is running at %s on this data", mark.URL).WithHint("stop it first with Ctrl-C")
	}
	st, err := server.OpenFolder(s.ctx, dir) // whoever serves it holds its lock
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return err
	}
	return os.RemoveAll(dir)
}

// running is a demo that this process serves.
type running struct {
	url    string
	dir    string
	cancel context.CancelFunc
	ended  chan error
	store  server.Store
}

// start serves the demo's data, and makes it when it is not there.
func (c *demoCmd) start(s *session, dir string) (_ *running, err error) {
	st, err := server.OpenFolder(s.ctx, dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.ctx))
	d := &running{dir: dir, cancel: cancel, ended: make(chan error, 1), store: st}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.stop())
		}
	}()
	mark := readMark(dir)
	empty, err := server.Empty(s.ctx, st)
	if err != nil {
		d.ended <- nil
		return nil, err
	}
	if empty {
		mark = demoMark{}
		if _, err = server.Init(s.ctx, st, server.InitOptions{Definition: demo.Find(c.App).Definition, Admin: demo.Admin, Password: demo.Password}); err != nil {
			d.ended <- nil
			return nil, err
		}
	}
	srv, err := server.New(server.Options{Store: st, Log: slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		d.ended <- nil
		return nil, err
	}
	ln, err := listen(s.ctx, c.Listen)
	if err != nil {
		d.ended <- nil
		return nil, err
	}
	d.url = "http://" + ln.Addr().String()
	go func() { d.ended <- srv.Run(ctx, ln) }()
	if !mark.Seeded {
		if err := demo.Find(c.App).Seed(s.ctx, d.url, s.seeding()); err != nil {
			return nil, fmt.Errorf("%w (begin anew with: landfall demo --fresh)", err)
		}
	}
	return d, writeMark(dir, demoMark{Seeded: true, URL: d.url, App: c.App})
}

// seeding shows how far the data is, on a terminal.
func (s *session) seeding() func(done, of int) {
	fmt.Fprintln(s.out, "Making the demo's people and records …")
	f, ok := s.err.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}
	}
	return func(done, of int) {
		fmt.Fprintf(s.err, "\r%d of %d ", done, of)
		if done == of {
			fmt.Fprintln(s.err)
		}
	}
}

// stop ends the server; the data stays.
func (d *running) stop() error {
	d.cancel()
	err := <-d.ended
	if d.url != "" {
		err = errors.Join(err, writeMark(d.dir, demoMark{Seeded: readMark(d.dir).Seeded, App: readMark(d.dir).App}))
	}
	return errors.Join(err, d.store.Close())
}

// listen takes the address, or the next free port.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	first, perr := strconv.Atoi(port)
	if err != nil || perr != nil {
		return nil, landfall.Errorf(landfall.CodeInvalid, "%q is not an address", addr).WithHint("for example 127.0.0.1:8080")
	}
	var last error
	for n := range 50 {
		p := first
		if first > 0 {
			p += n
		}
		var ln net.Listener
		if ln, last = (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(p))); last == nil {
			return ln, nil
		}
	}
	return nil, landfall.Errorf(landfall.CodeConflict, "no port from %s on is free: %v", addr, last).WithHint("choose another with --listen")
}

func (c *demoCmd) welcome(s *session, url, dir string) {
	app := demo.Find(c.App)
	fmt.Fprintf(s.out, "\n%s, at %s   (data in %s)\n\n", app.Title, url, dir)
	fmt.Fprintf(s.out, "  %-10s %-20s %s\n", demo.Admin, "Ada Marchetti", app.Admin)
	for _, p := range app.People {
		fmt.Fprintf(s.out, "  %-10s %-20s %s\n", p.Name, p.Title, p.Role)
	}
	flag := ""
	if c.Data != "" {
		flag = " --data " + c.Data
	}
	fmt.Fprintf(s.out, "\nEverybody's password is %s. In another terminal:\n\n", demo.Password)
	if app.Story {
		fmt.Fprintf(s.out, "  landfall demo --story %s%s        what happens when a case has moved on\n", app.Name, flag)
	}
	fmt.Fprintf(s.out, "  echo %s | landfall login %s --user %s --password-stdin\n", demo.Password, strings.TrimRight(url, "/"), app.Desk)
	for _, hint := range append([]string{
		"landfall issue causes                   what was refused, why, and what to do",
		"landfall issue list                     the same, one by one", "landfall issue show 1",
	}, app.Hints...) {
		fmt.Fprintln(s.out, "  "+hint)
	}
	fmt.Fprintln(s.out, "\nCtrl-C stops it; the data stays.")
}
