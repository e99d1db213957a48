package sealed

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

const passphrase = "korrekt horse"

func sealedText(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := seal(&b, passphrase, 10)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(file []byte, passphrase string) (string, error) {
	r, err := Open(bytes.NewReader(file), passphrase)
	if err != nil {
		return "", err
	}
	b, err := io.ReadAll(r)
	return string(b), err
}

// What was sealed is opened as it was, and shows nowhere in the file.
func TestSealed(t *testing.T) {
	text := strings.Repeat("what Emma entered; ", 10_000)
	file := sealedText(t, text)
	if bytes.Contains(file, []byte("Emma")) || !bytes.HasPrefix(file, []byte("age-encryption.org/v1")) {
		t.Error("the file is not encrypted")
	}
	if got, err := opened(file, passphrase); err != nil || got != text {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if _, err := Seal(io.Discard, "short"); landfall.CodeOf(err) != landfall.CodeInvalid {
		t.Error(err)
	}
}

// A wrong passphrase, and a file that is not whole or not as it was, say so.
func TestBrokenFiles(t *testing.T) {
	file := sealedText(t, strings.Repeat("x", 100_000))
	broken := map[string][]byte{
		"empty": nil, "text": []byte("hello"), "header alone": file[:60], "cut": file[:len(file)-1], "cut at a chunk": file[:len(file)-40_000],
		"more": append(bytes.Clone(file), 'x'),
	}
	for _, at := range []int{5, 100, 300, len(file) / 2, len(file) - 1} {
		b := bytes.Clone(file)
		b[at] ^= 1
		broken["changed at "+string(rune('0'+at%10))] = b
	}
	for name, b := range broken {
		if _, err := opened(b, passphrase); landfall.CodeOf(err) != landfall.CodeInvalid || !strings.Contains(err.Error(), "damaged") && !strings.Contains(err.Error(), "wrong") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := opened(file, "another horse"); err == nil || !strings.Contains(err.Error(), "passphrase is wrong") {
		t.Error(err)
	}
}
