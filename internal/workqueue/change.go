package workqueue

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// mostText is how many characters a comment or note may have.
const mostText = 4000

// origin marks changes that people make at the desk: no device has it.
var origin = landfall.Key{Replica: "desk", Incarnation: 1}

// edit is one change of one issue in the making.
type edit struct {
	*view
	row    *store.IssueRow
	issue  *landfall.Issue // row's, to be changed
	action landfall.Action
	note   string
}

// Claim takes the issue for the caller, or renews the caller's claim: nobody
// else may take, assign or decide it until the lease ends, or the holder may not
// decide it any more. Who may decide it may claim it. CodeConflict while another's claim holds, and for
// resolved issues; CodeForbidden for others.
func (d *Desk) Claim(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueView, error) {
	return d.change(ctx, ws, actor, ref, "claim", func(e *edit) error {
		i := e.issue
		if !core.Decides(e.app, i, &e.who) {
			return e.notYours("claim")
		}
		if err := e.free(); err != nil {
			return err
		}
		e.action = landfall.Updated
		if i.State != landfall.IssueClaimed {
			e.action = landfall.Moved
		}
		until, assigned := e.now.Add(d.lease), i.Assigned()
		i.State, i.Assignee, i.AssignedTo, i.ClaimedUntil = landfall.IssueClaimed, e.who.User, &assigned, &until
		return nil
	})
}

// Release gives a claimed issue back: it is open again, and with whom it was
// before the claim. The holder may release, and, once the claim has ended, any
// member of its queue.
func (d *Desk) Release(ctx context.Context, ws string, actor landfall.Actor, ref string) (*wire.IssueView, error) {
	return d.change(ctx, ws, actor, ref, "release", func(e *edit) error {
		i := e.issue
		if i.State != landfall.IssueClaimed {
			return landfall.Errorf(landfall.CodeConflict, "issue %d is not claimed: it is %s", i.Number, i.State)
		}
		if i.Assignee != e.who.User {
			if !e.decides(i) {
				return e.notYours("release")
			}
			if err := e.free(); err != nil {
				return err
			}
		}
		e.action = landfall.Moved
		i.Assignee = i.Assigned()
		i.State, i.AssignedTo, i.ClaimedUntil = landfall.IssueOpen, nil, nil
		return nil
	})
}

// Comment adds a remark. The author, whom it was assigned to and members of the issue's
// queue may comment, on resolved issues too.
func (d *Desk) Comment(ctx context.Context, ws string, actor landfall.Actor, ref, text string) (*wire.IssueView, error) {
	return d.change(ctx, ws, actor, ref, "comment", func(e *edit) error {
		i := e.issue
		if !e.decides(i) && i.Author != e.who.User && i.Assigned() != e.who.User {
			return e.notYours("comment on")
		}
		text, err := written("a comment", text)
		if err != nil {
			return err
		}
		if text == "" {
			return landfall.Errorf(landfall.CodeInvalid, "the comment is empty").WithHint("write what the others should know")
		}
		e.action = landfall.Updated
		i.Comments = append(slices.Clone(i.Comments), landfall.Comment{By: e.who.User, At: e.now, Text: text})
		return nil
	})
}

// Assign hands an unresolved issue to a person (user:NAME), who gets it in
// their worklist while it stays in its queue, or to another queue (queue:NAME)
// that has an enabled member. Members of its queue may assign.
func (d *Desk) Assign(ctx context.Context, ws string, actor landfall.Actor, ref string, to wire.Assign) (*wire.IssueView, error) {
	return d.change(ctx, ws, actor, ref, "assign", func(e *edit) error {
		i := e.issue
		if !e.decides(i) {
			return e.notYours("assign")
		}
		if err := e.free(); err != nil {
			return err
		}
		note, err := written("a note", to.Note)
		if err != nil {
			return err
		}
		what, name, _ := strings.Cut(to.To, ":")
		switch {
		case what == "user" && name != "":
			if err := e.enabled(name); err != nil {
				return err
			}
			i.Assignee = name
		case what == "queue" && name != "":
			if err := e.usable(name); err != nil {
				return err
			}
			i.Queue, i.Assignee = name, ""
		default:
			return landfall.Errorf(landfall.CodeInvalid, "%q is neither a person nor a queue", to.To).
				WithHint("write user:NAME or queue:NAME")
		}
		e.action, e.note = landfall.Assigned, note
		i.State, i.AssignedTo, i.ClaimedUntil = landfall.IssueOpen, nil, nil
		return nil
	})
}

// Reopen takes a resolved issue up again. Members of its queue may, as long as
// what was sent is still there; so somebody is there to decide it. When its queue
// is gone, that is the administrators, and it goes to the fallback queue.
func (d *Desk) Reopen(ctx context.Context, ws string, actor landfall.Actor, ref, note string) (*wire.IssueView, error) {
	return d.change(ctx, ws, actor, ref, "reopen", func(e *edit) error {
		i := e.issue
		if !e.decides(i) {
			return e.notYours("reopen")
		}
		if i.Open() {
			return landfall.Errorf(landfall.CodeConflict, "issue %d is not resolved: it is %s", i.Number, i.State)
		}
		if len(e.row.Sent) == 0 {
			return landfall.Errorf(landfall.CodeConflict, "what was sent with issue %d is no longer there", i.Number).
				WithHint("there is nothing left to decide")
		}
		note, err := written("a note", note)
		if err != nil {
			return err
		}
		if !e.queue(i.Queue).declared {
			i.Queue = landfall.FallbackQueue
		}
		e.action, e.note = landfall.Moved, note
		i.State, i.Assignee = landfall.IssueOpen, ""
		i.Settlement, i.Decider, i.DecidedAt, i.Note = "", "", nil, ""
		return nil
	})
}

// change makes one change of one issue, in one transaction and at a place of
// its own in the sequence.
func (d *Desk) change(ctx context.Context, ws string, actor landfall.Actor, ref, transition string, f func(*edit) error) (*wire.IssueView, error) {
	var out *wire.IssueView
	err := d.store.Update(ctx, func(w store.Writer) error {
		ledger, err := store.Open(w, ws, d.clock().UTC(), d.mark())
		if err != nil {
			return err
		}
		v, err := d.view(w, ws, actor, ledger.Now())
		if err != nil {
			return err
		}
		row, err := v.issue(ref)
		if err != nil {
			return err
		}
		before := row.Issue
		changed := *row
		e := &edit{view: v, row: &changed, issue: &changed.Issue}
		if err := f(e); err != nil {
			return err
		}
		if err := e.commit(w, ledger, &before, transition); err != nil {
			return err
		}
		v.seen = map[string]bool{}
		out, err = v.issueView(&changed)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (e *edit) commit(w store.Writer, ledger *store.Ledger, before *landfall.Issue, transition string) error {
	i := e.issue
	i.Version = ledger.Next()
	old, err := before.AsRecord()
	if err != nil {
		return err
	}
	rec, err := i.AsRecord()
	if err != nil {
		return err
	}
	stored, err := w.Record(e.ws, i.ID)
	if err != nil {
		return err
	}
	rec.UpdatedAt = e.now
	if stored != nil {
		rec.CreatedAt, rec.Definition = stored.CreatedAt, stored.Definition
	}
	set, was, err := differences(old, rec)
	if err != nil {
		return err
	}
	c := landfall.Change{
		Type: rec.Type, ID: rec.ID, Action: e.action, Set: set, Was: was,
		Transition: transition, From: old.Status, To: rec.Status,
		Author: e.who.User, At: e.now, Edited: e.now, Origin: origin, Issue: i.ID, Note: e.note,
	}
	err = ledger.Commit(&landfall.Effects{
		Writes:  []landfall.Write{{Record: rec, Audience: core.IssueAudience(e.app, i.Author, i.Queue, i.Assigned())}},
		Changes: []landfall.Change{c},
	})
	if err != nil {
		return err
	}
	if err := w.PutIssue(e.ws, e.row); err != nil {
		return err
	}
	if entry := e.audit(transition); entry != nil {
		if err := w.AddAudit(e.ws, entry); err != nil {
			return err
		}
	}
	return ledger.Close()
}

// audited are the changes that the audit tells of. Comments are part of the
// issue, and stay there.
var audited = map[string]string{
	"claim": store.IssueClaim, "release": store.IssueRelease, "assign": store.IssueAssign, "reopen": store.IssueReopen,
}

// audit is the entry of the change; nil for none.
func (e *edit) audit(transition string) *store.AuditEntry {
	action := audited[transition]
	if action == "" {
		return nil
	}
	i := e.issue
	return store.Done(e.who.User, action, i.ID, e.now).With("number", strconv.FormatInt(i.Number, 10)).
		With("queue", i.Queue).With("assignee", i.Assignee)
}

// free reports, as an error, that the issue can't be taken: it is resolved, or
// another's claim holds.
func (e *edit) free() error {
	i := e.issue
	if !i.Open() {
		return landfall.Errorf(landfall.CodeConflict, "issue %d is resolved", i.Number).WithHint("reopen it first")
	}
	if i.State != landfall.IssueClaimed || i.Assignee == e.who.User {
		return nil
	}
	u, err := e.r.User(e.ws, i.Assignee)
	if err != nil || u == nil {
		return err
	}
	if holder := u.Actor(); core.Claimed(e.app, i, &holder, e.now) {
		return landfall.Errorf(landfall.CodeConflict, "issue %d is claimed by %s until %s", i.Number, i.Assignee, i.ClaimedUntil.UTC().Format(time.RFC3339)).
			WithHint("ask %s to release it, or wait until then", i.Assignee)
	}
	return nil
}

func (e *edit) notYours(what string) error {
	q := e.queue(e.issue.Queue)
	return landfall.Errorf(landfall.CodeForbidden, "you may not %s issue %d", what, e.issue.Number).
		WithHint("it is in %s, whose members have the role %s", q.title, strings.Join(q.members, " or "))
}

// enabled refuses a name that is no enabled user's.
func (e *edit) enabled(name string) error {
	u, err := e.r.User(e.ws, name)
	if err != nil {
		return err
	}
	if u != nil && !u.Disabled {
		return nil
	}
	if u != nil {
		return landfall.Errorf(landfall.CodeInvalid, "the user %q is disabled", name).WithHint("assign to somebody else, or to a queue")
	}
	var names []string
	err = store.EachUser(e.r, e.ws, func(u *store.User) bool {
		if !u.Disabled {
			names = append(names, u.Name)
		}
		return true
	})
	if err != nil {
		return err
	}
	return definition.Unknown(landfall.CodeInvalid, "user", name, names)
}

// usable refuses a queue that does not exist or where nobody would see to it.
func (e *edit) usable(name string) error {
	q := e.queue(name)
	if !q.declared {
		return definition.Unknown(landfall.CodeInvalid, "queue", name, e.queues())
	}
	ok, err := store.Staffed(e.r, e.ws, q.members, "")
	if err != nil || ok {
		return err
	}
	return landfall.Errorf(landfall.CodeRefused, "nobody would see to it: no enabled user has the role %s", strings.Join(q.members, " or ")).
		WithHint("grant the role to somebody first, or choose another queue")
}

// written is a text without the space around it, within the limit.
func written(what, text string) (string, error) {
	text = strings.TrimSpace(text)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return "", landfall.Errorf(landfall.CodeInvalid, "%s must be text", what)
	}
	if utf8.RuneCountInString(text) > mostText {
		return "", landfall.Errorf(landfall.CodeTooLarge, "%s may have %d characters", what, mostText)
	}
	return text, nil
}
