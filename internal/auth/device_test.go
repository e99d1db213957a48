package auth

import (
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func TestEnrolByCode(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	_, err := w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "ema"})
	refused(t, err, landfall.CodeNotFound, "emma")
	code, err := w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "emma", Name: "phone"})
	if err != nil || !code.Expires.Equal(w.now.Add(24*time.Hour)) {
		t.Fatal(code, err)
	}
	e, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: strings.ToLower(code.Code)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(e.Credential, "lfd_") || e.Incarnation != 1 || e.User != "emma" || e.Workspace != ws {
		t.Errorf("%+v", e)
	}
	c, err := w.Authenticate(t.Context(), e.Credential)
	if err != nil || c.Replica != e.Replica || c.Actor.User != "emma" || !c.Actor.Has("employee") || c.Actor.Disabled {
		t.Errorf("%+v, %v", c, err)
	}
	d, err := w.Device(t.Context(), ws, w.admin, "phone")
	if err != nil || d.ID != e.Replica || d.Next != 1 || d.Revoked || d.Behind != w.head().Seq {
		t.Errorf("%+v, %v", d, err)
	}
	for _, used := range []string{code.Code, "AAAAA-AAAAA", "x"} {
		_, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: used}, nil)
		refused(t, err, landfall.CodeUnauthorized, "code")
	}
	old, err := w.NewCode(t.Context(), ws, w.admin, wire.NewCode{User: "emma"})
	if err != nil {
		t.Fatal(err)
	}
	w.now = old.Expires
	_, err = w.Enrol(t.Context(), wire.EnrolRequest{Code: old.Code}, nil)
	refused(t, err, landfall.CodeUnauthorized, "too old")
}

func TestGuessingCodesIsSlow(t *testing.T) {
	w := newWorld(t)
	for range allowance {
		_, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: "AAAAA-AAAAA"}, nil)
		refused(t, err, landfall.CodeUnauthorized)
	}
	_, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: "AAAAA-AAAAA"}, nil)
	refused(t, err, landfall.CodeBusy)
}

func TestEnrolBySession(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	person, err := w.Authenticate(t.Context(), w.signIn("emma"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := w.Enrol(t.Context(), wire.EnrolRequest{Name: "tablet"}, person)
	if err != nil || e.User != "emma" {
		t.Fatal(e, err)
	}
	device, err := w.Authenticate(t.Context(), e.Credential)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []*Caller{nil, device} {
		_, err := w.Enrol(t.Context(), wire.EnrolRequest{Name: "another"}, c)
		refused(t, err, landfall.CodeUnauthorized, "code")
	}
	_, err = w.Enrol(t.Context(), wire.EnrolRequest{Name: strings.Repeat("x", 101)}, person)
	refused(t, err, landfall.CodeInvalid)
}

func TestRevokeDevice(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	w.add("otto")
	e := w.enrol("emma")
	emma, otto := w.user("emma").Actor(), w.user("otto").Actor()
	_, err := w.Revoke(t.Context(), ws, otto, e.Replica)
	refused(t, err, landfall.CodeNotFound)
	_, err = w.Device(t.Context(), ws, otto, e.Replica)
	refused(t, err, landfall.CodeNotFound)
	if !w.valid(e.Credential) {
		t.Error("a refused revocation took effect")
	}
	for range 2 {
		if d, err := w.Revoke(t.Context(), ws, emma, e.Replica); err != nil || !d.Revoked {
			t.Errorf("%+v, %v", d, err)
		}
	}
	if w.valid(e.Credential) {
		t.Error("the credential is still valid")
	}
}

func TestListDevices(t *testing.T) {
	w := newWorld(t)
	w.add("emma")
	w.add("otto")
	first, second := w.enrol("emma"), w.enrol("emma")
	w.enrol("otto")
	emma := w.user("emma").Actor()
	for _, c := range []struct {
		who  landfall.Actor
		user string
		want int
	}{{w.admin, "", 3}, {w.admin, "emma", 2}, {emma, "", 2}, {emma, "emma", 2}} {
		l, err := w.Devices(t.Context(), ws, c.who, wire.DevicesQuery{User: c.user}, store.Page{Limit: 10})
		if err != nil || len(l.Items) != c.want || l.Next != "" {
			t.Errorf("%s, %q: %d devices, next %q, %v", c.who.User, c.user, len(l.Items), l.Next, err)
		}
	}
	l, err := w.Devices(t.Context(), ws, w.admin, wire.DevicesQuery{User: "emma"}, store.Page{Limit: 1})
	if err != nil || len(l.Items) != 1 || l.Next != l.Items[0].ID {
		t.Errorf("%+v, %v", l, err)
	}
	_, err = w.Devices(t.Context(), ws, w.admin, wire.DevicesQuery{User: "ema"}, store.Page{Limit: 1})
	refused(t, err, landfall.CodeNotFound, "emma")
	_, err = w.Device(t.Context(), ws, w.admin, first.Replica[:20])
	refused(t, err, landfall.CodeInvalid, "more of the id")
	if d, err := w.Device(t.Context(), ws, w.admin, second.Replica); err != nil || d.ID != second.Replica {
		t.Error(d, err)
	}
}
