package oracle_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/oracle"
)

// steps is how many runs one app sees.
const steps = 40

// tally counts what happened.
type tally map[string]int

// plant is what is wrong with an oracle on purpose; the zero value is none.
type plant struct {
	app   func(*oracle.App)   // the app as it reads it
	actor func(*oracle.Actor) // who sends
	step  func(*oracle.Step)  // what is sent
}

// reader is how an oracle reads what it is given to judge.
type reader func(*oracle.World, oracle.Actor, []oracle.Step) (*oracle.World, oracle.Actor, []oracle.Step)

// plant makes the reader that is wrong.
func (p plant) plant(drawn *oracle.App) reader {
	app := drawn
	if p.app != nil {
		app = copied(drawn)
		p.app(app)
	}
	return func(w *oracle.World, who oracle.Actor, run []oracle.Step) (*oracle.World, oracle.Actor, []oracle.Step) {
		read := *w
		read.App = app
		if p.actor != nil {
			p.actor(&who)
		}
		run = slices.Clone(run)
		for i := range run {
			if p.step != nil {
				p.step(&run[i])
			}
		}
		return &read, who, run
	}
}

// copied is the app in other memory.
func copied(a *oracle.App) *oracle.App {
	b, err := json.Marshal(a)
	if err != nil {
		panic(err)
	}
	out := &oracle.App{}
	if err := json.Unmarshal(b, out); err != nil {
		panic(err)
	}
	return out
}

// play lets people loose on an app, and returns the first difference between
// the rules and the oracle, "" for none.
func play(d draw, p plant, count tally) string {
	drawn := d.app()
	y := drawn.YAML()
	app, problems := definition.Compile("drawn", []byte(y))
	if app == nil {
		return fmt.Sprint("the app does not compile: ", problems, "\n", y)
	}
	s, srv := newStory(d, drawn), newServer(app)
	wrong := p.plant(drawn)
	for range steps {
		who, run, lane := s.run()
		if diff := s.turn(srv, wrong, who, run, lane, count); diff != "" {
			return diff + "\n" + y
		}
	}
	return ""
}

// turn has a run judged by both, and compares.
func (s *story) turn(srv *server, wrong reader, who oracle.Actor, run []oracle.Step, lane bool, count tally) string {
	srv.held = s.world.Held
	v, err := srv.judge(who, run, lane)
	if err != nil {
		return err.Error()
	}
	read, by, sent := wrong(s.world, who, run)
	o := read.Judge(&by, sent, lane, s.seq+1)
	count[outcomeName(&o)]++
	if diff := s.compare(read, &v, &o); diff != "" {
		return fmt.Sprintf("%s\nby %+v: %+v, lane %v\nrules: %s\noracle: %s\n%s", diff, who, run, lane, verdictName(&v), outcomeName(&o), s.about(run))
	}
	if diff := s.discreet(srv, who, run, lane, &o); diff != "" {
		return fmt.Sprintf("%s\nby %+v: %+v", diff, who, run)
	}
	switch {
	case !o.Applied:
		s.refused(run)
	case len(o.Records) > 0:
		s.seq++
		s.took(run, o)
	}
	return ""
}

// discreet tells whether who may not see a record is answered, to the byte, as
// if there were none.
func (s *story) discreet(srv *server, who oracle.Actor, run []oracle.Step, lane bool, o *oracle.Outcome) string {
	if o.Kind != "not-available" || run[o.Step].Op == "create" {
		return ""
	}
	there, err := srv.told(who, run, lane, "")
	if err != nil {
		return err.Error()
	}
	absent, err := srv.told(who, run, lane, run[o.Step].ID)
	if err != nil {
		return err.Error()
	}
	if !reflect.DeepEqual(there, absent) && absent.Step == there.Step {
		return fmt.Sprintf("a record that may not be seen shows: %+v, but without it %+v", there, absent)
	}
	return ""
}

func outcomeName(o *oracle.Outcome) string {
	switch {
	case o.Waits != "":
		return "waits"
	case !o.Applied:
		return fmt.Sprint(o.Check, "/", o.Kind)
	case len(o.Records) == 0:
		return "nothing to do"
	default:
		return "applied"
	}
}

func verdictName(v *core.Verdict) string {
	switch {
	case v.Waits != "":
		return "waits in " + v.Waits
	case v.Refusal != nil:
		return fmt.Sprint(v.Refusal.Stage, "/", v.Refusal.Kind, " at ", v.Refusal.Step, " ", v.Refusal.Messages)
	case len(v.Effects.Changes) == 0:
		return "nothing to do"
	default:
		return "applied"
	}
}

// about is what the oracle has on the records of a run.
func (s *story) about(run []oracle.Step) string {
	out := ""
	for _, st := range run {
		if r := s.world.Records[st.ID]; r != nil {
			out += fmt.Sprintf("record: %+v\n", *r)
		}
	}
	return out
}

func (s *story) compare(w *oracle.World, v *core.Verdict, o *oracle.Outcome) string {
	if v.Applied != o.Applied || v.Waits != o.Waits {
		return "applied, or held back, by one"
	}
	if r := v.Refusal; r != nil {
		switch {
		case string(r.Stage) != o.Check || string(r.Kind) != o.Kind:
			return "refused for different reasons"
		case r.Step != o.Step && o.Step >= 0:
			return "refused at different steps"
		case !slices.Equal(faulty(r), o.Fields) && o.Check != "names":
			return fmt.Sprint("different fields are at fault: ", faulty(r), " and ", o.Fields)
		}
		return ""
	}
	if len(v.Effects.Writes) != len(o.Records) {
		return "different records are written"
	}
	for _, write := range v.Effects.Writes {
		got, want := write.Record, o.Records[write.Record.ID]
		if want == nil {
			return "written by the rules alone: " + got.ID
		}
		if got.Status != want.Status || got.Deleted != want.Deleted || got.Version != want.Version || !maps.Equal(plain(got.Fields), want.Fields) {
			return fmt.Sprintf("different records: %s %s deleted %v version %d and %+v", got.Status, plain(got.Fields), got.Deleted, got.Version, *want)
		}
		if queue, user := w.Waits(want); got.Queue != queue || got.Assignee != user || got.Number != want.Number {
			return fmt.Sprintf("waits in %q with %q as %q, and in %q with %q as %q", got.Queue, got.Assignee, got.Number, queue, user, want.Number)
		}
		keys := w.Keys(want)
		if want.Deleted {
			keys = nil // nobody receives it any more
		}
		if !slices.Equal(write.Audience, keys) {
			return fmt.Sprint("different audiences: ", write.Audience, " and ", keys)
		}
		for i := range s.people {
			if a := s.people[i]; !want.Deleted && w.MaySee(&a, want) != core.Sees(actor(a), write.Audience) {
				return "seen by different people"
			}
		}
	}
	return s.events(v, o)
}

// events compares what the histories of the records get.
func (s *story) events(v *core.Verdict, o *oracle.Outcome) string {
	got := map[string][]string{}
	for _, c := range v.Effects.Changes {
		names := slices.Sorted(maps.Keys(c.Set))
		got[c.ID] = append(got[c.ID], fmt.Sprint(c.Seq, c.Origin.Replica, c.Origin.N, names, c.From != "" && c.From != c.To))
	}
	for id, r := range o.Records {
		var want []string
		for _, e := range r.Past {
			if e.Seq == s.seq+1 {
				want = append(want, fmt.Sprint(e.Seq, e.Replica, e.N, e.Fields, e.Moved))
			}
		}
		if !slices.Equal(got[id], want) {
			return fmt.Sprint("different histories: ", got[id], " and ", want)
		}
	}
	return ""
}

// often is how often each outcome comes in the stories that are played when
// nobody says otherwise; a test in which something never happens proves nothing of it.
const often = 100

// outcomes are all that may become of a run of changes.
var outcomes = []string{
	"applied", "nothing to do", "waits",
	"author/authorization", "names/configuration", "names/outdated",
	"existence/not-available", "existence/duplicate", "existence/gone",
	"rights/authorization", "status/status-conflict",
	"transition/configuration", "transition/authorization", "transition/validation",
	"conditions/authorization", "conditions/status-conflict",
	"merge/field-conflict", "validity/validation",
}

func TestRulesAgreeWithOracle(t *testing.T) {
	count := tally{}
	rapid.Check(t, func(rt *rapid.T) {
		if diff := play(draw{rt}, plant{}, count); diff != "" {
			rt.Fatal(diff)
		}
	})
	for _, name := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%-28s %7d", name, count[name])
		if !slices.Contains(outcomes, name) {
			t.Errorf("%s is no outcome that is known", name)
		}
	}
	for _, name := range outcomes {
		if !asked && !t.Failed() && count[name] < often {
			t.Errorf("%s came %d times only", name, count[name])
		}
	}
}

// asked tells that somebody set how many stories are played, or which.
var asked bool

// TestMain plays a fixed number of stories, always the same, unless told otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	set := func(name, env, value string) {
		given := os.Getenv(env) != ""
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
		if asked = asked || given; given {
			return
		}
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	set("rapid.checks", "RAPID_CHECKS", "800")
	set("rapid.seed", "RAPID_SEED", "1")
	os.Exit(m.Run())
}
