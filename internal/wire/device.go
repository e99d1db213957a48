package wire

import "time"

// ContactHeader carries a Contact, in JSON, with a pull.
const ContactHeader = "Landfall-Device"

// Contact is what a device tells of itself with a pull, as a push does with its
// members.
type Contact struct {
	Clock       time.Time `json:"clock"`
	Incarnation int64     `json:"incarnation"`
	Made        int64     `json:"made"`    // the last number that it gave in it
	Waiting     int       `json:"waiting"` // outbox size
	Oldest      time.Time `json:"oldest,omitzero"`
	Definition  int64     `json:"definition,omitempty"`
	Client      string    `json:"client,omitempty"`
	Obeys       string    `json:"obeys,omitempty"` // the order that it knows of
}

// What a server can ask a device to do.
const (
	// OrderRetire: send all there is, and take in nothing new.
	OrderRetire = "retire"
	// OrderWipe: send all there is, erase everything else, and say so.
	OrderWipe = "wipe"
)

// DeviceAct is what is done to a device from afar.
type DeviceAct string

// The acts. Block, unblock and resync are for administrators; its user may
// retire, wipe and revoke a device, too.
const (
	ActBlock   DeviceAct = "block"
	ActUnblock DeviceAct = "unblock"
	ActRetire  DeviceAct = "retire"
	ActWipe    DeviceAct = "wipe"
	ActResync  DeviceAct = "resync"
	ActRevoke  DeviceAct = "revoke"
)

// Resync asks for a full sync of many devices at their next contact.
type Resync struct {
	Role string `json:"role,omitempty" maxLength:"100" doc:"of the devices of everybody with this role"`
	All  bool   `json:"all,omitempty" doc:"of all devices"`
}

// Resynced says which full sync was asked for.
type Resynced struct {
	Number int64 `json:"number"`
}

// DevicesQuery narrows and orders a list of devices.
type DevicesQuery struct {
	User, State string
	Silent      time.Time // no contact since then
	ByContact   bool      // longest silent first
}

// Ledger accounts for every change that a device made: Made is always the sum of
// Applied, Issue, Pending and Lost, for the device and for each line.
type Ledger struct {
	Device string `json:"device"`
	LedgerSums
	Reported time.Time    `json:"reported,omitzero"` // when the device told of its outbox last
	Lines    []LedgerLine `json:"lines"`
	// Forks are changes of other histories of this device: of a copy of it, or of
	// one that was put back to an earlier time. They are counted above, too.
	Forks   LedgerSums     `json:"forks"`
	Mishaps []LedgerMishap `json:"mishaps" doc:"What was found, the oldest first; at most the last 50"`
}

// LedgerSums are counts of changes.
type LedgerSums struct {
	Made    int64 `json:"made" doc:"as far as the device told"`
	Applied int64 `json:"applied" doc:"applied, or ended by a decision"`
	Issue   int64 `json:"issue" doc:"in an open issue, or waiting in one"`
	Pending int64 `json:"pending" doc:"reported by the device, and not here yet"`
	Lost    int64 `json:"lost" doc:"declared lost by the device, or never arrived"`
}

// LedgerLine is the account of one incarnation.
type LedgerLine struct {
	Incarnation int64 `json:"incarnation"`
	LedgerSums
}

// LedgerMishap is a loss, or what may be one.
type LedgerMishap struct {
	At          time.Time `json:"at"`
	What        string    `json:"what" enum:"fork,restored,lost,evicted"`
	Incarnation int64     `json:"incarnation"`
	From        int64     `json:"from"`
	To          int64     `json:"to"`
	Reported    time.Time `json:"reported,omitzero"`
}

// Add adds to the sums.
func (s *LedgerSums) Add(o LedgerSums) {
	s.Made += o.Made
	s.Applied += o.Applied
	s.Issue += o.Issue
	s.Pending += o.Pending
	s.Lost += o.Lost
}
