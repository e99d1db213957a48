package rehearse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

func value(v any) landfall.Value { return landfall.Value(fmt.Sprintf("%#v", v)) }

// lived is a world with some history: two jobs in different statuses, a site,
// and what was refused.
func lived(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.create("phone-a", 1, landfall.Fields{"title": value("one"), "hours": value(3), "kind": value("repair")})
	w.create("phone-b", 2, landfall.Fields{"title": value("two"), "hours": value(30)})
	w.push("phone-a", landfall.Mutation{Op: landfall.OpCreate, Type: "site", ID: id(9), Set: landfall.Fields{"name": value("Oslo"), "code": value("x")}, Base: &landfall.Base{}})
	w.push("phone-b", landfall.Mutation{Op: landfall.OpCreate, Type: "site", ID: id(8), Set: landfall.Fields{"name": value("Graz"), "code": value("x")}, Base: &landfall.Base{}})
	w.push("phone-a", w.on(1, landfall.OpUpdate, landfall.Fields{"hours": value(4), "site": value(id(9))}))
	w.move("phone-a", 1, "start")
	w.move("phone-a", 1, "close")
	if r := w.move("phone-b", 2, "cancel"); r.Kind != landfall.KindConfiguration {
		t.Fatalf("an unknown transition is %+v", r)
	}
	w.push("phone-b", w.on(2, landfall.OpUpdate, landfall.Fields{"notes": value("waits")}))
	return w
}

// counts is what a rehearsal counted, without what stays.
func counts(o *wire.Rehearsal) string {
	var out []string
	for _, c := range []struct {
		what string
		n    int
	}{
		{"fixed", o.Issues.Fixed}, {"ready", o.Issues.Ready}, {"broken", o.Issues.Broken},
		{"refused", o.Items.Refused}, {"applied", o.Items.Applied}, {"changed", o.Items.Changed}, {"differ", o.Items.Differ},
		{"invalid", o.Records.Invalid}, {"stranded", o.Records.Stranded}, {"converted", o.Records.Converted},
	} {
		if c.n > 0 {
			out = append(out, fmt.Sprint(c.what, " ", c.n))
		}
	}
	for _, s := range o.Sight {
		out = append(out, fmt.Sprintf("%s %s +%d -%d", s.Type, s.Key, s.Gains, s.Loses))
	}
	return strings.Join(out, ", ")
}

// Each kind of difference, by a small edit.
func TestDifferences(t *testing.T) {
	w := lived(t)
	for _, c := range []struct {
		name, old, changed, want string
		worse                    bool
	}{
		{"a comment", "app: jobs", "app: jobs # ours", "", false},
		{"a title", "title: Job\n", "title: Work\n", "", false},
		{"the missing transition", "        reopen:", "        cancel: {from: planned, to: closed, roles: [technician]}\n        reopen:", "fixed 1, applied 1", false},
		{"the missing transition, for others", "        reopen:", "        cancel: {from: planned, to: closed, roles: [dispatcher]}\n        reopen:", "differ 1", false},
		{"a right taken away", "technician: {create: true, update:", "technician: {create: [title, owner, kind], update:", "refused 2", true},
		{"a condition", `"record.owner == me"`, `"record.owner == me && record.hours < 4"`, "", false},
		{"a narrower condition", `"record.owner == me"`, `"record.owner == me && record.hours < 3"`, "refused 1", true},
		{"a role's transition", "roles: [technician]}\n        close", "roles: [dispatcher]}\n        close", "refused 1", true},
		{"a check", "hours: {type: integer,", "hours: {type: integer, check: \"hours < 10\",", "refused 1, invalid 1", true},
		{"a mandatory field", "kind: {type: choice,", "kind: {type: choice, required: true,", "refused 1, invalid 1", true},
		{"mandatory in a status", "kind: {type: choice,", "kind: {type: choice, required: [planned],", "refused 1, invalid 1", true},
		{"a choice gone", "[repair, check, visit]", "[check, visit]", "refused 4, invalid 1", true},
		{"another type", "code: {type: text}", "code: {type: integer}", "refused 2, invalid 2", true},
		{"unique now", "code: {type: text}", "code: {type: text, unique: true}", "invalid 1", true},
		{"a field gone", "      code: {type: text}\n", "", "refused 2, stranded 2", true},
		{"another audience", "audience: [user:owner, role:dispatcher]", "audience: [user:owner]", "job role:dispatcher +0 -2", false},
		{"more see it", "audience: [all]", "audience: [all, role:dispatcher]", "site role:dispatcher +2 -0", false},
		{"another place", "open: {queue: desk}", "open: {worklist: owner}", "changed 1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := w.rehearse(edited(t, c.old, c.changed))
			if got := counts(o); got != c.want || o.Worse != c.worse {
				t.Errorf("got  %s, worse: %t\nwant %s, worse: %t\n%s\n%+v", got, o.Worse, c.want, c.worse, o.Verdict, o.Groups)
			}
			if strings.HasPrefix(c.name, "a comment") && len(o.Groups) > 0 {
				t.Errorf("%+v", o.Groups)
			}
			if o.Issues.Open != 1 || o.Items.Looked != 9 {
				t.Errorf("%+v %+v", o.Issues, o.Items)
			}
		})
	}
}

// While records share a value that would be unique, it can't be published.
func TestUniqueWhereValuesAreShared(t *testing.T) {
	w := lived(t)
	o := w.rehearse(edited(t, "code: {type: text}", "code: {type: text, unique: true}"))
	var said string
	for _, p := range o.Problems {
		if !p.Warning {
			said += p.File + ": " + p.Message
		}
	}
	if said != "app.yaml: the field site.code can't be unique: 1 of the records have a value there that another one has" || o.Verdict != "It can't be published: it has 1 mistake." || o.Version != 1 {
		t.Errorf("%s\n%s %d", said, o.Verdict, o.Version)
	}
}

// What is published already changes nothing, by definition.
func TestThePublishedOne(t *testing.T) {
	w := lived(t)
	o := w.rehearse(jobs)
	if counts(o) != "" || !o.Unchanged || o.Worse || o.Verdict != "It is what is published: nothing changes." || len(o.Groups) > 0 {
		t.Errorf("%s: %+v", o.Verdict, o)
	}
	if o.Items.Judged != 8 || o.Items.Unjudged != 1 {
		t.Errorf("%+v", o.Items)
	}
}

// A conversion keeps what is renamed: neither the records nor the changes differ.
func TestConversion(t *testing.T) {
	w := newWorld(t)
	w.create("phone-a", 1, landfall.Fields{"title": value("one"), "hours": value(3)})
	o := w.rehearse(strings.Replace(edited(t, "      hours: {", "      effort: {"), "app: jobs", "app: jobs\nconvert: [{to: 2, type: job, rename: {hours: effort}}]", 1))
	if o.Records.Converted != 1 || o.Records.Stranded != 0 || o.Records.Invalid != 0 {
		t.Errorf("%s\n%+v", counts(o), o.Groups)
	}
}

// A group tells why, in titles, and examples that the caller may see: an
// administrator sees the inbox, and neither the desk's issues nor records.
func TestWhatIsShown(t *testing.T) {
	w := lived(t)
	o := w.rehearse(edited(t, "kind: {type: choice,", "kind: {type: choice, required: true,"))
	g := onlyGroup(t, o, wire.EffectInvalid)
	if g.Title != "Job" || g.Count != 1 || len(g.Examples) != 0 || g.Messages[0].Code != "required" || g.Messages[0].Field != "kind" {
		t.Errorf("%+v", g)
	}
	g = onlyGroup(t, o, wire.EffectRefused)
	if !slices.Equal(g.Examples, []string{"phone-b.1.1"}) || g.Users != 1 || g.Kind != landfall.KindValidation || g.Messages[0].Text == "" {
		t.Errorf("%+v", g)
	}
	if want := "It would fix 0 of 1 open issue, newly refuse 1 of the last 8 changes, and leave 1 record invalid."; o.Verdict != want {
		t.Errorf("%s\n%s", o.Verdict, want)
	}
	o = w.rehearse(edited(t, "        reopen:", "        cancel: {from: planned, to: closed, roles: [technician]}\n        reopen:"))
	if g = onlyGroup(t, o, wire.EffectFixed); !slices.Equal(g.Examples, []string{"phone-b.1.3"}) {
		t.Errorf("the number of an issue that is not the administrator's: %+v", g)
	}
	w.must(w.st.Update(t.Context(), func(s store.Writer) error {
		return s.PutUser("w", &store.User{Name: "ada", Roles: []string{landfall.Administrator, "dispatcher"}})
	}))
	actor := landfall.Actor{User: "ada", Roles: []string{landfall.Administrator, "dispatcher"}}
	o, err := w.stage.Rehearse(t.Context(), "w", actor, wire.Rehearse{Source: edited(t, "        reopen:", "        cancel: {from: planned, to: closed, roles: [technician]}\n        reopen:")}, func(wire.RehearsalProgress) {})
	w.must(err)
	if g = onlyGroup(t, o, wire.EffectFixed); !slices.Equal(g.Examples, []string{"#1"}) {
		t.Errorf("%+v", g)
	}
}

// A change is judged on the record as it was then, not as it is.
func TestThePastCounts(t *testing.T) {
	w := newWorld(t)
	w.create("phone-a", 1, landfall.Fields{"title": value("one"), "hours": value(3)})
	for n := range 4 {
		w.push("phone-a", w.on(1, landfall.OpUpdate, landfall.Fields{"hours": value(4 + n)}))
	}
	w.move("phone-a", 1, "start")
	w.move("phone-a", 1, "close")
	w.push("phone-d", w.on(1, landfall.OpDelete, nil))
	o := w.rehearse(edited(t, `"record.owner == me"`, `"record.owner == me && record.hours < 5"`))
	if o.Items.Judged != 8 || o.Items.Refused != 2 {
		t.Errorf("of hours 3, 4, 5, 6 before the updates, two are too many: %+v", o.Items)
	}
	if g := onlyGroup(t, o, wire.EffectRefused); !slices.Equal(g.Examples, []string{"phone-a.1.4", "phone-a.1.5"}) {
		t.Errorf("%+v", g)
	}
}

// A group counts as one, and so does a lane that a retry settled.
func TestWhatWasJudgedAsOne(t *testing.T) {
	w := newWorld(t)
	g := &landfall.Group{ID: "0198c3ad-0000-7000-8000-000000000001", Of: 2}
	a := landfall.Mutation{Op: landfall.OpCreate, Type: "site", ID: id(9), Set: landfall.Fields{"name": value("Oslo")}, Base: &landfall.Base{}, Group: g}
	b := landfall.Mutation{Op: landfall.OpCreate, Type: "job", ID: id(1), Set: landfall.Fields{"title": value("one"), "site": value(id(9)), "owner": value("anna")}, Base: &landfall.Base{}, Group: g}
	w.push("phone-a", a, b)
	w.move("phone-a", 1, "cancel")
	w.push("phone-a", w.on(1, landfall.OpUpdate, landfall.Fields{"hours": value(2)}))
	more := edited(t, "        reopen:", "        cancel: {from: planned, to: open, roles: [technician]}\n        reopen:")
	w.publish(more)
	if done, err := w.inbox.Retry(t.Context(), "w", landfall.Actor{User: "dora"}, wire.Retry{All: true}); err != nil || len(done.Items) != 1 || !done.Items[0].Settled {
		t.Fatalf("%+v %v", done, err)
	}
	o := w.rehearse(more + "# again\n")
	if counts(o) != "" || o.Items.Judged != 4 {
		t.Errorf("%s %+v", counts(o), o.Items)
	}
	o = w.rehearse(jobs)
	if o.Items.Refused != 2 || o.Items.Judged != 4 {
		t.Errorf("both changes of the lane are refused without the transition: %+v", o.Items)
	}
	if !o.Worse {
		t.Error("that is worse")
	}
}

// What devices have not sent yet may become outdated.
func TestUnsentChanges(t *testing.T) {
	w := newWorld(t)
	w.must(w.st.Update(t.Context(), func(s store.Writer) error {
		d, err := s.Replica("w", "phone-a")
		if err != nil {
			return err
		}
		d.Waiting = 7
		return s.PutReplica("w", d)
	}))
	o := w.rehearse(edited(t, "      code: {type: text}\n", ""))
	if d := o.Devices; d.Devices != 3 || d.Unsent != 1 || d.Waiting != 7 || d.Older != 3 || !o.Worse {
		t.Errorf("%+v, worse: %t", d, o.Worse)
	}
	if o = w.rehearse(jobs + "# same\n"); o.Worse {
		t.Errorf("nothing is gone, so nothing becomes outdated: %s", o.Verdict)
	}
}

func TestWhoMayAndHowMany(t *testing.T) {
	w := newWorld(t)
	quiet := func(wire.RehearsalProgress) {}
	for _, c := range []struct {
		actor landfall.Actor
		items int
		want  landfall.Code
	}{
		{landfall.Actor{User: "dora", Roles: []string{"dispatcher"}}, 0, landfall.CodeForbidden},
		{landfall.Actor{User: "ada", Roles: root.Roles, Disabled: true}, 0, landfall.CodeForbidden},
		{root, -1, landfall.CodeInvalid},
		{root, wire.MostRehearsed + 1, landfall.CodeInvalid},
	} {
		if _, err := w.stage.Rehearse(t.Context(), "w", c.actor, wire.Rehearse{Source: jobs, Items: c.items}, quiet); landfall.CodeOf(err) != c.want {
			t.Errorf("%+v %d: %v", c.actor, c.items, err)
		}
	}
	w.create("phone-a", 1, landfall.Fields{"title": value("one")})
	var inner error
	_, err := w.stage.Rehearse(t.Context(), "w", root, wire.Rehearse{Source: jobs}, func(wire.RehearsalProgress) {
		if inner == nil {
			_, inner = w.stage.Rehearse(t.Context(), "w", root, wire.Rehearse{Source: jobs}, quiet)
		}
	})
	if err != nil || landfall.CodeOf(inner) != landfall.CodeBusy {
		t.Errorf("two at once: %v, %v", err, inner)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err = w.stage.Rehearse(ctx, "w", root, wire.Rehearse{Source: jobs}, func(wire.RehearsalProgress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if _, err = w.stage.Rehearse(t.Context(), "w", root, wire.Rehearse{Source: jobs}, quiet); err != nil {
		t.Errorf("the stage is free again: %v", err)
	}
	o, err := w.stage.Rehearse(t.Context(), "w", root, wire.Rehearse{Source: "app: jobs\n"}, quiet)
	if err != nil || !o.Worse || !strings.HasPrefix(o.Verdict, "It can't be published: it has ") || o.Items.Looked != 0 {
		t.Errorf("%+v %v", o, err)
	}
}
