package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// hand is somebody who enters values: with a device, or at the desk.
type hand struct {
	w    *world
	user string
	dice dice
	app  *app.App                  // that they work with
	all  func(typ string) []string // records that they can refer to
	made []int                     // canaries of what is entered now
}

// hand is the user's at the device: of the definition that it has.
func (d *device) hand(c *client.Client, x dice) *hand {
	h := &hand{w: d.w, user: d.user, dice: x, app: d.w.app()}
	if a, err := c.App(d.w.ctx); err == nil {
		h.app = d.w.on(a.Source)
	}
	h.all = func(typ string) (out []string) {
		for _, v := range d.records(c, typ) {
			out = append(out, v.Record.ID)
		}
		return out
	}
	return h
}

// encoded is a value of the simulation's own as JSON, which always can be.
func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

func quote(s string) landfall.Value { return encoded(s) }

func unquote(v landfall.Value) string {
	s := ""
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// codes are few, so that unique values meet.
var codes = []string{"A-1", "A-2", "A-3", "A-4"}

func (h *hand) text(t *app.Type, field, record string) string {
	n, text := h.w.canaries.write(canary{user: h.user, typ: t.Name, field: field, record: record, since: h.app.Version})
	h.made = append(h.made, n)
	return text
}

// value is one that a person might enter; now is what they see.
func (h *hand) value(t *app.Type, f *app.Field, record string, now landfall.Value) landfall.Value {
	if !f.Required && h.dice.chance(0.06) {
		return landfall.Null
	}
	switch f.Type {
	case app.Text:
		if f.Unique {
			return quote(pick(h.dice, codes))
		}
		return quote(h.text(t, f.Name, record))
	case app.LongText:
		before := unquote(now)
		if h.dice.chance(0.15) {
			before = ""
		}
		return quote(before + h.text(t, f.Name, record) + ";")
	case app.Integer:
		n, _ := strconv.ParseInt(string(now), 10, 64) // none counts as 0
		return landfall.Value(strconv.FormatInt(n+h.dice.Int64N(5)-1, 10))
	case app.Decimal:
		return quote(strconv.Itoa(h.dice.IntN(40)) + ".5")
	case app.Choices:
		var some []string
		for _, c := range f.Choices {
			if h.dice.chance(0.4) {
				some = append(some, c)
			}
		}
		if len(some) == 0 {
			return landfall.Null
		}
		return encoded(some)
	case app.User:
		return quote(pick(h.dice, h.w.users))
	case app.Team:
		return quote(pick(h.dice, teams))
	case app.Reference:
		if h.all == nil {
			return landfall.Null
		}
		if all := h.all(f.To); len(all) > 0 {
			return quote(pick(h.dice, all))
		}
	}
	return landfall.Null
}

// some are a few fields of a type with new values.
func (h *hand) some(t *app.Type, record string, now landfall.Fields, most int) landfall.Fields {
	set := landfall.Fields{}
	for range 1 + h.dice.IntN(most) {
		f := pick(h.dice, t.Fields)
		if f.Type == app.Datetime || f.Sums != "" || f.Name == t.PartOf || f.Type == app.Reference && h.all == nil || (f.Type == app.User || f.Type == app.Team) && !h.dice.chance(0.3) {
			continue
		}
		set[f.Name] = h.value(t, f, record, now[f.Name])
	}
	if len(set) == 0 {
		f := t.Fields[0]
		set[f.Name] = h.value(t, f, record, now[f.Name])
	}
	return set
}

// fresh is what a new record begins with.
func (h *hand) fresh(t *app.Type) landfall.Fields {
	set := landfall.Fields{}
	for _, f := range t.Fields {
		switch {
		case f.Type == app.Reference && !f.Required && h.dice.chance(0.2), f.Type == app.Datetime, f.Sums != "":
		case f.Required, f.Type == app.Reference, f.Type == app.Team && h.dice.chance(0.4), f.Type != app.User && f.Type != app.Team && h.dice.chance(0.35):
			if v := h.value(t, f, "", nil); !landfall.IsNull(v) {
				set[f.Name] = v
			}
		}
	}
	return set
}

// entered: what was entered just now is on this record, which would be like this.
func (h *hand) entered(t *app.Type, record string, set landfall.Fields) {
	begins := set.Clone()
	if begins == nil {
		begins = landfall.Fields{}
	}
	if unquote(begins["owner"]) == "" {
		begins["owner"] = quote(h.user)
	}
	for _, n := range h.made {
		h.w.canaries.all[n].record = record
	}
	h.made = nil
	h.w.canaries.be(record, would{t.Name, begins})
}

func with(fields, set landfall.Fields) landfall.Fields {
	out := landfall.Fields{}
	maps.Copy(out, fields)
	maps.Copy(out, set)
	return out
}

// short is how a record is called in the trace.
func short(id string) string {
	if len(id) > 6 {
		return "…" + id[len(id)-6:]
	}
	return id
}

func shown(set landfall.Fields) string {
	var parts []string
	for name, v := range set {
		parts = append(parts, name+"="+strings.Trim(string(v), `"`))
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

// records are those of a type that the device shows, by id.
func (d *device) records(c *client.Client, typ string) []*client.View {
	all, err := c.List(d.w.ctx, typ)
	if err != nil {
		return nil // the device does not have the definition yet
	}
	slices.SortFunc(all, func(a, b *client.View) int { return strings.Compare(a.Record.ID, b.Record.ID) })
	return all
}

// do makes a change on the device, and notes what was made for the ledger.
func (d *device) do(c *client.Client, h *hand, what string, f func(g *client.Group) error) error {
	d.acting = d.keys()
	err := c.Group(d.w.ctx, f)
	h.made = nil
	if err == nil {
		d.w.say("%s: %s", d.name, what)
	}
	d.noteMade()
	return err
}

// create makes a record of a type.
func (d *device) create(c *client.Client, h *hand, typ string) error {
	if t := h.app.Type(typ); t.PartOf != "" && len(h.all(t.PartOf)) == 0 {
		typ = t.PartOf
	}
	t := h.app.Type(typ)
	set := h.fresh(t)
	return d.do(c, h, "creates a "+typ+": "+shown(set), func(g *client.Group) error {
		id, err := g.Create(typ, set)
		h.entered(t, id, set)
		return err
	})
}

// change updates, moves or deletes a record that the device shows.
func (d *device) change(c *client.Client, h *hand) error {
	typ := pick(h.dice, []string{"job", "job", "job", "job", "task", "task", "memo", "step", "step", "note"})
	all := d.records(c, typ)
	if len(all) == 0 {
		return d.create(c, h, typ)
	}
	v := pick(h.dice, all[max(0, len(all)-d.w.conf.Hot):])
	t, id := h.app.Type(typ), v.Record.ID
	switch roll := h.dice.IntN(20); {
	case roll == 0:
		return d.do(c, h, "deletes "+typ+" "+short(id), func(g *client.Group) error { return g.Delete(id) })
	case roll < 7 && t.Initial != "":
		return d.move(c, h, t, v)
	default:
		set := h.some(t, id, v.Record.Fields, 3)
		return d.do(c, h, "updates "+typ+" "+short(id)+": "+shown(set), func(g *client.Group) error {
			h.entered(t, id, with(v.Record.Fields, set))
			return g.Update(id, set)
		})
	}
}

func (d *device) move(c *client.Client, h *hand, t *app.Type, v *client.View) error {
	var moves []*app.Move
	for _, m := range t.Moves {
		if slices.Contains(m.From, v.Record.Status) {
			moves = append(moves, m)
		}
	}
	if len(moves) == 0 {
		return nil
	}
	m, id := pick(h.dice, moves), v.Record.ID
	set := landfall.Fields{}
	if h.dice.chance(0.3) {
		set = h.some(t, id, v.Record.Fields, 2)
	}
	return d.do(c, h, fmt.Sprintf("moves %s %s: %s %s", t.Name, short(id), m.Name, shown(set)), func(g *client.Group) error {
		h.entered(t, id, with(v.Record.Fields, set))
		return g.Move(id, m.Name, set)
	})
}

// group makes changes that are applied all or not at all: a job with a task on
// it or a part of it, or a change of two records.
func (d *device) group(c *client.Client, h *hand) error {
	job, other := h.app.Type("job"), h.app.Type(pick(h.dice, []string{"task", "step"}))
	jobs := d.records(c, "job")
	if len(jobs) > 1 && h.dice.chance(0.3) {
		return d.swap(c, h, jobs)
	}
	first, set := h.fresh(job), landfall.Fields{}
	return d.do(c, h, "makes a group of changes", func(g *client.Group) error {
		var id string
		var err error
		if len(jobs) > 0 && h.dice.chance(0.6) {
			v := pick(h.dice, jobs)
			id, h.made = v.Record.ID, nil
			set = h.some(job, id, v.Record.Fields, 2)
			err = g.Update(id, set)
			h.entered(job, id, with(v.Record.Fields, set))
		} else {
			id, err = g.Create("job", first)
			h.entered(job, id, first)
		}
		if err != nil {
			return err
		}
		more := h.fresh(other)
		more["job"] = quote(id)
		made, err := g.Create(other.Name, more)
		h.entered(other, made, more)
		return err
	})
}

// swap exchanges the unique codes of two jobs, as one.
func (d *device) swap(c *client.Client, h *hand, jobs []*client.View) error {
	at := h.dice.IntN(len(jobs) - 1)
	a, b := jobs[at].Record, jobs[at+1+h.dice.IntN(len(jobs)-at-1)].Record
	name := h.app.Called(0, "job", "code")
	code := func(r *landfall.Record) landfall.Fields {
		if v := r.Fields[name]; !landfall.IsNull(v) {
			return landfall.Fields{name: v}
		}
		return landfall.Fields{name: landfall.Null}
	}
	return d.do(c, h, "exchanges the codes of "+short(a.ID)+" and "+short(b.ID), func(g *client.Group) error {
		if err := g.Update(a.ID, code(b)); err != nil {
			return err
		}
		return g.Update(b.ID, code(a))
	})
}

// revert takes an issue or unsent changes back.
func (d *device) revert(c *client.Client, h *hand) error {
	ref := ""
	log, err := c.Log(d.w.ctx)
	if err != nil {
		return err
	}
	for _, l := range log {
		if slices.Contains(l.Actions, "revert") && (ref == "" || h.dice.chance(0.5)) {
			ref = l.Issue
		}
	}
	if pending, err := c.Pending(d.w.ctx); err == nil && len(pending) > 0 && (ref == "" || h.dice.chance(0.4)) {
		ref = pick(h.dice, pending).Record
	}
	if ref == "" {
		return nil
	}
	d.acting = d.keys()
	d.tookBack = true
	err = c.Revert(d.w.ctx, ref)
	if err == nil {
		d.w.say("%s: reverts %s", d.name, short(ref))
	}
	d.noteMade()
	return err
}

// retryOwn asks the server to judge an issue of the device again.
func (d *device) retryOwn(c *client.Client, h *hand) error {
	log, err := c.Log(d.w.ctx)
	if err != nil {
		return err
	}
	for _, l := range log {
		if slices.Contains(l.Actions, "retry") && h.dice.chance(0.7) {
			d.w.say("%s: asks to retry %s", d.name, short(l.Issue))
			return c.Retry(d.w.ctx, l.Issue)
		}
	}
	return nil
}
