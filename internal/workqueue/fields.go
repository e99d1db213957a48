package workqueue

import (
	"bytes"
	"encoding/json"

	"github.com/landfall-sync/landfall"
)

// The names under which an issue's history keeps the attributes of the case
// that are not fields.
const (
	queueField    = "queue"
	assigneeField = "assignee"
)

// differences are the new and old values of what changed from one state of an
// issue's record to the next.
func differences(old, rec *landfall.Record) (set, was landfall.Fields, err error) {
	set, was = landfall.Fields{}, landfall.Fields{}
	note := func(name string, before, after landfall.Value) {
		if !landfall.SameValue(before, after) {
			set[name], was[name] = orNull(after), orNull(before)
		}
	}
	for name, v := range rec.Fields {
		note(name, old.Fields[name], v)
	}
	for name, v := range old.Fields {
		if _, kept := rec.Fields[name]; !kept {
			note(name, v, nil)
		}
	}
	for _, a := range []struct{ name, before, after string }{
		{queueField, old.Queue, rec.Queue},
		{assigneeField, old.Assignee, rec.Assignee},
	} {
		before, err := valueOf(a.before)
		if err != nil {
			return nil, nil, err
		}
		after, err := valueOf(a.after)
		if err != nil {
			return nil, nil, err
		}
		note(a.name, before, after)
	}
	return set, was, nil
}

func orNull(v landfall.Value) landfall.Value {
	if landfall.IsNull(v) {
		return landfall.Null
	}
	return v
}

// valueOf is the canonical value of a text; null for "".
func valueOf(text string) (landfall.Value, error) {
	if text == "" {
		return landfall.Null, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return nil, err
	}
	return bytes.TrimSpace(b.Bytes()), nil
}
