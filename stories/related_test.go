package stories

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

const orders = "testdata/orders.yaml"

func (d *Device) count(typ string) int {
	d.w.t.Helper()
	return len(strings.Fields(d.Do("list", typ, "--quiet")))
}

// What belongs to a site comes to a device with it, and leaves with it; what a
// phone did in a tunnel is read under the definition of the day after.
func TestWhatBelongsTogether(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, orders)
	ada := w.Ada()
	w.User("emma", "worker")
	w.User("bo", "worker")
	dock := strings.TrimSpace(ada.Do("record", "create", "site", "name=dock", "owner=emma", "phone=12", "--quiet"))
	shut := strings.TrimSpace(ada.Do("record", "create", "site", "name=shut", "owner=emma", "open=false", "--quiet"))
	phone, tablet := w.Device("phone", "emma", w.URL), w.Device("tablet", "bo", w.URL)
	phone.Do("sync")

	// The phone knows what it may choose, and what that fills in.
	contains(t, "a site that is shut", phone.Try("create", "order", "site="+shut).Err, "can't be chosen")
	order := strings.TrimSpace(phone.Do("create", "order", "site="+dock, "--quiet"))
	same(t, "filled in", text(phone.Show(order).Record, "telephone"), "12")
	contains(t, "worked out", phone.Try("set", order, "left=7").Err, "worked out by the server")
	first := strings.TrimSpace(phone.Do("create", "task", "order="+order, "title=first", "--quiet"))
	second := strings.TrimSpace(phone.Do("create", "task", "order="+order, "title=second", "--quiet"))
	phone.Do("sync", "--exit-code")
	same(t, "left to do", string(phone.Show(order).Record.Fields["left"]), "2")

	// Its own changes of the parts are in the way of none of its own, nor of Ada's.
	phone.Do("network", "off")
	phone.Do("set", first, "done=true")
	phone.Do("set", order, "telephone=13")
	phone.Do("delete", second)
	ada.Do("record", "set", order, "telephone=13")
	phone.Do("network", "on")
	phone.Do("sync", "--exit-code")
	same(t, "left to do", string(phone.Show(order).Record.Fields["left"]), "0")

	// The site goes to Bo, with everything that is there.
	tablet.Do("sync")
	same(t, "nothing is Bo's", tablet.count("order")+tablet.count("task"), 0)
	ada.Do("record", "set", dock, "owner=bo")
	phone.Do("sync")
	tablet.Do("sync")
	same(t, "all of it is Bo's", [2]int{tablet.count("order"), tablet.count("task")}, [2]int{1, 1})
	same(t, "and not Emma's", [2]int{phone.count("order"), phone.count("task")}, [2]int{0, 0})

	// In the tunnel Bo moves the order on, and says so with yesterday's names.
	tablet.Do("network", "off")
	tablet.Do("set", order, "telephone=99")
	tablet.Do("move", order, "close")
	w.publishAll(orders, "version: 1", "version: 2", "telephone: {type", "phone: {type", "{telephone: target", "{phone: target", "planned", "new", "      close:", "      finish:",
		"types:\n", "convert:\n  - {to: 2, type: order, rename: {telephone: phone}, statuses: {planned: new}, transitions: {close: finish}}\ntypes:\n")
	same(t, "converted", text(ada.Record(order), "phone"), "13")
	same(t, "converted", ada.Record(order).Status, "new")
	tablet.Do("network", "on")
	tablet.Do("sync", "--exit-code")
	r := tablet.Show(order).Record
	same(t, "read under its new name", text(r, "phone"), "99")
	same(t, "moved", r.Status, "closed")

	// A frozen order keeps its parts as they are; a deleted one takes them along.
	tablet.Do("set", first, "title=one more thing")
	tablet.Do("sync")
	issue := ada.OneIssue(landfall.KindStatus)
	ada.Do("issue", "resolve", issue.ID, "--take", "server")
	ada.Do("record", "delete", order)
	tablet.Do("sync")
	same(t, "gone with it", [2]int{tablet.count("order"), tablet.count("task")}, [2]int{0, 0})
	ada.Do("record", "restore", "order", order, "--note", "that was the wrong one")
	tablet.Do("sync")
	same(t, "back with it", [2]int{tablet.count("order"), tablet.count("task")}, [2]int{1, 1})
}
