package model

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// deskOf is what the replicas of people at the desk are called by.
const deskOf = "desk:"

// arrive takes a new item in, and checks that it is what was sent, and in order.
func (r *reading) arrive(it *store.Item) *Item {
	out := &Item{Item: *it, Sent: it.Bytes}
	out.mutation, out.bad = r.m.read(it.Bytes, it.Key)
	if old := r.m.items[it.Key]; old != nil {
		r.complain("once", "item %s arrives again", it.Key)
	} else {
		r.m.arrived = append(r.m.arrived, it.Key)
	}
	if got := hash(it.Bytes); got != it.Hash {
		r.complain("once", "item %s has the hash %s, its bytes %s", it.Key, it.Hash, got)
	}
	if out.bad == "" {
		if it.Unbased && out.mutation.Base != nil {
			out.mutation.Base.Lost = true
		}
		x := &out.mutation
		if it.Op != x.Op || x.Op != landfall.OpWithdraw && (it.Record != x.ID || it.Type != x.Type) {
			r.complain("item", "item %s is kept as %s of %s %s, but is %s of %s %s", it.Key, it.Op, it.Type, it.Record, x.Op, x.Type, x.ID)
		}
	}
	if d := r.m.devices[it.Key.Replica]; d != nil && d.User != it.User {
		r.complain("item", "item %s is of %s, its device of %s", it.Key, it.User, d.User)
	}
	if by := landedBy(it); by != "" && !r.lands(it.Key.Replica, by) && !r.landing(it.Key.Replica, by) {
		r.complain("audit", "item %s was landed by %s, and the audit does not tell", it.Key, by)
	}
	r.edited(out)
	switch {
	case r.dueLoss(it):
	case it.Key.Incarnation > 0:
		r.inOrder(out)
	default:
		r.apart(out)
	}
	return out
}

// landedBy is who handed an item in that was exported from its device.
func landedBy(it *store.Item) string {
	if len(it.History) == 0 || strings.HasPrefix(it.Key.Replica, deskOf) {
		return ""
	}
	return it.History[0].By
}

// lands reports whether the audit tells who landed an export of a device.
func (r *reading) lands(replica, by string) bool {
	return slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
		return e.Action == store.DeviceLand && e.Object == replica && e.By == by && e.Outcome == store.AuditDone
	})
}

// landing: an export was captured, and is judged piece by piece; the audit tells of
// it with the last.
func (r *reading) landing(replica, by string) bool {
	for _, p := range r.m.pushes {
		if p.Replica == replica && p.By == by {
			return true
		}
	}
	return false
}

// inOrder: numbers are gapless in an incarnation, and incarnations go up.
func (r *reading) inOrder(it *Item) {
	k := it.Key
	at := r.m.replicas[k.Replica]
	if at.next == 0 {
		at = replica{incarnation: 1, next: 1}
	}
	if k.Incarnation > at.incarnation {
		at = replica{incarnation: k.Incarnation, next: 1, closed: at.closed}
	}
	if k.Incarnation != at.incarnation || k.N != at.next || k.Incarnation <= at.closed {
		r.complain("order", "item %s arrives when %d.%d is next, and incarnations up to %d are closed", k, at.incarnation, at.next, at.closed)
	}
	at.next, at.hash, at.edit = k.N+1, it.Hash, it.EditedAt
	r.m.replicas[k.Replica] = at
	if !strings.HasPrefix(k.Replica, deskOf) {
		r.replicas[k.Replica] = true
	}
}

// apart: what forks is never what is there under its number.
func (r *reading) apart(it *Item) {
	r.m.forks[fork{it.Key.Replica, it.Key.N, it.Hash}] = it.Key
	at := r.m.replicas[it.Key.Replica]
	for inc := range at.incarnation {
		if o := r.m.items[landfall.Key{Replica: it.Key.Replica, Incarnation: inc + 1, N: it.Key.N}]; o != nil && o.Hash == it.Hash && at.incarnation == 1 {
			r.complain("once", "item %s is what %s was, and is kept as a fork", it.Key, o.Key)
		}
	}
}

// edited: an edit is made between the commit of its base and its receipt, and
// not before the one before it.
func (r *reading) edited(it *Item) {
	k, x := it.Key, &it.mutation
	var floor time.Time
	if at := r.m.replicas[k.Replica]; at.incarnation == k.Incarnation {
		floor = at.edit
	}
	if x.Base != nil && it.bad == "" && x.Base.Version > 0 && !x.Base.Lost {
		if rec := r.m.records[x.ID]; rec != nil {
			for i := range rec.history {
				if c := rec.history[i]; c.Seq == x.Base.Version && c.At.After(floor) {
					floor = c.At
				}
			}
		}
	}
	if floor.After(it.ReceivedAt) {
		floor = it.ReceivedAt
	}
	if it.EditedAt.Before(floor) || it.EditedAt.After(it.ReceivedAt) {
		r.complain("edit-time", "item %s was edited at %s, not between %s and %s", k, stamp(it.EditedAt), stamp(floor), stamp(it.ReceivedAt))
		return
	}
	sent, known := r.m.pushed[arrival{k.Replica, it.ReceivedAt.UnixNano()}]
	if !known || sent.twice || k.Incarnation < 0 {
		return
	}
	want := it.ReceivedAt
	if ago := sent.clock.Sub(x.MadeAt); it.bad == "" && !sent.clock.IsZero() && ago > 0 {
		want = want.Add(-ago)
	}
	if want.Before(floor) {
		want = floor
	}
	if !want.Equal(it.EditedAt) {
		r.complain("edit-time", "item %s was edited at %s, and is kept as edited at %s", k, stamp(want), stamp(it.EditedAt))
	}
}

// put takes an item in as it is written now: what was answered stays.
func (r *reading) put(it *store.Item) {
	old := r.m.items[it.Key]
	if old == nil {
		r.complain("once", "item %s is written, and never arrived", it.Key)
		old = &Item{Item: *it}
		old.mutation, old.bad = r.m.read(it.Bytes, it.Key)
	}
	if old.Hash != it.Hash || old.User != it.User || !old.EditedAt.Equal(it.EditedAt) || !old.ReceivedAt.Equal(it.ReceivedAt) || old.Unbased != it.Unbased {
		r.complain("once", "item %s is another than it was", it.Key)
	}
	if len(it.Bytes) == 0 && len(old.Bytes) > 0 || len(it.Bytes) > 0 && hash(it.Bytes) != it.Hash {
		r.complain("once", "item %s does not have the bytes any more that were sent", it.Key)
	}
	if !sameReceipt(&old.Receipt, &it.Receipt) {
		r.complain("receipt", "the receipt of %s changes from %s to %s", it.Key, answer(&old.Receipt), answer(&it.Receipt))
	}
	next := *old
	next.Item = *it
	r.m.keep(&next)
}

// keep stores an item, and where it is held.
func (m *Model) keep(it *Item) {
	old := m.items[it.Key]
	m.items[it.Key] = it
	was := old != nil && old.Holder != ""
	lane := m.lanes[it.Key.Replica]
	switch {
	case was && it.Holder == "":
		m.lanes[it.Key.Replica] = slices.DeleteFunc(slices.Clone(lane), func(k landfall.Key) bool { return k == it.Key })
	case !was && it.Holder != "":
		lane = append(slices.Clone(lane), it.Key)
		slices.SortFunc(lane, func(a, b landfall.Key) int {
			if a.Incarnation != b.Incarnation {
				return compare(a.Incarnation, b.Incarnation)
			}
			return compare(a.N, b.N)
		})
		m.lanes[it.Key.Replica] = lane
	}
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func sameReceipt(a, b *landfall.Receipt) bool {
	return a.N == b.N && a.Result == b.Result && a.Seq == b.Seq && a.Issue == b.Issue && a.Kind == b.Kind && a.Waiting == b.Waiting && a.Note == b.Note &&
		slices.Equal(a.Messages, b.Messages)
}

// answer is a receipt in words.
func answer(x *landfall.Receipt) string {
	s := string(x.Result)
	if x.Waiting {
		s = "waiting"
	}
	if x.Kind != "" {
		s += " " + string(x.Kind)
	}
	return s
}

// replica compares where a replica stands with what arrived from it.
func (r *reading) replica(d *store.Replica) {
	delete(r.replicas, d.ID)
	at := r.m.replicas[d.ID]
	if at.next == 0 {
		at = replica{incarnation: 1, next: 1}
	}
	old := r.rows[d.ID]
	if old != nil && d.Incarnation > at.incarnation && r.has(store.DeviceSignin, d.ID) {
		at = r.returns(old, d, at)
	}
	r.orders(old, d)
	r.rows[d.ID] = d
	if d.Incarnation != at.incarnation || d.Next != at.next || d.LastHash != at.hash || !d.LastEdit.Equal(at.edit) {
		r.complain("order", "replica %s is kept at %d.%d, and stands at %d.%d", d.ID, d.Incarnation, d.Next, at.incarnation, at.next)
	}
	if d.Closed < at.closed {
		r.complain("order", "replica %s has incarnations closed up to %d, and had up to %d", d.ID, d.Closed, at.closed)
	}
	at.closed = d.Closed
	r.m.replicas[d.ID], r.m.devices[d.ID] = at, d
}

// enrolled takes in a replica as it begins.
func (r *reading) enrolled(d *store.Replica) {
	r.m.devices[d.ID] = d
	if r.m.replicas[d.ID].next == 0 {
		r.m.replicas[d.ID] = replica{incarnation: 1, next: 1}
	}
}

// body is what the model looks at of a captured push.
type body struct {
	Clock       time.Time         `json:"clock"`
	Incarnation int64             `json:"incarnation"`
	First       int64             `json:"first"`
	Mutations   []json.RawMessage `json:"mutations"`
}

// note keeps what the clock of a captured push said.
func (m *Model) note(p *store.Push) {
	var b body
	if json.Unmarshal(p.Body, &b) == nil {
		m.Pushed(p.Replica, p.Received, b.Clock)
		if p.By != "" { // when it was exported does not say when it was made
			m.pushed[arrival{p.Replica, p.Received.UnixNano()}] = clocks{twice: true}
		}
	}
}

// judgedPush: what was captured is let go when each of it has its receipt.
func (r *reading) judgedPush(id int64) {
	p := r.m.pushes[id]
	if p == nil {
		r.complain("capture", "push %d is let go, and was never captured", id)
		return
	}
	delete(r.m.pushes, id)
	if p.By != "" && !r.lands(p.Replica, p.By) {
		r.complain("audit", "an export of %s was landed by %s, and the audit does not tell", p.Replica, p.By)
	}
	var b body
	if json.Unmarshal(p.Body, &b) != nil {
		return
	}
	var without []int
	for i, raw := range b.Mutations {
		if r.m.received(landfall.Key{Replica: p.Replica, Incarnation: b.Incarnation, N: b.First + int64(i)}, hash(raw)) == nil {
			without = append(without, i)
		}
	}
	// Where numbers before it were missing, nothing of it is stored. Another push of
	// the same commit may have brought them, after this one was looked at.
	at := r.stood[p.Replica]
	missing := b.First > at.next && b.Incarnation >= at.incarnation || b.Incarnation > at.incarnation && b.First > 1
	if missing && len(without) == len(b.Mutations) {
		return
	}
	for _, i := range without {
		r.complain("capture", "mutation %d of the push %d of %s is let go without a receipt", i, id, p.Replica)
	}
}

// received is the item that has the number and the hash, in its incarnation or
// as a fork of it; nil for none.
func (m *Model) received(k landfall.Key, hash string) *Item {
	if it := m.items[k]; it != nil && it.Hash == hash {
		return it
	}
	return m.items[m.forks[fork{k.Replica, k.N, hash}]]
}

// members takes the items of one unit: count of them, or, where that is 0, as
// many as the group of the first has.
func (r *reading) members(count int) []*Item {
	first := r.arrive(r.main[r.at].Item)
	out := []*Item{first}
	r.at++
	if count == 0 {
		count = 1
		if first.grouped() && first.Key.Incarnation > 0 {
			count = first.mutation.Group.Of
		}
	}
	for len(out) < count && r.at < len(r.main) {
		op := &r.main[r.at]
		k := first.Key
		k.N += int64(len(out))
		if !isNew(op) || op.Item.Key != k {
			break
		}
		out = append(out, r.arrive(op.Item))
		r.at++
	}
	if len(out) != count {
		r.complain("group", "of the group of %s there are %d of %d", first.Key, len(out), count)
	}
	return out
}

func isNew(op *watch.Op) bool { return op.Item != nil && op.Added }
