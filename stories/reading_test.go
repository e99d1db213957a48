package stories

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

// A technician's phone never holds the fee. Made a lead, he pulls and has it; when
// that is taken away again, it leaves the phone.
func TestWhatARoleMayNotReadNeverArrives(t *testing.T) {
	t.Parallel()
	w := NewWorld(t, "testdata/visits.yaml")
	lena := w.Person("lena", "lead")
	tom := w.Person("tom", "technician")
	phone := w.Device("phone", "tom", w.URL)
	id := lena.Do("record", "create", "visit", "title=Roof", "fee=731.64", "secret=zqcanary", "--quiet")
	lena.Do("record", "set", id, "secret=zqcanary again")

	hidden := func(r *landfall.Record, title string) {
		t.Helper()
		same(t, "title", text(r, "title"), title)
		same(t, "fee", text(r, "fee"), "")
		same(t, "secret", text(r, "secret"), "")
	}
	phone.Do("sync", "--exit-code")
	hidden(phone.Show(id).Record, "Roof")
	phone.Do("set", id, "title=The roof") // the fee that it lacks is no fault of his
	phone.Do("sync", "--exit-code")
	hidden(phone.Show(id).Record, "The roof")
	hidden(tom.Record(id), "The roof")
	for _, said := range []string{tom.Do("record", "history", id), tom.Do("record", "list", "visit"), tom.Do("export", "visit"), tom.Do("inbox", "list")} {
		if strings.Contains(said, "zqcanary") || strings.Contains(said, "731.64") || strings.Contains(said, "fee") {
			t.Errorf("he is told %s", said)
		}
	}
	w.nowhere("phone", "zqcanary", "731.64")

	w.Ada().Do("user", "grant", "tom", "lead")
	phone.Do("set", id, "title=His roof")
	phone.Do("sync", "--exit-code")
	r := phone.Show(id).Record
	same(t, "fee of a lead", text(r, "fee"), "731.64")
	same(t, "secret of a lead", text(r, "secret"), "zqcanary again")
	same(t, "title", text(r, "title"), "His roof")

	phone.Do("network", "off")
	phone.Do("set", id, "fee=800")
	w.Ada().Do("user", "revoke", "tom", "lead")
	lena.Do("record", "set", id, "secret=zqsecond")
	phone.Do("network", "on")
	phone.Do("sync", "--exit-code")
	hidden(phone.Show(id).Record, "His roof")
	w.nowhere("phone", "zqsecond")
	same(t, "what he entered meanwhile", text(lena.Record(id), "fee"), "800")
}

// nowhere: no file of a device holds any of the texts.
func (w *World) nowhere(device string, texts ...string) {
	w.t.Helper()
	files := 0
	err := filepath.WalkDir(w.path(device), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for _, text := range texts {
			if bytes.Contains(b, []byte(text)) {
				w.t.Errorf("%s holds %s", path, text)
			}
		}
		return nil
	})
	if err != nil || files == 0 {
		w.t.Fatalf("%d files, %v", files, err)
	}
}
