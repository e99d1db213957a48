package auth

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/landfall-sync/landfall"
)

// What a password costs to hash, and to guess.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	saltLength   = 16
	keyLength    = 32
)

// MinPassword is the shortest password, in characters; MaxPassword the
// longest, in bytes.
const (
	MinPassword = 10
	MaxPassword = 1024
)

// CheckPassword refuses a password that is too short, too long or not text.
func CheckPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return landfall.Errorf(landfall.CodeInvalid, "the password is too short").
			WithHint("use at least %d characters", MinPassword)
	case len(password) > MaxPassword:
		return landfall.Errorf(landfall.CodeInvalid, "the password is too long").
			WithHint("use at most %d bytes", MaxPassword)
	case !utf8.ValidString(password):
		return landfall.Errorf(landfall.CodeInvalid, "the password is not valid UTF-8 text")
	}
	return nil
}

// hasher hashes passwords, only so many at once: each takes its memory.
type hasher struct {
	random  io.Reader
	slots   chan struct{}
	waiting atomic.Int64
	max     int64
	// nobody is the hash that an unknown user's password is compared with, so
	// that it costs the same as a known one's.
	nobody string
}

func newHasher(random io.Reader, slots, waiting int) *hasher {
	h := &hasher{random: random, slots: make(chan struct{}, slots), max: int64(waiting)}
	h.nobody = encode(time.Time{}, make([]byte, saltLength), make([]byte, keyLength))
	return h
}

// acquire waits for a slot. A long queue is answered at once with busy.
func (h *hasher) acquire(ctx context.Context) (release func(), err error) {
	if h.waiting.Add(1) > h.max {
		h.waiting.Add(-1)
		return nil, busy("too many people sign in at this moment", time.Second)
	}
	defer h.waiting.Add(-1)
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// hash encodes a password in the PHC string format. Sessions that began before
// since are void, which is how setting a password ends them.
func (h *hasher) hash(ctx context.Context, password string, since time.Time) (string, error) {
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(h.random, salt); err != nil {
		return "", fmt.Errorf("no randomness for a salt: %w", err)
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, keyLength)
	return encode(since, salt, key), nil
}

// verify compares in constant time. An empty hash, which is an unknown user's
// or that of one who has no password, never fits, at the same cost.
func (h *hasher) verify(ctx context.Context, encoded, password string) (bool, error) {
	known := encoded != ""
	if !known {
		encoded = h.nobody
	}
	p, err := decode(encoded)
	if err != nil {
		return false, err
	}
	release, err := h.acquire(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1 && known, nil
}

// parameters are what an encoded password holds.
type parameters struct {
	time, memory uint32
	threads      uint8
	since        time.Time // sessions that began before are void
	salt, key    []byte
}

// outdated reports whether the password was hashed with other parameters than
// today's.
func (p *parameters) outdated() bool {
	return p.time != argonTime || p.memory != argonMemory || p.threads != argonThreads || len(p.key) != keyLength
}

func encode(since time.Time, salt, key []byte) string {
	return encodeAs(&parameters{time: argonTime, memory: argonMemory, threads: argonThreads, since: since, salt: salt, key: key})
}

func encodeAs(p *parameters) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d,since=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		p.since.UnixMilli(), b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

// decode reads an encoded password. Its error never quotes it.
func decode(encoded string) (*parameters, error) {
	parts := strings.Split(encoded, "$")
	bad := landfall.Errorf(landfall.CodeInternal, "a stored password can't be read")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return nil, bad
	}
	p := &parameters{}
	for _, kv := range strings.Split(parts[3], ",") {
		name, text, _ := strings.Cut(kv, "=")
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil || name != "since" && (v <= 0 || v > 1<<21) {
			return nil, bad
		}
		switch name {
		case "m":
			p.memory = uint32(v)
		case "t":
			p.time = uint32(v)
		case "p":
			p.threads = uint8(min(v, 255))
		case "since":
			p.since = time.UnixMilli(v).UTC()
		default:
			return nil, bad
		}
	}
	var err1, err2 error
	p.salt, err1 = base64.RawStdEncoding.DecodeString(parts[4])
	p.key, err2 = base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || p.memory == 0 || p.time == 0 || p.threads == 0 || len(p.key) == 0 {
		return nil, bad
	}
	return p, nil
}

// voidSessions returns the same password such that sessions that began before
// at are void.
func voidSessions(encoded string, at time.Time) (string, error) {
	if encoded == "" {
		return "", nil
	}
	p, err := decode(encoded)
	if err != nil {
		return "", err
	}
	p.since = at
	return encodeAs(p), nil
}
