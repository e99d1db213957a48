package oracle

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Outcome is what becomes of a run of steps.
type Outcome struct {
	Applied bool
	// Waits is the open issue in whose lane the run waits.
	Waits string
	// Check is the check that refuses, in the order in which they are made:
	// author, names, existence, rights, status, transition, conditions, merge,
	// validity. Kind is the kind of the issue, Step the place in the run.
	Check, Kind string
	Step        int
	// Fields are the fields that are at fault, in order.
	Fields []string
	// Records are those that an applied run changed, as it leaves them.
	Records map[string]*Record
	// Numbers are the last ones given, when it gave any.
	Numbers map[string]int64
}

// judge is one run being judged: everything is a copy.
type judge struct {
	w      *World
	who    *Actor
	seq    int64
	atEnd  bool // whether what moves require counts at the end
	stored map[string]*Record
	bad    map[string]map[string]bool // fields with values that can't be taken, by record
	tried  map[string]tried           // what these were meant to be, by record and field
	needs  map[string][]string        // fields that moves of the run require, by record
	made   map[string]bool            // created in this run
	after  map[string]*Record         // changed in this run
}

// Judge says what becomes of the run; nothing of the world changes. All steps
// are applied, or none. A lane is judged as a whole, whatever its length.
func (w *World) Judge(who *Actor, run []Step, lane bool, seq int64) Outcome {
	if issue := w.waits(run); issue != "" && !lane {
		return Outcome{Waits: issue}
	}
	now := *w
	now.Records = map[string]*Record{}
	now.Numbers = maps.Clone(w.Numbers)
	for id, r := range w.Records {
		now.Records[id] = r.clone()
	}
	j := &judge{
		w: &now, who: who, seq: seq, atEnd: lane || len(run) > 1, stored: w.Records,
		bad: map[string]map[string]bool{}, tried: map[string]tried{}, needs: map[string][]string{}, made: map[string]bool{}, after: map[string]*Record{},
	}
	for i := range run {
		if o := j.step(&run[i]); o != nil {
			o.Step = i
			return *o
		}
	}
	if faults := j.validity(); len(faults) > 0 {
		return Outcome{Check: "validity", Kind: "validation", Fields: faults, Step: -1}
	}
	for _, r := range j.after {
		r.Version = seq
	}
	return Outcome{Applied: true, Records: j.after, Numbers: now.Numbers}
}

// waits is the oldest open issue that holds a change of the replica on a record
// of the run, or the creation of a record that the run refers to.
func (w *World) waits(run []Step) string {
	for _, h := range w.Held {
		for _, s := range run {
			refers := false
			if t := w.App.Type(s.Type); t != nil && h.Creation {
				for _, f := range t.Fields {
					lists := f.Kind == "reference" || f.Kind == "references"
					refers = refers || lists && strings.Contains(strings.ToLower(s.Set[f.Name]), quoted(h.Record))
				}
			}
			if s.Replica == h.Replica && (s.ID == h.Record || refers) {
				return h.Issue
			}
		}
	}
	return ""
}

// Take makes an applied outcome the world's state.
func (w *World) Take(o Outcome) {
	maps.Copy(w.Records, o.Records)
	maps.Copy(w.Numbers, o.Numbers)
}

func refused(check, kind string, fields ...string) *Outcome {
	slices.Sort(fields)
	return &Outcome{Check: check, Kind: kind, Fields: slices.Compact(fields)}
}

// try is one step on its way through the checks.
type try struct {
	*Step
	t      *Type
	r      *Record  // as it is; nil for none
	next   *Record  // as it will be
	lost   bool     // a value gave way to the server's
	review []string // fields that a person must decide
}

func (j *judge) step(s *Step) *Outcome {
	x := &try{Step: s, t: j.w.App.Type(s.Type), r: j.w.Records[s.ID]}
	for _, check := range []func(*try) *Outcome{j.author, j.names, j.existence, j.rights, j.status, j.merge, j.transition, j.conditions, j.undecided} {
		if o := check(x); o != nil {
			return o
		}
	}
	j.apply(x)
	return nil
}

// author: who sends it may write at all.
func (j *judge) author(*try) *Outcome {
	if j.who.Disabled || j.who.Blocked || len(j.who.Roles) == 0 {
		return refused("author", "authorization")
	}
	return nil
}

// names: what an older app had and this one has not is outdated. A type that no
// app had is a fault of configuration.
func (j *judge) names(x *try) *Outcome {
	old := x.Definition > 0 && x.Definition < j.w.Version
	switch {
	case x.t == nil && old:
		return refused("names", "outdated")
	case x.t == nil:
		return refused("names", "configuration")
	case !old:
		return nil
	}
	gone := x.Op == "transition" && x.t.Move(x.Transition) == nil
	gone = gone || x.Base.Status != "" && x.t.Status(x.Base.Status) == nil
	for name, v := range x.Set {
		gone = gone || v != "null" && x.t.Field(name) == nil
	}
	if gone {
		return refused("names", "outdated")
	}
	return nil
}

// existence: a creation's record is not there, any other's is, and its author
// may see it. Who may not see it is told nothing but that it is not available.
func (j *judge) existence(x *try) *Outcome {
	sees := x.r != nil && j.w.MaySee(j.who, x.r)
	switch {
	case x.Op == "create" && x.r == nil:
		return nil
	case !sees:
		return refused("existence", "not-available")
	case x.Op == "create":
		return refused("existence", "duplicate")
	case x.r.Type != x.Type:
		return refused("existence", "not-available")
	case x.r.Deleted && x.Op != "restore":
		return refused("existence", "gone")
	}
	return nil
}

// writes are the verb of the right that the step needs, and the fields that it
// must cover; none for a move that sets nothing, which has roles of its own.
func (x *try) writes() (verb string, fields []string) {
	for _, f := range x.t.Fields {
		if v, set := x.Set[f.Name]; set && (x.Op != "create" || v != "null") {
			fields = append(fields, f.Name)
		}
	}
	switch {
	case x.Op == "delete" || x.Op == "restore":
		return "delete", nil
	case x.Op == "create":
		return "create", fields
	case x.Op == "transition" && len(fields) == 0:
		return "", nil
	}
	return "update", fields
}

// allowed are the fields out of those that rights of the verb cover, and whether
// there is such a right at all. Conditions count when on is given.
func (j *judge) allowed(x *try, verb string, on, was *Record) (covered map[string]bool, some bool) {
	covered = map[string]bool{}
	for _, r := range x.t.Rights {
		if r.Verb != verb || !has(j.who.Roles, r.Role) || on != nil && !r.When.holds(j.who, on, was) {
			continue
		}
		some = true
		for _, f := range x.t.Fields {
			if r.Fields == nil || has(r.Fields, f.Name) {
				covered[f.Name] = true
			}
		}
	}
	return covered, some
}

// rights: a role may do this to this type and these fields at all.
func (j *judge) rights(x *try) *Outcome { return j.permitted(x, "rights", nil, nil) }

func (j *judge) permitted(x *try, check string, on, was *Record) *Outcome {
	verb, fields := x.writes()
	if verb == "" {
		return nil
	}
	covered, some := j.allowed(x, verb, on, was)
	if !some {
		return refused(check, "authorization")
	}
	var missing []string
	for _, name := range fields {
		if !covered[name] {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return refused(check, "authorization", missing...)
	}
	return nil
}

// foreign are the events on the record since the base, other than the author's
// own applied ones that they had in view.
func (x *try) foreign() []Event {
	var out []Event
	for _, e := range x.r.Past {
		own := e.Replica == x.Replica && e.N <= x.Base.After
		if e.Seq > x.Base.Version && !own {
			out = append(out, e)
		}
	}
	return out
}

// strange tells of a base that the server never had.
func (j *judge) strange(x *try) bool {
	return j.stored[x.ID] != nil && x.Base.Version > j.stored[x.ID].Version
}

// status: it has not moved, as far as the type minds.
func (j *judge) status(x *try) *Outcome {
	if len(x.t.Statuses) == 0 || x.Op == "create" || x.r.Deleted {
		return nil
	}
	moved := false
	if j.strange(x) {
		moved = x.Base.Status != "" && x.Base.Status != x.r.Status
	} else {
		for _, e := range x.foreign() {
			moved = moved || e.Moved
		}
	}
	minds := true
	switch x.t.Policy {
	case "transitions":
		minds = x.Op == "transition"
	case "legal":
		m := x.t.Move(x.Transition)
		minds = x.Op == "transition" && m != nil && !has(m.From, x.r.Status)
	}
	if moved && minds {
		return refused("status", "status-conflict")
	}
	return nil
}

// transition: it leads from the current status; a role and its condition hold;
// what it requires is there.
func (j *judge) transition(x *try) *Outcome {
	if x.Op != "transition" {
		return nil
	}
	m := x.t.Move(x.Transition)
	if m == nil {
		return refused("transition", "configuration")
	}
	if !has(m.From, x.r.Status) {
		if x.Base.Status != x.r.Status && has(m.From, x.Base.Status) {
			return refused("status", "status-conflict") // it is elsewhere than its author thought
		}
		return refused("transition", "configuration")
	}
	may := false
	for _, role := range m.Roles {
		may = may || has(j.who.Roles, role)
	}
	if !may || !m.When.holds(j.who, x.next, x.r) {
		return refused("transition", "authorization")
	}
	if j.atEnd {
		j.needs[x.ID] = append(j.needs[x.ID], m.Requires...)
		return nil
	}
	var missing []string
	for _, name := range m.Requires {
		// What can't be taken, or must be decided, is there and told later.
		if x.next.Fields[name] == "" && !j.bad[x.ID][name] && !has(x.review, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return refused("transition", "validation", missing...)
	}
	return nil
}

// conditions: those of the right hold on the current record, or on the new one;
// nobody sets fields in a frozen status.
func (j *judge) conditions(x *try) *Outcome {
	on, was := x.r, x.r
	if x.Op == "create" {
		on, was = x.next, nil
	}
	if o := j.permitted(x, "conditions", on, was); o != nil {
		return o
	}
	if x.Op == "create" || len(x.Set) == 0 {
		return nil
	}
	if s := x.t.Status(x.r.Status); s != nil && s.Frozen {
		return refused("conditions", "status-conflict")
	}
	return nil
}

// undecided: no field needs a person, and nobody else did anything to what is deleted.
func (j *judge) undecided(x *try) *Outcome {
	if len(x.review) > 0 {
		return refused("merge", "field-conflict", x.review...)
	}
	if x.Op != "delete" {
		return nil
	}
	others := len(x.foreign()) > 0
	if j.strange(x) { // all that is known: what its author did, they saw
		others = false
		for _, e := range x.r.Past {
			others = others || e.Replica != x.Replica || e.N >= x.N
		}
	}
	if others {
		return refused("merge", "field-conflict")
	}
	return nil
}

// apply makes the step part of the world.
func (j *judge) apply(x *try) {
	e := Event{Seq: j.seq, Replica: x.Replica, N: x.N}
	switch x.Op {
	case "create":
		j.made[x.ID] = true
		if x.t.Number != "" {
			j.w.Numbers[x.Type]++
			x.next.Number = x.t.Number + strconv.FormatInt(j.w.Numbers[x.Type], 10)
		}
	case "update":
		if len(x.changed()) == 0 && !x.lost {
			return
		}
	case "transition":
		m := x.t.Move(x.Transition)
		for _, p := range m.Set {
			v := p.Value
			if v == "me" {
				v = quoted(j.who.User)
			}
			x.set(p.Field, v)
		}
		e.Moved = m.To != x.r.Status
		x.next.Status = m.To
	case "delete":
		x.next.Deleted = true
	case "restore":
		if !x.r.Deleted {
			return
		}
		x.next.Deleted = false
	}
	e.Fields = x.changed()
	for _, name := range e.Fields {
		x.next.Edited[name] = x.Edited
	}
	x.next.Past = append(x.next.Past, e)
	j.w.Records[x.ID], j.after[x.ID] = x.next, x.next
}

// set gives the field of the next record a value.
func (x *try) set(name string, v Value) {
	x.next.Fields[name] = v
	if v == "" {
		delete(x.next.Fields, name)
	}
}

// changed are the fields that have another value in the next record, in order.
func (x *try) changed() []string {
	var out []string
	for _, f := range x.t.Fields {
		before := ""
		if x.r != nil {
			before = x.r.Fields[f.Name]
		}
		if x.next.Fields[f.Name] != before {
			out = append(out, f.Name)
		}
	}
	slices.Sort(out)
	return out
}
