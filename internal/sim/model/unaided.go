package model

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/store"
)

// unaidedKinds are what the server tries again by itself: what may pass without
// a decision.
var unaidedKinds = []landfall.Kind{
	landfall.KindAuthorization, landfall.KindValidation, landfall.KindConfiguration, landfall.KindOutdated, landfall.KindGone, landfall.KindNotAvailable,
}

// unaided: the server tries by itself only what may pass without a decision, and
// what nobody looks at.
func (r *reading) unaided(old *Issue) {
	if r.m.settings["retry.unaided"] == "off" {
		r.complain("unaided", "issue %s is tried again by the server itself, which is switched off", old.ID)
	}
	if !old.Open() || r.claimed(old) || !slices.Contains(unaidedKinds, old.Kind) {
		r.complain("unaided", "issue %s, %s of kind %s, is tried again by the server itself", old.ID, old.State, old.Kind)
	}
}

// vainly reports whether a try by the server itself did not pass in this commit.
func (r *reading) vainly(row *store.IssueRow) bool {
	old, n := r.m.issues[row.Issue.ID], len(row.Tried)
	return n > 0 && (old == nil || len(old.Tried) == 0 || !old.Tried[len(old.Tried)-1].At.Equal(row.Tried[n-1].At))
}

// beside reads an issue that is written without a change: when it is tried next,
// or that a try by the server itself brought nothing new. All else stays.
func (r *reading) beside(row *store.IssueRow) {
	old := r.m.issues[row.Issue.ID]
	if old == nil || !alikeIssues(&old.Issue, &row.Issue) {
		r.complain("atomic", "issue %s is written without a change at %d", row.Issue.ID, r.seq)
		r.putIssue(row)
		return
	}
	if r.vainly(row) {
		r.unaided(old)
		if v, _ := r.retry(old); v.applied() {
			r.complain("retry", "issue %s was tried by the server itself in vain, and should pass", old.ID)
		}
	}
	r.putIssue(row)
}

func alikeIssues(a, b *landfall.Issue) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && bytes.Equal(x, y) &&
		a.Version == b.Version && a.State == b.State && a.Queue == b.Queue && a.Assignee == b.Assignee
}

// setting reads what is set, or reset, by somebody who may, as the audit tells.
func (r *reading) setting(s *store.SettingRow) {
	action := store.SettingSet
	if s.Value == "" {
		action = store.SettingReset
	}
	if !slices.ContainsFunc(r.audits, func(e *store.AuditEntry) bool {
		by := r.m.actor(e.By, "")
		return e.Action == action && e.Object == s.Name && e.Outcome == store.AuditDone && !by.Disabled && by.Has(landfall.Administrator)
	}) {
		r.complain("audit", "%s is set to %q, and the audit does not tell", s.Name, s.Value)
	}
	r.m.settings[s.Name] = s.Value
}
