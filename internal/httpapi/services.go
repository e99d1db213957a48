package httpapi

import (
	"context"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Caller is who holds the token of a request: a signed-in person, or a device
// of a user.
type Caller struct {
	Workspace string
	Actor     landfall.Actor
	Replica   string // "" for a person
	Void      bool   // the device's credential was revoked: it may hand in, and nothing else
	Token     string
}

// Sessions tells who is calling, and lets people in and out. Authenticate
// answers a token that is not valid with CodeUnauthorized.
type Sessions interface {
	Authenticate(ctx context.Context, token string) (*Caller, error)
	SignIn(ctx context.Context, in wire.SignIn) (*wire.Session, error)
	SignOut(ctx context.Context, token string) error
}

// Devices enrols and lists devices.
type Devices interface {
	NewCode(ctx context.Context, ws string, actor landfall.Actor, req wire.NewCode) (*wire.Code, error)
	Enrol(ctx context.Context, req wire.EnrolRequest, caller *Caller) (*wire.Enrolled, error)
	Devices(ctx context.Context, ws string, actor landfall.Actor, q wire.DevicesQuery, p store.Page) (wire.List[wire.DeviceView], error)
	Device(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.DeviceView, error)
	Ledger(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.Ledger, error)
	// Control blocks, unblocks, retires, wipes, resyncs or revokes a device.
	Control(ctx context.Context, ws string, actor landfall.Actor, ref string, act wire.DeviceAct) (*wire.DeviceView, error)
	Resync(ctx context.Context, ws string, actor landfall.Actor, req wire.Resync) (*wire.Resynced, error)
}

// Landing takes in what was exported from a device, by way of an administrator.
// It keeps body, which is the caller's no more.
type Landing interface {
	Land(ctx context.Context, ws string, actor landfall.Actor, device string, body []byte) (*wire.PushReply, error)
}

// People administers users and teams.
type People interface {
	Users(ctx context.Context, ws string, actor landfall.Actor, p store.Page) (wire.List[wire.UserView], error)
	User(ctx context.Context, ws string, actor landfall.Actor, name string) (*wire.UserView, error)
	AddUser(ctx context.Context, ws string, actor landfall.Actor, n wire.NewUser) (*wire.UserView, error)
	ChangeUser(ctx context.Context, ws string, actor landfall.Actor, keep, name string, c wire.UserChange) (*wire.UserView, error)
	Teams(ctx context.Context, ws string, actor landfall.Actor) ([]wire.Team, error)
	AddTeam(ctx context.Context, ws string, actor landfall.Actor, t wire.Team) (*wire.Team, error)
}

// Audit tells administrators who did what.
type Audit interface {
	Audit(ctx context.Context, ws string, actor landfall.Actor, f store.AuditFilter, p store.Page) (wire.List[wire.AuditEntry], error)
}

// Definitions shows and publishes the definition.
type Definitions interface {
	Source(ctx context.Context, ws string) (version int64, source string, err error)
	Publish(ctx context.Context, ws string, actor landfall.Actor, req wire.Publish) (*wire.Published, error)
}

// Rehearsals say what a definition would do if it were published. tell hears how
// far it is; ctx ends it.
type Rehearsals interface {
	Rehearse(ctx context.Context, ws string, actor landfall.Actor, req wire.Rehearse, tell func(wire.RehearsalProgress)) (*wire.Rehearsal, error)
}

// Inbox takes in what devices and people ask for.
type Inbox interface {
	// Push keeps body, which is the caller's no more.
	Push(ctx context.Context, ws, replica string, actor landfall.Actor, body []byte) (*wire.PushReply, error)
	Do(ctx context.Context, ws string, actor landfall.Actor, do wire.Do) (*wire.Done, error)
	Import(ctx context.Context, ws string, actor landfall.Actor, typ string, req wire.Import) (*wire.Imported, error)
	Resolve(ctx context.Context, ws string, actor landfall.Actor, issue string, r wire.Resolve) (*wire.Resolution, error)
	Retry(ctx context.Context, ws string, actor landfall.Actor, r wire.Retry) (*wire.Retries, error)
	Repair(ctx context.Context, ws string, actor landfall.Actor, issue string, r wire.Repair) (*wire.Repaired, error)
	Items(ctx context.Context, ws string, actor landfall.Actor, f store.ItemFilter, p store.Page) (wire.List[wire.ItemView], error)
	Item(ctx context.Context, ws string, actor landfall.Actor, id string) (*wire.ItemView, error)
}

// Cleaner removes what completed items were sent with, so many at a time.
type Cleaner interface {
	Clean(ctx context.Context, ws string, actor landfall.Actor, before time.Time, after string, dryRun bool) (*wire.Cleaning, error)
}

// Settings reads and changes the settings of a workspace.
type Settings interface {
	Settings(ctx context.Context, ws string, actor landfall.Actor) ([]wire.SettingView, error)
	Set(ctx context.Context, ws string, actor landfall.Actor, name, value string) (*wire.SettingView, error)
	Reset(ctx context.Context, ws string, actor landfall.Actor, name string) (*wire.SettingView, error)
}

// RecordQuery narrows a list of records. Status and Queue may be empty.
type RecordQuery struct{ Type, Status, Queue string }

// Records reads what a caller may see.
type Records interface {
	// Page answers a pull; told is what the device told of itself, nil for nothing.
	Page(ctx context.Context, ws, replica string, actor landfall.Actor, since string, limit int, told *wire.Contact) (*wire.PullPage, error)
	Find(ctx context.Context, ws string, actor landfall.Actor, typ, ref string) (*wire.RecordView, error)
	Records(ctx context.Context, ws string, actor landfall.Actor, q RecordQuery, p store.Page) (wire.List[wire.RecordView], error)
	History(ctx context.Context, ws string, actor landfall.Actor, typ, ref string) ([]landfall.Change, error)
}

// Queues shows work queues and worklists.
type Queues interface {
	Queues(ctx context.Context, ws string, actor landfall.Actor) ([]wire.QueueView, error)
	Queue(ctx context.Context, ws string, actor landfall.Actor, name string, p store.Page) (wire.List[wire.WorkItem], error)
	Worklist(ctx context.Context, ws string, actor landfall.Actor, p store.Page) (wire.List[wire.WorkItem], error)
}

// Issues shows sync issues.
type Issues interface {
	Issues(ctx context.Context, ws string, actor landfall.Actor, f store.IssueFilter, p store.Page) (wire.List[wire.IssueView], error)
	Issue(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueDetail, error)
	// IssueID is the full id of an issue that the caller may see.
	IssueID(ctx context.Context, ws string, actor landfall.Actor, ref string) (string, error)
	Causes(ctx context.Context, ws string, actor landfall.Actor) ([]wire.Cause, error)
}

// IssueWork is what people do with an issue short of deciding it.
type IssueWork interface {
	Claim(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueView, error)
	Release(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueView, error)
	Comment(ctx context.Context, ws string, actor landfall.Actor, ref, text string) (*wire.IssueView, error)
	Assign(ctx context.Context, ws string, actor landfall.Actor, ref string, to wire.Assign) (*wire.IssueView, error)
	Reopen(ctx context.Context, ws string, actor landfall.Actor, ref, note string) (*wire.IssueView, error)
}
