package landfall

import (
	"bytes"
	"encoding/json"
	"maps"
	"time"
)

// Value is one field value as canonical JSON: compact, no HTML escapes, the
// form that the field's type prescribes (a decimal is a string, a date-time is
// RFC 3339 in UTC). Two values of one field are equal exactly when their bytes are.
type Value = json.RawMessage

// Fields maps field names to canonical values. In a record an unset field is
// absent. In a mutation null means "clear" (set) and "was unset" (was).
type Fields map[string]Value

// Null is the value that clears a field.
var Null = Value("null")

// IsNull reports whether v is unset: absent or JSON null.
func IsNull(v Value) bool { return len(v) == 0 || bytes.Equal(v, Null) }

// SameValue reports whether two canonical values are equal; absent equals null.
func SameValue(a, b Value) bool {
	return IsNull(a) && IsNull(b) || bytes.Equal(a, b)
}

// Clone copies the map; the values are shared, since nobody writes into a Value.
func (f Fields) Clone() Fields { return maps.Clone(f) }

// Put stores v under name, or removes the field when v is null.
func (f Fields) Put(name string, v Value) {
	if IsNull(v) {
		delete(f, name)
		return
	}
	f[name] = v
}

// Edit says who entered a value, who applied it (when that is another person),
// when the edit was made by the clock-proof rule, and in which commit.
type Edit struct {
	Author string    `json:"author"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at"`
	Seq    int64     `json:"seq"`
}

// Record is a document of a type. A record whose type has a lifecycle is a case
// and has a status.
type Record struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	// Version is the sequence of the last change to the record; 0 means that
	// the server has not taken it in yet.
	Version    int64           `json:"version"`
	Status     string          `json:"status,omitempty"`
	Number     string          `json:"number,omitempty"`
	Fields     Fields          `json:"fields"`
	Queue      string          `json:"queue,omitempty"`    // work queue the case waits in
	Assignee   string          `json:"assignee,omitempty"` // user in whose worklist it is
	CreatedBy  string          `json:"created_by,omitempty"`
	CreatedAt  time.Time       `json:"created_at,omitzero"`
	UpdatedAt  time.Time       `json:"updated_at,omitzero"`
	Definition int64           `json:"definition,omitempty"` // version of the definition it is stamped with
	Deleted    bool            `json:"deleted,omitempty"`
	StatusEdit *Edit           `json:"status_edit,omitempty"` // who moved it last
	Edits      map[string]Edit `json:"edits,omitempty"`       // per field; not sent to devices
}

// Clone copies the record deep enough to be changed without touching the original.
func (r *Record) Clone() *Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Fields = r.Fields.Clone()
	c.Edits = maps.Clone(r.Edits)
	if r.StatusEdit != nil {
		e := *r.StatusEdit
		c.StatusEdit = &e
	}
	return &c
}
