package core

import (
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Route says where an issue goes: the first route of the definition that holds,
// else the queue of its type, else the fallback queue and its author. The app
// may be nil. The issue's Kind, RecordType, Author and Messages must be set.
func Route(app *definition.App, i *landfall.Issue) (queue, assignee string) {
	return landfall.FallbackQueue, i.Author
}

// IssueAudience lists the keys that may receive an issue, sorted: its author,
// its assignee and the members of its queue.
func IssueAudience(app *definition.App, author, queue, assignee string) []string {
	keys := []string{"user:" + author}
	if assignee != "" {
		keys = append(keys, "user:"+assignee)
	}
	for _, role := range members(app, queue) {
		keys = append(keys, "role:"+role)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// members are the roles of a queue; administrators always belong to the fallback queue.
func members(app *definition.App, queue string) []string {
	if app != nil && app.Queues[queue] != nil {
		return app.Queues[queue].Members
	}
	return []string{landfall.Administrator}
}

// Refuse is the refusal of a mutation that is not judged: malformed, fork, lost
// or internal. The app may be nil, and of m only what could be read is set.
func Refuse(app *definition.App, kind landfall.Kind, author string, m *landfall.Mutation, messages ...landfall.Message) Refusal {
	return Refusal{}
}

// MayWithdraw reports whether a withdrawal by the user takes the issue back;
// else note says why not, for the receipt of a withdrawal without effect. A nil
// issue is one that is not there.
func MayWithdraw(i *landfall.Issue, user string) (ok bool, note string) { return false, "" }
