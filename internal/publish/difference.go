package publish

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

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
