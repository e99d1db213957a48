package model

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// unit reads what is judged as one for the first time, with the changes that it
// made, if any.
func (r *reading) unit(changes []*landfall.Change) {
	if strings.HasPrefix(r.main[r.at].Item.Key.Replica, deskOf) {
		r.desk(changes)
		return
	}
	units := r.members(0)
	r.laned(units)
	want := r.expect(units, len(changes) > 0)
	first := units[0]
	if a := first.mutation.Amends; a != nil && r.amended != nil && r.amended.issue == a.Issue && len(changes) == 0 {
		r.amending(units)
		return
	}
	switch got := &first.Receipt; {
	case got.Result == landfall.Applied && want.applied():
		r.alike(first.Key.String(), want.changes, changes)
	case got.Waiting && want.waits != "":
		if got.Issue != want.waits {
			r.complain("lane", "%s waits in the issue %s, not in %s", first.Key, got.Issue, want.waits)
		}
	default:
		r.complain(disagree(&want), "%s is %s, and should be %s", first.Key, answer(got), want.String())
	}
	r.fold(changes)
	for _, it := range units {
		it.took = 0
		if len(changes) > 0 {
			it.took = r.seq
		}
		r.answered(it, changes, want.noted())
		r.m.keep(it)
	}
}

// disagree is the rule that is broken when something is not what the verdict says.
func disagree(v *verdict) string {
	if v.waits != "" {
		return "lane"
	}
	return "verdict"
}

// String is the verdict in words.
func (v *verdict) String() string {
	switch {
	case v.waits != "":
		return "waiting in " + v.waits
	case v.kind != "" && v.why != "":
		return string(v.kind) + " (" + v.why + ")"
	case v.kind != "":
		return string(v.kind)
	}
	return "applied"
}

// expect is what the rules make of new items.
func (r *reading) expect(units []*Item, effects bool) verdict {
	first := units[0]
	switch {
	case first.Key.Incarnation < 0:
		return verdict{kind: landfall.KindFork}
	case first.bad != "":
		return verdict{kind: landfall.KindMalformed, why: first.bad}
	case first.mutation.Op == landfall.OpLost:
		return verdict{kind: landfall.KindLost}
	case first.mutation.Op == landfall.OpVoid:
		return verdict{}
	case first.mutation.Op == landfall.OpWithdraw:
		return r.withdrawal(first)
	case first.mutation.Amends != nil && !effects:
		if v, done := r.amendment(units); done {
			return v
		}
	}
	return r.m.judge(r.m.actor(first.User, first.Key.Replica), steps(units, ""), false, r.next1(effects), r.now())
}

// next1 is the place of a verdict: the one that its changes took, or the next.
func (r *reading) next1(effects bool) int64 {
	if effects {
		return r.seq
	}
	return r.seq + 1
}

// steps are items as a run.
func steps(items []*Item, issue string) []step {
	out := make([]step, 0, len(items))
	for _, it := range items {
		out = append(out, step{mutation: &it.mutation, edited: it.EditedAt, issue: issue})
	}
	return out
}

// alike compares changes with those that the rules make. One nil slice and one
// empty one are alike.
func (r *reading) alike(of string, want []landfall.Change, got []*landfall.Change) {
	if len(want) != len(got) {
		r.complain("verdict", "%s makes %d changes, and should make %d", of, len(got), len(want))
		return
	}
	for i, c := range got {
		if rule, what := same(&want[i], c); rule != "" {
			r.complain(rule, "%s changes %s at %d with another %s: %s, not %s", of, c.ID, c.Seq, what, told(c), told(&want[i]))
		}
	}
}

// told is a change in words.
func told(c *landfall.Change) string {
	s := string(c.Action)
	if c.Transition != "" {
		s += " " + c.Transition
	}
	for _, name := range slices.Sorted(maps.Keys(c.Set)) {
		s += " " + name + "=" + string(c.Set[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Lost)) {
		s += " without " + name + "=" + string(c.Lost[name])
	}
	return s + " by " + c.Author + "/" + c.By + " edited " + c.Edited.UTC().Format(time.RFC3339Nano)
}

// answered checks the receipt and the state of a new item without an issue of its own.
func (r *reading) answered(it *Item, changes []*landfall.Change, noted bool) {
	got := &it.Receipt
	want := landfall.Receipt{N: it.Key.N, Result: got.Result, Seq: r.seq, Note: got.Note}
	state, holder := store.Completed, ""
	if got.Waiting {
		want.Waiting, want.Issue, want.Note, state, holder = true, got.Issue, "", store.Queued, got.Issue
		if i := r.m.issues[got.Issue]; i == nil || !i.Open() || i.Device != it.Key.Replica {
			r.complain("lane", "%s waits in %q, which is no open issue of its device", it.Key, got.Issue)
		}
	}
	if !sameReceipt(got, &want) || got.Result != landfall.Applied && !got.Waiting {
		r.complain("receipt", "%s gets the receipt %+v at %d", it.Key, *got, r.seq)
	}
	if it.State != state || it.Holder != holder || it.Outcome != nil {
		r.complain("item", "%s is %s, held by %q", it.Key, it.State, it.Holder)
	}
	if got.Result == landfall.Applied && noted != (got.Note != "") {
		r.complain("receipt", "%s is applied with the note %q and %d changes", it.Key, got.Note, len(changes))
	}
}

// refused reads a unit that became an issue, which is opened with it.
func (r *reading) refused(changes []*landfall.Change, row *store.IssueRow) {
	i := &row.Issue
	count := max(1, i.Group)
	if r.at >= len(r.main) || !isNew(&r.main[r.at]) {
		r.complain("atomic", "issue %s is opened without an item", i.ID)
		r.putIssue(row)
		return
	}
	units := r.members(count)
	if i.Kind != landfall.KindMalformed || code(i) == incompleteGroup { // of what can't be read nothing is known
		r.laned(units)
	}
	want := r.expect(units, true)
	r.opened(changes, row, units, &want)
	for _, it := range units {
		rec := landfall.Receipt{N: it.Key.N, Result: landfall.Issued, Seq: r.seq, Issue: i.ID, Kind: i.Kind, Messages: i.Messages}
		if !sameReceipt(&it.Receipt, &rec) {
			r.complain("receipt", "%s became the issue %s and gets the receipt %+v", it.Key, i.ID, it.Receipt)
		}
		if it.State != store.WithErrors || it.Holder != i.ID || it.Outcome != nil {
			r.complain("item", "%s became the issue %s, and is %s, held by %q", it.Key, i.ID, it.State, it.Holder)
		}
		r.m.keep(it)
	}
}

// right reports whether the kind of an issue is that of the verdict.
func (r *reading) right(i *landfall.Issue, units []*Item, want *verdict) bool {
	switch code := code(i); {
	case i.Kind == landfall.KindInternal:
		r.complain("internal", "issue %s is the server's own trouble with %s", i.ID, units[0].Key)
		return true
	case i.Kind == landfall.KindMalformed && code == incompleteGroup:
		return want.kind == landfall.KindMalformed || units[0].grouped() && units[0].mutation.Group.Of > 1
	case i.Kind == landfall.KindMalformed && slices.Contains(ofLimits, code) && !r.m.limited():
		return true
	}
	return i.Kind == want.kind
}

// incompleteGroup is why a change is malformed that can be read: the others of its
// group did not come with it.
const incompleteGroup = "incomplete_group"

// code says what is wrong first of all; "" for nothing.
func code(i *landfall.Issue) string {
	if len(i.Messages) == 0 {
		return ""
	}
	return i.Messages[0].Code
}

func (m *Model) limited() bool { return m.limits != Limits{} }
