package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/tabular"
	"github.com/landfall-sync/landfall/internal/transfer"
	"github.com/landfall-sync/landfall/internal/wire"
)

// exportPage is how many records an export asks for at once.
const exportPage = 500

// typeOf is the app that the server has published, and the type of it.
func typeOf(s *session, d *desk.Desk, name string) (*definition.App, *definition.Type, error) {
	a, err := app(s, d)
	if err != nil {
		return nil, nil, err
	}
	t := a.Types[name]
	if t == nil {
		return nil, nil, definition.Unknown(landfall.CodeInvalid, "type", name, a.Order)
	}
	return a, t, nil
}

type exportCmd struct {
	Type     string `arg:"" help:"Type of the records."`
	Format   string `help:"csv or jsonl; by default what the name of the file says, or csv." enum:"csv,jsonl," default:""`
	Out      string `help:"Write to this file; by default to standard output." placeholder:"FILE"`
	Status   string `help:"In this status." placeholder:"STATUS"`
	Queue    string `help:"In this queue." placeholder:"QUEUE"`
	Progress bool   `help:"Tell how far it is, also where there is no terminal."`
}

func (c *exportCmd) Help() string {
	return "What you may not see is not in it. The file is there when it is whole.\n\nExample:\n  landfall export expense --status pending-approval --out expenses.csv"
}

// Run exports records.
func (c *exportCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	_, t, err := typeOf(s, d, c.Type)
	if err != nil {
		return err
	}
	me, err := d.Me(s.ctx)
	if err != nil {
		return err
	}
	told := s.meter(c.Progress)
	e := &transfer.Export{
		Type: t, Hidden: t.Hidden(me.Roles), Format: tabular.Format(or(c.Format, or(string(tabular.FormatOf(c.Out)), string(tabular.CSV)))),
		Page: func(ctx context.Context, after string) (*wire.List[wire.RecordView], error) {
			return d.Records(ctx, c.Type, desk.Filter{Status: c.Status, Queue: c.Queue, Limit: exportPage, After: after})
		},
		Progress: func(n int) { told.say("%s records", transfer.Grouped(int64(n))) },
	}
	if c.Out == "" {
		_, err := e.Write(s.ctx, s.out)
		told.end()
		return err
	}
	n := 0
	err = transfer.WriteFile(c.Out, func(w io.Writer) (err error) {
		n, err = e.Write(s.ctx, w)
		return err
	})
	told.end()
	if err != nil {
		return err
	}
	return s.show(map[string]any{"records": n, "file": c.Out}, c.Out, func() {
		fmt.Fprintf(s.out, "exported %s to %s\n", transfer.Grouped(int64(n)), c.Out)
	})
}

type importCmd struct {
	Type     string   `arg:"" help:"Type of the records."`
	File     string   `arg:"" help:"CSV or JSON Lines; the columns have the names of the fields."`
	Format   string   `help:"csv or jsonl; by default what the name of the file says." enum:"csv,jsonl," default:""`
	Key      string   `help:"The field that tells records apart: lines with the same value mean the same record, in every file." placeholder:"FIELD"`
	Ignore   []string `help:"Pass over these columns." placeholder:"COLUMN"`
	DryRun   bool     `help:"Say what would be refused, and store nothing."`
	Batch    int      `help:"Lines a call, up to 500." default:"500"`
	Progress bool     `help:"Tell how far it is, also where there is no terminal."`
}

func (c *importCmd) Help() string {
	return "Every line is judged by the rules, as your own change. The same import again changes nothing, so one that was interrupted is simply run again. Refused lines are kept in FILE.refused.csv: mend them there, and import that file.\n\nExample:\n  landfall import expense expenses.csv --dry-run\n  landfall import expense expenses.csv"
}

// Validate checks what the parser can't.
func (c *importCmd) Validate() error {
	if c.Batch < 1 || c.Batch > wire.MaxImportRows {
		return fmt.Errorf("--batch is a number from 1 to %d", wire.MaxImportRows)
	}
	return nil
}

// Run imports a file.
func (c *importCmd) Run(s *session) error {
	format := tabular.Format(or(c.Format, string(tabular.FormatOf(c.File))))
	if format == "" {
		return landfall.Errorf(landfall.CodeInvalid, "the name of %s does not say what is in it", filepath.Base(c.File)).WithHint("add --format csv or --format jsonl")
	}
	d, err := s.desk()
	if err != nil {
		return err
	}
	a, t, err := typeOf(s, d, c.Type)
	if err != nil {
		return err
	}
	told := s.meter(c.Progress)
	refused := 0
	im := &transfer.Import{
		Server: d, Address: d.Server, App: a.Name, Type: t,
		Path: c.File, Format: format, Key: c.Key, Ignore: c.Ignore, Batch: c.Batch, DryRun: c.DryRun,
		Refused: func(line int, reason string) {
			if refused++; refused <= shownRefusals {
				told.clear()
				fmt.Fprintf(s.err, "line %d: %s\n", line, reason)
			}
		},
		Note:     func(text string) { told.clear(); fmt.Fprintln(s.err, text) },
		Progress: func(p transfer.Progress) { told.lines(p) },
	}
	// The first Ctrl-C ends it after the batch under way; a second one ends it.
	defer context.AfterFunc(s.ctx, func() { signal.Reset(os.Interrupt, syscall.SIGTERM) })()
	done, err := im.Run(s.ctx)
	told.end()
	if refused > shownRefusals {
		fmt.Fprintf(s.err, "and %s more\n", transfer.Grouped(int64(refused-shownRefusals)))
	}
	if err != nil {
		return err
	}
	if err := s.show(done, fmt.Sprint(done.Imported), func() { fmt.Fprintln(s.out, summary(done)) }); err != nil {
		return err
	}
	if done.Refused > 0 {
		return errWanting
	}
	return nil
}

// shownRefusals is how many refused lines a person is told of; the file has all.
const shownRefusals = 20

func summary(r *transfer.Result) string {
	n := func(n int) string { return transfer.Grouped(int64(n)) }
	out := fmt.Sprintf("imported %s, unchanged %s, refused %s", n(r.Imported), n(r.Unchanged), n(r.Refused))
	switch {
	case r.DryRun:
		return "a dry run, nothing was stored: " + out
	case r.RefusedFile != "":
		return out + " (see " + r.RefusedFile + ")"
	}
	return out
}

// meter tells on standard error how far something is: in one line that
// changes on a terminal, in a line a second elsewhere.
type meter struct {
	w       io.Writer
	on, tty bool
	shown   bool
	start   time.Time
	last    time.Time
}

func (s *session) meter(always bool) *meter {
	f, ok := s.err.(*os.File)
	tty := ok && term.IsTerminal(int(f.Fd()))
	return &meter{w: s.err, on: (always || tty) && !s.opts.Quiet, tty: tty, start: time.Now()}
}

func (p *meter) say(format string, args ...any) {
	if !p.on {
		return
	}
	text := fmt.Sprintf(format, args...)
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K%s", text)
		p.shown = true
		return
	}
	if now := time.Now(); p.last.IsZero() || now.Sub(p.last) >= time.Second {
		p.last = now
		fmt.Fprintln(p.w, text)
	}
}

// lines tells of an import: lines, part of the file, and how fast it is.
func (p *meter) lines(x transfer.Progress) {
	n := x.Imported + x.Unchanged + x.Refused
	part := int64(100)
	if x.Size > 0 {
		part = 100 * x.Bytes / x.Size
	}
	rate := float64(n-x.Before) / max(time.Since(p.start).Seconds(), 0.001)
	p.say("%s lines, %d %%, %s lines/s", transfer.Grouped(int64(n)), part, transfer.Grouped(int64(rate)))
}

// clear makes room for another message.
func (p *meter) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

func (p *meter) end() {
	if p.shown {
		fmt.Fprintln(p.w)
		p.shown = false
	}
}
