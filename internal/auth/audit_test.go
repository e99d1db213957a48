package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func (w *world) audit(f store.AuditFilter) (out []*store.AuditEntry) {
	w.t.Helper()
	w.view(func(r store.Reader) (err error) {
		out, err = r.Audit(ws, f, store.Page{Limit: 1000})
		return err
	})
	return out
}

// Guessing passwords writes one entry a user and minute, and the same work is
// done for names that are nobody's.
func TestRefusedSignInsAreDamped(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	guess := func(name string) {
		t.Helper()
		if _, err := w.SignIn(t.Context(), wire.SignIn{User: name, Password: "wrong-" + password}); err == nil {
			t.Fatal("signed in")
		}
	}
	counted := func() (n int64) {
		w.view(func(r store.Reader) (err error) {
			n, err = r.Counter(ws, unknownNames)
			return err
		})
		return n
	}
	for range 4 {
		guess("emma")
		guess("nobody")
		guess("Not A Name")
		guess("elsewhere/emma")
	}
	got := w.audit(store.AuditFilter{Action: store.SessionRefused})
	if len(got) != 1 || got[0].Object != "emma" || got[0].By != "" || got[0].Outcome != store.AuditRefused || counted() != 1 {
		t.Errorf("%d entries, %d counted: %+v", len(got), counted(), got)
	}
	w.now = w.now.Add(time.Minute)
	guess("emma")
	guess("nobody")
	if got := w.audit(store.AuditFilter{Action: store.SessionRefused}); len(got) != 2 || counted() != 2 {
		t.Errorf("a minute later: %d entries, %d counted", len(got), counted())
	}
}

// Who may not administer, and tries again and again, does not fill the audit;
// what they made up is not in it.
func TestRefusedAdministrationIsDamped(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	emma := w.user("emma").Actor()
	long := strings.Repeat("x", 10_000)
	try := func() {
		for range 5 {
			_, err := w.AddUser(t.Context(), ws, emma, wire.NewUser{Name: long, Title: long})
			refused(t, err, landfall.CodeForbidden)
			_, err = w.ChangeUser(t.Context(), ws, emma, "", "ada", wire.UserChange{Revoke: []string{long}, Grant: []string{long, "x"}})
			refused(t, err, landfall.CodeForbidden)
		}
	}
	try()
	var told []string
	for _, e := range w.audit(store.AuditFilter{By: "emma"}) {
		told = append(told, strings.TrimSpace(e.Action+" "+e.Object))
		if e.Outcome != store.AuditRefused || len(e.Detail) > 0 {
			t.Errorf("%+v", e)
		}
	}
	if got := strings.Join(told, ", "); got != "user.revoke ada, user.grant ada, user.add" {
		t.Error(got)
	}
	w.now = w.now.Add(time.Minute)
	try()
	if n := len(w.audit(store.AuditFilter{By: "emma"})); n != 6 {
		t.Errorf("%d entries a minute later", n)
	}
	_, err := w.Audit(t.Context(), ws, emma, store.AuditFilter{}, store.Page{Limit: 1})
	refused(t, err, landfall.CodeForbidden, "administrator")
}
