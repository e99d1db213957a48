package core

import (
	"crypto/sha256"
	"encoding/hex"
)

// Placing says what becomes of one pushed mutation before it is judged.
type Placing string

// The placings.
const (
	PlaceNext   Placing = "next"   // it is the next one: capture and judge it
	PlaceReplay Placing = "replay" // seen before: the stored receipt again
	PlaceFork   Placing = "fork"   // another history of this incarnation: an issue of kind fork
)

// Position is where an incarnation of a replica stands on the server.
type Position struct {
	Expected int64  // number expected next
	LastHash string // hash of number Expected-1; "" when there is none
	Closed   bool   // closed by an earlier fork
}

// Placement is the answer to a push as a whole.
type Placement struct {
	// Gap means that numbers before the first are missing: nothing of the push
	// is stored, and the answer names the number expected.
	Gap bool
	// Forked means that the incarnation is closed (now, or since earlier).
	Forked bool
	// Each has one entry a mutation; nil with Gap.
	Each []Placing
}

// Place decides for each mutation of a push, numbered from first on, whether it
// is new, a repetition or of another history. stored lists the hashes that are
// kept under a number of this incarnation: of the mutation that was captured
// first, then of those that forks brought; nil when there is none.
//
// From the first fork on everything that is not a repetition is a fork, too.
func Place(p Position, first int64, previousHash string, hashes []string, stored func(n int64) []string) Placement {
	if first < 1 || !p.Closed && first > p.Expected {
		return Placement{Gap: true, Forked: p.Closed}
	}
	forked := p.Closed || first > 1 && !follows(p, first, previousHash, stored)
	out := Placement{Each: make([]Placing, len(hashes))}
	for i, h := range hashes {
		n := first + int64(i)
		switch {
		case contains(stored(n), h):
			out.Each[i] = PlaceReplay
		case forked || n != p.Expected:
			out.Each[i], forked = PlaceFork, true
		default:
			out.Each[i] = PlaceNext
			p.Expected++
		}
	}
	// What is all here already says nothing new, whatever stands before it: it may
	// have been under way for long.
	out.Forked = p.Closed || contains(out.Each, PlaceFork)
	return out
}

// follows reports whether the push's predecessor is the one that is stored. A
// device that offers again what it was sent receipts for may have let go of the
// one before: then what it sends tells by itself.
func follows(p Position, first int64, previousHash string, stored func(n int64) []string) bool {
	if first == p.Expected && p.LastHash != "" {
		return previousHash == p.LastHash
	}
	if previousHash == "" && first < p.Expected {
		return true
	}
	known := stored(first - 1)
	return len(known) == 0 || contains(known, previousHash)
}

func contains[T comparable](list []T, s T) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// Hash is the hash of a mutation's bytes: hex SHA-256.
func Hash(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
