package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/uuid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/sqlite"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/server"
)

type fieldCmd struct {
	Dir string `help:"Folder of the device." short:"C" default:"." type:"path" env:"LANDFALL_DEVICE" placeholder:"DIR"`

	Init    fieldInitCmd    `cmd:"" help:"Make the folder a device, by a one-time code."`
	Signin  fieldSigninCmd  `cmd:"" help:"Sign in again on a device that the server does not let in any more."`
	List    fieldListCmd    `cmd:"" help:"List records, as the device shows them."`
	Show    fieldShowCmd    `cmd:"" help:"Show a record."`
	Create  fieldCreateCmd  `cmd:"" help:"Create a record."`
	Set     fieldSetCmd     `cmd:"" help:"Set fields; FIELD= clears one."`
	Move    fieldMoveCmd    `cmd:"" help:"Make a transition."`
	Delete  fieldDeleteCmd  `cmd:"" help:"Delete a record."`
	Group   fieldGroupCmd   `cmd:"" help:"Make several changes that are applied all or not at all."`
	Sync    fieldSyncCmd    `cmd:"" help:"Send, then receive."`
	Status  fieldStatusCmd  `cmd:"" help:"The sync indicator."`
	Log     fieldLogCmd     `cmd:"" help:"The sync log: conflicts and refusals, and how they ended."`
	Pending fieldPendingCmd `cmd:"" help:"Changes that were not sent yet."`
	Revert  fieldRevertCmd  `cmd:"" help:"Take changes back."`
	Retry   fieldRetryCmd   `cmd:"" help:"Ask the server to judge an issue again."`
	Export  fieldExportCmd  `cmd:"" help:"Write what was not sent to an encrypted file, for an administrator to land."`
	Logout  fieldLogoutCmd  `cmd:"" help:"Remove the device's data."`
	Network fieldNetworkCmd `cmd:"" help:"Switch the device's network off or on."`
}

// AfterApply tells the commands below the folder.
func (c *fieldCmd) AfterApply(s *session) error { //nolint:unparam // the parser's signature
	s.dir = c.Dir
	return nil
}

// isDevice: there is one in the folder. Nothing is made where there is none.
func (s *session) isDevice() error {
	if _, err := os.Stat(filepath.Join(s.dir, sqlite.File)); err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "%s is not a device", s.dir).WithHint("make it one: landfall field -C %s init URL --code CODE; an administrator makes codes with landfall device enrol", s.dir)
	}
	return nil
}

// device opens the device and runs f on it.
func (s *session) device(page int, f func(*client.Client) error) error {
	if err := s.isDevice(); err != nil {
		return err
	}
	return s.storage(func(st client.Storage) error {
		url, credential, err := client.Credential(s.ctx, st)
		if err != nil {
			return err
		}
		c, err := client.Open(s.ctx, client.Options{Storage: st, Transport: client.NewHTTP(url, func() string { return credential }), Program: "landfall " + server.Version, Page: page})
		if err != nil {
			return err
		}
		return f(c)
	})
}

type fieldInitCmd struct {
	URL  string `arg:"" help:"Address of the server."`
	Code string `help:"The one-time code." required:""`
	Name string `help:"What people call the device." default:"phone"`
	ID   string `help:"The device's id, when it comes back after it lost all of its data." placeholder:"ID"`
}

func (c *fieldInitCmd) Help() string {
	return "Example:\n  landfall field -C phone init http://127.0.0.1:8080 --code ABCDE-FGHJK"
}

// Run enrols the device, and fetches what it needs to work offline.
func (c *fieldInitCmd) Run(s *session) error {
	return s.storage(func(st client.Storage) error { return c.enrol(s, st) })
}

// storage opens the folder, which may be no device yet, for f.
func (s *session) storage(f func(client.Storage) error) (err error) {
	st, err := sqlite.Open(s.ctx, s.dir)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := st.Close(); err == nil {
			err = cerr
		}
	}()
	return f(st)
}

func (c *fieldInitCmd) enrol(s *session, st client.Storage) error {
	credential := ""
	cl, err := client.Open(s.ctx, client.Options{Storage: st, Transport: client.NewHTTP(c.URL, func() string { return credential }), Program: "landfall " + server.Version})
	if err != nil {
		return err
	}
	server := strings.TrimRight(c.URL, "/")
	if c.ID != "" {
		err = cl.Return(s.ctx, server, c.Code, c.Name, c.ID)
	} else {
		err = cl.Enrol(s.ctx, server, c.Code, c.Name)
	}
	if err != nil {
		return err
	}
	if _, credential, err = client.Credential(s.ctx, st); err != nil {
		return err
	}
	if err := cl.Refresh(s.ctx); err != nil {
		return err
	}
	_, user, replica, err := cl.Identity(s.ctx)
	if err != nil {
		return err
	}
	return s.show(map[string]string{"replica": replica, "user": user, "server": c.URL}, replica, func() {
		fmt.Fprintf(s.out, "%s is %s's device now, and works without a network. Fetch what is there: landfall field -C %s sync\n", s.dir, capital(user), s.dir)
	})
}

type fieldListCmd struct {
	Type string `arg:"" help:"Type of the records."`
}

// Run lists records.
func (c *fieldListCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		all, err := cl.List(s.ctx, c.Type)
		if err != nil {
			return err
		}
		if s.opts.JSON {
			return s.json(map[string]any{"items": all})
		}
		rows := make([][]string, 0, len(all))
		for _, v := range all {
			if s.opts.Quiet {
				fmt.Fprintln(s.out, v.Record.ID)
				continue
			}
			rows = append(rows, []string{v.Record.ID, or(v.Record.Number, "new"), v.Record.Status, v.Label, mark(v)})
		}
		if s.opts.Quiet {
			return nil
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "There are none on this device.")
			return nil
		}
		return s.table([]string{"ID", "NUMBER", "STATUS", "LABEL", ""}, rows)
	})
}

// mark says how safely a record is stored.
func mark(v *client.View) string {
	switch {
	case v.NeedsDecision:
		return "needs a decision"
	case v.Pending > 0:
		return fmt.Sprintf("%d waiting", v.Pending)
	}
	return ""
}

type fieldRef struct {
	Ref string `arg:"" help:"Which record: its id, the beginning of it, or its number." name:"record"`
}

type fieldShowCmd struct{ fieldRef }

// Run shows a record.
func (c *fieldShowCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		v, err := cl.Get(s.ctx, c.Ref)
		if err != nil {
			return err
		}
		names := s.names(cl, v.Record, v.Server)
		return s.show(v, v.Record.ID, func() {
			s.record(v.Record, v.Label, names)
			if m := mark(v); m != "" {
				fmt.Fprintf(s.out, "  %-14s %s\n", "sync", m)
			}
			if v.NeedsDecision && v.Server != nil {
				fmt.Fprintln(s.out, "The server's copy:")
				s.record(v.Server, v.Label, names)
			}
		})
	})
}

// names are the labels of the records on the device that these refer to.
func (s *session) names(cl *client.Client, records ...*landfall.Record) map[string]string {
	out := map[string]string{}
	for _, r := range records {
		if r == nil {
			continue
		}
		for _, v := range r.Fields {
			for _, id := range members(v) {
				if uuid.Validate(id) != nil {
					continue
				}
				if to, err := cl.Get(s.ctx, id); err == nil {
					out[id] = to.Label
				}
			}
		}
	}
	return out
}

// edit makes a change by words as a person types them.
func (s *session) edit(f func(context.Context, *client.Group, *client.Client) (string, error)) error {
	return s.device(0, func(cl *client.Client) error {
		id := ""
		err := cl.Group(s.ctx, func(g *client.Group) (err error) {
			id, err = f(s.ctx, g, cl)
			return err
		})
		if err != nil {
			return err
		}
		return s.show(map[string]string{"id": id}, id, func() { fmt.Fprintf(s.out, "%s is kept on this device; it goes out with the next sync.\n", id) })
	})
}

type fieldCreateCmd struct {
	Type string   `arg:"" help:"Type of the record."`
	Set  []string `arg:"" optional:"" help:"FIELD=VALUE …" name:"field=value"`
}

func (c *fieldCreateCmd) Help() string {
	return "Example:\n  landfall field -C phone create expense purpose=Oslo amount=120 currency=EUR"
}

// Run creates a record.
func (c *fieldCreateCmd) Run(s *session) error {
	return s.edit(func(_ context.Context, g *client.Group, _ *client.Client) (string, error) {
		return create(g, c.Type, c.Set)
	})
}

func create(g *client.Group, typ string, pairs []string) (string, error) {
	t := g.App().Types[typ]
	if t == nil {
		return "", definition.Unknown(landfall.CodeInvalid, "type", typ, g.App().Order)
	}
	set, err := assignments(t, pairs)
	if err != nil {
		return "", err
	}
	return g.Create(typ, set)
}

// change applies f to a record with the values typed.
func change(g *client.Group, ref string, pairs []string, f func(ref string, set landfall.Fields) error) (string, error) {
	v, err := g.Get(ref)
	if err != nil {
		return "", err
	}
	t := g.App().Types[v.Record.Type]
	if t == nil {
		return "", definition.Unknown(landfall.CodeInvalid, "type", v.Record.Type, g.App().Order)
	}
	set, err := assignments(t, pairs)
	if err != nil {
		return "", err
	}
	return v.Record.ID, f(v.Record.ID, set)
}

type fieldSetCmd struct {
	fieldRef
	Set []string `arg:"" help:"FIELD=VALUE …" name:"field=value"`
}

func (c *fieldSetCmd) Help() string {
	return "Example:\n  landfall field -C phone set EXP-1042 amount=140 notes=taxi"
}

// Run sets fields.
func (c *fieldSetCmd) Run(s *session) error {
	return s.edit(func(_ context.Context, g *client.Group, _ *client.Client) (string, error) {
		return change(g, c.Ref, c.Set, g.Update)
	})
}

type fieldMoveCmd struct {
	fieldRef
	Transition string   `arg:"" help:"Which transition."`
	Set        []string `arg:"" optional:"" help:"FIELD=VALUE … that go with it" name:"field=value"`
}

func (c *fieldMoveCmd) Help() string {
	return "Example:\n  landfall field -C phone move EXP-1042 submit"
}

// Run makes a transition.
func (c *fieldMoveCmd) Run(s *session) error {
	return s.edit(func(_ context.Context, g *client.Group, _ *client.Client) (string, error) {
		return change(g, c.Ref, c.Set, func(ref string, set landfall.Fields) error { return g.Move(ref, c.Transition, set) })
	})
}

type fieldDeleteCmd struct{ fieldRef }

// Run deletes a record.
func (c *fieldDeleteCmd) Run(s *session) error {
	return s.edit(func(_ context.Context, g *client.Group, _ *client.Client) (string, error) {
		return change(g, c.Ref, nil, func(ref string, _ landfall.Fields) error { return g.Delete(ref) })
	})
}

type fieldGroupCmd struct {
	File string `arg:"" help:"A line a change: create|set|move|delete as the commands take them; - is standard input."`
}

func (c *fieldGroupCmd) Help() string {
	return "Values hold no blanks here.\nExample:\n  printf 'create site name=Harbour\\ncreate visit what=Inspect\\n' | landfall field -C tablet group -"
}

// Run makes the changes of a file as one group.
func (c *fieldGroupCmd) Run(s *session) (err error) {
	in := s.in
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return landfall.Errorf(landfall.CodeInvalid, "the changes can't be read: %v", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, 1<<20))
	if err != nil {
		return err
	}
	return s.edit(func(_ context.Context, g *client.Group, _ *client.Client) (last string, err error) {
		lines := bufio.NewScanner(strings.NewReader(string(text)))
		for n := 1; lines.Scan(); n++ {
			words := strings.Fields(lines.Text())
			if len(words) == 0 {
				continue
			}
			if last, err = line(g, words); err != nil {
				return "", fmt.Errorf("line %d: %w", n, err)
			}
		}
		return last, lines.Err()
	})
}

func line(g *client.Group, w []string) (string, error) {
	switch {
	case w[0] == "create" && len(w) > 1:
		return create(g, w[1], w[2:])
	case w[0] == "set" && len(w) > 2:
		return change(g, w[1], w[2:], g.Update)
	case w[0] == "move" && len(w) > 2:
		return change(g, w[1], w[3:], func(ref string, set landfall.Fields) error { return g.Move(ref, w[2], set) })
	case w[0] == "delete" && len(w) == 2:
		return change(g, w[1], nil, func(ref string, _ landfall.Fields) error { return g.Delete(ref) })
	}
	return "", landfall.Errorf(landfall.CodeInvalid, "this is not a change: %s", strings.Join(w, " ")).WithHint("create TYPE FIELD=VALUE…, set REF FIELD=VALUE…, move REF TRANSITION, or delete REF")
}

type fieldSyncCmd struct {
	ExitCode bool `help:"Exit with 1 when something needs attention."`
	Page     int  `help:"Records a page." default:"1000"`
}

func (c *fieldSyncCmd) Help() string { return "Example:\n  landfall field -C phone sync" }

// Run sends and receives.
func (c *fieldSyncCmd) Run(s *session) error {
	return s.device(c.Page, func(cl *client.Client) error {
		r, err := cl.Sync(s.ctx, s.progress())
		if err != nil {
			if landfall.CodeOf(err) == landfall.CodeUnavailable && r != nil {
				s.offline(r)
			}
			if landfall.CodeOf(err) != landfall.CodeUnavailable && r != nil && r.Sent > 0 {
				fmt.Fprintf(s.err, "handed in %d, of which %d %s a decision\n", r.Sent, r.Issues, plural(r.Issues, "needs", "need"))
			}
			return err
		}
		if err := s.show(r, fmt.Sprint(r.Attention), func() {
			if r.Erased {
				fmt.Fprintf(s.out, "Handed in %d. This device has erased itself, as its server asked; nothing is on it any more.\n", r.Sent)
				return
			}
			fmt.Fprintf(s.out, "Sent %d, received %d.", r.Sent, r.Received)
			if r.Retired {
				fmt.Fprint(s.out, " This device is retired: all that was on it is delivered, and nothing new can be entered.")
			}
			if r.Waiting > 0 {
				fmt.Fprintf(s.out, " %d stored at the server, verdict to follow.", r.Waiting)
			}
			if r.Attention > 0 {
				fmt.Fprintf(s.out, " %d %s a decision: landfall field log", r.Attention, plural(r.Attention, "needs", "need"))
			}
			fmt.Fprintln(s.out)
		}); err != nil {
			return err
		}
		if c.ExitCode && r.Attention > 0 {
			return errWanting
		}
		return nil
	})
}

func (s *session) offline(r *client.Report) {
	if r.Erased {
		fmt.Fprintln(s.err, "this device has erased itself; the server hears of it with the next sync")
		return
	}
	fmt.Fprintf(s.err, "offline: %d waiting, nothing is lost\n", r.Waiting)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
