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

// audiences finds the records whose audience is another under the next
// definition, and tells each to move. It goes through the records of the types
// whose audience changed, and the issues of the queues whose members did, a page
// at a time.
type audiences struct {
	r    store.Reader
	ws   string
	next *definition.App
	to   mover
	// moved are the audiences of records through which others are seen, where
	// nothing is written that r would read.
	moved map[string][]string
}

// mover does to a record what the next definition says of it. A trial of one
// does nothing.
type mover interface {
	Regroup(id string, keys []string) error
	Link(typ, id string, links []landfall.Link) error
}

// change goes from the old definition to the next, and says how many moved.
func (a *audiences) change(at placer, old *definition.App) ([]wire.Problem, error) {
	var out []wire.Problem
	others := map[string]bool{} // types whose audience may be another
	for _, name := range byDepth(a.next) {
		t, was := a.next.Types[name], old.Types[name]
		others[name] = was == nil || !slices.EqualFunc(was.Audience, t.Audience, sameKey) ||
			slices.ContainsFunc(t.Linked, func(field string) bool { return others[t.Fields[field].To] })
		if !others[name] {
			continue
		}
		n, err := a.records(t, was == nil || !slices.Equal(was.Linked, t.Linked))
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, at.moves("types:", fmt.Sprintf("the audience of %q changes: %d of its records enter or leave devices", name, n)))
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

// records goes through the records of a type, whose links may be to be made.
func (a *audiences) records(t *definition.Type, link bool) (moved int, err error) {
	for after := ""; ; {
		ids, err := a.r.RecordsOf(a.ws, t.Name, after, chunk)
		if err != nil || len(ids) == 0 {
			return moved, err
		}
		for _, id := range ids {
			row, err := a.r.Row(a.ws, id)
			if err != nil {
				return moved, err
			}
			if row == nil {
				return moved, landfall.Errorf(landfall.CodeInternal, "the record %s is listed, but not stored", id)
			}
			if links := core.Links(t, row.Record); link && links != nil && !row.Record.Deleted {
				if err := a.to.Link(t.Name, id, links); err != nil {
					return moved, err
				}
			}
			keys, err := core.Audience(a.next, row.Record, a.current)
			if err != nil {
				return moved, err
			}
			did, err := a.settle(row, id, keys)
			if err != nil {
				return moved, err
			}
			if moved += did; did > 0 && a.moved != nil && len(t.Followers) > 0 {
				a.moved[id] = keys
			}
		}
		after = ids[len(ids)-1]
	}
}

// current is who may see a record under the next definition.
func (a *audiences) current(id string) ([]string, error) {
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
			did, err := a.settle(stored, i.ID, core.IssueAudience(a.next, i.Author, i.Queue, i.Assignee))
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
