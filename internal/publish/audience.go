package publish

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// chunk is how many records are read at a time.
const chunk = 500

// audiences finds the records whose audience, or whose names, are others under the
// next definition, and tells each to move, and those that hold values that are
// unique from now on, or no longer. It goes through the records of the
// types of which that can be, and the issues of the queues whose members are
// others, a page at a time.
type audiences struct {
	r    store.Reader
	ws   string
	next *definition.App
	to   mover
	// moved are the audiences of records through which others are seen, where
	// nothing is written that r would read.
	moved map[string][]string

	renames []definition.Conversion
}

// mover does to a record what the next definition says of it. A trial of one
// does nothing.
type mover interface {
	Regroup(id string, keys []string) error
	Link(typ, id string, links []landfall.Link) error
	Convert(was, now *landfall.Record, keys []string) error
	// Release lets go of the unique values of a record. Claim makes these the
	// record's, but for those that are taken: it tells their fields.
	Release(typ, id string) error
	Claim(typ, id string, values map[string]string) (taken []string, err error)
}

// change goes from the old definition to the next, and says how many moved.
func (a *audiences) change(at placer, old *definition.App) ([]wire.Problem, error) {
	a.renames = core.Conversions(old, a.next)
	var out []wire.Problem
	others := map[string]bool{} // types whose audience may be another
	for _, name := range byDepth(a.next) {
		t, was := a.next.Types[name], old.Types[name]
		others[name] = was == nil || !slices.EqualFunc(was.Audience, t.Audience, sameKey) || a.converts(name) ||
			slices.ContainsFunc(t.Linked, func(field string) bool { return others[t.Fields[field].To] })
		claim := a.claims(was, t)
		if !others[name] && !claim {
			continue
		}
		n := done{shared: map[string]int{}, link: was == nil || !slices.Equal(was.Linked, t.Linked), claim: claim}
		if err := a.records(t, &n); err != nil {
			return nil, err
		}
		out = append(out, at.shared(name, n.shared)...)
		if n.moved > 0 {
			out = append(out, at.moves("types:", fmt.Sprintf("the audience of %q changes: %d of its records enter or leave devices", name, n.moved)))
		}
		if n.converted > 0 {
			out = append(out, at.problem("convert:", true, fmt.Sprintf("%d records of %q are converted", n.converted, name),
				"they get their new names where the definition is published, and are sent to the devices that have them"))
		}
	}
	for _, name := range queues(old, a.next) {
		n, err := a.issues(name)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, at.moves("queues:", fmt.Sprintf("the members of the queue %q change: %d of its sync issues enter or leave devices", name, n)))
		}
	}
	return out, nil
}

// converts reports whether something of the type has another name from now on.
func (a *audiences) converts(typ string) bool {
	return slices.ContainsFunc(a.renames, func(c definition.Conversion) bool { return c.Type == typ })
}

// byDepth are the types in an order in which each comes after those through which
// its records are seen.
func byDepth(app *definition.App) []string {
	out := slices.Clone(app.Order)
	slices.SortStableFunc(out, func(x, y string) int { return app.Types[x].Depth - app.Types[y].Depth })
	return out
}

func (p placer) moves(word, what string) wire.Problem {
	return p.problem(word, true, what, "each device gets what its user may see now, and loses what they may not, when it syncs next")
}

func sameKey(a, b definition.AudienceKey) bool {
	return a.Kind == b.Kind && a.Name == b.Name && slices.Equal(a.Statuses, b.Statuses)
}

// queues are those whose members changed, by name. One that is not declared has
// members, too.
func queues(old, next *definition.App) (out []string) {
	for _, app := range []*definition.App{old, next} {
		for name := range app.Queues {
			if !slices.Equal(old.Members(name), next.Members(name)) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// done counts what became of the records of a type, whose links, and whose unique
// values, may be to be made.
type done struct {
	link, claim      bool
	moved, converted int
	shared           map[string]int // records that have the value of another one, by field
}

// records goes through the records of a type.
func (a *audiences) records(t *definition.Type, n *done) error {
	if n.claim {
		if err := a.release(t.Name); err != nil {
			return err
		}
	}
	for after := ""; ; {
		ids, err := a.r.RecordsOf(a.ws, t.Name, after, chunk)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			row, err := a.r.Row(a.ws, id)
			if err != nil {
				return err
			}
			if row == nil {
				return landfall.Errorf(landfall.CodeInternal, "the record %s is listed, but not stored", id)
			}
			if err := a.record(t, row, n); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// record gives one record its names, its links and its audience.
func (a *audiences) record(t *definition.Type, row *store.Row, n *done) error {
	was := row.Record
	now := core.ConvertRecord(a.renames, was)
	if values := core.Unique(t, now); n.claim && len(values) > 0 {
		taken, err := a.to.Claim(t.Name, now.ID, values)
		if err != nil {
			return err
		}
		for _, field := range taken {
			n.shared[field]++
		}
	}
	if links := core.Links(t, now); (n.link || now != was) && links != nil && !now.Deleted {
		if err := a.to.Link(t.Name, now.ID, links); err != nil {
			return err
		}
	}
	keys, err := core.Audience(a.next, now, a.current)
	if err != nil {
		return err
	}
	moved := !slices.Equal(row.Keys, keys)
	if moved {
		n.moved++
		if a.moved != nil && len(t.Followers) > 0 {
			a.moved[now.ID] = keys
		}
	}
	switch {
	case now != was:
		n.converted++
		return a.to.Convert(was, now, keys)
	case moved:
		return a.to.Regroup(now.ID, keys)
	}
	return nil
}

// current is who may see a record under the next definition.
func (a *audiences) current(_, id string) ([]string, error) {
	if keys, known := a.moved[id]; known {
		return keys, nil
	}
	return a.r.Audience(a.ws, id)
}

// issues goes through the issues of a queue, resolved ones too.
func (a *audiences) issues(queue string) (moved int, err error) {
	for after := ""; ; {
		rows, err := a.r.Issues(a.ws, store.IssueFilter{Queue: queue}, store.Page{After: after, Limit: chunk})
		if err != nil || len(rows) == 0 {
			return moved, err
		}
		for _, row := range rows {
			i := &row.Issue
			stored, err := a.r.Row(a.ws, i.ID)
			if err != nil {
				return moved, err
			}
			did, err := a.settle(stored, i.ID, core.IssueAudience(a.next, i.Author, i.Queue, i.Assigned()))
			if err != nil {
				return moved, err
			}
			moved += did
			after = strconv.FormatInt(i.Number, 10)
		}
	}
}

// settle moves a record when it is not under these keys.
func (a *audiences) settle(row *store.Row, id string, keys []string) (moved int, err error) {
	if row == nil {
		return 0, landfall.Errorf(landfall.CodeInternal, "the record %s is listed, but not stored", id)
	}
	if slices.Equal(row.Keys, keys) {
		return 0, nil
	}
	return 1, a.to.Regroup(id, keys)
}
