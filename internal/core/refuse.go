package core

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/landfall-sync/landfall"
)

// The notes of receipts of what was applied without effect.
const (
	noteNothing = "There was nothing to change."
	noteLost    = "Another edit was kept; what was entered is in the record's history."
	noteVoid    = "Taken back before it was sent."
)

// refuse is the refusal of the current step. detail is what the cause adds to
// kind, type and transition: the missing right, the broken check, the fields.
func (j *judging) refuse(stage Stage, kind landfall.Kind, detail string, messages ...landfall.Message) *Refusal {
	m := &j.in.Run[j.at].Mutation
	return &Refusal{Stage: stage, Kind: kind, Messages: messages, Step: j.at, Cause: cause(kind, m, detail)}
}

// cause is the fingerprint that issues of one origin share.
func cause(kind landfall.Kind, m *landfall.Mutation, detail string) string {
	parts := []string{string(kind)}
	switch kind {
	case landfall.KindFork, landfall.KindLost, landfall.KindInternal:
	case landfall.KindMalformed:
		parts = append(parts, detail) // the client that writes so is at fault, whatever it writes about
	default:
		parts = append(parts, m.Type, m.Transition, detail)
	}
	return fingerprint(parts...)
}

func fingerprint(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:8])
}

// place completes a refusal with the record as it was found and with its route.
func (j *judging) place(r *Refusal) (*Refusal, error) {
	s := &j.in.Run[r.Step]
	if s.Mutation.ID != "" {
		w, err := j.load(s.Mutation.ID)
		if err != nil {
			return nil, err
		}
		r.Then = w.stored.Clone()
	}
	placed := routed(j.in.App, r, j.author(s), &s.Mutation)
	placed.Then = r.Then
	return &placed, nil
}
