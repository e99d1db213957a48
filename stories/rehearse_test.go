package stories

import (
	"os"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall/internal/wire"
)

// A definition is published in which a transition has another name. Five changes
// of three people become issues. One with the transition is rehearsed: it would
// fix five. It is published, they are retried, and all is done. Then one that takes a right
// away is stopped before it does any harm.
func TestRehearsal(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	ada := w.Ada()
	drafts := map[string]int{"emma": 2, "mila": 2, "noor": 1}
	phones, ids := map[string]*Device{}, map[string][]string{}
	for user, n := range drafts {
		w.User(user, "employee")
		phones[user] = w.Device("phone-"+user, user, w.URL)
		for range n {
			ids[user] = append(ids[user], phones[user].Do("create", "expense", "purpose=Oslo", "amount=120", "currency=EUR", "--quiet"))
		}
		phones[user].Do("sync")
		phones[user].Do("network", "off")
	}
	w.publish(expenses, "        submit:  {from", "        send_in: {from")
	for user, phone := range phones {
		for _, id := range ids[user] {
			phone.Do("move", id, "submit")
		}
		phone.Do("network", "on")
		phone.Do("sync")
	}
	same(t, "open issues", len(ada.Issues()), 5)

	var o wire.Rehearsal
	ada.JSON(&o, "app", "rehearse", expenses)
	same(t, "fixed", o.Issues.Fixed, 5)
	same(t, "worse", o.Worse, false)
	same(t, "people", o.Groups[0].Users, 3)
	text := ada.Do("app", "rehearse", expenses)
	if !strings.HasPrefix(text, "It would fix 5 of 5 open issues, newly refuse none of the last 10 changes, and leave no records invalid.\n") {
		t.Error(text)
	}
	same(t, "published without a question", strings.Contains(ada.Do("app", "publish", expenses), "Version 3 is published"), true)
	ada.Do("issue", "retry", "--all", "--yes")
	same(t, "open issues", len(ada.Issues("--state", "open")), 0)
	for _, it := range ada.Inbox() {
		same(t, it.ID, it.State, "completed")
	}

	b, err := os.ReadFile(expenses)
	if err != nil {
		t.Fatal(err)
	}
	w.write("wrong.yaml", strings.Replace(string(b), "employee:   {create: true,", "employee:   {create: [purpose],", 1))
	r := ada.Try("app", "rehearse", w.path("wrong.yaml"))
	if r.Code != 1 || !strings.Contains(r.Out, "newly refuse 5 of the last 10 changes") || !strings.Contains(r.Out, "5  Expense report, create, authorization by 3 people") {
		t.Errorf("exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
	if strings.Contains(r.Out, "Oslo") || strings.Contains(r.Out, "120") {
		t.Errorf("values are shown:\n%s", r.Out)
	}
	r = ada.Try("app", "publish", w.path("wrong.yaml"))
	if r.Code != 1 || !strings.Contains(r.Err, "nothing is published") || !strings.Contains(r.Err, "--yes") {
		t.Errorf("exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
	same(t, "still published", strings.Contains(ada.Do("app", "publish", expenses), "Version 3 is published already"), true)
	ada.Do("app", "publish", "--yes", w.path("wrong.yaml"))
	same(t, "now published", strings.Contains(ada.Do("app", "publish", w.path("wrong.yaml")), "Version 4 is published already"), true)
	r = w.Person("emil", "employee").Try("app", "rehearse", expenses)
	if r.Code != 1 || !strings.Contains(r.Err, "only an administrator") {
		t.Errorf("exit %d\n%s%s", r.Code, r.Out, r.Err)
	}
	same(t, "usage", ada.Try("app", "rehearse", expenses, "--items", "0").Code, 2)
}
