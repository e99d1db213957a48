package doctor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	zombie "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/doctor"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/store/sqlite"
)

// planted is something that goes wrong, and the checks that must tell of it: no
// more and no fewer.
type planted struct {
	name  string
	sql   string
	write func(store.Writer) error
	says  string // in an example of the first check
	found []string
}

// replaced changes the body of rows.
func replaced(table, where, old, with string) string {
	return "UPDATE " + table + " SET body = CAST(replace(CAST(body AS TEXT), '" + old + "', '" + with + "') AS BLOB) WHERE " + where
}

// edited puts a record back, changed, under the same audience.
func edited(id string, change func(*store.Row)) func(store.Writer) error {
	return func(w store.Writer) error {
		row, err := w.Row(ws, id)
		if err != nil {
			return err
		}
		change(row)
		return w.PutRecord(ws, row.Record, row.Keys)
	}
}

func itemEdited(n int64, change func(*store.Item)) func(store.Writer) error {
	return func(w store.Writer) error {
		it, err := w.Item(ws, landfall.Key{Replica: "phone", Incarnation: 1, N: n})
		if err != nil {
			return err
		}
		change(it)
		return w.PutItem(ws, it)
	}
}

func device(change func(*store.Replica)) func(store.Writer) error {
	return func(w store.Writer) error {
		r, err := w.Replica(ws, "phone")
		if err != nil {
			return err
		}
		change(r)
		return w.PutReplica(ws, r)
	}
}

// openIssue changes the issue that holds item 15.
func openIssue(change func(*store.IssueRow)) func(store.Writer) error {
	return func(w store.Writer) error {
		it, err := w.Item(ws, landfall.Key{Replica: "phone", Incarnation: 1, N: 15})
		if err != nil {
			return err
		}
		row, err := w.Issue(ws, it.Holder)
		if err != nil {
			return err
		}
		change(row)
		return w.PutIssue(ws, row)
	}
}

var plants = []planted{
	{name: "an item is gone", sql: "DELETE FROM items WHERE replica = 'phone' AND incarnation = 1 AND n = 4", says: "number 4 of incarnation 1 has no inbox item", found: []string{doctor.Numbers}},
	{name: "items are gone", sql: "DELETE FROM items WHERE replica = 'phone' AND incarnation = 1 AND n < 3", says: "numbers 1 to 2 of incarnation 1", found: []string{doctor.Numbers, doctor.Commits}},
	{name: "the newest item is gone", sql: "DELETE FROM items WHERE replica = 'phone' AND incarnation = 2 AND n = 3", says: "number 3 of incarnation 2", found: []string{doctor.Numbers}},
	{name: "an item of the desk is gone", sql: "DELETE FROM items WHERE replica = 'desk:mara' AND n = 2", says: "number 2", found: []string{doctor.Numbers, doctor.Commits}},
	{name: "the device stands lower", write: device(func(r *store.Replica) { r.Next = 2; r.LastHash = "" }), says: "takes it for not received", found: []string{doctor.Numbers}},
	{name: "the device stands elsewhere", write: device(func(r *store.Replica) { r.LastHash = strings.Repeat("0", 64) }), says: "its hash is another", found: []string{doctor.Numbers}},

	{name: "an applied item is in another state", write: itemEdited(1, func(i *store.Item) { i.State = store.Queued }), says: "says applied, but it is queued", found: []string{doctor.Items}},
	{name: "bytes that were not sent", write: itemEdited(4, func(i *store.Item) { i.Bytes = []byte(`{"n":4}`) }), says: "what was sent is not what its hash says", found: []string{doctor.Items}},
	{name: "bytes that are gone", write: itemEdited(4, func(i *store.Item) { i.Bytes = nil }), says: "what was sent is not there", found: []string{doctor.Items}},
	{name: "an item with errors was cleaned", write: itemEdited(15, func(i *store.Item) { i.Clean(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) }), says: "but it is completed-with-errors", found: []string{doctor.Items}},
	{name: "the receipt of another", write: itemEdited(3, func(i *store.Item) { i.Receipt.N = 7 }), says: "its receipt is of number 7", found: []string{doctor.Items}},
	{name: "no receipt", write: itemEdited(4, func(i *store.Item) { i.Receipt.Result = "" }), says: "no receipt", found: []string{doctor.Items}},
	{name: "a settled item without its outcome", write: itemEdited(8, func(i *store.Item) { i.Outcome = nil }), says: "no issue holds it", found: []string{doctor.Items, doctor.Commits}},
	{name: "an issue that nobody has", write: itemEdited(6, func(i *store.Item) { i.Receipt.Issue = "gone"; i.Holder = "gone" }), says: "its issue gone is not there", found: []string{doctor.Items, doctor.Issues}},
	{name: "judged in the future", write: itemEdited(3, func(i *store.Item) { i.Receipt.Seq = 9999 }), says: "beyond the end", found: []string{doctor.Items}},

	{name: "a change is gone", sql: "DELETE FROM changes WHERE id = '" + job(1) + "' AND seq = (SELECT max(seq) FROM changes WHERE id = '" + job(1) + "')", says: "has nothing of it there", found: []string{doctor.Commits, doctor.Fold}},
	{name: "a record is gone", sql: "DELETE FROM records WHERE id = '" + job(2) + "'", says: "the record is not there", found: []string{doctor.Commits}},
	{name: "a version without a change", write: edited(job(1), func(r *store.Row) { r.Record.Version++ }), says: "the last change of its history", found: []string{doctor.Commits}},
	{name: "an item that was applied elsewhere", write: itemEdited(1, func(i *store.Item) { i.Receipt.Seq = 3 }), says: "was applied at 3", found: []string{doctor.Commits}},
	{name: "a change of nobody", sql: replaced("changes", "id = '"+job(9)+"'", `"phone"`, `"tablet"`), says: "is not in the inbox", found: []string{doctor.Commits}},

	{name: "an issue holds nothing", write: itemEdited(15, func(i *store.Item) { i.Holder = "" }), says: "does not hold phone.1.15", found: []string{doctor.Issues, doctor.Items}},
	{name: "a resolved issue holds something", write: openIssue(func(r *store.IssueRow) { r.Issue.State = landfall.IssueResolved }), says: "still holds", found: []string{doctor.Issues}},
	{name: "an issue of other bytes", write: openIssue(func(r *store.IssueRow) { r.Sent[0] = []byte("{}") }), says: "what was sent is not", found: []string{doctor.Issues}},
	{name: "an issue in another queue than its record", write: openIssue(func(r *store.IssueRow) { r.Issue.Queue = "later" }), says: "says something else", found: []string{doctor.Issues}},
	{name: "an open lane", sql: "DELETE FROM lanes WHERE n = 16", says: "does not have it", found: []string{doctor.Issues}},
	{name: "an issue is gone", sql: "DELETE FROM issues WHERE state = 'open' AND author = 'emma' AND id = (SELECT holder FROM items WHERE incarnation = 1 AND n = 15)", says: "is not there", found: []string{doctor.Items}},

	{name: "other receivers", write: func(w store.Writer) error {
		r, err := w.Record(ws, job(1))
		return errors.Join(err, w.PutRecord(ws, r, []string{"all", "role:boss"}))
	}, says: "not what the definition makes of it", found: []string{doctor.Audience}},
	{name: "receivers of yesterday", write: func(w store.Writer) error {
		h, err := w.Head(ws)
		return errors.Join(err, w.Regroup(ws, job(1), []string{"role:boss", "user:emma"}, h.Seq))
	}, says: "not what the definition makes of it", found: []string{doctor.Audience}},
	{name: "a publication that no feed has", sql: "DELETE FROM feed WHERE id = '" + job(3) + "' AND key = 'role:worker'", says: "the feed of role:worker does not have it at", found: []string{doctor.Audience}},
	{name: "an issue that only its old queue receives", write: func(w store.Writer) error {
		it, err := w.Item(ws, landfall.Key{Replica: "phone", Incarnation: 1, N: 15})
		if err != nil {
			return err
		}
		return w.Regroup(ws, it.Holder, []string{"role:boss", "user:emma"}, 1<<40)
	}, says: "not what the definition makes of it", found: []string{doctor.Audience}},
	{name: "a feed without a change", sql: "DELETE FROM feed WHERE id = '" + job(1) + "' AND key = 'role:boss'", says: "the feed of role:boss", found: []string{doctor.Audience}},
	{name: "a list without a record", sql: "DELETE FROM members WHERE id = '" + job(1) + "' AND key = 'user:emma'", says: "not listed under user:emma", found: []string{doctor.Audience}},

	{name: "a value that no change made", write: edited(job(1), func(r *store.Row) { r.Record.Fields["note"] = landfall.Value(`"planted"`) }), says: "other values: note", found: []string{doctor.Fold}},
	{name: "a value too few", write: edited(job(1), func(r *store.Row) { delete(r.Record.Fields, "note") }), says: "other values: note", found: []string{doctor.Fold}},
	{name: "a chain that is broken", sql: replaced("changes", "id = '"+job(1)+"'", `"was":{"note":null}`, `"was":{"note":"x"}`), says: "does not begin where the one before ended: note", found: []string{doctor.Fold}},
	{name: "a status that no change made", write: edited(job(1), func(r *store.Row) { r.Record.Status = "open" }), says: `its status is "open"`, found: []string{doctor.Fold, doctor.Audience}},
	{name: "deleted by nobody", write: edited(job(1), func(r *store.Row) { r.Record.Deleted, r.Keys = true, nil }), says: "deleted is true", found: []string{doctor.Fold}},

	{name: "a move that is no transition", sql: replaced("changes", "id = '"+job(1)+"'", `"transition":"check"`, `"transition":"finish"`), says: `no transition "finish" leads from "open" to "checked"`, found: []string{doctor.Statuses}},
	{name: "a record that begins elsewhere", sql: replaced("changes", "id = '"+job(2)+"' AND seq = (SELECT min(seq) FROM changes WHERE id = '"+job(2)+"')", `"to":"open"`, `"to":"done"`), says: `it began in "done"`, found: []string{doctor.Statuses, doctor.Fold}},
	{name: "a move from elsewhere", sql: replaced("changes", "id = '"+job(3)+"'", `"from":"checked"`, `"from":"done"`), says: `is from "done", but it was in "checked"`, found: []string{doctor.Statuses}},
	{name: "an issue that was claimed when it was resolved", sql: replaced("changes", "CAST(body AS TEXT) LIKE '%\"reopen\"%' AND CAST(body AS TEXT) LIKE '%sync_issue%'", `"to":"open"`, `"to":"claimed"`), says: "an issue does not go from", found: []string{doctor.Statuses, doctor.Fold}},

	{name: "stamped with what it is not valid under", write: edited(job(1), func(r *store.Row) { r.Record.Definition = 2 }), says: "hours: it must be there", found: []string{doctor.Valid}},
	{name: "stamped with what was never published", write: edited(job(1), func(r *store.Row) { r.Record.Definition = 9 }), says: "never published", found: []string{doctor.Valid}},
	{name: "a check that fails", write: edited(job(9), func(r *store.Row) { r.Record.Fields["hours"] = landfall.Value(`"-2"`) }), says: "hours: its check fails", found: []string{doctor.Valid, doctor.Fold}},
	{name: "a value of no number", write: edited(job(9), func(r *store.Row) { r.Record.Fields["hours"] = landfall.Value(`true`) }), says: "hours: its value is none", found: []string{doctor.Valid, doctor.Fold}},
	{name: "a value in another form", write: edited(job(9), func(r *store.Row) { r.Record.Fields["hours"] = landfall.Value(`"2.0e0"`) }), says: "hours: its value is not written", found: []string{doctor.Valid, doctor.Fold}},
	{name: "a field of no definition", write: edited(job(9), func(r *store.Row) { r.Record.Fields["colour"] = landfall.Value(`"red"`) }), says: "colour: no version", found: []string{doctor.Valid, doctor.Fold}},
	{name: "a unique value that nobody holds", sql: "DELETE FROM uniques WHERE id = '" + job(1) + "'", says: "title: it is unique", found: []string{doctor.Valid}},
	{name: "a unique value that another holds", sql: "UPDATE uniques SET id = 'x' WHERE id = '" + job(1) + "'", says: "the record x has the same value", found: []string{doctor.Valid}},
	{name: "a definition that is gone", sql: "DELETE FROM definitions WHERE version = 1", says: "version 1 of the definition is not stored", found: []string{doctor.Valid}},
	{name: "a record that can't be read", sql: "UPDATE records SET body = CAST('{' AS BLOB) WHERE id = '" + job(1) + "'", says: "it can't be read", found: []string{doctor.Fold}},
}

// Everything that is planted is found, by the check that is for it, and by no
// other that has nothing to do with it.
func TestPlanted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "landfall.db")
	st := onSQLite(t, path)
	newWorld(t, st)
	if err := st.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range plants {
		t.Run(p.name, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "landfall.db")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(copied, b, 0o600); err != nil {
				t.Fatal(err)
			}
			p.plant(t, copied)
			in, err := sqlite.OpenForInspection(t.Context(), copied)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = in.Close() }() // it was only read
			report := examined(t, func(f func(store.Reader) error) error { return in.View(t.Context(), f) })
			var found []string
			for _, r := range report.Results {
				if r.Wrong > 0 {
					found = append(found, r.Check)
				}
				if r.Check == p.found[0] && !slices.ContainsFunc(r.Examples, func(f doctor.Finding) bool { return strings.Contains(f.What, p.says) }) {
					t.Errorf("%s does not say %q", r.Check, p.says)
				}
			}
			slices.Sort(found)
			want := slices.Sorted(slices.Values(p.found))
			if !slices.Equal(found, want) || report.Healthy {
				t.Errorf("found by %v, want %v\n%s", found, want, dump(report))
			}
		})
	}
}

func (p *planted) plant(t *testing.T, path string) {
	t.Helper()
	if p.write != nil {
		st := onSQLite(t, path)
		if err := errors.Join(st.Update(t.Context(), p.write), st.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if p.sql == "" {
		return
	}
	c, err := zombie.OpenConn(path, zombie.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	err = sqlitex.ExecuteTransient(c, p.sql, nil)
	changed := c.Changes()
	if err := errors.Join(err, c.Close()); err != nil || changed == 0 {
		t.Fatalf("%d rows were changed, %v", changed, err)
	}
}

// What was cleaned in order is healthy.
func TestCleanedItemsAreHealthy(t *testing.T) {
	st := onSQLite(t, filepath.Join(t.TempDir(), "landfall.db"))
	defer func() { _ = st.Close() }() // the test is over
	newWorld(t, st)
	if err := st.Update(t.Context(), func(w store.Writer) error {
		old, err := w.Aging(ws, time.Time{}, store.Page{Limit: 1000})
		if len(old.Rows) < 8 {
			t.Errorf("only %d items are completed", len(old.Rows))
		}
		for _, it := range old.Rows {
			it.Clean(time.Date(2026, 9, 1, 9, 0, 0, 0, time.UTC))
			err = errors.Join(err, w.PutItem(ws, it))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if report := examined(t, func(f func(store.Reader) error) error { return st.View(t.Context(), f) }); !report.Healthy {
		t.Errorf("found\n%s", dump(report))
	}
}

// An interrupted examination says nothing.
func TestInterrupted(t *testing.T) {
	st := onSQLite(t, filepath.Join(t.TempDir(), "landfall.db"))
	defer func() { _ = st.Close() }() // the test is over
	newWorld(t, st)
	ctx, cancel := context.WithCancel(t.Context())
	err := st.View(t.Context(), func(r store.Reader) error {
		report, err := doctor.Examine(ctx, r, doctor.Options{Progress: func(string, int64) { cancel() }})
		if report != nil {
			t.Error("there is a report")
		}
		return err
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
