package model

import "github.com/landfall-sync/landfall"

// held lists what an issue holds, in order.
func (m *Model) held(issue *Issue) []*Item {
	var out []*Item
	for _, k := range m.lanes[issue.Device] {
		if it := m.items[k]; it.Holder == issue.ID {
			out = append(out, it)
		}
	}
	return out
}

// refusedBy reports whether the item is the mutation, or of the group, that
// became the issue.
func refusedBy(i *Issue, it *Item) bool {
	fork := it.Key.Incarnation < 0
	if k := it.Key.N - i.N; k < 0 || k >= int64(len(i.Hashes)) || i.Hashes[k] != it.Hash {
		return false // a fork's number is another's, too
	}
	return (fork || it.Key.Incarnation == i.Incarnation) && it.Key.N >= i.N && it.Key.N < i.N+int64(max(1, i.Group))
}

// lane is what is judged with an issue, of what it holds: what was refused, and
// what follows on its records. A group that waits is never divided: where only a
// part of it is on these records, the lane ends.
func (m *Model) lane(i *Issue) []*Item {
	var own []*Item
	held := m.held(i)
	on := map[string]bool{}
	if i.Record != "" {
		on[i.Record] = true
	}
	whole := map[string]int{}
	for _, it := range held {
		if i.Group > 0 && refusedBy(i, it) {
			on[it.Record] = true
		}
	}
	for _, it := range held {
		if it.grouped() && on[it.Record] {
			whole[it.mutation.Group.ID]++
		}
	}
	ended := false
	for _, it := range held {
		follows := it.Record != "" && on[it.Record]
		if follows && !refusedBy(i, it) && it.grouped() && whole[it.mutation.Group.ID] < it.mutation.Group.Of {
			ended = true
		}
		if refusedBy(i, it) || follows && !ended {
			own = append(own, it)
		}
	}
	return own
}

// again are the items of an issue that was settled and reopened.
func (m *Model) again(i *Issue) []*Item {
	var out []*Item
	for n, hash := range i.Hashes {
		if it := m.received(landfall.Key{Replica: i.Device, Incarnation: i.Incarnation, N: i.N + int64(n)}, hash); it != nil {
			out = append(out, it)
		}
	}
	return out
}

// divides reports whether a group stands on both sides of the cut.
func divides(own []*Item, n int) bool {
	if n == 0 || n == len(own) {
		return false
	}
	a, b := own[n-1], own[n]
	return a.grouped() && b.grouped() && *a.mutation.Group == *b.mutation.Group
}

// retry is what the rules make of another try: the lane as one, else the longest
// beginning of it that passes. It returns what that covers.
func (r *reading) retry(i *Issue) (verdict, []*Item) {
	own := r.m.lane(i)
	if len(own) == 0 {
		own = r.m.again(i)
	}
	refused := verdict{kind: i.Kind, why: "it can't be judged"}
	if len(own) == 0 || own[0].bad != "" || own[0].grouped() && i.Group == 0 || own[0].mutation.Op == landfall.OpLost || own[0].mutation.Op == landfall.OpWithdraw {
		return refused, nil
	}
	for n := len(own); n >= max(1, i.Group); n-- {
		if divides(own, n) {
			continue
		}
		v := r.m.judge(r.m.actor(i.Author, i.Device), steps(own[:n], i.ID), true, r.seq, r.now())
		if v.applied() {
			return v, own[:n]
		}
		refused = v
	}
	return refused, nil
}
