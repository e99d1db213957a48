package inbox

import (
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// invalid is a creation that is refused.
func invalid(n int64) string { return strings.Replace(creation(n, "one"), `"120"`, `"-1"`, 1) }

// people puts users who work for sync conflicts beside emma.
func staffOf(t *testing.T, st store.Store, users ...store.User) {
	t.Helper()
	err := st.Update(t.Context(), func(w store.Writer) error {
		for i := range users {
			if err := w.PutUser("w", &users[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A new issue goes where it is routed to when an enabled user works there, and
// else where issues go that no rule routes, to the administrators.
func TestNewIssuesAreAttended(t *testing.T) {
	for _, c := range []struct {
		name, queue, assignee, audience string
		user                            store.User
	}{
		{"a member", "sync-conflicts", "", "role:sync_admin user:emma", store.User{Name: "zoe", Roles: []string{"manager", "sync_admin"}}},
		{"a disabled member", landfall.FallbackQueue, "emma", "role:administrator user:emma", store.User{Name: "zoe", Roles: []string{"sync_admin"}, Disabled: true}},
		{"another role", landfall.FallbackQueue, "emma", "role:administrator user:emma", store.User{Name: "zoe", Roles: []string{"manager"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, st := stocked(t, 0)
			staffOf(t, st, c.user)
			id := pushed(t, in, 1, "", invalid(1)).Receipts[0].Issue
			err := st.View(t.Context(), func(r store.Reader) error {
				row, err := r.Issue("w", id)
				if err != nil {
					return err
				}
				keys, err := r.Audience("w", id)
				if row.Issue.Queue != c.queue || row.Issue.Assignee != c.assignee || strings.Join(keys, " ") != c.audience {
					t.Errorf("in %s for %q, %v receive it", row.Issue.Queue, row.Issue.Assignee, keys)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What waited and becomes an issue of its own is routed by who works there then.
func TestReleasedIssuesAreAttended(t *testing.T) {
	in, st := stocked(t, 0)
	staffOf(t, st, store.User{Name: "zoe", Roles: []string{"sync_admin"}}, store.User{Name: "ada", Roles: []string{landfall.Administrator}})
	waits := `{"n":2,"op":"update","type":"expense","id":"` + sheet + `1","set":{"purpose":"Rome"},"base":{"version":0,"after":1,"was":{"purpose":"one"}},"made_at":"2026-03-01T08:00:00Z"}`
	r := pushed(t, in, 1, "", invalid(1), waits)
	if !r.Receipts[1].Waiting {
		t.Fatalf("%+v", r.Receipts)
	}
	staffOf(t, st, store.User{Name: "zoe"})
	var moved string
	err := in.judge(t.Context(), "w", func(j *judging) error {
		row, err := j.w.Issue("w", r.Receipts[0].Issue)
		if err != nil {
			return err
		}
		l, err := j.lane(&row.Issue)
		if err != nil {
			return err
		}
		_, out, err := j.settle(row, landfall.Effects{}, l.own[:1], ending{settlement: landfall.SettledKept, decider: "ada"})
		if err == nil {
			moved = out[0].Issue
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	row := issueOf(t, st, moved)
	if row.Issue.Queue != landfall.FallbackQueue || row.Issue.Assignee != "emma" {
		t.Errorf("in %s for %q", row.Issue.Queue, row.Issue.Assignee)
	}
}

func issueOf(t *testing.T, st store.Store, id string) (row *store.IssueRow) {
	t.Helper()
	err := st.View(t.Context(), func(r store.Reader) (err error) {
		row, err = r.Issue("w", id)
		return err
	})
	if err != nil || row == nil {
		t.Fatalf("there is no issue %q: %v", id, err)
	}
	return row
}

// asked counts how often users are looked through.
type asked struct {
	store.Writer
	times int
}

func (a *asked) Users(ws string, p store.Page) ([]*store.User, error) {
	a.times++
	return a.Writer.Users(ws, p)
}

// Who works a queue is asked once a transaction, however many issues it opens.
func TestStaffIsAskedOnce(t *testing.T) {
	in, st := stocked(t, 0)
	staffOf(t, st, store.User{Name: "zoe", Roles: []string{"sync_admin"}})
	err := in.judge(t.Context(), "w", func(j *judging) error {
		a := &asked{Writer: j.w}
		j.w = a
		for range 3 {
			for _, queue := range []string{"sync-conflicts", "approvals", landfall.FallbackQueue} {
				if _, err := j.attended(&core.Refusal{Queue: queue}, "emma"); err != nil {
					return err
				}
			}
		}
		if a.times != 2 {
			t.Errorf("users were looked through %d times for two queues", a.times)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
