package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall/internal/doctor"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/server"
)

type doctorCmd struct {
	Data string `help:"Folder of the data." required:"" type:"path" env:"LANDFALL_DATA" placeholder:"DIR"`
}

func (c *doctorCmd) Help() string {
	return "Reads everything and writes nothing: the file itself, every inbox item, issue, record and change. It ends with 0 when all is well, 1 when something is wrong, 2 when it could not look. docs/doctor.md says what each check means.\nExample:\n  landfall doctor --data d"
}

// uncheckedError is why nothing could be said: it ends with a code of its own.
type uncheckedError struct{ error }

func (e uncheckedError) Unwrap() error { return e.error }

// Run checks a folder.
func (c *doctorCmd) Run(s *session) error {
	report, err := s.examine(filepath.Join(c.Data, server.DatabaseFile))
	if err != nil {
		return uncheckedError{err}
	}
	if err := s.tell(report); err != nil {
		return err
	}
	if !report.Healthy {
		return errWanting
	}
	return nil
}

func (s *session) examine(path string) (report *doctor.Report, err error) {
	b := s.bar("checking")
	defer b.end()
	in, err := sqlite.OpenForInspection(s.ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b.say("the file")
	damage, err := in.Damage(s.ctx, 100)
	if err != nil {
		return nil, err
	}
	last := time.Time{}
	o := doctor.Options{Progress: func(what string, done int64) {
		if time.Since(last) > 100*time.Millisecond {
			last = time.Now()
			b.say(thousands(done) + " " + what)
		}
	}}
	err = in.View(s.ctx, func(r store.Reader) error {
		report, err = doctor.Examine(s.ctx, r, o)
		return err
	})
	if s.ctx.Err() != nil {
		return nil, context.Canceled
	}
	if report != nil {
		report.AddFile(damage)
	}
	return report, err
}

// say shows what is under way, on a terminal.
func (b *bar) say(what string) {
	if b.out == nil {
		return
	}
	b.shown = true
	fmt.Fprintf(b.out, "\r\x1b[K%s: %s, %s ", b.what, what, time.Since(b.began).Round(time.Second))
}

// tell prints a line a check; as JSON all of it, and quiet the checks that failed.
func (s *session) tell(report *doctor.Report) error {
	if s.opts.JSON {
		return s.json(report)
	}
	several := false
	seen := ""
	for _, r := range report.Results {
		for _, f := range r.Examples {
			several = several || seen != "" && f.Workspace != "" && f.Workspace != seen
			seen = f.Workspace
		}
	}
	for _, r := range report.Results {
		switch {
		case s.opts.Quiet && r.Wrong > 0:
			fmt.Fprintln(s.out, r.Check)
		case s.opts.Quiet:
		case r.Wrong == 0:
			fmt.Fprintf(s.out, "ok     %s %s%s\n", thousands(r.Checked), r.Text, counts(r.Counts))
		default:
			s.wrong(r, several)
		}
	}
	if !report.Healthy && !s.opts.Quiet {
		fmt.Fprintln(s.out, "\nNothing was changed. What each check means, and what to do: docs/doctor.md")
	}
	return nil
}

func (s *session) wrong(r *doctor.Result, several bool) {
	fmt.Fprintf(s.out, "WRONG  %s: %s of %s %s\n", r.Check, thousands(r.Wrong), thousands(max(r.Checked, r.Wrong)), r.Text)
	for _, f := range r.Examples {
		var where []string
		for _, p := range [][2]string{{"device", f.Device}, {"item", f.Item}, {"issue", f.Issue}, {"record", f.Record}} {
			if p[1] != "" {
				where = append(where, p[0]+" "+p[1])
			}
		}
		if several && f.Workspace != "" {
			where = append([]string{f.Workspace}, where...)
		}
		line := f.What
		if len(where) > 0 {
			line = strings.Join(where, ", ") + ": " + line
		}
		fmt.Fprintln(s.out, "         "+line)
	}
	if more := r.Wrong - int64(len(r.Examples)); more > 0 {
		fmt.Fprintf(s.out, "         and %s more\n", thousands(more))
	}
	fmt.Fprintln(s.out, "       next: "+r.Next)
}

// counts says what became of what was checked.
func counts(c map[string]int64) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		out = append(out, thousands(c[name])+" "+name)
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, ", ")
}

// thousands writes a number as people read long ones: 12,345.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for i := len(text) - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
