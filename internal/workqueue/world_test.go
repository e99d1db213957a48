package workqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
)

const ws = "main"

var start = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

type fixed struct{ app *definition.App }

func (f *fixed) At(store.Reader, string) (*definition.App, error) { return f.app, nil }

func expenses() *definition.App {
	statuses := map[string]*definition.Status{}
	order := []string{"draft", "pending", "approved"}
	for _, s := range order {
		statuses[s] = &definition.Status{Name: s}
	}
	statuses["pending"].Title = "Waiting for approval"
	moves := map[string]*definition.Transition{
		"submit":  {Name: "submit", From: []string{"draft", "pending"}, To: "pending", Roles: []string{"employee", "sync_admin"}},
		"approve": {Name: "approve", From: []string{"pending"}, To: "approved", Roles: []string{"manager"}},
		"reopen":  {Name: "reopen", From: []string{"approved"}, To: "draft", Roles: []string{"manager", "sync_admin"}},
	}
	fields := map[string]*definition.Field{
		"owner":  {Name: "owner", Title: "Owner", Type: definition.UserRef},
		"amount": {Name: "amount", Title: "Amount", Type: definition.Decimal},
	}
	return &definition.App{
		Name: "expenses", Version: 1, Roles: []string{"employee", "manager", "sync_admin", "ghost"},
		Queues: map[string]*definition.Queue{
			"sync-conflicts": {Name: "sync-conflicts", Title: "Sync conflicts", Members: []string{"sync_admin"}},
			"approvals":      {Name: "approvals", Title: "Approvals", Members: []string{"manager"}},
			"haunted":        {Name: "haunted", Title: "Haunted", Members: []string{"ghost"}},
		},
		Types: map[string]*definition.Type{"expense": {
			Name: "expense", Title: "Expense report", Fields: fields, Order: []string{"owner", "amount"},
			Lifecycle: &definition.Lifecycle{
				Initial: "draft", Statuses: statuses, Order: order, Transitions: moves, Moves: []string{"submit", "approve", "reopen"},
			},
			Audience: []definition.AudienceKey{
				{Kind: definition.AudienceUser, Name: "owner"}, {Kind: definition.AudienceRole, Name: "manager"},
			},
		}},
		Order: []string{"expense"},
	}
}

// world is a workspace with some people.
type world struct {
	t     *testing.T
	store store.Store
	desk  *Desk
	defs  *fixed
	now   time.Time
	marks int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, store: memory.New(), now: start, defs: &fixed{expenses()}}
	w.desk = New(Config{Store: w.store, Definitions: w.defs, Clock: func() time.Time { return w.now }, Mark: w.mark})
	w.update(func(tx store.Writer) error {
		if err := tx.CreateWorkspace(ws, store.Head{Epoch: "e1", Time: start, App: "expenses"}); err != nil {
			return err
		}
		for _, u := range []store.User{
			{Name: "emma", Roles: []string{"employee"}},
			{Name: "mara", Roles: []string{"employee", "manager"}},
			{Name: "ada", Roles: []string{"administrator", "sync_admin"}},
			{Name: "sven", Roles: []string{"sync_admin"}},
			{Name: "otto"},
			{Name: "max", Roles: []string{"ghost"}, Disabled: true},
		} {
			if err := tx.PutUser(ws, &u); err != nil {
				return err
			}
		}
		return tx.PutReplica(ws, &store.Replica{ID: "phone", User: "emma", Name: "Emma's phone", Incarnation: 1, Next: 1})
	})
	return w
}

func (w *world) mark() string { w.marks++; return fmt.Sprintf("m%d", w.marks) }

func (w *world) update(f func(store.Writer) error) {
	w.t.Helper()
	if err := w.store.Update(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(f func(store.Reader) error) {
	w.t.Helper()
	if err := w.store.View(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func actor(name string) landfall.Actor { return landfall.Actor{User: name} }

// put stores a record under keys.
func (w *world) put(r landfall.Record, keys ...string) {
	w.t.Helper()
	w.update(func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.now, w.mark())
		if err != nil {
			return err
		}
		r.Version, r.UpdatedAt = l.Next(), l.Now()
		slices.Sort(keys)
		err = l.Commit(&landfall.Effects{
			Writes:  []landfall.Write{{Record: &r, Audience: keys}},
			Changes: []landfall.Change{{Type: r.Type, ID: r.ID, Action: landfall.Created, To: r.Status, At: l.Now()}},
		})
		if err != nil {
			return err
		}
		return l.Close()
	})
}

// expense stores Emma's report as her manager may see it.
func (w *world) expense(id, number, status string) {
	w.t.Helper()
	w.put(landfall.Record{
		Type: "expense", ID: id, Number: number, Status: status, Queue: map[string]string{"pending": "approvals"}[status],
		Fields: landfall.Fields{"owner": landfall.Value(`"emma"`), "amount": landfall.Value(`"120"`)},
	}, "role:manager", "user:emma")
}

// raise stores an issue as a refusal does.
func (w *world) raise(row store.IssueRow, keys ...string) {
	w.t.Helper()
	i := &row.Issue
	if i.State == "" {
		i.State = landfall.IssueOpen
	}
	if i.ReceivedAt.IsZero() {
		i.ReceivedAt = w.now
	}
	w.update(func(tx store.Writer) error {
		l, err := store.Open(tx, ws, w.now, w.mark())
		if err != nil {
			return err
		}
		i.Version = l.Next()
		r, err := i.AsRecord()
		if err != nil {
			return err
		}
		r.CreatedAt, r.UpdatedAt = l.Now(), l.Now()
		slices.Sort(keys)
		err = l.Commit(&landfall.Effects{
			Writes:  []landfall.Write{{Record: r, Audience: keys}},
			Changes: []landfall.Change{{Type: r.Type, ID: r.ID, Action: landfall.Created, To: r.Status, At: l.Now()}},
		})
		if err != nil {
			return err
		}
		if err := tx.PutIssue(ws, &row); err != nil {
			return err
		}
		return l.Close()
	})
}

// conflict stores an issue of Emma's in the queue for conflicts.
func (w *world) conflict(id string, number int64, record string) {
	w.t.Helper()
	raw := fmt.Sprintf(`{"n":%d,"op":"update","type":"expense","id":%q,"set":{"amount":"140"},"base":{"version":1,"status":"pending","was":{"amount":"120"}}}`, number, record)
	w.raise(store.IssueRow{
		Issue: landfall.Issue{
			ID: id, Number: number, Kind: landfall.KindStatus, Cause: "status-conflict/expense", Queue: "sync-conflicts",
			RecordType: "expense", Record: record, Op: landfall.OpUpdate, Author: "emma", Device: "phone", Incarnation: 1, N: number,
			Messages: []landfall.Message{{Code: "moved", Text: "It was moved."}},
		},
		Sent: [][]byte{[]byte(raw)}, Hash: "h",
	}, "user:emma", "role:sync_admin")
}

// expect checks an error's code, and that it says all of some texts.
func expect(t *testing.T, err error, code landfall.Code, says ...string) {
	t.Helper()
	var e *landfall.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("got %v, want %s", err, code)
	}
	for _, s := range says {
		if !strings.Contains(e.Error(), s) {
			t.Fatalf("%q does not say %q", e.Error(), s)
		}
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
