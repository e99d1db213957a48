package oracle_test

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/oracle"
)

// start is when the first verdict is made; each has its own minute.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const appVersion = 3

// server is a world that the rules' verdicts are committed to, in memory.
type server struct {
	app     *definition.App
	records map[string]*landfall.Record
	keys    map[string][]string
	unique  map[string]string // record by type, field and value
	changes map[string][]landfall.Change
	numbers map[string]int64 // the last one given, by series
	held    []oracle.Hold    // by the age of the issues
	seq     int64
}

func newServer(app *definition.App) *server {
	app.Version = appVersion
	return &server{app: app, records: map[string]*landfall.Record{}, keys: map[string][]string{}, unique: map[string]string{}, changes: map[string][]landfall.Change{}, numbers: map[string]int64{}}
}

// judge judges a run, and commits what it does.
func (s *server) judge(who oracle.Actor, run []oracle.Step, lane bool) (core.Verdict, error) {
	v, err := s.ask(who, run, lane)
	if err != nil || len(v.Effects.Changes) == 0 {
		return v, err
	}
	s.seq++
	for _, w := range v.Effects.Writes {
		s.write(w)
	}
	maps.Copy(s.numbers, v.Effects.Counters)
	for _, c := range v.Effects.Changes {
		s.changes[c.ID] = append(s.changes[c.ID], c)
	}
	return v, nil
}

// ask judges a run, and commits nothing.
func (s *server) ask(who oracle.Actor, run []oracle.Step, lane bool) (core.Verdict, error) {
	in := core.Input{
		App: s.app, World: s, Seq: s.seq + 1, Now: start.Add(time.Duration(s.seq) * time.Minute), Lane: lane,
		Actor: *actor(who),
	}
	for i := range run {
		in.Run = append(in.Run, core.Step{Mutation: mutation(&run[i]), Edited: run[i].Edited})
	}
	return core.Judge(in)
}

// told is all that a refusal tells its author, where there is no such record
// when absent names one.
func (s *server) told(who oracle.Actor, run []oracle.Step, lane bool, absent string) (core.Refusal, error) {
	c := *s
	c.records = maps.Clone(s.records)
	delete(c.records, absent)
	v, err := c.ask(who, run, lane)
	if err != nil || v.Refusal == nil {
		return core.Refusal{}, err
	}
	out := *v.Refusal
	out.Then = nil // is for those who may see the record
	return out, nil
}

func actor(a oracle.Actor) *landfall.Actor {
	return &landfall.Actor{User: a.User, Roles: a.Roles, Teams: a.Teams, Disabled: a.Disabled, Blocked: a.Blocked}
}

func (s *server) write(w landfall.Write) {
	r := w.Record
	if !r.Deleted {
		s.keys[r.ID] = w.Audience
	}
	s.records[r.ID] = r
	for key, id := range s.unique {
		if id == r.ID {
			delete(s.unique, key)
		}
	}
	for field, value := range w.Unique {
		s.unique[r.Type+" "+field+" "+value] = r.ID
	}
}

func mutation(s *oracle.Step) landfall.Mutation {
	m := landfall.Mutation{
		Replica: s.Replica, Incarnation: 1, N: s.N, Op: landfall.Op(s.Op), Type: s.Type, ID: s.ID, Set: fields(s.Set),
		Transition: s.Transition, Definition: s.Definition, MadeAt: s.Edited,
	}
	if s.Op != "create" {
		m.Base = &landfall.Base{Version: s.Base.Version, After: s.Base.After, Status: s.Base.Status, Was: fields(s.Base.Was)}
	}
	return m
}

func fields(values map[string]string) landfall.Fields {
	if values == nil {
		return nil
	}
	out := landfall.Fields{}
	for name, v := range values {
		out[name] = landfall.Value(v)
		if v == "" {
			out[name] = landfall.Null
		}
	}
	return out
}

func (s *server) Record(id string) (*landfall.Record, error) { return s.records[id].Clone(), nil }

func (s *server) Changes(id string, after int64) ([]landfall.Change, error) {
	var out []landfall.Change
	for _, c := range s.changes[id] {
		if c.Seq > after {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *server) Audience(id string) ([]string, error) { return s.keys[id], nil }

func (s *server) Unique(typ, field, value string) (string, error) {
	return s.unique[typ+" "+field+" "+value], nil
}

func (s *server) Counter(series string) (int64, error) { return s.numbers[series], nil }
func (s *server) UserExists(name string) (bool, error) { return slices.Contains(userNames, name), nil }
func (s *server) TeamExists(name string) (bool, error) { return slices.Contains(teamNames, name), nil }

func (s *server) Holder(replica, record string) (string, error) {
	return s.holder(func(h oracle.Hold) bool { return h.Replica == replica && h.Record == record }), nil
}

func (s *server) CreationHolder(replica, record string) (string, error) {
	return s.holder(func(h oracle.Hold) bool { return h.Creation && h.Replica == replica && h.Record == record }), nil
}

func (s *server) holder(is func(oracle.Hold) bool) string {
	if i := slices.IndexFunc(s.held, is); i >= 0 {
		return s.held[i].Issue
	}
	return ""
}

// Older goes by the age: ids of issues have no order.
func (s *server) Older(issue, other string) (bool, error) {
	at := func(id string) int {
		return slices.IndexFunc(s.held, func(h oracle.Hold) bool { return h.Issue == id })
	}
	return at(issue) < at(other), nil
}

// faulty are the fields that a refusal names, in order.
func faulty(r *core.Refusal) []string {
	var out []string
	for _, m := range r.Messages {
		if m.Field != "" {
			out = append(out, m.Field)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// plain is a record's fields as the oracle has them.
func plain(f landfall.Fields) map[string]string {
	out := map[string]string{}
	for name, v := range f {
		out[name] = strings.TrimSpace(string(v))
	}
	return out
}

// Referrers implements core.World: nothing here is seen or kept via another record.
func (s *server) Referrers(string, string, string, string, int) ([]string, error) { return nil, nil }
