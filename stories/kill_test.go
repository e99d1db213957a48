package stories

import (
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
)

// Device and server are killed with -9 at twenty moments of a sync: before a
// request reaches the server, after it committed, in the middle of a reply, in
// push and pull, in the first and in a later exchange. Afterwards every change
// is there once, and repeating it all changes nothing.
func TestKilledAtTwentyMoments(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	proxy := NewProxy(w)
	phone := w.Device("phone", "emma", proxy.URL)
	id := phone.Do("create", "sheet", "title=Counter", "add=0", "--quiet")
	phone.Do("sync")

	made, kills := 0, 0
	for _, victim := range []string{"phone", "server"} {
		for _, call := range []string{"push", "pull"} {
			for _, moment := range []string{"before the request arrives", "after the commit", "one byte into the reply", "half of the reply", "all but a byte of the reply"} {
				name := fmt.Sprintf("%s killed at %s, %s", victim, call, moment)
				made++
				phone.Do("set", id, fmt.Sprintf("add=%d", made))
				phone.Do("create", "sheet", fmt.Sprintf("title=Sheet %d", made))
				made++
				phone.Do("set", id, fmt.Sprintf("add=%d", made))
				if killAt(w, proxy, phone, victim, call, moment) {
					kills++
				} else {
					t.Errorf("%s: the moment never came", name)
				}
				proxy.Hook(nil)
				if w.server == nil {
					w.Start()
				}
				phone.Do("sync", "--exit-code")
				same(t, name, text(phone.Show(id).Server, "add"), fmt.Sprint(made))
			}
		}
	}
	t.Logf("%d kills", kills)
	same(t, "kills", kills, 20)
	items := w.Ada().Inbox("--user", "emma")
	same(t, "items", len(items), 1+20*3)
	numbers := map[int64]bool{}
	for _, it := range items {
		same(t, it.ID, it.Receipt.Result, landfall.Applied)
		numbers[it.Receipt.N] = true
	}
	same(t, "numbers without gap or double", len(numbers), 61)
	same(t, "counter", text(w.Ada().Record(id), "add"), fmt.Sprint(made))
	same(t, "indicator", phone.Indicator(), indicator{State: "synced"})
}

// killAt syncs and kills the victim at the moment; false if it never came.
func killAt(w *World, proxy *Proxy, phone *Device, victim, call, moment string) bool {
	w.t.Helper()
	started := make(chan *Running, 1)
	begun, done := make(chan struct{}, 1), make(chan struct{})
	kill := func() {
		run := <-started
		started <- run
		begun <- struct{}{} // before, since the device's end is waited for
		if victim == "phone" {
			run.Kill()
		} else {
			w.Kill()
		}
		close(done)
	}
	proxy.Hook(func(x *Exchange) {
		if x.Call != call || x.Nth != 1 {
			return
		}
		switch moment {
		case "before the request arrives":
			x.BeforeForward = kill
			x.Drop = true
		case "after the commit":
			x.BeforeReply = func([]byte) { kill() }
			x.CutAfter = 0
		case "one byte into the reply":
			x.CutAfter = 1
			x.DuringReply = kill
		case "half of the reply":
			x.CutAfter = 60
			x.DuringReply = kill
		default:
			x.BeforeReply = func(reply []byte) { x.CutAfter = len(reply) - 1 }
			x.DuringReply = kill
		}
	})
	run := phone.Background("sync")
	started <- run
	run.Wait()
	select {
	case <-begun:
		<-done
		return true
	default:
		return false
	}
}
