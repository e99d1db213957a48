package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall/internal/doctor"
)

// The exit code and what is printed: nothing there, healthy, and wrong.
func TestDoctor(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	expect := func(code int, wants []string, args ...string) string {
		t.Helper()
		got, out, errs := program(t, "", append([]string{"doctor", "--data", dir}, args...)...)
		if got != code {
			t.Errorf("%v: exit %d, want %d\n%s%s", args, got, code, out, errs)
		}
		for _, want := range wants {
			if !strings.Contains(out+errs, want) {
				t.Errorf("%v: no %q in\n%s%s", args, want, out, errs)
			}
		}
		return out
	}
	expect(2, []string{"there is no database", "--data"})
	if code, _, errs := program(t, "a-long-password\n", "init", "--data", dir, "--app", "../../examples/expenses/app.yaml", "--admin", "ada", "--password-stdin"); code != 0 {
		t.Fatal(errs)
	}
	expect(0, []string{"ok     1 file is sound\n", "ok     0 records fold from their changes\n"})
	if out := expect(0, nil, "--quiet"); out != "" {
		t.Errorf("quiet: %q", out)
	}

	c, err := sqlite.OpenConn(filepath.Join(dir, "landfall.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	// A dozen records that nobody made.
	err = sqlitex.ExecuteScript(c, `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 21)
		INSERT INTO records (ws, id, version, number, queue, assignee, deleted, keys, places, edits, body)
		SELECT (SELECT ws FROM heads), 'r' || i, 1, '', '', '', 0, '', '', X'', CAST('{"type":"expense","id":"r' || i || '","version":1,"status":"draft","definition":1,"fields":{}}' AS BLOB) FROM n`, nil)
	if err := errors.Join(err, c.Close()); err != nil {
		t.Fatal(err)
	}
	out := expect(1, []string{"WRONG  fold: 12 of 12 records do not fold", "record r10: it has no history", "and 2 more", "next: ", "docs/doctor.md", "WRONG  valid: 24 "})
	if strings.Contains(out, "r20") {
		t.Errorf("more than ten examples:\n%s", out)
	}
	if out := expect(1, nil, "--quiet"); out != "commits\naudience\nfold\nvalid\n" {
		t.Errorf("quiet: %q", out)
	}
	var r doctor.Report
	if err := json.Unmarshal([]byte(expect(1, nil, "--json")), &r); err != nil || r.Healthy || len(r.Results) != 9 || r.Results[0].Check != doctor.File {
		t.Errorf("%+v %v", r, err)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -100: "-100"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
