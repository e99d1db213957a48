package auth

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

const (
	ws       = "expenses"
	password = "landfall-demo"
)

// fixed is a definition that every reader sees.
type fixed struct{ app *definition.App }

func (f fixed) At(store.Reader, string) (*definition.App, error) { return f.app, nil }

// world is a workspace whose first administrator is ada, with a clock that
// only the test moves.
type world struct {
	*Accounts
	t     testing.TB
	now   time.Time
	ids   int
	admin landfall.Actor
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	app := &definition.App{Name: ws, Roles: []string{"employee", "manager", "sync_admin"}, Source: []byte("app: expenses")}
	var seed [32]byte
	w.Accounts = New(Config{
		Store: memory.New(), Definitions: fixed{app}, Clock: func() time.Time { return w.now }, Mark: w.id, NewID: w.id,
		Random: rand.NewChaCha8(seed),
	})
	if err := w.Bootstrap(t.Context(), First{Workspace: ws, App: app, Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	w.admin = w.user("ada").Actor()
	return w
}

func (w *world) id() string {
	w.ids++
	return fmt.Sprintf("0198c3aa-0000-7000-8000-%012d", w.ids)
}

func (w *world) user(name string) *store.User {
	w.t.Helper()
	var u *store.User
	w.view(func(r store.Reader) (err error) {
		u, err = r.User(ws, name)
		return err
	})
	return u
}

func (w *world) view(f func(r store.Reader) error) {
	w.t.Helper()
	if err := w.store.View(context.Background(), f); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) head() store.Head {
	w.t.Helper()
	var h *store.Head
	w.view(func(r store.Reader) (err error) {
		h, err = r.Head(ws)
		return err
	})
	return *h
}

// spans are a user's grants as text: KEY FROM-TO.
func (w *world) spans(name string) string {
	w.t.Helper()
	var out []string
	w.view(func(r store.Reader) error {
		rows, err := r.Grants(ws, name)
		for _, g := range rows {
			out = append(out, fmt.Sprintf("%s %d-%d", g.Key, g.From, g.To))
		}
		return err
	})
	return strings.Join(out, ", ")
}

func (w *world) add(name string, roles ...string) {
	w.t.Helper()
	if _, err := w.AddUser(w.t.Context(), ws, w.admin, wire.NewUser{Name: name, Password: password, Roles: roles}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) signIn(name string) string {
	w.t.Helper()
	s, err := w.SignIn(w.t.Context(), wire.SignIn{User: name, Password: password})
	if err != nil {
		w.t.Fatal(err)
	}
	return s.Token
}

func (w *world) enrol(name string) *wire.Enrolled {
	w.t.Helper()
	c, err := w.NewCode(w.t.Context(), ws, w.admin, wire.NewCode{User: name})
	if err != nil {
		w.t.Fatal(err)
	}
	e, err := w.Enrol(w.t.Context(), wire.EnrolRequest{Code: c.Code}, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// valid reports whether a token lets its holder in.
func (w *world) valid(token string) bool {
	w.t.Helper()
	c, err := w.Authenticate(w.t.Context(), token)
	if err != nil && landfall.CodeOf(err) != landfall.CodeUnauthorized {
		w.t.Fatal(err)
	}
	return err == nil && !c.Void
}

// refused expects an error of the code whose text has all parts.
func refused(t *testing.T, err error, code landfall.Code, parts ...string) {
	t.Helper()
	if err == nil || landfall.CodeOf(err) != code {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("%q is not in %q", p, err)
		}
	}
}
