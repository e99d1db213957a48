package publish

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// placer finds the line of a top-level word, to point at.
type placer struct {
	file, source string
}

func (p placer) problem(word string, warning bool, message, hint string) wire.Problem {
	out := wire.Problem{File: p.file, Line: 1, Column: 1, Warning: warning, Message: message, Hint: hint}
	n := 0
	for line := range strings.Lines(p.source) {
		n++
		if strings.HasPrefix(line, word) {
			out.Line = n
			break
		}
	}
	return out
}

func (p placer) wrongVersion(next int64) wire.Problem {
	return p.problem("version:", false, fmt.Sprintf("the next version is %d", next),
		fmt.Sprintf("write version: %d, or leave it out", next))
}

func quote(s string) string { return strconv.Quote(s) }

// stranded warns of what the published version has and the next one has not.
func stranded(at placer, old, next *definition.App) []wire.Problem {
	var out []wire.Problem
	renames := core.Conversions(old, next)
	gone := func(what, name string) {
		out = append(out, at.problem("types:", true, fmt.Sprintf("%s %q of the published version is gone", what, name),
			"records made under it stay readable; changes that devices made with it become issues of the kind outdated"))
	}
	for _, name := range old.Order {
		was, is := old.Types[name], next.Types[name]
		if is == nil {
			gone("the type", name)
			continue
		}
		for _, field := range was.Order {
			f := is.Fields[field]
			if f == nil && !renamed(renames, name, field, func(c *definition.Conversion) map[string]string { return c.Rename }) {
				gone("the field", name+"."+field)
			} else if f != nil && f.Type != was.Fields[field].Type {
				out = append(out, at.problem("types:", true,
					fmt.Sprintf("the field %q was of type %s and is of type %s now", name+"."+field, was.Fields[field].Type, f.Type),
					"values stored under the old type stay as they are; records that have them may be refused until the field is set again"))
			}
		}
		statuses, moves := lifecycle(was)
		newStatuses, newMoves := lifecycle(is)
		for _, s := range statuses {
			if !slices.Contains(newStatuses, s) && !renamed(renames, name, s, func(c *definition.Conversion) map[string]string { return c.Statuses }) {
				gone("the status", name+" "+s)
			}
		}
		for _, m := range moves {
			if !slices.Contains(newMoves, m) && !renamed(next.Convert, name, m, func(c *definition.Conversion) map[string]string { return c.Transitions }) {
				gone("the transition", name+" "+m)
			}
		}
	}
	return out
}

// renamed reports whether a name of the type leads to another.
func renamed(all []definition.Conversion, typ, name string, of func(*definition.Conversion) map[string]string) bool {
	return slices.ContainsFunc(all, func(c definition.Conversion) bool { return c.Type == typ && of(&c)[name] != "" })
}

// unattended refuses queues in which sync issues wait that nobody could decide
// any more. A queue that is gone is the administrators'.
func unattended(r store.Reader, ws string, at placer, old, next *definition.App) (out []wire.Problem, err error) {
	for _, queue := range slices.Sorted(maps.Keys(next.Queues)) {
		roles := next.Members(queue)
		if slices.Equal(roles, old.Members(queue)) {
			continue
		}
		wait, err := store.Unattended(r, ws, queue, roles, "")
		if err != nil {
			return nil, err
		}
		if wait {
			out = append(out, at.problem("queues:", false,
				fmt.Sprintf("sync issues wait in the queue %q, and no enabled user has the role %s", queue, strings.Join(roles, " or ")),
				"leave it a role that somebody has until somebody has the new one, or have the issues handed to another queue"))
		}
	}
	return out, nil
}

func lifecycle(t *definition.Type) (statuses, moves []string) {
	if t.Lifecycle == nil {
		return nil, nil
	}
	return t.Lifecycle.Order, t.Lifecycle.Moves
}
