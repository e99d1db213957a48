package inbox

import (
	"context"
	"encoding/json"
	"maps"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// deskPrefix begins the replica of what a person does at the desk.
const deskPrefix = "desk:"

func number(n int64) string { return strconv.FormatInt(n, 10) }

// Do makes a change of a signed-in person: judged at once by the same rules,
// with the version that they saw as its base. Refused, it is CodeRefused and
// nothing is stored. do.ID is a full id, empty to create with a new one.
func (in *Inbox) Do(ctx context.Context, ws string, actor landfall.Actor, do wire.Do) (*wire.Done, error) {
	var out *wire.Done
	err := in.judge(ctx, ws, func(j *judging) error {
		a, err := j.actor(actor.User)
		if err != nil {
			return err
		}
		before := j.l.Head().Seq
		if out, err = j.do(a, do); err != nil || j.l.Head().Seq == before {
			return err
		}
		return j.w.AddAudit(ws, deskEntry(a.User, &do, out.Record.ID, j.l.Now()))
	})
	return out, err
}

func (j *judging) do(a landfall.Actor, do wire.Do) (*wire.Done, error) {
	replica := deskPrefix + a.User
	last, err := j.w.Counter(j.ws, replica)
	if err != nil {
		return nil, err
	}
	m, err := j.mutation(&a, do)
	if err != nil {
		return nil, err
	}
	m.Replica, m.Incarnation, m.N = replica, 1, last+1
	if err := j.in.wellFormed(m); err != nil {
		return nil, err
	}
	v, err := j.safely(j.input(a, false, core.Step{Mutation: *m, Edited: j.l.Now(), Note: do.Note}))
	if err != nil {
		return nil, err
	}
	if v.Refusal != nil {
		return nil, refused(v.Refusal, "this is refused, and nothing was changed")
	}
	if len(v.Effects.Changes) > 0 {
		v.Effects.Counters = withCounter(v.Effects.Counters, replica, m.N)
	}
	seq, err := j.commit(&v.Effects)
	if err != nil {
		return nil, err
	}
	if len(v.Effects.Changes) > 0 {
		if err := j.deskItem(a.User, m, seq); err != nil {
			return nil, err
		}
	}
	rec, err := j.w.Record(j.ws, m.ID)
	if err != nil {
		return nil, err
	}
	keys, err := j.w.Audience(j.ws, m.ID)
	if err != nil {
		return nil, err
	}
	if !core.Sees(&a, keys) {
		rec = &landfall.Record{Type: m.Type, ID: m.ID, Version: seq, Fields: landfall.Fields{}}
	}
	return &wire.Done{Seq: seq, Record: core.SightOf(j.app, &a).Record(rec)}, nil
}

// wellFormed holds what a person asks for to the bounds of what a device sends.
func (in *Inbox) wellFormed(m *landfall.Mutation) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return landfall.Errorf(landfall.CodeInvalid, "this can't be read").WithHint("send JSON")
	}
	if _, bad := core.ParseMutation(raw, m.N, in.envelope()); bad != nil {
		return &landfall.Error{Code: landfall.CodeInvalid, Message: bad.Text, Hint: bad.Hint, Messages: []landfall.Message{*bad}}
	}
	return nil
}

func withCounter(c map[string]int64, series string, n int64) map[string]int64 {
	out := maps.Clone(c)
	if out == nil {
		out = map[string]int64{}
	}
	out[series] = n
	return out
}

// mutation is what the person asks for, as a device would have put it.
func (j *judging) mutation(a *landfall.Actor, do wire.Do) (*landfall.Mutation, error) {
	m := &landfall.Mutation{Op: do.Op, Type: do.Type, ID: do.ID, Set: do.Set.Clone(), Transition: do.Transition, Definition: j.app.Version, MadeAt: j.l.Now()}
	if m.Op == landfall.OpCreate {
		if m.ID == "" {
			m.ID = j.in.cfg.NewID()
		}
		set := core.Defaults(j.app, m.Type, a, j.l.Now())
		maps.Copy(set, m.Set)
		m.Set, m.Base = set, &landfall.Base{}
		return m, nil
	}
	rec, err := j.w.Record(j.ws, m.ID)
	if err != nil || rec == nil {
		return m, err
	}
	sight := core.SightOf(j.app, a)
	rec = sight.Record(rec) // its author sees the base again, in the inbox
	m.Base = &landfall.Base{Version: rec.Version, Status: rec.Status, Was: landfall.Fields{}}
	for name := range m.Set {
		m.Base.Was[name] = orNull(rec.Fields[name])
	}
	if t := j.app.Types[rec.Type]; t != nil && len(t.Parts) > 0 && m.Op == landfall.OpDelete {
		m.Base.Seen = j.l.Head().Seq
	}
	if do.Version > 0 && do.Version < rec.Version {
		return m, j.older(m, rec, do.Version, sight)
	}
	return m, nil
}

// older puts the base back to the version that the person saw.
func (j *judging) older(m *landfall.Mutation, rec *landfall.Record, version int64, sight *core.Sight) error {
	seen := &landfall.Mutation{ID: m.ID, Base: &landfall.Base{Version: version}}
	b, err := j.base(seen, rec)
	if err != nil {
		return err
	}
	b = sight.Record(b)
	m.Base = &landfall.Base{Version: version, Status: b.Status, Was: landfall.Fields{}}
	for name := range m.Set {
		m.Base.Was[name] = orNull(b.Fields[name])
	}
	return nil
}

func orNull(v landfall.Value) landfall.Value {
	if landfall.IsNull(v) {
		return landfall.Null
	}
	return v
}

// deskItem shows the change in the inbox like everything else.
func (j *judging) deskItem(user string, m *landfall.Mutation, seq int64) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	it := &store.Item{
		Key: m.Key(), User: user, Hash: core.Hash(raw), Bytes: raw, Type: m.Type, Record: m.ID, Op: m.Op,
		ReceivedAt: j.l.Now(), EditedAt: j.l.Now(), Receipt: landfall.Receipt{N: m.N, Result: landfall.Applied, Seq: seq},
		State: store.Completed, History: []store.ItemEvent{{At: j.l.Now(), State: store.Completed, By: user, Text: "at the desk"}},
	}
	return j.w.AddItem(j.ws, it)
}
