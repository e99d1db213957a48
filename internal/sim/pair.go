package sim

import (
	"context"
	"hash/fnv"
	"regexp"
)

// letter is one reply that a user was sent, as far as two worlds are compared.
type letter struct {
	what   string
	digest uint64
	size   int
}

// mail is all that a user was sent.
type mail struct {
	letters []letter
	seen    map[int]bool // canaries
}

type letters map[string]*mail

func (l letters) of(user string) *mail {
	if l[user] == nil {
		l[user] = &mail{seen: map[int]bool{}}
	}
	return l[user]
}

// forkID is the id of an inbox item that a fork brought. Its incarnation is a hash
// of what was sent, under a key that only the server has: to others it is a random
// number, which says nothing of it. So two worlds may differ there.
var forkID = regexp.MustCompile(`\.-[0-9]+\.`)

func (m *mail) add(what string, b []byte) {
	b = forkID.ReplaceAll(b, []byte(".-0."))
	h := fnv.New64a()
	_, _ = h.Write(b) // a hash takes everything
	m.letters = append(m.letters, letter{what, h.Sum64(), len(b)})
}

// Pair plays a scenario in two worlds that differ only in what one user never
// gets to see: other texts, of the same length, where others entered something.
// Every byte that the user is sent must be the same in both.
func Pair(ctx context.Context, s *Scenario) []Violation {
	one, err := newWorld(ctx, s, nil)
	if err != nil {
		return []Violation{{Rule: "start", Text: err.Error()}}
	}
	defer one.end()
	one.play(s)
	if len(one.violations) > 0 {
		return one.violations
	}
	user := pick(newDice(s.Seed, "observer"), one.users)
	other, err := newWorld(ctx, s, nil)
	if err != nil {
		return []Violation{{Rule: "start", Text: err.Error()}}
	}
	defer other.end()
	other.canaries.other = map[int]bool{}
	for n, k := range one.canaries.all {
		if k.user != user && !one.sent.of(user).seen[n] {
			other.canaries.other[n] = true
		}
	}
	other.play(s)
	if len(other.violations) > 0 {
		return other.violations
	}
	other.differs(user, one.sent.of(user), other.sent.of(user))
	return other.violations
}

func (w *world) differs(user string, a, b *mail) {
	for i, x := range a.letters {
		if i >= len(b.letters) || b.letters[i] != x {
			w.violate("paired", "what %s is sent as reply %d (%s, %d bytes) depends on what %s may not see", user, i+1, x.what, x.size, user)
			return
		}
	}
	if len(b.letters) > len(a.letters) {
		w.violate("paired", "%s is sent %d replies instead of %d, by what %s may not see", user, len(b.letters), len(a.letters), user)
	}
}
