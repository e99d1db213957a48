package inbox

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

const imported = "3f0ee0ba-6c7e-5a6b-9d0e-00000000000"

// importing calls Import as the user and gives the answers as text.
func importing(t *testing.T, in *Inbox, user string, dry bool, rows ...string) []string {
	t.Helper()
	req := wire.Import{DryRun: dry}
	for i, text := range rows {
		row := wire.ImportRow{Line: i + 2}
		if err := json.Unmarshal([]byte(text), &row); err != nil {
			t.Fatal(err)
		}
		req.Rows = append(req.Rows, row)
	}
	done, err := in.Import(t.Context(), "w", landfall.Actor{User: user}, "expense", req)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for i, r := range done.Rows {
		if r.Line != i+2 {
			t.Errorf("row %d is said to be line %d", i, r.Line)
		}
		s := fmt.Sprint(r.Result, " ", r.Version)
		if r.Result == wire.ImportRefused {
			s = fmt.Sprint(r.Result, " ", r.Kind, " ", r.Messages[0].Code)
		}
		out = append(out, s)
	}
	return out
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestImport(t *testing.T) {
	in, st := stocked(t, 1) // of mara
	row := func(n int, set string) string { return fmt.Sprintf(`{"id":"%s%d",%s}`, imported, n, set) }
	file := []string{
		row(1, `"set":{"purpose":"Oslo","amount":"1.50"}`),
		row(2, `"set":{"purpose":"Bergen","amount":"-1"}`),
		row(3, `"set":{"purpose":"Rome","amount":2,"currency":null},"status":"draft"`),
		row(4, `"set":{"purpose":"Rome","amount":"2"},"status":"resolved-approved"`),
		`{"id":"7","set":{"purpose":"x","amount":"1"}}`,
		row(5, `"set":{"purpose":"x","amount":"1","colour":"red"}`),
		`{"id":"0198c3aa-0000-7000-8000-000000000000","set":{"purpose":"mine now"}}`,
	}
	refusals := map[int]string{1: "refused validation check", 3: "refused status-conflict other_status", 4: "refused malformed bad_id", 5: "refused validation unknown_field", 6: "refused not-available not_available"}
	answers := func(versions ...string) (out []string) {
		for i := range file {
			if r := refusals[i]; r != "" {
				out = append(out, r)
				continue
			}
			out, versions = append(out, versions[0]), versions[1:]
		}
		return out
	}
	expect(t, "a dry run", importing(t, in, "emma", true, file...), answers("applied 2", "applied 3")...)
	if n := headOf(t, st).Seq; n != 1 {
		t.Errorf("the dry run took %d places", n-1)
	}
	expect(t, "the import", importing(t, in, "emma", false, file...), answers("applied 2", "applied 3")...)
	expect(t, "again", importing(t, in, "emma", false, file...), answers("unchanged 2", "unchanged 3")...)
	expect(t, "one value is another", importing(t, in, "emma", false, row(1, `"set":{"purpose":"Oslo","amount":"3"}`)), "applied 4")
	rec, changes := stored(t, st, imported+"1")
	if len(changes) != 2 || len(changes[1].Set) != 1 || string(changes[1].Set["amount"]) != `"3"` || string(rec.Fields["currency"]) != `"EUR"` {
		t.Errorf("%+v of %+v", changes, rec)
	}
	rec, _ = stored(t, st, imported+"3")
	if _, has := rec.Fields["currency"]; has || rec.Status != "draft" {
		t.Errorf("null and what is not there are the same: %+v", rec)
	}
	expect(t, "made from an older version", importing(t, in, "emma", false,
		row(1, `"set":{"amount":"3"},"version":2`), row(1, `"set":{"amount":"5"},"version":2`), row(1, `"set":{"amount":"5"},"version":4`), row(1, `"set":{"amount":"6"},"status":"pending-approval"`)),
		"unchanged 4", "refused field-conflict changed_meanwhile", "applied 5", "refused status-conflict other_status")
	items, err := in.Items(t.Context(), "w", landfall.Actor{User: "emma"}, store.ItemFilter{Replica: "desk:emma"}, store.Page{Limit: 9})
	if err != nil || len(items.Items) != 4 {
		t.Errorf("%d items, %v", len(items.Items), err)
	}
	_, err = in.Import(t.Context(), "w", landfall.Actor{User: "emma"}, "expenses", wire.Import{})
	if landfall.CodeOf(err) != landfall.CodeInvalid || !strings.Contains(err.Error(), `did you mean "expense"`) {
		t.Error(err)
	}
}

// Emma creates what is another's, and may not see it afterwards. The same
// import again is unchanged all the same; anything else is not hers to know.
func TestImportOfWhatTheCreatorDoesNotSee(t *testing.T) {
	in, st := stocked(t, 0)
	err := st.Update(t.Context(), func(w store.Writer) error {
		return w.PutUser("w", &store.User{Name: "otto", Roles: []string{"employee"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	file := `{"id":"` + imported + `1","set":{"purpose":"Oslo","amount":"1","owner":"otto"}}`
	other := `{"id":"` + imported + `1","set":{"purpose":"Oslo","amount":"2","owner":"otto"}}`
	expect(t, "first", importing(t, in, "emma", false, file), "applied 1")
	expect(t, "again, and another", importing(t, in, "emma", false, file, other), "unchanged 1", "refused not-available not_available")
	expect(t, "as otto", importing(t, in, "otto", false, file, other), "unchanged 1", "applied 2")
	expect(t, "after otto changed it", importing(t, in, "emma", false, file, other), "unchanged 1", "refused not-available not_available")
}

func stored(t *testing.T, st store.Store, id string) (rec *landfall.Record, changes []landfall.Change) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) (err error) {
		if rec, err = r.Record("w", id); err != nil {
			return err
		}
		changes, err = r.Changes("w", id, 0)
		return err
	})
	if err != nil || rec == nil {
		t.Fatal(rec, err)
	}
	return rec, changes
}
