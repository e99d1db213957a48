package rehearse

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// windowPage is how many items are read at a time.
const windowPage = 500

// spot is an item of the window: where it was judged, and with what. It is all
// that is held of it, so that a long window fits into memory.
type spot struct {
	key    landfall.Key
	record string
	seq    int64  // where its verdict was made
	as     string // what it was judged with: its group or lane; "" for alone
	of     int    // members of the group; 0: not known
	first  bool   // it is what the lane begins with
	took   bool   // it took effect there
}

// unit is what was judged as one.
type unit struct {
	spots []spot
	lane  bool
}

func (u *unit) seq() int64 { return u.spots[0].seq }

// window goes through the last items and says where each was judged. What has no
// verdict of its own to compare is counted alone.
func (r *run) window(most int) ([]unit, error) {
	o := &r.out.Items
	var spots []spot
	for after := ""; o.Looked < most; {
		var page []*store.Item
		err := r.view(func(s store.Reader) (err error) {
			page, err = s.Items(r.ws, store.ItemFilter{}, store.Page{After: after, Limit: min(windowPage, most-o.Looked)})
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for _, it := range page {
			o.Looked++
			if x, judged := place(it); judged {
				spots = append(spots, x)
			} else {
				o.Unjudged++
			}
		}
		after = page[len(page)-1].Key.String()
		r.progress("history", o.Looked, most)
	}
	return r.units(spots), nil
}

// place is where the verdict on an item was made: what took effect as it was
// sent, there; what was refused and never took effect so, where it was refused.
func place(it *store.Item) (x spot, judged bool) {
	x = spot{key: it.Key, record: it.Record, seq: it.Receipt.Seq}
	settled := it.Outcome != nil && it.Outcome.Settlement == landfall.SettledApplied
	switch {
	case it.Receipt.Result == "" || it.Record == "" || it.Unbased:
		return x, false
	case it.Key.Incarnation < 0 || it.Receipt.Kind == landfall.KindMalformed || it.Receipt.Kind == landfall.KindLost || it.Receipt.Kind == landfall.KindInternal || it.Receipt.Kind == landfall.KindFork:
		return x, false
	case it.Receipt.Result == landfall.Applied:
		x.took = true
	case settled:
		x.seq, x.took, x.first = it.Outcome.Seq, true, !it.Receipt.Waiting
		if last := len(it.History) - 1; last >= 0 && it.History[last].By != "" { // else it was released, and judged as if it came then
			x.as = fmt.Sprint("lane ", it.Key.Replica, " ", x.seq)
		}
	case it.Receipt.Waiting:
		return x, false // it was never judged, or something else was made of it
	}
	m, bad := core.ParseMutation(it.Bytes, it.Key.N, core.Limits{})
	if bad != nil || m.Amends != nil {
		return x, false
	}
	switch m.Op {
	case landfall.OpCreate, landfall.OpUpdate, landfall.OpTransition, landfall.OpDelete, landfall.OpRestore:
	default:
		return x, false
	}
	if g := m.Group; g != nil && x.as == "" {
		x.as, x.of = fmt.Sprint("group ", it.Key.Replica, " ", it.Key.Incarnation, " ", g.ID), g.Of
	}
	return x, true
}

// units puts together what was judged as one, in the order of records and places.
func (r *run) units(spots []spot) []unit {
	together := map[string][]spot{}
	var out []unit
	for _, x := range spots {
		if x.as == "" {
			out = append(out, unit{spots: []spot{x}})
			continue
		}
		together[x.as] = append(together[x.as], x)
	}
	for _, all := range together {
		slices.SortFunc(all, func(a, b spot) int {
			return cmp.Or(cmp.Compare(a.key.Incarnation, b.key.Incarnation), cmp.Compare(a.key.N, b.key.N))
		})
		lane := all[0].of == 0
		// A part of a group, or the end of a lane, is not what was judged.
		if !lane && len(all) != all[0].of || lane && !all[0].first {
			r.out.Items.Unjudged += len(all)
			continue
		}
		out = append(out, unit{spots: all, lane: lane})
	}
	slices.SortFunc(out, func(a, b unit) int {
		x, y := &a.spots[0], &b.spots[0]
		return cmp.Or(cmp.Compare(x.record, y.record), cmp.Compare(x.seq, y.seq), cmp.Compare(x.key.Replica, y.key.Replica), cmp.Compare(x.key.Incarnation, y.key.Incarnation), cmp.Compare(x.key.N, y.key.N))
	})
	return out
}
