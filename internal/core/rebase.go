package core

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Rebase computes what a device shows of one record: the server's state (nil
// when the replica has none), then the pending mutations on it, in order, as if
// they were all applied. It is nil when the view has no such record. A pending
// change of a record that the replica no longer has shows what its author saw
// and entered. Neither input is changed.
func Rebase(app *definition.App, actor *landfall.Actor, server *landfall.Record, pending []landfall.Mutation) *landfall.Record {
	return server
}

// LocalCheck is what a device can know of a mutation before it queues it: that
// names exist, values have their type, required fields are there, checks hold,
// and the transition leads from the status shown and belongs to a role of the
// actor. view is the record as shown, nil for a creation. Empty means: queue it.
func LocalCheck(app *definition.App, actor *landfall.Actor, view *landfall.Record, m *landfall.Mutation) []landfall.Message {
	return nil
}
