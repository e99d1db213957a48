package core

import "errors"

// Decide turns a decision into the decider's own mutations and judges them in
// one run: the transitions before, the values chosen, the transitions after,
// the assignment. in.Actor is the decider; App, World, Seq and Now as for
// Judge; Run is ignored.
//
// A decision that names what there is not is a *landfall.Error with
// CodeInvalid; what the rules refuse, or a record that changed since
// d.Version, is the Verdict's Refusal. Other errors are the World's.
func Decide(in Input, h Held, d Decision) (Decided, error) {
	return Decided{}, errors.New("core: unfinished")
}
