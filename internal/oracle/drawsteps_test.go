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
}

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
}

func newStory(d draw, app *oracle.App) *story {
	s := &story{draw: d, app: app, views: map[string][]view{}, number: map[string]int64{}}
	s.world = &oracle.World{App: app, Version: appVersion, Users: userNames, Teams: teamNames, Records: map[string]*oracle.Record{}}
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
	a.Roles, a.Teams = some(s.draw, s.app.Roles, 1, "holds"), some(s.draw, teamNames, 0, "is in")
	a.Disabled, a.Blocked = s.chance(4, "disabled"), s.chance(3, "blocked")
	if s.chance(4, "no roles") {
		a.Roles = nil
	}
}

// step draws one change. Something is there after the first few.
func (s *story) step() (oracle.Actor, oracle.Step) {
	if s.chance(6, "hire") {
		s.hire(&s.people[s.count(1, len(s.people)-1, "who is hired")])
	}
	who := pick(s.draw, s.people, "who")
	return who, s.change(who, pick(s.draw, []string{"phone", "tablet"}, "device")+"-"+who.User)
}

func (s *story) change(who oracle.Actor, replica string) oracle.Step {
	s.number[replica]++
	st := oracle.Step{Replica: replica, N: s.number[replica], Definition: pick(s.draw, []int64{0, appVersion, appVersion, appVersion, 1}, "definition")}
	st.Edited = start.Add(time.Duration(s.seq-int64(s.count(0, 12, "entered before"))) * time.Minute)
	st.Op = pick(s.draw, []string{"create", "update", "update", "update", "update", "transition", "transition", "transition", "delete", "restore"}, "op")
	if len(s.ids) < 3 || st.Op == "create" {
		s.creation(&st)
		return st
	}
	st.ID = s.known(who, st.Op)
	r := s.world.Records[st.ID]
	st.Type = r.Type
	t := s.app.Type(r.Type)
	seen := s.base(&st)
	if st.Op == "transition" && len(t.Moves) > 0 {
		st.Transition = s.move(t, seen)
	}
	if st.Op == "update" || st.Op == "transition" && s.chance(40, "moves with values") {
		st.Set = s.values(t, 3)
		st.Base.Was = map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(st.Set)) {
			st.Base.Was[name] = seen.Fields[name]
			if f := t.Field(name); f != nil && s.chance(4, "other was") {
				st.Base.Was[name], _ = f.Stored(s.value(f))
			}
		}
	}
	s.oddly(&st)
	return st
}

// oddly makes one step in some name what is not there.
func (s *story) oddly(st *oracle.Step) {
	switch s.count(1, 40, "odd") {
	case 1:
		st.ID = newID(900 + s.count(1, 9, "absent"))
	case 2:
		st.Type = pick(s.draw, append([]string{"ghost"}, typeNames...), "another type")
	case 3:
		if st.Op == "transition" {
			st.Transition = "vanish"
		}
	case 4, 5:
		if st.Set != nil {
			st.Set["ghost"] = pick(s.draw, []string{`"a"`, "1", "null"}, "of no field")
		}
	case 6:
		if st.Base.Status != "" {
			st.Base.Status = pick(s.draw, append([]string{"limbo"}, statusNames...), "another status")
		}
	}
}

func newID(n int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", n) }

func (s *story) creation(st *oracle.Step) {
	t := pick(s.draw, s.app.Types, "type")
	st.Op, st.Type, st.ID = "create", t.Name, newID(len(s.ids)+1)
	st.Set = map[string]string{}
	for _, f := range t.Fields {
		if f.Required || s.chance(60, "entered") {
			st.Set[f.Name] = s.value(f)
		}
	}
	if len(s.ids) > 0 && s.chance(8, "taken") {
		st.ID = pick(s.draw, s.ids, "taken by")
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
	if len(fit) == 0 || s.chance(12, "any record") {
		fit = s.ids
	}
	return pick(s.draw, fit, "record")
}

// base draws what the author saw: what is there, an older state, or that with
// what they did themselves. It returns the record as seen.
func (s *story) base(st *oracle.Step) *oracle.Record {
	all := s.views[st.ID]
	last := len(all) - 1
	from, shown := last, last
	switch s.count(1, 10, "base") {
	case 1, 2, 3: // stale
		from = s.count(0, last, "version")
		shown = from
	case 4, 5, 6: // an older version, and what they have done since
		from = s.count(0, last, "version")
		shown = from
		for i := from; i <= last; i++ {
			if all[i].replica == st.Replica {
				shown, st.Base.After = i, all[i].n
			}
		}
	case 7: // what can't be
		from, shown = s.count(0, last, "version"), s.count(0, last, "shown")
		st.Base.After = int64(s.count(0, int(st.N)-1, "after"))
	}
	st.Base.Version, st.Base.Status = all[from].r.Version, all[shown].r.Status
	switch s.count(1, 30, "version") {
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
	if len(fit) == 0 || s.chance(10, "any move") {
		return pick(s.draw, t.Moves, "move").Name
	}
	return pick(s.draw, fit, "move")
}

func (s *story) values(t *oracle.Type, most int) map[string]string {
	out := map[string]string{}
	for range s.count(0, most, "values") {
		f := pick(s.draw, t.Fields, "field")
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
	"team":      {`"north"`, `"south"`, `"north"`, `"west"`, `3`},
}

func (s *story) value(f *oracle.Field) string {
	if s.chance(12, "cleared") {
		return "null"
	}
	if f.Kind != "reference" {
		list := entered[f.Kind]
		if !s.chance(15, "any value") {
			list = list[:len(list)/2+1]
		}
		return pick(s.draw, list, f.Kind)
	}
	var fit []string
	for _, id := range s.ids {
		if s.world.Records[id].Type == f.To {
			fit = append(fit, id)
		}
	}
	if len(fit) == 0 || s.chance(10, "any reference") {
		fit = append([]string{newID(777), "nothing"}, s.ids...)
	}
	return `"` + pick(s.draw, []func(string) string{strings.ToLower, strings.ToUpper}, "writing")(pick(s.draw, fit, "reference")) + `"`
}

// took notes what an applied run made.
func (s *story) took(run []oracle.Step, o oracle.Outcome) {
	for _, id := range slices.Sorted(maps.Keys(o.Records)) {
		if s.views[id] == nil {
			s.ids = append(s.ids, id)
		}
		st := run[len(run)-1]
		s.views[id] = append(s.views[id], view{o.Records[id], st.Replica, st.N})
	}
	s.world.Take(o)
}
