package stories

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

// One engineer's failures are found in two commands: which they are, and one of
// them with all that there is to know, and what to do next. It is found as well by
// every name that people have for it.
func TestFindOnesFailures(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	c.phone.Do("set", c.id, "purpose=Bergen")
	c.phone.Do("sync")
	issue := c.ada.OneIssue(landfall.KindStatus)
	list := c.ada.Do("inbox", "list", "--user", "emma", "--state", "completed-with-errors")
	contains(t, "first command", list, "status conflict", "EXP-1001", "phone")
	same(t, "lines with the head", len(strings.Split(list, "\n")), 2)
	id := c.ada.Do("inbox", "list", "--user", "emma", "--state", "completed-with-errors", "--quiet")
	shown := c.ada.Do("inbox", "show", id)
	contains(t, "second command", shown, "Emma", "EXP-1001", "amount", "140", "taxi", "queued", "in-progress", "completed-with-errors", "as sent", fmt.Sprintf("landfall issue show %d", issue.Number))
	for _, by := range [][]string{
		{"--kind", "status-conflict"}, {"--device", "phone", "--state", "completed-with-errors"}, {"--text", "TAXI"},
		{"--record", "EXP-1001", "--state", "completed-with-errors"}, {"--type", "expense", "--kind", "status-conflict", "--since", "1h"},
		{"--record", c.id[:18], "--kind", "status-conflict", "--order", "asc"},
	} {
		same(t, strings.Join(by, " "), c.ada.Do(append([]string{"inbox", "list", "--quiet"}, by...)...), id)
	}
	waits := c.ada.Do("inbox", "list", "--user", "emma", "--state", "queued", "--quiet")
	contains(t, "what waits", c.ada.Do("inbox", "show", waits), fmt.Sprintf("waits behind sync issue %d", issue.Number))
	same(t, "what came before an hour ago", c.ada.Do("inbox", "list", "--until", "1h"), "Nothing came in that is like this.")
	contains(t, "at the desk", c.ada.Do("inbox", "list", "--device", "desk:mara"), "transition expense")
	for _, by := range [][]string{{"--state", "failed"}, {"--kind", "status-conflikt"}, {"--type", "expence"}, {"--user", "ema"}, {"--device", "phon3"}, {"--record", "EXP-77"}, {"--until", "soon"}} {
		if r := c.ada.Try(append([]string{"inbox", "list"}, by...)...); r.Code == 0 || strings.Count(strings.TrimSpace(r.Err), "\n") == 0 {
			t.Errorf("%v: want a refusal that says what to write, got %+v", by, r)
		}
	}
	if r := c.mara.Try("inbox", "list", "--text", "taxi", "--quiet"); r.Code != 0 || r.Out != "" {
		t.Errorf("Mara finds what Emma sent: %+v", r)
	}
}

// Cleaning takes what was sent with it from what is completed. What has errors
// keeps it until it is decided, by whoever wants to; and then it goes, too.
func TestOnlyTheCompletedAreCleaned(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	c.phone.Do("sync")
	var cleaned struct{ Cleaned int }
	c.ada.JSON(&cleaned, "inbox", "clean", "--older-than", "1h")
	same(t, "younger than an hour", cleaned.Cleaned, 0)
	c.ada.JSON(&cleaned, "inbox", "clean", "--older-than", "0s", "--dry-run")
	same(t, "would be cleaned", cleaned.Cleaned, 3)
	c.ada.JSON(&cleaned, "inbox", "clean", "--older-than", "0s")
	same(t, "cleaned", cleaned.Cleaned, 3)
	bad := c.ada.Do("inbox", "list", "--state", "completed-with-errors", "--quiet")
	contains(t, "with errors", c.ada.Do("inbox", "show", bad), "taxi", "queued")
	good := strings.Fields(c.ada.Do("inbox", "list", "--state", "completed", "--user", "emma", "--quiet"))
	same(t, "completed", len(good), 2)
	for _, id := range good {
		contains(t, "cleaned", c.ada.Do("inbox", "show", id), "Its parameters were removed on", "applied at")
	}
	if r := c.mara.Try("inbox", "clean", "--older-than", "0s"); r.Code != 1 || !strings.Contains(r.Err, "administrator") {
		t.Errorf("Mara cleans: %+v", r)
	}
	// A restart, a new sync and the decision find everything that they need.
	c.Stop()
	c.Start()
	c.ada.Do("issue", "resolve", c.ada.OneIssue(landfall.KindStatus).ID, "--take", "device", "--before", "reopen", "--after", "submit")
	c.phone.Do("sync", "--exit-code")
	same(t, "amount", text(c.ada.Record(c.id), "amount"), "140")
	c.ada.Do("inbox", "clean", "--older-than", "0s")
	same(t, "what is left of it", strings.Contains(c.ada.Do("inbox", "show", bad), "taxi"), false)
	contains(t, "audit", c.ada.Do("audit", "--text", "inbox.clean"), "ada", "items=3")
	contains(t, "setting", c.ada.Do("setting", "set", "inbox.keep", "8d"), "inbox.keep is 8d")
	contains(t, "settings", c.ada.Do("setting", "list"), "8d", "90d", "ada")
}
