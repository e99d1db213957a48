package sqlite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// filled makes a database with many records, closed in order.
func filled(t *testing.T) (path string, ids []string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	err := s.Update(t.Context(), func(w store.Writer) error {
		if err := w.CreateWorkspace("w", store.Head{Epoch: "e"}); err != nil {
			return err
		}
		for i := range 500 {
			id := fmt.Sprintf("record-%04d", i)
			r := &landfall.Record{ID: id, Type: "sheet", Version: int64(i + 1), Fields: landfall.Fields{"note": landfall.Value(`"` + strings.Repeat("x", 300) + `"`)}}
			if err := w.PutRecord("w", r, []string{"all"}); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path, ids
}

// spoil makes noise of the second half of the file.
func spoil(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := len(b) / 2; i < len(b); i++ {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// refused opens a damaged database twice, in vain, and expects all files as they were.
func refused(t *testing.T, path string) {
	t.Helper()
	before := contents(t, path)
	for range 2 {
		_, err := Open(t.Context(), path, Options{})
		if landfall.CodeOf(err) != landfall.CodeInvalid || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "landfall doctor") {
			t.Errorf("opened: %v", err)
		}
		if contents(t, path) != before {
			t.Error("it was touched")
		}
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %d\n%s\n", f, len(b), b)
	}
	return all.String()
}

// After an end that was not in order all pages are read before the first write.
func TestDamageAfterUncleanEnd(t *testing.T) {
	path, _ := filled(t)
	spoil(t, path)
	if err := os.WriteFile(path+".lock", []byte(inUse), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, path)
}

// Damage that came after an end in order is found when the page is read: from
// then on nothing is stored, and the next start refuses.
func TestDamageFoundLate(t *testing.T) {
	path, ids := filled(t)
	spoil(t, path)
	s := open(t, path)
	put := func() error {
		return s.Update(t.Context(), func(w store.Writer) error { return w.SetCounter("w", "s", 1) })
	}
	err := s.View(t.Context(), func(r store.Reader) error {
		for _, id := range ids {
			if _, err := r.Record("w", id); err != nil {
				return err
			}
		}
		return nil
	})
	if landfall.CodeOf(err) != landfall.CodeUnavailable || !strings.Contains(err.Error(), "malformed") {
		t.Fatalf("reading a damaged page: %v", err)
	}
	if err := put(); landfall.CodeOf(err) != landfall.CodeUnavailable || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("writing to a damaged database: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, path)
}

// A log that was left behind is read, and stays as it is when the file is
// refused for another reason: here, a newer version.
func TestRefusedWithLog(t *testing.T) {
	path, _ := filled(t)
	s := open(t, path)
	err := s.Update(t.Context(), func(store.Writer) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	c := <-s.writer
	if err := (&tx{c: c, s: s}).exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	s.writer <- c
	left := t.TempDir() // as a process leaves it that is killed
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		b, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(left, "db"+suffix), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(left, "db")
	before := contents(t, path)
	if _, err := Open(t.Context(), path, Options{}); landfall.CodeOf(err) != landfall.CodeInvalid || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("opened: %v", err)
	}
	if contents(t, path) != before {
		t.Error("it was touched")
	}
}

// A log that ends with its header, or in the middle of it, holds nothing; so a
// process leaves it that is killed when it begins one.
func TestLogThatJustBegan(t *testing.T) {
	path, ids := filled(t)
	header := append([]byte{0x37, 0x7f, 0x06, 0x82, 0, 0x2d, 0xe2, 0x18, 0, 0, 0x10, 0}, make([]byte, 20)...)
	for name, log := range map[string][]byte{"empty": {}, "half of a header": header[:16], "a header": header, "no header": bytes.Repeat([]byte{7}, 5000)} {
		for file, b := range map[string][]byte{"-wal": log, "-shm": make([]byte, 32768), ".lock": []byte(inUse)} {
			if err := os.WriteFile(path+file, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := open(t, path)
		err := s.View(t.Context(), func(r store.Reader) error {
			rec, err := r.Record("w", ids[7])
			if err == nil && rec == nil {
				t.Errorf("%s: a record is gone", name)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !s.Unclean() {
			t.Errorf("%s: it is not known that the end was not in order", name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// The power went while the file got its first page: a piece of that is there,
// and the journal, which says that there was none. It is a new file.
func TestFileThatJustBegan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	journal := make([]byte, 512)
	copy(journal, []byte{0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7})
	journal[22], journal[26] = 2, 16 // the sizes of a sector and of a page
	for file, b := range map[string][]byte{"": bytes.Repeat([]byte{7}, 4096), "-journal": journal, ".lock": []byte(inUse)} {
		if err := os.WriteFile(path+file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := OpenForInspection(t.Context(), path); landfall.CodeOf(err) != landfall.CodeNotFound {
		t.Errorf("inspected: %v", err)
	}
	s := open(t, path)
	if err := s.Update(t.Context(), func(w store.Writer) error { return w.CreateWorkspace("w", store.Head{Epoch: "e"}) }); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
