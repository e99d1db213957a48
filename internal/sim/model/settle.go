package model

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// settlement reads the end of an issue: what ends it, the items that it covers,
// and what waited behind it.
func (r *reading) settlement(changes []*landfall.Change, old *Issue, row *store.IssueRow) {
	i := &row.Issue
	last := changes[len(changes)-1]
	if last.From != old.State || last.To != i.State || last.Action != landfall.Moved || i.Decider != last.Author ||
		i.DecidedAt == nil || !i.DecidedAt.Equal(r.now()) || !unclaimed(i) || i.Assignee != assignedTo(&old.Issue) || i.Queue != old.Queue || i.Number != old.Number || i.Author != old.Author {
		r.complain("issue", "issue %s ends at %d from %s to %s by %s, and says %s by %s", i.ID, r.seq, last.From, last.To, last.Author, i.State, i.Decider)
	}
	effects := changes[:len(changes)-1]
	var covered []*Item
	switch {
	case i.Settlement == landfall.SettledWithdrawn:
		covered = r.m.withdrawn(old)
		if len(effects) > 0 || i.Decider != old.Author {
			r.complain("withdraw", "issue %s is withdrawn by %s with %d changes", i.ID, i.Decider, len(effects))
		}
		r.withdrawn = i.ID
	case i.Settlement == landfall.SettledAmended:
		covered = r.amends(effects, old)
	case r.has(store.IssueRepair, i.ID):
		covered = r.repaired(effects, old, row)
	case r.has(store.IssueRetry, i.ID):
		covered = r.retries(effects, old, i)
	default:
		r.settled[i.ID] = true
		covered = r.decision(effects, old, i)
	}
	r.fold(changes)
	if r.settled[i.ID] {
		r.kept(old, i, effects, covered)
	}
	r.putIssue(row)
	for _, it := range covered {
		r.cover(it, i)
	}
	if r.has(store.IssueRepair, i.ID) && len(row.Repairs) > 0 {
		r.toldOf(row)
	}
	r.release(old)
}

// retries: the lane as one, or its longest beginning that passes.
func (r *reading) retries(effects []*landfall.Change, old *Issue, i *landfall.Issue) []*Item {
	r.mayRetry(old, i.ID)
	if own := r.m.lane(old); i.Decider == "" && len(own) == 0 {
		r.complain("unaided", "issue %s, which was reopened, is tried again by the server itself", i.ID)
	}
	v, covered := r.retry(old)
	if n := len(covered); !v.applied() || i.Settlement != landfall.SettledApplied || covered[n-1].Key.N != i.Through {
		return r.cutOff(old, i, &v)
	}
	r.alike("another try of issue "+i.ID, v.changes, effects)
	for _, it := range covered {
		if it.took != 0 {
			r.complain("once", "%s took effect at %d, and again by another try", it.Key, it.took)
		}
	}
	return covered
}

// cutOff is what another try covers that ends elsewhere than the rules say.
func (r *reading) cutOff(old *Issue, i *landfall.Issue, v *verdict) (covered []*Item) {
	own := r.m.lane(old)
	for n, it := range own {
		if it.Key.N > i.Through {
			break
		}
		covered = append(covered, it)
		if divides(own, n+1) && own[n+1].Key.N > i.Through {
			r.complain("group", "another try of issue %s divides the group of %s", i.ID, it.Key)
			return covered
		}
	}
	r.complain("retry", "issue %s is settled by another try through %d, which should be %s", i.ID, i.Through, v.String())
	return covered
}

// amendment is one that has settled its issue.
type amendment struct {
	issue string
	seq   int64
}

// amends: the lane and what its author adds are judged as one. What is added
// comes after what it sets free.
func (r *reading) amends(effects []*landfall.Change, old *Issue) []*Item {
	own := r.m.lane(old)
	r.amended = &amendment{old.ID, r.seq}
	var added []*Item
	for at := r.at; at < len(r.main); at++ {
		op := &r.main[at]
		if !isNew(op) || len(added) > 0 && (!added[0].grouped() || len(added) == added[0].mutation.Group.Of) {
			continue
		}
		it := &Item{Item: *op.Item}
		it.mutation, it.bad = r.m.read(it.Bytes, it.Key)
		if it.Unbased && it.mutation.Base != nil {
			it.mutation.Base.Lost = true
		}
		added = append(added, it)
	}
	if len(added) == 0 || !r.m.amendable(old, added[0]) {
		r.complain("amend", "issue %s is amended, and what amends it is not there", old.ID)
		return own
	}
	v := r.m.judge(r.m.actor(added[0].User, added[0].Key.Replica), steps(append(slices.Clone(own), added...), old.ID), true, r.seq, r.now())
	if !v.applied() {
		r.complain("amend", "issue %s is amended by %s, which should be %s", old.ID, added[0].Key, v.String())
		return own
	}
	r.alike("the amendment "+added[0].Key.String(), v.changes, effects)
	return own
}

// amendable: the mutation mends an open issue of its author's, on whose lane it is.
func (m *Model) amendable(i *Issue, it *Item) bool {
	x := it.mutation.Amends
	if i == nil || x == nil || x.Issue != i.ID || !i.Open() || i.Author != it.User || !i.Kind.Amendable() {
		return false
	}
	if a := m.actor(it.User, it.Key.Replica); handsIn(&a) {
		return false
	}
	own := m.lane(i)
	return slices.ContainsFunc(own, func(o *Item) bool { return o.Record == it.mutation.ID && o.Key.Replica == it.Key.Replica })
}

// amendment is what the rules make of a new mutation that amends an issue; done
// is false when it amends none any more, and is judged like all others.
func (r *reading) amendment(units []*Item) (v verdict, done bool) {
	first := units[0]
	id := first.mutation.Amends.Issue
	i := r.m.issues[id]
	switch {
	case r.amended != nil && r.amended.issue == id:
		return verdict{}, true
	case r.retried == id && id != "":
		r.retried = ""
		own := r.m.lane(i)
		v := r.m.judge(r.m.actor(first.User, first.Key.Replica), steps(append(own, units...), id), true, r.seq, r.now())
		if v.applied() {
			r.complain("amend", "%s amends issue %s in vain, and should pass", first.Key, id)
		}
		return verdict{waits: id}, true
	case r.m.amendable(i, first):
		r.complain("amend", "%s amends issue %s, which is not tried", first.Key, id)
	}
	return v, false
}

// amending reads what has amended an issue.
func (r *reading) amending(units []*Item) {
	for _, it := range units {
		want := landfall.Receipt{N: it.Key.N, Result: landfall.Applied, Seq: r.amended.seq}
		if !sameReceipt(&it.Receipt, &want) || it.State != store.Completed || it.Holder != "" || it.Outcome != nil {
			r.complain("receipt", "%s amends an issue and gets the receipt %+v", it.Key, it.Receipt)
		}
		it.took = r.amended.seq
		r.m.keep(it)
	}
	r.amended = nil
}

// handsIn: what the actor sends is kept, and changes nothing.
func handsIn(a *landfall.Actor) bool { return a.Disabled || a.Blocked || len(a.Roles) == 0 }

// withdrawal is what the rules make of a withdrawal.
func (r *reading) withdrawal(it *Item) verdict {
	id := it.mutation.Issue
	i := r.m.issues[id]
	if r.withdrawn != "" && r.withdrawn == id {
		r.withdrawn = ""
		if a := r.m.actor(it.User, it.Key.Replica); handsIn(&a) || i.Author != it.User || it.Record != i.Record || it.Type != i.RecordType {
			r.complain("withdraw", "%s of %s withdraws issue %s of %s", it.Key, it.User, id, i.Author)
		}
	} else if a := r.m.actor(it.User, it.Key.Replica); i != nil && i.Author == it.User && i.Open() && !handsIn(&a) {
		r.complain("withdraw", "%s withdraws issue %s, which stays open", it.Key, id)
	}
	return verdict{}
}

// take reads an item that is written again.
func (r *reading) take(of *Item) *store.Item {
	if r.at < len(r.main) {
		if op := &r.main[r.at]; op.Item != nil && !op.Added && op.Item.Key == of.Key {
			r.at++
			r.put(op.Item)
			return op.Item
		}
	}
	r.complain("lane", "%s should be written at %d, and is not", of.Key, r.seq)
	return nil
}

// cover reads an item that goes with its issue.
func (r *reading) cover(of *Item, i *landfall.Issue) {
	it := r.take(of)
	if it == nil {
		return
	}
	state := store.Completed
	want := landfall.Outcome{Incarnation: of.Key.Incarnation, N: of.Key.N, Seq: r.seq, Settlement: i.Settlement}
	if of.Key.Incarnation < 0 { // a fork's: its device knows it by the number that it gave
		want.Incarnation, want.Issue = i.Incarnation, i.ID
	}
	switch i.Settlement {
	case landfall.SettledWithdrawn:
		state = store.Withdrawn
	case landfall.SettledApplied, landfall.SettledMerged, landfall.SettledAmended:
		next := *r.m.items[of.Key]
		next.took = r.seq
		r.m.items[of.Key] = &next
	}
	if it.Outcome == nil || *it.Outcome != want || it.Holder != "" || it.State != state {
		r.complain("outcome", "%s goes with issue %s as %+v, and should as %+v", of.Key, i.ID, it.Outcome, want)
	}
}

// release reads what becomes, in order, of what an issue held besides.
func (r *reading) release(i *Issue) {
	held := r.m.held(i)
	for _, of := range held {
		if it := r.take(of); it != nil && it.Holder != "" {
			r.complain("lane", "%s stays in issue %s, which is settled", of.Key, i.ID)
		}
	}
	for k := 0; k < len(held); {
		units := []*Item{r.m.items[held[k].Key]}
		k++
		if g := units[0].mutation.Group; units[0].grouped() {
			for k < len(held) && len(units) < g.Of && held[k].grouped() && *held[k].mutation.Group == *g {
				units = append(units, r.m.items[held[k].Key])
				k++
			}
			if len(units) < g.Of {
				r.complain("group", "of the group of %s %d of %d are judged again", units[0].Key, len(units), g.Of)
			}
		}
		r.freed(units)
	}
}

// freed reads the verdict on what had waited.
func (r *reading) freed(units []*Item) {
	first := units[0]
	v := r.m.judge(r.m.actor(first.User, first.Key.Replica), steps(units, ""), false, r.seq+1, r.now())
	out := landfall.Outcome{Settlement: landfall.SettledApplied}
	state := store.Completed
	switch {
	case r.at < len(r.main) && r.main[r.at].Change != nil:
		changes := r.changes()
		if r.at < len(r.main) && r.main[r.at].Issue != nil {
			row := r.main[r.at].Issue
			r.at++
			r.opened(changes, row, units, &v)
			out.Settlement, out.Issue, out.Kind, state = landfall.SettledMoved, row.Issue.ID, row.Issue.Kind, store.WithErrors
			break
		}
		if v.applied() {
			r.alike(first.Key.String(), v.changes, changes)
		} else {
			r.complain(disagree(&v), "%s is applied after waiting, and should be %s", first.Key, v.String())
		}
		r.fold(changes)
		for _, it := range units {
			next := *r.m.items[it.Key]
			next.took = r.seq
			r.m.items[it.Key] = &next
		}
	case v.waits != "":
		out.Settlement, out.Issue, state = landfall.SettledMoved, v.waits, store.Queued
	case !v.applied() || len(v.changes) > 0:
		r.complain(disagree(&v), "%s has no effect after waiting, and should be %s", first.Key, v.String())
	}
	for _, of := range units {
		it := r.take(of)
		out.Incarnation, out.N, out.Seq = of.Key.Incarnation, of.Key.N, r.seq
		if it != nil && (it.Outcome == nil || *it.Outcome != out || it.Holder != out.Issue || it.State != state) {
			r.complain("outcome", "%s is %+v after waiting, held by %q, and should be %+v", of.Key, it.Outcome, it.Holder, out)
		}
	}
	var again []*Item
	for _, of := range units {
		again = append(again, r.m.items[of.Key])
	}
	r.laned(again)
}
