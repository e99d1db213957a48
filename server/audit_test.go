package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/httpapi/apitest"
	"github.com/landfall-sync/landfall/internal/wire"
)

// audited is a site whose audit is read as it goes on.
type audited struct {
	*site
	ada     string // her session
	seq     int64
	all     []wire.AuditEntry
	secrets []string
}

// fresh are the entries since it was last asked, oldest first.
func (a *audited) fresh() (out []wire.AuditEntry) {
	a.t.Helper()
	after := ""
	for {
		var l wire.List[wire.AuditEntry]
		a.call("GET", "/v1/audit?limit=2&after="+after, a.ada, nil, &l)
		for _, e := range l.Items {
			if e.Seq <= a.seq {
				l.Next = ""
				break
			}
			out = append([]wire.AuditEntry{e}, out...)
		}
		if after = l.Next; after == "" {
			break
		}
	}
	for _, e := range out {
		if a.seq++; e.Seq != a.seq {
			a.t.Errorf("entry %d is at the place of %d", e.Seq, a.seq)
		}
	}
	a.all = append(a.all, out...)
	return out
}

// told are entries as text, with the ids that the story knows by names.
func told(entries []wire.AuditEntry, names *strings.Replacer) string {
	var out []string
	for _, e := range entries {
		text := strings.TrimSpace(strings.TrimSpace(e.By+" "+e.Device) + " " + e.Action + " " + e.Object)
		if e.Outcome != "done" {
			text += " " + e.Outcome
		}
		for _, name := range []string{"role", "team", "user", "version", "transition", "settlement", "settled", "applied", "refused", "assignee", "way", "title", "admin"} {
			if v := e.Detail[name]; v != "" {
				text += " " + name + "=" + v
			}
		}
		out = append(out, names.Replace(text))
	}
	return strings.Join(out, "; ")
}

type step struct {
	name string
	do   func()
	want string
}

// Every action has exactly one entry, which says who did what to whom; what
// failed, or changed nothing, has none; and no entry holds a secret.
func TestAudit(t *testing.T) {
	s := &audited{site: newSite(t)}
	s.ada = s.signIn("ada")
	s.secrets = []string{password, s.ada}
	story := newStory(s)
	for _, step := range story.steps() {
		if step.do != nil {
			step.do()
		}
		names := strings.NewReplacer(pairs(map[string]string{story.phone.Replica: "PHONE", story.tablet.Replica: "TABLET", story.issue: "ISSUE", story.record: "RECORD"})...)
		if got := told(s.fresh(), names); got != step.want {
			t.Errorf("%s:\n got %s\nwant %s", step.name, got, step.want)
		}
	}
	text, err := json.Marshal(s.all)
	if err != nil || len(s.all) < 30 {
		t.Fatal(len(s.all), err)
	}
	for _, secret := range s.secrets {
		for _, form := range []string{secret, strings.ReplaceAll(secret, "-", ""), strings.ToLower(secret)} {
			if secret == "" || strings.Contains(string(text), form) {
				t.Errorf("%q is in the audit", secret)
			}
		}
	}
	for _, e := range s.all {
		if e.At.IsZero() || e.At.After(time.Now().Add(time.Minute)) {
			t.Errorf("%+v", e)
		}
	}
	story.filters(t)
}

// pairs are what a replacer takes, without names that are not known yet.
func pairs(names map[string]string) (out []string) {
	for id, name := range names {
		if id != "" {
			out = append(out, id, name)
		}
	}
	return out
}

// auditStory does one thing after the other.
type auditStory struct {
	*audited
	emma          string // her session
	phone, tablet wire.Enrolled
	issue, record string
}

func newStory(s *audited) *auditStory { return &auditStory{audited: s} }

// send expects a status; in may be nil.
func (s *auditStory) send(method, path, token string, in any, want int) {
	s.t.Helper()
	if got := s.call(method, path, token, in, nil); got != want {
		s.t.Fatalf("%s %s: %d, want %d", method, path, got, want)
	}
}

func (s *auditStory) change(token, user string, c wire.UserChange, want int) {
	s.t.Helper()
	s.send("PATCH", "/v1/users/"+user, token, c, want)
}

func (s *auditStory) do(do wire.Do) *wire.Done {
	s.t.Helper()
	var out wire.Done
	do.Type = "expense"
	s.call("POST", "/v1/records", s.ada, do, &out)
	return &out
}

func (s *auditStory) steps() []step {
	return append(append(s.people(), s.devices()...), append(s.issues(), s.records()...)...)
}

func (s *auditStory) people() []step {
	yes, no, title, secret := true, false, "Emma", "another-long-password"
	s.secrets = append(s.secrets, secret, "a-wrong-password")
	add := func(n wire.NewUser, want int) func() {
		return func() { s.send("POST", "/v1/users", s.ada, n, want) }
	}
	change := func(c wire.UserChange) func() { return func() { s.change(s.ada, "emma", c, 200) } }
	return []step{
		{"workspace", nil, "(server) workspace.init expenses version=1 admin=ada; ada session.begin ada"},
		{"add", add(wire.NewUser{Name: "emma", Title: "E", Password: password, Roles: []string{"employee"}}, 200), "ada user.add emma title=E; ada user.grant emma role=employee"},
		{"add twice", add(wire.NewUser{Name: "emma"}, 409), ""},
		{"add, and fail at the end", add(wire.NewUser{Name: "otto", Roles: []string{"employee", "employe"}}, 400), ""},
		{"grant", change(wire.UserChange{Grant: []string{"manager", "employee"}}), "ada user.grant emma role=manager"},
		{"revoke", change(wire.UserChange{Revoke: []string{"manager", "sync_admin"}}), "ada user.revoke emma role=manager"},
		{"title", change(wire.UserChange{Title: &title}), "ada user.change emma title=Emma"},
		{"the same title", change(wire.UserChange{Title: &title}), ""},
		{"team", func() { s.send("POST", "/v1/teams", s.ada, wire.Team{Name: "north"}, 200) }, "ada team.add north"},
		{"team twice", func() { s.send("POST", "/v1/teams", s.ada, wire.Team{Name: "north"}, 409) }, ""},
		{"join", change(wire.UserChange{Join: []string{"north"}}), "ada team.join emma team=north"},
		{"leave", change(wire.UserChange{Leave: []string{"north"}}), "ada team.leave emma team=north"},
		{"disable", change(wire.UserChange{Disabled: &yes}), "ada user.disable emma"},
		{"sign in while disabled", func() { s.send("POST", "/v1/sessions", "", wire.SignIn{User: "emma", Password: password}, 403) }, "session.refused emma refused"},
		{"enable", change(wire.UserChange{Disabled: &no}), "ada user.enable emma"},
		{"enable again", change(wire.UserChange{Disabled: &no}), ""},
		{"leave nobody in charge, and do more", func() {
			s.change(s.ada, "ada", wire.UserChange{Title: &title, Disabled: &yes, Password: &secret}, 409)
		}, ""},
		{"session", func() { s.emma = s.signIn("emma"); s.secrets = append(s.secrets, s.emma) }, "emma session.begin emma"},
		{"sign out", func() { s.send("DELETE", "/v1/sessions/current", s.emma, nil, 204) }, "emma session.end emma"},
		{"sign out again", func() { s.send("DELETE", "/v1/sessions/current", s.emma, nil, 401) }, ""},
		{"session again", func() { s.emma = s.signIn("emma"); s.secrets = append(s.secrets, s.emma) }, "emma session.begin emma"},
		{"password", change(wire.UserChange{Password: &secret}), "ada user.password emma"},
		{"a session that the password ended", func() { s.send("GET", "/v1/me", s.emma, nil, 401) }, "(server) session.end emma"},
		{"wrong passwords", func() {
			for _, name := range []string{"ada", "ada", "nobody", "not a name"} {
				s.send("POST", "/v1/sessions", "", wire.SignIn{User: name, Password: "a-wrong-password"}, 401)
			}
		}, "session.refused ada refused"},
		{"sign in with the new one", func() {
			var session wire.Session
			s.call("POST", "/v1/sessions", "", wire.SignIn{User: "emma", Password: secret}, &session)
			s.emma, s.secrets = session.Token, append(s.secrets, session.Token)
		}, "emma session.begin emma"},
		{"what emma may not", func() {
			for range 3 {
				s.change(s.emma, "emma", wire.UserChange{Grant: []string{"administrator"}, Password: &secret}, 403)
				s.send("POST", "/v1/users", s.emma, wire.NewUser{Name: "x; drop"}, 403)
				s.send("POST", "/v1/teams", s.emma, wire.Team{Name: "south"}, 403)
				s.send("POST", "/v1/devices/codes", s.emma, wire.NewCode{User: "ada"}, 403)
				s.send("POST", "/v1/definitions", s.emma, wire.Publish{Source: "app: x"}, 403)
				s.send("GET", "/v1/audit", s.emma, nil, 403)
			}
		}, "emma user.password emma refused; emma user.grant emma refused; emma user.add refused; emma team.add south refused; emma device.code ada refused; emma definition.publish refused"},
		{"definition", func() {
			source := strings.Replace(string(expenses(s.t)), "sync_admin: {update: true}", "sync_admin: {update: true, delete: true}", 1)
			s.send("POST", "/v1/definitions", s.ada, wire.Publish{Source: source, DryRun: true}, 200)
			s.send("POST", "/v1/definitions", s.ada, wire.Publish{Source: source}, 200)
			s.send("POST", "/v1/definitions", s.ada, wire.Publish{Source: source}, 200)
			s.send("POST", "/v1/definitions", s.ada, wire.Publish{Source: "app: x"}, 200)
		}, "ada definition.publish expenses version=2"},
	}
}

func (s *auditStory) devices() []step {
	return []step{
		{"enrol", func() {
			var code wire.Code
			s.call("POST", "/v1/devices/codes", s.ada, wire.NewCode{User: "emma", Name: "phone"}, &code)
			s.call("POST", "/v1/devices", "", wire.EnrolRequest{Code: code.Code}, &s.phone)
			s.send("POST", "/v1/devices", "", wire.EnrolRequest{Code: code.Code}, 401)
			s.secrets = append(s.secrets, code.Code, s.phone.Credential)
		}, "ada device.code emma; PHONE device.enrol PHONE user=emma way=code"},
		{"by a session", func() {
			s.call("POST", "/v1/devices", s.emma, wire.EnrolRequest{Name: "tablet"}, &s.tablet)
			s.secrets = append(s.secrets, s.tablet.Credential)
		}, "emma device.enrol TABLET user=emma"},
		{"somebody else's", func() { s.send("POST", "/v1/devices", s.ada, wire.EnrolRequest{Replica: s.tablet.Replica}, 403) }, ""},
		{"revoke", func() {
			s.send("POST", "/v1/devices/"+s.tablet.Replica+"/revoke", s.ada, nil, 200)
			s.send("POST", "/v1/devices/"+s.tablet.Replica+"/revoke", s.ada, nil, 200)
		}, "ada device.revoke TABLET user=emma"},
		{"again", func() {
			var again wire.Enrolled
			s.call("POST", "/v1/devices", s.emma, wire.EnrolRequest{Replica: s.tablet.Replica}, &again)
			s.secrets = append(s.secrets, again.Credential)
		}, "emma device.signin TABLET user=emma"},
	}
}

func (s *auditStory) issues() []step {
	work := func(verb string, in any) func() {
		return func() { s.send("POST", "/v1/issues/"+s.issue+"/"+verb, s.ada, in, 200) }
	}
	retry := func() { s.send("POST", "/v1/issues/retry", s.ada, wire.Retry{Issues: []string{s.issue}}, 200) }
	return []step{
		{"what a device pushes", func() {
			bad := strings.NewReplacer(`"n":1`, `"n":2`, "000001", "000002", "731.64", "-3").Replace(created)
			var reply wire.PushReply
			s.call("POST", "/v1/sync/push", s.phone.Credential, pushOf(s.phone, created, bad), &reply)
			if len(reply.Receipts) != 2 || reply.Receipts[1].Issue == "" {
				s.t.Fatalf("%+v", reply)
			}
			s.issue = reply.Receipts[1].Issue
		}, ""},
		{"claim", work("claim", nil), "ada issue.claim ISSUE assignee=ada"},
		{"release", work("release", nil), "ada issue.release ISSUE"},
		{"comment", work("comments", wire.Comment{Text: "hm"}), ""},
		{"assign", work("assign", wire.Assign{To: "user:ada"}), "ada issue.assign ISSUE assignee=ada"},
		{"assign to nobody", func() { s.send("POST", "/v1/issues/"+s.issue+"/assign", s.ada, wire.Assign{To: "user:nobody"}, 400) }, ""},
		{"retry", retry, "ada issue.retry ISSUE settled=false"},
		{"try a decision", work("resolve", wire.Resolve{Decision: core.Decision{Take: core.ServerSide}, DryRun: true}), ""},
		{"a decision that is refused", func() {
			s.send("POST", "/v1/issues/"+s.issue+"/resolve", s.ada, wire.Resolve{Decision: core.Decision{Take: core.DeviceSide}}, http.StatusUnprocessableEntity)
		}, ""},
		{"resolve", work("resolve", wire.Resolve{Decision: core.Decision{Take: core.ServerSide}}), "ada issue.resolve ISSUE settlement=kept"},
		{"retry what is settled", retry, ""},
		{"reopen", work("reopen", nil), "ada issue.reopen ISSUE"},
	}
}

func (s *auditStory) records() []step {
	value := func(text string) landfall.Value { return landfall.Value(fmt.Sprintf("%q", text)) }
	s.secrets = append(s.secrets, "a-private-note")
	rows := func(dry bool) wire.Import {
		row := func(n int, amount string) wire.ImportRow {
			return wire.ImportRow{Line: n, ID: fmt.Sprintf("0198c3aa-0000-7000-8000-00000000010%d", n), Set: landfall.Fields{"purpose": value("Rome"), "amount": value(amount)}}
		}
		return wire.Import{Rows: []wire.ImportRow{row(1, "1"), row(2, "2"), row(3, "-3")}, DryRun: dry}
	}
	load := func(dry bool) func() {
		return func() { s.send("POST", "/v1/records/expense/import", s.ada, rows(dry), 200) }
	}
	return []step{
		{"create", func() {
			s.record = s.do(wire.Do{Op: landfall.OpCreate, Set: landfall.Fields{"purpose": value("a-private-note"), "amount": value("5")}}).Record.ID
		}, "ada record.create RECORD"},
		{"update", func() { s.do(wire.Do{Op: landfall.OpUpdate, ID: s.record, Set: landfall.Fields{"amount": value("6")}}) }, "ada record.update RECORD"},
		{"nothing new", func() { s.do(wire.Do{Op: landfall.OpUpdate, ID: s.record, Set: landfall.Fields{"amount": value("6")}}) }, ""},
		{"refused by the rules", func() {
			s.send("POST", "/v1/records", s.ada, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: s.record, Set: landfall.Fields{"amount": value("-6")}}, http.StatusUnprocessableEntity)
		}, ""},
		{"move", func() { s.do(wire.Do{Op: landfall.OpTransition, ID: s.record, Transition: "submit"}) }, "ada record.transition RECORD transition=submit"},
		{"delete", func() { s.do(wire.Do{Op: landfall.OpDelete, ID: s.record}) }, "ada record.delete RECORD"},
		{"restore", func() { s.do(wire.Do{Op: landfall.OpRestore, ID: s.record}) }, "ada record.restore RECORD"},
		{"try an import", load(true), ""},
		{"import", load(false), "ada record.import expense applied=2 refused=1"},
		{"import again", load(false), ""},
	}
}

// filters narrow, and only administrators with a session may ask.
func (s *auditStory) filters(t *testing.T) {
	count := func(query string) int {
		var l wire.List[wire.AuditEntry]
		s.call("GET", "/v1/audit?limit=1000&"+query, s.ada, nil, &l)
		for _, e := range l.Items {
			if e.Action == "" || e.Seq == 0 {
				t.Errorf("%s: %+v", query, e)
			}
		}
		return len(l.Items)
	}
	for query, want := range map[string]int{
		"":                                   len(s.all),
		"action=user.grant":                  3,
		"action=user.grant&by=emma":          1,
		"action=team":                        4,
		"action=team.":                       4,
		"object=" + s.issue:                  6,
		"device=" + s.phone.Replica:          1,
		"by=(server)":                        2,
		"by=nobody":                          0,
		"text=USER.GRANT":                    3,
		"text=user.grant&until=2h":           0,
		"text=nothing+says+this":             0,
		"since=2h":                           len(s.all),
		"until=2h":                           0,
		"since=2200-01-01T00:00:00Z&by=emma": 0,
		"action=device&object=" + s.tablet.Replica: 3,
	} {
		if got := count(query); got != want {
			t.Errorf("%s: %d entries, want %d", query, got, want)
		}
	}
	apitest.Run(t, s.Handler(),
		apitest.Case{Path: "/v1/audit", Token: s.emma, Status: 403, Want: []string{"administrator"}, Not: []string{"user.add"}},
		apitest.Case{Path: "/v1/audit", Token: s.phone.Credential, Status: 403, Not: []string{"user.add"}},
		apitest.Case{Path: "/v1/audit", Status: 401},
		apitest.Case{Path: "/v1/audit?after=x", Token: s.ada, Status: 400},
	)
}
