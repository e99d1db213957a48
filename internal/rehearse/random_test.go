package rehearse

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// edits are small changes of the app, right and wrong ones.
var edits = [][2]string{
	{"technician: {create: true, update:", "technician: {create: [title, owner], update:"},
	{"dispatcher: {update: true, delete: true}", "dispatcher: {update: [notes]}"},
	{`"record.owner == me"`, `"record.owner == me && record.hours < 6"`},
	{"        start: {from: planned, to: open, roles: [technician]}\n", "        start: {from: planned, to: open, roles: [dispatcher]}\n"},
	{"        reopen: {from: closed, to: open, roles: [dispatcher]}\n", ""},
	{"        reopen:", "        cancel: {from: [planned, open], to: closed, roles: [technician, dispatcher]}\n        reopen:"},
	{"close: {from: open", "close: {from: [open, planned]"},
	{"hours: {type: integer, ", "hours: {type: integer, check: \"hours < 7\", "},
	{"kind: {type: choice,", "kind: {type: choice, required: [open],"},
	{"[repair, check, visit]", "[check, visit]"},
	{"conflict: review", "conflict: device"},
	{"closed: {resolved: true, frozen: true}", "closed: {resolved: true}"},
	{"status: strict", "status: legal"},
	{"audience: [user:owner, role:dispatcher]", "audience: [all]"},
	{"audience: [user:owner, role:dispatcher]", "audience: [role:dispatcher]"},
	{"notes: {type: long_text,", "notes: {type: text,"},
	{"      site: {type: reference, to: site}\n", ""},
	{"app: jobs", "app: jobs # ours"},
}

// candidate is the app with some of the edits that fit.
func candidate(t *rapid.T, source string) string {
	for _, n := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(edits)-1), 1, 3, rapid.ID[int]).Draw(t, "edits") {
		next := strings.Replace(source, edits[n][0], edits[n][1], 1)
		if app, _ := definition.Compile("app.yaml", []byte(next)); app != nil {
			source = next
		}
	}
	return source
}

// act is something that somebody does, on what they saw now or some time ago.
func act(t *rapid.T, w *world, seen map[int]landfall.Mutation) {
	device := rapid.SampledFrom([]string{"phone-a", "phone-b", "phone-d"}).Draw(t, "device")
	n := rapid.IntRange(1, 5).Draw(t, "record")
	set := landfall.Fields{}
	for _, f := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"hours", "kind", "notes", "site", "title"}), 0, 2, rapid.ID[string]).Draw(t, "fields") {
		set[f] = value(map[string]any{
			"hours": rapid.IntRange(1, 9).Draw(t, "hours"), "kind": rapid.SampledFrom([]string{"repair", "check", "none"}).Draw(t, "kind"),
			"notes": "more", "site": id(9), "title": "a job",
		}[f])
	}
	r := w.record(n)
	var m landfall.Mutation
	switch step := rapid.IntRange(0, 9).Draw(t, "step"); {
	case r == nil:
		set["owner"] = value(people[device])
		if rapid.IntRange(0, 4).Draw(t, "titled") > 0 {
			set["title"] = value("a job")
		}
		m = landfall.Mutation{Op: landfall.OpCreate, Type: "job", ID: id(n), Set: set, Base: &landfall.Base{}}
	case step < 4:
		m = w.on(n, landfall.OpUpdate, set)
	case step < 8:
		m = w.on(n, landfall.OpTransition, nil)
		m.Transition = rapid.SampledFrom([]string{"start", "close", "reopen", "cancel"}).Draw(t, "transition")
	case step < 9:
		m = w.on(n, landfall.OpDelete, nil)
	default:
		m = w.on(n, landfall.OpRestore, nil)
	}
	if m.Op == landfall.OpUpdate && len(set) == 0 {
		return
	}
	if old, was := seen[n]; was && m.Op != landfall.OpCreate && rapid.IntRange(0, 3).Draw(t, "stale") == 0 {
		was := landfall.Fields{}
		for name := range m.Set {
			was[name] = landfall.Null
			if v := old.Base.Was[name]; v != nil {
				was[name] = v
			}
		}
		m.Base = &landfall.Base{Version: old.Base.Version, Status: old.Base.Status, Was: was}
	}
	if r != nil && rapid.IntRange(0, 3).Draw(t, "look") == 0 {
		seen[n] = w.on(n, landfall.OpUpdate, landfall.Fields{"hours": nil, "kind": nil, "notes": nil, "site": nil, "title": nil})
	}
	w.push(device, m)
}

// lives plays a random history.
func lives(t *rapid.T) *world {
	w := newWorld(t)
	w.push("phone-a", landfall.Mutation{Op: landfall.OpCreate, Type: "site", ID: id(9), Set: landfall.Fields{"name": value("Oslo")}, Base: &landfall.Base{}})
	seen := map[int]landfall.Mutation{}
	for range rapid.IntRange(5, 40).Draw(t, "steps") {
		act(t, w, seen)
		if rapid.IntRange(0, 9).Draw(t, "office") == 0 {
			_, err := w.inbox.Retry(context.Background(), "w", landfall.Actor{User: "dora"}, wire.Retry{All: true})
			w.must(err)
		}
	}
	return w
}

// unresolved are the open issues, by id.
func (w *world) unresolved() (out []string) {
	w.t.Helper()
	w.must(w.st.View(context.Background(), func(s store.Reader) error {
		rows, err := s.Issues("w", store.IssueFilter{State: store.Unresolved}, store.Page{Limit: 1000})
		for _, row := range rows {
			out = append(out, row.Issue.ID)
		}
		return err
	}))
	return out
}

// settling are the issues that a retry settles.
func (w *world) settling() (out []string) {
	w.t.Helper()
	for _, issue := range w.unresolved() {
		done, err := w.inbox.Retry(context.Background(), "w", landfall.Actor{User: "dora"}, wire.Retry{Issues: []string{issue}, DryRun: true})
		w.must(err)
		if done.Items[0].Settled {
			out = append(out, issue)
		}
	}
	return out
}

// Of the open issues, a rehearsal says what then happens: the definition is
// published, and a retry settles the same ones.
func TestWhatItSaysOfIssuesHappens(t *testing.T) {
	fixed, broken := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := lives(t)
		source := candidate(t, jobs)
		before := w.settling()
		o := w.rehearse(source)
		w.publish(source)
		after := w.settling()
		got := fmt.Sprint(o.Issues.Open, " ", o.Issues.Fixed, " ", o.Issues.Ready, " ", o.Issues.Broken)
		ready := 0
		for _, issue := range after {
			if slices.Contains(before, issue) {
				ready++
			}
		}
		want := fmt.Sprint(len(w.unresolved()), " ", len(after)-ready, " ", ready, " ", len(before)-ready)
		if got != want {
			t.Fatalf("it says %s, and then it is %s", got, want)
		}
		fixed, broken = fixed+o.Issues.Fixed, broken+o.Issues.Broken
	})
	if fixed == 0 {
		t.Errorf("no history had an issue that a candidate fixes: %d, %d", fixed, broken)
	}
}

// A definition that says the same makes no difference to anything that came in,
// whatever came in. And under the definition that judged them, changes get the
// verdicts that they got: the past is the past, and not only the same for both.
func TestThePastIsThePast(t *testing.T) {
	judged := 0
	rapid.Check(t, func(t *rapid.T) {
		w := lives(t)
		o := w.rehearse(jobs + "# the same\n")
		if counts(o) != fmt.Sprintf("ready %d", o.Issues.Ready) && counts(o) != "" || o.Worse || len(o.Groups) > 0 {
			t.Fatalf("%s\n%+v", counts(o), o.Groups)
		}
		judged += o.Items.Judged
		w.must(w.stage.compared(w, func(u *unit, refused bool) {
			if u.spots[0].took == refused {
				t.Fatalf("%s took effect: %t, and judged again it is refused: %t", u.spots[0].key, u.spots[0].took, refused)
			}
		}))
	})
	if judged == 0 {
		t.Error("nothing was judged")
	}
}

// compared judges all units again under the published definition.
func (s *Stage) compared(w *world, each func(u *unit, refused bool)) error {
	app, err := w.publisher.Current(context.Background(), "w")
	if err != nil {
		return err
	}
	r := &run{Stage: s, ctx: context.Background(), ws: "w", now: app, next: app, tell: func(wire.RehearsalProgress) {}, out: &wire.Rehearsal{}, groups: groups{}}
	units, err := r.window(1000)
	if err != nil {
		return err
	}
	versions, err := r.versions()
	if err != nil {
		return err
	}
	return r.view(func(reader store.Reader) error {
		a := r.archive(reader, versions)
		for i := range units {
			x, err := r.retell(a, &units[i])
			if err != nil {
				return err
			}
			author, err := a.user(x.items[0].User)
			if err != nil {
				return err
			}
			v, err := x.judge(a, app, author.Actor(), units[i].lane)
			if err != nil {
				return err
			}
			each(&units[i], v.Refusal != nil)
		}
		return nil
	})
}
