package inbox

import (
	"context"
	"strconv"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
	"github.com/landfall-sync/landfall/internal/wire"
)

// What people do at the desk is in the audit. What devices push is not: every
// mutation is an item of the inbox, with its history.

// issueEntry is the entry of what was done to an issue.
func issueEntry(action, by string, row *store.IssueRow, at time.Time) *store.AuditEntry {
	return store.Done(by, action, row.Issue.ID, at).With("number", number(row.Issue.Number)).With("queue", row.Issue.Queue)
}

var deskActions = map[landfall.Op]string{
	landfall.OpCreate: store.RecordCreate, landfall.OpUpdate: store.RecordUpdate, landfall.OpTransition: store.RecordTransition,
	landfall.OpDelete: store.RecordDelete, landfall.OpRestore: store.RecordRestore,
}

// deskEntry is the entry of a change at the desk. Values are in the change log
// of the record, for those who may see them.
func deskEntry(by string, do *wire.Do, id string, at time.Time) *store.AuditEntry {
	return store.Done(by, deskActions[do.Op], id, at).With("type", do.Type).With("transition", do.Transition)
}

// importEntry is the one entry of an import call; nil when it changed nothing.
func importEntry(by, typ string, done *wire.Imported, at time.Time) *store.AuditEntry {
	counts := map[wire.ImportResult]int{}
	for i := range done.Rows {
		counts[done.Rows[i].Result]++
	}
	if counts[wire.ImportApplied] == 0 {
		return nil
	}
	e := store.Done(by, store.RecordImport, typ, at)
	for _, result := range []wire.ImportResult{wire.ImportApplied, wire.ImportUnchanged, wire.ImportRefused} {
		e = e.With(string(result), strconv.Itoa(counts[result]))
	}
	return e
}

// forbidden keeps that somebody tried what takes an administrator; at most once a
// minute each, however often they try. It is their error, with why.
func (in *Inbox) forbidden(ctx context.Context, ws, user, action, object, what string) error {
	at := in.cfg.Clock().UTC()
	if in.damper.Pass(ws+"\x00"+user+"\x00"+action, at) {
		err := in.cfg.Store.Update(ctx, func(w store.Writer) error {
			e := store.Done(user, action, object, at)
			e.Outcome = store.AuditRefused
			return w.AddAudit(ws, e)
		})
		if err != nil {
			return err
		}
	}
	return landfall.Errorf(landfall.CodeForbidden, "only an administrator may %s", what).WithHint("ask somebody with the role %q", landfall.Administrator)
}
