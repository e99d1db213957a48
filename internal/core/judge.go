package core

import "errors"

// Judge makes the verdict on a run: the checks from the lane to the commit, in
// their order. The error is trouble with the World only, passed through.
func Judge(in Input) (Verdict, error) { return Verdict{}, errors.New("core: unfinished") }
