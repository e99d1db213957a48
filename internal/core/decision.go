package core

import "github.com/landfall-sync/landfall"

// Side is one side of a conflict.
type Side string

// The sides.
const (
	DeviceSide Side = "device"
	ServerSide Side = "server"
)

// Decision is what a decider says about an issue.
type Decision struct {
	Take   Side            `json:"take,omitempty"`   // for every field not named below; none: server
	Fields map[string]Side `json:"fields,omitempty"` // per field
	Set    landfall.Fields `json:"set,omitempty"`    // another value
	Before []string        `json:"before,omitempty"` // transitions made first, e.g. reopen
	After  []string        `json:"after,omitempty"`  // transitions made last, e.g. submit
	To     string          `json:"to,omitempty"`     // "user:mara" or "queue:approvals"
	Note   string          `json:"note,omitempty"`
	// Through is the number of the device's last mutation on the record that
	// the decider saw; the decision covers the lane up to it. 0: all that is there.
	Through int64 `json:"through,omitempty"`
	// Version of the record that the decider saw; 0: the current one.
	Version int64 `json:"version,omitempty"`
}

// Column is one field of a comparison: base, device and server side by side.
type Column struct {
	Field  string `json:"field"` // "status" is the case's status when Status is true
	Title  string `json:"title"`
	Status bool   `json:"status,omitempty"`
	// Hidden: who looks may not read the field. They see what they entered themselves,
	// and of what others sent only that it is set.
	Hidden bool           `json:"hidden,omitempty"`
	Base   landfall.Value `json:"base,omitempty"`
	Device landfall.Value `json:"device,omitempty"`
	Server landfall.Value `json:"server,omitempty"`
	// DeviceChanged and ServerChanged mark what differs from the base.
	DeviceChanged bool           `json:"device_changed,omitempty"`
	ServerChanged bool           `json:"server_changed,omitempty"`
	DeviceEdit    *landfall.Edit `json:"device_edit,omitempty"`
	ServerEdit    *landfall.Edit `json:"server_edit,omitempty"`
	// Result is what the verdict would store; set when a decision is tried.
	Result landfall.Value `json:"result,omitempty"`
}

// Held is what an open issue holds, as Compare and Decide look at it.
type Held struct {
	Issue landfall.Issue
	// Lane are the held mutations of the issue's replica, in order of number:
	// those on the issue's own record, the refused one first. Mutation and
	// Edited of a step count; the rest of it is ignored.
	Lane []Step
	// Group are all members of the refused group, in order, those on the issue's
	// own record too; empty when the refused mutation was a single one.
	Group []Step
}

// Decided is what a decision comes to.
type Decided struct {
	// Verdict is Applied, or holds the Refusal that the decider gets. A decision
	// that changes nothing is applied without effects.
	Verdict    Verdict
	Settlement landfall.Settlement // applied, merged or kept
	// Through is the last number of the lane that the decision covers.
	Through int64
	// Columns compare the sides; Result is what the verdict stores.
	Columns []Column
	// Record is the record as decided; nil when there is none. Asked is then the one
	// that the device asked for, if it was never made.
	Record, Asked *landfall.Record
}
