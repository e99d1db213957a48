package wire

import "time"

// AuditEntry says who did what.
type AuditEntry struct {
	Seq     int64             `json:"seq" doc:"Place in the workspace's audit; gapless"`
	At      time.Time         `json:"at"`
	By      string            `json:"by,omitempty" doc:"The user; (server) or (restore) for the machine; absent for a device, or for somebody who is not known"`
	Device  string            `json:"device,omitempty" doc:"Id of the device that did it, or brought it about"`
	Action  string            `json:"action" example:"user.grant"`
	Object  string            `json:"object,omitempty" doc:"What it was done to: the name or id of a user, team, device, record, issue, ..."`
	Detail  map[string]string `json:"detail,omitempty"`
	Outcome string            `json:"outcome" enum:"done,refused" doc:"refused: for want of a right"`
}
