package changelog

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/landfall-sync/landfall/internal/store"
)

// format is the version of the checkpoint's binary form. A checkpoint of
// another format can't be continued from; it is not an error of the caller.
const format = 1

// Bounds of what a checkpoint may hold, so that a made-up one can't cost much.
const (
	maxToken = 2048
	maxText  = 512
)

var (
	errMalformed = errors.New("not a checkpoint")
	errFormat    = errors.New("a checkpoint of another format")
)

// cursor is a place in the feed of a key: everything at or before it is done.
type cursor struct {
	seq int64
	id  string
}

func (c cursor) before(seq int64, id string) bool {
	return c.seq < seq || c.seq == seq && c.id < id
}

func (c cursor) spot() store.Spot { return store.Spot{Seq: c.seq, ID: c.id} }

// phase orders what happens at one place of the sequence.
type phase byte

// At one place, what a grant brings comes before what changed there.
const (
	backfill phase = 1
	entries  phase = 2
)

// within is a position inside the place after position.seq.
type within struct {
	phase phase
	at    cursor
}

// losing is a position among what leaves by lost keys: losses in (done, upto].
type losing struct {
	done, upto int64
	at         cursor
}

// position is what a checkpoint says.
type position struct {
	epoch string
	seq   int64  // everything up to here was taken in
	mark  string // of the commit that holds seq
	start int64  // the head when the first sync of the replica began
	head  int64  // the head that the last page was read from; losses up to it are done, unless losing
	seen  string // mark of the commit that holds head
	part  *within
	lost  *losing
	// sight is the mark of the fields that were hidden from the caller; empty for
	// none. With another one the replica holds fields that it must not, or lacks some.
	sight string
	// forced is the number of the last full sync that was asked of the replica
	// when this one began.
	forced int64
}

// settled is the sequence up to which losses are done.
func (p *position) settled() int64 {
	if p.lost != nil {
		return p.lost.done
	}
	return p.head
}

// reached reports whether a key granted at from was held at the position; the
// place after seq counts when a part of it was taken in.
func (p *position) reached(from int64) bool {
	return from <= p.seq || p.part != nil && from == p.seq+1
}

func (p *position) encode() string {
	b := []byte{format}
	num := func(n int64) { b = binary.AppendUvarint(b, uint64(n)) }
	text := func(s string) { num(int64(len(s))); b = append(b, s...) }
	text(p.epoch)
	num(p.seq)
	text(p.mark)
	num(p.start)
	num(p.head)
	text(p.seen)
	if p.part != nil {
		b = append(b, byte(p.part.phase))
		num(p.part.at.seq)
		text(p.part.at.id)
	} else {
		b = append(b, 0)
	}
	if p.lost != nil {
		b = append(b, 1)
		num(p.lost.done)
		num(p.lost.upto)
		num(p.lost.at.seq)
		text(p.lost.at.id)
	} else {
		b = append(b, 0)
	}
	if p.sight != "" || p.forced > 0 {
		text(p.sight)
	}
	if p.forced > 0 {
		num(p.forced)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// decode reads a checkpoint strictly: only what encode wrote is read.
func decode(token string) (*position, error) {
	if len(token) > maxToken {
		return nil, errMalformed
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) == 0 {
		return nil, errMalformed
	}
	if b[0] != format {
		return nil, errFormat
	}
	s := scanner{b: b[1:]}
	p := &position{epoch: s.text(), seq: s.num(), mark: s.text(), start: s.num(), head: s.num(), seen: s.text()}
	if ph := phase(s.num()); ph != 0 {
		p.part = &within{phase: ph, at: cursor{s.num(), s.text()}}
		s.failed = s.failed || ph > entries || ph == entries && p.part.at.seq != p.seq+1 || p.part.at.seq > p.seq+1
	}
	if l := s.num(); l != 0 {
		p.lost = &losing{done: s.num(), upto: s.num(), at: cursor{s.num(), s.text()}}
		s.failed = s.failed || l != 1 || p.lost.done < p.seq || p.lost.upto <= p.lost.done || p.lost.upto > p.head
	}
	if len(s.b) > 0 {
		p.sight = s.text()
	}
	if len(s.b) > 0 {
		p.forced = s.num()
	}
	if s.failed || len(s.b) != 0 || p.seq > p.head || p.start > p.head || p.encode() != token {
		return nil, errMalformed
	}
	return p, nil
}

// signed is the checkpoint as it is given out: with a signature behind it that
// only the server can make.
func (p *position) signed(key string) string {
	payload := p.encode()
	return payload + "." + signature(payload, key)
}

func signature(payload, key string) string {
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil)[:16])
}

// genuine reports whether the server itself gave the checkpoint out.
func genuine(token, key string) bool {
	payload, signed, found := strings.Cut(token, ".")
	return found && key != "" && hmac.Equal([]byte(signed), []byte(signature(payload, key)))
}

// parse reads a checkpoint as it was given out. Its signature is not checked:
// what it says is compared with the marks of the commits, which nobody guesses.
func parse(token string) (*position, error) {
	payload, _, _ := strings.Cut(token, ".")
	if len(token) > maxToken {
		return nil, errMalformed
	}
	return decode(payload)
}

// scanner takes values off the front of b; after a failure it gives zeros.
type scanner struct {
	b      []byte
	failed bool
}

func (s *scanner) num() int64 {
	n, size := binary.Uvarint(s.b)
	if size <= 0 || n > 1<<62 {
		s.failed, s.b = true, nil
		return 0
	}
	s.b = s.b[size:]
	return int64(n)
}

func (s *scanner) text() string {
	n := s.num()
	if n > maxText || n > int64(len(s.b)) {
		s.failed, s.b = true, nil
		return ""
	}
	t := string(s.b[:n])
	s.b = s.b[n:]
	return t
}
