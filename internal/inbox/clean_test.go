package inbox

import (
	"errors"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

const day = 24 * time.Hour

// later puts the clock of the inbox on.
func later(in *Inbox, d time.Duration) time.Time {
	now := in.cfg.Clock().Add(d)
	in.cfg.Clock = func() time.Time { return now }
	return now
}

func cleaned(t *testing.T, in *Inbox, before time.Time) *wire.Cleaning {
	t.Helper()
	out, err := in.CleanOld(t.Context(), "w", before, "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func kept(t *testing.T, st store.Store, n int64) *store.Item {
	t.Helper()
	var it *store.Item
	if err := st.View(t.Context(), func(r store.Reader) (err error) {
		it, err = r.Item("w", landfall.Key{Replica: "phone", Incarnation: 1, N: n})
		return err
	}); err != nil || it == nil {
		t.Fatalf("item %d: %v", n, err)
	}
	return it
}

// Both are eight days old: only the completed one loses what it was sent with. It
// is still known by its number and its hash, and answered as it was.
func TestOnlyWhatIsCompletedIsCleaned(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {landfall.Administrator}})
	was := pushed(t, in, 1, "", creation(1, "one"), refusedCreation(2))
	before := kept(t, st, 1)
	now := later(in, 8*day)
	if got := cleaned(t, in, now.Add(-8*day)); got.Cleaned != 0 {
		t.Errorf("%d are cleaned that are not older", got.Cleaned)
	}
	if got := cleaned(t, in, now.Add(-8*day+1)); got.Cleaned != 1 || got.Next != "" {
		t.Errorf("%+v", got)
	}
	one, two := kept(t, st, 1), kept(t, st, 2)
	if len(one.Bytes) > 0 || len(one.History) > 0 || one.Cleaned == nil || !one.Cleaned.At.Equal(now) || !one.Cleaned.Ended.Equal(now.Add(-8*day)) {
		t.Errorf("what was completed keeps %+v", one)
	}
	if one.Hash != before.Hash || one.Receipt.Seq != before.Receipt.Seq || one.Receipt.Result != landfall.Applied || one.State != store.Completed || one.Record != before.Record {
		t.Errorf("what was completed is %+v, was %+v", one, before)
	}
	if string(two.Bytes) != refusedCreation(2) || len(two.History) == 0 || two.Cleaned != nil || len(two.Receipt.Messages) == 0 {
		t.Errorf("what has errors lost %+v", two)
	}
	if got := cleaned(t, in, now); got.Cleaned != 0 {
		t.Errorf("it is cleaned again: %+v", got)
	}
	again := pushed(t, in, 1, "", creation(1, "one"), refusedCreation(2))
	if a, b := again.Receipts[0], was.Receipts[0]; a.Result != b.Result || a.Seq != b.Seq || again.Forked || again.Next != was.Next {
		t.Errorf("the repetition is answered %+v, was %+v", again, was)
	}
	if forked := pushed(t, in, 1, "", creation(1, "another")); !forked.Forked {
		t.Errorf("another change of the same number: %+v", forked)
	}
	v, err := in.Item(t.Context(), "w", emmaHerself, "phone.1.1")
	if err != nil || v.CleanedAt == nil || v.EndedAt == nil || v.Sent != "" || v.Hash != "" {
		t.Errorf("it is shown as %+v, %v", v, err)
	}
}

// Cleaning goes step by step, tells first what it would do, and is told of.
func TestCleaningAtOnce(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {landfall.Administrator}})
	if err := st.Update(t.Context(), func(w store.Writer) (err error) {
		for n := range int64(cleanedAtOnce + 3) {
			err = errors.Join(err, w.PutItem("w", &store.Item{Key: landfall.Key{Replica: "old", Incarnation: 1, N: n + 1}, User: "emma", State: store.Completed, Bytes: []byte("{}"),
				History: []store.ItemEvent{{At: in.cfg.Clock(), State: store.Completed}}}))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	now := later(in, day)
	if _, err := in.Clean(t.Context(), "w", emmaHerself, now, "", false); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Errorf("who is no administrator cleans: %v", err)
	}
	if _, err := in.Clean(t.Context(), "w", emmaHerself, now, "", true); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Errorf("who is no administrator counts: %v", err)
	}
	if _, err := in.Land(t.Context(), "w", emmaHerself, "phone", nil); landfall.CodeOf(err) != landfall.CodeForbidden {
		t.Errorf("who is no administrator lands: %v", err)
	}
	for _, action := range []string{store.InboxClean, store.DeviceLand} {
		if tried := audits(t, st, action); len(tried) != 1 || tried[0].By != "emma" || tried[0].Outcome != store.AuditRefused {
			t.Errorf("%s: %+v", action, tried)
		}
	}
	for _, dry := range []bool{true, false} {
		total, steps := 0, 0
		for after := ""; ; {
			got, err := in.Clean(t.Context(), "w", adaHerself, now, after, dry)
			if err != nil {
				t.Fatal(err)
			}
			total, steps = total+got.Cleaned, steps+1
			if after = got.Next; after == "" {
				break
			}
		}
		if total != cleanedAtOnce+3 || steps != 2 {
			t.Errorf("dry %t: %d in %d steps", dry, total, steps)
		}
	}
	if err := st.View(t.Context(), func(r store.Reader) error {
		all, err := r.Audit("w", store.AuditFilter{Action: store.InboxClean}, store.Page{Limit: 9})
		if len(all) != 3 || all[0].By != "ada" || all[0].Detail["items"] != "3" {
			t.Errorf("%d entries: %+v", len(all), all)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// An issue that is taken up again has what was sent, whether its item was cleaned
// before or not; while it is open, its item stays as it is.
func TestReopenedAfterCleaning(t *testing.T) {
	in, st := stocked(t, 0)
	people(t, st, map[string][]string{"ada": {landfall.Administrator, "sync_admin", "employee"}})
	ada := landfall.Actor{User: "ada", Roles: []string{landfall.Administrator, "sync_admin"}}
	r := pushed(t, in, 1, "", refusedCreation(1), refusedCreation(2))
	issues := []string{r.Receipts[0].Issue, r.Receipts[1].Issue}
	reopen := func(id string) {
		t.Helper()
		if err := st.Update(t.Context(), func(w store.Writer) error {
			row, err := w.Issue("w", id)
			if err != nil {
				return err
			}
			row.Issue.State = landfall.IssueOpen
			return w.PutIssue("w", row)
		}); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range issues {
		if _, err := in.Resolve(t.Context(), "w", ada, id, wire.Resolve{Decision: core.Decision{Take: core.ServerSide}}); err != nil {
			t.Fatal(err)
		}
	}
	reopen(issues[1])
	if got := cleaned(t, in, later(in, 8*day)); got.Cleaned != 1 || got.Kept != 1 {
		t.Errorf("%+v", got)
	}
	if it := kept(t, st, 1); it.Cleaned == nil || it.Outcome == nil || it.Outcome.Settlement != landfall.SettledKept {
		t.Errorf("%+v", it)
	}
	reopen(issues[0])
	for _, id := range issues {
		done, err := in.Retry(t.Context(), "w", ada, wire.Retry{Issues: []string{id}})
		if err != nil || len(done.Items) != 1 || done.Items[0].Settled || done.Items[0].Kind != landfall.KindValidation {
			t.Errorf("retried: %+v %v", done, err)
		}
	}
	amount := landfall.Fields{"amount": landfall.Value(`"7"`)}
	if _, err := in.Resolve(t.Context(), "w", ada, issues[0], wire.Resolve{Decision: core.Decision{Take: core.DeviceSide, Set: amount}}); err != nil {
		t.Fatalf("decided again: %v", err)
	}
	if it := kept(t, st, 1); string(it.Bytes) != refusedCreation(1) || it.Cleaned != nil || it.State != store.Completed {
		t.Errorf("%+v", it)
	}
}
