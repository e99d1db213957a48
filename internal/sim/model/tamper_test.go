package model_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/model"
	"github.com/landfall-sync/landfall/internal/sim/watch"
	"github.com/landfall-sync/landfall/internal/store"
)

// copied is a commit that can be tampered with.
func copied(c *watch.Commit) *watch.Commit {
	out := &watch.Commit{WS: c.WS, Ops: slices.Clone(c.Ops)}
	for i := range out.Ops {
		op := &out.Ops[i]
		op.Keys = slices.Clone(op.Keys)
		op.Record = op.Record.Clone()
		op.Change, op.Item, op.Issue, op.Head = clone(op.Change), clone(op.Item), clone(op.Issue), clone(op.Head)
		op.User, op.Grant, op.Replica, op.Audit, op.Counter = clone(op.User), clone(op.Grant), clone(op.Replica), clone(op.Audit), clone(op.Counter)
		op.Definition, op.Regrouped, op.Links = clone(op.Definition), clone(op.Regrouped), clone(op.Links)
		if op.Links != nil {
			op.Links.Links = slices.Clone(op.Links.Links)
		}
		if op.Change != nil {
			op.Change.Set, op.Change.Was, op.Change.Lost = op.Change.Set.Clone(), op.Change.Was.Clone(), op.Change.Lost.Clone()
		}
		if op.Item != nil {
			op.Item.Outcome = clone(op.Item.Outcome)
		}
		if op.Issue != nil {
			op.Issue.Sent, op.Issue.Issue.ClaimedUntil = slices.Clone(op.Issue.Sent), clone(op.Issue.Issue.ClaimedUntil)
		}
	}
	return out
}

func clone[T any](x *T) *T {
	if x == nil {
		return nil
	}
	c := *x
	return &c
}

// each finds the first op that it can tamper with.
func each(tamper func(*watch.Op) bool) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool { return slices.ContainsFunc(pointers(c), tamper) }
}

func pointers(c *watch.Commit) []*watch.Op {
	var out []*watch.Op
	for i := range c.Ops {
		out = append(out, &c.Ops[i])
	}
	return out
}

// claimed tampers with an issue as somebody claims it.
func claimed(f func(*landfall.Issue)) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return slices.ContainsFunc(c.Ops, func(op watch.Op) bool { return op.Change != nil && op.Change.Transition == "claim" }) && each(func(op *watch.Op) bool {
			if op.Issue != nil {
				f(&op.Issue.Issue)
			}
			return op.Issue != nil
		})(c)
	}
}

// without leaves the first op out that matches.
func without(match func(*watch.Op) bool) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		i := slices.IndexFunc(c.Ops, func(op watch.Op) bool { return match(&op) })
		if i >= 0 {
			c.Ops = slices.Delete(c.Ops, i, i+1)
		}
		return i >= 0
	}
}

func change(tamper func(*landfall.Change) bool) func(*watch.Commit) bool {
	return each(func(op *watch.Op) bool {
		return op.Change != nil && op.Change.Type != landfall.IssueType && tamper(op.Change)
	})
}

func added(tamper func(*store.Item) bool) func(*watch.Commit) bool {
	return each(func(op *watch.Op) bool { return op.Added && tamper(op.Item) })
}

func record(tamper func(*watch.Op) bool) func(*watch.Commit) bool {
	return each(func(op *watch.Op) bool {
		return op.Record != nil && op.Record.Type != landfall.IssueType && tamper(op)
	})
}

func opened(tamper func(*store.IssueRow) bool) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return each(func(op *watch.Op) bool {
			return op.Issue != nil && slices.ContainsFunc(c.Ops, func(o watch.Op) bool {
				return o.Change != nil && o.Change.ID == op.Issue.Issue.ID && o.Change.Action == landfall.Created
			}) && tamper(op.Issue)
		})(c)
	}
}

// published is for commits that publish an app.
func published(tamper func(*watch.Commit) bool) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return slices.ContainsFunc(c.Ops, func(op watch.Op) bool { return op.Definition != nil }) && tamper(c)
	}
}

// follower tampers with a record that follows another, and nothing else.
func follower(tamper func(*watch.Regrouped)) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return each(func(op *watch.Op) bool {
			ok := op.Regrouped != nil && follows(c, op.Regrouped.ID)
			if ok {
				tamper(op.Regrouped)
			}
			return ok
		})(c)
	}
}

func follows(c *watch.Commit, id string) bool {
	n := 0
	for _, op := range c.Ops {
		if op.Regrouped != nil && op.Regrouped.ID == id {
			n++
		}
		if op.Definition != nil || op.Record != nil && op.Record.ID == id {
			return false
		}
	}
	return n == 1
}

func last(f landfall.Fields) string {
	if len(f) == 0 {
		return ""
	}
	return slices.Max(slices.Collect(maps.Keys(f)))
}

func first(f landfall.Fields) string {
	if len(f) == 0 {
		return ""
	}
	return slices.Min(slices.Collect(maps.Keys(f)))
}

// setting changes what a change, of a decision at the desk or not, sets of a
// field, in the record, too.
func setting(match func(*landfall.Change) string, v string, desk bool) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return change(func(x *landfall.Change) bool {
			name := match(x)
			if name == "" || x.Set[name] == nil || string(x.Set[name]) == v || desk != (x.Origin.Replica == "desk") {
				return false
			}
			x.Set[name] = landfall.Value(v)
			for _, op := range pointers(c) {
				if op.Record != nil && op.Record.ID == x.ID {
					if op.Record.Deleted {
						return false
					}
					op.Record.Fields.Put(name, landfall.Value(v))
				}
			}
			return true
		})(c)
	}
}

func only(name string) func(*landfall.Change) string {
	return func(*landfall.Change) string { return name }
}

var tampered = []struct {
	name, rule string
	tamper     func(*watch.Commit) bool
}{
	{"a value that nobody sent", "merge", setting(only("site"), `"forged"`, false)},
	{"a sum that is not one", "merge", setting(only("visits"), `77`, false)},
	{"a set with one more", "merge", setting(only("tags"), `["cold","dry","hot","wet"]`, false)},
	{"a text cut off", "merge", setting(only("log"), `"x"`, false)},
	{"a value that is not valid", "valid", setting(only("price"), `"-5"`, false)},
	{"a value that is not canonical", "valid", setting(only("price"), `"1.0"`, false)},
	{"a field emptied that is required", "valid", setting(func(c *landfall.Change) string {
		return map[string]string{"job": "title", "task": "what", "memo": "text"}[c.Type]
	}, `null`, false)},
	{"a value that the device did not send, decided as the device's", "decision", func(c *watch.Commit) bool {
		return slices.ContainsFunc(c.Ops, func(op watch.Op) bool { return op.Change != nil && op.Change.By != "" }) && setting(func(c *landfall.Change) string {
			if c.By == "" {
				return ""
			}
			return "title"
		}, `"forged"`, true)(c)
	}},
	{"another old value", "fold", change(func(c *landfall.Change) bool {
		name := first(c.Was)
		if name != "" {
			c.Was[name] = landfall.Value(`"else"`)
		}
		return name != ""
	})},
	{"an old value kept quiet", "fold", change(func(c *landfall.Change) bool {
		name := first(c.Was)
		delete(c.Was, name)
		return name != ""
	})},
	{"what lost kept quiet", "lost", change(func(c *landfall.Change) bool {
		name := first(c.Lost)
		delete(c.Lost, name)
		return name != ""
	})},
	{"another author", "origin", change(func(c *landfall.Change) bool { c.Author = "mallory"; return c.Origin.Replica != "desk" })},
	{"another origin", "origin", change(func(c *landfall.Change) bool { c.Origin.N++; return c.Origin.Replica != "desk" })},
	{"an edit in the future", "edit-time", change(func(c *landfall.Change) bool { c.Edited = c.Edited.Add(time.Hour); return true })},
	{"a change at another time", "time", change(func(c *landfall.Change) bool { c.At = c.At.Add(time.Second); return true })},
	{"a move from elsewhere", "transition", change(func(c *landfall.Change) bool {
		ok := c.Action == landfall.Moved && c.From != "done"
		if ok {
			c.From = "done"
		}
		return ok
	})},
	{"a move that the app does not have", "transition", change(func(c *landfall.Change) bool {
		ok := c.Action == landfall.Moved
		if ok {
			c.Transition = "teleport"
		}
		return ok
	})},
	{"a creation in the middle", "transition", change(func(c *landfall.Change) bool {
		ok := c.Action == landfall.Created && c.Type == "job"
		c.To = "done"
		return ok
	})},
	{"a place left out", "sequence", func(c *watch.Commit) bool {
		return each(func(op *watch.Op) bool {
			if op.Head == nil || op.Head.Seq < 20 {
				return false
			}
			op.Head.Seq++
			return true
		})(c)
	}},
	{"a change at a later place", "sequence", change(func(c *landfall.Change) bool { c.Seq++; return true })},
	{"an index out of order", "sequence", change(func(c *landfall.Change) bool { c.Index++; return true })},
	{"time that runs back", "time", each(func(op *watch.Op) bool {
		if op.Head != nil {
			op.Head.Time = op.Head.Time.Add(-100 * 24 * time.Hour)
		}
		return op.Head != nil
	})},
	{"a record with another value", "fold", record(func(op *watch.Op) bool {
		op.Record.Fields["site"] = landfall.Value(`"forged"`)
		return true
	})},
	{"a record in another status", "fold", record(func(op *watch.Op) bool { op.Record.Status += "x"; return true })},
	{"a record in another queue", "fold", record(func(op *watch.Op) bool { op.Record.Queue += "x"; return true })},
	{"a record with another number", "fold", record(func(op *watch.Op) bool { op.Record.Number += "0"; return op.Record.Type == "job" })},
	{"a value by somebody else", "fold", record(func(op *watch.Op) bool {
		e, ok := op.Record.Edits["owner"]
		e.Author = "mallory"
		op.Record.Edits["owner"] = e
		return ok
	})},
	{"a record that everybody gets", "audience", record(func(op *watch.Op) bool { op.Keys = append(op.Keys, "all"); return true })},
	{"a record that its owner does not get", "audience", record(func(op *watch.Op) bool {
		ok := len(op.Keys) > 1
		op.Keys = op.Keys[:0]
		return ok
	})},
	{"a record that is not stored", "atomic", without(func(op *watch.Op) bool { return op.Record != nil && op.Record.Type != landfall.IssueType })},
	{"a change without its item", "atomic", func(c *watch.Commit) bool {
		n := 0
		for _, op := range c.Ops {
			if op.Change != nil || op.Added {
				n++
			}
		}
		return n == 2 && c.Ops[0].Change != nil && without(func(op *watch.Op) bool { return op.Added })(c)
	}},
	{"an item applied without its change", "verdict", func(c *watch.Commit) bool {
		return len(c.Ops) > 1 && c.Ops[0].Change != nil && c.Ops[0].Change.Type != landfall.IssueType && c.Ops[1].Added &&
			!strings.HasPrefix(c.Ops[1].Item.Key.Replica, "desk:") && without(func(op *watch.Op) bool { return op.Change != nil })(c)
	}},
	{"a receipt that says applied of what waits", "lane", added(func(it *store.Item) bool {
		ok := it.Receipt.Waiting
		it.Receipt = landfall.Receipt{N: it.Key.N, Result: landfall.Applied, Seq: it.Receipt.Seq}
		return ok
	})},
	{"a receipt that says another place", "receipt", added(func(it *store.Item) bool { it.Receipt.Seq++; return true })},
	{"a receipt without a note", "receipt", added(func(it *store.Item) bool {
		ok := it.Receipt.Note != ""
		it.Receipt.Note = ""
		return ok
	})},
	{"a receipt that changes", "receipt", each(func(op *watch.Op) bool {
		ok := goesOn(op)
		if ok {
			op.Item.Receipt.Seq++
		}
		return ok
	})},
	{"an item with other bytes", "once", added(func(it *store.Item) bool { it.Bytes = append(slices.Clone(it.Bytes), ' '); return true })},
	{"a number left out", "order", added(func(it *store.Item) bool { it.Key.N++; return it.Key.Incarnation > 0 })},
	{"an item of somebody else", "item", added(func(it *store.Item) bool {
		it.User = "mallory"
		return !strings.HasPrefix(it.Key.Replica, "desk:")
	})},
	{"an edit before the one before it", "edit-time", added(func(it *store.Item) bool {
		ok := it.Key.N > 1 && it.Key.Incarnation > 0
		if ok {
			it.EditedAt = it.EditedAt.Add(-1000 * time.Hour)
		}
		return ok
	})},
	{"an outcome that is not so", "outcome", each(func(op *watch.Op) bool {
		ok := goesOn(op) && op.Item.Outcome != nil
		if ok {
			op.Item.Outcome.Settlement += "!"
		}
		return ok
	})},
	{"an item that stays held", "outcome", each(func(op *watch.Op) bool {
		ok := goesOn(op) && op.Item.Outcome != nil && op.Item.Holder == "" && op.Item.Outcome.Settlement != landfall.SettledMoved
		if ok {
			op.Item.Holder = "elsewhere"
		}
		return ok
	})},
	{"a device that is not moved on", "order", each(func(op *watch.Op) bool {
		ok := op.Replica != nil && op.Replica.Next > 1
		if ok {
			op.Replica.Next--
		}
		return ok
	})},
	{"an issue with other bytes", "issue", opened(func(row *store.IssueRow) bool { row.Sent[0] = []byte(`{}`); return true })},
	{"an issue of another kind", "verdict", opened(func(row *store.IssueRow) bool {
		ok := row.Issue.Kind == landfall.KindValidation
		row.Issue.Kind = landfall.KindGone
		return ok
	})},
	{"an issue in another queue", "route", opened(func(row *store.IssueRow) bool { row.Issue.Queue = "planning"; return true })},
	{"an issue with another number", "number", opened(func(row *store.IssueRow) bool { row.Issue.Number++; return true })},
	{"an issue about another record", "issue", opened(func(row *store.IssueRow) bool { row.Issue.Record = "0198"; return true })},
	{"an issue that is kept from its author", "audience", each(func(op *watch.Op) bool {
		ok := op.Record != nil && op.Record.Type == landfall.IssueType
		if ok {
			op.Keys = slices.DeleteFunc(op.Keys, func(k string) bool { return strings.HasPrefix(k, "user:") })
		}
		return ok
	})},
	{"a decision by somebody else", "issue-right", func(c *watch.Commit) bool {
		decided := false
		for _, op := range pointers(c) {
			switch {
			case op.Change != nil && op.Change.Transition == "resolve":
				op.Change.Author = "mallory"
			case op.Issue != nil && op.Issue.Issue.State == landfall.IssueResolved:
				op.Issue.Issue.Decider = "mallory"
			case op.Audit != nil && op.Audit.Action == store.IssueResolve:
				decided = true
			}
		}
		return decided
	}},
	{"a decision that the audit does not tell of", "audit", without(func(op *watch.Op) bool { return op.Audit != nil && op.Audit.Action == store.IssueResolve })},
	{"a change at the desk that the audit does not tell of", "audit", without(func(op *watch.Op) bool {
		return op.Audit != nil && strings.HasPrefix(op.Audit.Action, "record.")
	})},
	{"a claim without an end", "issue-right", claimed(func(i *landfall.Issue) { i.ClaimedUntil = nil })},
	{"a claim that gives a right", "issue-right", claimed(func(i *landfall.Issue) { i.AssignedTo = new("mallory") })},
	{"a claim that forgets whom it was assigned to", "issue-right", claimed(func(i *landfall.Issue) { i.AssignedTo = nil })},
	{"a role without a grant", "grant", each(func(op *watch.Op) bool {
		if op.User != nil {
			op.User.Roles = append(slices.Clone(op.User.Roles), "boss")
		}
		return op.User != nil
	})},
	{"a grant without an account", "grant", without(func(op *watch.Op) bool { return op.User != nil })},
	{"a grant that the audit does not tell of", "audit", without(func(op *watch.Op) bool { return op.Audit != nil && op.Audit.Action == store.UserGrant })},
	{"a grant at a place that is taken", "sequence", each(func(op *watch.Op) bool {
		if op.Grant != nil && op.Grant.To == 0 {
			op.Grant.From--
			return true
		}
		return false
	})},
	{"a definition that nobody knows", "definition", each(func(op *watch.Op) bool {
		if op.Definition != nil {
			op.Definition.Source = []byte("app: forged")
		}
		return op.Definition != nil
	})},
	{"a publication elsewhere", "definition", each(func(op *watch.Op) bool {
		if op.Definition != nil {
			op.Definition.Seq--
		}
		return op.Definition != nil
	})},
	{"a publication that leaves a record where it was", "audience", without(func(op *watch.Op) bool { return op.Regrouped != nil })},
	{"a publication that gives a record to one more", "audience", each(func(op *watch.Op) bool {
		if op.Regrouped != nil {
			op.Regrouped.Keys = append(slices.Clone(op.Regrouped.Keys), "user:zoe")
		}
		return op.Regrouped != nil
	})},
	{"a publication that moves a record elsewhere", "audience", each(func(op *watch.Op) bool {
		if op.Regrouped != nil {
			op.Regrouped.Seq--
		}
		return op.Regrouped != nil
	})},
	{"a record given to others for no reason", "audience", func(c *watch.Commit) bool {
		return record(func(op *watch.Op) bool {
			c.Ops = append(c.Ops, watch.Op{Regrouped: &watch.Regrouped{ID: op.Record.ID, Keys: []string{"all"}, Seq: op.Record.Version}})
			return true
		})(c)
	}},
	{"a sum that its parts do not make", "merge", setting(only("total"), `7`, false)},
	{"a value filled in that its target does not have", "merge", func(c *watch.Commit) bool {
		return change(func(x *landfall.Change) bool {
			return x.Type == "task" && x.Set["job"] != nil && x.Set["place"] != nil && x.Origin.Replica != "desk"
		})(c) &&
			setting(only("place"), `"forged"`, false)(c)
	}},
	{"what is computed, as somebody's change", "derived", change(func(x *landfall.Change) bool {
		ok := x.Derived && x.Origin.Replica != "" && x.Origin.Replica != "desk"
		x.Derived = false
		return ok
	})},
	{"a part that does not go with its whole", "verdict", without(func(op *watch.Op) bool {
		return op.Change != nil && op.Change.Type == "step" && op.Change.Action == landfall.Deleted && op.Change.Index > 0 && op.Change.Origin.Replica != "desk"
	})},
	{"a part that stays away when its whole comes back", "verdict", without(func(op *watch.Op) bool {
		return op.Change != nil && op.Change.Type == "step" && op.Change.Action == landfall.Restored && op.Change.Index > 0 && op.Change.Origin.Replica != "desk"
	})},
	{"an item that is not in the lane of its whole", "lane", added(func(it *store.Item) bool {
		ok := len(it.Refs) > 1
		it.Refs = it.Refs[:min(1, len(it.Refs))]
		return ok
	})},
	{"a follower that stays where it was", "audience", func(c *watch.Commit) bool {
		return without(func(op *watch.Op) bool { return op.Regrouped != nil && follows(c, op.Regrouped.ID) })(c)
	}},
	{"a follower that is given to one more", "audience", follower(func(g *watch.Regrouped) { g.Keys = append(slices.Clone(g.Keys), "user:zoe") })},
	{"a follower that follows at another place", "audience", follower(func(g *watch.Regrouped) { g.Seq-- })},
	{"a link that leads elsewhere", "link", each(func(op *watch.Op) bool {
		ok := op.Links != nil && len(op.Links.Links) > 0
		if ok {
			op.Links.Links[0].Target = "0198"
		}
		return ok
	})},
	{"a link that is not kept", "link", func(c *watch.Commit) bool {
		return without(func(op *watch.Op) bool {
			return op.Links != nil && len(op.Links.Links) > 0 && slices.ContainsFunc(c.Ops, func(o watch.Op) bool {
				return o.Change != nil && o.Change.ID == op.Links.ID && o.Change.Action == landfall.Created
			})
		})(c)
	}},
	{"a record that keeps its old names", "convert", published(func(c *watch.Commit) bool {
		n := 0
		for _, op := range c.Ops {
			if op.Change != nil {
				n++
			}
		}
		return without(func(op *watch.Op) bool { return op.Change != nil && op.Change.Index == n-1 })(c)
	})},
	{"a conversion that changes a value", "merge", published(change(func(x *landfall.Change) bool {
		name := last(x.Set)
		if name != "" {
			x.Set[name] = landfall.Value(`"forged"`)
		}
		return name != ""
	}))},
	{"a conversion, as somebody's change", "derived", published(change(func(x *landfall.Change) bool { x.Derived = false; return true }))},
	{"a conversion that moves a case elsewhere", "transition", published(change(func(x *landfall.Change) bool {
		ok := x.To != ""
		x.To = "done"
		return ok
	}))},
	{"a converted record as it was", "fold", published(record(func(op *watch.Op) bool {
		name := last(op.Record.Fields)
		op.Record.Fields["formerly"] = op.Record.Fields[name]
		return name != ""
	}))},
	{"a repair of something else", "repair", repair(func(_ *store.IssueRow, p *store.Repair) { p.Of.N += 1000 })},
	{"a repair by somebody else", "issue-right", repair(func(_ *store.IssueRow, p *store.Repair) { p.By = "mallory" })},
	{"a repair at another time", "issue-right", repair(func(_ *store.IssueRow, p *store.Repair) { p.At = p.At.Add(time.Second) })},
	{"a repair that names what it did not set", "repair", repair(func(_ *store.IssueRow, p *store.Repair) { p.Fields = append(slices.Clone(p.Fields), "color") })},
	{"a repair that can't be read", "repair", repair(func(_ *store.IssueRow, p *store.Repair) { p.Mutation = []byte("{") })},
	{"a repair that is not kept", "repair", repair(func(row *store.IssueRow, _ *store.Repair) { row.Repairs = row.Repairs[:len(row.Repairs)-1] })},
	{"a repair that covers less", "repair", repair(func(row *store.IssueRow, _ *store.Repair) { row.Issue.Through-- })},
	{"a repair that the history does not tell of", "repair", func(c *watch.Commit) bool {
		return audits(c, store.IssueRepair) && each(func(op *watch.Op) bool {
			ok := goesOn(op) && len(op.Item.History) > 0 && op.Item.History[len(op.Item.History)-1].By != ""
			if ok {
				op.Item.History = nil
			}
			return ok
		})(c)
	}},
	{"a repair that the audit does not tell of", "repair", untold(store.IssueRepair)},
	{"a device blocked by nobody", "order", untold(store.DeviceBlock)},
	{"a device let in by somebody who may not", "order", byWorker(store.DeviceUnblock)},
	{"a device wiped that was asked to go", "order", ordered(store.DeviceRetire, func(op *watch.Op) { op.Replica.Wiping = true })},
	{"a device revoked that was blocked", "order", ordered(store.DeviceBlock, func(op *watch.Op) { op.Replica.Void = true })},
	{"a landing that the audit does not tell of", "audit", untold(store.DeviceLand)},
	{"a landing by somebody who may not", "audit", byWorker(store.DeviceLand)},
	{"a cleaned item with another answer", "clean", each(func(op *watch.Op) bool {
		ok := op.Item != nil && op.Item.Cleaned != nil
		if ok {
			op.Item.Receipt.Seq++
		}
		return ok
	})},
	{"items cleaned by nobody", "once", untold(store.InboxClean)},
	{"a full sync that the audit does not tell of", "audit", untold(store.DeviceResync)},
	{"a number given twice", "number", each(func(op *watch.Op) bool {
		if op.Counter != nil {
			op.Counter.N--
		}
		return op.Counter != nil
	})},
}

// goesOn: an item that was there before is written, and not to be cleaned.
func goesOn(op *watch.Op) bool { return op.Item != nil && !op.Added && op.Item.Cleaned == nil }

// repair tampers with the repair that settles an issue.
func repair(tamper func(*store.IssueRow, *store.Repair)) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return audits(c, store.IssueRepair) && each(func(op *watch.Op) bool {
			if op.Issue == nil || len(op.Issue.Repairs) == 0 || op.Issue.Issue.State != landfall.IssueResolved {
				return false
			}
			op.Issue.Repairs = slices.Clone(op.Issue.Repairs)
			tamper(op.Issue, &op.Issue.Repairs[len(op.Issue.Repairs)-1])
			return true
		})(c)
	}
}

// audits reports whether the audit tells of something that was done.
func audits(c *watch.Commit, action string) bool {
	return slices.ContainsFunc(c.Ops, func(op watch.Op) bool {
		return op.Audit != nil && op.Audit.Action == action && op.Audit.Outcome == store.AuditDone
	})
}

// untold leaves an entry of the audit out of a commit that changes something beside.
func untold(action string) func(*watch.Commit) bool {
	return without(func(op *watch.Op) bool {
		return op.Audit != nil && op.Audit.Action == action && op.Audit.Outcome == store.AuditDone
	})
}

// byWorker has somebody do what only an administrator may.
func byWorker(action string) func(*watch.Commit) bool {
	return each(func(op *watch.Op) bool {
		ok := op.Audit != nil && op.Audit.Action == action && op.Audit.Outcome == store.AuditDone
		if ok {
			op.Audit.By = "will"
		}
		return ok
	})
}

// ordered is for commits that give an order which changes how a device stands.
func ordered(action string, tamper func(*watch.Op)) func(*watch.Commit) bool {
	return func(c *watch.Commit) bool {
		return audits(c, action) && each(func(op *watch.Op) bool {
			if op.Replica != nil {
				tamper(op)
			}
			return op.Replica != nil
		})(c)
	}
}

// overwrites reports whether something is written twice: then what was there in
// between is in the sequence alone.
func overwrites(c *watch.Commit) bool {
	written, linked := map[string]bool{}, map[string]bool{}
	for _, op := range c.Ops {
		in, id := written, ""
		switch {
		case op.Record != nil:
			id = op.Record.ID
		case op.Regrouped != nil:
			id = op.Regrouped.ID
		case op.Links != nil:
			in, id = linked, op.Links.ID
		}
		if id != "" && in[id] {
			return true
		}
		in[id] = true
	}
	return false
}

// Every commit that is tampered with is found out, by the rule that it breaks.
func TestTampered(t *testing.T) {
	const commits = 3 // of each kind, so that none is found by chance
	tried := make([]int, len(tampered))
	for seed := range uint64(60) {
		if slices.Min(tried) == commits {
			break
		}
		w := newWorld(t, seed, true)
		for range 80 {
			w.act()
		}
		for at, c := range w.commits {
			if overwrites(c) {
				continue
			}
			for k, x := range tampered {
				if forged := copied(c); tried[k] < commits && x.tamper(forged) {
					tried[k]++
					found := w.before[at].Clone().Commit(forged)
					if !slices.ContainsFunc(found, func(v model.Violation) bool { return v.Rule == x.rule }) {
						t.Errorf("%s, seed %d, commit %d: no complaint by the rule %s, but %v", x.name, seed, at, x.rule, found)
						tried[k] = commits
					}
				}
			}
		}
	}
	for k, n := range tried {
		if n == 0 {
			t.Errorf("%s: there is no commit to tamper with", tampered[k].name)
		}
	}
}
