package sim

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"
)

// dice is a stream of random numbers of its own: what one part of the world
// draws moves nothing elsewhere, so that leaving out an action leaves the others
// as they were.
type dice struct{ *rand.Rand }

func newDice(seed uint64, names ...string) dice {
	h := fnv.New64a()
	for _, n := range names {
		_, _ = h.Write([]byte(n)) // a hash takes everything
		_, _ = h.Write([]byte{0})
	}
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))} //nolint:gosec // it must be repeatable
}

func (d dice) chance(p float64) bool { return p > 0 && d.Float64() < p }

// span is a duration between two.
func (d dice) span(least, most time.Duration) time.Duration {
	if most <= least {
		return least
	}
	return least + time.Duration(d.Int64N(int64(most-least)))
}

func pick[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// Read fills b, as a source of secrets does.
func (d dice) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(d.Uint32())
	}
	return len(b), nil
}

// ids makes UUIDs of version 7 as a process does: by its clock, and ascending
// for as long as it lives, whatever the clock does.
type ids struct {
	dice  dice
	clock func() time.Time
	last  int64
}

func (x *ids) next() string {
	now := x.clock().UnixMilli()<<12 | int64(x.dice.Uint32()&0xff)
	if now <= x.last {
		now = x.last + 1
	}
	x.last = now
	var u uuid.UUID
	binary.BigEndian.PutUint64(u[:8], uint64(now>>12)<<16|uint64(now&0xfff)|0x7000)
	binary.BigEndian.PutUint64(u[8:], x.dice.Uint64()&^(3<<62)|2<<62)
	return u.String()
}
