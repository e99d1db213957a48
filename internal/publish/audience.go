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
	move func(id string, keys []string) error
}

// change goes from the old definition to the next, and says how many moved.
func (a *audiences) change(at placer, old *definition.App) ([]wire.Problem, error) {
	var out []wire.Problem
	for _, name := range a.next.Order {
		if was := old.Types[name]; was != nil && slices.EqualFunc(was.Audience, a.next.Types[name].Audience, sameKey) {
			continue
		}
		n, err := a.records(name)
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

// records goes through the records of a type.
func (a *audiences) records(typ string) (moved int, err error) {
	for after := ""; ; {
		ids, err := a.r.RecordsOf(a.ws, typ, after, chunk)
		if err != nil || len(ids) == 0 {
			return moved, err
		}
		for _, id := range ids {
			row, err := a.r.Row(a.ws, id)
			if err != nil {
				return moved, err
			}
			did, err := a.settle(row, id, core.Audience(a.next, row.Record))
			if err != nil {
				return moved, err
			}
			moved += did
		}
		after = ids[len(ids)-1]
	}
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
	return 1, a.move(id, keys)
}
