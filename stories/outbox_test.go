package stories

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// Three reports are submitted on a plane, the app is killed while it syncs, and
// all three arrive, in order, once.
func TestThreeSubmitsThroughAKilledApp(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	proxy := NewProxy(w)
	phone := w.Device("phone", "emma", proxy.URL)
	phone.Do("sync")
	phone.Do("network", "off")
	var ids []string
	for _, city := range []string{"Oslo", "Turin", "Lodz"} {
		id := phone.Do("create", "expense", "purpose="+city, "amount=10", "currency=EUR", "--quiet")
		phone.Do("move", id, "submit")
		ids = append(ids, id)
	}
	same(t, "indicator", phone.Indicator(), indicator{State: "offline", Waiting: 6})
	phone.Do("network", "on")

	killed := make(chan struct{})
	started := make(chan *Running, 1)
	proxy.Hook(func(x *Exchange) {
		if x.Call == "push" && x.Nth == 1 {
			x.BeforeReply = func([]byte) { (<-started).Kill(); close(killed) }
		}
	})
	run := phone.Background("sync")
	started <- run
	if r := run.Wait(); !r.interrupted {
		t.Fatalf("the app was not killed: %+v", r)
	}
	<-killed
	proxy.Hook(nil)
	phone.Do("sync")
	for _, id := range ids {
		same(t, "status", w.Ada().Record(id).Status, "pending-approval")
	}
	items := w.Ada().Inbox("--user", "emma")
	same(t, "items", len(items), 6)
	slices.Reverse(items)
	for i, it := range items {
		same(t, "order", it.Receipt.N, int64(i+1))
	}
	same(t, "indicator", phone.Indicator(), indicator{State: "synced"})
}

// Every push is sent twice: the receipts are the same, and nothing is doubled.
func TestEveryPushTwice(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	proxy := NewProxy(w)
	pushes := 0
	proxy.Hook(func(x *Exchange) {
		if x.Call == "push" {
			x.Twice = func(first, second []byte) {
				pushes++
				same(t, "receipts", receipts(t, second), receipts(t, first))
			}
		}
	})
	phone := w.Device("phone", "emma", proxy.URL)
	id := phone.Do("create", "sheet", "title=Counter", "add=0", "--quiet")
	phone.Do("sync")
	for i := 1; i <= 5; i++ {
		phone.Do("set", id, fmt.Sprintf("add=%d", i))
		phone.Do("sync")
	}
	same(t, "pushes", pushes, 6)
	same(t, "sum", text(w.Ada().Record(id), "add"), "5")
	same(t, "items", len(w.Ada().Inbox("--user", "emma")), 6)
}

// receipts is the receipts of a push reply, as text that can be compared.
func receipts(t *testing.T, reply []byte) string {
	t.Helper()
	var r struct {
		Receipts json.RawMessage `json:"receipts"`
	}
	if err := json.Unmarshal(unzip(t, reply), &r); err != nil || len(r.Receipts) < 3 {
		t.Fatalf("no receipts in %s: %v", reply, err)
	}
	return string(r.Receipts)
}

func unzip(t *testing.T, b []byte) []byte {
	t.Helper()
	if len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b {
		return b
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A first sync is cut again and again. It goes on where it stopped: no record
// comes twice, none is missing.
func TestCutPullResumes(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	writer := w.Device("writer", "emma", w.URL)
	want := map[string]bool{}
	for i := range 30 {
		want[writer.Do("create", "sheet", fmt.Sprintf("title=Sheet %d", i), "append="+strings.Repeat("long ", 40), "--quiet")] = true
	}
	writer.Do("sync")

	proxy := NewProxy(w)
	reader := w.Device("reader", "emma", proxy.URL)
	taken := map[string]int{} // records in pages that arrived whole
	cuts := 0
	proxy.Hook(func(x *Exchange) {
		if x.Call != "pull" {
			return
		}
		if x.Nth%2 == 0 { // every other page is cut, each a little later
			cuts++
			x.CutAfter = 10 + 37*cuts
			return
		}
		x.BeforeReply = func(reply []byte) {
			var page struct {
				Changes []struct {
					ID   string `json:"id"`
					Type string `json:"type"`
				} `json:"changes"`
			}
			if err := json.Unmarshal(unzip(t, reply), &page); err != nil {
				t.Error(err)
			}
			for _, c := range page.Changes {
				taken[c.ID]++
			}
		}
	})
	for range 40 {
		if r := reader.Try("sync", "--page", "4"); r.Code == 0 {
			break
		} else if r.Code != 3 {
			t.Fatalf("a cut is not an error of the device: %+v", r)
		}
	}
	if cuts < 5 {
		t.Errorf("only %d cuts", cuts)
	}
	for id := range want {
		same(t, "times that "+id+" came", taken[id], 1)
		same(t, "title is there", text(reader.Show(id).Record, "title") != "", true)
	}
}

// Offline, a record is changed ten times, and moved on the way. The chain does
// not conflict with itself.
func TestOwnChain(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	phone := w.Device("phone", "emma", w.URL)
	id := phone.Do("create", "expense", "purpose=Oslo", "amount=1", "currency=EUR", "--quiet")
	phone.Do("sync")
	phone.Do("network", "off")
	for i := 2; i <= 6; i++ {
		phone.Do("set", id, fmt.Sprintf("amount=%d", i), fmt.Sprintf("notes=%s", strings.Repeat("x", i)))
	}
	phone.Do("move", id, "submit")
	phone.Do("set", id, "amount=77")
	phone.Do("move", id, "submit")
	phone.Do("network", "on")
	phone.Do("sync", "--exit-code")
	r := w.Ada().Record(id)
	same(t, "amount", text(r, "amount"), "77")
	same(t, "notes", text(r, "notes"), "xxxxxx")
	same(t, "status", r.Status, "pending-approval")
	same(t, "issues", len(w.Ada().Issues()), 0)
}

// A record is created offline, edited, and another created that refers to it.
func TestCreatedOfflineAndReferredTo(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	bo := w.Person("bo", "boss")
	tablet := w.Device("tablet", "bo", w.URL)
	tablet.Do("network", "off")
	site := tablet.Do("create", "site", "name=Harbor", "size=3", "--quiet")
	tablet.Do("set", site, "name=Harbour")
	visit := tablet.Do("create", "visit", "what=Inspect", "site="+site, "--quiet")
	tablet.Do("network", "on")
	tablet.Do("sync", "--exit-code")
	same(t, "name", text(bo.Record(site), "name"), "Harbour")
	same(t, "reference", text(bo.Record(visit), "site"), site)
}
