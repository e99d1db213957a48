package stories

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

type backup struct {
	File       string `json:"file"`
	Workspaces map[string]struct {
		Epoch string `json:"epoch"`
		Seq   int64  `json:"seq"`
	} `json:"workspaces"`
}

// backup makes a backup while the server serves.
func (w *World) backup(name string) backup {
	w.t.Helper()
	var b backup
	w.Ada().JSON(&b, "backup", "--data", w.path("d"), w.path(name))
	return b
}

func (b backup) epoch(t *testing.T) (epoch string) {
	t.Helper()
	for _, ws := range b.Workspaces {
		epoch = ws.Epoch
	}
	if epoch == "" {
		t.Fatalf("a backup without an epoch: %+v", b)
	}
	return epoch
}

// The server goes back to a backup. What devices did since, and had receipts
// for, comes back or is an issue; a device that enrolled since comes back by
// signing in; one that was offline all the time goes on. Then it goes back to
// the same backup once more.
func TestRestoreToAnEarlierPoint(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	w.User("otto", "worker")
	phone, tablet := w.Device("phone", "emma", w.URL), w.Device("tablet", "otto", w.URL)
	first := phone.Do("create", "sheet", "title=First", "--quiet")
	phone.Do("sync")
	tablet.Do("sync")
	tablet.Do("network", "off")
	tablet.Do("set", first, "server=offline all the time")
	old := w.backup("b.db")

	phone.Do("set", first, "latest=after the backup")
	second := phone.Do("create", "sheet", "title=Second", "--quiet")
	taken := phone.Do("create", "sheet", "title=Taken back", "--quiet")
	phone.Do("sync", "--exit-code")
	phone.Do("delete", taken)
	phone.Do("sync", "--exit-code")
	late := w.Device("late", "emma", w.URL)
	late.Do("sync")
	third := late.Do("create", "sheet", "title=Third", "--quiet")
	late.Do("set", first, "review=from the late one")
	late.Do("sync", "--exit-code")
	unsent := late.Do("create", "sheet", "title=Unsent", "--quiet")

	for round := range 2 {
		w.Stop()
		w.must(w.exec("", "", "restore", "--data", w.path("d"), old.File))
		w.Start()
		if r := w.Ada().Try("record", "show", second); r.Code == 0 {
			t.Fatalf("the restored server has what came after the backup:\n%s", r.Out)
		}
		r := late.Try("sync")
		if r.Code == 0 {
			t.Fatal("a device that the server does not know was let in")
		}
		contains(t, "what its user hears", r.Err, "landfall field", "signin")
		w.must(w.exec("", password, append(late.args(nil), "signin", "--password-stdin")...))
		if round == 0 {
			tablet.Do("network", "on")
		}
		for _, d := range []*Device{late, tablet, phone, late, tablet, phone} {
			d.Do("sync", "--exit-code")
		}
		for _, d := range []*Device{late, phone} {
			same(t, d.Folder+": third", text(d.Show(third).Record, "title"), "Third")
			same(t, d.Folder+": indicator", d.Indicator(), indicator{State: "synced"})
		}
		for id, title := range map[string]string{first: "First", second: "Second", third: "Third", unsent: "Unsent"} {
			same(t, "title", text(w.Ada().Record(id), "title"), title)
		}
		r1 := w.Ada().Record(first)
		same(t, "changed by the phone", text(r1, "latest"), "after the backup")
		same(t, "changed by the tablet", text(r1, "server"), "offline all the time")
		same(t, "changed by the late one", text(r1, "review"), "from the late one")
		if r := w.Ada().Try("record", "show", taken); r.Code == 0 && w.Ada().Record(taken).Deleted == false {
			t.Errorf("what was deleted is back:\n%s", r.Out)
		}
		same(t, "issues", len(w.Ada().Issues()), 0)
	}
	if e := w.backup("c.db").epoch(t); e == old.epoch(t) {
		t.Error("the restored history has the old epoch")
	}
}

// What has no effect takes no place in the sequence. Answered right after a
// backup, it has the sequence that the backup ends with and is not in it: the
// device keeps it, and after a restore nothing is declared lost.
func TestNoEffectAfterTheBackup(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	w.User("otto", "worker")
	phone, tablet := w.Device("phone", "emma", w.URL), w.Device("tablet", "otto", w.URL)
	phone.Do("create", "sheet", "title=First", "--quiet")
	phone.Do("sync", "--exit-code")
	old := w.backup("b.db")
	phone.Do("revert", phone.Do("create", "sheet", "title=Mistake", "--quiet"))
	phone.Do("sync", "--exit-code")
	tablet.Do("create", "sheet", "title=Second", "--quiet")
	tablet.Do("sync", "--exit-code")
	phone.Do("sync", "--exit-code")
	w.Stop()
	w.must(w.exec("", "", "restore", "--data", w.path("d"), old.File))
	w.Start()
	for _, d := range []*Device{phone, tablet, phone} {
		d.Do("sync", "--exit-code")
		same(t, d.Folder+": indicator", d.Indicator(), indicator{State: "synced"})
	}
	same(t, "issues", len(w.Ada().Issues()), 0)
}

// Somebody puts an old copy of the folder in place, and tells nobody. The server
// finds out from the first device that knows more, begins a new epoch, and gets
// back what devices kept.
func TestCopiedFolder(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	w.User("otto", "worker")
	phone, tablet := w.Device("phone", "emma", w.URL), w.Device("tablet", "otto", w.URL)
	first := phone.Do("create", "sheet", "title=First", "--quiet")
	phone.Do("sync")
	tablet.Do("sync")
	epoch := w.backup("b.db").epoch(t)
	w.Stop()
	if err := os.CopyFS(w.path("copy"), os.DirFS(w.path("d"))); err != nil {
		t.Fatal(err)
	}
	w.Start()
	phone.Do("set", first, "latest=later")
	second := phone.Do("create", "sheet", "title=Second", "--quiet")
	phone.Do("sync", "--exit-code")
	w.Stop()
	for _, err := range []error{os.RemoveAll(w.path("d")), os.Rename(w.path("copy"), w.path("d"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.Start()
	// The new life of the old folder reaches the places that the phone knows otherwise.
	tablet.Do("set", first, "latest=meanwhile")
	for range 5 {
		tablet.Do("create", "sheet", "title=Other", "--quiet")
	}
	tablet.Do("sync")
	phone.Do("set", first, "server=offline")
	phone.Do("sync")
	tablet.Do("sync")
	phone.Do("sync", "--exit-code")
	same(t, "second", text(w.Ada().Record(second), "title"), "Second")
	same(t, "server", text(w.Ada().Record(first), "server"), "offline")
	same(t, "both devices show the same", text(phone.Show(first).Record, "latest"), text(tablet.Show(first).Record, "latest"))
	if e := w.backup("c.db").epoch(t); e == epoch {
		t.Error("history was lost, and no epoch began")
	}
}

// Backups that can't be made or restored change nothing, and say why.
func TestBackupRefused(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	b := w.backup("b.db")
	junk := w.path("junk.db")
	w.write("junk.db", "this is a letter")
	whole, err := os.ReadFile(b.File)
	if err != nil {
		t.Fatal(err)
	}
	w.write("half.db", string(whole[:len(whole)/2]))
	refused := func(want string, args ...string) {
		t.Helper()
		r := w.exec("", "", args...)
		if r.Code == 0 {
			t.Errorf("%v was done", args)
		}
		contains(t, args[0], r.Err, want)
	}
	refused("is there already", "backup", "--data", w.path("d"), b.File)
	refused("no database", "backup", "--data", w.path("nowhere"), w.path("x.db"))
	refused("in use", "restore", "--data", w.path("d"), b.File)
	w.Stop()
	before := sums(t, w.path("d"))
	refused("not a database", "restore", "--data", w.path("d"), junk)
	refused("damaged", "restore", "--data", w.path("d"), w.path("half.db"))
	refused("no backup", "restore", "--data", w.path("d"), w.path("nothing.db"))
	same(t, "the folder", sums(t, w.path("d")), before)
	if left, err := filepath.Glob(w.path("*.part")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	w.Start()
}

// sums are the sizes and contents of the files in a folder, in one string.
func sums(t *testing.T, dir string) (out string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out += f.Name() + ":" + fmt.Sprintf("%x", sha256.Sum256(b)) + "\n"
	}
	return out
}
