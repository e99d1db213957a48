package core

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Cause is what issues of one origin have in common.
type Cause struct {
	Count      int
	Who        Who
	Kind       landfall.Kind
	Type       string
	Transition string
	Messages   []landfall.Message // of one of them
}

// Who are the authors of the issues: by the one role that all have, else by the
// name of the only one, else by their number.
type Who struct {
	Role  string
	Name  string
	Users int
}

func (w Who) String() string {
	switch {
	case w.Name != "":
		return w.Name + " lacks"
	case w.Role != "":
		return "the role " + w.Role + " lacks"
	default:
		return fmt.Sprintf("%d users lack", w.Users)
	}
}

// faultsNamed is how many faults of a change its cause's title names.
const faultsNamed = 3

// CauseTitle says what the cause is, in the titles of the definition, and what to
// do about it. The app may be nil.
func CauseTitle(app *definition.App, c Cause) (text, fix string) {
	changes := "changes"
	if c.Count == 1 {
		changes = "change"
	}
	what := c.lacks(app)
	if what == "" {
		what = c.said()
	} else {
		what = c.Who.String() + " " + what
	}
	text = fmt.Sprintf("%d %s: %s", c.Count, changes, what)
	var hints []string
	for _, m := range c.Messages {
		if m.Hint != "" && !contains(hints, m.Hint) {
			hints = append(hints, m.Hint)
		}
	}
	return text, strings.Join(hints[:min(len(hints), faultsNamed)], " ")
}

// lacks is the right that is missing, "" when none is, or not the same for all.
func (c *Cause) lacks(app *definition.App) string {
	if c.Kind != landfall.KindAuthorization || len(c.Messages) == 0 || app == nil || app.Types[c.Type] == nil {
		return ""
	}
	t := app.Types[c.Type]
	move := c.Transition
	if t.Lifecycle != nil && t.Lifecycle.Transitions[move] != nil {
		move = moveTitle(t.Lifecycle.Transitions[move])
	}
	switch m := &c.Messages[0]; m.Code {
	case CodeTransitionRole:
		return fmt.Sprintf("%s on %s", move, title(t))
	case CodeMayNotCreate:
		return "create on " + title(t)
	case CodeMayNotUpdate:
		return "update on " + title(t)
	case CodeMayNotDelete:
		return "delete on " + title(t)
	case CodeMayNotWrite:
		var names []string
		for _, m := range c.Messages[:min(len(c.Messages), faultsNamed)] {
			names = append(names, fieldTitle(t, m.Field))
		}
		return fmt.Sprintf("write %s on %s", strings.Join(names, ", "), title(t))
	}
	return ""
}

// said is what the messages say, as one line.
func (c *Cause) said() string {
	var out []string
	for _, m := range c.Messages[:min(len(c.Messages), faultsNamed)] {
		out = append(out, strings.TrimSuffix(m.Text, "."))
	}
	if n := len(c.Messages) - faultsNamed; n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	if len(out) == 0 {
		return string(c.Kind)
	}
	return strings.Join(out, "; ")
}
