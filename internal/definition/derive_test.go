package definition

import (
	"slices"
	"strings"
	"testing"
)

// What follows from the types is worked out in an order that can be gone by.
func TestDerived(t *testing.T) {
	app := compiled(t, related)
	site, order, task := app.Types["site"], app.Types["order"], app.Types["task"]
	if site.Depth != 0 || order.Depth != 1 || task.Depth != 2 {
		t.Errorf("depths: %d %d %d", site.Depth, order.Depth, task.Depth)
	}
	if !slices.Equal(site.Followers, []Follower{{"order", "site"}}) || !slices.Equal(order.Followers, []Follower{{"task", "order"}}) || task.Followers != nil {
		t.Errorf("followers: %v %v %v", site.Followers, order.Followers, task.Followers)
	}
	if !slices.Equal(order.Linked, []string{"site"}) || !slices.Equal(task.Linked, []string{"order"}) || site.Linked != nil {
		t.Errorf("linked: %v %v %v", order.Linked, task.Linked, site.Linked)
	}
	if !slices.Equal(order.Computes, []string{"open", "ratio"}) || !slices.Equal(order.Narrowed, []string{"site"}) || !slices.Equal(order.Filling, []string{"site"}) {
		t.Errorf("%v %v %v", order.Computes, order.Narrowed, order.Filling)
	}
	turned := strings.NewReplacer("ratio: {type: decimal, computed: \"record.open * 2\"}", "zz: {type: text}", "phone: {type: text}\n      done", "ratio: {type: decimal, computed: \"record.open * 2\"}\n      phone: {type: text}\n      done").Replace(related)
	if c := compiled(t, turned).Types["order"].Computes; !slices.Equal(c, []string{"open", "ratio"}) {
		t.Errorf("what is looked at comes first: %v", c)
	}
}

// Chains of names, and names that are used again, can be written as they happened.
func TestConversions(t *testing.T) {
	at := func(entries ...string) string {
		head, _, _ := strings.Cut(related, "convert:")
		return head + "convert:\n  - " + strings.Join(entries, "\n  - ") + "\n"
	}
	compiled(t, at("{to: 2, type: order, rename: {fon: telephone}}", "{to: 3, type: order, rename: {telephone: phone}}"))
	compiled(t, at("{to: 2, type: order, rename: {done: phone}}"))
	for what, x := range map[string]struct{ src, want string }{
		"leads nowhere":       {at("{to: 2, type: order, rename: {fon: telephone}}"), `field "telephone" is not known`},
		"leads on too early":  {at("{to: 3, type: order, rename: {fon: telephone}}", "{to: 2, type: order, rename: {telephone: phone}}"), `field "telephone" is not known`},
		"is there now":        {at("{to: 3, type: order, rename: {done: phone}}"), `field "done" is there now`},
		"of no version known": {strings.Replace(at("{to: 2, type: order, rename: {done: phone}}"), "version: 3\n", "", 1), `field "done" is there now`},
	} {
		if app, problems := Compile("a.yaml", []byte(x.src)); app != nil || !strings.Contains(problemText(problems), x.want) {
			t.Errorf("%s: %v\n%s", what, app != nil, problemText(problems))
		}
	}
}
