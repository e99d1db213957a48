package auth

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
)

func TestPasswordHash(t *testing.T) {
	h := newHasher(rand.NewChaCha8([32]byte{}), 1, 4)
	since := time.UnixMilli(1767225600123).UTC()
	one, err := h.hash(t.Context(), "correct horse", since)
	if err != nil {
		t.Fatal(err)
	}
	two, err := h.hash(t.Context(), "correct horse", since)
	if err != nil {
		t.Fatal(err)
	}
	if one == two || !strings.HasPrefix(one, "$argon2id$v=19$m=19456,t=2,p=1,") || strings.Contains(one, "horse") {
		t.Error(one, two)
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horsE": false, "": false} {
		if got, err := h.verify(t.Context(), one, password); got != want || err != nil {
			t.Errorf("%q: %t, %v", password, got, err)
		}
	}
	if fits, err := h.verify(t.Context(), "", ""); fits || err != nil {
		t.Error("nobody has a password", err)
	}
	p, err := decode(one)
	if err != nil || !p.since.Equal(since) || p.outdated() {
		t.Errorf("%+v, %v", p, err)
	}
	later, err := voidSessions(one, since.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if fits, err := h.verify(t.Context(), later, "correct horse"); !fits || err != nil {
		t.Error("the password is not the same", err)
	}
	if s, err := voidSessions("", since); s != "" || err != nil {
		t.Error(s, err)
	}
}

func TestStoredPasswordThatCantBeRead(t *testing.T) {
	good := encode(time.Time{}, make([]byte, 16), make([]byte, 32))
	if _, err := decode(good); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		"x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1), strings.Replace(good, "m=19456", "m=0", 1),
		strings.Replace(good, "m=19456", "m=4294967295", 1), strings.Replace(good, "t=2", "t=x", 1), strings.Replace(good, ",p=1", "", 1),
		strings.Replace(good, ",p=1", ",q=1", 1), good + "*", good + "$", good[:strings.LastIndex(good, "$")+1],
	} {
		_, err := decode(bad)
		refused(t, err, landfall.CodeInternal)
		if err != nil && strings.Contains(err.Error(), "AAAA") {
			t.Error("the error quotes the hash")
		}
	}
}

func TestPasswordRules(t *testing.T) {
	for password, code := range map[string]landfall.Code{
		"landfall-demo": "", "ten-chars-": "", "nine-char": landfall.CodeInvalid, "zehnzeichä": "", "": landfall.CodeInvalid,
		strings.Repeat("x", MaxPassword+1): landfall.CodeInvalid, "\xff123456789012": landfall.CodeInvalid,
	} {
		err := CheckPassword(password)
		if code == "" && err != nil {
			t.Errorf("%q: %v", password, err)
		} else if code != "" {
			refused(t, err, code)
		}
		if err != nil && password != "" && strings.Contains(err.Error(), password) {
			t.Error("the error quotes the password")
		}
	}
}

// Only so many are hashed at once, only so many wait, and who has gone waits
// no more.
func TestHashingIsBounded(t *testing.T) {
	h := newHasher(rand.NewChaCha8([32]byte{}), 1, 1)
	release, err := h.acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.acquire(gone); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	h.waiting.Add(1)
	_, err = h.acquire(t.Context())
	refused(t, err, landfall.CodeBusy)
	var wait interface{ RetryAfter() time.Duration }
	if !errors.As(err, &wait) || wait.RetryAfter() != time.Second {
		t.Error("it does not say when to come back")
	}
	h.waiting.Add(-1)
	release()
	if release, err = h.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	release()
}

func TestTokensAndCodes(t *testing.T) {
	random := rand.NewChaCha8([32]byte{})
	seen := map[string]bool{}
	for range 100 {
		token, hash, err := newToken(random, DevicePrefix)
		if err != nil || len(token) != 4+43 || len(hash) != 64 || seen[token] {
			t.Fatal(token, hash, err)
		}
		code, codeHash, err := newCode(random)
		if err != nil || len(code) != 11 || code[5] != '-' || strings.ContainsAny(code, "IO01") || seen[code] {
			t.Fatal(code, err)
		}
		if typed := " " + strings.ToLower(strings.ReplaceAll(code, "-", " ")); hashSecret(plainCode(typed)) != codeHash {
			t.Errorf("%q is not taken for %q", typed, code)
		}
		seen[token], seen[code] = true, true
	}
	if p, err := RandomPassword(random); err != nil || CheckPassword(p) != nil {
		t.Error(p, err)
	}
	if len(codeAlphabet) != 32 {
		t.Error("the choice is uneven")
	}
}
