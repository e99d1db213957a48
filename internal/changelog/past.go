package changelog

import (
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
)

// queueField is the name under which an issue's history keeps its queue.
const queueField = "queue"

// underKey reports whether a record in this state is under a key of a role or
// team; not known when the definition does not describe the type.
func underKey(app *definition.App, rec *landfall.Record, key string) (under, known bool) {
	switch {
	case rec.Type == landfall.IssueType:
		return slices.Contains(core.IssueAudience(app, rec.CreatedBy, rec.Queue, rec.Assignee), key), true
	case app.Types[rec.Type] == nil:
		return false, false
	}
	keys, err := core.Audience(app, rec, core.Nobody)
	if under = err == nil && slices.Contains(keys, key); under {
		return true, true
	}
	return false, len(app.Types[rec.Type].Linked) == 0 // of what it was seen through the past is not known
}

func plainText(v landfall.Value) string {
	text := ""
	if json.Unmarshal(v, &text) != nil {
		return ""
	}
	return text
}

// undone is the record before the change; nil when that created it.
func undone(rec *landfall.Record, c *landfall.Change) *landfall.Record {
	if rec == nil || c.Action == landfall.Created {
		return nil
	}
	rec = rec.Clone()
	if rec.Fields == nil {
		rec.Fields = landfall.Fields{}
	}
	for name, v := range c.Was {
		if rec.Type == landfall.IssueType && name == queueField {
			rec.Queue = plainText(v)
			continue
		}
		rec.Fields.Put(name, v)
	}
	if c.From != c.To {
		rec.Status = c.From
	}
	switch c.Action {
	case landfall.Deleted:
		rec.Deleted = false
	case landfall.Restored:
		rec.Deleted = true
	default: // the others leave it there
	}
	return rec
}
