package stories

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall"
)

// While Ada looks at an issue, Emma goes on. The decision covers what Ada saw;
// what came later is judged after it.
func TestDecisionWhileChangesArrive(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	var seen issueLine
	c.ada.JSON(&seen, "issue", "show", c.ada.OneIssue(landfall.KindStatus).ID)
	c.phone.Do("set", c.id, "purpose=Bergen")
	c.phone.Do("sync")
	c.ada.Do("issue", "resolve", seen.ID, "--take", "device", "--before", "reopen", "--if-seen", fmt.Sprint(seen.Through))
	r := c.ada.Record(c.id)
	same(t, "amount", text(r, "amount"), "140")
	same(t, "what she did not see is not applied by her", text(r, "purpose"), "Oslo")
	left := c.ada.OneIssue(landfall.KindStatus)
	c.ada.Do("issue", "resolve", left.ID, "--take", "device", "--after", "submit")
	c.phone.Do("sync", "--exit-code")
	same(t, "purpose", text(c.phone.Show(c.id).Record, "purpose"), "Bergen")
}

// A refused decision commits nothing: the manager may not submit.
func TestRefusedDecision(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	c.ada.Do("user", "add", "sven", "--role", "sync_admin")
	c.ada.Do("user", "revoke", "ada", "manager")
	issue := c.ada.OneIssue(landfall.KindStatus)
	before := c.ada.Record(c.id)
	for _, decision := range [][]string{
		{"--take", "device", "--before", "approve"},                                       // not a move from here
		{"--take", "device"},                                                              // frozen without reopening it
		{"--take", "device", "--before", "reopen", "--set", "amount=-3"},                  // not valid
		{"--take", "device", "--before", "reopen", "--after", "submit", "--after", "fly"}, // no such move
		{"--take", "device", "--before", "reopen", "--to", "user:marra"},                  // nobody of that name
		{"--take", "device", "--before", "reopen", "--after", "submit", "--after", "approve"},
	} {
		r := c.ada.Try(append([]string{"issue", "resolve", issue.ID}, decision...)...)
		if r.Code == 0 || r.Err == "" {
			t.Errorf("%v: want a refusal that says why, got %+v", decision, r)
		}
		after := c.ada.Record(c.id)
		same(t, "version", after.Version, before.Version)
		same(t, "status", after.Status, before.Status)
		same(t, "issues", len(c.ada.Issues()), 1)
	}
	contains(t, "nearest name", c.ada.Try("issue", "resolve", issue.ID, "--take", "device", "--before", "reopn").Err, "reopen")
	// A dry run says what would happen, and then that is what happens.
	dry := c.ada.Do("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--after", "submit", "--dry-run")
	contains(t, "dry run", dry, "140", "pending-approval")
	same(t, "a dry run commits nothing", c.ada.Record(c.id).Version, before.Version)
	c.ada.Do("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--after", "submit")
	same(t, "status", c.ada.Record(c.id).Status, "pending-approval")
}

// Each field on its own, and one typed by the decider.
func TestDecidePerField(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	issue := c.ada.OneIssue(landfall.KindStatus)
	c.ada.Do("issue", "claim", issue.ID)
	if r := c.mara.Try("issue", "show", issue.ID); r.Code != 1 {
		t.Errorf("Mara is no member of the queue: %+v", r)
	}
	c.ada.Do("issue", "comment", issue.ID, "Asked Emma for the receipt")
	c.ada.Do("issue", "resolve", issue.ID, "--take", "amount=device", "--take", "notes=server", "--set", "purpose=Oslo (May)", "--before", "reopen", "--note", "no taxi without a receipt")
	r := c.ada.Record(c.id)
	same(t, "amount", text(r, "amount"), "140")
	same(t, "notes", text(r, "notes"), "")
	same(t, "purpose", text(r, "purpose"), "Oslo (May)")
	same(t, "who entered the amount", r.Edits["amount"].Author, "emma")
	same(t, "who applied it", r.Edits["amount"].By, "ada")
	same(t, "who entered the purpose", r.Edits["purpose"].Author, "ada")
	same(t, "settlement", c.ada.Issues("--state", "resolved")[0].Settlement, landfall.SettledMerged)
	c.phone.Do("sync", "--exit-code")
	log := c.phone.Do("log")
	contains(t, "the phone's log", log, "Ada", "no taxi without a receipt")

	c.ada.Do("issue", "reopen", issue.ID, "--note", "the receipt has come")
	same(t, "open again", c.ada.OneIssue(landfall.KindStatus).State, "open")
	c.ada.Do("issue", "resolve", issue.ID, "--take", "notes=device", "--note", "the taxi counts after all")
	same(t, "notes", text(c.ada.Record(c.id), "notes"), "taxi")
	same(t, "the typed value stays", text(c.ada.Record(c.id), "purpose"), "Oslo (May)")
	c.phone.Do("sync", "--exit-code")
	contains(t, "the phone's log", c.phone.Do("log"), "the taxi counts after all")
}

// A claim keeps others off while its holder may decide, and gives no right: when the
// role is taken away, the next member takes the issue at once, and who had claimed
// it sees no more of it.
func TestClaimEndsWithTheRole(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	sven := c.Person("sven", "sync_admin")
	issue := c.ada.OneIssue(landfall.KindStatus)
	contains(t, "claimed", sven.Do("issue", "claim", issue.ID), "is yours until")
	contains(t, "the list", c.ada.Do("issue", "list"), "claimed (sven)")
	contains(t, "Sven's worklist", sven.Do("worklist"), "sync_issue")
	kept := c.ada.Try("issue", "resolve", issue.ID, "--take", "server")
	contains(t, "kept off", kept.Err, "sven is at work")

	c.ada.Do("user", "revoke", "sven", "sync_admin")
	if r := sven.Try("issue", "show", issue.ID); r.Code != 1 {
		t.Errorf("Sven still sees it: %+v", r)
	}
	if mine := sven.Do("worklist"); strings.Contains(mine, "sync_issue") {
		t.Errorf("Sven's worklist has it still:\n%s", mine)
	}
	c.ada.Do("issue", "claim", issue.ID)
	c.ada.Do("issue", "resolve", issue.ID, "--take", "server")
	c.phone.Do("sync", "--exit-code")
}

// Two deciders and a push in the same instant: one decision counts, every
// change is somewhere, nothing is applied twice.
func TestSameInstant(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	sven := c.Person("sven", "sync_admin")
	issue := c.ada.OneIssue(landfall.KindStatus)
	c.phone.Do("set", c.id, "purpose=Bergen")
	var wg sync.WaitGroup
	results := make([]Result, 2)
	for i, p := range []*Person{c.ada, sven} {
		wg.Go(func() {
			results[i] = p.Try("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--note", "by "+p.Name)
		})
	}
	wg.Go(func() { c.phone.Try("sync") })
	wg.Wait()
	won := 0
	for _, r := range results {
		if r.Code == 0 {
			won++
		} else if strings.TrimSpace(r.Err) == "" {
			t.Errorf("the one who lost is not told: %+v", r)
		}
	}
	same(t, "decisions that counted", won, 1)
	same(t, "amount", text(c.ada.Record(c.id), "amount"), "140")
	c.phone.Do("sync")
	purpose := text(c.ada.Record(c.id), "purpose")
	open := c.ada.Issues()
	if purpose != "Bergen" && len(open) != 1 {
		t.Errorf("Emma's last change is neither applied nor an issue: %q, %s", purpose, dump(open))
	}
}
