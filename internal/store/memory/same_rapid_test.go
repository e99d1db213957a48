package memory_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// What is written and asked for is of few values, so that it meets.
var (
	spaces   = []string{"w", "v"}
	ids      = []string{"a", "ab", "b", "bb\x01"}
	keys     = []string{"all", "role:x", "role:y"}
	queues   = []string{"", "q", "r"}
	holders  = []string{"", "i1", "i2"}
	replicas = []string{"p", "pq", "q"}
	states   = []store.ItemState{store.Queued, store.Completed, store.WithErrors}
	kinds    = []landfall.Kind{"", landfall.KindGone, landfall.KindFork}
	issued   = []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved}
)

func one[T any](t *rapid.T, of []T) T { return rapid.SampledFrom(of).Draw(t, "one") }

func few[T comparable](t *rapid.T, of []T) []T {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, 2, rapid.ID).Draw(t, "few")
}

func number(t *rapid.T, to int) int64 { return int64(rapid.IntRange(1, to).Draw(t, "number")) }

func moment(n int64) time.Time { return time.Date(2026, 3, 1, 9, 0, int(n), 5, time.UTC) }

// deeds are what can be written; each is drawn once and done to both stores.
var deeds = map[string]func(*rapid.T, string, int64) func(store.Writer) error{
	"record": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		r := &landfall.Record{Type: "thing", ID: one(t, ids), Version: seq, Fields: landfall.Fields{}, Queue: one(t, queues), Assignee: one(t, queues), Deleted: number(t, 5) == 1}
		if rapid.Bool().Draw(t, "numbered") {
			r.Number = "N-" + r.ID
			r.Edits = map[string]landfall.Edit{"f": {Author: "emma", Seq: seq}}
		}
		under := few(t, keys)
		return func(w store.Writer) error { return w.PutRecord(ws, r, under) }
	},
	"regroup": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		id, under := one(t, ids), few(t, keys)
		return func(w store.Writer) error {
			if r, err := w.Record(ws, id); r == nil || r.Version == seq || err != nil {
				return err // it takes a place of its own
			}
			return w.Regroup(ws, id, under, seq)
		}
	},
	"change": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		c := &landfall.Change{Type: "thing", ID: one(t, ids), Seq: seq, Index: int(number(t, 3)), Action: landfall.Updated}
		return func(w store.Writer) error { return w.AddChange(ws, c) }
	},
	"unique": func(t *rapid.T, ws string, _ int64) func(store.Writer) error {
		id, values := one(t, ids), map[string]string{}
		for _, v := range few(t, []string{"f", "g"}) {
			values[v] = v + id + one(t, queues)
		}
		return func(w store.Writer) error { return w.SetUnique(ws, "thing", id, values) }
	},
	"links": func(t *rapid.T, ws string, _ int64) func(store.Writer) error {
		id, links := one(t, ids), []landfall.Link{}
		for _, target := range few(t, ids) {
			links = append(links, landfall.Link{Field: one(t, []string{"f", "g"}), Target: target})
		}
		return func(w store.Writer) error { return w.SetLinks(ws, "thing", id, links) }
	},
	"head": func(_ *rapid.T, ws string, seq int64) func(store.Writer) error {
		return func(w store.Writer) error {
			return errors.Join(w.SetHead(ws, store.Head{Seq: seq, Mark: fmt.Sprint("m", seq)}), w.SetCounter(ws, "c", seq))
		}
	},
	"grant": func(t *rapid.T, ws string, _ int64) func(store.Writer) error {
		g := store.GrantRow{User: one(t, ids), Key: one(t, keys), From: number(t, 3), To: number(t, 9)}
		return func(w store.Writer) error { return w.PutGrant(ws, g) }
	},
	"push": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		p, id := store.Push{Replica: one(t, replicas), Received: moment(seq), Body: []byte("body")}, number(t, 9)
		gone := rapid.Bool().Draw(t, "gone")
		return func(w store.Writer) error {
			p := p
			if gone {
				return w.DeletePush(ws, id)
			}
			return errors.Join(w.AddPush(ws, &p), w.MarkPush(ws, &store.Push{ID: id, Tried: int(seq), Trying: seq, Tries: 1}))
		}
	},
	"item": func(t *rapid.T, ws string, _ int64) func(store.Writer) error {
		i := &store.Item{Key: landfall.Key{Replica: one(t, replicas), Incarnation: number(t, 2), N: number(t, 5)}, User: one(t, ids), State: one(t, states), Bytes: []byte("{}"),
			Record: one(t, ids), Holder: one(t, holders), EditedAt: moment(1), Receipt: landfall.Receipt{N: 1}}
		i.ReceivedAt, i.Receipt.Kind = moment(i.Key.N), one(t, kinds)
		if rapid.Bool().Draw(t, "ended") {
			i.History = []store.ItemEvent{{At: moment(number(t, 5)), State: i.State}}
		}
		i.Refs = append(few(t, ids), i.Record)
		if rapid.Bool().Draw(t, "settled") {
			i.Outcome = &landfall.Outcome{Incarnation: i.Key.Incarnation, N: i.Key.N, Seq: number(t, 9), Settlement: landfall.SettledKept}
		}
		return func(w store.Writer) error { return w.PutItem(ws, i) }
	},
	"issue": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		n := number(t, 12)
		row := &store.IssueRow{Issue: landfall.Issue{ID: fmt.Sprint("i", n), Number: n, Version: seq, State: one(t, issued), Queue: one(t, queues), Author: one(t, ids), Record: one(t, ids), Cause: one(t, queues)}}
		return func(w store.Writer) error { return w.PutIssue(ws, row) }
	},
	"account": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		r := &store.Replica{ID: one(t, replicas), User: one(t, ids), Next: seq}
		if rapid.Bool().Draw(t, "signed in") {
			r.Credential = ws + r.ID
		}
		name := one(t, ids)
		return func(w store.Writer) error {
			return errors.Join(w.PutReplica(ws, r), w.PutUser(ws, &store.User{Name: name}), w.PutTeam(ws, store.Team{Name: name, Title: fmt.Sprint(seq)}),
				w.PutSession(ws, &store.Session{Token: ws + name, User: name}), w.DeleteSession(ws+r.User))
		}
	},
	"audit": func(t *rapid.T, ws string, seq int64) func(store.Writer) error {
		e := store.AuditEntry{At: moment(seq - number(t, 3)), By: one(t, ids), Action: "user.add", Object: one(t, ids)}
		return func(w store.Writer) error { e := e; return w.AddAudit(ws, &e) }
	},
}

// question is a read; what it answers is compared as JSON.
type question func(store.Reader) (any, error)

// questions are all reads, each with what was drawn to ask for.
func questions(t *rapid.T) map[string]question {
	ws, id, key, replica, after, upto := one(t, spaces), one(t, ids), one(t, keys), one(t, replicas), number(t, 30)-1, number(t, 60)
	queue, holder, limit, user := one(t, queues), one(t, holders), int(number(t, 6)), one(t, append([]string{""}, ids...))
	page := store.Page{After: user, Limit: limit}
	listed, listed2, listed3, searched, searched2 := itemPage(t), itemPage(t), itemPage(t), searchPage(t), searchPage(t)
	f, audited := store.IssueFilter{Cause: queue, State: one(t, append([]string{"", store.Unresolved}, issued...))}, store.AuditFilter{By: user}
	numbered := store.Page{Limit: limit}
	if rapid.Bool().Draw(t, "go on") {
		numbered.After = fmt.Sprint(number(t, 12))
	}
	return map[string]question{
		"head":     func(r store.Reader) (any, error) { return r.Head(ws) },
		"mark":     func(r store.Reader) (any, error) { return r.Mark(ws, upto) },
		"counter":  func(r store.Reader) (any, error) { return r.Counter(ws, "c") },
		"record":   func(r store.Reader) (any, error) { return r.Record(ws, id) },
		"audience": func(r store.Reader) (any, error) { return r.Audience(ws, id) },
		"row":      func(r store.Reader) (any, error) { return r.Row(ws, id) },
		"typed":    func(r store.Reader) (any, error) { return r.RecordsOf(ws, "thing", user, limit) },
		"entered":  func(r store.Reader) (any, error) { return r.Entered(ws, key, id, after) },
		"numbered": func(r store.Reader) (any, error) { return r.RecordByNumber(ws, "N-"+id) },
		"prefix":   func(r store.Reader) (any, error) { return r.RecordsByPrefix(ws, user, limit) },
		"changes":  func(r store.Reader) (any, error) { return r.Changes(ws, id, after) },
		"unique":   func(r store.Reader) (any, error) { return r.Unique(ws, "thing", "f", "f"+id+queue) },
		"queued":   func(r store.Reader) (any, error) { return r.Queued(ws, queue, page) },
		"assigned": func(r store.Reader) (any, error) { return r.Assigned(ws, queue, page) },
		"feed": func(r store.Reader) (any, error) {
			return r.Feed(ws, key, store.Spot{Seq: after, ID: user}, upto, limit)
		},
		"keyed":  func(r store.Reader) (any, error) { return r.Keyed(ws, key, "thing", user, limit) },
		"links":  func(r store.Reader) (any, error) { return r.Referrers(ws, id, "thing", "f", user, limit) },
		"grants": func(r store.Reader) (any, error) { return r.Grants(ws, id) },
		"ids":    func(r store.Reader) (any, error) { return r.RecordIDs(ws, user, limit) },
		"log": func(r store.Reader) (any, error) {
			return r.Log(ws, store.Place{ID: user, Seq: after, Index: 1}, limit)
		},
		"pushes":    func(r store.Reader) (any, error) { return r.Pushes(ws, after, limit) },
		"items":     listed,
		"items, 2":  listed2,
		"items, 3":  listed3,
		"search":    searched,
		"search, 2": searched2,
		"records":   func(r store.Reader) (any, error) { return r.ItemRecords(ws, user, limit) },
		"known": func(r store.Reader) (any, error) {
			n, keys, err := r.Known(ws, id)
			return append(keys, n), err
		},
		"aging": func(r store.Reader) (any, error) {
			return r.Aging(ws, moment(after), store.Page{Limit: limit})
		},
		"held":       func(r store.Reader) (any, error) { return r.Held(ws, holder) },
		"laned":      func(r store.Reader) (any, error) { return r.Laned(ws, replica) },
		"lane":       func(r store.Reader) (any, error) { return r.Lane(ws, replica, id) },
		"outcomes":   func(r store.Reader) (any, error) { return r.Outcomes(ws, replica, after%9, upto, limit) },
		"issue":      func(r store.Reader) (any, error) { return r.IssueByNumber(ws, int64(limit)) },
		"issues":     func(r store.Reader) (any, error) { return r.Issues(ws, f, numbered) },
		"user":       func(r store.Reader) (any, error) { return r.User(ws, id) },
		"users":      func(r store.Reader) (any, error) { return r.Users(ws, page) },
		"teams":      func(r store.Reader) (any, error) { return r.Teams(ws) },
		"session":    func(r store.Reader) (any, error) { _, s, err := r.Session(ws + id); return s, err },
		"credential": func(r store.Reader) (any, error) { _, p, err := r.ReplicaByCredential(ws + replica); return p, err },
		"replicas": func(r store.Reader) (any, error) {
			return r.Replicas(ws, user, store.Page{After: replica, Limit: limit})
		},
		"audit": func(r store.Reader) (any, error) { return r.Audit(ws, audited, numbered) },
	}
}

// itemPage lists items by some filter, which is what most ways lead through.
func itemPage(t *rapid.T) question {
	ws, f, p := one(t, spaces), store.ItemFilter{}, store.Page{Limit: int(number(t, 6))}
	chance := rapid.SliceOfN(rapid.IntRange(0, 2), 6, 6).Draw(t, "chance")
	for i, narrow := range []func(){
		func() { f.Replica = one(t, replicas) }, func() { f.State = one(t, states) }, func() { f.User = one(t, ids) },
		func() { f.Record = one(t, ids) }, func() { f.Since = moment(number(t, 5)) },
		func() {
			p.After = landfall.Key{Replica: one(t, replicas), Incarnation: number(t, 2), N: number(t, 5)}.String()
		},
	} {
		if chance[i] == 0 {
			narrow()
		}
	}
	return func(r store.Reader) (any, error) { return r.Items(ws, f, p) }
}

// searchPage searches by some filter, without a bound, in some direction. The
// cursor of a full page is the only one: how far a search looks differs.
func searchPage(t *rapid.T) question {
	ws, f := one(t, spaces), store.ItemFilter{}
	s := store.Scan[store.Item]{Page: store.Page{Limit: int(number(t, 6)), Oldest: rapid.Bool().Draw(t, "oldest")}, Most: 1000}
	chance := rapid.SliceOfN(rapid.IntRange(0, 2), 9, 9).Draw(t, "chance")
	for i, narrow := range []func(){
		func() { f.Replica = one(t, replicas) }, func() { f.State = one(t, states) }, func() { f.User = one(t, ids) },
		func() { f.Record = one(t, ids) }, func() { f.Since = moment(number(t, 5)) }, func() { f.Until = moment(number(t, 5)) },
		func() { f.Kind = one(t, kinds) }, func() { s.Of = one(t, ids) },
		func() {
			s.After = landfall.Key{Replica: one(t, replicas), Incarnation: number(t, 2), N: number(t, 5)}.String()
		},
	} {
		if chance[i] == 0 {
			narrow()
		}
	}
	return func(r store.Reader) (any, error) { return r.Search(ws, f, s) }
}

func answer(r store.Reader, q question) (string, error) {
	v, err := q(r)
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(v)
	if string(b) == "[]" || string(b) == `""` {
		return "null", err
	}
	return string(b), err
}

// pair is two stores that should say the same.
type pair [2]store.Store

// ask runs the same in both, each in a transaction that sees what was done.
func (p pair) ask(t *rapid.T, run func(store.Store, func(store.Reader) error) error) {
	all := rapid.SliceOfN(rapid.Custom(questions), 5, 5).Draw(t, "questions")
	var said [2][]map[string]string
	var errs [2]error
	for i, s := range p {
		errs[i] = run(s, func(r store.Reader) (err error) {
			for _, set := range all {
				said[i] = append(said[i], map[string]string{})
				for name, q := range set {
					v, err2 := answer(r, q)
					said[i][len(said[i])-1][name], err = v, errors.Join(err, err2)
				}
			}
			return err
		})
	}
	if (errs[0] == nil) != (errs[1] == nil) {
		t.Fatalf("one failed:\n%v\n%v", errs[0], errs[1])
	}
	for i := range said[0] {
		for name, v := range said[0][i] {
			if v != said[1][i][name] {
				t.Errorf("%s:\n%s\n%s", name, v, said[1][i][name])
			}
		}
	}
}

// TestSameAsSQLite does and asks both stores the same.
func TestSameAsSQLite(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		other, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{Readers: 1})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = other.Close() }() // it is thrown away
		both := pair{memory.New(), other}
		for _, s := range both {
			if err := s.Update(t.Context(), func(w store.Writer) error {
				return errors.Join(w.CreateWorkspace("w", store.Head{}), w.CreateWorkspace("v", store.Head{}))
			}); err != nil {
				rt.Fatal(err)
			}
		}
		seq := int64(1)
		for range rapid.IntRange(1, 6).Draw(rt, "transactions") {
			var do []func(store.Writer) error
			for range rapid.IntRange(1, 20).Draw(rt, "deeds") {
				name := rapid.SampledFrom(slices.Sorted(maps.Keys(deeds))).Draw(rt, "deed")
				seq += number(rt, 2) - 1
				do = append(do, deeds[name](rt, one(rt, spaces), seq))
			}
			both.ask(rt, func(s store.Store, see func(store.Reader) error) error {
				return s.Update(t.Context(), func(w store.Writer) error {
					for _, f := range do {
						if err := f(w); err != nil {
							return err
						}
					}
					return see(w)
				})
			})
			both.ask(rt, func(s store.Store, see func(store.Reader) error) error { return s.View(t.Context(), see) })
		}
	})
}
