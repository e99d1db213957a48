package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Repair puts edited parameters in the place of a refused mutation and judges
// what its issue holds again: as its author, and allowed only where the author
// and the actor both may. What was sent stays, beside the repair. Refused, it is
// CodeRefused and nothing is changed; CodeConflict when the issue is not as the
// actor saw it any more.
func (in *Inbox) Repair(ctx context.Context, ws string, actor landfall.Actor, issue string, req wire.Repair) (*wire.Repaired, error) {
	out := &wire.Repaired{DryRun: req.DryRun}
	err := in.try(ctx, ws, req.DryRun, func(j *judging) error {
		a, err := j.actor(actor.User)
		if err != nil {
			return err
		}
		row, err := j.mayDecide(issue, &a)
		if err != nil {
			return err
		}
		if req.Version != 0 && req.Version != row.Issue.Version {
			return landfall.Errorf(landfall.CodeConflict, "the issue was changed since you looked at it").WithHint("look at it again: landfall issue show %d", row.Issue.Number)
		}
		return j.repair(row, a, req, out)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (j *judging) repair(row *store.IssueRow, a landfall.Actor, req wire.Repair, out *wire.Repaired) error {
	r := &repairing{by: a, req: req, row: row}
	note := req.Note
	if note == "" {
		note = "repaired"
	}
	done := wire.Retried{Issue: row.Issue.ID}
	if err := j.judgeLane(&attempt{row: row, decider: a.User, note: note, repair: r}, &done); err != nil {
		return err
	}
	out.Issue, out.Settlement, out.Released, out.Fields = issueView(row), done.Settle, done.Released, r.fields
	keys, err := j.w.Audience(j.ws, r.m.ID)
	if err != nil {
		return err
	}
	if core.Sees(&a, keys) {
		rec, err := j.w.Record(j.ws, r.m.ID)
		if err != nil {
			return err
		}
		out.Record = core.SightOf(j.app, &a).Record(rec)
	}
	entry := issueEntry(store.IssueRepair, a.User, row, j.l.Now()).With("item", r.item.Key.String()).With("fields", strings.Join(r.fields, " "))
	return j.w.AddAudit(j.ws, entry)
}

// repairing is one repair in the making.
type repairing struct {
	by  landfall.Actor
	req wire.Repair
	row *store.IssueRow

	at     int // in the lane
	item   *store.Item
	m      landfall.Mutation // repaired
	fields []string          // that were edited, sorted
}

// place finds what is repaired in the lane, repairs it, and keeps that with the
// issue. The lane is judged at least so far.
func (r *repairing) place(j *judging, own []*store.Item, least int) (int, error) {
	r.at = slices.IndexFunc(own, func(it *store.Item) bool {
		if r.req.N != 0 {
			return it.Key.N == r.req.N
		}
		return it.Record == r.row.Issue.Record
	})
	if r.at < 0 && r.req.N == 0 && len(own) > 0 {
		r.at = 0
	}
	if r.at < 0 {
		return 0, landfall.Errorf(landfall.CodeNotFound, "the issue holds no change with the number %d on its record", r.req.N).WithHint("landfall issue show %d lists them", r.row.Issue.Number)
	}
	if first := j.in.reread(own[0]); r.at > 0 && (first.bad != nil || first.unjudged()) {
		return 0, landfall.Errorf(landfall.CodeConflict, "what the issue is about can't be judged, so nothing behind it can").WithHint("repair change %d first", first.m.N)
	}
	r.item = own[r.at]
	if err := r.edit(j); err != nil {
		return 0, err
	}
	if err := j.in.wellFormed(&r.m); err != nil {
		return 0, err
	}
	raw, err := json.Marshal(&r.m)
	if err != nil {
		return 0, err
	}
	now := j.l.Now()
	r.row.Repairs = append(r.row.Repairs, store.Repair{By: r.by.User, At: now, Note: r.req.Note, Of: r.item.Key, Mutation: raw, Fields: r.fields})
	r.item.History = append(r.item.History, store.ItemEvent{At: now, State: r.item.State, By: r.by.User, Text: "repaired: " + strings.Join(r.fields, ", "), Issue: r.row.Issue.ID})
	return max(least, r.at+1), nil
}

// edit makes the repaired mutation. It keeps the identity, the base and the time
// of what was sent, so that what the device sent on top of it fits.
func (r *repairing) edit(j *judging) error {
	x := j.in.reread(r.item)
	if x.unjudged() {
		return landfall.Errorf(landfall.CodeConflict, "there is nothing in this change to repair").WithHint("decide its issue")
	}
	r.m = x.m
	r.m.Set = x.m.Set.Clone()
	if x.bad != nil {
		if err := r.anew(j); err != nil {
			return err
		}
	} else if r.req.Type != "" || r.req.Record != "" || r.req.Op != "" {
		return landfall.Errorf(landfall.CodeInvalid, "this change can be read, so what it is about stays").WithHint("edit its fields or its transition; else decide its issue and make another change")
	}
	if r.row.Issue.Group == 0 {
		r.m.Group = nil // it came without the others
	}
	if err := r.assign(j); err != nil {
		return err
	}
	if r.req.Transition != "" && r.req.Transition != r.m.Transition {
		r.m.Transition = r.req.Transition
		r.fields = append(r.fields, "(transition)")
	}
	if len(r.fields) == 0 {
		return landfall.Errorf(landfall.CodeInvalid, "this edits nothing").WithHint("say which fields, as FIELD=VALUE; to try it as it is: landfall issue retry %d", r.row.Issue.Number)
	}
	slices.Sort(r.fields)
	return nil
}

// assign puts the edited values in, and takes out what is left out.
func (r *repairing) assign(j *judging) error {
	t := j.app.Types[r.m.Type]
	for _, name := range slices.Sorted(maps.Keys(r.req.Set)) {
		if t == nil || t.Fields[name] == nil {
			return core.UnknownField(j.app, r.m.Type, name)
		}
		v := orNull(r.req.Set[name])
		if c, bad := t.Fields[name].Canonical(v); bad == nil {
			v = c
		}
		if was, sent := r.m.Set[name]; sent && landfall.SameValue(was, v) {
			continue
		}
		if r.m.Set == nil {
			r.m.Set = landfall.Fields{}
		}
		r.m.Set[name] = v
		r.fields = append(r.fields, name)
	}
	for _, name := range r.req.Drop {
		if _, sent := r.m.Set[name]; !sent {
			return landfall.Errorf(landfall.CodeInvalid, "the change sets no field %s", name).WithHint("landfall issue show %d lists what it sets", r.row.Issue.Number)
		}
		if _, edited := r.req.Set[name]; edited {
			return landfall.Errorf(landfall.CodeInvalid, "%s is both edited and left out", name).WithHint("say one of them")
		}
		delete(r.m.Set, name)
		r.fields = append(r.fields, name)
	}
	return nil
}

// anew makes a mutation of what can't be read, from what can be rescued of it
// and from what the repairer says. Without a base it is based on what is there.
func (r *repairing) anew(j *judging) error {
	k := r.item.Key
	r.m = core.Rescue(r.item.Bytes)
	r.m.Replica, r.m.Incarnation, r.m.N = k.Replica, k.Incarnation, k.N
	for _, part := range []struct {
		name string
		to   *string
		say  string
	}{{"type", &r.m.Type, r.req.Type}, {"record", &r.m.ID, r.req.Record}} {
		if part.say != "" && part.say != *part.to {
			*part.to = part.say
			r.fields = append(r.fields, "("+part.name+")")
		}
	}
	if r.req.Op != "" && r.req.Op != r.m.Op {
		r.m.Op = r.req.Op
		r.fields = append(r.fields, "(op)")
	}
	if r.m.Type == "" || r.m.ID == "" || r.m.Op == "" {
		return landfall.Errorf(landfall.CodeInvalid, "what was sent can't be read: say what it was about").WithHint("name the op, the type and the id of the record, as far as they are missing")
	}
	if r.m.Definition == 0 {
		r.m.Definition = j.app.Version
	}
	if r.m.MadeAt.IsZero() {
		r.m.MadeAt = r.item.ReceivedAt
	}
	r.fields = append(r.fields, "(form)")
	if r.m.Op == landfall.OpCreate || r.m.Base != nil && r.m.Base.After < r.m.N {
		return nil
	}
	r.m.Base = &landfall.Base{}
	rec, err := j.w.Record(j.ws, r.m.ID)
	if rec == nil || err != nil {
		return err
	}
	keys, err := j.w.Audience(j.ws, rec.ID)
	if err != nil || !core.Sees(&r.by, keys) {
		return err
	}
	r.m.Base.Version, r.m.Base.Status, r.m.Base.Was = rec.Version, rec.Status, landfall.Fields{}
	for name := range r.m.Set {
		r.m.Base.Was[name] = orNull(rec.Fields[name])
	}
	return nil
}

// into puts the repaired mutation in its place: the author's, applied by who
// repairs it, who entered what was edited.
func (r *repairing) into(in *core.Input) {
	if r.by.User != in.Actor.User {
		in.Also = &r.by
	}
	s := &in.Run[r.at]
	s.Mutation, s.By, s.Note = r.m, r.by.User, r.req.Note
	s.Authors, s.Given = map[string]string{}, map[string]bool{}
	for _, name := range r.fields {
		s.Authors[name], s.Given[name] = r.by.User, true
	}
	if r.item.Unbased && s.Mutation.Base != nil {
		base := *s.Mutation.Base
		base.Lost = true
		s.Mutation.Base = &base
	}
}

// refused tells who repairs why the rules refuse it, and whose right is missing.
func (r *repairing) refused(why *core.Refusal) error {
	what := "the repair is refused, and nothing was changed"
	switch why.Lacks {
	case "":
	case r.by.User:
		what += ": it needs your right, too"
	default:
		what += fmt.Sprintf(": it needs the right of its author, %s, too", why.Lacks)
	}
	return refused(why, what)
}
