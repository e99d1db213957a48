package stories

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/wire"
)

// resolved waits until an issue is decided, by whoever.
func (w *World) resolved(p *Person, id string) (i wire.IssueDetail) {
	w.t.Helper()
	w.await("issue "+id+" to be decided", func() bool {
		p.JSON(&i, "issue", "show", id)
		return i.State == landfall.IssueResolved
	})
	return i
}

// completed waits until no issue is open, and every item is completed.
func (w *World) completed(p *Person) {
	w.t.Helper()
	w.await("every issue to be decided", func() bool { return len(p.Issues()) == 0 })
	for _, it := range p.Inbox() {
		if it.State != "completed" {
			w.t.Errorf("item %s is %s", it.ID, it.State)
		}
	}
}

// Emma's role is taken away while she is out. What she brings waits as issues of
// one cause; when she has the role again, all of it completes unaided, and her
// phone says by whom.
func TestARightIsGranted(t *testing.T) {
	t.Parallel()
	const many = 40
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	ada, phone := w.Ada(), w.Device("phone", "emma", w.URL)
	phone.Do("sync")
	phone.Do("network", "off")
	var ids []string
	for n := range many {
		ids = append(ids, phone.Do("create", "expense", fmt.Sprintf("purpose=Trip %d", n), "amount=5", "currency=EUR", "--quiet"))
	}
	phone.Do("move", ids[0], "submit")
	ada.Do("user", "grant", "emma", "manager")
	ada.Do("user", "revoke", "emma", "employee")
	phone.Do("network", "on")
	phone.Do("sync")
	var causes list[wire.Cause]
	ada.JSON(&causes, "issue", "causes")
	same(t, "causes", len(causes.Items), 1)
	c := causes.Items[0]
	same(t, "what it says", c.Title, fmt.Sprintf("%d changes: emma lacks create on Expense report", many))
	contains(t, "what to do", c.Fix, "employee", "grant")
	same(t, "devices", c.Devices, 1)
	same(t, "examples", len(c.Examples) > 0, true)
	dry := ada.Try("issue", "retry", "--cause", c.Cause, "--dry-run")
	contains(t, "before the grant", dry.Out, fmt.Sprintf("%d tried: 0 would be settled, %d would still be refused.", many, many))
	same(t, "a dry run that finds refusals", dry.Code, 1)
	one := ada.Issues()[0]

	ada.Do("user", "grant", "emma", "employee")
	i := w.resolved(ada, one.ID)
	same(t, "who decided", i.Decider, "")
	contains(t, "why", i.Note, "a role was granted")
	w.completed(ada)
	phone.Do("sync", "--exit-code")
	contains(t, "the phone's log", phone.Do("log"), "decided by the server", "what you entered is applied", "a role was granted")
	same(t, "what waited behind it", ada.Record(ids[0]).Status, "pending-approval")
	for _, id := range ids[1:] {
		same(t, "changes of "+id, len(history(ada, id)), 1)
	}
	contains(t, "the audit", ada.Do("audit", "--action", "issue.retry"), "(server)")
}

func history(p *Person, ref string) []landfall.Change {
	p.w.t.Helper()
	var l list[landfall.Change]
	p.JSON(&l, "record", "history", ref)
	return l.Items
}

// Only the data is repaired, at another record's side: what waited for it
// completes unaided.
func TestTheDataIsRepaired(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	ada, phone := w.Ada(), w.Device("phone", "emma", w.URL)
	id := phone.Do("create", "expense", "purpose=Oslo", "amount=120", "currency=EUR", "--quiet")
	phone.Do("sync")
	w.Person("mara", "manager")
	w.User("zoe", "sync_admin")
	w.login("zoe")
	zoe := &Person{w, "zoe"}
	phone.Do("network", "off")
	phone.Do("set", id, "notes=taxi")
	zoe.Do("record", "set", id, "owner=mara") // by mistake
	phone.Do("network", "on")
	phone.Do("sync")
	issue := ada.OneIssue(landfall.KindNotAvailable)
	zoe.Do("record", "set", id, "owner=emma")
	i := w.resolved(ada, issue.ID)
	contains(t, "why", i.Note, "a record was changed")
	same(t, "notes", text(zoe.Record(id), "notes"), "taxi")
	w.completed(ada)
	phone.Do("sync", "--exit-code")
}

// An amount is repaired: judged as Emma's, applied by Ada, and what was sent is
// still there, byte for byte.
func TestAnAmountIsRepaired(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	ada, phone := w.Ada(), w.Device("phone", "emma", w.URL)
	ada.Do("user", "revoke", "ada", "employee")
	phone.Do("sync")
	phone.Do("network", "off")
	id := phone.Do("create", "expense", "purpose=Oslo", "amount=1200", "currency=EUR", "--quiet")
	phone.Do("move", id, "submit")
	w.publish(expenses, `check: "amount > 0", message: Enter an amount`, `check: "amount < 1000", message: That is too much`)
	phone.Do("network", "on")
	phone.Do("sync")
	issue := ada.OneIssue(landfall.KindValidation)
	var sent wire.IssueDetail
	ada.JSON(&sent, "issue", "show", issue.ID)
	before := sentItem(ada, 1)

	r := ada.Try("issue", "repair", issue.ID, "amount=120", "--note", "the comma was missing")
	same(t, "Ada may not create reports herself", r.Code, 1)
	contains(t, "what it says", r.Err, "your right", "employee")
	ada.Do("user", "grant", "ada", "employee")
	contains(t, "a dry run", ada.Do("issue", "repair", issue.ID, "amount=120", "--dry-run"), "would be repaired (amount): applied", "pending-approval")
	same(t, "a dry run changes nothing", len(ada.Issues()), 1)
	contains(t, "another value that is wrong", ada.Try("issue", "repair", issue.ID, "amount=1001").Err, "That is too much")
	contains(t, "a field that is not", ada.Try("issue", "repair", issue.ID, "amuont=3").Err, "amount")
	contains(t, "repaired", ada.Do("inbox", "repair", before.ID, "amount=120", "--note", "the comma was missing"), "is repaired (amount): applied", "pending-approval")

	rec := ada.Record(id)
	same(t, "amount", text(rec, "amount"), "120")
	same(t, "who entered the amount", rec.Edits["amount"].Author, "ada")
	same(t, "who entered the purpose", rec.Edits["purpose"].Author, "emma")
	same(t, "who applied it", rec.Edits["purpose"].By, "ada")
	after := sentItem(ada, 1)
	same(t, "what was sent", after.Sent, sent.Sent[0].Raw)
	contains(t, "what was sent", after.Sent, `"amount":"1200"`)
	same(t, "its state", after.State, "completed")
	same(t, "repairs", len(after.Repairs), 1)
	same(t, "sent", string(after.Repairs[0].Fields[0].Sent), `"1200"`)
	same(t, "repaired", string(after.Repairs[0].Fields[0].Repaired), `"120"`)
	contains(t, "the issue", ada.Do("issue", "show", issue.ID), "repaired by Ada", "sent 1200, repaired to 120", "the comma was missing")
	contains(t, "the audit", ada.Do("audit", "--action", "issue.repair"), "amount")
	again := ada.Try("issue", "repair", issue.ID, "amount=130")
	same(t, "again", again.Code, 1)
	contains(t, "again", again.Err, "decided already")
	phone.Do("sync", "--exit-code")
	contains(t, "the phone's log", phone.Do("log"), "decided by Ada", "the comma was missing")
	same(t, "on the phone", text(phone.Show(id).Record, "amount"), "120")
}

// sentItem is the inbox item with the number n.
func sentItem(p *Person, n int) (out wire.ItemView) {
	p.w.t.Helper()
	for _, it := range p.Inbox("--user", "emma") {
		if strings.HasSuffix(it.ID, fmt.Sprint(".1.", n)) {
			p.JSON(&out, "inbox", "show", it.ID)
		}
	}
	return out
}

// The server is killed again and again while it tries many issues again, and
// people retry them, too: in the end each is applied once.
func TestAKilledRetryGoesOn(t *testing.T) {
	t.Parallel()
	const many = 40
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	ada, phone := w.Ada(), w.Device("phone", "emma", w.URL)
	phone.Do("network", "off")
	var ids []string
	for n := range many {
		ids = append(ids, phone.Do("create", "expense", fmt.Sprintf("purpose=Trip %d", n), "amount=5", "currency=EUR", "--quiet"))
	}
	ada.Do("user", "revoke", "emma", "employee")
	phone.Do("network", "on")
	phone.Do("sync")
	same(t, "issues", len(ada.Issues("--limit", "100")), many)
	ada.Do("user", "grant", "emma", "employee")
	for range 4 {
		done := make(chan Result, 1)
		go func() { done <- ada.Try("issue", "retry", "--all", "--yes") }()
		left := len(ada.Issues("--limit", "100"))
		w.Kill()
		<-done
		w.Start()
		if left == 0 {
			break
		}
	}
	ada.Try("issue", "retry", "--all", "--yes")
	w.completed(ada)
	for _, id := range ids {
		same(t, "changes of "+id, len(history(ada, id)), 1)
	}
	phone.Do("sync", "--exit-code")
}
