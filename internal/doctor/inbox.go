package doctor

import (
	"fmt"
	"math"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// page is how many rows are read at a time.
const page = 500

// inbox goes through what each device, and each person at the desk, sent.
func (w *workspace) inbox() error {
	for after := ""; ; {
		rows, err := w.r.Replicas(w.ws, "", store.Page{After: after, Limit: page})
		if err != nil || len(rows) == 0 {
			if err != nil {
				return err
			}
			break
		}
		for _, rep := range rows {
			if err := w.sender(rep); err != nil {
				return err
			}
			after = rep.ID
		}
	}
	for after := ""; ; {
		rows, err := w.r.Users(w.ws, store.Page{After: after, Limit: page})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, u := range rows {
			desk := core.DeskReplica + ":" + u.Name
			last, err := w.r.Counter(w.ws, desk)
			if err != nil {
				return err
			}
			if err := w.sender(&store.Replica{ID: desk, Incarnation: 1, Next: last + 1}); err != nil {
				return err
			}
			after = u.Name
		}
	}
}

// numbering follows the numbers of one sender downwards, as they are listed.
type numbering struct {
	w    *workspace
	rep  *store.Replica
	at   int64 // incarnation
	next int64 // number that must come next; 0 when all have come
}

// sender checks all items of one replica: the numbers 1 to next-1 of its
// incarnation, and those of earlier ones from 1 on, have one each. What a fork
// brought is kept below zero, under numbers that others have.
func (w *workspace) sender(rep *store.Replica) error {
	n := &numbering{w: w, rep: rep, at: rep.Incarnation, next: max(rep.Next-1, 0)}
	for after := ""; ; {
		items, err := w.r.Items(w.ws, store.ItemFilter{Replica: rep.ID}, store.Page{After: after, Limit: page})
		if err != nil {
			return err
		}
		for _, it := range items {
			n.take(it)
			if err := w.item(it); err != nil {
				return err
			}
			after = it.Key.String()
		}
		if err := w.looked(Items, "inbox items", int64(len(items))); err != nil {
			return err
		}
		if len(items) < page {
			n.end()
			return nil
		}
	}
}

func (n *numbering) take(it *store.Item) {
	n.w.results[Numbers].Checked++
	k := it.Key
	if k.Incarnation < 0 {
		return
	}
	if k.Incarnation > n.rep.Incarnation || k.Incarnation == n.rep.Incarnation && k.N >= max(n.rep.Next, 1) || k.N < 1 {
		n.wrong("the server takes it for not received: the device stands at %d.%d", n.rep.Incarnation, n.rep.Next, it)
		return
	}
	if k.Incarnation != n.at {
		n.end()
		n.at, n.next = k.Incarnation, k.N
	}
	if k.N < n.next {
		n.missing(k.N+1, n.next)
	}
	if k.Incarnation == n.rep.Incarnation && k.N == n.rep.Next-1 && n.rep.LastHash != "" && it.Hash != n.rep.LastHash {
		n.w.found(Numbers, Finding{Item: k.String(), Device: n.rep.ID, What: "it is not the one that the device stands at: its hash is another"})
	}
	n.next = k.N - 1
}

// end: the numbers down to 1 must have come.
func (n *numbering) end() {
	n.missing(1, n.next)
	n.next = 0
}

func (n *numbering) missing(from, to int64) {
	if from > to {
		return
	}
	what := fmt.Sprintf("numbers %d to %d of incarnation %d have no inbox item", from, to, n.at)
	if from == to {
		what = fmt.Sprintf("number %d of incarnation %d has no inbox item", from, n.at)
	}
	n.w.found(Numbers, Finding{Device: n.rep.ID, What: what})
}

func (n *numbering) wrong(form string, incarnation, next int64, it *store.Item) {
	n.w.found(Numbers, Finding{Item: it.Key.String(), Device: n.rep.ID, What: fmt.Sprintf(form, incarnation, next)})
}

// item checks one: what became of it, and that its receipt, its state and its
// outcome say the same.
func (w *workspace) item(it *store.Item) error {
	tell := func(form string, args ...any) {
		w.found(Items, Finding{Item: it.Key.String(), Record: it.Record, Issue: it.Holder, What: fmt.Sprintf(form, args...)})
	}
	switch cleaned := it.Cleaned != nil; {
	case cleaned && (it.State != store.Completed || it.Holder != "" || len(it.Bytes) > 0):
		tell("its parameters were removed as those of a completed item, but it is %s", it.State)
	case !cleaned && len(it.Bytes) == 0:
		tell("what was sent is not there")
	case !cleaned && core.Hash(it.Bytes) != it.Hash:
		tell("what was sent is not what its hash says")
	}
	r := &it.Receipt
	if r.N != it.Key.N {
		tell("its receipt is of number %d", r.N)
	}
	if r.Seq > w.head.Seq || it.Outcome != nil && it.Outcome.Seq > w.head.Seq {
		tell("it was judged at a place beyond the end of the sequence, %d", w.head.Seq)
	}
	fate, wrong := fateOf(it)
	if wrong != "" {
		tell("%s", wrong)
	}
	counts := &w.results[Items].Counts
	if *counts == nil {
		*counts = map[string]int64{}
	}
	(*counts)[fate]++
	if r.Result == landfall.Applied {
		return w.effect(it)
	}
	return w.inIssue(it, tell)
}

// fateOf is what became of an item, and what of it does not fit together.
func fateOf(it *store.Item) (fate, wrong string) {
	r, o := &it.Receipt, it.Outcome
	switch {
	case r.Result == landfall.Applied:
		fate = "applied"
		if r.Note != "" {
			fate = "without effect"
		}
		if it.Op == landfall.OpVoid {
			fate = "void"
		}
		if it.State != store.Completed || it.Holder != "" || o != nil {
			wrong = "its receipt says applied, but it is " + string(it.State) + also(it)
		}
	case r.Result != landfall.Issued:
		return "unknown", "it has no receipt: its result is " + strconv.Quote(string(r.Result))
	case it.Holder != "":
		fate = "in an issue"
		if it.State == store.Queued {
			fate = "waiting"
		}
		if it.Op == landfall.OpLost {
			fate = "lost"
		}
		if it.State != store.Queued && it.State != store.WithErrors || o != nil && o.Settlement != landfall.SettledMoved {
			wrong = "an open issue holds it, but it is " + string(it.State)
		}
	case o == nil || o.Settlement == landfall.SettledMoved || o.Settlement == "":
		return "unknown", "its receipt says issue, but no issue holds it and none was settled"
	default:
		fate = "settled"
		state := store.Completed
		if o.Settlement == landfall.SettledWithdrawn {
			state = store.Withdrawn
		}
		if it.State != state {
			wrong = "its issue ended as " + string(o.Settlement) + ", but it is " + string(it.State)
		}
	}
	return fate, wrong
}

func also(it *store.Item) string {
	switch {
	case it.Holder != "":
		return ", and an issue holds it"
	case it.Outcome != nil:
		return ", and it was settled as " + string(it.Outcome.Settlement)
	}
	return ""
}

// inIssue: the issues that the item names are there, and the one that holds it
// is the one that it was told last.
func (w *workspace) inIssue(it *store.Item, tell func(string, ...any)) error {
	named := it.Receipt.Issue
	if it.Outcome != nil && it.Outcome.Settlement == landfall.SettledMoved {
		named = it.Outcome.Issue
	}
	if it.Holder != "" && it.Holder != named {
		tell("an issue holds it, but its device was told of another: %s", named)
	}
	if named == "" {
		return nil
	}
	row, err := w.r.Issue(w.ws, named)
	if err != nil {
		return err
	}
	switch {
	case row == nil:
		tell("its issue %s is not there", named)
	case it.Holder == named && !row.Issue.Open():
		w.found(Issues, Finding{Item: it.Key.String(), Issue: named, What: fmt.Sprintf("issue %d is resolved, but still holds the item", row.Issue.Number)})
	}
	return nil
}

// effect: an applied item with an effect has its change in the record's log, at
// the receipt's place. A member of a group, and what amends an issue, is judged
// with others, and may add nothing to them; whether one that was cleaned was such
// nobody can tell.
func (w *workspace) effect(it *store.Item) error {
	if it.Receipt.Note != "" || it.Record == "" {
		return nil
	}
	if it.Cleaned != nil {
		return nil
	}
	if m, bad := core.ParseMutation(it.Bytes, it.Key.N, core.Limits{}); bad == nil && (m.Group != nil || m.Amends != nil) {
		return nil
	}
	w.results[Commits].Checked++
	place := store.Place{ID: it.Record, Seq: it.Receipt.Seq - 1, Index: math.MaxInt32}
	for {
		next, err := w.r.Log(w.ws, place, 1) // almost always the first is it
		if err != nil {
			return err
		}
		if len(next) == 0 || next[0].ID != it.Record || next[0].Seq != it.Receipt.Seq {
			w.found(Commits, Finding{Item: it.Key.String(), Record: it.Record, What: fmt.Sprintf("it was applied at %d, but the history of the record has nothing of it there", it.Receipt.Seq)})
			return nil
		}
		if next[0].Origin == it.Key {
			return nil
		}
		place = store.PlaceOf(&next[0])
	}
}
