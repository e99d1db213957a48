package rehearse

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// judgedAtOnce is how many units are judged in one view of the database.
const judgedAtOnce = 200

// changes judges the last items again, under both definitions, on the records as
// they were: a difference is the doing of the definition alone.
func (r *run) changes(most int) error {
	units, err := r.window(most)
	if err != nil {
		return err
	}
	versions, err := r.versions()
	if err != nil {
		return err
	}
	for done := 0; done < len(units); {
		part := units[done:min(done+judgedAtOnce, len(units))]
		err := r.view(func(s store.Reader) error {
			a := r.archive(s, versions)
			for i := range part {
				if err := r.ctx.Err(); err != nil {
					return err
				}
				if err := r.again(a, &part[i]); err != nil {
					return err
				}
				a.tidy()
			}
			return nil
		})
		if err != nil {
			return err
		}
		done += len(part)
		r.progress("changes", done, len(units))
	}
	return nil
}

// versions is where each version of the definition was published.
func (r *run) versions() (out []int64, err error) {
	err = r.view(func(s store.Reader) error {
		for v := int64(1); v <= r.now.Version; v++ {
			row, err := s.Definition(r.ws, v)
			if err != nil {
				return err
			}
			if row == nil {
				return nil
			}
			out = append(out, row.Seq)
		}
		return nil
	})
	return out, err
}

// retold is a unit as it is judged again.
type retold struct {
	items []*store.Item
	steps []core.Step
	own   map[string]*history
	seq   int64 // the place of the verdict
	now   time.Time
}

// again judges a unit under both definitions, and counts what differs.
func (r *run) again(a *archive, u *unit) error {
	x, err := r.retell(a, u)
	if err != nil || x == nil {
		return err
	}
	author, err := a.user(x.items[0].User)
	if err != nil {
		return err
	}
	o := &r.out.Items
	if author == nil || len(author.Roles) == 0 {
		o.Unjudged += len(x.items) // whatever the definition, they may write nothing now
		return nil
	}
	actor := landfall.Actor{User: author.Name, Roles: author.Roles, Teams: author.Teams}
	was, err := x.judge(a, r.now, actor, u.lane)
	if err != nil {
		return err
	}
	is, err := x.judge(a, r.next, actor, u.lane)
	if err != nil {
		return err
	}
	o.Judged += len(x.items)
	if was.Refusal != nil && is.Refusal != nil && was.Refusal.Cause != is.Refusal.Cause {
		// Under a new version a name that is not known is outdated. That is the
		// doing of any publication, and no difference of this one.
		if is, err = x.judge(a, r.unversioned(), actor, u.lane); err != nil {
			return err
		}
	}
	r.compare(x, was, is)
	return nil
}

// unversioned is the next definition under the version of the published one.
func (r *run) unversioned() *definition.App {
	app := *r.next
	app.Version = r.now.Version
	return &app
}

// retell reads what was judged; nil when it is not there any more.
func (r *run) retell(a *archive, u *unit) (*retold, error) {
	x := &retold{own: map[string]*history{}, seq: u.seq()}
	effect := false
	for i := range u.spots {
		it, err := a.s.Item(r.ws, u.spots[i].key)
		if err != nil {
			return nil, err
		}
		if it == nil {
			return nil, nil
		}
		m, _ := core.ParseMutation(it.Bytes, it.Key.N, core.Limits{}) // it could be read before
		m.Replica, m.Incarnation, m.N = it.Key.Replica, it.Key.Incarnation, it.Key.N
		h := x.own[it.Record]
		if h == nil {
			if h, err = a.history(it.Record); err != nil {
				return nil, err
			}
			x.own[it.Record] = h
		}
		x.items = append(x.items, it)
		x.steps = append(x.steps, core.Step{Mutation: m, Edited: it.EditedAt})
		for _, c := range h.between(x.seq-1, x.seq+1) {
			if c.Origin == it.Key {
				effect, x.now = true, c.At
			}
		}
	}
	if u.spots[0].took && !effect {
		x.seq++ // it took no place: it was judged after what has this one
	}
	if x.now.IsZero() {
		x.now = x.items[0].ReceivedAt
	}
	return x, nil
}

// judge makes the verdict that the definition would have made. What the rules
// can't cope with is refused, as it is when it comes.
func (x *retold) judge(a *archive, app *definition.App, actor landfall.Actor, lane bool) (v core.Verdict, err error) {
	defer func() {
		if p := recover(); p != nil {
			refusal := core.Refuse(app, landfall.KindInternal, actor.User, &x.steps[0].Mutation)
			v, err = core.Verdict{Refusal: &refusal}, nil
		}
	}()
	world := &past{archive: a, app: app, seq: x.seq, own: x.own}
	return core.Judge(core.Input{App: app, World: world, Actor: actor, Run: x.steps, Seq: x.seq, Now: x.now, Lane: lane})
}

// compare counts what the two verdicts differ in.
func (r *run) compare(x *retold, was, is core.Verdict) {
	o, n := &r.out.Items, len(x.items)
	switch {
	case was.Refusal == nil && is.Refusal != nil:
		o.Refused += n
		r.tellOf(x, wire.EffectRefused, is.Refusal)
	case was.Refusal != nil && is.Refusal == nil:
		o.Applied += n
		r.tellOf(x, wire.EffectApplied, was.Refusal)
	case was.Refusal != nil:
		if was.Refusal.Cause != is.Refusal.Cause {
			o.Differ += n
			r.tellOf(x, wire.EffectDiffers, is.Refusal)
		}
	default:
		if names := r.different(was.Effects.Writes, is.Effects.Writes); len(names) > 0 {
			o.Changed += n
			r.tellChanged(x, names)
		}
	}
}

// tellOf adds each item of a refused run to the group of its cause.
func (r *run) tellOf(x *retold, effect string, why *core.Refusal) {
	head := r.refusal(why, &x.steps[min(why.Step, len(x.steps)-1)].Mutation)
	for _, it := range x.items {
		r.groups.add(effect, why.Cause, one{user: it.User, example: it.Key.String(), head: head})
	}
}

// tellChanged adds the items to the group of those with the same difference.
func (r *run) tellChanged(x *retold, names []string) {
	m := &x.steps[0].Mutation
	head := wire.RehearsedGroup{Type: m.Type, Title: r.title(m.Type), Op: m.Op, Transition: m.Transition}
	t := r.next.Types[m.Type]
	for _, name := range names {
		text := "The " + name + " would be another."
		if t != nil && t.Fields[name] != nil {
			text = t.Fields[name].Title + " would get another value."
		}
		head.Messages = append(head.Messages, landfall.Message{Code: "changed", Field: name, Text: text})
	}
	cause := m.Type + "\x00" + m.Transition + "\x00" + string(m.Op) + "\x00" + strings.Join(names, ",")
	for _, it := range x.items {
		r.groups.add(wire.EffectChanged, cause, one{user: it.User, example: it.Key.String(), head: head})
	}
}

// different names what the writes of two verdicts differ in, sorted: fields, and
// "status", "place" for the queue or worklist, or "record". Names that a
// conversion gives are no difference.
func (r *run) different(was, is []landfall.Write) []string {
	if len(was) != len(is) {
		return []string{"record"}
	}
	names := map[string]bool{}
	for i := range was {
		a, b := renamed(r.next, was[i].Record), is[i].Record
		if a.ID != b.ID || a.Deleted != b.Deleted {
			names["record"] = true
		}
		if a.Status != b.Status {
			names["status"] = true
		}
		if a.Queue != b.Queue || a.Assignee != b.Assignee {
			names["place"] = true
		}
		for name, v := range a.Fields {
			names[name] = names[name] || !landfall.SameValue(v, b.Fields[name])
		}
		for name, v := range b.Fields {
			names[name] = names[name] || !landfall.SameValue(v, a.Fields[name])
		}
	}
	maps.DeleteFunc(names, func(_ string, differs bool) bool { return !differs })
	return slices.Sorted(maps.Keys(names))
}
