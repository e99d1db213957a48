package core

import (
	"errors"
	"slices"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// apply makes the attempt's record the current one of the overlay and notes the
// changes that its history gets.
func (j *judging) apply(a *attempt) (*Refusal, error) {
	r := a.merged
	change := j.change(a)
	if again := a.m.Op == landfall.OpUpdate && len(a.set) == 0 && len(a.lost) == 0; again || a.m.Op == landfall.OpRestore && !r.Deleted {
		j.touchQuietly(a)
		return nil, nil
	}
	switch a.m.Op {
	case landfall.OpCreate:
		if err := j.number(a.t, r); err != nil {
			return nil, err
		}
		settle(a.t, r, nil)
		change.Action, change.To = landfall.Created, r.Status
		a.w.created = true
		if r.Status != "" {
			r.StatusEdit = &landfall.Edit{Author: change.Author, By: change.By, At: change.Edited, Seq: j.in.Seq}
		}
	case landfall.OpTransition:
		if refusal, err := j.move(a, &change); refusal != nil || err != nil {
			return refusal, err
		}
	case landfall.OpDelete:
		change.Action = landfall.Deleted
		r.Deleted, r.Queue, r.Assignee = true, "", ""
	case landfall.OpRestore:
		change.Action = landfall.Restored
		r.Deleted = false
		settle(a.t, r, nil)
	default:
		change.Action = landfall.Updated
		settle(a.t, r, a.w.now)
		if len(a.set) == 0 {
			j.note = noteLost
		}
	}
	switch {
	case change.Action == landfall.Restored: // its parts come back first
		a.w.stale, a.w.staleAt = true, j.at
	case !r.Deleted:
		if err := j.computed(a); err != nil {
			return nil, err
		}
	}
	j.record(a, change)
	j.touch(a.w, r)
	a.w.judged, a.w.removed = true, false
	if change.Action == landfall.Deleted || change.Action == landfall.Restored {
		if err := j.together(a, a.m.ID, a.t, change.Action); errors.Is(err, errTooMany) {
			return j.tooManyMove(a.m), nil
		} else if err != nil {
			return nil, err
		}
	}
	return nil, j.disturb(a.t, r)
}

// touchQuietly notes that a step looked at the record and changed nothing; its
// faults still count.
func (j *judging) touchQuietly(a *attempt) {
	a.w.last = j.at
}

// change begins the history entry of the attempt.
func (j *judging) change(a *attempt) landfall.Change {
	c := landfall.Change{
		Seq: j.in.Seq, Type: a.m.Type, ID: a.m.ID,
		Author: j.author(a.step), At: j.in.Now, Edited: j.edited(a.step),
		Origin: a.m.Key(), Issue: a.step.Issue, Note: a.step.Note,
	}
	c.By = by(a.step, c.Author)
	return c
}

// by is who applied what author entered, "" when that is the author.
func by(s *Step, author string) string {
	if s.By == author {
		return ""
	}
	return s.By
}

// record notes the change. Fields that somebody else entered get a change of
// their own, under that author's name.
func (j *judging) record(a *attempt, c landfall.Change) {
	byAuthor := map[string]*landfall.Change{}
	order := []string{}
	part := func(name string) *landfall.Change {
		author := a.step.Authors[name]
		if author == "" {
			author = c.Author
		}
		key := author
		if a.step.Given[name] {
			key += "\x00" // at another time than the rest
		}
		p := byAuthor[key]
		if p == nil {
			p = &landfall.Change{}
			*p = c
			if key != c.Author {
				p.Action, p.Transition, p.From, p.To = landfall.Updated, "", "", ""
				p.Author, p.By = author, by(a.step, author)
			}
			if a.step.Given[name] {
				p.Edited = j.in.Now
			}
			byAuthor[key] = p
			order = append(order, key)
		}
		return p
	}
	if c.Action != landfall.Updated {
		part("") // is made, whether or not it sets a field
	}
	for _, name := range a.t.Order {
		if v, set := a.set[name]; set {
			p := part(name)
			enter(&p.Set, name, v)
			enter(&p.Was, name, a.was[name])
			a.merged.Edits[name] = landfall.Edit{Author: p.Author, By: p.By, At: p.Edited, Seq: j.in.Seq}
		}
		if v, lost := a.lost[name]; lost {
			enter(&part(name).Lost, name, v)
		}
	}
	for _, key := range order {
		j.changes = append(j.changes, *byAuthor[key])
		a.w.made = append(a.w.made, *byAuthor[key])
	}
}

func enter(f *landfall.Fields, name string, v landfall.Value) {
	if *f == nil {
		*f = landfall.Fields{}
	}
	(*f)[name] = orNull(v)
}

// move makes the transition and sets what it sets. All its expressions see the
// record as it was before them.
func (j *judging) move(a *attempt, c *landfall.Change) (*Refusal, error) {
	r, t := a.merged, a.move
	vars := j.vars(a.t, r.Clone(), a.w.now)
	for _, s := range t.Set {
		f := a.t.Fields[s.Field]
		if err := j.withParts(vars, s.Value); err != nil {
			return nil, err
		}
		v, err := s.Value.Value(vars, f)
		if err != nil { // the definition's trouble, not the world's
			return j.refuse(StageTransition, landfall.KindConfiguration, CodeExpression, onField(say(CodeExpression, title(a.t)), s.Field)), nil //nolint:nilerr // it is the refusal
		}
		a.put(s.Field, v)
		delete(a.lost, s.Field)
		a.w.setBy[s.Field] = j.at
	}
	c.Action, c.Transition, c.From, c.To = landfall.Moved, t.Name, r.Status, t.To
	r.Status = t.To
	r.StatusEdit = &landfall.Edit{Author: c.Author, By: c.By, At: c.Edited, Seq: j.in.Seq}
	settle(a.t, r, a.w.now)
	return nil, nil
}

// settle puts a case where its status says: into its queue, or in the worklist
// of the user in a field. While it stays in the status an assignment by hand
// stays, too; the user in the field is followed.
func settle(t *definition.Type, r, was *landfall.Record) {
	if t.Lifecycle == nil {
		return
	}
	s := t.Lifecycle.Statuses[r.Status]
	if s == nil {
		return
	}
	assignee := text(r.Fields[s.Worklist])
	if was == nil || was.Status != r.Status {
		r.Queue, r.Assignee = s.Queue, assignee
		return
	}
	if s.Worklist != "" && was.Assignee == text(was.Fields[s.Worklist]) {
		r.Assignee = assignee
	}
}

// number gives a new record its number.
func (j *judging) number(t *definition.Type, r *landfall.Record) error {
	if t.Number == nil {
		return nil
	}
	last, given := j.counters[t.Name]
	if !given {
		var err error
		if last, err = j.in.World.Counter(t.Name); err != nil {
			return err
		}
	}
	n := max(last+1, t.Number.From)
	j.counters[t.Name] = n
	r.Number = t.Number.Prefix + strconv.FormatInt(n, 10)
	return nil
}

// commit is the verdict on a run that passed all checks.
func (j *judging) commit() (Verdict, error) {
	v := Verdict{Applied: true, Note: j.note}
	if len(j.changes) == 0 {
		if v.Note == "" {
			v.Note = noteNothing
		}
		return v, nil
	}
	if slices.ContainsFunc(j.changes, func(c landfall.Change) bool { return len(c.Set) > 0 || c.Action != landfall.Updated }) {
		v.Note = ""
	}
	for i := range j.changes {
		j.changes[i].Index = i
	}
	v.Effects.Changes = j.changes
	for _, id := range j.order {
		w := j.work[id]
		if len(w.made) == 0 {
			continue
		}
		r := w.now
		r.Version, r.UpdatedAt = j.in.Seq, j.in.Now
		if w.judged || w.sound { // who is only assigned was not held to this version's rules
			r.Definition = j.in.App.Version
		}
		t := j.in.App.Types[r.Type]
		v.Effects.Writes = append(v.Effects.Writes, landfall.Write{Record: r, Unique: uniques(t, r), Links: w.links(t)})
	}
	if err := j.audiences(v.Effects.Writes); errors.Is(err, errTooMany) {
		r, err := j.place(j.tooManyMove(&j.in.Run[j.at].Mutation))
		return Verdict{Refusal: r}, err
	} else if err != nil {
		return Verdict{}, err
	}
	v.Effects.Regroups = j.regroups
	if len(j.counters) > 0 {
		v.Effects.Counters = j.counters
	}
	return v, nil
}

// tooManyMove refuses what would keep the server from everything else for long.
func (j *judging) tooManyMove(m *landfall.Mutation) *Refusal {
	what := m.Type
	if t := j.in.App.Types[m.Type]; t != nil {
		what = title(t)
	}
	return j.refuse(StageValidity, landfall.KindConfiguration, CodeTooManyMove, say(CodeTooManyMove, strconv.Itoa(mostMoved), what))
}

// uniques are the values that the record holds in its unique fields.
func uniques(t *definition.Type, r *landfall.Record) map[string]string {
	var out map[string]string
	for _, name := range t.Order {
		if !t.Fields[name].Unique {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		if v := r.Fields[name]; !r.Deleted && !landfall.IsNull(v) {
			out[name] = uniqueKey(v)
		}
	}
	return out
}

// uniqueKey is a value as it is kept for uniqueness: a text without its quotes.
func uniqueKey(v landfall.Value) string {
	if s := text(v); s != "" {
		return s
	}
	return string(v)
}
