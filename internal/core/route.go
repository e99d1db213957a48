package core

import (
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Route says where an issue goes if somebody works there: to the queue of the first route of the
// definition that holds, else to the queue of its type, else to the fallback
// queue and its author. The app may be nil. The issue's Kind, RecordType, Op,
// Transition, Author and Messages must be set. A route that fails does not hold.
func Route(app *definition.App, i *landfall.Issue) (queue, assignee string) {
	if app != nil {
		for _, r := range app.Routes {
			if r.When == nil {
				return r.Queue, ""
			}
			author := landfall.Actor{User: i.Author}
			if ok, err := r.When.Bool(&definition.Vars{Issue: i, Actor: &author, Now: i.ReceivedAt}); err == nil && ok {
				return r.Queue, ""
			}
		}
		if t := app.Types[i.RecordType]; t != nil && t.Queue != "" {
			return t.Queue, ""
		}
	}
	return landfall.FallbackQueue, i.Author
}

// IssueAudience lists the keys that may receive an issue, sorted: its author,
// whom it was assigned to and the members of its queue.
func IssueAudience(app *definition.App, author, queue, assigned string) []string {
	keys := []string{"user:" + author}
	if assigned != "" {
		keys = append(keys, "user:"+assigned)
	}
	for _, role := range app.Members(queue) {
		keys = append(keys, "role:"+role)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// Decides reports whether the actor may decide the issue: members of its queue,
// whom it was assigned to, and its author where no rule routed it. The app may be
// nil. Whether the account is disabled is for the caller to ask.
func Decides(app *definition.App, i *landfall.Issue, a *landfall.Actor) bool {
	if i.Assigned() == a.User && (a.User != i.Author || i.Queue == landfall.FallbackQueue) {
		return true
	}
	return slices.ContainsFunc(app.Members(i.Queue), a.Has)
}

// Claimed reports whether a claim keeps others off the issue: until its lease
// ends, or its holder may decide it no more.
func Claimed(app *definition.App, i *landfall.Issue, holder *landfall.Actor, now time.Time) bool {
	leased := i.State == landfall.IssueClaimed && i.ClaimedUntil != nil && now.Before(*i.ClaimedUntil)
	return leased && !holder.Disabled && Decides(app, i, holder)
}

// Unrouted is the refusal with its issue where it goes when no rule routes it:
// for a queue in which nobody would see to it.
func (r Refusal) Unrouted(author string) *Refusal {
	r.Queue, r.Assignee = Route(nil, &landfall.Issue{Author: author})
	r.Audience = IssueAudience(nil, author, r.Queue, r.Assignee)
	return &r
}

// Refuse is the refusal of a mutation that is not judged: malformed, fork, lost
// or internal. The app may be nil, and of m only what could be read is set; a
// kind without messages gets its own.
func Refuse(app *definition.App, kind landfall.Kind, author string, m *landfall.Mutation, messages ...landfall.Message) Refusal {
	if len(messages) == 0 {
		code := map[landfall.Kind]string{
			landfall.KindMalformed: CodeMalformed, landfall.KindFork: CodeFork, landfall.KindLost: CodeLost,
		}[kind]
		messages = []landfall.Message{say(or(code, CodeInternal))}
	}
	r := &Refusal{Kind: kind, Messages: messages, Cause: cause(kind, m, fieldsOf(messages))}
	return routed(app, r, author, m)
}

// routed is the refusal with the place of its issue.
func routed(app *definition.App, r *Refusal, author string, m *landfall.Mutation) Refusal {
	issue := &landfall.Issue{
		Kind: r.Kind, Cause: r.Cause, RecordType: m.Type, Record: m.ID, Op: m.Op, Transition: m.Transition,
		Author: author, Device: m.Replica, Incarnation: m.Incarnation, N: m.N,
		Messages: r.Messages, Definition: m.Definition, MadeAt: m.MadeAt,
	}
	out := *r
	out.Queue, out.Assignee = Route(app, issue)
	out.Audience = IssueAudience(app, author, out.Queue, out.Assignee)
	return out
}

// MayWithdraw reports whether a withdrawal by the actor takes the issue back;
// else note says why not, for the receipt of a withdrawal without effect. A nil
// issue is one that is not there; somebody else's looks the same. Who may only
// deposit takes nothing back, and hears of no issue.
func MayWithdraw(i *landfall.Issue, a *landfall.Actor) (ok bool, note string) {
	switch {
	case Deposits(a):
		return false, "Nothing was withdrawn: the account or the device may only hand in. The issue stays with those who decide it."
	case i == nil || i.Author != a.User:
		return false, "There is no such issue of yours to withdraw."
	case i.Open():
		return true, ""
	case i.Settlement == landfall.SettledWithdrawn:
		return false, "It was withdrawn already."
	case i.Decider != "":
		return false, "Too late: " + i.Decider + " has decided it (" + string(i.Settlement) + ")."
	default:
		return false, "Too late: it is settled (" + string(i.Settlement) + ")."
	}
}
