package core

import (
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// DeskReplica is the replica in the origin of what people decide: never a device's.
const DeskReplica = "desk"

// Decide turns a decision into the decider's own mutations and judges them in
// one run: the transitions before, the values chosen, the transitions after,
// the assignment. in.Actor is the decider; App, World, Seq and Now as for
// Judge; Run is ignored.
//
// A decision that names what there is not is a *landfall.Error with
// CodeInvalid; what the rules refuse, or a record that changed since
// d.Version, is the Verdict's Refusal. Other errors are the World's.
func Decide(in Input, h Held, d Decision) (Decided, error) {
	h.Lane, h.Group = convertRun(in.App, h.Lane), convertRun(in.App, h.Group)
	p := &plan{in: in, h: h, d: d, want: collapse(h.Lane, d.Through), author: h.Issue.Author}
	p.typ = in.App.Types[h.Issue.RecordType]
	if err := p.check(); err != nil {
		return Decided{}, err
	}
	out := Decided{Through: max(p.want.through, d.Through), Settlement: landfall.SettledKept}
	if p.typ == nil {
		out.Verdict = Verdict{Applied: true, Note: noteNothing}
		return out, nil // nothing of it can be taken: check made sure that nothing is asked for
	}
	var err error
	if p.server, err = in.World.Record(h.Issue.Record); err != nil {
		return Decided{}, err
	}
	p.want.canonical(p.typ)
	p.choose()
	if err := p.steps(); err != nil {
		return Decided{}, err
	}
	out.Settlement = p.settlement()
	j := newJudging(p.in)
	out.Verdict, err = p.judge(j)
	if err != nil {
		return Decided{}, err
	}
	return out, p.show(j, &out)
}

// plan is a decision on its way to become mutations.
type plan struct {
	in     Input
	h      Held
	d      Decision
	typ    *definition.Type // of the issue's record; nil when the definition has none
	author string           // of the issue
	server *landfall.Record
	want   wanted // the device's side

	values  landfall.Fields   // what the decision stores
	authors map[string]string // who entered those values
	device  bool              // a value, or the deletion, of the device's is taken
	another bool              // a value of the decider's own is stored
	left    bool              // a value of the device's is left out
}

// present reports whether the record is on the server.
func (p *plan) present() bool { return p.server != nil && !p.server.Deleted }

// side is the side that a field is taken from.
func (p *plan) side(field string) Side {
	if s := p.d.Fields[field]; s != "" {
		return s
	}
	if p.d.Take != "" {
		return p.d.Take
	}
	return ServerSide
}

// choose picks the value of each field.
func (p *plan) choose() {
	p.values, p.authors = landfall.Fields{}, map[string]string{}
	removes := p.want.remove && p.d.Take == DeviceSide
	sight := SightOf(p.in.App, &p.in.Actor)
	for name, v := range p.want.set {
		var now landfall.Value
		if p.present() {
			now = p.server.Fields[name]
		}
		own, typed := p.d.Set[name]
		blind := sight.Hides(p.typ.Name, name) // how the sides compare must not tell
		if typed && !blind {
			typed = !landfall.SameValue(canonicalOr(p.typ.Fields[name], own), v)
		}
		switch {
		case typed:
			p.left = true
		case removes || landfall.SameValue(v, now) && p.present() && !blind:
		case p.side(name) == DeviceSide || p.d.Set[name] != nil:
			p.values[name], p.authors[name] = v, p.author
			p.device = true
		default:
			p.left = true
		}
	}
	for name, v := range p.d.Set {
		if _, chosen := p.values[name]; chosen {
			continue
		}
		p.values[name], p.authors[name] = orNull(v), p.in.Actor.User
		p.another = true
	}
	if p.want.remove || p.want.restore || p.want.create && len(p.want.set) == 0 {
		p.device = p.device || p.d.Take == DeviceSide
		p.left = p.left || p.d.Take != DeviceSide
	}
}

// settlement is how the issue ends.
func (p *plan) settlement() landfall.Settlement {
	switch {
	case p.another || p.device && p.left:
		return landfall.SettledMerged
	case p.device || p.d.Take == DeviceSide && !p.left:
		return landfall.SettledApplied
	default:
		return landfall.SettledKept
	}
}

// steps writes the decider's mutations. Those of a group keep their order; what
// is decided about the issue's own record stands where the group has it first.
func (p *plan) steps() error {
	own, err := p.ownSteps()
	if err != nil {
		return err
	}
	p.in.Lane, p.in.Run = true, nil
	placed := false
	for i := range p.h.Group {
		s := &p.h.Group[i]
		switch {
		case s.Mutation.ID != p.h.Issue.Record:
			switch {
			case !judged[s.Mutation.Op]:
			case p.d.Take == DeviceSide:
				m := s.Mutation
				p.add(m, p.authorsOf(m.Set))
				p.device = true
			default:
				p.left = true
			}
		case !placed:
			placed = true
			p.in.Run = append(p.in.Run, own...)
		}
	}
	if !placed {
		p.in.Run = append(p.in.Run, own...)
	}
	return nil
}

// authorsOf says that the issue's author entered all of it.
func (p *plan) authorsOf(set landfall.Fields) map[string]string {
	out := map[string]string{}
	for name := range set {
		out[name] = p.author
	}
	return out
}

// add appends a mutation to the run as the decider's own.
func (p *plan) add(m landfall.Mutation, authors map[string]string) {
	p.in.Run = append(p.in.Run, p.step(m, authors))
}

// step is a mutation as the decider's own: based on what is there when its turn
// comes, so that it conflicts with nothing.
func (p *plan) step(m landfall.Mutation, authors map[string]string) Step {
	m.Replica, m.Incarnation, m.N = DeskReplica, 1, 0
	m.Definition, m.MadeAt, m.Group, m.Amends = p.in.App.Version, p.in.Now, nil, nil
	return Step{
		Mutation: m, Edited: p.in.Now, By: p.in.Actor.User, Author: authorOf(m.Op, p.author),
		Authors: authors, Issue: p.h.Issue.ID, Note: p.d.Note, current: true,
	}
}

// authorOf: a record made, and one deleted, is the author's doing; a move is the
// decider's.
func authorOf(op landfall.Op, author string) string {
	if op == landfall.OpCreate || op == landfall.OpDelete {
		return author
	}
	return ""
}

// ownSteps are the mutations on the issue's own record.
func (p *plan) ownSteps() ([]Step, error) {
	m := func(op landfall.Op) landfall.Mutation {
		return landfall.Mutation{Op: op, Type: p.h.Issue.RecordType, ID: p.h.Issue.Record}
	}
	var before, middle, after []Step
	for _, name := range p.d.Before {
		t := m(landfall.OpTransition)
		t.Transition = name
		before = append(before, p.step(t, nil))
	}
	for _, name := range p.d.After {
		t := m(landfall.OpTransition)
		t.Transition = name
		after = append(after, p.step(t, nil))
	}
	set := func(op landfall.Op) Step {
		u := m(op)
		u.Set = p.values
		s := p.step(u, p.authors)
		s.asked = p.want.set
		return s
	}
	takes := len(p.values) > 0 || p.d.Take == DeviceSide
	switch {
	case p.want.remove && p.d.Take == DeviceSide:
		if p.present() {
			middle = append(middle, p.step(m(landfall.OpDelete), nil))
		}
	case p.present():
		if len(p.values) > 0 {
			middle = append(middle, set(landfall.OpUpdate))
		}
	case p.server != nil && takes:
		// Deleted meanwhile: it is brought back before anything is done with it.
		before = append([]Step{p.step(m(landfall.OpRestore), nil)}, before...)
		if len(p.values) > 0 {
			middle = append(middle, set(landfall.OpUpdate))
		}
	case p.server == nil && takes && p.want.create:
		if len(before) > 0 {
			return nil, landfall.Errorf(landfall.CodeInvalid, "the record is not there yet, so no transition can be made before it is").
				WithHint("name the transition under after")
		}
		middle = append(middle, set(landfall.OpCreate))
	case takes:
		middle = append(middle, set(landfall.OpUpdate)) // refused: there is no record
	}
	return slices.Concat(before, middle, after), nil
}

// judge judges the run and adds the assignment.
func (p *plan) judge(j *judging) (Verdict, error) {
	if r, err := p.stale(j); r != nil || err != nil {
		return Verdict{Refusal: r}, err
	}
	if r, err := j.run(); r != nil || err != nil {
		return Verdict{Refusal: r}, err
	}
	if p.d.To != "" {
		if r, err := p.assign(j); r != nil || err != nil {
			return Verdict{Refusal: r}, err
		}
	}
	return j.commit()
}

// stale: the record is as the decider saw it.
func (p *plan) stale(j *judging) (*Refusal, error) {
	if p.d.Version == 0 || p.server == nil || p.server.Version == p.d.Version {
		return nil, nil
	}
	w, err := j.load(p.server.ID)
	if err != nil {
		return nil, err
	}
	if sees, err := j.sees(w); !sees || err != nil {
		return nil, err // whose answer must not tell that there is a record
	}
	past, err := p.in.World.Changes(p.server.ID, p.d.Version)
	if err != nil {
		return nil, err
	}
	if len(past) > 0 && !slices.ContainsFunc(past, func(c landfall.Change) bool { return !c.Derived }) {
		return nil, nil // nobody entered anything
	}
	kind := landfall.KindField
	if slices.ContainsFunc(past, func(c landfall.Change) bool { return c.From != "" && c.From != c.To }) {
		kind = landfall.KindStatus
	}
	return p.refuse(StageStatus, kind, say(CodeChangedSince, title(p.typ))), nil
}

// refuse is a refusal of the decision as a whole.
func (p *plan) refuse(stage Stage, kind landfall.Kind, m landfall.Message) *Refusal {
	about := &landfall.Mutation{Type: p.h.Issue.RecordType, ID: p.h.Issue.Record, Op: landfall.OpUpdate}
	r := routed(p.in.App, &Refusal{Stage: stage, Kind: kind, Messages: []landfall.Message{m}, Cause: cause(kind, about, m.Code)}, p.in.Actor.User, about)
	r.Then = p.server.Clone()
	return &r
}

// assign puts the record into a queue, or in the worklist of a user; a queue
// takes it out of the worklist that it was in.
func (p *plan) assign(j *judging) (*Refusal, error) {
	w, err := j.load(p.h.Issue.Record)
	if err != nil {
		return nil, err
	}
	sees, err := j.sees(w)
	if err != nil {
		return nil, err
	}
	if !sees || w.now.Deleted || w.now.Type != p.typ.Name {
		return p.refuse(StageExistence, landfall.KindNotAvailable, say(CodeNotAvailable)), nil
	}
	r := writable(w.now)
	kind, name, _ := strings.Cut(p.d.To, ":")
	if kind == "user" {
		r.Assignee = name
	} else {
		r.Queue, r.Assignee = name, ""
	}
	c := landfall.Change{
		Seq: p.in.Seq, Type: r.Type, ID: r.ID, Action: landfall.Assigned,
		Author: p.in.Actor.User, At: p.in.Now, Edited: p.in.Now,
		Origin: landfall.Key{Replica: DeskReplica, Incarnation: 1}, Issue: p.h.Issue.ID, Note: p.d.Note,
	}
	for _, a := range []struct{ name, was, now string }{{"assignee", w.now.Assignee, r.Assignee}, {"queue", w.now.Queue, r.Queue}} {
		if a.was != a.now {
			enter(&c.Set, a.name, textOrNone(a.now))
			enter(&c.Was, a.name, textOrNone(a.was))
		}
	}
	if len(c.Set) == 0 {
		return nil, nil
	}
	j.changes = append(j.changes, c)
	w.made = append(w.made, c)
	j.touch(w, r)
	return nil, nil
}

// show adds the record as decided and the comparison with its result, for a
// decider who may see the record, and as they may read it.
func (p *plan) show(j *judging, out *Decided) error {
	w, err := j.load(p.h.Issue.Record)
	if err != nil {
		return err
	}
	if sees, err := p.sees(j, w); !sees || err != nil {
		return err
	}
	side := &sideways{sight: j.sight, author: p.author, own: p.author == p.in.Actor.User}
	out.Columns = side.compare(p.typ, &p.want, nil, p.server)
	if !out.Verdict.Applied {
		return nil
	}
	out.Record = j.sight.Record(w.now)
	if w.now == nil {
		out.Asked = p.asked()
	}
	if w.now != nil && !w.now.Deleted {
		out.Columns = withResult(p.typ, out.Columns, out.Record)
	}
	return nil
}

// sees: the decider may see the record; of one that was never made, the record
// that the device asked for.
func (p *plan) sees(j *judging, w *working) (bool, error) {
	if w.now != nil {
		return j.sees(w)
	}
	keys, err := Audience(p.in.App, p.asked(), j.lastSeen)
	return j.holds(keys), err
}

// asked is the record that the device asked for, as it would have been made.
func (p *plan) asked() *landfall.Record {
	r := &landfall.Record{Type: p.typ.Name, ID: p.h.Issue.Record, Fields: p.want.set, CreatedBy: p.author}
	if l := p.typ.Lifecycle; l != nil {
		r.Status = l.Initial
	}
	return r
}

// withResult adds what is stored in the end to a comparison.
func withResult(t *definition.Type, columns []Column, r *landfall.Record) []Column {
	byField := map[string]Column{}
	var out []Column
	for _, c := range columns {
		if c.Status {
			c.Result = textOrNone(r.Status)
			out = append(out, c)
		} else {
			byField[c.Field] = c
		}
	}
	for _, name := range t.Order {
		c, compared := byField[name]
		if !compared {
			c = Column{Field: name, Title: fieldTitle(t, name)}
		}
		c.Result = orNothing(r.Fields[name])
		if compared || c.Result != nil {
			out = append(out, c)
		}
	}
	return out
}
