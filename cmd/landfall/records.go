package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

type recordCmd struct {
	List    recordListCmd    `cmd:"" help:"List records of a type."`
	Show    recordShowCmd    `cmd:"" help:"Show a record."`
	Create  recordCreateCmd  `cmd:"" help:"Create a record."`
	Set     recordSetCmd     `cmd:"" help:"Set fields; FIELD= clears one."`
	Move    recordMoveCmd    `cmd:"" help:"Make a transition."`
	Delete  recordDeleteCmd  `cmd:"" help:"Delete a record."`
	Restore recordRestoreCmd `cmd:"" help:"Bring a deleted record back, with its parts."`
	History recordHistoryCmd `cmd:"" help:"Every change of a record: who, when, what."`
}

// app is the definition that the server has published.
func app(s *session, d *desk.Desk) (*definition.App, error) {
	def, err := d.Definition(s.ctx)
	if err != nil {
		return nil, err
	}
	a, problems := definition.Compile("definition", []byte(def.Source))
	if a == nil {
		return nil, landfall.Errorf(landfall.CodeInternal, "the server's definition can't be read by this program: %v", problems).WithHint("use the program of the server's version")
	}
	return a, nil
}

type recordListCmd struct {
	Type   string `arg:"" help:"Type of the records."`
	Status string `help:"In this status." placeholder:"STATUS"`
	Queue  string `help:"In this queue." placeholder:"QUEUE"`
	pageFlags
}

func (c *recordListCmd) Help() string {
	return "Example:\n  landfall record list expense --status pending-approval"
}

// Run lists records.
func (c *recordListCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.Records(s.ctx, c.Type, desk.Filter{Status: c.Status, Queue: c.Queue, Limit: c.Limit, After: c.After})
	if err != nil {
		return err
	}
	return page(s, l, func(r *wire.RecordView) string { return r.ID }, "There are none that you may see.", []string{"ID", "NUMBER", "STATUS", "LABEL", "BY", "CHANGED"}, func(r *wire.RecordView) []string {
		return []string{abbreviate(r.ID), r.Number, r.Status, r.Label, r.CreatedBy, when(r.UpdatedAt)}
	})
}

type refArg struct {
	Ref string `arg:"" help:"Which record: TYPE/REF or REF, an id, the beginning of one, or a number." name:"record"`
}

type recordShowCmd struct{ refArg }

func (c *recordShowCmd) Help() string { return "Example:\n  landfall record show EXP-1042" }

// Run shows a record.
func (c *recordShowCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	r, err := d.Record(s.ctx, c.Ref)
	if err != nil {
		return err
	}
	return s.show(r, r.ID, func() { s.record(&r.Record, r.Label, r.Names) })
}

// record prints a record for a person; names are the labels of those that it refers to.
func (s *session) record(r *landfall.Record, label string, names map[string]string) {
	fmt.Fprintf(s.out, "%s %s  %s\n", r.Type, or(r.Number, abbreviate(r.ID)), label)
	if r.Status != "" {
		by := ""
		if e := r.StatusEdit; e != nil {
			by = "  (" + who(e) + ")"
		}
		fmt.Fprintf(s.out, "  %-14s %s%s\n", "status", r.Status, by)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Fields)) {
		by := ""
		if e, ok := r.Edits[name]; ok {
			by = "  (" + who(&e) + ")"
		}
		fmt.Fprintf(s.out, "  %-14s %s%s\n", name, called(r.Fields[name], names), by)
	}
	if r.Queue != "" || r.Assignee != "" {
		fmt.Fprintf(s.out, "  %-14s %s\n", "waits", waits(r.Queue, r.Assignee))
	}
	fmt.Fprintf(s.out, "  %-14s %s, version %d\n", "id", r.ID, r.Version)
}

func waits(queue, assignee string) string {
	switch {
	case assignee != "" && queue != "":
		return "for " + capital(assignee) + ", in " + queue
	case assignee != "":
		return "for " + capital(assignee)
	}
	return "in " + queue
}

// who says who entered a value, and who applied it when that is another.
func who(e *landfall.Edit) string {
	if e.By != "" && e.By != e.Author {
		return fmt.Sprintf("entered by %s, applied by %s, %s", capital(e.Author), capital(e.By), when(e.At))
	}
	return capital(e.Author) + ", " + when(e.At)
}

// do makes a change and prints what came of it.
func (s *session) do(d *desk.Desk, do wire.Do) error {
	done, err := d.Do(s.ctx, do)
	if err != nil {
		return err
	}
	return s.show(done, done.Record.ID, func() {
		r := done.Record
		state := ""
		if r.Status != "" {
			state = ": " + r.Status
		}
		fmt.Fprintf(s.out, "%s %s%s\n", r.Type, or(r.Number, r.ID), state)
	})
}

type recordCreateCmd struct {
	Type string   `arg:"" help:"Type of the record."`
	Set  []string `arg:"" optional:"" help:"FIELD=VALUE …" name:"field=value"`
}

func (c *recordCreateCmd) Help() string {
	return "Example:\n  landfall record create expense purpose=Oslo amount=120 currency=EUR"
}

// Run creates a record.
func (c *recordCreateCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	a, err := app(s, d)
	if err != nil {
		return err
	}
	t := a.Types[c.Type]
	if t == nil {
		return definition.Unknown(landfall.CodeInvalid, "type", c.Type, a.Order)
	}
	set, err := assignments(t, c.Set)
	if err != nil {
		return err
	}
	return s.do(d, wire.Do{Op: landfall.OpCreate, Type: c.Type, Set: set})
}

// known finds a record and its type.
func (s *session) known(d *desk.Desk, ref string) (*wire.RecordView, *definition.Type, error) {
	r, err := d.Record(s.ctx, ref)
	if err != nil {
		return nil, nil, err
	}
	a, err := app(s, d)
	if err != nil {
		return nil, nil, err
	}
	t := a.Types[r.Type]
	if t == nil {
		return nil, nil, definition.Unknown(landfall.CodeInvalid, "type", r.Type, a.Order)
	}
	return r, t, nil
}

type recordSetCmd struct {
	refArg
	Set  []string `arg:"" help:"FIELD=VALUE …" name:"field=value"`
	Note string   `help:"Why, for the history."`
}

func (c *recordSetCmd) Help() string {
	return "Example:\n  landfall record set EXP-1042 notes=\"receipt is missing\""
}

// Run sets fields.
func (c *recordSetCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	r, t, err := s.known(d, c.Ref)
	if err != nil {
		return err
	}
	set, err := assignments(t, c.Set)
	if err != nil {
		return err
	}
	return s.do(d, wire.Do{Op: landfall.OpUpdate, Type: r.Type, ID: r.ID, Set: set, Version: r.Version, Note: c.Note})
}

type recordMoveCmd struct {
	refArg
	Transition string   `arg:"" help:"Which transition."`
	Set        []string `arg:"" optional:"" help:"FIELD=VALUE … that go with it" name:"field=value"`
	Note       string   `help:"Why, for the history."`
}

func (c *recordMoveCmd) Help() string { return "Example:\n  landfall record move EXP-1042 approve" }

// Run makes a transition.
func (c *recordMoveCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	r, t, err := s.known(d, c.Ref)
	if err != nil {
		return err
	}
	set, err := assignments(t, c.Set)
	if err != nil {
		return err
	}
	return s.do(d, wire.Do{Op: landfall.OpTransition, Type: r.Type, ID: r.ID, Transition: c.Transition, Set: set, Version: r.Version, Note: c.Note})
}

type recordDeleteCmd struct {
	refArg
	Note string `help:"Why, for the history."`
}

// Run deletes a record.
func (c *recordDeleteCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	r, err := d.Record(s.ctx, c.Ref)
	if err != nil {
		return err
	}
	return s.do(d, wire.Do{Op: landfall.OpDelete, Type: r.Type, ID: r.ID, Version: r.Version, Note: c.Note})
}

type recordRestoreCmd struct {
	Type string `arg:"" help:"Type of the record."`
	ID   string `arg:"" help:"Its whole id; lists show no deleted records."`
	Note string `help:"Why, for the history."`
}

func (c *recordRestoreCmd) Help() string {
	return "Whoever may delete the record may restore it. The audit log has its id.\nExample:\n  landfall audit --action record.delete\n  landfall record restore expense 0199f0a2-7c31-7e55-9a40-1d2c3b4a5f60 --note \"deleted by mistake\""
}

// Run restores a record.
func (c *recordRestoreCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	return s.do(d, wire.Do{Op: landfall.OpRestore, Type: c.Type, ID: c.ID, Note: c.Note})
}

type recordHistoryCmd struct{ refArg }

// Run prints the history.
func (c *recordHistoryCmd) Run(s *session) error {
	d, err := s.desk()
	if err != nil {
		return err
	}
	l, err := d.History(s.ctx, c.Ref)
	if err != nil {
		return err
	}
	return page(s, l, func(x *landfall.Change) string { return fmt.Sprint(x.Seq) }, "Nothing has happened yet.", []string{"AT", "WHO", "WHAT", "VALUES"}, func(x *landfall.Change) []string {
		by := capital(x.Author)
		if x.By != "" && x.By != x.Author {
			by += ", applied by " + capital(x.By)
		}
		what := string(x.Action)
		if x.Transition != "" {
			what = x.Transition + " → " + x.To
		}
		if x.Derived { // nobody entered it
			what += ", worked out"
		}
		return []string{when(x.At), by, what, values(x)}
	})
}

// values tells what a change set, and what lost by a merge.
func values(x *landfall.Change) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(x.Set)) {
		out = append(out, name+"="+or(plain(x.Set[name]), "(cleared)"))
	}
	for _, name := range slices.Sorted(maps.Keys(x.Lost)) {
		out = append(out, name+": "+plain(x.Lost[name])+" was not kept")
	}
	if x.Note != "" {
		out = append(out, "“"+x.Note+"”")
	}
	return strings.Join(out, ", ")
}
