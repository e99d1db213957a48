package store

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
)

// AuditEntry says who did what. It is written in the transaction that did it.
// It never holds a secret, nor the value of a field.
type AuditEntry struct {
	Seq     int64     // of the workspace's audit: gapless from 1, given by the store
	At      time.Time // never runs backwards as Seq goes on
	By      string    // the user; "" for a device, or one of the machine's names
	Device  string    // the device that did it, or that sent it for By
	Action  string    // what was done: AREA.DEED
	Object  string    // what it was done to: a user, team, device, record, issue, ...
	Detail  map[string]string
	Outcome string
}

// By in entries of what nobody did.
const (
	ByServer  = "(server)"
	ByRestore = "(restore)"
)

// How what an audit entry tells of ended.
const (
	AuditDone    = "done"
	AuditRefused = "refused" // for want of a right
)

// The actions of the audit. docs/audit.md says what each means.
const (
	WorkspaceInit     = "workspace.init"
	DefinitionPublish = "definition.publish"
	EpochBegin        = "epoch.begin"

	UserAdd      = "user.add"
	UserChange   = "user.change" // of the title
	UserGrant    = "user.grant"
	UserRevoke   = "user.revoke"
	UserDisable  = "user.disable"
	UserEnable   = "user.enable"
	UserPassword = "user.password" // it was set
	TeamAdd      = "team.add"
	TeamJoin     = "team.join"
	TeamLeave    = "team.leave"

	SessionBegin   = "session.begin"
	SessionEnd     = "session.end"
	SessionRefused = "session.refused"

	DeviceCode   = "device.code"
	DeviceEnrol  = "device.enrol"
	DeviceSignin = "device.signin"
	DeviceRevoke = "device.revoke"

	SettingSet   = "setting.set"
	SettingReset = "setting.reset"
	InboxClean   = "inbox.clean" // one a transaction, however many items

	DeviceBlock   = "device.block"
	DeviceUnblock = "device.unblock"
	DeviceRetire  = "device.retire"  // it was asked to deliver all
	DeviceRetired = "device.retired" // it has, and is blocked
	DeviceWipe    = "device.wipe"    // it was asked to erase itself
	DeviceWiped   = "device.wiped"   // it says that it did
	DeviceResync  = "device.resync"  // a full sync was asked for
	DeviceLand    = "device.land"    // what was exported from it was handed in by hand
	DeviceLoss    = "device.loss"    // it came back without what it had reported

	IssueClaim   = "issue.claim"
	IssueAssign  = "issue.assign"
	IssueRelease = "issue.release"
	IssueResolve = "issue.resolve"
	IssueReopen  = "issue.reopen"
	IssueRetry   = "issue.retry"
	IssueRepair  = "issue.repair"

	RecordCreate     = "record.create"
	RecordUpdate     = "record.update"
	RecordTransition = "record.transition"
	RecordDelete     = "record.delete"
	RecordRestore    = "record.restore"
	RecordImport     = "record.import" // one a call, however many rows
)

// AuditFilter narrows a list of audit entries. Empty fields do not narrow.
type AuditFilter struct {
	By     string
	Action string // a whole action, or an area: "user" for all that begins with "user."
	Object string
	Device string
	Since  time.Time // at or after
	Until  time.Time // before
	// Text is part of anything that the entry says, in whatever case.
	Text string
}

// Audits reads the audit.
type Audits interface {
	// Audit lists newest first; the cursor of a row is its Seq.
	Audit(ws string, f AuditFilter, p Page) ([]*AuditEntry, error)
	// SearchAudit is Audit with a bound on what it looks at.
	SearchAudit(ws string, f AuditFilter, s Scan[AuditEntry]) (Found[AuditEntry], error)
}

// WriteAudit writes the audit.
type WriteAudit interface {
	// AddAudit gives the entry the workspace's next Seq and keeps it. An At
	// before that of the entry before it becomes that one's.
	AddAudit(ws string, e *AuditEntry) error
}

// Area is the beginning of an action, up to its dot.
func Area(action string) string {
	area, _, _ := strings.Cut(action, ".")
	return area
}

// MatchAudit reports whether the entry passes the filter.
func (f *AuditFilter) MatchAudit(e *AuditEntry) bool {
	return (f.By == "" || f.By == e.By) && (f.Action == "" || f.Action == e.Action || f.Action == Area(e.Action)) &&
		(f.Object == "" || f.Object == e.Object) && (f.Device == "" || f.Device == e.Device) &&
		(f.Since.IsZero() || !e.At.Before(f.Since)) && (f.Until.IsZero() || e.At.Before(f.Until)) && e.says(f.Text)
}

// says reports whether the text is part of anything that the entry tells.
func (e *AuditEntry) says(text string) bool {
	if text == "" || HasText(text, e.By, e.Device, e.Action, e.Object, e.Outcome) {
		return true
	}
	for name, value := range e.Detail {
		if HasText(text, name, value) {
			return true
		}
	}
	return false
}

// HasText reports whether the text, which is not empty, is part of one of these,
// in whatever case.
func HasText(text string, in ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(in, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}

// AuditCursor reads the cursor of a list of audit entries: a number; 0 for none.
func AuditCursor(after string) (int64, error) {
	if after == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(after, 10, 64)
	if err != nil || n < 1 {
		return 0, landfall.Errorf(landfall.CodeInvalid, "this is not where the audit can go on").WithHint("use what the last page gave as next")
	}
	return n, nil
}

// Done is the entry of something that an actor did at a desk, now.
func Done(by, action, object string, at time.Time) *AuditEntry {
	return &AuditEntry{At: at, By: by, Action: action, Object: object, Outcome: AuditDone}
}

// With adds a detail, unless it is empty.
func (e *AuditEntry) With(name, value string) *AuditEntry {
	if value == "" {
		return e
	}
	e.Detail = maps.Clone(e.Detail)
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	e.Detail[name] = value
	return e
}
