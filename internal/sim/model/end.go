package model

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// end compares what is stored with what the verdicts come to.
func (r *reading) end() {
	for _, id := range r.touched {
		op := r.records[id]
		if op == nil {
			r.complain("atomic", "%s was changed, and is not stored", id)
			continue
		}
		r.stored(r.m.records[id], op)
		delete(r.records, id)
	}
	for _, id := range slices.Sorted(maps.Keys(r.records)) {
		op := r.records[id]
		if i := r.m.issues[id]; op.Record.Type == landfall.IssueType && i != nil && i.Version > r.was.Seq {
			r.storedIssue(i, op)
		} else {
			r.complain("atomic", "%s is stored without a change", id)
		}
	}
	r.followed()
	for _, id := range slices.Sorted(maps.Keys(r.regrouped)) {
		r.complain("audience", "%s is given to %v at %d, for which there is no reason", id, r.regrouped[id].Keys, r.regrouped[id].Seq)
	}
	r.ended()
	for i := range r.sides {
		r.side(&r.sides[i])
	}
	r.linked()
	for _, id := range slices.Sorted(maps.Keys(r.replicas)) {
		r.complain("atomic", "where %s stands is not stored", id)
	}
	for _, name := range slices.Sorted(maps.Keys(r.accounted)) {
		r.complain("grant", "what %s was given or lost is not kept", name)
	}
	r.told()
	if r.withdrawn != "" || r.amended != nil || r.retried != "" {
		r.complain("issue", "an issue was changed, and what did it is not there")
	}
}

// stored compares a record with the fold of its changes.
func (r *reading) stored(want *record, op *watch.Op) {
	if diff := difference(want.Record, op.Record); diff != "" {
		r.complain("fold", "%s is stored at %d with another %s", want.ID, op.Record.Version, diff)
	}
	if want.moved <= want.Version && !slices.Equal(want.keys, op.Keys) {
		r.complain("audience", "%s is stored at %d for %v, not for %v", want.ID, op.Record.Version, op.Keys, want.keys)
	}
}

// difference names what is not the same in two records.
func difference(a, b *landfall.Record) string {
	switch {
	case a.Type != b.Type:
		return "type"
	case a.Version != b.Version:
		return "version"
	case a.Status != b.Status:
		return "status"
	case a.Number != b.Number:
		return "number"
	case a.Queue != b.Queue || a.Assignee != b.Assignee:
		return "queue or assignee"
	case a.Deleted != b.Deleted:
		return "mark of deletion"
	case a.Definition != b.Definition:
		return "version of the definition"
	case a.CreatedBy != b.CreatedBy || !a.CreatedAt.Equal(b.CreatedAt) || !a.UpdatedAt.Equal(b.UpdatedAt):
		return "time or author"
	case (a.StatusEdit == nil) != (b.StatusEdit == nil) || a.StatusEdit != nil && !sameEdit(*a.StatusEdit, *b.StatusEdit):
		return "edit of the status"
	}
	if name := unlike(a.Fields, b.Fields, func(x, y landfall.Value) bool { return string(x) == string(y) }); name != "" {
		return "value of " + name
	}
	if name := unlike(a.Edits, b.Edits, sameEdit); name != "" {
		return "edit of " + name
	}
	return ""
}

func sameEdit(a, b landfall.Edit) bool {
	return a.Author == b.Author && a.By == b.By && a.Seq == b.Seq && a.At.Equal(b.At)
}

// unlike is the first key whose values differ, "" for none.
func unlike[V any, M ~map[string]V](a, b M, same func(V, V) bool) string {
	first := ""
	note := func(name string) {
		if first == "" || name < first {
			first = name
		}
	}
	for name, v := range a {
		if w, there := b[name]; !there || !same(v, w) {
			note(name)
		}
	}
	for name := range b {
		if _, there := a[name]; !there {
			note(name)
		}
	}
	return first
}

// storedIssue compares an issue with the case that devices get.
func (r *reading) storedIssue(i *Issue, op *watch.Op) {
	rec := op.Record
	if rec.Version != i.Version || rec.Status != i.State || rec.Queue != i.Queue || rec.Assignee != i.Assignee || rec.CreatedBy != i.Author {
		r.complain("issue", "issue %s is stored as another case than it is", i.ID)
	}
	raw, err := json.Marshal(&i.Issue)
	want := map[string]json.RawMessage{}
	if err != nil || json.Unmarshal(raw, &want) != nil {
		r.complain("issue", "issue %s can't be written", i.ID)
		return
	}
	if name := unlike(want, map[string]json.RawMessage(rec.Fields), func(x, y json.RawMessage) bool { return string(x) == string(y) }); name != "" {
		r.complain("issue", "issue %s is stored as a case with another %s", i.ID, name)
	}
	if keys := r.m.issueKeys(&i.Issue); !slices.Equal(keys, op.Keys) {
		r.complain("audience", "issue %s is stored for %v, not for %v", i.ID, op.Keys, keys)
	}
}

// ended takes in the head.
func (r *reading) ended() {
	h := r.head
	switch {
	case h == nil:
		if r.seq != r.was.Seq {
			r.complain("sequence", "%d places are taken, and the head stays at %d", r.seq-r.was.Seq, r.was.Seq)
			r.m.head.Seq = r.seq
		}
		return
	case h.Seq != r.seq:
		r.complain("sequence", "the head is at %d, the last place that was taken is %d", h.Seq, r.seq)
	case h.Time.Before(r.was.Time):
		r.complain("time", "the commit at %d is of %s, the one before it of %s", h.Seq, stamp(h.Time), stamp(r.was.Time))
	case h.Seq > r.was.Seq && h.Mark == r.was.Mark:
		r.complain("sequence", "the commit at %d has the mark of the one before", h.Seq)
	case h.Epoch != r.was.Epoch:
		r.audited("epoch", store.EpochBegin, h.Epoch)
	}
	if h.Definition != r.m.version {
		r.complain("definition", "the head at %d names version %d of the definition, not %d", h.Seq, h.Definition, r.m.version)
	}
	r.m.head = *h
}

// side checks what is kept beside the verdicts.
func (r *reading) side(op *watch.Op) {
	switch {
	case op.Unique != nil:
		r.reserved(op.Unique)
	case op.Links != nil:
		r.m.links[op.Links.ID] = op.Links.Links
	case op.Counter != nil && strings.HasPrefix(op.Counter.Series, "full sync"):
		r.resync(op.Counter)
	case op.Counter != nil:
		if n := r.m.counters[op.Counter.Series]; n != op.Counter.N {
			r.complain("number", "the last number of %s is kept as %d, and was %d", op.Counter.Series, op.Counter.N, n)
		}
	case op.Setting != nil:
		r.setting(op.Setting)
	case op.Replica != nil:
		r.replica(op.Replica)
	case op.PushDeleted != 0:
		r.judgedPush(op.PushDeleted)
	}
}

// reserved: a record keeps exactly its own unique values. Of several writes in a
// commit only what is so in the end can be compared.
func (r *reading) reserved(u *watch.Unique) {
	if r.publishes() {
		return // what becomes unique is checked with all that is unique
	}
	for _, name := range slices.Sorted(maps.Keys(u.Values)) {
		if rec := r.m.records[u.ID]; rec == nil || rec.history[len(rec.history)-1].Seq <= r.was.Seq {
			r.complain("unique", "%s keeps a unique %s without a change", u.ID, name)
		}
	}
}

// publishes: the commit makes another definition the current one.
func (r *reading) publishes() bool {
	return slices.ContainsFunc(r.main, func(op watch.Op) bool { return op.Definition != nil })
}

// told: the audit goes on without a gap, and tells what it must.
func (r *reading) told() {
	for _, e := range r.audits {
		if e.Seq != r.m.audits+1 {
			r.complain("audit", "entry %s of %s has the place %d, after %d", e.Action, e.Object, e.Seq, r.m.audits)
		}
		r.m.audits = e.Seq
		if by := r.m.actor(e.By, ""); e.Action == store.DeviceLand && e.Outcome == store.AuditDone && (by.Disabled || !by.Has(landfall.Administrator)) {
			r.complain("audit", "%s landed an export of %s, and may not", e.By, e.Object)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(r.settled)) {
		if !r.has(store.IssueResolve, id) && !r.has(store.IssueRetry, id) {
			r.complain("audit", "issue %s was decided, and the audit does not tell", id)
		}
	}
}

// has reports whether this commit's audit tells of an action.
func (r *reading) has(action, object string) bool {
	return slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
		return e.Action == action && e.Object == object && e.Outcome == store.AuditDone
	})
}

func (r *reading) audited(rule, action, object string) {
	if !r.has(action, object) {
		r.complain(rule, "the audit does not tell of %s of %s", action, object)
	}
}

// same reports whether two changes are the same but for their places.
func same(a, b *landfall.Change) (rule, what string) {
	fields := func(x, y landfall.Value) bool { return string(x) == string(y) }
	switch {
	case a.Type != b.Type || a.ID != b.ID:
		return "verdict", "record"
	case a.Action != b.Action || a.Transition != b.Transition || a.From != b.From || a.To != b.To:
		return "transition", "move"
	case a.Derived != b.Derived:
		return "derived", "mark"
	case a.Author != b.Author || a.By != b.By || a.Issue != b.Issue || a.Origin != b.Origin:
		return "origin", "author or origin"
	case !a.Edited.Equal(b.Edited):
		return "edit-time", "time of the edit"
	}
	if name := unlike(a.Set, b.Set, fields); name != "" {
		return "merge", "value of " + name
	}
	if name := unlike(a.Was, b.Was, fields); name != "" {
		return "fold", "old value of " + name
	}
	if name := unlike(a.Lost, b.Lost, fields); name != "" {
		return "lost", "value of " + name + " that lost"
	}
	return "", ""
}
