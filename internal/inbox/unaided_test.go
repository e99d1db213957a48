package inbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// timed is an inbox whose clock the test sets.
func timed(t *testing.T, in *Inbox) *time.Time {
	t.Helper()
	now := in.cfg.Clock()
	in.cfg.Clock = func() time.Time { return now }
	return &now
}

// tend lets the inbox do all that it does by itself at this moment.
func tend(t *testing.T, in *Inbox) (times int) {
	t.Helper()
	for {
		worked, err := in.Tend(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !worked {
			return times
		}
		if times++; times > 1000 {
			t.Fatal("it never comes to rest")
		}
	}
}

func update(t *testing.T, st store.Store, f func(w store.Writer) error) {
	t.Helper()
	if err := st.Update(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// grantTo gives a user roles, and has what they sent tried again.
func grantTo(t *testing.T, st store.Store, user string, roles ...string) {
	t.Helper()
	update(t, st, func(w store.Writer) error {
		return errors.Join(w.PutUser("w", &store.User{Name: user, Roles: roles}), store.MayPass(w, "w", user, "a role was granted"))
	})
}

func audits(t *testing.T, st store.Store, action string) (out []*store.AuditEntry) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) (err error) {
		out, err = r.Audit("w", store.AuditFilter{Action: action}, store.Page{Limit: 100})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func invalid1(n int64) string {
	return strings.Replace(creation(n, "one"), `"amount":"120"`, `"amount":"-1"`, 1)
}

// A right is granted, and what lacked it is applied without anybody's help: also
// by a server that was ended by something unknown before.
func TestGrantedAndApplied(t *testing.T) {
	for _, unclean := range []bool{false, true} {
		in, st := stocked(t, 0)
		in.cfg.Unclean = unclean
		people(t, st, map[string][]string{"emma": {"manager"}})
		r := pushed(t, in, 1, "", creation(1, "one"), creation(2, "two"))
		if got := strings.Join(results(r), ", "); got != "issue authorization, issue authorization" {
			t.Fatal(got)
		}
		if n := tend(t, in); n != 0 {
			t.Errorf("without a cause it worked %d times", n)
		}
		grantTo(t, st, "emma", "employee")
		tend(t, in)
		for _, rc := range r.Receipts {
			row := issueOf(t, st, rc.Issue)
			if i := row.Issue; i.Open() || i.Settlement != landfall.SettledApplied || i.Decider != "" || i.Note != "tried again by itself: a role was granted" || !row.Next.IsZero() {
				t.Errorf("unclean %v: %+v", unclean, i)
			}
		}
		entries := audits(t, st, store.IssueRetry)
		if len(entries) != 2 || entries[0].By != store.ByServer || entries[0].Detail["reason"] != "a role was granted" {
			t.Errorf("audit: %+v", entries)
		}
	}
}

// The schedule tries ever more seldom, and in the end no more. Nobody hears of a
// try that changes nothing: the issue and the sequence stay as they were.
func TestTheScheduleBacksOff(t *testing.T) {
	in, st := stocked(t, 0)
	now := timed(t, in)
	r := pushed(t, in, 1, "", invalid1(1))
	id := r.Receipts[0].Issue
	before := issueOf(t, st, id)
	var last time.Duration
	tries := 0
	for ; tries < 100; tries++ {
		row := issueOf(t, st, id)
		if row.Next.IsZero() {
			break
		}
		pause := row.Next.Sub(*now)
		if want := append(slices.Clone(pauses), lastPause)[min(tries, len(pauses))]; pause < want || pause > want+want/5 {
			t.Errorf("try %d comes after %s, not about %s", tries+1, pause, want)
		}
		if pause < last && tries < len(pauses) {
			t.Errorf("try %d comes after %s, the one before after %s", tries+1, pause, last)
		}
		last = pause
		*now = row.Next.Add(-time.Second)
		if n := tend(t, in); n != 0 {
			t.Fatalf("it is tried too early")
		}
		*now = row.Next
		if n := tend(t, in); n != 1 {
			t.Fatalf("try %d: it worked %d times", tries+1, n)
		}
	}
	after := issueOf(t, st, id)
	if tries != mostTries || len(after.Tried) != triesKept || after.Tried[triesKept-1].Kind != landfall.KindValidation {
		t.Errorf("%d tries, %d kept", tries, len(after.Tried))
	}
	a, _ := json.Marshal(before.Issue)
	b, _ := json.Marshal(after.Issue)
	if string(a) != string(b) || before.Issue.Version != after.Issue.Version {
		t.Errorf("the issue was %s and is %s", a, b)
	}
	if n := len(audits(t, st, store.IssueRetry)); n != 0 {
		t.Errorf("%d entries about tries that changed nothing", n)
	}
}

// What names a type, a transition or a field that no definition ever had stays what
// it is, whatever is published, and says no word of the app's past. What is there at
// last is applied.
func TestNamesThatNeverWere(t *testing.T) {
	for n, raw := range []string{
		strings.Replace(creation(1, "one"), `"type":"expense"`, `"type":"expanse"`, 1),
		strings.Replace(creation(2, "two"), `"purpose"`, `"aim"`, 1),
		creation(3, "three"),
		`{"n":4,"op":"transition","transition":"sumbit","type":"expense","id":"` + sheet + `3","base":{"version":0,"after":3,"status":"draft"},"made_at":"2026-03-01T08:00:00Z"}`,
	} {
		if n == 2 {
			continue
		}
		in, st := stocked(t, 0)
		first := int64(n + 1)
		app := *in.cfg.Definitions.(published).app
		var made []string
		for k := int64(1); k < first; k++ {
			made = append(made, creation(k, "x"))
		}
		raw = strings.Replace(raw, `"made_at"`, `"definition":1,"made_at"`, 1)
		r := pushed(t, in, 1, "", append(made, raw)...)
		id := r.Receipts[n].Issue
		before := issueOf(t, st, id)
		for version := int64(2); version < 4; version++ {
			next := app
			next.Version = version
			in.cfg.Definitions = published{&next}
			update(t, st, func(w store.Writer) error {
				return w.PutSweep("w", store.Sweep{Kind: store.SweepDefinition, Why: "the app was published"})
			})
			*timed(t, in) = in.cfg.Clock().Add(time.Minute)
			if tend(t, in) == 0 {
				t.Error("nothing was tried")
			}
			if _, err := in.Retry(t.Context(), "w", landfall.Actor{User: "emma"}, wire.Retry{Issues: []string{id}}); err != nil {
				t.Error(err)
			}
		}
		after := issueOf(t, st, id)
		if after.Issue.Kind != before.Issue.Kind || after.Issue.Cause != before.Issue.Cause || !slices.EqualFunc(after.Issue.Messages, before.Issue.Messages, func(a, b landfall.Message) bool { return a == b }) || len(after.Tried) == 0 {
			t.Errorf("change %d was %s %v and is %s %v", first, before.Issue.Kind, before.Issue.Messages, after.Issue.Kind, after.Issue.Messages)
		}
		if before.Issue.Kind == landfall.KindOutdated {
			t.Errorf("%+v", before.Issue)
		}
	}
}

// A change that names a user who is not there passes once they are, without
// anybody's help; what lacks something else is not tried for that.
func TestAUserIsAdded(t *testing.T) {
	in, st := stocked(t, 0)
	now := timed(t, in)
	named := strings.Replace(creation(1, "one"), `"owner":"emma"`, `"owner":"nora"`, 1)
	r := pushed(t, in, 1, "", named, strings.Replace(creation(2, "two"), `"120"`, `"-1"`, 1))
	issue, other := issueOf(t, st, r.Receipts[0].Issue), issueOf(t, st, r.Receipts[1].Issue)
	if m := issue.Issue.Messages; len(m) != 1 || m[0].Code != core.CodeNoUser {
		t.Fatalf("%+v", issue.Issue)
	}
	*now = now.Add(time.Second)
	update(t, st, func(w store.Writer) error {
		return errors.Join(w.PutUser("w", &store.User{Name: "nora"}), store.Added(w, "w", store.NamesUser))
	})
	tend(t, in)
	if i := issueOf(t, st, issue.Issue.ID).Issue; i.Settlement != landfall.SettledApplied || !strings.Contains(i.Note, "a user was added") {
		t.Errorf("%+v", i)
	}
	if after := issueOf(t, st, other.Issue.ID); len(after.Tried) != 0 || !after.Next.Equal(other.Next) {
		t.Errorf("%+v", after)
	}
}

// A try that finds another fault is told: the issue has a new version.
func TestATryThatFindsAnotherFault(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"emma": {"manager"}})
	r := pushed(t, in, 1, "", invalid1(1))
	before := issueOf(t, st, r.Receipts[0].Issue)
	grantTo(t, st, "emma", "employee")
	tend(t, in)
	after := issueOf(t, st, r.Receipts[0].Issue)
	if i := after.Issue; !i.Open() || i.Kind != landfall.KindValidation || i.Version <= before.Issue.Version || i.Attempts != 2 || len(after.Tried) != 1 {
		t.Errorf("%+v", i)
	}
	if e := audits(t, st, store.IssueRetry); len(e) != 1 || e[0].Detail["settled"] != "false" {
		t.Errorf("audit: %+v", e)
	}
}

// A record changes, and the issue on it that this helps is settled; one that
// arose in the same push, after the change, is not tried at once.
func TestAChangedRecordIsEnough(t *testing.T) {
	in, st := stocked(t, 1)
	people(t, st, map[string][]string{"ada": {"sync_admin"}})
	id := "0198c3aa-0000-7000-8000-000000000000" // Mara's
	r := pushed(t, in, 1, "", `{"n":1,"op":"update","type":"expense","id":"`+id+`","set":{"notes":"x"},"base":{"version":1,"status":"draft","was":{"notes":null}},"made_at":"2026-03-01T08:00:00Z"}`,
		creation(2, "two"), strings.Replace(`{"n":3,"op":"update","type":"expense","id":"S2","set":{"amount":"-1"},"base":{"version":0,"after":2,"was":{"amount":"120"}},"made_at":"2026-03-01T08:00:00Z"}`, "S", sheet, 1))
	if got := strings.Join(results(r), ", "); got != "issue not-available, applied, issue validation" {
		t.Fatal(got)
	}
	if row := issueOf(t, st, r.Receipts[2].Issue); row.Why != "" || !row.Next.After(in.cfg.Clock()) {
		t.Errorf("it is tried at once: %+v", row.Tries)
	}
	if _, err := in.Do(t.Context(), "w", landfall.Actor{User: "ada"}, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: id, Set: landfall.Fields{"owner": landfall.Value(`"emma"`)}}); err != nil {
		t.Fatal(err)
	}
	tend(t, in)
	if i := issueOf(t, st, r.Receipts[0].Issue).Issue; i.Settlement != landfall.SettledApplied || !strings.Contains(i.Note, recordChanged) {
		t.Errorf("%+v", i)
	}
	if i := issueOf(t, st, r.Receipts[2].Issue).Issue; !i.Open() {
		t.Errorf("%+v", i)
	}
}

// When very many wait for a record, the change of it stays small: they are put
// down afterwards, a page at a time.
func TestManyWaitForARecord(t *testing.T) {
	in, st := stocked(t, 1)
	const many = sweepPage + 7
	id := "0198c3aa-0000-7000-8000-000000000000"
	people(t, st, map[string][]string{"ada": {"sync_admin"}, "noah": {"employee"}})
	var issues []string
	for k := range many {
		device := fmt.Sprintf("d%03d", k)
		update(t, st, func(w store.Writer) error {
			return w.PutReplica("w", &store.Replica{ID: device, User: "noah", Incarnation: 1, Next: 1})
		})
		body, err := json.Marshal(wire.Push{Replica: device, Incarnation: 1, Clock: in.cfg.Clock(), Protocol: wire.Protocol, Definition: 1, First: 1, Mutations: []json.RawMessage{
			json.RawMessage(`{"n":1,"op":"update","type":"expense","id":"` + id + `","set":{"notes":"x"},"base":{"version":1,"status":"draft","was":{"notes":null}},"made_at":"2026-03-01T08:00:00Z"}`),
		}})
		if err != nil {
			t.Fatal(err)
		}
		o, err := in.Offer(t.Context(), "w", Device{Replica: device, Actor: landfall.Actor{User: "noah"}}, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := in.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply, err := o.Reply()
		if err != nil || reply.Receipts[0].Kind != landfall.KindNotAvailable {
			t.Fatalf("%+v %v", reply, err)
		}
		issues = append(issues, reply.Receipts[0].Issue)
	}
	if _, err := in.Do(t.Context(), "w", landfall.Actor{User: "ada"}, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: id, Set: landfall.Fields{"owner": landfall.Value(`"noah"`)}}); err != nil {
		t.Fatal(err)
	}
	if row := issueOf(t, st, issues[0]); row.Why != "" {
		t.Errorf("it was put down in the transaction of the change: %+v", row.Tries)
	}
	tend(t, in)
	for _, id := range issues {
		if row := issueOf(t, st, id); row.Issue.Open() && len(row.Tried) == 0 {
			t.Fatalf("issue %d was not tried: %+v", row.Issue.Number, row.Tries)
		}
	}
}

// What a person looks at waits for them; what was reopened is theirs; and a
// workspace may want none of it.
func TestWhatIsNotTried(t *testing.T) {
	in, st := stocked(t, 0)
	now := timed(t, in)
	people(t, st, map[string][]string{"emma": {"manager"}, "ada": {landfall.Administrator}})
	r := pushed(t, in, 1, "", creation(1, "one"), creation(2, "two"))
	claimed, reopened := r.Receipts[0].Issue, r.Receipts[1].Issue
	until := now.Add(15 * time.Minute)
	err := in.judge(t.Context(), "w", func(j *judging) error {
		row, err := j.w.Issue("w", claimed)
		if err != nil {
			return err
		}
		row.Issue.State, row.Issue.Assignee, row.Issue.ClaimedUntil = landfall.IssueClaimed, "ada", &until
		other, err := j.w.Issue("w", reopened)
		if err != nil {
			return err
		}
		l, err := j.lane(&other.Issue)
		if err != nil {
			return err
		}
		_, _, err = j.settle(other, landfall.Effects{}, l.own, ending{settlement: landfall.SettledKept, decider: "ada"})
		other.Issue.State, other.Issue.Settlement = landfall.IssueOpen, ""
		return errors.Join(err, j.w.PutIssue("w", row), j.w.PutIssue("w", other))
	})
	if err != nil {
		t.Fatal(err)
	}
	in.cfg.Unaided = func(store.Reader, string) (bool, error) { return false, nil }
	grantTo(t, st, "emma", "employee")
	if n := tend(t, in); n != 0 {
		t.Errorf("where it is not wanted, it worked %d times", n)
	}
	in.cfg.Unaided = nil
	tend(t, in)
	for _, id := range []string{claimed, reopened} {
		if row := issueOf(t, st, id); !row.Issue.Open() {
			t.Errorf("%+v", row.Issue)
		}
	}
	*now = until
	tend(t, in)
	if i := issueOf(t, st, claimed).Issue; i.Settlement != landfall.SettledApplied {
		t.Errorf("after the claim: %+v", i)
	}
	if row := issueOf(t, st, reopened); !row.Issue.Open() || !row.Next.IsZero() {
		t.Errorf("reopened: %+v", row)
	}
}

// A record that changes all the time does not have its issues tried all the time.
func TestTriesKeepADistance(t *testing.T) {
	in, st := stocked(t, 1)
	now := timed(t, in)
	people(t, st, map[string][]string{"ada": {"sync_admin"}})
	id := "0198c3aa-0000-7000-8000-000000000000"
	r := pushed(t, in, 1, "", `{"n":1,"op":"update","type":"expense","id":"`+id+`","set":{"notes":"x"},"base":{"version":1,"status":"draft","was":{"notes":null}},"made_at":"2026-03-01T08:00:00Z"}`)
	change := func(k int) {
		if _, err := in.Do(t.Context(), "w", landfall.Actor{User: "ada"}, wire.Do{Op: landfall.OpUpdate, Type: "expense", ID: id, Set: landfall.Fields{"notes": landfall.Value(fmt.Sprintf(`"%d"`, k))}}); err != nil {
			t.Fatal(err)
		}
		tend(t, in)
	}
	for k := range 5 {
		change(k)
	}
	if n := len(issueOf(t, st, r.Receipts[0].Issue).Tried); n != 1 {
		t.Errorf("tried %d times in the same moment", n)
	}
	*now = now.Add(tryGap)
	tend(t, in)
	if n := len(issueOf(t, st, r.Receipts[0].Issue).Tried); n != 2 {
		t.Errorf("tried %d times in the end", n)
	}
}
