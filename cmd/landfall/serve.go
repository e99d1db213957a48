package main

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/server"
)

type initCmd struct {
	Data          string `help:"Folder of the data." required:"" type:"path" env:"LANDFALL_DATA" placeholder:"DIR"`
	App           string `help:"The app definition." required:"" type:"path" placeholder:"FILE"`
	Admin         string `help:"Name of the first administrator." required:"" placeholder:"NAME"`
	PasswordStdin bool   `help:"Read the password from standard input."`
}

func (c *initCmd) Help() string {
	return "Example:\n  landfall init --data d --app app.yaml --admin ada --password-stdin <pw"
}

// Run makes a workspace.
func (c *initCmd) Run(s *session) error {
	source, err := os.ReadFile(c.App)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	pw, err := s.password(c.PasswordStdin, "Password for "+c.Admin+": ")
	if err != nil {
		return err
	}
	st, err := server.OpenFolder(s.ctx, c.Data)
	if err != nil {
		return err
	}
	made, err := server.Init(s.ctx, st, server.InitOptions{Definition: source, File: filepath.Base(c.App), Admin: c.Admin, Password: pw})
	if cerr := st.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return s.show(made, made.Workspace, func() {
		fmt.Fprintf(s.out, "The workspace %s is ready.\n%s is its first administrator and holds every role: %s.\n", made.Workspace, made.Admin, strings.Join(made.Roles, ", "))
		fmt.Fprintf(s.out, "Take roles away with `landfall user revoke` once others have them.\nNext: landfall serve --data %s\n", c.Data)
		for _, w := range made.Warnings {
			fmt.Fprintf(s.out, "warning: %s\n", w.Text)
		}
	})
}

type serveCmd struct {
	Data        string `help:"Folder of the data." required:"" type:"path" env:"LANDFALL_DATA" placeholder:"DIR"`
	Listen      string `help:"Address to listen on." default:"127.0.0.1:8080" env:"LANDFALL_LISTEN"`
	App         string `help:"Begin an empty folder with this definition." type:"path" placeholder:"FILE"`
	ReadyFile   string `help:"Write the address here when ready." type:"path" placeholder:"FILE"`
	AllowRemote bool   `help:"Listen beyond this computer. Put TLS in front first."`
}

func (c *serveCmd) Help() string {
	return "Example:\n  landfall serve --data d --listen 127.0.0.1:8080"
}

// Run serves until it is interrupted.
func (c *serveCmd) Run(s *session) (err error) {
	if !server.Loopback(c.Listen) && !c.AllowRemote {
		return landfall.Errorf(landfall.CodeInvalid, "%s can be reached from other computers, and this server does not encrypt", c.Listen).WithHint("put a proxy with TLS in front of a loopback address; or say --allow-remote")
	}
	roomy()
	st, err := server.OpenFolder(s.ctx, c.Data)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := st.Close(); err == nil {
			err = cerr
		}
	}()
	if err := c.begin(s, st); err != nil {
		return err
	}
	srv, err := server.New(server.Options{Store: st, Log: slog.New(slog.NewTextHandler(s.err, nil))})
	if err != nil {
		return err
	}
	if err := c.difference(s, srv); err != nil {
		return err
	}
	ln, err := (&net.ListenConfig{}).Listen(s.ctx, "tcp", c.Listen)
	if err != nil {
		return landfall.Errorf(landfall.CodeConflict, "%s can't be listened on: %v", c.Listen, err).WithHint("choose another address with --listen")
	}
	url := "http://" + ln.Addr().String()
	fmt.Fprintf(s.out, "Serving %s at %s\n", c.Data, url)
	if c.ReadyFile != "" {
		if err := writeWhole(c.ReadyFile, url+"\n"); err != nil {
			return err
		}
	}
	return srv.Run(s.ctx, ln)
}

// roomy lets garbage grow to some times of what is in use before it is
// collected: a server's live memory is small, and collecting it costs about a
// tenth of its time otherwise. GOGC and GOMEMLIMIT are followed when set.
func roomy() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" {
		debug.SetGCPercent(400)
	}
}

// begin makes the workspace of an empty folder.
func (c *serveCmd) begin(s *session, st server.Store) error {
	empty, err := server.Empty(s.ctx, st)
	if err != nil || !empty {
		return err
	}
	if c.App == "" {
		return landfall.Errorf(landfall.CodeInvalid, "there is no workspace in %s", c.Data).WithHint("make one: landfall init --data %s --app FILE --admin NAME; or add --app FILE", c.Data)
	}
	source, err := os.ReadFile(c.App)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	made, err := server.Init(s.ctx, st, server.InitOptions{Definition: source, File: filepath.Base(c.App)})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "The workspace %s is new. Sign in as %s with the password %s (it is shown only now; change it with `landfall user password %s`).\n", made.Workspace, made.Admin, made.Password, made.Admin)
	return nil
}

// difference tells how the given definition differs from the published one.
func (c *serveCmd) difference(s *session, srv *server.Server) error {
	if c.App == "" {
		return nil
	}
	source, err := os.ReadFile(c.App)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the definition can't be read: %v", err)
	}
	d, err := srv.Difference(s.ctx, filepath.Base(c.App), source)
	if err != nil || d.Same {
		return err
	}
	fmt.Fprintf(s.out, "%s differs from the published version %d, which stays. Publish it with: landfall app publish %s\n", c.App, d.Published, c.App)
	for _, m := range d.Messages {
		fmt.Fprintf(s.out, "  %s\n", m.Text)
	}
	return nil
}

// writeWhole writes a file so that nobody reads half of it.
func writeWhole(path, text string) error {
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, path)
}

type versionCmd struct{}

// Run prints the version.
func (c *versionCmd) Run(s *session) error {
	return s.show(map[string]string{"version": server.Version}, server.Version, func() { fmt.Fprintln(s.out, "landfall", server.Version) })
}
