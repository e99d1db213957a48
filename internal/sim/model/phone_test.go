package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/wire"
)

// phone is a device that does what devices can do, wisely or not.
type phone struct {
	w           *world
	user        string
	replica     string
	incarnation int64
	next        int64
	skew        time.Duration
	sent        [][]byte // of the incarnation, by number
	acked       int64    // numbers below were answered
	seen        map[string]*landfall.Record
	after       map[string]int64
	ids         []string // of seen
	head        int64    // up to where it knows all
	checkpoint  string
	lostThrough int64
	deleted     string   // by it, and maybe to be restored
	app         *app.App // that it fetched last
}

func newPhone(w *world, user, replica string) *phone {
	return &phone{w: w, user: user, replica: replica, incarnation: 1, next: 1, acked: 1, skew: time.Duration(w.rnd.IntN(7200)-3600) * time.Second,
		seen: map[string]*landfall.Record{}, after: map[string]int64{}, app: w.app}
}

// pull looks at what the server has: at what the user may see, and, as somebody
// who could once see it would, sometimes at what they may not.
func (p *phone) pull() {
	if p.w.rnd.IntN(3) == 0 { // they fetch a definition before what it converted, or long after
		p.app = p.w.app
	}
	for _, id := range p.w.m.Visible(p.user) {
		p.look(id)
	}
	p.head = p.w.m.Head()
}

func (p *phone) look(id string) {
	row := p.w.row(id)
	if row == nil || row.Record.Type == landfall.IssueType {
		return
	}
	if p.seen[id] == nil {
		p.ids = append(p.ids, id)
	}
	p.seen[id] = row.Record.Clone()
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// value is a value for a field, not always one that it may have.
func (p *phone) value(f *app.Field) landfall.Value {
	for {
		if v := p.some(f); !p.w.tidy || !slices.Contains(wrong, string(v)) {
			return v
		}
	}
}

// wrong are values that no field takes.
var wrong = []string{`"x"`, `"-3"`, `"twelve"`, `["icy"]`, `"nothing"`, `"nobody"`, `"west"`, `"soon"`, "9007199254740992"}

func (p *phone) some(f *app.Field) landfall.Value {
	r := p.w.rnd
	if r.IntN(12) == 0 {
		return landfall.Null
	}
	text := func(s string) landfall.Value {
		b, err := json.Marshal(s)
		p.w.must(err)
		return b
	}
	switch f.Type {
	case app.Integer:
		return pick(r, landfall.Value("1"), landfall.Value("2"), landfall.Value("3"), landfall.Value("-0"), landfall.Value("9007199254740992"), landfall.Value(`"x"`))
	case app.Decimal:
		return pick(r, text("12.50"), text("1e2"), landfall.Value("7.0"), text("0.1"), text("-3"), text("100000.01"), text("twelve"))
	case app.Choices:
		return pick(r, landfall.Value(`["hot"]`), landfall.Value(`["wet","cold"]`), landfall.Value(`["hot","dry","hot"]`), landfall.Value(`[]`), landfall.Value(`["icy"]`))
	case app.Reference:
		for _, id := range p.ids {
			if r.IntN(3) == 0 && (p.seen[id].Type == f.To || r.IntN(10) == 0) {
				return text(id)
			}
		}
		return text(pick(r, p.w.id(), "nothing"))
	case app.User:
		return text(pick(r, "will", "wendy", "lea", "carl", "gus", "nobody", "will", p.user))
	case app.Team:
		return text(pick(r, "north", "south", "west"))
	case app.Datetime:
		return text(pick(r, "2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00.5Z", "soon"))
	}
	if f.Name == "log" && r.IntN(2) == 0 {
		for _, id := range p.ids {
			if v := p.seen[id].Fields["log"]; v != nil {
				var s string
				p.w.must(json.Unmarshal(v, &s))
				return text(s + pick(r, " and on", "!", " <so> &"))
			}
		}
	}
	return text(pick(r, "one", "two", "three", "", "Straße", "four", "five <&>"))
}

// fields are some values.
func (p *phone) fields(t *app.Type, many int) landfall.Fields {
	out := landfall.Fields{}
	for range 1 + p.w.rnd.IntN(many) {
		f := pick(p.w.rnd, t.Fields...)
		if n := p.w.hot % 5; p.w.rnd.IntN(2) == 0 && n+3 <= len(t.Fields) {
			f = pick(p.w.rnd, t.Fields[n:n+3]...)
		}
		if p.w.storm && p.w.rnd.IntN(10) > 0 { // what nobody needs to decide
			f = pick(p.w.rnd, t.Fields[1], t.Fields[4], t.Fields[5], t.Fields[6], t.Fields[7], t.Fields[8])
		}
		out[f.Name] = p.value(f)
	}
	if !p.w.tidy && p.w.rnd.IntN(60) == 0 {
		out["colour"] = landfall.Value(`"red"`)
	}
	return out
}

func (p *phone) base(m *landfall.Mutation) {
	rec := p.seen[m.ID]
	m.Base = &landfall.Base{Version: rec.Version, Status: rec.Status, After: p.after[m.ID], Was: landfall.Fields{}}
	for name := range m.Set {
		m.Base.Was[name] = landfall.Null
		if v := rec.Fields[name]; v != nil {
			m.Base.Was[name] = v
		}
	}
	if p.w.rnd.IntN(20) == 0 {
		m.Base.After = 0
	}
}

// mutation makes one up, and shows it in the phone's view.
func (p *phone) mutation() *landfall.Mutation {
	r := p.w.rnd
	a := p.app
	t := pick(r, a.Types[0], a.Types[0], a.Types[0], a.Types[1], a.Types[1], a.Types[2], a.Types[3], a.Types[3], a.Types[4])
	if p.w.storm {
		t = a.Types[0]
	}
	if rec := p.seen[p.deleted]; rec != nil && r.IntN(2) == 0 {
		m := &landfall.Mutation{N: p.next, Op: landfall.OpRestore, Type: rec.Type, ID: rec.ID, MadeAt: p.w.now.Add(p.skew), Definition: a.Version}
		p.deleted = ""
		p.base(m)
		p.after[m.ID] = m.N
		return m
	}
	m := &landfall.Mutation{N: p.next, Type: t.Name, MadeAt: p.w.now.Add(p.skew), Definition: a.Version}
	if len(p.ids) == 0 || !p.w.storm && r.IntN(2+2*len(p.ids)) < 3 {
		m.Op, m.ID, m.Set, m.Base = landfall.OpCreate, p.w.id(), p.fields(t, 5), &landfall.Base{}
		if r.IntN(15) > 0 {
			m.Set[t.Fields[0].Name] = landfall.Value(`"begun"`)
			if t.Field("owner") != nil {
				m.Set["owner"] = landfall.Value(`"` + p.user + `"`)
			}
			p.belongs(t, m.Set)
		}
		if len(p.ids) > 0 && r.IntN(40) == 0 {
			m.ID = pick(r, p.ids...)
		}
		p.show(m, &landfall.Record{Type: t.Name, ID: m.ID, Status: t.Initial, Fields: landfall.Fields{}})
		return m
	}
	slices.Sort(p.ids) // by age: most phones know the oldest
	m.ID = pick(r, p.ids...)
	if p.w.storm {
		m.ID = p.ids[0]
	} else if r.IntN(4) > 0 {
		m.ID = pick(r, p.ids[:min(len(p.ids), p.w.hot)]...)
	}
	rec := p.seen[m.ID].Clone()
	m.Type = rec.Type
	t = a.Type(m.Type)
	n := r.IntN(20)
	if n > 17 && r.IntN(2) == 0 {
		n = 6
	}
	if p.w.storm && n < 19 {
		n = 19
	}
	switch {
	case n < 6 && t.Initial != "":
		m.Op, m.Transition = landfall.OpTransition, pick(r, t.Moves...).Name
		for _, move := range t.Moves { // mostly one that leads from here
			if r.IntN(2) == 0 && move.From[0] == rec.Status {
				m.Transition = move.Name
			}
		}
		if r.IntN(3) == 0 {
			m.Set = p.fields(t, 2)
		}
		p.base(m)
		if move := t.Move(m.Transition); move.From[0] == rec.Status {
			rec.Status = move.To
		}
	case n < 7 && r.IntN(2) == 0:
		m.Op = landfall.OpDelete
		p.deleted = m.ID
		p.base(m)
		if r.IntN(3) > 0 {
			m.Base.Seen = p.head
		}
	case n < 8:
		m.Op = landfall.OpRestore
		p.base(m)
	default:
		m.Op, m.Set = landfall.OpUpdate, p.fields(t, 3)
		p.base(m)
	}
	p.show(m, rec)
	return m
}

// belongs gives what belongs to something something to belong to.
func (p *phone) belongs(t *app.Type, set landfall.Fields) {
	for _, f := range t.Fields {
		if f.Type != app.Reference || f.Name != t.PartOf && p.w.rnd.IntN(3) == 0 {
			continue
		}
		for _, id := range p.ids {
			if p.seen[id].Type == f.To && (set[f.Name] == nil || p.w.rnd.IntN(3) == 0) {
				set[f.Name] = landfall.Value(`"` + id + `"`)
			}
		}
	}
}

// show puts the mutation into the view.
func (p *phone) show(m *landfall.Mutation, rec *landfall.Record) {
	for name, v := range m.Set {
		rec.Fields.Put(name, v)
	}
	if p.seen[m.ID] == nil {
		p.ids = append(p.ids, m.ID)
	}
	p.seen[m.ID], p.after[m.ID] = rec, m.N
}

// garbage can't be read, or names what there is not. %d is its number.
var garbage = []string{
	`{"n":%d,"op":"create","op":"create"}`, `{"n":%d,"op":"fly"}`, `{"n":%d,"op":"update","type":"job","id":"X"}`, `[1,%d]`, `{"n":%d,"op":"void","made_at":"now"}`,
	`{"n":%d,"op":"void","colour":"red","made_at":"2026-03-01T09:00:00Z"}`, `{"n":%d,"op":"void","type":"\u0000","made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"create","type":"job","id":"0198c3aa-0000-7000-8000-00000000000X","made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"create","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","set":{"visits":1e1000},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"update","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":-1},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"update","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":1,"Status":"done"},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"delete","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":1},"set":{"site":"x"},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"delete","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":1},"group":{"id":"","of":1},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"delete","type":"job","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":1},"amends":{"issue":""},"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"delete","type":"boat","id":"0198c3aa-0000-7000-8000-0000000f0001","base":{"version":1},"definition":1,"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":%d,"op":"transition","type":"memo","id":"0198c3ac-0000-7000-8000-000000000013","base":{"version":1},"transition":"sail","made_at":"0000-01-01T09:00:00Z"}`,
	`{"n":%d,"op":"transition","type":"job","id":"0198c3ac-0000-7000-8000-000000000013","base":{"version":1,"status":"moored"},"transition":"sail","definition":1,"made_at":"2026-03-01T09:00:00+23:00"}`,
	`{"n":%d,"op":"void","set":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40) + `,"made_at":"2026-03-01T09:00:00Z"}`,
	`{"n":9%d,"op":"void","made_at":"2026-03-01T09:00:00Z"}`, `{"n":%d,"op":"void","made_at":null}`, `{"n":%d.0,"op":"void","made_at":"2026-03-01T09:00:00Z"}`,
}

// make adds to the outbox.
func (p *phone) make() {
	r := p.w.rnd
	n := r.IntN(30)
	if p.w.tidy && n < 3 || p.w.storm && n < 25 {
		n = 29
	}
	switch {
	case n == 0:
		p.add(&landfall.Mutation{N: p.next, Op: landfall.OpVoid, MadeAt: p.w.now})
	case n == 1:
		p.add(&landfall.Mutation{N: p.next, Op: landfall.OpLost, MadeAt: p.w.now})
	case n == 2:
		p.bytes([]byte(pick(r, garbage...)), true)
	case n < 7:
		p.mend()
	case n < 11:
		g := &landfall.Group{ID: fmt.Sprint("g", p.next, p.incarnation), Of: 2 + r.IntN(2)}
		if r.IntN(40) == 0 {
			g.Of++ // which will not arrive whole
		}
		for range min(g.Of, 3) {
			m := p.mutation()
			m.Group = g
			p.add(m)
		}
	default:
		p.add(p.mutation())
	}
}

// mend withdraws or amends an issue, mostly one of its own.
func (p *phone) mend() {
	r := p.w.rnd
	for _, i := range p.w.m.Issues() {
		if i.Author != p.user && r.IntN(20) > 0 || !i.Open() && r.IntN(10) > 0 || r.IntN(2) == 0 {
			continue
		}
		if r.IntN(3) == 0 {
			p.add(&landfall.Mutation{N: p.next, Op: landfall.OpWithdraw, Issue: i.ID, MadeAt: p.w.now})
			return
		}
		m := p.mutation()
		if rec := p.seen[i.Record]; rec != nil && r.IntN(4) > 0 {
			m = &landfall.Mutation{Op: landfall.OpUpdate, ID: i.Record, Type: rec.Type, MadeAt: m.MadeAt, Definition: p.app.Version, Set: landfall.Fields{}}
			a := p.app.Type(rec.Type)
			for _, f := range a.Fields {
				if f.Required || f.Positive || r.IntN(4) == 0 {
					m.Set[f.Name] = p.value(f)
				}
			}
			p.base(m)
			p.show(m, rec.Clone())
		}
		m.Amends = &landfall.Amends{Issue: i.ID, Version: i.Version}
		p.add(m)
		return
	}
}

func (p *phone) add(m *landfall.Mutation) {
	m.N = p.next
	b, err := json.Marshal(m)
	p.w.must(err)
	p.bytes(b, false)
}

func (p *phone) bytes(b []byte, numbered bool) {
	if numbered {
		b = fmt.Appendf(nil, string(b), p.next)
	}
	p.sent = append(p.sent, b)
	p.next++
}

// push sends what is not answered, or, sometimes, what was answered long ago.
func (p *phone) push() {
	first := p.acked
	if p.w.rnd.IntN(6) == 0 {
		first = 1 + p.w.rnd.Int64N(p.acked)
	}
	raw := p.body(first)
	o, err := p.w.in.Offer(context.Background(), ws, inbox.Device{Replica: p.replica}, raw)
	p.w.must(err)
	if p.w.rnd.IntN(3) == 0 {
		p.w.offered = append(p.w.offered, func() { p.answered(o) }) // together with others
		return
	}
	p.w.judge()
	p.answered(o)
}

// body is a push of all from a number on.
func (p *phone) body(first int64) []byte {
	b := wire.Push{Replica: p.replica, Incarnation: p.incarnation, Clock: p.w.now.Add(p.skew), Protocol: wire.Protocol, Definition: p.app.Version, First: first, Checkpoint: p.checkpoint, LostThrough: p.lostThrough}
	if p.checkpoint != "" {
		p.lostThrough, p.checkpoint = p.next-1, ""
	}
	if first > 1 {
		b.PreviousHash = sum(p.sent[first-2])
	}
	for _, m := range p.sent[first-1:] {
		b.Mutations = append(b.Mutations, json.RawMessage(m))
		if !json.Valid(m) {
			p.w.t.Fatalf("%s", m)
		}
	}
	raw, err := json.Marshal(b)
	p.w.must(err)
	p.w.m.Pushed(p.replica, p.w.now, b.Clock)
	return raw
}

func (p *phone) answered(o *inbox.Offered) {
	reply, err := o.Reply()
	p.w.must(err)
	if reply.Forked {
		p.incarnation++
		p.next, p.acked, p.sent, p.after = 1, 1, nil, map[string]int64{}
		return
	}
	if !reply.Gap {
		p.acked = max(p.acked, min(reply.Next, p.next))
	}
}
