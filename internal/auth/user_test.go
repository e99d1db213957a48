package auth

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func TestBootstrap(t *testing.T) {
	w := newWorld(t)
	h := w.head()
	if h.App != ws || h.Definition != 1 || h.Seq != 5 || h.Epoch == "" || h.Mark == "" {
		t.Errorf("%+v", h)
	}
	if got := w.spans("ada"); got != "role:employee 2-0, role:manager 3-0, role:sync_admin 4-0, role:administrator 5-0" {
		t.Error(got)
	}
	if got := strings.Join(w.admin.Roles, " "); got != "administrator employee manager sync_admin" {
		t.Error(got)
	}
	w.view(func(r store.Reader) error {
		d, err := r.Definition(ws, 1)
		if err != nil || string(d.Source) != "app: expenses" || d.By != "ada" {
			t.Errorf("%+v, %v", d, err)
		}
		return nil
	})
	app := w.defs.(fixed).app
	refused(t, w.Bootstrap(t.Context(), First{Workspace: ws, App: app, Admin: "eve", Password: password}), landfall.CodeConflict)
	refused(t, w.Bootstrap(t.Context(), First{Workspace: "other", App: app, Admin: "Eve", Password: password}), landfall.CodeInvalid)
	refused(t, w.Bootstrap(t.Context(), First{Workspace: "other", App: app, Admin: "eve", Password: "short"}), landfall.CodeInvalid, "10")
	if w.user("eve") != nil {
		t.Error("a refused beginning left something")
	}
}

func TestAddUser(t *testing.T) {
	w := newWorld(t)
	if _, err := w.AddTeam(t.Context(), ws, w.admin, wire.Team{Name: "north", Title: "The North"}); err != nil {
		t.Fatal(err)
	}
	v, err := w.AddUser(t.Context(), ws, w.admin, wire.NewUser{Name: "emma", Title: "Emma", Password: password, Roles: []string{"manager", "employee", "manager"}, Teams: []string{"north"}})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(v.Roles, " ") != "employee manager" || strings.Join(v.Teams, " ") != "north" {
		t.Errorf("%+v", v)
	}
	if got := w.spans("emma"); got != "role:manager 6-0, role:employee 7-0, team:north 8-0" {
		t.Error(got)
	}
	before := w.head().Seq
	for _, c := range []struct {
		n    wire.NewUser
		code landfall.Code
		say  string
	}{
		{wire.NewUser{Name: "emma"}, landfall.CodeConflict, "already"},
		{wire.NewUser{Name: "Emma"}, landfall.CodeInvalid, "letter"},
		{wire.NewUser{Name: ""}, landfall.CodeInvalid, "letter"},
		{wire.NewUser{Name: strings.Repeat("e", 65)}, landfall.CodeInvalid, "letter"},
		{wire.NewUser{Name: "system"}, landfall.CodeInvalid, "own"},
		{wire.NewUser{Name: "otto", Password: "123456789"}, landfall.CodeInvalid, "10 characters"},
		{wire.NewUser{Name: "otto", Roles: []string{"employe"}}, landfall.CodeInvalid, `did you mean "employee"`},
		{wire.NewUser{Name: "otto", Roles: []string{"employee"}, Teams: []string{"nort"}}, landfall.CodeInvalid, `did you mean "north"`},
		{wire.NewUser{Name: "otto", Title: "a\nb"}, landfall.CodeInvalid, "one line"},
	} {
		_, err := w.AddUser(t.Context(), ws, w.admin, c.n)
		refused(t, err, c.code, c.say)
	}
	if w.user("otto") != nil || w.head().Seq != before {
		t.Error("a refused user left something")
	}
}

func TestGrantAndRevoke(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	change := func(c wire.UserChange) error {
		_, err := w.ChangeUser(t.Context(), ws, w.admin, "", "emma", c)
		return err
	}
	for _, c := range []struct {
		change wire.UserChange
		spans  string
	}{
		{wire.UserChange{Grant: []string{"manager"}}, "role:employee 6-0, role:manager 7-0"},
		{wire.UserChange{Grant: []string{"manager"}}, "role:employee 6-0, role:manager 7-0"},
		{wire.UserChange{Revoke: []string{"employee", "sync_admin"}}, "role:employee 6-8, role:manager 7-0"},
		{wire.UserChange{Revoke: []string{"employee"}, Grant: []string{"employee"}}, "role:employee 6-8, role:manager 7-0, role:employee 9-0"},
		{wire.UserChange{Revoke: []string{"employee"}}, "role:employee 6-8, role:manager 7-0, role:employee 9-10"},
	} {
		if err := change(c.change); err != nil {
			t.Fatal(err)
		}
		if got := w.spans("emma"); got != c.spans {
			t.Errorf("%+v: %s", c.change, got)
		}
	}
	refused(t, change(wire.UserChange{Revoke: []string{"managr"}}), landfall.CodeInvalid, "manager")
	refused(t, change(wire.UserChange{Leave: []string{"south"}}), landfall.CodeInvalid, "south")
	_, err := w.ChangeUser(t.Context(), ws, w.admin, "", "ema", wire.UserChange{})
	refused(t, err, landfall.CodeNotFound, "emma")
	// A role that the definition has no more can still be taken.
	w.defs.(fixed).app.Roles = []string{"employee"}
	if err := change(wire.UserChange{Revoke: []string{"manager"}}); err != nil {
		t.Error(err)
	}
	if got := w.head().Seq; got != 11 {
		t.Errorf("the sequence is at %d", got)
	}
}

func TestThereIsAlwaysAnAdministrator(t *testing.T) {
	w := newWorld(t)
	yes := true
	w.add("emma", "employee")
	if _, err := w.AddUser(t.Context(), ws, w.admin, wire.NewUser{Name: "nopass", Roles: []string{"administrator"}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []wire.UserChange{{Disabled: &yes}, {Revoke: []string{"administrator"}}} {
		_, err := w.ChangeUser(t.Context(), ws, w.admin, "", "ada", c)
		refused(t, err, landfall.CodeConflict, "last administrator")
	}
	if u := w.user("ada"); u.Disabled || len(u.Roles) != 4 {
		t.Errorf("%+v", u)
	}
	w.add("bo", "administrator")
	if _, err := w.ChangeUser(t.Context(), ws, w.admin, "", "ada", wire.UserChange{Revoke: []string{"administrator"}}); err != nil {
		t.Error(err)
	}
	_, err := w.ChangeUser(t.Context(), ws, w.user("bo").Actor(), "", "bo", wire.UserChange{Disabled: &yes})
	refused(t, err, landfall.CodeConflict)
}

func TestAdministratorsOnly(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee", "manager")
	w.add("otto")
	emma := w.user("emma").Actor()
	page := store.Page{Limit: 10}
	calls := map[string]func(a landfall.Actor) error{
		"users": func(a landfall.Actor) error { _, err := w.Users(t.Context(), ws, a, page); return err },
		"user":  func(a landfall.Actor) error { _, err := w.User(t.Context(), ws, a, "otto"); return err },
		"add": func(a landfall.Actor) error {
			_, err := w.AddUser(t.Context(), ws, a, wire.NewUser{Name: "x"})
			return err
		},
		"change": func(a landfall.Actor) error {
			_, err := w.ChangeUser(t.Context(), ws, a, "", "emma", wire.UserChange{Grant: []string{"administrator"}})
			return err
		},
		"teams": func(a landfall.Actor) error { _, err := w.Teams(t.Context(), ws, a); return err },
		"team": func(a landfall.Actor) error {
			_, err := w.AddTeam(t.Context(), ws, a, wire.Team{Name: "x"})
			return err
		},
		"code": func(a landfall.Actor) error {
			_, err := w.NewCode(t.Context(), ws, a, wire.NewCode{User: "emma"})
			return err
		},
		"device": func(a landfall.Actor) error {
			_, err := w.Devices(t.Context(), ws, a, wire.DevicesQuery{User: "otto"}, page)
			return err
		},
	}
	gone := w.admin
	gone.Disabled = true
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			refused(t, call(emma), landfall.CodeForbidden, "administrator")
			if name != "device" {
				refused(t, call(gone), landfall.CodeForbidden)
			}
			if err := call(w.admin); err != nil {
				t.Error(err)
			}
		})
	}
	if v, err := w.User(t.Context(), ws, emma, "emma"); err != nil || v.Name != "emma" {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestLists(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	w.add("otto")
	var names []string
	after := ""
	for {
		l, err := w.Users(t.Context(), ws, w.admin, store.Page{After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range l.Items {
			names = append(names, u.Name)
		}
		if after = l.Next; after == "" {
			break
		}
	}
	if strings.Join(names, " ") != "ada emma otto" {
		t.Error(names)
	}
	if _, err := w.AddTeam(t.Context(), ws, w.admin, wire.Team{Name: "north"}); err != nil {
		t.Fatal(err)
	}
	_, err := w.AddTeam(t.Context(), ws, w.admin, wire.Team{Name: "north"})
	refused(t, err, landfall.CodeConflict)
	_, err = w.AddTeam(t.Context(), ws, w.admin, wire.Team{Name: "The North"})
	refused(t, err, landfall.CodeInvalid)
	if teams, err := w.Teams(t.Context(), ws, w.admin); err != nil || len(teams) != 1 {
		t.Error(teams, err)
	}
}
