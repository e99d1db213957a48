package auth

import (
	"fmt"
	"slices"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Who gets a right has what they sent tried again, in the same transaction; who
// loses one, or keeps what they had, does not.
func TestWhoGetsARightIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.add("emma", "employee")
	if err := w.store.Update(t.Context(), func(tx store.Writer) error {
		return tx.PutIssue(ws, &store.IssueRow{Issue: landfall.Issue{ID: "i", Number: 1, State: landfall.IssueOpen, Author: "emma"}})
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddTeam(t.Context(), ws, w.admin, wire.Team{Name: "north"}); err != nil {
		t.Fatal(err)
	}
	added := []store.Sweep{{Kind: store.SweepNames, Object: store.NamesTeam, Why: "a team was added"}} // there was no issue when the user was
	yes, no, title := true, false, "Emma"
	for _, c := range []struct {
		change wire.UserChange
		why    string
	}{
		{wire.UserChange{Title: &title}, ""},
		{wire.UserChange{Grant: []string{"employee"}}, ""},
		{wire.UserChange{Grant: []string{"manager"}}, "a role was granted"},
		{wire.UserChange{Revoke: []string{"manager"}}, ""},
		{wire.UserChange{Join: []string{"north"}}, "the user came into a team"},
		{wire.UserChange{Leave: []string{"north"}}, ""},
		{wire.UserChange{Disabled: &yes}, ""},
		{wire.UserChange{Disabled: &yes}, ""},
		{wire.UserChange{Disabled: &no}, "the account was enabled"},
	} {
		if _, err := w.ChangeUser(t.Context(), ws, w.admin, "", "emma", c.change); err != nil {
			t.Fatal(err)
		}
		var got []store.Sweep
		w.view(func(r store.Reader) (err error) {
			got, err = r.Sweeps(ws, 9)
			return err
		})
		want := added
		if c.why != "" {
			want = append(slices.Clone(added), store.Sweep{Kind: store.SweepUser, Object: "emma", Why: c.why})
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v: %v, want %v", c.change, got, want)
		}
		if err := w.store.Update(t.Context(), func(tx store.Writer) error {
			return tx.DeleteSweep(ws, store.Sweep{Kind: store.SweepUser, Object: "emma"})
		}); err != nil {
			t.Fatal(err)
		}
	}
}
