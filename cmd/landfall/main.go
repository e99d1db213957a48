// Command landfall is the server, the back office in a terminal, and a full
// field client.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/landfall-sync/landfall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes that scripts can rely on.
const (
	exitDone        = 0
	exitRefused     = 1 // refused, or found wanting
	exitUsage       = 2
	exitUnreachable = 3 // the server can't be reached; nothing is lost
)

// commands are all that the program can do. Long flags are the same everywhere.
type commands struct {
	As    string `help:"Use the signed-in context of this user." placeholder:"NAME" env:"LANDFALL_AS"`
	JSON  bool   `help:"Print JSON." name:"json"`
	Quiet bool   `help:"Print ids alone." short:"q"`

	Demo     demoCmd     `cmd:"" help:"Serve the demo, or tell a story on it." group:"Begin"`
	Init     initCmd     `cmd:"" help:"Make a workspace in a folder." group:"Begin"`
	Serve    serveCmd    `cmd:"" help:"Serve a folder." group:"Begin"`
	App      appCmd      `cmd:"" help:"Check, draw, rehearse or publish the app definition." group:"Begin"`
	Login    loginCmd    `cmd:"" help:"Sign in at a server." group:"Begin"`
	Logout   logoutCmd   `cmd:"" help:"Sign out." group:"Begin"`
	Record   recordCmd   `cmd:"" help:"Records and cases, at the desk." group:"Desk"`
	Import   importCmd   `cmd:"" help:"Create and change records from a file: CSV or JSON Lines." group:"Desk"`
	Export   exportCmd   `cmd:"" help:"Write records to a file: CSV or JSON Lines." group:"Desk"`
	Issue    issueCmd    `cmd:"" help:"Sync issues: what devices sent and the rules refused." group:"Desk"`
	Inbox    inboxCmd    `cmd:"" help:"Everything that came in, with its state." group:"Desk"`
	Queue    queueCmd    `cmd:"" help:"Work queues." group:"Desk"`
	Worklist worklistCmd `cmd:"" help:"What waits for me." group:"Desk"`
	User     userCmd     `cmd:"" help:"Users and their roles." group:"Administration"`
	Team     teamCmd     `cmd:"" help:"Teams." group:"Administration"`
	Device   deviceCmd   `cmd:"" help:"Devices and their enrolment." group:"Administration"`
	Setting  settingCmd  `cmd:"" help:"Settings of the workspace." group:"Administration"`
	Audit    auditCmd    `cmd:"" help:"Who did what." group:"Administration"`
	Field    fieldCmd    `cmd:"" help:"A field client: a device in a folder, which works without a network." group:"Field"`
	Backup   backupCmd   `cmd:"" help:"Write a folder's database to one file, also while it is served." group:"Administration"`
	Restore  restoreCmd  `cmd:"" help:"Put a backup in a folder's place." group:"Administration"`
	Doctor   doctorCmd   `cmd:"" help:"Check all that a folder's database holds, with its server stopped." group:"Administration"`
	Bench    benchCmd    `cmd:"" help:"Measure this program on this machine." group:"Administration"`
	Sim      simCmd      `cmd:"" help:"Play simulated worlds, and look for a promise that is broken." group:"Administration"`
	Version  versionCmd  `cmd:"" help:"Print the version." group:"Begin"`
}

// session is one run of the program.
type session struct {
	ctx  context.Context
	in   io.Reader
	out  io.Writer
	err  io.Writer
	opts *commands
	dir  string // folder of the device, for field commands
}

// ended unwinds after help was printed.
type ended int

// run is the whole program; tests call it.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(ended)
			if !ok {
				panic(r)
			}
			code = int(e)
		}
	}()
	var c commands
	s := &session{ctx: ctx, in: in, out: out, err: errs, opts: &c}
	parser, err := kong.New(&c, kong.Name("landfall"), kong.Writers(out, errs), kong.Exit(func(n int) { panic(ended(n)) }),
		kong.Description("Offline-first field work: what people did without a network is applied, or is an issue in somebody's hands.\n\nBegin with: landfall demo --story expenses"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 110}), kong.Bind(s))
	if err != nil {
		fmt.Fprintln(errs, err)
		return exitUsage
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(errs, "landfall: %v\n", err)
		if p := (*kong.ParseError)(nil); errors.As(err, &p) && p.Context != nil && p.Context.Command() != "" {
			fmt.Fprintf(errs, "  see: landfall %s --help\n", commandPath(p.Context))
		} else {
			fmt.Fprintln(errs, "  see: landfall --help")
		}
		return exitUsage
	}
	return s.fail(k.Run(s))
}

// commandPath is the command without its arguments.
func commandPath(k *kong.Context) string {
	path := ""
	for _, p := range k.Path {
		if p.Command != nil {
			path += " " + p.Command.Name
		}
	}
	if path == "" {
		return ""
	}
	return path[1:]
}

// errWanting is a result that was printed already and is not good.
var errWanting = errors.New("found wanting")

// fail prints an error for a person and returns the exit code.
func (s *session) fail(err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(err, errWanting) {
		return exitRefused
	}
	if u := (uncheckedError{}); errors.As(err, &u) {
		s.fail(u.error)
		return exitUsage
	}
	e := (*landfall.Error)(nil)
	if !errors.As(err, &e) {
		if errors.Is(err, context.Canceled) {
			fmt.Fprintln(s.err, "landfall: interrupted")
			return exitRefused
		}
		fmt.Fprintf(s.err, "landfall: %v\n", err)
		return exitRefused
	}
	fmt.Fprintf(s.err, "landfall: %s\n", e.Message)
	for i, m := range e.Messages {
		if i > 0 || len(e.Messages) > 1 {
			fmt.Fprintf(s.err, "  - %s\n", m.Text)
			if m.Hint != "" && m.Hint != e.Hint {
				fmt.Fprintf(s.err, "    %s\n", m.Hint)
			}
		}
	}
	if e.Hint != "" {
		fmt.Fprintf(s.err, "  %s\n", e.Hint)
	}
	if e.Code == landfall.CodeUnavailable || e.Code == landfall.CodeBusy {
		return exitUnreachable
	}
	return exitRefused
}
