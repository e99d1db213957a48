package landfall

import "time"

// Action is what a change did to its record.
type Action string

// The actions.
const (
	Created  Action = "created"
	Updated  Action = "updated"
	Moved    Action = "moved" // its status changed, or was confirmed by a transition onto itself
	Deleted  Action = "deleted"
	Restored Action = "restored"
	Assigned Action = "assigned"
)

// Change is a committed effect on one record. Everything one verdict commits
// has one Seq; Index orders the changes within it.
type Change struct {
	Seq   int64  `json:"seq"`
	Index int    `json:"index"`
	Type  string `json:"type"`
	ID    string `json:"id"`

	Action     Action `json:"action"`
	Set        Fields `json:"set,omitempty"` // new values of the fields that changed; null for cleared
	Was        Fields `json:"was,omitempty"` // their old values; null for unset
	Transition string `json:"transition,omitempty"`
	From       string `json:"from,omitempty"` // status before
	To         string `json:"to,omitempty"`   // status after

	Author string    `json:"author"`       // who entered it
	By     string    `json:"by,omitempty"` // who applied it, when that is another
	At     time.Time `json:"at"`           // commit, server time
	Edited time.Time `json:"edited"`       // when the edit was made, by the clock-proof rule
	Origin Key       `json:"origin,omitzero"`
	// Lost keeps the values that lost by a declared merge policy, so that
	// nothing is overwritten, or ignored, silently.
	Lost  Fields `json:"lost,omitempty"`
	Issue string `json:"issue,omitempty"` // the issue whose decision or retry made it
	Note  string `json:"note,omitempty"`
	// Derived: nobody entered it. The server worked out computed fields, since a
	// part changed, or a published definition gave things other names. It conflicts
	// with nothing.
	Derived bool `json:"derived,omitempty"`
}
