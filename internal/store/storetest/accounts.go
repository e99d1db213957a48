package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

func accounts(t *testing.T, b *bench) {
	emma := &store.User{Name: "emma", Title: "Emma", Password: "hash", Roles: []string{"a"}, Teams: []string{"t"}, Created: at(1)}
	b.update(func(w store.Writer) error {
		return errors.Join(w.PutUser("w", emma), w.PutUser("w", &store.User{Name: "ada"}), w.PutUser("w", &store.User{Name: "zoe"}),
			w.PutTeam("w", store.Team{Name: "south"}), w.PutTeam("w", store.Team{Name: "north", Title: "North"}), w.PutTeam("w", store.Team{Name: "south", Title: "South"}))
	})
	emma.Roles[0] = "changed by the caller"
	b.view(func(r store.Reader) error {
		got, err := r.User("w", "emma")
		same(t, "user", got, &store.User{Name: "emma", Title: "Emma", Password: "hash", Roles: []string{"a"}, Teams: []string{"t"}, Created: at(1)})
		page, err2 := r.Users("w", store.Page{After: "ada", Limit: 1})
		same(t, "page", []any{len(page), page[0].Name}, []any{1, "emma"})
		teams, err3 := r.Teams("w")
		same(t, "teams", teams, []store.Team{{Name: "north", Title: "North"}, {Name: "south", Title: "South"}})
		none, err4 := r.User("w", "nobody")
		same(t, "none", none == nil, true)
		return errors.Join(err, err2, err3, err4)
	})
}

// staff: who works a queue is found however many users there are, and nobody who
// is disabled or left out.
func staff(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		err := errors.Join(w.PutUser("w", &store.User{Name: "zoe", Roles: []string{"b", "a"}}), w.PutUser("w", &store.User{Name: "max", Roles: []string{"c"}, Disabled: true}),
			w.PutIssue("w", &store.IssueRow{Issue: landfall.Issue{ID: "i1", Number: 1, State: landfall.IssueClaimed, Queue: "q"}}),
			w.PutIssue("w", &store.IssueRow{Issue: landfall.Issue{ID: "i2", Number: 2, State: landfall.IssueResolved, Queue: "done"}}))
		for i := range 250 {
			err = errors.Join(err, w.PutUser("w", &store.User{Name: fmt.Sprintf("u%03d", i), Roles: []string{"d"}}))
		}
		return err
	})
	b.view(func(r store.Reader) error {
		var errs error
		for _, c := range []struct {
			roles, except string
			staffed       bool
		}{{"a", "", true}, {"a", "zoe", false}, {"x a", "u001", true}, {"c", "", false}, {"d", "u000", true}, {"", "", false}} {
			roles := strings.Fields(c.roles)
			ok, err := store.Staffed(r, "w", roles, c.except)
			same(t, "staff "+c.roles+" but "+c.except, ok, c.staffed)
			waits, err2 := store.Unattended(r, "w", "q", roles, c.except)
			same(t, "unattended "+c.roles+" but "+c.except, waits, !c.staffed)
			settled, err3 := store.Unattended(r, "w", "done", roles, c.except)
			same(t, "nothing waits", settled, false)
			errs = errors.Join(errs, err, err2, err3)
		}
		n, last := 0, ""
		err := store.EachUser(r, "w", func(u *store.User) bool { n, last = n+1, u.Name; return u.Name != "u150" })
		same(t, "users until told to stop", []any{n, last}, []any{152, "u150"})
		return errors.Join(errs, err)
	})
}

func credentials(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		return errors.Join(
			w.PutSession("w", &store.Session{Token: "s1", User: "emma", Created: at(1), Expires: at(2)}), w.PutSession("other", &store.Session{Token: "s2", User: "otto"}),
			w.PutCode("w", &store.Code{Hash: "c1", User: "emma", Name: "phone", Expires: at(3)}),
			w.PutReplica("w", &store.Replica{ID: "p", User: "emma", Credential: "k1", Incarnation: 1, Next: 5, LastHash: "h", Enrolled: at(1), Skew: 7}),
			w.PutReplica("w", &store.Replica{ID: "q", User: "mara", Credential: ""}), w.PutReplica("other", &store.Replica{ID: "p", User: "otto", Credential: "k2"}))
	})
	b.view(func(r store.Reader) error {
		ws, s, err := r.Session("s2")
		same(t, "a session names its workspace", []any{ws, s.User}, []any{"other", "otto"})
		ws, c, err2 := r.Code("c1")
		same(t, "code", []any{ws, c}, []any{"w", &store.Code{Hash: "c1", User: "emma", Name: "phone", Expires: at(3)}})
		ws, p, err3 := r.ReplicaByCredential("k1")
		same(t, "replica", []any{ws, p.ID, p.Next, p.Skew}, []any{"w", "p", 5, 7})
		ws, revoked, err4 := r.ReplicaByCredential("")
		same(t, "no credential opens nothing", []any{ws, revoked == nil}, []any{"", true})
		ws, none, err5 := r.Session("zz")
		same(t, "no session", []any{ws, none == nil}, []any{"", true})
		all, err6 := r.Replicas("w", "", store.Page{Limit: 9})
		same(t, "devices", len(all), 2)
		mine, err7 := r.Replicas("w", "emma", store.Page{Limit: 9})
		same(t, "Emma's devices", []any{len(mine), mine[0].ID}, []any{1, "p"})
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
	b.update(func(w store.Writer) error {
		return errors.Join(w.DeleteSession("s1"), w.DeleteSession("never"), w.DeleteCode("c1"), w.PutReplica("w", &store.Replica{ID: "p", User: "emma"}))
	})
	b.view(func(r store.Reader) error {
		_, s, err := r.Session("s1")
		_, c, err2 := r.Code("c1")
		_, p, err3 := r.ReplicaByCredential("k1")
		same(t, "ended", s == nil && c == nil && p == nil, true)
		return errors.Join(err, err2, err3)
	})
}

// devices: they are found by state and by last contact, page by page, and what
// of them is open is counted.
func devices(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		var errs error
		for i, r := range []store.Replica{
			{ID: "a", User: "emma", Credential: "1", LastContact: at(900)}, {ID: "b", User: "emma", Credential: "2", Blocked: true},
			{ID: "c", User: "otto", Credential: "3", Void: true, LastContact: at(4000)}, {ID: "d", User: "otto", Credential: "4", Wiping: true, LastContact: at(2000)},
			{ID: "e", User: "otto", LastContact: at(10)}, {ID: "f", User: "otto", Credential: "6", Retiring: true, LastContact: at(5000)},
			{ID: "g", User: "otto", Credential: "7", WipedAt: at(1), LastContact: at(5000)},
		} {
			errs = errors.Join(errs, w.PutReplica("w", &store.Replica{ID: r.ID, User: r.User, LastContact: at(i)}), w.PutReplica("w", &r))
		}
		return errors.Join(errs, w.PutReplica("other", &store.Replica{ID: "z", Blocked: true}))
	})
	b.view(func(r store.Reader) error {
		var errs error
		for _, c := range []struct {
			f    store.ReplicaFilter
			want string
		}{
			{store.ReplicaFilter{}, "a b c d e f g"}, {store.ReplicaFilter{User: "emma"}, "a b"}, {store.ReplicaFilter{State: store.Active}, "a"},
			{store.ReplicaFilter{State: store.Revoked}, "c e"}, {store.ReplicaFilter{State: store.Blocked}, "b"}, {store.ReplicaFilter{State: store.Wiping}, "d"},
			{store.ReplicaFilter{State: store.Wiped, User: "otto"}, "g"}, {store.ReplicaFilter{State: store.Retiring, User: "emma"}, ""},
			{store.ReplicaFilter{ByContact: true}, "b e a d c f g"}, {store.ReplicaFilter{ByContact: true, Silent: at(1900)}, "b e a"},
			{store.ReplicaFilter{Silent: at(2001), User: "otto"}, "d e"},
		} {
			var got []string
			p := store.Page{Limit: 2}
			for {
				rows, err := r.FindReplicas("w", c.f, p)
				if errs = errors.Join(errs, err); len(rows) == 0 {
					break
				}
				for _, d := range rows {
					got = append(got, d.ID)
				}
				p.After = c.f.ReplicaCursor(rows[len(rows)-1])
			}
			same(t, fmt.Sprintf("%+v", c.f), strings.Join(got, " "), c.want)
		}
		_, err := r.FindReplicas("w", store.ReplicaFilter{ByContact: true}, store.Page{After: "x", Limit: 1})
		same(t, "no cursor", landfall.CodeOf(err), landfall.CodeInvalid)
		return errs
	})
	item := func(inc, n int64, state store.ItemState, op landfall.Op) *store.Item {
		return &store.Item{Key: landfall.Key{Replica: "a", Incarnation: inc, N: n}, State: state, Op: op, Bytes: []byte("{}")}
	}
	b.update(func(w store.Writer) error {
		return errors.Join(
			w.AddItem("w", item(1, 1, store.Completed, landfall.OpCreate)), w.AddItem("w", item(1, 2, store.WithErrors, landfall.OpUpdate)),
			w.AddItem("w", item(1, 3, store.Queued, landfall.OpUpdate)), w.AddItem("w", item(1, 4, store.WithErrors, landfall.OpLost)),
			w.AddItem("w", item(1, 5, store.WithErrors, landfall.OpUpdate)), w.PutItem("w", item(1, 5, store.Completed, landfall.OpUpdate)),
			w.AddItem("w", item(1, 6, store.Withdrawn, landfall.OpUpdate)), w.AddItem("w", item(2, 1, store.WithErrors, landfall.OpUpdate)),
			w.AddItem("w", item(-77, 9, store.WithErrors, landfall.OpUpdate)), w.AddItem("w", item(-78, 9, store.Completed, landfall.OpUpdate)),
			w.AddItem("other", item(1, 40, store.WithErrors, landfall.OpUpdate)))
	})
	b.view(func(r store.Reader) error {
		first, err := r.Tally("w", "a", 1)
		second, err2 := r.Tally("w", "a", 2)
		third, err3 := r.Tally("w", "a", 3)
		forks, err4 := r.Tally("w", "a", store.Forks)
		same(t, "tallies", []store.Tally{first, second, third, forks}, []store.Tally{{Open: 3, OpenLost: 1}, {Open: 1}, {}, {Open: 1}})
		return errors.Join(err, err2, err3, err4)
	})
}

// workspaces: what one workspace has does not show in another.
func workspaces(t *testing.T, b *bench) {
	b.update(func(w store.Writer) error {
		return errors.Join(w.PutRecord("w", record("r", 1), []string{"all"}), w.PutUser("w", &store.User{Name: "emma"}), w.SetCounter("w", "c", 3),
			w.SetUnique("w", "thing", "r", map[string]string{"plate": "X"}), w.PutGrant("w", store.GrantRow{User: "emma", Key: "k", From: 1}),
			w.PutItem("w", &store.Item{Key: key("p", 1), Holder: "i", Refs: []string{"r"}}), w.PutReplica("w", &store.Replica{ID: "p"}),
			w.PutDefinition("w", &store.DefinitionRow{Version: 1, Source: []byte("app: x"), By: "ada", At: at(1)}), w.AddPush("w", &store.Push{Replica: "p"}))
	})
	b.view(func(r store.Reader) error {
		rec, err := r.Record("other", "r")
		feed, err2 := r.Feed("other", "all", store.Spot{}, 9, 9)
		user, err3 := r.User("other", "emma")
		n, err4 := r.Counter("other", "c")
		u, err5 := r.Unique("other", "thing", "plate", "X")
		g, err6 := r.Grants("other", "emma")
		lane, err7 := r.Lane("other", "p", "r")
		p, err8 := r.Pushes("other", 0, 9)
		d, err9 := r.Definition("other", 1)
		if rec != nil || len(feed) > 0 || user != nil || n != 0 || u != "" || len(g) > 0 || len(lane) > 0 || len(p) > 0 || d != nil {
			t.Error("something of one workspace shows in another")
		}
		here, err10 := r.Definition("w", 1)
		same(t, "definition", here, &store.DefinitionRow{Version: 1, Source: []byte("app: x"), By: "ada", At: at(1)})
		return errors.Join(err, err2, err3, err4, err5, err6, err7, err8, err9, err10)
	})
}
