package core

import "github.com/landfall-sync/landfall"

// Limits bound one mutation. No limit truncates: what is too big is malformed.
type Limits struct {
	MaxBytes int // of one mutation; 0: no limit
	MaxDepth int // nesting of objects and arrays; 0: no limit
	MaxGroup int // members of a group; 0: no limit
}

// ParseMutation reads one mutation strictly. n is the number that its place in
// the push gives it; 0 accepts any. Replica and Incarnation are the caller's to
// set. The message says what makes it malformed, and never holds a value.
func ParseMutation(raw []byte, n int64, l Limits) (landfall.Mutation, *landfall.Message) {
	return landfall.Mutation{}, nil
}

// Salvaged is what could be read of a mutation that can't be parsed, for lists.
type Salvaged struct {
	Type string
	ID   string
	Op   landfall.Op
}

// Salvage reads what it can of a mutation that ParseMutation refuses. Each part
// is empty when it can't be read or does not look like what it should be.
func Salvage(raw []byte) Salvaged { return Salvaged{} }
