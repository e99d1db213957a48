package auth

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// FuzzCredential tries anything as a token and as an enrolment code: nobody is
// let in who does not have the very thing.
func FuzzCredential(f *testing.F) {
	w := newWorld(f)
	w.add("emma")
	session, device := w.signIn("ada"), w.enrol("emma").Credential
	newCode := func() *wire.Code {
		c, err := w.NewCode(context.Background(), ws, w.admin, wire.NewCode{User: "emma"})
		if err != nil {
			f.Fatal(err)
		}
		return c
	}
	code := newCode()
	for _, s := range []string{
		"", "lfs_", "lfd_", session[:len(session)-1], session + "=", strings.ToLower(session), DevicePrefix + session[len(SessionPrefix):], SessionPrefix + device[len(DevicePrefix):],
		" " + device, device + "\x00", hashSecret(device), "AAAAA-AAAAA", "-", "-\f0", "\xff\xfe", "ı-ſ", strings.Repeat("x", 1<<16),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w.now = w.now.Add(time.Second) // so that guesses are not slowed down
		if !w.now.Before(code.Expires) {
			code = newCode()
		}
		if c, err := w.Authenticate(t.Context(), s); s != session && s != device && (c != nil || landfall.CodeOf(err) != landfall.CodeUnauthorized) {
			t.Errorf("%q is let in as %+v, %v", s, c, err)
		}
		if plainCode(s) == plainCode(code.Code) {
			return
		}
		e, err := w.Enrol(t.Context(), wire.EnrolRequest{Code: s}, nil)
		if e != nil || landfall.CodeOf(err) != landfall.CodeUnauthorized {
			t.Errorf("%q enrols as %+v, %v", s, e, err)
		}
		if again := plainCode(plainCode(s)); again != plainCode(s) {
			t.Errorf("the code %q is read as %q, and that as %q", s, plainCode(s), again)
		}
	})
}

// FuzzPassword reads anything as a stored password: it is refused, or written
// again it says the same.
func FuzzPassword(f *testing.F) {
	f.Add(encode(time.UnixMilli(1e12), make([]byte, saltLength), make([]byte, keyLength)))
	f.Add("$argon2id$v=19$m=1,t=1,p=300,since=-9223372036854775808$$AAAA")
	f.Add("$argon2id$v=19$m=1,m=2,t=1,p=1$AA$AA\n")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, stored string) {
		p, err := decode(stored)
		if err != nil {
			if strings.Contains(err.Error(), stored) && stored != "" && len(stored) > 12 {
				t.Errorf("the error quotes what is stored: %v", err)
			}
			return
		}
		if again, err := decode(encodeAs(p)); err != nil || !reflect.DeepEqual(again, p) {
			t.Errorf("%+v became %+v, %v", p, again, err)
		}
	})
}
