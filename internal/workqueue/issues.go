package workqueue

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Filters of a list by state, besides the states themselves.
const (
	unresolved = "unresolved" // open and claimed
	anyState   = "all"        // as an empty filter
)

var states = []string{landfall.IssueOpen, landfall.IssueClaimed, landfall.IssueResolved, unresolved, anyState}

var kinds = []landfall.Kind{
	landfall.KindAuthorization, landfall.KindValidation, landfall.KindConfiguration, landfall.KindStatus,
	landfall.KindField, landfall.KindGone, landfall.KindDuplicate, landfall.KindNotAvailable, landfall.KindOutdated,
	landfall.KindMalformed, landfall.KindFork, landfall.KindLost, landfall.KindInternal,
}

// Issues lists the issues that the caller may see, newest first; the cursor of
// a row is its number. The state "all" does not narrow, as none.
// Record is an id, or the number or the beginning of the id of a record that
// the caller may see. An unknown state, kind or queue is CodeInvalid.
func (d *Desk) Issues(ctx context.Context, ws string, actor landfall.Actor, f store.IssueFilter, p store.Page) (wire.List[wire.IssueView], error) {
	list := wire.List[wire.IssueView]{Items: []wire.IssueView{}}
	err := d.look(ctx, ws, actor, func(v *view) error {
		f, err := v.filter(f)
		if err != nil {
			return err
		}
		list.Next, err = v.issues(f, page(p), func(row *store.IssueRow) error {
			w, err := v.issueView(row)
			if err == nil {
				list.Items = append(list.Items, *w)
			}
			return err
		})
		return err
	})
	return list, err
}

// filter checks the names in a filter and puts in what they stand for.
func (v *view) filter(f store.IssueFilter) (store.IssueFilter, error) {
	if f.State == anyState {
		f.State = ""
	}
	if f.State != "" && !slices.Contains(states, f.State) {
		return f, definition.Unknown(landfall.CodeInvalid, "state of issues", f.State, states)
	}
	if f.Kind != "" && !slices.Contains(kinds, f.Kind) {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = string(k)
		}
		return f, definition.Unknown(landfall.CodeInvalid, "kind of issues", string(f.Kind), names)
	}
	if f.Queue != "" && !v.queue(f.Queue).declared {
		return f, definition.Unknown(landfall.CodeInvalid, "queue", f.Queue, v.queues())
	}
	if f.Record == "" {
		return f, nil
	}
	id, err := v.recordID(f.Record)
	f.Record = id
	return f, err
}

// recordID is the id that ref stands for: a number or the beginning of the id
// of a record that the caller may see, else ref itself.
func (v *view) recordID(ref string) (string, error) {
	for _, number := range []string{ref, strings.ToUpper(ref)} {
		rec, err := v.r.RecordByNumber(v.ws, number)
		if err != nil {
			return "", err
		}
		if rec == nil {
			continue
		}
		if ok, err := v.sees(rec.ID); ok || err != nil {
			return rec.ID, err
		}
	}
	const few = 50
	ids, err := v.r.RecordsByPrefix(v.ws, ref, few)
	if err != nil || len(ids) == few {
		return ref, err
	}
	found := ref
	for _, id := range ids {
		if id == ref {
			return ref, nil
		}
		ok, err := v.sees(id)
		if err != nil {
			return "", err
		}
		if ok && found != ref {
			return ref, nil // the beginning of more than one
		}
		if ok {
			found = id
		}
	}
	return found, nil
}

// issues gives f at most p.Limit issues that the caller may see, and returns
// the cursor of the next page, "" at the end.
func (v *view) issues(f store.IssueFilter, p store.Page, each func(*store.IssueRow) error) (string, error) {
	after, last, n := p.After, "", 0
	chunk := min(p.Limit+1, largestPage)
	for {
		rows, err := v.r.Issues(v.ws, f, store.Page{After: after, Limit: chunk})
		if err != nil {
			return "", err
		}
		for _, row := range rows {
			after = strconv.FormatInt(row.Issue.Number, 10)
			ok, err := v.seesIssue(&row.Issue)
			if err != nil {
				return "", err
			}
			if !ok {
				continue
			}
			if n == p.Limit {
				return last, nil
			}
			if err := each(row); err != nil {
				return "", err
			}
			last = after
			n++
		}
		if len(rows) < chunk {
			return "", nil
		}
	}
}

// seesIssue reports whether the caller is in the issue's audience, or may
// decide it: what is in a queue that is no longer declared is the administrators'.
func (v *view) seesIssue(i *landfall.Issue) (bool, error) {
	ok, err := v.sees(i.ID)
	return ok || err == nil && v.decides(i), err
}

func (v *view) issueView(row *store.IssueRow) (*wire.IssueView, error) {
	i := row.Issue
	w := &wire.IssueView{
		Issue: i, ID: i.ID, Version: i.Version, State: i.State, Queue: i.Queue, Assignee: i.Assignee,
	}
	if i.Queue != "" {
		w.QueueTitle = v.queue(i.Queue).title
	}
	if i.RecordType != "" {
		w.RecordTitle = v.title(i.RecordType)
	}
	if w.Messages == nil {
		w.Messages = []landfall.Message{}
	}
	var err error
	if w.RecordNumber, err = v.number(i.Record); err != nil {
		return nil, err
	}
	dev, err := v.r.Replica(v.ws, i.Device)
	if dev != nil {
		w.DeviceName = dev.Name
	}
	return w, err
}

// IssueID is the id of the issue that ref names: by number, id, or an id's
// beginning when only one visible issue begins so. CodeNotFound for what is
// absent or not visible, CodeInvalid for an ambiguous beginning.
func (d *Desk) IssueID(ctx context.Context, ws string, actor landfall.Actor, ref string) (string, error) {
	id := ""
	err := d.look(ctx, ws, actor, func(v *view) error {
		row, err := v.issue(ref)
		if err == nil {
			id = row.Issue.ID
		}
		return err
	})
	return id, err
}

// issue finds the visible issue that ref names.
func (v *view) issue(ref string) (*store.IssueRow, error) {
	visible := func(row *store.IssueRow, err error) (*store.IssueRow, error) {
		if row == nil || err != nil {
			return nil, err
		}
		if ok, err := v.seesIssue(&row.Issue); !ok || err != nil {
			return nil, err
		}
		return row, nil
	}
	ref = strings.TrimPrefix(strings.TrimSpace(ref), "#")
	if ref != "" {
		if n, err := strconv.ParseInt(ref, 10, 64); err == nil && n > 0 {
			if row, err := visible(v.r.IssueByNumber(v.ws, n)); row != nil || err != nil {
				return row, err
			}
		}
		if row, err := visible(v.r.Issue(v.ws, ref)); row != nil || err != nil {
			return row, err
		}
		id, err := v.issueBeginning(ref)
		if err != nil {
			return nil, err
		}
		if id != "" {
			if row, err := visible(v.r.Issue(v.ws, id)); row != nil || err != nil {
				return row, err
			}
		}
	}
	return nil, landfall.Errorf(landfall.CodeNotFound, "there is no issue %q, or you may not see it", ref).
		WithHint("use its number, its id or the beginning of the id")
}

// issueBeginning is the id of the only visible issue whose id begins with ref, or "".
func (v *view) issueBeginning(ref string) (string, error) {
	const most = 100
	found := map[string]bool{}
	for _, key := range v.keys {
		ids, err := v.r.Keyed(v.ws, key, landfall.IssueType, ref+"\x7f", most+1)
		if err != nil {
			return "", err
		}
		for _, id := range ids {
			if !strings.HasPrefix(id, ref) {
				break
			}
			found[id] = true
		}
	}
	count := strconv.Itoa(len(found))
	if len(found) > most {
		count = "more than " + strconv.Itoa(most)
	}
	if len(found) > 1 {
		return "", landfall.Errorf(landfall.CodeInvalid, "%q is the beginning of %s ids of issues", ref, count).
			WithHint("use more of the id, or the issue's number")
	}
	for id := range found {
		return id, nil
	}
	return "", nil
}
