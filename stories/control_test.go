package stories

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/sqlite"
)

// device is what `landfall device show` tells.
type device struct {
	ID        string    `json:"id"`
	State     string    `json:"state"`
	Waiting   int       `json:"waiting"`
	Oldest    time.Time `json:"oldest"`
	Reported  time.Time `json:"reported"`
	Client    string    `json:"client"`
	ResyncDue bool      `json:"resync_due"`
	Ledger    struct {
		account
		Lines   []struct{ account }
		Forks   account
		Mishaps []struct {
			What        string
			Incarnation int64
			From, To    int64
		}
	} `json:"ledger"`
}

type account struct{ Made, Applied, Issue, Pending, Lost int64 }

func (s account) String() string {
	return fmt.Sprintf("%d = %d + %d + %d + %d", s.Made, s.Applied, s.Issue, s.Pending, s.Lost)
}

// DeviceRow is a device as the server sees it. Its account always adds up.
func (p *Person) DeviceRow(id string) device {
	p.w.t.Helper()
	var d device
	p.JSON(&d, "device", "show", id)
	s := d.Ledger.account
	if s.Made != s.Applied+s.Issue+s.Pending+s.Lost || min(s.Applied, s.Issue, s.Pending, s.Lost) < 0 {
		p.w.t.Errorf("the account of %s does not add up: %s", id, s)
	}
	return d
}

// unsent makes a phone of Emma's with a record that is there and changes that are
// not sent.
func unsent(t *testing.T, changes int) (w *World, proxy *Proxy, phone *Device, id string) {
	t.Helper()
	w = NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	proxy = NewProxy(w)
	phone = w.Device("phone", "emma", proxy.URL)
	id = phone.Do("create", "sheet", "title=First", "--quiet")
	phone.Do("sync")
	for i := range changes {
		phone.Do("set", id, fmt.Sprintf("latest=unsent %d", i+1))
	}
	return w, proxy, phone, id
}

// A blocked device hands in what it has: it becomes issues. Nothing but receipts
// goes back, not even of what it could see before.
func TestBlockedDevice(t *testing.T) {
	t.Parallel()
	w, proxy, phone, id := unsent(t, 3)
	ada := w.Ada()
	w.Person("bo", "boss").Do("record", "set", id, "latest=CANARY")
	out := ada.Do("device", "block", phone.Replica())
	contains(t, "what the administrator reads", out, "blocked", "becomes issues")
	ada.Do("device", "block", phone.Replica())
	same(t, "blocked", len(ada.entries("device.block")), 1)
	same(t, "by its user", phone.w.exec("bo", "", "device", "block", phone.Replica()).Code, 1)

	proxy.Hook(func(x *Exchange) {
		x.BeforeReply = func(reply []byte) {
			if b := unzip(t, reply); bytes.Contains(b, []byte("CANARY")) || bytes.Contains(b, []byte("unsent")) {
				t.Errorf("the reply to %s holds %s", x.Call, b)
			}
		}
	})
	r := phone.Try("sync")
	same(t, "exit", r.Code, 1)
	contains(t, "what the phone says", r.Err, "handed in 3", "receives nothing")
	proxy.Hook(nil)
	items := ada.Inbox("--user", "emma", "--state", "completed-with-errors")
	waits := ada.Inbox("--user", "emma", "--state", "queued")
	same(t, "in the inbox", len(items)+len(waits), 3)
	issue := ada.OneIssue(landfall.KindAuthorization)
	same(t, "code", issue.Messages[0].Code, "device_blocked")
	row := ada.DeviceRow(phone.Replica())
	same(t, "state", row.State, "blocked")
	same(t, "account", row.Ledger.String(), "4 = 1 + 3 + 0 + 0")
	contains(t, "blocked devices", ada.Do("device", "list", "--state", "blocked"), "phone", "nothing")
	same(t, "active devices", ada.Do("device", "list", "--state", "active", "--quiet"), "")

	ada.Do("issue", "assign", issue.ID, "user:bo", "--note", "Emma has left")
	contains(t, "reassigned", w.must(w.exec("bo", "", "worklist")), fmt.Sprint(issue.Number))
	ada.Do("device", "unblock", phone.Replica())
	ada.Do("issue", "assign", issue.ID, "queue:conflicts")
	same(t, "state", ada.DeviceRow(phone.Replica()).State, "active")
}

func (l device) String() string { return l.State }

func (p *Person) entries(action string) []string {
	p.w.t.Helper()
	var l list[struct{ Action, Object, By, Device string }]
	p.JSON(&l, "audit", "--action", action)
	var out []string
	for _, e := range l.Items {
		out = append(out, e.By+" "+e.Object)
	}
	return out
}

// A device that is retired delivers first, as usual, and is blocked then. Nothing
// new can be entered once it knows.
func TestRetiredDevice(t *testing.T) {
	t.Parallel()
	w, _, phone, id := unsent(t, 3)
	ada := w.Ada()
	ada.Do("device", "retire", phone.Replica())
	same(t, "state", ada.DeviceRow(phone.Replica()).State, "retiring")
	contains(t, "what the phone says", phone.Do("sync"), "Sent 3", "retired")
	same(t, "delivered", text(ada.Record(id), "latest"), "unsent 3")
	same(t, "issues", len(ada.Issues()), 0)
	row := ada.DeviceRow(phone.Replica())
	same(t, "state", row.State, "blocked")
	same(t, "account", row.Ledger.String(), "4 = 4 + 0 + 0 + 0")
	same(t, "audit", strings.Join(ada.entries("device.retired"), ","), " "+phone.Replica())
	r := phone.Try("set", id, "latest=more")
	same(t, "entering more", r.Code, 1)
	contains(t, "entering more", r.Err, "retired")
	r = phone.Try("sync")
	same(t, "later", r.Code, 1)
	contains(t, "later", r.Err, "retired", "logout")
	phone.Do("logout")
	ada.Do("device", "unblock", phone.Replica())
	same(t, "state", ada.DeviceRow(phone.Replica()).State, "active")
}

// Emma is disabled and her phone's credential is revoked while she is offline.
// What she did arrives, as issues; she gets receipts, and nothing else.
func TestDepositsOfRevoked(t *testing.T) {
	t.Parallel()
	w, proxy, phone, id := unsent(t, 2)
	tablet := w.Device("tablet", "emma", proxy.URL)
	tablet.Do("sync")
	tablet.Do("set", id, "server=by the tablet")
	ada := w.Ada()
	ada.Do("device", "revoke", phone.Replica())
	r := phone.Try("sync")
	contains(t, "what the phone says", r.Err, "handed in 2", "signin")
	ada.Do("user", "disable", "emma")
	proxy.Hook(func(x *Exchange) {
		x.BeforeReply = func(reply []byte) {
			if x.Call == "pull" && bytes.Contains(unzip(t, reply), []byte(`"record"`)) {
				t.Errorf("a record in the reply: %s", unzip(t, reply))
			}
		}
	})
	r = tablet.Try("sync")
	contains(t, "what the tablet says", r.Err, "handed in 1", "hand in what it has")
	var codes []string
	for _, i := range ada.Issues("--kind", "authorization") {
		codes = append(codes, i.Messages[0].Code)
	}
	same(t, "issues", strings.Join(codes, " "), "device_blocked user_disabled")
	same(t, "state", ada.DeviceRow(phone.Replica()).State, "revoked")
	same(t, "phone", phone.Indicator().Attention, 1)
	proxy.Hook(nil)
	ada.Do("user", "enable", "emma")
	code := ada.Do("device", "enrol", "--user", "emma", "--quiet")
	phone.Do("signin", "--code", code)
	same(t, "state", ada.DeviceRow(phone.Replica()).State, "active")
	for _, i := range ada.Issues("--kind", "authorization") {
		ada.Do("issue", "retry", i.ID)
	}
	phone.Do("sync", "--exit-code")
	same(t, "applied", text(ada.Record(id), "latest"), "unsent 2")
}

// found reports whether a text is in any byte of any file of a folder.
func found(t *testing.T, folder, what string) (in []string) {
	t.Helper()
	if err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(what)) {
			in = append(in, filepath.Base(path))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return in
}

// A device that is told to erase itself hands in what it has first, erases every
// byte, and says so, also when its first word is lost.
func TestWipedDevice(t *testing.T) {
	t.Parallel()
	w, proxy, phone, id := unsent(t, 2)
	ada := w.Ada()
	phone.Do("network", "off")
	replica := phone.Replica()
	contains(t, "what the administrator reads", ada.Do("device", "wipe", replica), "erases itself")
	phone.Do("set", id, "latest=CANARY-4711")
	phone.Try("sync")
	const entry = `"incarnation":1,"n":` // of the outbox
	same(t, "offline, it waits", len(found(t, w.path("phone"), entry)) > 0 && len(found(t, w.path("phone"), "First")) > 0, true)
	same(t, "state", ada.DeviceRow(replica).State, "wiping")
	phone.Do("network", "on")

	proxy.Hook(func(x *Exchange) { x.Drop = bytes.Contains(x.Body, []byte(`"wiped":true`)) })
	r := phone.Try("sync")
	same(t, "the word is lost", r.Code, 3)
	contains(t, "what the phone says", r.Err, "erased itself")
	same(t, "files that hold what was entered", fmt.Sprint(found(t, w.path("phone"), entry), found(t, w.path("phone"), "First")), "[] []")
	same(t, "state", ada.DeviceRow(replica).State, "wiping")
	proxy.Hook(nil)
	contains(t, "what the phone says", phone.Try("sync").Err, "erased itself", "handed in before")
	row := ada.DeviceRow(replica)
	same(t, "state", row.State, "wiped")
	same(t, "account", row.Ledger.String(), "4 = 1 + 3 + 0 + 0")
	same(t, "its word", strings.Join(ada.entries("device.wiped"), ","), " "+replica)
	issue := ada.OneIssue(landfall.KindAuthorization)
	contains(t, "what it handed in", ada.Do("issue", "show", issue.ID, "--json"), "CANARY-4711")
	contains(t, "nothing is left", phone.Try("list", "sheet").Err, "erased itself")
	again := ada.Do("device", "enrol", "--user", "emma", "--quiet")
	phone.Do("init", w.URL, "--code", again)
	phone.Do("sync")
	same(t, "a new device", text(phone.Show(id).Record, "title"), "First")
}

// A full sync is asked of a role. Each of its devices begins one, once, with its
// outbox as it was; one that is in the middle of a sync begins again.
func TestForcedResyncOfARole(t *testing.T) {
	t.Parallel()
	w, proxy, phone, id := unsent(t, 0)
	w.User("otto", "desk")
	other := w.Device("other", "otto", w.URL)
	other.Do("sync")
	for i := range 9 {
		phone.Do("create", "sheet", fmt.Sprintf("title=Sheet %d", i))
	}
	phone.Do("sync")
	phone.Do("set", id, "latest=waits")
	phone.Do("network", "off")
	ada := w.Ada()
	same(t, "no such role", ada.Try("device", "resync", "--role", "worke").Code, 1)
	ada.Do("device", "resync", "--role", "worker")
	same(t, "due", ada.DeviceRow(phone.Replica()).ResyncDue, true)
	same(t, "not of others", ada.DeviceRow(other.Replica()).ResyncDue, false)
	same(t, "waits", phone.Indicator().Waiting, 1)
	phone.Do("network", "on")
	full := 0
	proxy.Hook(func(x *Exchange) {
		if x.Call == "pull" {
			x.BeforeReply = func(reply []byte) {
				if beginsAgain(reply) {
					full++
				}
			}
		}
	})
	phone.Do("sync", "--page", "4")
	same(t, "full syncs", full, 1)
	same(t, "sent", text(ada.Record(id), "latest"), "waits")
	same(t, "due", ada.DeviceRow(phone.Replica()).ResyncDue, false)
	phone.Do("sync")
	same(t, "once", full, 1)

	// In the middle of the next one another is asked for.
	ada.Do("device", "resync", phone.Replica())
	phone.Do("set", id, "latest=waits again")
	asked := false
	proxy.Hook(func(x *Exchange) {
		if x.Call != "pull" {
			return
		}
		x.BeforeReply = func(reply []byte) {
			switch {
			case beginsAgain(reply):
				full++
			case full == 2 && !asked: // its first page
				asked = true
				ada.Do("device", "resync", "--all")
			}
		}
	})
	phone.Do("sync", "--page", "4")
	same(t, "begun again, once", full, 3)
	same(t, "sheets", len(strings.Fields(phone.Do("list", "sheet", "--quiet"))), 10)
	same(t, "indicator", phone.Indicator(), indicator{State: "synced"})
	other.Do("sync")
	same(t, "otto's is due no more", ada.DeviceRow(other.Replica()).ResyncDue, false)
}

// beginsAgain: the answer to a pull tells the device to begin a full sync.
func beginsAgain(reply []byte) bool {
	var r struct {
		Resync bool `json:"resync"`
	}
	return json.Unmarshal(reply, &r) == nil && r.Resync
}

// Signing out with unsent work is refused, unless it is taken along. An
// administrator lands it, twice, and the device turns up after all: everything is
// applied once.
func TestLogoutExportLand(t *testing.T) {
	t.Parallel()
	w, _, phone, id := unsent(t, 2)
	ada := w.Ada()
	for _, args := range [][]string{{"logout"}, {"logout", "--export", w.path("x.age"), "--discard"}} {
		r := phone.Try(args...)
		same(t, strings.Join(args, " "), r.Code, 1)
	}
	contains(t, "logout", phone.Try("logout").Err, "was not sent: 2", "--export", "--discard")
	if err := os.CopyFS(w.path("drawer"), os.DirFS(w.path("phone"))); err != nil {
		t.Fatal(err)
	}
	const pass = "a passphrase for the file\n"
	file := w.path("phone.age")
	contains(t, "logout", w.must(w.exec("", pass, phone.args([]string{"logout", "--export", file, "--passphrase-stdin"})...)), "2 changes")
	same(t, "the file is encrypted", len(found(t, file, "unsent")), 0)
	same(t, "it is for its owner alone", mode(t, file), fs.FileMode(0o600))
	contains(t, "nothing is on the phone", phone.Try("status").Err, "not enrolled")

	land := func(as, pass, file string) Result {
		return w.exec(as, pass, "queue", "land", file, "--passphrase-stdin")
	}
	w.Person("bo", "boss")
	contains(t, "not by everybody", land("bo", pass, file).Err, "administrator")
	contains(t, "a wrong passphrase", land("ada", "another one\n", file).Err, "passphrase is wrong")
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	w.write("cut.age", string(b[:len(b)-20]))
	contains(t, "a file that was cut", land("ada", pass, w.path("cut.age")).Err, "damaged")
	same(t, "nothing is stored", len(ada.Inbox("--user", "emma")), 1)

	for range 2 {
		contains(t, "landed", w.must(land("ada", pass, file)), "Emma", "applied")
	}
	same(t, "applied", text(ada.Record(id), "latest"), "unsent 2")
	items := ada.Inbox("--user", "emma")
	same(t, "once", len(items), 3)
	contains(t, "by whom", ada.Do("inbox", "show", items[0].ID), "landed from an export, by Ada", "by Emma")
	same(t, "audit", len(ada.entries("device.land")) > 0, true)

	drawer := &Device{w: w, Folder: "drawer", replica: items[0].Device}
	same(t, "the phone from the drawer", drawer.Indicator().Waiting, 2)
	drawer.Do("sync", "--exit-code")
	same(t, "it has its receipts", drawer.Indicator(), indicator{State: "synced"})
	same(t, "once", len(ada.Inbox("--user", "emma")), 3)
	row := ada.DeviceRow(drawer.Replica())
	same(t, "account", row.Ledger.String(), "3 = 3 + 0 + 0 + 0")
	same(t, "mishaps", len(row.Ledger.Mishaps), 0)

	// What is thrown away is declared lost.
	drawer.Do("set", id, "latest=never mind")
	contains(t, "discard", drawer.Do("logout", "--discard"), "1 change was thrown away", "lost")
	ada.OneIssue(landfall.KindLost)
	same(t, "account", ada.DeviceRow(row.ID).Ledger.String(), "4 = 3 + 0 + 0 + 1")
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	i, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return i.Mode().Perm()
}

// An export that waits for a server is no obstacle: what the device had exported
// and sends itself is landed as a repetition.
func TestExportWhileTheDeviceGoesOn(t *testing.T) {
	t.Parallel()
	w, _, phone, id := unsent(t, 2)
	const pass = "a passphrase for the file\n"
	w.must(w.exec("", pass, phone.args([]string{"export", "--out", w.path("one.age"), "--passphrase-stdin"})...))
	again := w.exec("", pass, phone.args([]string{"export", "--out", w.path("one.age"), "--passphrase-stdin"})...)
	contains(t, "never over another", again.Err, "there already")
	phone.Do("set", id, "latest=later")
	phone.Do("sync", "--exit-code")
	out := w.must(w.exec("ada", pass, "queue", "land", w.path("one.age"), "--passphrase-stdin"))
	contains(t, "landed", out, "applied")
	same(t, "the later one stays", text(w.Ada().Record(id), "latest"), "later")
	same(t, "items", len(w.Ada().Inbox("--user", "emma")), 4)
	same(t, "issues", len(w.Ada().Issues()), 0)
}

// report sends what a device tells of itself with a pull, and nothing else.
func (d *Device) report(told string) {
	t := d.w.t
	t.Helper()
	st, err := sqlite.Open(t.Context(), d.w.path(d.Folder))
	if err != nil {
		t.Fatal(err)
	}
	_, credential, err := client.Credential(t.Context(), st)
	if err = errors.Join(err, st.Close()); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.w.URL+"/v1/sync/pull", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+credential)
	req.Header.Set("Landfall-Device", told)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK || res.Body.Close() != nil {
		t.Fatalf("%v, %v", res, err)
	}
}

// Copies of a device, one that was put back, and one that lost everything are
// found at first contact, shown in the ledger, and what is lost is an issue.
func TestMishapsOfDevices(t *testing.T) {
	t.Parallel()
	w, _, phone, id := unsent(t, 0)
	ada := w.Ada()
	replica := phone.Replica()
	copied := &Device{w: w, Folder: "copy"}
	if err := os.CopyFS(w.path("copy"), os.DirFS(w.path("phone"))); err != nil {
		t.Fatal(err)
	}
	phone.Do("set", id, "latest=from the phone")
	phone.Do("sync", "--exit-code")
	same(t, "no mishap", len(ada.DeviceRow(replica).Ledger.Mishaps), 0)

	copied.Do("sync") // it only looks
	m := ada.DeviceRow(replica).Ledger.Mishaps
	if len(m) != 1 || m[0].What != "restored" || m[0].From != 2 || m[0].To != 2 {
		t.Errorf("an old copy at its first contact: %+v", m)
	}
	copied.Do("set", id, "server=from the copy")
	copied.Do("sync")
	ada.OneIssue(landfall.KindFork)
	row := ada.DeviceRow(replica)
	if m := row.Ledger.Mishaps; len(m) != 2 || m[1].What != "fork" || m[1].Incarnation != 1 || m[1].From != 2 {
		t.Errorf("a copy that sends: %+v", m)
	}
	same(t, "account", row.Ledger.String(), "3 = 2 + 1 + 0 + 0")
	same(t, "forks", row.Ledger.Forks.String(), "1 = 0 + 1 + 0 + 0")
	contains(t, "in words", ada.Do("device", "show", replica), "fork:", "restored:", "3 = applied or decided 2")

	// The copy goes on as the device. It reports three, sends one, and its storage
	// is evicted.
	for i := range 3 {
		copied.Do("create", "sheet", fmt.Sprintf("title=Sheet %d", i))
	}
	copied.report(`{"clock":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","incarnation":2,"made":3,"waiting":3,"oldest":"` + time.Now().UTC().Format(time.RFC3339Nano) + `"}`)
	row = ada.DeviceRow(replica)
	same(t, "waiting", row.Waiting, 3)
	same(t, "since when is known", row.Oldest.IsZero(), false)
	contains(t, "in words", ada.Do("device", "show", replica), "3, the oldest since", "last heard just now")
	same(t, "account", row.Ledger.String(), "6 = 2 + 1 + 3 + 0")
	code := ada.Do("device", "enrol", "--user", "emma", "--quiet")
	fresh := &Device{w: w, Folder: "fresh"}
	fresh.Do("init", w.URL, "--code", code, "--id", replica)
	lost := ada.OneIssue(landfall.KindLost, "--kind", "lost")
	contains(t, "the issue", lost.Messages[0].Text, "3 changes that the device reported on", "never arrived")
	row = ada.DeviceRow(replica)
	same(t, "account", row.Ledger.String(), "6 = 2 + 1 + 0 + 3")
	if m := row.Ledger.Mishaps; len(m) != 3 || m[2].What != "evicted" || m[2].To-m[2].From != 2 {
		t.Errorf("%+v", m)
	}
	next := fresh.Do("create", "sheet", "title=Goes on", "--quiet")
	fresh.Do("sync", "--exit-code")
	same(t, "it goes on", text(ada.Record(next), "title"), "Goes on")
	same(t, "account", ada.DeviceRow(replica).Ledger.String(), "7 = 3 + 1 + 0 + 3")
	ada.Do("issue", "resolve", lost.ID, "--take", "server", "--note", "Emma entered them again")
	same(t, "lost stays lost", ada.DeviceRow(replica).Ledger.String(), "7 = 3 + 1 + 0 + 3")
}
