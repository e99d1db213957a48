package doctor

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// issues goes through all issues, newest first.
func (w *workspace) issues() error {
	for after := ""; ; {
		rows, err := w.r.Issues(w.ws, store.IssueFilter{}, store.Page{After: after, Limit: page})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := w.issue(row); err != nil {
				return err
			}
			after = strconv.FormatInt(row.Issue.Number, 10)
		}
		if err := w.looked(Issues, "issues", int64(len(rows))); err != nil {
			return err
		}
	}
}

func (w *workspace) issue(row *store.IssueRow) error {
	i := &row.Issue
	tell := func(form string, args ...any) {
		w.found(Issues, Finding{Issue: i.ID, Record: i.Record, What: fmt.Sprintf("issue %d: ", i.Number) + fmt.Sprintf(form, args...)})
	}
	if len(row.Sent) > 0 && core.Hash(row.Sent[0]) != row.Hash {
		tell("what was sent is not what its hash says")
	}
	if err := w.sameAsRecord(i, tell); err != nil {
		return err
	}
	held, err := w.r.Held(w.ws, i.ID)
	if err != nil {
		return err
	}
	if !i.Open() {
		if len(held) > 0 {
			tell("it is resolved, and still holds %s", held[0].Key)
		}
		if i.Settlement == "" {
			tell("it is resolved, but nothing says how")
		}
		return nil
	}
	if i.Through == 0 { // one that was settled and reopened holds nothing any more
		w.holdsRefused(i, held, tell)
	}
	return w.lanes(held, tell)
}

// sameAsRecord: the issue stands a second time, as the record that is synced.
func (w *workspace) sameAsRecord(i *landfall.Issue, tell func(string, ...any)) error {
	row, err := w.r.Row(w.ws, i.ID)
	if err != nil {
		return err
	}
	want, err := i.AsRecord()
	if err != nil {
		return err
	}
	if row == nil {
		tell("the record that devices receive of it is not there")
		return nil
	}
	r := row.Record
	if r.Type != want.Type || r.Version != want.Version || r.Status != want.Status || r.Queue != want.Queue || r.Assignee != want.Assignee || !sameJSON(r.Fields, want.Fields) {
		tell("the record that devices receive of it says something else")
	}
	return nil
}

func sameJSON(a, b landfall.Fields) bool {
	if len(a) != len(b) {
		return false
	}
	for name := range a {
		var x, y any
		if landfall.SameValue(a[name], b[name]) {
			continue
		}
		if json.Unmarshal(a[name], &x) != nil || json.Unmarshal(b[name], &y) != nil || !reflect.DeepEqual(x, y) {
			return false
		}
	}
	return true
}

// holdsRefused: an open issue holds the mutations that were refused. Those of a
// fork are kept under an incarnation of their own, below zero.
func (w *workspace) holdsRefused(i *landfall.Issue, held []*store.Item, tell func(string, ...any)) {
	for n := i.N; n < i.N+int64(max(i.Group, 1)); n++ {
		if !slices.ContainsFunc(held, func(it *store.Item) bool {
			return it.Key.Replica == i.Device && it.Key.N == n && (it.Key.Incarnation == i.Incarnation || it.Key.Incarnation < 0)
		}) {
			tell("it is open, but does not hold %s", landfall.Key{Replica: i.Device, Incarnation: i.Incarnation, N: n})
		}
	}
}

// lanes: what is held is found by each record that it touches, or what comes
// after it would not wait.
func (w *workspace) lanes(held []*store.Item, tell func(string, ...any)) error {
	type lane struct{ replica, record string }
	known := map[lane]map[landfall.Key]bool{}
	for _, it := range held {
		for _, record := range it.Refs {
			l := lane{it.Key.Replica, record}
			if known[l] == nil {
				items, err := w.r.Lane(w.ws, l.replica, l.record)
				if err != nil {
					return err
				}
				known[l] = map[landfall.Key]bool{}
				for _, other := range items {
					known[l][other.Key] = true
				}
			}
			if !known[l][it.Key] {
				tell("it holds %s, but the lane of the record %s does not have it", it.Key, record)
			}
		}
	}
	return nil
}
