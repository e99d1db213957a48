package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func TestSignIn(t *testing.T) {
	w := newWorld(t)
	s, err := w.SignIn(t.Context(), wire.SignIn{User: "ada", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.Token, "lfs_") || s.Workspace != ws || s.Actor.User != "ada" || !s.Expires.Equal(w.now.Add(12*time.Hour)) {
		t.Errorf("%+v", s)
	}
	c, err := w.Authenticate(t.Context(), s.Token)
	if err != nil || c.Actor.User != "ada" || c.Replica != "" || c.Workspace != ws || !c.Actor.Has("administrator") {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := w.SignIn(t.Context(), wire.SignIn{User: ws + "/ada", Password: password}); err != nil {
		t.Error(err)
	}
	w.view(func(r store.Reader) error {
		if _, there, err := r.Session(s.Token); there != nil || err != nil {
			t.Error("the token itself is stored")
		}
		return nil
	})
	if err := w.SignOut(t.Context(), s.Token); err != nil {
		t.Fatal(err)
	}
	if w.valid(s.Token) {
		t.Error("the token is valid after signing out")
	}
	if err := w.SignOut(t.Context(), s.Token); err != nil {
		t.Error(err)
	}
}

// A wrong password and an unknown user are one answer, and what they cost is
// one hash each.
func TestSignInRefused(t *testing.T) {
	w := newWorld(t)
	if _, err := w.AddUser(t.Context(), ws, w.admin, wire.NewUser{Name: "nopass"}); err != nil {
		t.Fatal(err)
	}
	_, want := w.SignIn(t.Context(), wire.SignIn{User: "ada", Password: "landfall-dem0"})
	refused(t, want, landfall.CodeUnauthorized, "user name or the password")
	for _, in := range []wire.SignIn{{User: "otto", Password: password}, {User: "nopass", Password: ""}, {User: "Not A Name", Password: password}, {User: "elsewhere/ada", Password: password}} {
		if _, err := w.SignIn(t.Context(), in); err == nil || err.Error() != want.Error() {
			t.Errorf("%+v: %v", in, err)
		}
	}
	for _, token := range []string{"", "lfs_", "lfd_x", "x", SessionPrefix + strings.Repeat("A", 43)} {
		if w.valid(token) {
			t.Errorf("%q is valid", token)
		}
	}
}

func TestDisabledUser(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	token, device := w.signIn("emma"), w.enrol("emma")
	yes, no := true, false
	w.now = w.now.Add(time.Second)
	if _, err := w.ChangeUser(t.Context(), ws, w.admin, "", "emma", wire.UserChange{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	if w.valid(token) {
		t.Error("the session goes on")
	}
	_, err := w.SignIn(t.Context(), wire.SignIn{User: "emma", Password: password})
	refused(t, err, landfall.CodeForbidden, "disabled")
	c, err := w.Authenticate(t.Context(), device.Credential)
	if err != nil || !c.Actor.Disabled || c.Replica != device.Replica {
		t.Errorf("the device must still be known: %+v, %v", c, err)
	}
	_, err = w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "emma"})
	refused(t, err, landfall.CodeConflict, "disabled")
	if _, err := w.ChangeUser(t.Context(), ws, w.admin, "", "emma", wire.UserChange{Disabled: &no}); err != nil {
		t.Fatal(err)
	}
	if w.valid(token) {
		t.Error("the old session is back")
	}
	w.signIn("emma")
}

func TestSessionEnds(t *testing.T) {
	w := newWorld(t)
	begun := w.now
	token := w.signIn("ada")
	for w.now.Before(begun.Add(sessionLong)) { // in use all the time
		if !w.valid(token) {
			t.Fatalf("it ended after %s", w.now.Sub(begun))
		}
		w.now = w.now.Add(11 * time.Hour)
	}
	if w.valid(token) {
		t.Error("it goes on after 30 days")
	}
	token = w.signIn("ada")
	w.now = w.now.Add(sessionIdle - time.Millisecond)
	if !w.valid(token) {
		t.Error("it ended early")
	}
	w.now = w.now.Add(sessionIdle)
	if w.valid(token) {
		t.Error("it goes on after 12 idle hours")
	}
	w.view(func(r store.Reader) error {
		if _, s, err := r.Session(hashSecret(token)); s != nil || err != nil {
			t.Error("what has ended is still stored")
		}
		return nil
	})
}

func TestNewPasswordEndsOtherSessions(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	mine, other, emmas := w.signIn("ada"), w.signIn("ada"), w.signIn("emma")
	fresh := "another-long-password" // in the same instant as the sessions began
	if _, err := w.ChangeUser(t.Context(), ws, w.admin, mine, "ada", wire.UserChange{Password: &fresh}); err != nil {
		t.Fatal(err)
	}
	if !w.valid(mine) || w.valid(other) || !w.valid(emmas) {
		t.Errorf("mine %t, other %t, Emma's %t", w.valid(mine), w.valid(other), w.valid(emmas))
	}
	_, err := w.SignIn(t.Context(), wire.SignIn{User: "ada", Password: password})
	refused(t, err, landfall.CodeUnauthorized)
	if _, err := w.SignIn(t.Context(), wire.SignIn{User: "ada", Password: fresh}); err != nil {
		t.Error(err)
	}
	// An administrator who sets Emma's password ends all of hers.
	if _, err := w.ChangeUser(t.Context(), ws, w.admin, emmas, "emma", wire.UserChange{Password: &fresh}); err != nil {
		t.Fatal(err)
	}
	if w.valid(emmas) {
		t.Error("Emma's session goes on")
	}
}

func TestThrottle(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	guess := func(name, password string) error {
		_, err := w.SignIn(t.Context(), wire.SignIn{User: name, Password: password})
		return err
	}
	for range freeFailures {
		refused(t, guess("emma", "wrong-password"), landfall.CodeUnauthorized)
	}
	err := guess("emma", password)
	refused(t, err, landfall.CodeBusy, "again in 1s")
	if err := guess("ada", password); err != nil {
		t.Errorf("Ada pays for Emma: %v", err)
	}
	w.now = w.now.Add(time.Second)
	refused(t, guess("emma", "wrong-password"), landfall.CodeUnauthorized)
	w.now = w.now.Add(time.Second)
	refused(t, guess("emma", password), landfall.CodeBusy)
	w.now = w.now.Add(time.Second)
	if err := guess("emma", password); err != nil {
		t.Error(err)
	}
	refused(t, guess("emma", "wrong-password"), landfall.CodeUnauthorized) // the count began anew
}

func TestThrottleInGeneral(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	th := newThrottle()
	for i := range allowance {
		if _, err := th.begin("user-"+string(rune('a'+i%26))+string(rune('a'+i/26)), now); err != nil {
			t.Fatal(i, err)
		}
	}
	_, err := th.begin("somebody", now)
	refused(t, err, landfall.CodeBusy)
	back, err := th.begin("somebody", now.Add(time.Second))
	if err != nil {
		t.Fatal(err)
	}
	back()
	back() // counts once
	if th.left > refill || th.users["somebody"].count != 0 {
		t.Errorf("%v left, %d failures", th.left, th.users["somebody"].count)
	}
	wait := time.Duration(0)
	for range 40 { // it does not grow without end
		now = now.Add(time.Hour)
		th = newThrottle()
		th.users["emma"] = &failures{count: 1000, last: now}
		if _, err := th.begin("emma", now); err != nil {
			t.Fatal(err)
		}
		wait = th.users["emma"].next.Sub(now)
	}
	if wait != longestWait {
		t.Errorf("the longest wait is %s", wait)
	}
	th.users["old"] = &failures{last: now.Add(-forgetAfter - 1)}
	if _, err := th.begin("new", now); err != nil || th.users["old"] != nil {
		t.Error("what is old is kept", err)
	}
}
