package changelog

import (
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// queueField is the name under which an issue's history keeps its queue.
const queueField = "queue"

// underKey reports whether a record in this state is under a key of a role or
// team; not known when the definition does not describe the type.
func underKey(app *definition.App, rec *landfall.Record, key string) (under, known bool) {
	if rec.Type == landfall.IssueType {
		members := []string{landfall.Administrator}
		if q := app.Queues[rec.Queue]; q != nil {
			members = q.Members
		}
		return slices.ContainsFunc(members, func(role string) bool { return "role:"+role == key }), true
	}
	t := app.Types[rec.Type]
	if t == nil {
		return false, false
	}
	for _, k := range t.Audience {
		if len(k.Statuses) > 0 && !slices.Contains(k.Statuses, rec.Status) {
			continue
		}
		name := k.Name
		if k.Kind == definition.AudienceTeam || k.Kind == definition.AudienceUser {
			name = plainText(rec.Fields[k.Name])
		}
		if string(k.Kind)+":"+name == key {
			return true, true
		}
	}
	return false, true
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
	}
	return rec
}
