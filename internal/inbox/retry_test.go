package inbox

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What takes back another change, or stands for one that is lost, has nothing
// to be tried again. Its issue stays what it is, and those that are retried with
// it are. What is void has its verdict: it has no effect.
func TestRetryOfWhatHasNoVerdict(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {landfall.Administrator, "sync_admin"}})
	made := `,"made_at":"2026-03-01T08:00:00Z"}`
	pushed(t, in, 1, "", creation(1, "one"), creation(2, "two"), creation(3, "three"), creation(4, "four"), `{"n":5,"op":"lost"`+made)
	r := pushed(t, in, 1, "", // of a copy of the device
		strings.Replace(creation(1, "real"), sheet+"1", sheet+"9", 1), `{"n":2,"op":"withdraw","issue":"i1"`+made, `{"n":3,"op":"void"`+made, `{"n":4,"op":"lost"`+made)
	if got := strings.Join(results(r), ", "); got != "issue fork, issue fork, issue fork, issue fork" {
		t.Fatal(got)
	}
	all, err := in.Retry(t.Context(), "w", landfall.Actor{User: "ada"}, wire.Retry{All: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range all.Items {
		got = append(got, fmt.Sprint(one.Number, " ", one.Settled, " ", one.Kind, " ", len(one.Messages)))
	}
	if want := "5 false fork 1, 4 true  0, 3 false fork 1, 2 true  0, 1 false lost 1"; strings.Join(got, ", ") != want {
		t.Errorf("retried: %s\nwant:    %s", strings.Join(got, ", "), want)
	}
	if err := st.View(t.Context(), func(tx store.Reader) error {
		for _, rc := range []landfall.Receipt{r.Receipts[1], r.Receipts[3]} {
			row, err := tx.Issue("w", rc.Issue)
			if err != nil {
				return err
			}
			if i := row.Issue; !i.Open() || i.Kind != landfall.KindFork || i.Attempts != 2 || fmt.Sprint(i.Messages) != fmt.Sprint(rc.Messages) {
				t.Errorf("change %d: %+v", rc.N, i)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	// Alone it is no trouble either.
	one, err := in.Retry(t.Context(), "w", landfall.Actor{User: "ada"}, wire.Retry{Issues: []string{r.Receipts[1].Issue}})
	if err != nil || one.Items[0].Settled || one.Items[0].Kind != landfall.KindFork {
		t.Errorf("%+v %v", one, err)
	}
}

// What took effect takes effect once, whatever was decided since.
func TestTakesEffectOnceWhateverIsDecidedSince(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {landfall.Administrator, "sync_admin", "employee"}})
	ada := landfall.Actor{User: "ada"}
	id := pushed(t, in, 1, "", refusedCreation(1)).Receipts[0].Issue
	amount := landfall.Fields{"amount": landfall.Value(`"7"`)}
	for n, d := range []core.Decision{{Take: core.DeviceSide, Set: amount}, {Take: core.ServerSide}} {
		if _, err := in.Resolve(t.Context(), "w", ada, id, wire.Resolve{Decision: d}); err != nil {
			t.Fatal(n, err)
		}
		err := st.Update(t.Context(), func(w store.Writer) error {
			row, err := w.Issue("w", id)
			if err != nil {
				return err
			}
			row.Issue.State = landfall.IssueOpen
			return w.PutIssue("w", row)
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = in.Retry(t.Context(), "w", ada, wire.Retry{Issues: []string{id}})
		if landfall.CodeOf(err) != landfall.CodeConflict || !strings.Contains(err.Error(), "takes effect once") {
			t.Errorf("after decision %d: %v", n+1, err)
		}
	}
}
