package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/storetest"
)

func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "db")) })
}

// Growth follows the work: no statement reads a table from end to end, and none
// sorts what it read.
func TestEveryPlanUsesAnIndex(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "db"))
	defer func() { _ = s.Close() }()               // only plans were read
	small := regexp.MustCompile(`^SCAN (heads)\b`) // one row a workspace
	seen := 0
	err := s.with(t.Context(), s.writer, func(c *sqlite.Conn) error {
		for _, sql := range statements {
			st, _, err := c.PrepareTransient("EXPLAIN QUERY PLAN " + sql)
			if err != nil {
				t.Errorf("%s: %v", sql, err)
				continue
			}
			for {
				row, err := st.Step()
				if err != nil {
					t.Errorf("%s: %v", sql, err)
				}
				if !row {
					break
				}
				seen++
				plan := st.ColumnText(3)
				if strings.HasPrefix(plan, "SCAN") && !small.MatchString(plan) || strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%s\n  %s", sql, plan)
				}
			}
			if err := st.Finalize(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || seen < 40 {
		t.Fatalf("%d plans read, %v", seen, err)
	}
}

func TestDurableSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	defer func() { _ = s.Close() }() // nothing was written
	err := s.with(t.Context(), s.writer, func(c *sqlite.Conn) error {
		sync, err := pragma(c, "synchronous")
		if err != nil || sync != 2 {
			t.Errorf("synchronous is %d, want FULL (2)", sync)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, path + "-wal", path + ".lock"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
}

func TestOneServerAFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	s := open(t, path)
	if _, err := Open(t.Context(), path, Options{}); landfall.CodeOf(errors.Unwrap(err)) != landfall.CodeConflict && landfall.CodeOf(err) != landfall.CodeConflict {
		t.Errorf("a second server: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
}

// A database of the layout before is brought up to date: what it has is found
// in the new ways, too.
func TestBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	script := schema + `INSERT INTO records (ws, id, version, number, queue, assignee, deleted, keys, gone_keys, edits, body)
		VALUES ('w', 'a', 3, '', '', '', 0, 'all', '{"role:x":2}', X'', CAST('{"type":"thing","id":"a","version":3,"fields":{}}' AS BLOB));
		INSERT INTO feed (ws, key, seq, id, type, gone) VALUES ('w', 'all', 3, 'a', 'thing', 0), ('w', 'role:x', 2, 'a', 'thing', 1);
		INSERT INTO replicas (ws, id, user, credential, body) VALUES
		('w', 'p', 'emma', 'c', CAST('{"ID":"p","User":"emma","Credential":"c","LastContact":"2026-03-01T09:20:00.5Z"}' AS BLOB)),
		('w', 'q', 'emma', 'd', CAST('{"ID":"q","User":"emma","Credential":"d","Blocked":true,"LastContact":"0001-01-01T00:00:00Z"}' AS BLOB)),
		('w', 'r', 'emma', '', CAST('{"ID":"r","User":"emma","LastContact":"2026-03-01T08:20:00Z"}' AS BLOB));
		PRAGMA application_id = 1279685494; PRAGMA user_version = 2;`
	if err := errors.Join(sqlitex.ExecuteScript(c, script, nil), c.Close()); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := s.Update(t.Context(), func(w store.Writer) error { return w.Regroup("w", "a", []string{"role:x"}, 4) }); err != nil {
		t.Fatal(err)
	}
	if err := s.View(t.Context(), func(r store.Reader) error {
		ids, err := r.RecordsOf("w", "thing", "", 9)
		row, err2 := r.Row("w", "a")
		feed, err3 := r.Feed("w", "role:x", store.Spot{}, 9, 9)
		if len(ids) != 1 || row.Places["role:x"] != 4 || row.Places["all"] != 4 || len(feed) != 1 || feed[0].Seq != 4 {
			t.Errorf("%v %+v %+v", ids, row, feed)
		}
		for filter, want := range map[store.ReplicaFilter]string{{State: store.Blocked}: "q", {State: store.Revoked}: "r", {ByContact: true}: "qrp"} {
			got := ""
			all, err := r.FindReplicas("w", filter, store.Page{Limit: 9})
			for _, d := range all {
				got += d.ID
			}
			if err != nil || got != want {
				t.Errorf("%+v finds %s: %v", filter, got, err)
			}
		}
		return errors.Join(err, err2, err3)
	}); err != nil {
		t.Fatal(err)
	}
}

// Items of the layouts before are found by what they were not looked up by then,
// and what was completed ages from when it was.
func TestItemsBroughtUpToDate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		t.Fatal(err)
	}
	row := func(n int, state, holder, body string) string {
		return fmt.Sprintf(`INSERT INTO items (ws, arrived, replica, incarnation, n, received, edited, state, user, record, holder, settled, hash, sent, body)
			VALUES ('w', %d, 'p', 1, %d, 1000, 1000, '%s', 'emma', 'r', '%s', 0, X'00', X'7b7d', CAST('%s' AS BLOB));`, n, n, state, holder, body)
	}
	script := schema + schema3 + row(1, "completed", "", `{"type":"thing","op":"update","receipt":{"n":1,"result":"applied"},"queued":true,"history":[{"at":"2026-03-01T09:00:01.1234567Z","state":"completed"}]}`) +
		row(2, "completed-with-errors", "i", `{"type":"thing","op":"create","receipt":{"n":2,"result":"issue","kind":"gone"},"history":[{"at":"2026-03-01T09:00:01Z","state":"completed-with-errors","text":"gone"}]}`) +
		row(3, "completed", "", `{"type":"other","op":"create","receipt":{"n":3,"result":"issue","waiting":true},"outcome":{"seq":9,"settlement":"kept"},"history":[{"at":"2026-03-01T09:00:01Z","state":"completed-with-errors","text":"fork"},{"at":"2026-03-01T09:00:00Z","state":"completed"}]}`) +
		row(4, "completed", "", `{"receipt":{"n":4}}`) +
		`PRAGMA application_id = 1279685494; PRAGMA user_version = 3;`
	if err := errors.Join(sqlitex.ExecuteScript(c, script, nil), c.Close()); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	defer func() { _ = s.Close() }() // it was only read
	numbers := func(f store.Found[store.Item]) (out string) {
		for _, it := range f.Rows {
			out += fmt.Sprint(it.Key.N, " ")
		}
		return out
	}
	if err := s.View(t.Context(), func(r store.Reader) error {
		for want, f := range map[string]store.ItemFilter{
			"2 1 ": {Type: "thing"}, "3 2 ": {Op: landfall.OpCreate}, "3 ": {Kind: landfall.KindFork}, "2 ": {Kind: landfall.KindGone}, "4 3 2 1 ": {Replica: "p"},
		} {
			got, err := r.Search("w", f, store.Scan[store.Item]{Page: store.Page{Limit: 9}, Most: 9})
			if err != nil || numbers(got) != want {
				t.Errorf("%+v: %s, %v", f, numbers(got), err)
			}
		}
		at := time.Date(2026, 3, 1, 9, 0, 1, 123456700, time.UTC)
		before, err := r.Aging("w", at, store.Page{Limit: 9})
		after, err2 := r.Aging("w", at.Add(1), store.Page{Limit: 9})
		if numbers(before) != "3 " || numbers(after) != "3 1 " {
			t.Errorf("aging: %q, then %q", numbers(before), numbers(after))
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Fatal(err)
	}
}

// A file that is not ours is refused, and stays as it is.
func TestForeignFiles(t *testing.T) {
	dir := t.TempDir()
	database := func(name, script string) string {
		path := filepath.Join(dir, name)
		c, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(sqlitex.ExecuteScript(c, script, nil), c.Close()); err != nil {
			t.Fatal(err)
		}
		return path
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is a letter, not a database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, path := range map[string]string{
		"not one of a Landfall server": database("foreign", "CREATE TABLE x (y); INSERT INTO x VALUES (1);"),
		"never released":               database("draft", "PRAGMA application_id = 1279685494; PRAGMA user_version = 1;"),
		"newer version":                database("newer", "PRAGMA application_id = 1279685494; PRAGMA user_version = 99;"),
		"not a database":               garbage,
	} {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(context.Background(), path, Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		after, err := os.ReadFile(path)
		if err != nil || string(before) != string(after) {
			t.Errorf("%s was touched (%v)", path, err)
		}
	}
}
