package stories

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall"
)

// Two devices of one user: each converges, and the issue of one is a link on
// the other, which shows the server's copy.
func TestTwoDevicesOfOneUser(t *testing.T) {
	t.Parallel()
	c := newConflict(t)
	tablet := c.Device("tablet", "emma", c.URL)
	tablet.Do("sync")
	c.phone.Do("sync")
	tablet.Do("sync")
	issue := c.ada.OneIssue(landfall.KindStatus)
	same(t, "phone", text(c.phone.Show(c.id).Record, "amount"), "140")
	same(t, "tablet", text(tablet.Show(c.id).Record, "amount"), "120")
	contains(t, "the tablet's log", tablet.Do("log"), fmt.Sprint(issue.Number))
	c.ada.Do("issue", "resolve", issue.ID, "--take", "device", "--before", "reopen", "--after", "submit")
	for _, d := range []*Device{c.phone, tablet} {
		d.Do("sync")
		same(t, d.Folder, text(d.Show(c.id).Record, "amount"), "140")
		same(t, d.Folder+" status", d.Show(c.id).Record.Status, "pending-approval")
		same(t, d.Folder+" indicator", d.Indicator(), indicator{State: "synced"})
	}
}

// The record is taken out of Emma's sight while she is offline. Her change
// becomes an issue that she can follow; nothing of the record reaches her.
func TestSubmitterLosesSight(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	w.User("otto", "worker")
	bo := w.Person("bo", "boss")
	proxy := NewProxy(w)
	phone := w.Device("phone", "emma", proxy.URL)
	id := phone.Do("create", "visit", "what=Inspect", "--quiet")
	phone.Do("sync")
	phone.Do("network", "off")
	phone.Do("set", id, "what=Inspect the roof")
	bo.Do("record", "set", id, "what=CANARY-7731", "who=otto")
	phone.Do("network", "on")
	proxy.Hook(func(x *Exchange) {
		x.BeforeReply = func(reply []byte) {
			if bytes.Contains(unzip(t, reply), []byte("CANARY")) {
				t.Errorf("what Emma may not see is in the reply to %s", x.Call)
			}
		}
	})
	phone.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindNotAvailable)
	contains(t, "her log", phone.Do("log"), "not available")
	if out := phone.Try("show", id).Out; strings.Contains(out, "CANARY") {
		t.Error(out)
	}
	same(t, "what she wrote is in her view", text(phone.Show(id).Record, "what"), "Inspect the roof")
	contains(t, "the decider reads it, too", w.Ada().Do("issue", "show", issue.ID), "Inspect the roof")
	w.Ada().Do("issue", "resolve", issue.ID, "--take", "device", "--note", "thanks, Otto goes on")
	phone.Do("sync", "--exit-code")
	contains(t, "her log", phone.Do("log"), "Ada", "thanks, Otto goes on")
	same(t, "what", text(bo.Record(id), "what"), "Inspect the roof")
	if r := phone.Try("show", id); r.Code != 1 {
		t.Errorf("the record is still on the phone: %+v", r)
	}
}

// Several people and devices work on one case at the same time. Every change
// ends as applied or as an issue; the counter adds up.
func TestManyOnOneRecord(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	bo := w.Person("bo", "boss")
	devices := []*Device{w.Device("a", "emma", w.URL), w.Device("b", "emma", w.URL), w.Device("c", "bo", w.URL)}
	id := devices[0].Do("create", "sheet", "title=Shared", "add=0", "--quiet")
	devices[0].Do("sync")
	for _, d := range devices {
		d.Do("sync")
	}
	var wg sync.WaitGroup
	for i, d := range devices {
		wg.Go(func() {
			for n := range 4 {
				d.Try("set", id, fmt.Sprintf("add=%d", (n+1)*pow10(i)))
				d.Try("sync")
			}
		})
	}
	wg.Wait()
	for _, d := range devices {
		d.Do("sync", "--exit-code")
	}
	// Each device set its counter step by step from what it saw; what it added
	// is the sum of the differences, which the server keeps as the sum.
	r := bo.Record(id)
	for _, d := range devices {
		d.Do("sync")
		same(t, d.Folder, text(d.Show(id).Record, "add"), text(r, "add"))
	}
	items := bo.w.Ada().Inbox("--record", id)
	same(t, "items", len(items), 13)
	for _, it := range items {
		same(t, it.ID, it.Receipt.Result, landfall.Applied)
	}
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// Garbage in a push is quarantined item by item and answered with receipts.
func TestGarbagePush(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	code := w.Ada().Do("device", "enrol", "--user", "emma", "--quiet")
	var enrolled struct{ Replica, Credential string }
	post(t, w.URL+"/v1/devices", "", fmt.Sprintf(`{"code":%q,"name":"hostile"}`, code), &enrolled)
	good := `{"n":%d,"op":"create","type":"sheet","id":"0198c3aa-0000-7000-8000-00000000000%d","set":{"title":"good"},"base":{"version":0},"made_at":"2026-01-01T00:00:00Z"}`
	mutations := []string{
		fmt.Sprintf(good, 1, 1),
		`{"n":2,"op":"create","op":"delete"}`,
		`"not an object"`,
		`{"n":4,"op":"update","type":"sheet","id":"0198c3aa-0000-7000-8000-000000000001","set":{"title":"a\u0000b"},"made_at":"2026-01-01T00:00:00Z"}`,
		`{"n":5,"op":"update","type":"sheet","id":"0198c3aa-0000-7000-8000-000000000001","set":{"title":"\ud800"},"made_at":"2026-01-01T00:00:00Z"}`,
		strings.Repeat("[", 2000) + strings.Repeat("]", 2000),
		`{"n":7,"op":"fly","type":"sheet","id":"x","made_at":"2026-01-01T00:00:00Z"}`,
		`{"n":8,"op":"update","type":"sheet","id":"0198c3aa-0000-7000-8000-000000000001","set":{"add":1e999999},"made_at":"2026-01-01T00:00:00Z"}`,
		fmt.Sprintf(good, 9, 2),
	}
	body := fmt.Sprintf(`{"replica":%q,"incarnation":1,"clock":"2026-01-01T00:00:00Z","protocol":1,"definition":1,"first":1,"waiting":9,"mutations":[%s]}`,
		enrolled.Replica, strings.Join(mutations, ","))
	var reply struct {
		Receipts []landfall.Receipt
		Next     int64
	}
	post(t, w.URL+"/v1/sync/push", enrolled.Credential, body, &reply)
	same(t, "next", reply.Next, 10)
	for i, r := range reply.Receipts {
		want, kind := landfall.Issued, landfall.KindMalformed
		if i == 0 || i == 8 {
			want, kind = landfall.Applied, ""
		}
		same(t, fmt.Sprintf("receipt %d", i+1), r.Result, want)
		same(t, fmt.Sprintf("kind %d", i+1), r.Kind, kind)
		same(t, "number", r.N, int64(i+1))
	}
	same(t, "issues that hold it", len(w.Ada().Issues()), 7)
	contains(t, "the bytes are there", w.Ada().Do("issue", "show", w.Ada().Issues()[0].ID, "--json"), `\"op\":\"delete\"`)
}

func post(t *testing.T, url, token, body string, out any) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: %s %s %v", url, res.Status, b, err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		t.Fatal(err)
	}
}

// What a hurried person types wrong is answered with the nearest right name,
// and nothing is queued.
func TestNearestNames(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, expenses)
	w.User("emma", "employee")
	phone := w.Device("phone", "emma", w.URL)
	phone.Do("sync")
	id := phone.Do("create", "expense", "purpose=Oslo", "amount=1", "currency=EUR", "--quiet")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"create", "expens", "purpose=x"}, "expense"},
		{[]string{"create", "expense", "purpos=x"}, "purpose"},
		{[]string{"set", id, "amount=lots"}, "Amount"},
		{[]string{"set", id, "currency=EURO"}, "EUR"},
		{[]string{"move", id, "submitt"}, "submit"},
		{[]string{"show", "nowhere"}, "nowhere"},
	} {
		r := phone.Try(c.args...)
		if r.Code != 1 && r.Code != 2 {
			t.Errorf("%v: exit %d", c.args, r.Code)
		}
		contains(t, strings.Join(c.args, " "), r.Err, c.want)
	}
	same(t, "waiting", phone.Indicator().Waiting, 1)
	for _, c := range [][2]string{
		{"user add x --role employe", "employee"},
		{"queue show approvalls", "approvals"},
		{"record list expens", "expense"},
		{"record show EXP-9999", "EXP-9999"},
		{"device enrol --user ema", "emma"},
	} {
		r := w.Ada().Try(strings.Fields(c[0])...)
		if r.Code == 0 {
			t.Errorf("%s: exit 0", c[0])
		}
		contains(t, c[0], r.Err, c[1])
	}
}
