package sim

import (
	"context"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/auth"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// repair edits what was refused, and has it judged again; sometimes twice, as
// somebody does who heard nothing.
func (p *person) repair(d dice) error {
	all, err := p.issues(store.Unresolved)
	if err != nil || len(all) == 0 {
		return err
	}
	i, err := p.issue(pick(d, all).ID)
	if err != nil {
		return err
	}
	req := p.edits(d, i)
	p.think(d)
	err = p.repairOnce(i, req)
	if !d.chance(0.3) {
		return err
	}
	p.w.met("repair: repeated")
	if again := p.repairOnce(i, req); err == nil && !req.DryRun && landfall.CodeOf(again) != landfall.CodeConflict && landfall.CodeOf(again) != landfall.CodeUnavailable && landfall.CodeOf(again) != landfall.CodeUnauthorized {
		p.w.met("repair: repeated: " + string(landfall.CodeOf(again)))
	}
	return err
}

// edits makes up what is edited, with what the person sees.
func (p *person) edits(d dice, i *wire.IssueDetail) wire.Repair {
	req := wire.Repair{Note: "a comma was missing", DryRun: d.chance(0.2)}
	sent := landfall.Mutation{Type: i.RecordType, ID: i.Record}
	if len(i.Sent) > 0 {
		s := &i.Sent[0]
		if len(i.Sent) > 1 && d.chance(0.2) {
			s = pick(d, []*wire.SentView{&i.Sent[0], &i.Sent[1]})
			req.N = s.N
		}
		if s.Mutation != nil {
			sent = *s.Mutation
		}
	}
	t := p.w.app().Type(or(sent.Type, "job"))
	if t == nil {
		return req
	}
	if d.chance(0.3) {
		req.Version = i.Version
	}
	h := &hand{w: p.w, user: p.name, dice: d, app: p.w.app()}
	switch roll := d.IntN(10); {
	case roll < 2 && len(sent.Set) > 0:
		req.Drop = []string{pick(d, names(sent.Set))}
	case roll < 3 && t.Initial != "" && sent.Op == landfall.OpTransition:
		req.Transition = pick(d, t.Moves).Name
	default:
		now := landfall.Fields{}
		if i.Server != nil {
			now = i.Server.Fields
		}
		req.Set = h.some(t, sent.ID, now, 2)
		for _, f := range t.Fields { // what is missing most often
			if f.Required && landfall.IsNull(sent.Set[f.Name]) && sent.Op == landfall.OpCreate {
				req.Set[f.Name] = h.value(t, f, sent.ID, nil)
			}
		}
	}
	if i.Kind == landfall.KindMalformed {
		req.Type, req.Op = or(sent.Type, t.Name), landfall.OpUpdate
		if req.Record = sent.ID; req.Record == "" {
			if all, err := p.records(t.Name); err == nil && len(all) > 0 {
				req.Record = pick(d, all).ID
			}
		}
	}
	h.entered(t, or(sent.ID, req.Record), with(sent.Set, req.Set))
	return req
}

func names(f landfall.Fields) []string {
	var out []string
	for name := range f {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

func (p *person) repairOnce(i *wire.IssueDetail, req wire.Repair) error {
	var out wire.Repaired
	err := p.ask("repair an issue", &out, func(ctx context.Context, h *host, who *auth.Caller) (any, error) {
		return h.repairDry(ctx, who, i, req)
	})
	p.w.say("%s: repairs issue %d (%s)%s: %s: %v", p.name, i.Number, i.Kind, dryly(req.DryRun), encoded(req), err)
	if err != nil {
		p.w.met("repair: " + string(landfall.CodeOf(err)))
		return err
	}
	p.w.met("repair: " + string(out.Settlement) + dryly(req.DryRun))
	if len(out.Released) > 0 {
		p.w.met("repair: releases")
	}
	return nil
}

// repairDry repairs. What is not dry is tried dry right before it: that must be
// told to come what comes then.
func (h *host) repairDry(ctx context.Context, who *auth.Caller, i *wire.IssueDetail, req wire.Repair) (any, error) {
	if req.DryRun {
		return h.inbox.Repair(ctx, workspace, who.Actor, i.ID, req)
	}
	dry := req
	dry.DryRun = true
	would, err := h.inbox.Repair(ctx, workspace, who.Actor, i.ID, dry)
	did, err2 := h.inbox.Repair(ctx, workspace, who.Actor, i.ID, req)
	if stored(err) && stored(err2) {
		if landfall.CodeOf(err) != landfall.CodeOf(err2) || err == nil && (would.Settlement != did.Settlement || !slices.Equal(would.Fields, did.Fields) || len(would.Released) != len(did.Released)) {
			h.w.violate("dry", "a repair of issue %d would be %+v (%v), and is %+v (%v)", i.Number, would, err, did, err2)
		}
	}
	return did, err2
}

// stored: what came back does not tell of trouble with the disk.
func stored(err error) bool {
	switch landfall.CodeOf(err) {
	case landfall.CodeInternal, landfall.CodeUnavailable, landfall.CodeBusy:
		return err == nil
	default:
		return true
	}
}

// retryDry tries issues again. One alone is tried dry right before it: that must
// be told to come what comes then.
func (h *host) retryDry(ctx context.Context, who *auth.Caller, req wire.Retry) (any, error) {
	if req.DryRun || len(req.Issues) != 1 {
		return h.inbox.Retry(ctx, workspace, who.Actor, req)
	}
	dry := req
	dry.DryRun = true
	would, err := h.inbox.Retry(ctx, workspace, who.Actor, dry)
	did, err2 := h.inbox.Retry(ctx, workspace, who.Actor, req)
	if stored(err) && stored(err2) {
		same := landfall.CodeOf(err) == landfall.CodeOf(err2) && len(would.Items) == len(did.Items)
		for k := 0; same && err == nil && k < len(did.Items); k++ {
			a, b := &would.Items[k], &did.Items[k]
			same = a.Settled == b.Settled && a.Settle == b.Settle && a.Kind == b.Kind && len(a.Released) == len(b.Released)
			for n := 0; same && n < len(a.Released); n++ {
				x, y := &a.Released[n], &b.Released[n]
				same = x.ID == y.ID && x.Result == y.Result && x.Kind == y.Kind
			}
		}
		if !same {
			h.w.violate("dry", "another try of %s would be %s (%v), and is %s (%v)", short(req.Issues[0]), encoded(would), err, encoded(did), err2)
		}
		h.w.met("retry: tried dry before")
	}
	return did, err2
}
