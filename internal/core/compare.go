package core

import (
	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Compare puts base, device and server side by side: the status first, then
// every field in the order of the definition that any side has. The device's
// side are the lane's mutations. base is the record as the author saw it and
// server as it is now; either may be nil. A nil base is pieced together from
// what the mutations say that their author saw.
func Compare(app *definition.App, h Held, base, server *landfall.Record) []Column { return nil }
