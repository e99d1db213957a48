package oracle_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall/internal/oracle"
)

// view is a record as it was at some place of the sequence, and who made it so.
type view struct {
	r       *oracle.Record
	replica string
	n       int64
	sent    []string // the fields of its last change in this run
}

// fields are those that the change changed.
func (v view) fields() []string { return v.r.Past[len(v.r.Past)-1].Fields }

// story draws what people do, looking at what is there.
type story struct {
	draw
	app    *oracle.App
	world  *oracle.World
	people []oracle.Actor
	views  map[string][]view // by record, the latest last
	ids    []string
	number map[string]int64 // last one of a replica
	seq    int64
	issues int             // how many have been opened
	made   int             // how many creations were drawn
	wrong  int             // how many of a hundred values may be wrong ones
	rival  []string        // fields of which the next change has other values
	local  map[string]view // records as the device shows them after its run so far
}

func newStory(d draw, app *oracle.App) *story {
	s := &story{draw: d, app: app, views: map[string][]view{}, number: map[string]int64{}}
	s.world = &oracle.World{App: app, Version: appVersion, Users: userNames, Teams: teamNames, Records: map[string]*oracle.Record{}, Numbers: map[string]int64{}}
	for i, name := range userNames {
		a := oracle.Actor{User: name}
		s.hire(&a)
		if i == 0 {
			a.Roles = app.Roles // somebody can do something
		}
		s.people = append(s.people, a)
	}
	return s
}

// hire gives somebody other roles and teams, or none.
func (s *story) hire(a *oracle.Actor) {
	a.Roles, a.Teams = some(s.draw, s.app.Roles, 1), some(s.draw, teamNames, 0)
	a.Disabled, a.Blocked = s.chance(3), s.chance(3)
	if s.chance(3) {
		a.Roles = nil
	}
}

// run draws what one verdict is about: mostly one change, else a group or the
// lane of an issue. Each change is made in view of those before it, mostly.
func (s *story) run() (who oracle.Actor, run []oracle.Step, lane bool) {
	if s.chance(6) {
		s.hire(&s.people[s.count(1, len(s.people)-1)])
	}
	who = pick(s.draw, s.people)
	replica := pick(s.draw, []string{"phone", "tablet"}) + "-" + who.User
	lane = s.chance(10)
	s.local = map[string]view{}
	long := lane || s.chance(20)
	s.wrong = 7
	if long && s.chance(40) {
		s.wrong = 40 // there is something to mend
	}
	for len(run) == 0 || long && len(run) < 4 && s.chance(70) {
		st := s.change(who, replica)
		s.wrong = 7
		run = append(run, st)
		s.shown(&st)
	}
	return who, run, lane
}

// shown keeps how the device shows the record after a change of its own: as if
// all of it were taken.
func (s *story) shown(st *oracle.Step) {
	t := s.app.Type(st.Type)
	if t == nil {
		return
	}
	r := &oracle.Record{Type: st.Type, ID: st.ID, Fields: map[string]string{}, Version: st.Base.Version}
	if old, was := s.local[st.ID]; was {
		r.Fields, r.Status = maps.Clone(old.r.Fields), old.r.Status
	} else if all := s.views[st.ID]; len(all) > 0 {
		r.Fields, r.Status = maps.Clone(all[len(all)-1].r.Fields), st.Base.Status
	}
	if st.Op == "create" && len(t.Statuses) > 0 {
		r.Status = t.Statuses[0].Name
	}
	for name, v := range st.Set {
		if f := t.Field(name); f != nil {
			if stored, ok := f.Stored(v); ok {
				v = stored
			}
			r.Fields[name] = v // right or wrong
		}
	}
	if m := t.Move(st.Transition); m != nil {
		r.Status = m.To
	}
	sent := slices.DeleteFunc(slices.Sorted(maps.Keys(st.Set)), func(name string) bool { return t.Field(name) == nil })
	s.local[st.ID] = view{r, st.Replica, st.N, sent}
}

func (s *story) change(who oracle.Actor, replica string) oracle.Step {
	s.number[replica]++
	s.rival = nil
	st := oracle.Step{Replica: replica, N: s.number[replica], Definition: pick(s.draw, []int64{0, appVersion, appVersion, appVersion, 1})}
	st.Edited = start.Add(time.Duration(s.seq-int64(s.count(0, 12))) * time.Minute)
	ops := []string{"create", "update", "update", "update", "update", "transition", "transition", "transition", "delete", "restore"}
	if len(s.local) > 0 {
		ops = append(ops, "create", "create")
	}
	st.Op = pick(s.draw, ops)
	if len(s.ids) < 3 && len(s.local) == 0 || st.Op == "create" {
		s.creation(&st)
		return st
	}
	seen := s.seen(who, &st)
	t := s.app.Type(st.Type)
	if st.Op == "transition" && len(t.Moves) > 0 {
		st.Transition = s.move(t, seen)
	}
	if st.Op == "update" || st.Op == "transition" && s.chance(40) {
		st.Set = s.values(t, 3)
		st.Base.Was = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(st.Set)) {
			st.Base.Was[name] = seen.Fields[name]
			if f := t.Field(name); f != nil && s.chance(4) {
				st.Base.Was[name], _ = f.Stored(s.value(f))
			}
		}
	}
	s.oddly(&st)
	return st
}

// oddly makes one step in some name what is not there.
func (s *story) oddly(st *oracle.Step) {
	switch s.count(1, 60) {
	case 1:
		st.ID = newID(900 + s.count(1, 9))
	case 2:
		st.Type = pick(s.draw, append([]string{"ghost"}, typeNames...))
	case 3:
		if st.Op == "transition" {
			st.Transition = "vanish"
		}
	case 4, 5:
		if st.Set != nil {
			st.Set["ghost"] = pick(s.draw, []string{`"a"`, "1", "null"})
		}
	case 6:
		if st.Base.Status != "" {
			st.Base.Status = pick(s.draw, append([]string{"limbo"}, statusNames...))
		}
	}
}

func newID(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

func (s *story) creation(st *oracle.Step) {
	t := pick(s.draw, s.app.Types)
	s.made++
	st.Op, st.Type, st.ID = "create", t.Name, newID(s.made)
	st.Set = map[string]string{}
	for _, f := range t.Fields {
		if f.Required || s.chance(60) {
			st.Set[f.Name] = s.value(f)
		}
	}
	if len(s.ids) > 0 && s.chance(8) {
		st.ID = pick(s.draw, s.ids)
		return
	}
	s.oddly(st)
}

// known is a record that the change is about, mostly one that the actor may see
// and that the change makes sense for.
func (s *story) known(who oracle.Actor, op string) string {
	var fit []string
	for _, id := range s.ids {
		r := s.world.Records[id]
		if s.world.MaySee(&who, r) && r.Deleted == (op == "restore") {
			fit = append(fit, id)
		}
	}
	if len(fit) == 0 || s.chance(7) {
		fit = s.ids
	}
	return pick(s.draw, fit)
}

// seen draws the record that a change is about, and how its author saw it.
func (s *story) seen(who oracle.Actor, st *oracle.Step) *oracle.Record {
	if mine := slices.Sorted(maps.Keys(s.local)); len(mine) > 0 && (len(s.ids) == 0 || s.chance(75)) {
		v := s.local[pick(s.draw, mine)]
		st.Type, st.ID = v.r.Type, v.r.ID
		if s.chance(60) {
			s.rival = v.sent // mends it
		}
		st.Base.Version, st.Base.After, st.Base.Status = v.r.Version, v.n, v.r.Status
		return v.r
	}
	st.ID = s.known(who, st.Op)
	st.Type = s.world.Records[st.ID].Type
	return s.base(st)
}

// base draws what the author saw: what is there, an older state, or that with
// what they did themselves. It returns the record as seen.
func (s *story) base(st *oracle.Step) *oracle.Record {
	all := s.views[st.ID]
	last := len(all) - 1
	from, shown := last, last
	switch s.count(1, 12) {
	case 1, 2: // stale
		from = s.count(0, last)
		shown = from
	case 3, 4, 5: // an older version, and what they have done since
		from = s.count(0, last)
		shown = from
		for i := from; i <= last; i++ {
			if all[i].replica == st.Replica {
				shown, st.Base.After = i, all[i].n
			}
		}
	case 7, 8, 9, 10: // what was there before the last change of fields, and other values of these
		for from > 0 && len(s.rival) == 0 {
			s.rival = all[from].fields()
			from--
		}
		shown = from
	case 11: // what can't be
		from, shown = s.count(0, last), s.count(0, last)
		st.Base.After = int64(s.count(0, int(st.N)-1))
	}
	st.Base.Version, st.Base.Status = all[from].r.Version, all[shown].r.Status
	switch s.count(1, 30) {
	case 1:
		st.Base.Version += 1000 // of a history that is not here
	case 2:
		st.Base.Version = 0
	}
	return all[shown].r
}

func (s *story) move(t *oracle.Type, seen *oracle.Record) string {
	var fit []string
	for _, m := range t.Moves {
		if slices.Contains(m.From, seen.Status) {
			fit = append(fit, m.Name)
		}
	}
	if len(fit) == 0 || s.chance(10) {
		return pick(s.draw, t.Moves).Name
	}
	return pick(s.draw, fit)
}

func (s *story) values(t *oracle.Type, most int) map[string]string {
	out := map[string]string{}
	for _, name := range s.rival {
		out[name] = s.value(t.Field(name))
	}
	for range s.count(0, most) {
		f := pick(s.draw, t.Fields)
		out[f.Name] = s.value(f)
	}
	return out
}

// entered are values of each kind, as they come: mostly right, in more writings
// than one, few enough to meet.
var entered = map[string][]string{
	"text":      {`"a"`, `"b"`, `"ab"`, `"a b"`, `"abc"`, `"abcd"`, `""`, `7`, `["a"]`},
	"long_text": {`"a"`, `"ab"`, `"abc"`, `"ab c"`, `"b"`, `"abcdef"`, `false`},
	"integer":   {`1`, `2`, `3`, `4`, `-1`, `9007199254740992`, `9007199254740993`, `"2"`, `2.5`},
	"decimal":   {`"1"`, `"1.5"`, `"2.50"`, `2.5`, `"0.1"`, `"-3"`, `"12.25"`, `"02.0"`, `"two"`, `true`},
	"boolean":   {`true`, `true`, `false`, `"true"`, `1`},
	"choice":    {`"red"`, `"red"`, `"green"`, `"blue"`, `"pink"`, `["red"]`},
	"choices":   {`["red"]`, `["red","blue"]`, `["green","blue"]`, `["blue","red","green","red"]`, `[]`, `["pink"]`, `"red"`},
	"user":      {`"ann"`, `"ben"`, `"cas"`, `"dee"`, `"eve"`, `"zoe"`, `"No One"`},
	"date":      {`"2026-02-28"`, `"2026-03-01"`, `"2024-02-29"`, `"2026-02-30"`, `"today"`, `20260301`},
	"datetime":  {`"2026-02-28T10:00:00Z"`, `"2026-02-28T12:00:00+02:00"`, `"2026-02-28T10:00:00.500Z"`, `"2026-02-28"`, `1`},
	"duration":  {`"90m"`, `"1h30m"`, `"1h"`, `"-5m"`, `"0"`, `"soon"`, `5`},
	"team":      {`"north"`, `"south"`, `"north"`, `"west"`, `3`},
}

func (s *story) value(f *oracle.Field) string {
	if s.chance(9) {
		return "null"
	}
	if f.Kind != "reference" && f.Kind != "references" {
		list := entered[f.Kind]
		if !s.chance(s.wrong) {
			list = list[:len(list)/2+1]
		}
		return pick(s.draw, list)
	}
	var fit []string
	for _, id := range s.ids {
		if s.world.Records[id].Type == f.To {
			fit = append(fit, id)
		}
	}
	var mine []string // of this very run
	for _, id := range slices.Sorted(maps.Keys(s.local)) {
		if s.local[id].r.Type == f.To {
			mine = append(mine, id)
		}
	}
	if fit = append(fit, mine...); len(mine) > 0 && s.chance(60) {
		fit = mine
	}
	if len(fit) == 0 || s.chance(10) {
		fit = append([]string{newID(777), "nothing"}, s.ids...)
	}
	one := `"` + pick(s.draw, []func(string) string{strings.ToLower, strings.ToUpper})(pick(s.draw, fit)) + `"`
	switch {
	case f.Kind == "reference":
		return one
	case s.chance(50):
		return "[" + one + "]"
	default:
		return `["` + pick(s.draw, fit) + `",` + one + "]"
	}
}

// took notes what an applied run made.
func (s *story) took(run []oracle.Step, o oracle.Outcome) {
	for _, id := range slices.Sorted(maps.Keys(o.Records)) {
		if s.views[id] == nil {
			s.ids = append(s.ids, id)
		}
		v := view{r: o.Records[id]}
		for _, st := range run {
			if st.ID == id {
				v.replica, v.n = st.Replica, st.N
			}
		}
		s.views[id] = append(s.views[id], v)
	}
	s.world.Take(o)
}

// refused lets some of what was refused wait for a decision, and some of what
// waited be decided.
func (s *story) refused(run []oracle.Step) {
	if s.chance(30) {
		s.issues++
		issue := fmt.Sprint("issue-", 50-s.issues%50)
		for _, st := range run {
			s.world.Held = append(s.world.Held, oracle.Hold{Issue: issue, Replica: st.Replica, Record: st.ID, Creation: st.Op == "create"})
		}
	}
	if len(s.world.Held) > 0 && s.chance(20) {
		decided := pick(s.draw, s.world.Held).Issue
		s.world.Held = slices.DeleteFunc(s.world.Held, func(h oracle.Hold) bool { return h.Issue == decided })
	}
}
