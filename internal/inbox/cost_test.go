package inbox

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/examples"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
	"github.com/landfall-sync/landfall/internal/wire"
)

type published struct{ app *definition.App }

func (p published) At(store.Reader, string) (*definition.App, error) { return p.app, nil }

// stocked is an inbox on a database that holds n records of other people.
func stocked(t testing.TB, n int) (*Inbox, *sqlite.Store) {
	t.Helper()
	st, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() }) // the test is over
	app := definition.MustCompile("app.yaml", examples.Expenses)
	app.Version = 1
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	err = st.Update(t.Context(), func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{Epoch: "e", Time: now, Definition: 1}); err != nil {
			return err
		}
		if err := w.PutUser("w", &store.User{Name: "emma", Roles: []string{"employee"}}); err != nil {
			return err
		}
		if err := w.PutReplica("w", &store.Replica{ID: "phone", User: "emma", Incarnation: 1, Next: 1}); err != nil {
			return err
		}
		l, err := store.Open(w, "w", now, "m")
		if err != nil {
			return err
		}
		for i := range n {
			id := fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", i)
			r := &landfall.Record{Type: "expense", ID: id, Version: l.Next(), Status: "draft", Number: fmt.Sprint("EXP-", 1001+i), Fields: landfall.Fields{"purpose": landfall.Value(`"Oslo"`), "amount": landfall.Value(`"120"`), "owner": landfall.Value(`"mara"`)}}
			keys, err := core.Audience(app, r, core.Nobody)
			if err != nil {
				return err
			}
			e := landfall.Effects{Writes: []landfall.Write{{Record: r, Audience: keys}}, Changes: []landfall.Change{{Type: r.Type, ID: id, Action: landfall.Created, At: now}},
				Counters: map[string]int64{"expense": int64(1001 + i)}}
			if err := l.Commit(&e); err != nil {
				return err
			}
			k := landfall.Key{Replica: "other", Incarnation: 1, N: int64(i + 1)}
			if err := w.PutItem("w", &store.Item{Key: k, User: "mara", State: store.Completed, Record: id, ReceivedAt: now}); err != nil {
				return err
			}
		}
		return l.Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	return New(Config{
		Store: st, Definitions: published{app}, Clock: func() time.Time { return now }, Mark: func() string { return "m2" },
		NewID:  func() string { ids++; return fmt.Sprintf("0198c3ab-0000-7000-8000-%012d", ids) },
		Limits: wire.DefaultLimits(), Patience: time.Minute,
	}), st
}

// pushed pushes mutations and steps the inbox until they are judged.
func pushed(t *testing.T, in *Inbox, first int64, previous string, mutations ...string) *wire.PushReply {
	t.Helper()
	p := wire.Push{Replica: "phone", Incarnation: 1, Clock: in.cfg.Clock(), Protocol: wire.Protocol, Definition: 1, First: first, PreviousHash: previous}
	for _, m := range mutations {
		p.Mutations = append(p.Mutations, json.RawMessage(m))
	}
	body, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	r, err := offered(t, in, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// offered pushes a body while the inbox is stepped.
func offered(t *testing.T, in *Inbox, body []byte) (reply *wire.PushReply, err error) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		reply, err = in.Push(t.Context(), "w", phone, body)
		close(done)
	}()
	for {
		select {
		case <-done:
			return reply, err
		case <-in.Offered():
			if _, err := in.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Judging costs the same whatever is stored: a creation, a change, a transition
// and a refusal, at a thousand records and at a hundred thousand.
func TestJudgingCostsTheSameAtAnySize(t *testing.T) {
	const id = "0198c3ac-0000-7000-8000-000000000001"
	mutations := []string{
		`{"n":1,"op":"create","type":"expense","id":"` + id + `","set":{"purpose":"Oslo","amount":"120","owner":"emma"},"base":{"version":0},"made_at":"2026-03-01T08:00:00Z"}`,
		`{"n":2,"op":"update","type":"expense","id":"` + id + `","set":{"amount":"140"},"base":{"version":0,"after":1,"status":"draft","was":{"amount":"120"}},"made_at":"2026-03-01T08:01:00Z"}`,
		`{"n":3,"op":"transition","transition":"submit","type":"expense","id":"` + id + `","base":{"version":0,"after":2,"status":"draft"},"made_at":"2026-03-01T08:02:00Z"}`,
		`{"n":4,"op":"transition","transition":"approve","type":"expense","id":"` + id + `","base":{"version":0,"after":3,"status":"pending-approval"},"made_at":"2026-03-01T08:03:00Z"}`,
	}
	cost := func(records int) (out [4]sqlite.Stats) {
		in, st := stocked(t, records)
		previous := ""
		for i, m := range mutations {
			before := st.Stats()
			r := pushed(t, in, int64(i+1), previous, m)
			after := st.Stats()
			out[i] = sqlite.Stats{Queries: after.Queries - before.Queries, RowsRead: after.RowsRead - before.RowsRead, Commits: after.Commits - before.Commits}
			previous = core.Hash([]byte(m))
			want := landfall.Applied
			if i == 3 {
				want = landfall.Issued
			}
			if r.Receipts[0].Result != want {
				t.Fatalf("%d: %+v", i+1, r.Receipts)
			}
		}
		return out
	}
	few, many := cost(1_000), cost(large)
	for i := range few {
		if few[i] != many[i] {
			t.Errorf("mutation %d: %+v at 1,000 records, %+v at %d", i+1, few[i], many[i], large)
		}
		t.Logf("mutation %d: %+v", i+1, few[i])
	}
}
