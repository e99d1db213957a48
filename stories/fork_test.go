package stories

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/landfall-sync/landfall"
)

// A phone's folder is copied, and both go on. The server finds the second
// history at first contact; what it brought is an issue, and from then on the
// copy is a device with numbers of its own. Nothing of either is lost.
func TestCopiedDevice(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/sheets.yaml")
	w.User("emma", "worker")
	phone := w.Device("phone", "emma", w.URL)
	first := phone.Do("create", "sheet", "title=First", "--quiet")
	phone.Do("sync")
	copied := &Device{w: w, Folder: "copy"}
	if err := os.CopyFS(w.path("copy"), os.DirFS(w.path("phone"))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(w.path("copy"), "replica.db")); err != nil {
		t.Fatal(err)
	}
	phone.Do("set", first, "latest=from the phone")
	phone.Do("sync", "--exit-code")
	copied.Do("set", first, "server=from the copy")
	copied.Do("sync")
	issue := w.Ada().OneIssue(landfall.KindFork)
	contains(t, "the issue keeps what the copy sent", w.Ada().Do("issue", "show", issue.ID, "--json"), "from the copy")

	second := copied.Do("create", "sheet", "title=Second", "--quiet")
	copied.Do("sync")
	same(t, "the copy goes on", text(w.Ada().Record(second), "title"), "Second")
	same(t, "the phone's change", text(w.Ada().Record(first), "latest"), "from the phone")
	w.Ada().Do("issue", "resolve", issue.ID, "--take", "device")
	same(t, "the copy's change", text(w.Ada().Record(first), "server"), "from the copy")
	for _, d := range []*Device{copied, phone} {
		d.Do("sync", "--exit-code")
		same(t, d.Folder, text(d.Show(first).Record, "server"), "from the copy")
		same(t, d.Folder+": indicator", d.Indicator(), indicator{State: "synced"})
	}
}
