package stories

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
)

// conflicted is a world in which Emma's offline change of an expense met an
// approval: one open issue, with everything she entered.
type conflicted struct {
	*World
	ada, mara *Person
	phone     *Device
	id        string
}

func newConflict(t *testing.T) *conflicted {
	t.Helper()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	c := &conflicted{World: w, ada: w.Ada(), mara: w.Person("mara", "manager")}
	c.phone = w.Device("phone", "emma", w.URL)
	c.id = c.phone.Do("create", "expense", "purpose=Oslo", "amount=120", "currency=EUR", "--quiet")
	c.phone.Do("move", c.id, "submit")
	c.phone.Do("sync")
	c.phone.Do("network", "off")
	c.phone.Do("set", c.id, "amount=140", "notes=taxi")
	c.mara.Do("record", "move", c.id, "approve")
	c.phone.Do("network", "on")
	return c
}

// One change is refused, three wait behind it, twenty elsewhere flow on. After
// the decision the three are judged by themselves.
func TestLaneWaitsWhileOthersFlow(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	for i := range 20 {
		c.phone.Do("create", "expense", fmt.Sprintf("purpose=Trip %d", i), "amount=5", "currency=EUR")
	}
	c.phone.Do("sync")
	issue := c.ada.OneIssue(landfall.KindStatus, "--queue", "sync-conflicts")
	for i := range 3 {
		c.phone.Do("set", c.id, fmt.Sprintf("purpose=Oslo, day %d", i+1))
	}
	c.phone.Do("sync")
	applied, waiting := 0, 0
	for _, it := range c.ada.Inbox("--user", "emma") {
		switch {
		case it.Receipt.Result == landfall.Applied:
			applied++
		case it.Receipt.Waiting:
			same(t, "waits in", it.Receipt.Issue, issue.ID)
			waiting++
		}
	}
	same(t, "applied", applied, 22)
	same(t, "waiting", waiting, 3)
	same(t, "indicator", c.phone.Indicator().State, "needs-attention")

	// The decider decides what the first change asked for; the three that came
	// later are Emma's own again.
	silent := c.ada.Try("issue", "resolve", issue.ID, "--note", "fine")
	same(t, "a decision that decides nothing", silent.Code, 1)
	contains(t, "a decision that decides nothing", silent.Err, "what to keep", "--take device")
	c.ada.Do("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--if-seen", fmt.Sprint(issue.N))
	left := c.ada.Issues("--record", c.id)
	for _, it := range c.ada.Inbox("--user", "emma", "--record", c.id) {
		if it.Receipt.Waiting && it.Outcome == nil {
			t.Errorf("%s was left waiting", it.ID)
		}
	}
	// They were made when the case stood elsewhere, so they are one new issue
	// that the next decision covers whole.
	if len(left) != 1 {
		t.Fatalf("want one issue for what came later, got %s", dump(left))
	}
	c.ada.Do("issue", "resolve", left[0].ID, "--take", "device", "--after", "submit")
	c.phone.Do("sync", "--exit-code")
	r := c.ada.Record(c.id)
	same(t, "purpose", text(r, "purpose"), "Oslo, day 3")
	same(t, "amount", text(r, "amount"), "140")
	same(t, "status", r.Status, "pending-approval")
	same(t, "phone", text(c.phone.Show(c.id).Record, "purpose"), "Oslo, day 3")
	same(t, "indicator", c.phone.Indicator(), indicator{State: "synced"})
}

// A validation issue holds the lane; its dependants are released, in order, when
// Emma mends it on the phone.
func TestAmend(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("bo", "boss")
	tablet := w.Device("tablet", "bo", w.URL)
	tablet.Do("sync")
	tablet.Do("network", "off")
	site := tablet.Do("create", "site", "name=Harbour", "--quiet")
	visit := tablet.Do("create", "visit", "what=Inspect", "site="+site, "--quiet")
	// Meanwhile a site needs a size.
	w.publish("testdata/sheets.yaml", "size: {type: integer, check", "size: {type: integer, required: true, check")
	tablet.Do("network", "on")
	tablet.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindValidation)
	same(t, "field", issue.Messages[0].Field, "size")
	same(t, "view", text(tablet.Show(site).Record, "name"), "Harbour")
	same(t, "needs", tablet.Show(site).NeedsDecision, true)
	same(t, "the visit waits", len(w.Ada().Inbox("--record", visit)), 1)
	same(t, "waits in", w.Ada().Inbox("--record", visit)[0].Receipt.Issue, issue.ID)

	tablet.Do("set", site, "size=4")
	tablet.Do("sync", "--exit-code")
	same(t, "settlement", w.Ada().Issues("--state", "resolved")[0].Settlement, landfall.SettledAmended)
	same(t, "size", text(tablet.Show(site).Server, "size"), "4")
	same(t, "visit", text(tablet.Show(visit).Server, "what"), "Inspect")
	same(t, "indicator", tablet.Indicator(), indicator{State: "synced"})
}

// Retry: the right is missing, the change is an issue; the right is granted, the
// change passes as it was, with what waits behind it.
func TestRetryAfterGrant(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("kim", "worker", "boss")
	tablet := w.Device("tablet", "kim", w.URL)
	tablet.Do("sync")
	tablet.Do("network", "off")
	site := tablet.Do("create", "site", "name=Harbour", "size=3", "--quiet")
	tablet.Do("set", site, "size=5")
	w.Ada().Do("user", "revoke", "kim", "boss")
	tablet.Do("network", "on")
	tablet.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindAuthorization)
	contains(t, "the log says what is missing", tablet.Do("log"), "create", "Site")

	if r := w.Ada().Try("inbox", "retry", w.Ada().Inbox("--record", site, "--state", "completed-with-errors")[0].ID); r.Code != 1 {
		t.Errorf("a retry with the cause still there must say so: %+v", r)
	}
	w.Ada().Do("issue", "claim", issue.ID) // else it is tried again without her
	w.Ada().Do("user", "grant", "kim", "boss")
	dry := w.Ada().Do("issue", "retry", issue.ID, "--dry-run")
	same(t, "a dry run changes nothing", len(w.Ada().Issues()), 1)
	if dry == "" {
		t.Error("a dry run says what would happen")
	}
	w.Ada().Do("issue", "retry", issue.ID)
	same(t, "size", text(w.Ada().Record(site), "size"), "5")
	w.Ada().Do("issue", "retry", "--all", "--yes")
	// Taken up again, it is not applied a second time.
	w.Ada().Do("issue", "reopen", issue.ID)
	again := w.Ada().Try("issue", "retry", issue.ID)
	same(t, "a second retry", again.Code, 1)
	contains(t, "a second retry", again.Err, "takes effect once")
	w.Ada().Do("issue", "resolve", issue.ID, "--take", "server")
	tablet.Do("sync", "--exit-code")
	same(t, "size", text(tablet.Show(site).Server, "size"), "5")
}

// Withdrawn before it was sent, the change never existed for the server; after
// that, the issue's lane is taken back; too late, the log says who decided.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	// before sending
	other := c.phone.Do("create", "expense", "purpose=Mistake", "amount=1", "currency=EUR", "--quiet")
	c.phone.Do("revert", other)
	if r := c.phone.Try("show", other); r.Code != 1 {
		t.Errorf("a withdrawn creation is still there: %+v", r)
	}
	c.phone.Do("sync")
	if r := c.ada.Try("record", "show", other); r.Code != 1 {
		t.Errorf("the server has a withdrawn creation: %+v", r)
	}
	// after sending
	issue := c.ada.OneIssue(landfall.KindStatus)
	c.phone.Do("set", c.id, "purpose=Bergen")
	c.phone.Do("sync")
	c.phone.Do("revert", issue.ID)
	c.phone.Do("sync", "--exit-code")
	same(t, "settlement", c.ada.Issues("--state", "resolved")[0].Settlement, landfall.SettledWithdrawn)
	v := c.phone.Show(c.id)
	same(t, "the server's copy is back", text(v.Record, "amount"), "120")
	same(t, "status", v.Record.Status, "resolved-approved")
	contains(t, "what was sent is still in the issue", c.ada.Do("issue", "show", issue.ID), "140")
	same(t, "indicator", c.phone.Indicator(), indicator{State: "synced"})
}

func TestWithdrawTooLate(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	issue := c.ada.OneIssue(landfall.KindStatus)
	c.phone.Do("network", "off")
	c.phone.Do("revert", issue.ID)
	c.ada.Do("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--note", "I was quicker")
	c.phone.Do("network", "on")
	c.phone.Do("sync", "--exit-code")
	contains(t, "the log", c.phone.Do("log"), "Ada", "I was quicker")
	same(t, "amount", text(c.phone.Show(c.id).Record, "amount"), "140")
	same(t, "indicator", c.phone.Indicator(), indicator{State: "synced"})
}

// A group is refused as one: a creation that was fine alone is held with it.
func TestGroupRefusedAsOne(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("kim", "worker", "boss")
	tablet := w.Device("tablet", "kim", w.URL)
	tablet.Do("sync")
	tablet.Do("network", "off")
	w.write("group", "create site name=Harbour size=3\ncreate sheet title=Plan\n")
	tablet.Do("group", w.path("group"))
	w.Ada().Do("user", "revoke", "kim", "boss")
	tablet.Do("network", "on")
	tablet.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindAuthorization)
	same(t, "members", issue.Group, 2)
	var sheets list[landfall.Record]
	w.Ada().JSON(&sheets, "record", "list", "sheet")
	same(t, "nothing of it is applied", len(sheets.Items), 0)
	w.Ada().Do("user", "grant", "kim", "boss")
	w.Ada().Do("issue", "retry", issue.ID)
	w.Ada().JSON(&sheets, "record", "list", "sheet")
	same(t, "all of it is applied", len(sheets.Items), 1)
	tablet.Do("sync", "--exit-code")
	same(t, "indicator", tablet.Indicator(), indicator{State: "synced"})
}
