package workqueue

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Issue is an issue with both of its parts, as far as the caller may see them:
// what was sent for its author and for who may see the record it is about; the
// server's side only for who may see the record. Of both, only fields that the
// caller may read, and what they entered themselves. Errors as IssueID's.
func (d *Desk) Issue(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueDetail, error) {
	var out *wire.IssueDetail
	err := d.look(ctx, ws, actor, func(v *view) error {
		row, err := v.issue(ref)
		if err == nil {
			out, err = v.detail(row)
		}
		return err
	})
	return out, err
}

// sent is one mutation that an issue holds, or held.
type sent struct {
	raw     []byte
	m       *landfall.Mutation // nil when it can't be read
	n       int64
	edited  time.Time
	waiting bool
	later   bool // of a later incarnation, whose numbers begin anew
}

func (v *view) detail(row *store.IssueRow) (*wire.IssueDetail, error) {
	i := &row.Issue
	head, err := v.issueView(row)
	if err != nil {
		return nil, err
	}
	out := &wire.IssueDetail{IssueView: *head, Compare: []core.Column{}, Sent: []wire.SentView{}}
	all, err := v.sent(row)
	if err != nil {
		return nil, err
	}
	held := core.Held{Issue: *i} // what of it the caller may read
	for _, s := range all {
		w, open, err := v.sentView(i, s)
		if err != nil {
			return nil, err
		}
		out.Sent = append(out.Sent, *w)
		if s.m == nil {
			continue
		}
		step := core.Step{Mutation: *s.m, Edited: s.edited}
		if open && i.Group > 0 && !s.waiting {
			held.Group = append(held.Group, step)
		}
		if s.m.ID != i.Record || s.later {
			continue
		}
		out.Through = max(out.Through, s.n)
		if open {
			held.Lane = append(held.Lane, step)
		}
	}
	if out.Through == 0 {
		out.Through = i.N
	}
	if err := v.history(row, out); err != nil {
		return nil, err
	}
	rec, err := v.server(row, out)
	if err != nil {
		return nil, err
	}
	if v.typ(i.RecordType) == nil || len(held.Lane) == 0 {
		return out, nil
	}
	base := row.Base
	if base != nil {
		// The author's own words of it stay; the server's are the audience's.
		ok, err := v.mayRead(i, &held.Lane[0].Mutation)
		if err != nil {
			return nil, err
		}
		if !ok {
			base = nil
		}
	}
	out.Compare = append(out.Compare, core.Compare(v.app, &v.who, held, base, rec)...)
	out.Names, err = v.named(i.RecordType, out.Compare)
	return out, err
}

// sent lists what the issue holds: the refused mutations, then what waits
// behind them, in order.
func (v *view) sent(row *store.IssueRow) ([]sent, error) {
	held, err := v.r.Held(v.ws, row.Issue.ID)
	if err != nil {
		return nil, err
	}
	var all []sent
	refused := map[int64]int{} // places in all
	for k, raw := range row.Sent {
		s := sent{raw: raw, n: row.Issue.N + int64(k), m: read(raw, row.Issue.Device, row.Issue.Incarnation)}
		if s.m != nil && s.m.N > 0 {
			s.n = s.m.N
		}
		if s.m != nil {
			s.m.N = s.n
		}
		refused[s.n] = len(all)
		all = append(all, s)
	}
	for _, it := range held {
		if k, ok := refused[it.Key.N]; ok && it.Key.Replica == row.Issue.Device && bytes.Equal(it.Bytes, all[k].raw) {
			all[k].edited = it.EditedAt
			continue
		}
		all = append(all, sent{
			raw: it.Bytes, n: it.Key.N, edited: it.EditedAt, waiting: true, later: it.Key.Incarnation > row.Issue.Incarnation, m: read(it.Bytes, it.Key.Replica, it.Key.Incarnation),
		})
	}
	return all, nil
}

// read is the mutation in raw, or nil when it can't be read.
func read(raw []byte, replica string, incarnation int64) *landfall.Mutation {
	m := &landfall.Mutation{}
	if json.Unmarshal(raw, m) != nil {
		return nil
	}
	m.Replica, m.Incarnation = replica, incarnation
	return m
}

// sentView is what the caller may see of a mutation, and whether that is all.
func (v *view) sentView(i *landfall.Issue, s sent) (*wire.SentView, bool, error) {
	w := &wire.SentView{N: s.n, Waiting: s.waiting, Record: i.Record}
	if s.m == nil {
		// What can't be read may hold anything.
		open := i.Author == v.who.User || v.who.Has(landfall.Administrator)
		if open {
			w.Raw = string(s.raw)
		}
		return w, open, nil
	}
	w.Record = s.m.ID
	if i.Author == v.who.User {
		w.Mutation, w.Raw = s.m, string(s.raw)
		return w, true, nil
	}
	open, err := v.mayRead(i, s.m)
	if err != nil {
		return nil, false, err
	}
	if open {
		w.Mutation = v.sight.Mutation(s.m)
		if len(v.sight.Hidden(s.m.Type)) == 0 {
			w.Raw = string(s.raw)
		}
		return w, true, nil
	}
	// Without the values: what was asked for, and on which record.
	bare := *s.m
	bare.Set = nil
	if s.m.Base != nil {
		bare.Base = &landfall.Base{Version: s.m.Base.Version, After: s.m.Base.After}
	}
	w.Mutation = &bare
	return w, false, nil
}

// mayRead reports whether somebody other than the author may see the mutation, as
// far as they may read its fields: who may see the record it is about; of a record that is
// deleted or was never made, who could if it were there. What no type of the
// definition describes is the administrators'.
func (v *view) mayRead(i *landfall.Issue, m *landfall.Mutation) (bool, error) {
	if ok, err := v.sees(m.ID); ok || err != nil {
		return ok, err
	}
	rec, err := v.r.Record(v.ws, m.ID)
	if err != nil {
		return false, err
	}
	if rec != nil && !rec.Deleted {
		return false, nil
	}
	keys, known, err := core.AudienceIf(v.app, rec, i.Author, m, store.Audiences(v.r, v.ws))
	if !known {
		return v.who.Has(landfall.Administrator), err
	}
	return v.holds(keys), err
}

// server adds the record as it is now, for who may see it, and returns it.
func (v *view) server(row *store.IssueRow, out *wire.IssueDetail) (*landfall.Record, error) {
	i := &row.Issue
	if i.Record == "" {
		return nil, nil
	}
	rec, err := v.r.Record(v.ws, i.Record)
	if rec == nil || err != nil {
		return nil, err
	}
	ok, err := v.sees(rec.ID)
	if err != nil {
		return nil, err
	}
	if !ok || rec.Deleted {
		out.ServerHidden = !rec.Deleted && v.decides(i)
		return nil, nil
	}
	out.Server, out.RecordVersion = v.sight.Record(rec), rec.Version
	out.Before, out.After = v.moves(rec)
	return rec, nil
}

// moves names the transitions that the caller could make of the record now,
// and all that the caller's roles may make.
func (v *view) moves(rec *landfall.Record) (now, ever []string) {
	t := v.typ(rec.Type)
	if t == nil || t.Lifecycle == nil {
		return nil, nil
	}
	for _, name := range t.Lifecycle.Moves {
		m := t.Lifecycle.Transitions[name]
		if m == nil || !slices.ContainsFunc(m.Roles, v.who.Has) {
			continue
		}
		ever = append(ever, name)
		if !slices.Contains(m.From, rec.Status) {
			continue
		}
		if m.When != nil {
			ok, err := m.When.Bool(&definition.Vars{Type: t, Record: rec, Was: rec, Actor: &v.who, Now: v.now})
			if err != nil || !ok {
				continue // a condition that can't be told is not offered
			}
		}
		now = append(now, name)
	}
	return now, ever
}
