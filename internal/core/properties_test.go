package core_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
)

const sheetID = "00000000-0000-7000-8000-000000000001"

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	worker = landfall.Actor{User: "emma", Roles: []string{"worker"}}
)

// server is a world that verdicts are committed to.
type server struct {
	world
	seq int64
}

func newServer(t failer) *server {
	return &server{world: world{app: app(t, "shop", 3), Users: []string{"bo", "emma"}, History: map[string][]landfall.Change{}}}
}

// judge judges a run and commits it when it is applied.
func (s *server) judge(t *rapid.T, lane bool, run ...core.Step) core.Verdict {
	v, err := core.Judge(core.Input{
		App: s.app, World: &s.world, Actor: worker, Run: run, Lane: lane,
		Seq: s.seq + 1, Now: noon.Add(time.Duration(s.seq) * time.Minute),
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(v.Effects.Changes) == 0 {
		return v
	}
	s.seq++
	for _, w := range v.Effects.Writes {
		i := slices.IndexFunc(s.Records, func(r *landfall.Record) bool { return r.ID == w.Record.ID })
		if i < 0 {
			s.Records = append(s.Records, w.Record)
		} else {
			s.Records[i] = w.Record
		}
	}
	for _, c := range v.Effects.Changes {
		s.History[c.ID] = append(s.History[c.ID], c)
	}
	return v
}

func (s *server) record(t *rapid.T, id string) *landfall.Record {
	r, err := s.Record(id)
	if r == nil || err != nil {
		t.Fatalf("no record: %v", err)
	}
	return r
}

func (s *server) create(t *rapid.T, typ string, set landfall.Fields) {
	v := s.judge(t, false, core.Step{Mutation: landfall.Mutation{Replica: "desk:bo", Incarnation: 1, N: 1, Op: landfall.OpCreate, Type: typ, ID: sheetID, Set: set}, Edited: noon.Add(-time.Hour)})
	if !v.Applied {
		t.Fatalf("not created: %s", dump(v.Refusal))
	}
}

func raw(v any) landfall.Value {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// values generates a value of each field of a sheet, null among them.
var values = map[string]*rapid.Generator[landfall.Value]{
	"latest":  word(),
	"server":  word(),
	"device":  word(),
	"careful": word(),
	"count":   rapid.Map(rapid.IntRange(-99, 99), func(n int) landfall.Value { return raw(n) }),
	"cost":    rapid.Map(rapid.IntRange(-999, 999), func(n int) landfall.Value { return raw(fmt.Sprintf("%d.%02d", n/10, 5)) }),
	"colours": rapid.Map(rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"red", "green", "blue", "black"}), 0, 4, rapid.ID), func(l []string) landfall.Value { return raw(l) }),
	"log":     word(),
}

func word() *rapid.Generator[landfall.Value] {
	return rapid.Map(rapid.SampledFrom([]string{"", "a", "b", "c"}), func(s string) landfall.Value {
		if s == "" {
			return landfall.Null
		}
		return raw(s)
	})
}

var fieldNames = []string{"latest", "server", "device", "careful", "count", "cost", "colours", "log"}

func drawSet(t *rapid.T) landfall.Fields {
	set := landfall.Fields{}
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(fieldNames), 1, 4, rapid.ID).Draw(t, "fields") {
		set[name] = values[name].Draw(t, name)
	}
	return set
}

// update is a device's update of the sheet as its view shows it.
func update(replica string, n, after, version int64, view *landfall.Record, set landfall.Fields, edited time.Time) core.Step {
	was := landfall.Fields{}
	for name := range set {
		was[name] = landfall.Null
		if v := view.Fields[name]; v != nil {
			was[name] = v
		}
	}
	return core.Step{Edited: edited, Mutation: landfall.Mutation{
		Replica: replica, Incarnation: 1, N: n, Op: landfall.OpUpdate, Type: "sheet", ID: sheetID, Set: set,
		Base: &landfall.Base{Version: version, After: after, Status: view.Status, Was: was}, MadeAt: edited,
	}}
}

// Two judgements of one input are the same, byte for byte.
func TestSameInputSameVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer(t)
		s.create(t, "sheet", landfall.Fields{"title": raw("A")})
		for i := range rapid.IntRange(1, 4).Draw(t, "before") {
			s.judge(t, false, update("tablet", int64(i+1), int64(i), 1, s.record(t, sheetID), drawSet(t), noon))
		}
		set := drawSet(t)
		if rapid.Bool().Draw(t, "wrong") {
			set["zzz"], set["count"], set["yyy"] = raw(1), raw("x"), raw(2)
		}
		in := core.Input{
			App: s.app, World: &s.world, Actor: worker, Seq: s.seq + 1, Now: noon,
			Run: []core.Step{update("phone", 1, 0, 1, &landfall.Record{}, set, noon)},
		}
		a, err1 := core.Judge(in)
		b, err2 := core.Judge(in)
		if err1 != nil || err2 != nil || dump(a) != dump(b) {
			t.Fatalf("two verdicts: %s %v\n%s %v", dump(a), err1, dump(b), err2)
		}
	})
}

// A device's own chain never conflicts with itself, whatever it does to which
// fields, and its last values are what is stored.
func TestOwnChainNeverConflicts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newServer(t)
		s.create(t, "sheet", landfall.Fields{"title": raw("A"), "count": raw(10), "log": raw("a")})
		view := s.record(t, sheetID)
		for n := int64(1); n <= int64(rapid.IntRange(1, 6).Draw(t, "length")); n++ {
			st := update("phone", n, n-1, 1, view, drawSet(t), noon)
			view = core.Rebase(s.app, &worker, view, []landfall.Mutation{st.Mutation}, nil)
			if v := s.judge(t, false, st); !v.Applied {
				t.Fatalf("n %d: %s", n, dump(v.Refusal))
			}
		}
		if got, want := dump(s.record(t, sheetID).Fields), dump(view.Fields); got != want {
			t.Fatalf("stored %s, the device shows %s", got, want)
		}
	})
}

// The same holds for a case that the device moves.
func TestOwnMovesNeverConflict(t *testing.T) {
	moves := map[string][]string{"open": {"start", "again"}, "under-way": {"pause"}}
	for _, typ := range []string{"strict_case", "move_case", "legal_case"} {
		rapid.Check(t, func(t *rapid.T) {
			s := newServer(t)
			s.create(t, typ, landfall.Fields{"what": raw("w")})
			view := s.record(t, sheetID)
			for n := int64(1); n <= int64(rapid.IntRange(1, 6).Draw(t, "length")); n++ {
				m := landfall.Mutation{
					Replica: "phone", Incarnation: 1, N: n, Type: typ, ID: sheetID, MadeAt: noon,
					Base: &landfall.Base{Version: 1, After: n - 1, Status: view.Status, Was: landfall.Fields{"note": view.Fields["note"]}},
				}
				if rapid.Bool().Draw(t, "moves") {
					m.Op, m.Transition = landfall.OpTransition, rapid.SampledFrom(moves[view.Status]).Draw(t, "move")
				} else {
					m.Op, m.Set = landfall.OpUpdate, landfall.Fields{"note": word().Draw(t, "note")}
				}
				view = core.Rebase(s.app, &worker, view, []landfall.Mutation{m}, nil)
				if v := s.judge(t, false, core.Step{Mutation: m, Edited: noon}); !v.Applied {
					t.Fatalf("n %d: %s", n, dump(v.Refusal))
				}
			}
			if r := s.record(t, sheetID); r.Status != view.Status || dump(r.Fields) != dump(view.Fields) {
				t.Fatalf("stored %s %s, the device shows %s %s", r.Status, dump(r.Fields), view.Status, dump(view.Fields))
			}
		})
	}
}

// A lane judged as one comes to the same record as its steps one by one.
func TestLaneIsItsSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one, all := newServer(t), newServer(t)
		start := landfall.Fields{"title": raw("A"), "count": raw(10)}
		one.create(t, "sheet", start.Clone())
		all.create(t, "sheet", start.Clone())
		view := one.record(t, sheetID)
		var run []core.Step
		for n := int64(1); n <= int64(rapid.IntRange(1, 5).Draw(t, "length")); n++ {
			st := update("phone", n, n-1, 1, view, drawSet(t), noon)
			view = core.Rebase(one.app, &worker, view, []landfall.Mutation{st.Mutation}, nil)
			run = append(run, st)
			one.judge(t, false, st)
		}
		if v := all.judge(t, true, run...); !v.Applied {
			t.Fatalf("the lane: %s", dump(v.Refusal))
		}
		if a, b := dump(one.record(t, sheetID).Fields), dump(all.record(t, sheetID).Fields); a != b {
			t.Fatalf("step by step %s, as one %s", a, b)
		}
	})
}

// crossing lets several devices change one field from the same base, in an
// order of arrival, and returns what is stored.
func crossing(t *rapid.T, field string, start landfall.Value, sent []landfall.Value, edits []time.Time, order []int) landfall.Value {
	s := newServer(t)
	s.create(t, "sheet", landfall.Fields{"title": raw("A"), field: start})
	base := s.record(t, sheetID)
	for _, i := range order {
		v := s.judge(t, false, update(fmt.Sprint("phone", i), 1, 0, base.Version, base, landfall.Fields{field: sent[i]}, edits[i]))
		if !v.Applied {
			t.Fatalf("%s: %s", field, dump(v.Refusal))
		}
	}
	return s.record(t, sheetID).Fields[field]
}

func drawCrossing(t *rapid.T, field string) (start landfall.Value, sent []landfall.Value, edits []time.Time, a, b []int) {
	n := rapid.IntRange(2, 4).Draw(t, "devices")
	start = values[field].Draw(t, "start")
	for i := range n {
		sent = append(sent, values[field].Draw(t, "sent"))
		a = append(a, i)
		edits = append(edits, noon.Add(time.Duration(i+1)*time.Minute))
	}
	edits = rapid.Permutation(edits).Draw(t, "edits")
	return start, sent, edits, a, rapid.Permutation(a).Draw(t, "order")
}

// Sums and sets do not depend on the order of arrival, and sums add up.
func TestSumsAndSetsCommute(t *testing.T) {
	for _, field := range []string{"count", "cost", "colours"} {
		rapid.Check(t, func(t *rapid.T) {
			start, sent, edits, a, b := drawCrossing(t, field)
			x, y := crossing(t, field, start, sent, edits, a), crossing(t, field, start, sent, edits, b)
			if !landfall.SameValue(x, y) {
				t.Fatalf("%s or %s, by order of arrival", x, y)
			}
			if field != "count" {
				return
			}
			want := number(start)
			for _, v := range sent {
				want += number(v) - number(start)
			}
			if number(x) != want {
				t.Fatalf("%s, but the sum is %d", x, want)
			}
		})
	}
}

func number(v landfall.Value) int {
	n := 0
	if len(v) > 0 && json.Unmarshal(v, &n) != nil {
		return 0
	}
	return n
}

// A set keeps what nobody took and all that somebody added.
func TestSetsKeepWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, sent, edits, a, _ := drawCrossing(t, "colours")
		result := members(crossing(t, "colours", start, sent, edits, a))
		for _, c := range []string{"red", "green", "blue", "black"} {
			was := slices.Contains(members(start), c)
			has := 0
			for _, s := range sent {
				if slices.Contains(members(s), c) {
					has++
				}
			}
			want := was && has == len(sent) || !was && has > 0
			if slices.Contains(result, c) != want {
				t.Fatalf("%s in %v from %s and %v: want %v", c, result, start, dump(sent), want)
			}
		}
	})
}

func members(v landfall.Value) []string {
	var out []string
	if len(v) > 0 && json.Unmarshal(v, &out) != nil {
		return nil
	}
	return out
}

// By time, the latest edit that changed anything wins, whatever the order of arrival.
func TestLatestIsByEdit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "devices")
		var sent []landfall.Value
		var edits []time.Time
		var order []int
		for i := range n {
			sent = append(sent, raw(fmt.Sprint("value ", i)))
			edits = append(edits, noon.Add(time.Duration(i)*time.Minute))
			order = append(order, i)
		}
		order = rapid.Permutation(order).Draw(t, "order")
		got := crossing(t, "latest", raw("start"), sent, edits, order)
		if !landfall.SameValue(got, sent[n-1]) {
			t.Fatalf("stored %s, the latest edit is %s, arrived in order %v", got, sent[n-1], order)
		}
	})
}

// A text that grows keeps every part, in the order of arrival.
func TestAppendKeepsEveryPart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A part ends with what is nowhere else: two parts that add up to a third
		// would be the same text from both sides, and there once.
		parts := rapid.SliceOfNDistinct(rapid.StringMatching(`[b-z]{1,5}\.`), 1, 5, rapid.ID).Draw(t, "parts")
		var sent []landfall.Value
		var edits []time.Time
		var order []int
		for i, p := range parts {
			sent = append(sent, raw("a"+p))
			edits = append(edits, noon)
			order = append(order, i)
		}
		if got := crossing(t, "log", raw("a"), sent, edits, order); !landfall.SameValue(got, raw("a"+strings.Join(parts, ""))) {
			t.Fatalf("%s from %v", got, parts)
		}
	})
}
