package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Tokens that the fake knows.
const (
	ada      = "lfs_ada"
	phone    = "lfd_phone"
	disabled = "lfd_disabled"
	blocked  = "lfd_blocked"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// fake answers for every service, and notes what it was asked.
type fake struct {
	asked []string
	// looks counts down until the item is completed.
	looks int
	fail  error
	page  []byte // changes of a pull
}

func (f *fake) ask(format string, args ...any) error {
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	return f.fail
}

func (f *fake) last() string {
	if len(f.asked) == 0 {
		return ""
	}
	return f.asked[len(f.asked)-1]
}

func (f *fake) Authenticate(_ context.Context, token string) (*Caller, error) {
	c := &Caller{Workspace: "expenses", Actor: landfall.Actor{User: "emma"}, Token: token, Replica: "r1"}
	switch token {
	case ada:
		c.Replica, c.Actor = "", landfall.Actor{User: "ada", Roles: []string{"administrator"}}
	case phone:
	case disabled:
		c.Actor.Disabled = true
	case blocked:
		c.Actor.Blocked = true
	default:
		return nil, landfall.Errorf(landfall.CodeUnauthorized, "not valid")
	}
	return c, nil
}

func (f *fake) SignIn(_ context.Context, in wire.SignIn) (*wire.Session, error) {
	return &wire.Session{Token: "lfs_new"}, f.ask("sign in %s", in.User)
}
func (f *fake) SignOut(_ context.Context, token string) error { return f.ask("sign out %s", token) }

func (f *fake) NewCode(_ context.Context, _ string, _ landfall.Actor, req wire.NewCode) (*wire.Code, error) {
	return &wire.Code{Code: "ABCDE-FGHJK"}, f.ask("code for %s", req.User)
}

func (f *fake) Enrol(_ context.Context, req wire.EnrolRequest, c *Caller) (*wire.Enrolled, error) {
	who := "nobody"
	if c != nil {
		who = c.Actor.User
	}
	return &wire.Enrolled{Replica: "r2"}, f.ask("enrol code=%s by %s", req.Code, who)
}

func (f *fake) Devices(_ context.Context, _ string, _ landfall.Actor, q wire.DevicesQuery, p store.Page) (wire.List[wire.DeviceView], error) {
	return wire.List[wire.DeviceView]{}, f.ask("devices of %q after %q, %d", q.User, p.After, p.Limit)
}

func (f *fake) Ledger(_ context.Context, _ string, _ landfall.Actor, ref string) (*wire.Ledger, error) {
	return &wire.Ledger{Device: ref}, f.ask("ledger %s", ref)
}

func (f *fake) Resync(_ context.Context, _ string, _ landfall.Actor, req wire.Resync) (*wire.Resynced, error) {
	return &wire.Resynced{Number: 1}, f.ask("resync role=%s all=%t", req.Role, req.All)
}

func (f *fake) Land(_ context.Context, _ string, _ landfall.Actor, device string, b []byte) (*wire.PushReply, error) {
	return &wire.PushReply{Next: 8}, f.ask("land %s %s", device, b)
}

func (f *fake) Device(_ context.Context, _ string, _ landfall.Actor, ref string) (*wire.DeviceView, error) {
	return &wire.DeviceView{ID: ref}, f.ask("device %s", ref)
}

func (f *fake) Control(_ context.Context, _ string, _ landfall.Actor, ref string, act wire.DeviceAct) (*wire.DeviceView, error) {
	return &wire.DeviceView{ID: ref, User: "emma"}, f.ask("%s %s", act, ref)
}

func (f *fake) Users(_ context.Context, _ string, _ landfall.Actor, p store.Page) (wire.List[wire.UserView], error) {
	return wire.List[wire.UserView]{}, f.ask("users after %q, %d", p.After, p.Limit)
}

func (f *fake) User(_ context.Context, _ string, _ landfall.Actor, name string) (*wire.UserView, error) {
	return &wire.UserView{Name: name}, f.ask("user %s", name)
}

func (f *fake) AddUser(_ context.Context, _ string, _ landfall.Actor, n wire.NewUser) (*wire.UserView, error) {
	return &wire.UserView{Name: n.Name}, f.ask("add user %s %v", n.Name, n.Roles)
}

func (f *fake) ChangeUser(_ context.Context, _ string, _ landfall.Actor, keep, name string, c wire.UserChange) (*wire.UserView, error) {
	return &wire.UserView{Name: name, Disabled: c.Disabled != nil && *c.Disabled}, f.ask("change user %s grant=%v keep=%s", name, c.Grant, keep)
}

func (f *fake) Teams(context.Context, string, landfall.Actor) ([]wire.Team, error) {
	return nil, f.ask("teams")
}

func (f *fake) AddTeam(_ context.Context, _ string, _ landfall.Actor, t wire.Team) (*wire.Team, error) {
	return &t, f.ask("add team %s", t.Name)
}

func (f *fake) Source(context.Context, string) (int64, string, error) {
	return 3, "app: expenses", f.ask("source")
}

func (f *fake) Publish(_ context.Context, _ string, _ landfall.Actor, req wire.Publish) (*wire.Published, error) {
	return &wire.Published{Version: 4}, f.ask("publish %s dry=%t", req.File, req.DryRun)
}

func (f *fake) Rehearse(_ context.Context, _ string, a landfall.Actor, req wire.Rehearse, tell func(wire.RehearsalProgress)) (*wire.Rehearsal, error) {
	if err := f.ask("rehearse %s %d", req.Source, req.Items); err != nil {
		return nil, err
	}
	tell(wire.RehearsalProgress{Phase: "issues", Done: 1})
	return &wire.Rehearsal{Version: 2, Verdict: "for " + a.User}, nil
}

func (f *fake) Push(_ context.Context, ws, replica string, a landfall.Actor, b []byte) (*wire.PushReply, error) {
	if bytes.Contains(b, []byte("panic")) {
		panic("a value that nobody may see")
	}
	return &wire.PushReply{Next: 8}, f.ask("push %s %s %s %s", ws, replica, a.User, b)
}

func (f *fake) Do(_ context.Context, _ string, _ landfall.Actor, do wire.Do) (*wire.Done, error) {
	return &wire.Done{Seq: 5, Record: &landfall.Record{ID: do.ID, Fields: landfall.Fields{"purpose": landfall.Value(`"<Oslo>"`)}}}, f.ask("do %s %s", do.Op, do.ID)
}

func (f *fake) Import(_ context.Context, _ string, _ landfall.Actor, typ string, req wire.Import) (*wire.Imported, error) {
	return &wire.Imported{Rows: []wire.ImportedRow{{Line: req.Rows[0].Line, Result: wire.ImportUnchanged}}}, f.ask("import %d of %s dry=%t", len(req.Rows), typ, req.DryRun)
}

func (f *fake) Resolve(_ context.Context, _ string, _ landfall.Actor, issue string, r wire.Resolve) (*wire.Resolution, error) {
	return &wire.Resolution{DryRun: r.DryRun}, f.ask("resolve %s take=%s", issue, r.Take)
}

func (f *fake) Retry(_ context.Context, _ string, _ landfall.Actor, r wire.Retry) (*wire.Retries, error) {
	return &wire.Retries{Items: []wire.Retried{}}, f.ask("retry %v cause=%q all=%t", r.Issues, r.Cause, r.All)
}

func (f *fake) Repair(_ context.Context, _ string, _ landfall.Actor, issue string, r wire.Repair) (*wire.Repaired, error) {
	return &wire.Repaired{DryRun: r.DryRun}, f.ask("repair %s drop %v", issue, r.Drop)
}

func (f *fake) Clean(_ context.Context, _ string, _ landfall.Actor, before time.Time, after string, dryRun bool) (*wire.Cleaning, error) {
	return &wire.Cleaning{Before: before}, f.ask("clean before %s after %q %v", before.Format(time.RFC3339), after, dryRun)
}

func (f *fake) Settings(_ context.Context, _ string, a landfall.Actor) ([]wire.SettingView, error) {
	return nil, f.ask("settings for %s", a.User)
}

func (f *fake) Set(_ context.Context, _ string, a landfall.Actor, name, value string) (*wire.SettingView, error) {
	return &wire.SettingView{Name: name}, f.ask("%s sets %s to %s", a.User, name, value)
}

func (f *fake) Reset(_ context.Context, _ string, a landfall.Actor, name string) (*wire.SettingView, error) {
	return &wire.SettingView{Name: name}, f.ask("%s resets %s", a.User, name)
}

func (f *fake) Items(_ context.Context, _ string, _ landfall.Actor, i store.ItemFilter, p store.Page) (wire.List[wire.ItemView], error) {
	more := ""
	if p.Oldest {
		more = fmt.Sprintf(" until %s %s %q oldest", i.Until.Format(time.RFC3339), i.Op, i.Text)
	}
	return wire.List[wire.ItemView]{}, f.ask("items %s %s since %s, %d%s", i.State, i.Kind, i.Since.Format(time.RFC3339), p.Limit, more)
}

func (f *fake) Item(_ context.Context, _ string, _ landfall.Actor, id string) (*wire.ItemView, error) {
	it := &wire.ItemView{ID: id, State: "queued"}
	switch id {
	case "r1.1.1":
		it.Receipt = &landfall.Receipt{Result: landfall.Issued, Issue: "i-full"}
	case "r1.1.2":
		it.Receipt = &landfall.Receipt{Result: landfall.Issued, Issue: "i-full"}
		it.Outcome = &landfall.Outcome{Settlement: landfall.SettledApplied}
	case "r1.1.3":
		it.Receipt = &landfall.Receipt{Result: landfall.Issued, Issue: "i-full"}
		it.Outcome = &landfall.Outcome{Settlement: landfall.SettledMoved, Issue: "i-other"}
	}
	if f.looks--; f.looks < 0 {
		it.State = "completed"
	}
	return it, f.ask("item %s", id)
}

func (f *fake) Page(_ context.Context, _, replica string, _ landfall.Actor, since string, limit int, _ *wire.Contact) (*wire.PullPage, error) {
	return &wire.PullPage{Encoded: f.page}, f.ask("pull %s since %q, %d", replica, since, limit)
}

func (f *fake) Find(_ context.Context, _ string, _ landfall.Actor, typ, ref string) (*wire.RecordView, error) {
	return &wire.RecordView{Record: landfall.Record{Type: typ, ID: "full-" + ref}}, f.ask("find %s %s", typ, ref)
}

func (f *fake) Records(_ context.Context, _ string, _ landfall.Actor, q RecordQuery, p store.Page) (wire.List[wire.RecordView], error) {
	return wire.List[wire.RecordView]{}, f.ask("records %s %s %s after %q", q.Type, q.Status, q.Queue, p.After)
}

func (f *fake) History(_ context.Context, _ string, _ landfall.Actor, typ, ref string) ([]landfall.Change, error) {
	return nil, f.ask("history %s %s", typ, ref)
}

func (f *fake) Queues(context.Context, string, landfall.Actor) ([]wire.QueueView, error) {
	return nil, f.ask("queues")
}

func (f *fake) Queue(_ context.Context, _ string, _ landfall.Actor, name string, _ store.Page) (wire.List[wire.WorkItem], error) {
	return wire.List[wire.WorkItem]{}, f.ask("queue %s", name)
}

func (f *fake) Worklist(_ context.Context, _ string, a landfall.Actor, _ store.Page) (wire.List[wire.WorkItem], error) {
	return wire.List[wire.WorkItem]{}, f.ask("worklist of %s", a.User)
}

func (f *fake) Issues(_ context.Context, _ string, _ landfall.Actor, i store.IssueFilter, _ store.Page) (wire.List[wire.IssueView], error) {
	return wire.List[wire.IssueView]{}, f.ask("issues %s of %q", i.State, i.User)
}

// Issue 17 is Emma's, all others are Otto's.
func (f *fake) Issue(_ context.Context, _ string, _ landfall.Actor, ref string) (*wire.IssueDetail, error) {
	d := &wire.IssueDetail{}
	d.Author = "otto"
	if ref == "17" {
		d.Author = "emma"
	}
	return d, f.ask("issue %s", ref)
}

func (f *fake) IssueID(_ context.Context, _ string, _ landfall.Actor, ref string) (string, error) {
	return "id-of-" + ref, f.fail
}

func (f *fake) Causes(context.Context, string, landfall.Actor) ([]wire.Cause, error) {
	return nil, f.ask("causes")
}

func (f *fake) Claim(_ context.Context, _ string, _ landfall.Actor, ref string) (*wire.IssueView, error) {
	return &wire.IssueView{}, f.ask("claim %s", ref)
}

func (f *fake) Release(_ context.Context, _ string, _ landfall.Actor, ref string) (*wire.IssueView, error) {
	return &wire.IssueView{}, f.ask("release %s", ref)
}

func (f *fake) Comment(_ context.Context, _ string, _ landfall.Actor, ref, text string) (*wire.IssueView, error) {
	return &wire.IssueView{}, f.ask("comment %s %s", ref, text)
}

func (f *fake) Assign(_ context.Context, _ string, _ landfall.Actor, ref string, to wire.Assign) (*wire.IssueView, error) {
	return &wire.IssueView{}, f.ask("assign %s %s", ref, to.To)
}

func (f *fake) Reopen(_ context.Context, _ string, _ landfall.Actor, ref, note string) (*wire.IssueView, error) {
	return &wire.IssueView{}, f.ask("reopen %s %s", ref, note)
}

func (f *fake) Audit(_ context.Context, _ string, a landfall.Actor, q store.AuditFilter, p store.Page) (wire.List[wire.AuditEntry], error) {
	return wire.List[wire.AuditEntry]{}, f.ask("audit for %s: by=%s %s of %s on %s, %s to %s, after %q, %d", a.User, q.By, q.Action, q.Object, q.Device, q.Since.Format("01-02T15"), q.Until.Format("01-02T15"), p.After, p.Limit)
}

// newAPI is an API before a fake, and its log.
func newAPI(t testing.TB) (*API, *fake, *bytes.Buffer) {
	t.Helper()
	f, log := &fake{}, &bytes.Buffer{}
	a, err := New(Config{
		Sessions: f, Devices: f, Landing: f, People: f, Definitions: f, Rehearsals: f, Inbox: f, Records: f, Queues: f, Issues: f, IssueWork: f, Audit: f, Cleaner: f, Settings: f,
		Limits: wire.Limits{Body: 1 << 10, PullPage: 800}, PushMemory: 4 << 10, Memory: 8 << 20,
		Clock: func() time.Time { return noon }, NewID: func() string { return "new-id" },
		Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test", Schema: []byte(`{"title":"schema"}`), Wait: time.Hour, Look: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return a, f, log
}

var errInside = errors.New("the disk said: canary")
