package model_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/inbox"
	"github.com/landfall-sync/landfall/internal/sim/app"
	"github.com/landfall-sync/landfall/internal/wire"
)

const jobA, taskB = "0198c3ac-0000-7000-8000-00000000000a", "0198c3ac-0000-7000-8000-00000000000b"

// sends is a push of lea's phone, and what it is answered, in words. The world
// follows the policy "transitions".
func (w *world) sends(incarnation, first int64, mutations ...string) string {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	b := wire.Push{Replica: w.phones[2].replica, Incarnation: incarnation, Clock: w.now, Protocol: wire.Protocol, First: first}
	if first > 1 {
		b.PreviousHash = w.previous
	}
	for n, m := range mutations {
		b.Mutations = append(b.Mutations, json.RawMessage(fmt.Sprintf(`{"n":%d,"made_at":"2026-03-01T09:00:00Z",%s}`, first+int64(n), m)))
	}
	w.previous = sum(b.Mutations[len(mutations)-1])
	raw, err := json.Marshal(b)
	w.must(err)
	o, err := w.in.Offer(context.Background(), ws, inbox.Device{Replica: b.Replica}, raw)
	w.must(err)
	w.judge()
	reply, err := o.Reply()
	w.must(err)
	var out []string
	for _, r := range reply.Receipts {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s%s", r.Result, r.Kind, map[bool]string{true: "waiting"}[r.Waiting])))
	}
	return strings.Join(out, ", ")
}

// atDeskOf makes a change of lea's at the desk.
func (w *world) atDeskOf(field, value string) {
	w.t.Helper()
	w.now = w.now.Add(time.Minute)
	_, err := w.in.Do(context.Background(), ws, landfall.Actor{User: "lea"}, wire.Do{Op: landfall.OpUpdate, Type: "job", ID: jobA, Set: landfall.Fields{field: landfall.Value(value)}})
	w.must(err)
}

func (w *world) wants(got, want string) {
	w.t.Helper()
	if got != want || len(w.found) > 0 {
		w.t.Errorf("%s, want %s; the model says %v", got, want, w.found)
	}
}

const aJob = `"op":"create","type":"job","id":"` + jobA + `","set":{"title":"a","price":"5","owner":"lea"},"base":{"version":0}`

// A conflict is not amended: what would amend it waits.
func TestConflictIsNotAmended(t *testing.T) {
	w := newWorld(t, 1, false)
	w.wants(w.sends(1, 1, aJob), "applied")
	v := w.m.Head()
	w.atDeskOf("price", `"6"`)
	w.wants(w.sends(1, 2, fmt.Sprintf(`"op":"update","type":"job","id":"%s","set":{"price":"7"},"base":{"version":%d,"was":{"price":"5"}}`, jobA, v)), "issue field-conflict")
	id := w.m.Issues()[0].ID
	w.wants(w.sends(1, 3, fmt.Sprintf(`"op":"update","type":"job","id":"%s","set":{"price":"6"},"base":{"version":%d,"was":{"price":"7"}},"amends":{"issue":"%s"}`, jobA, v+1, id)), "issue waiting")
	if n := w.m.Issues()[0].Attempts; n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}

// What was valid when it was entered stays, though the record that it names went.
func TestReferenceStays(t *testing.T) {
	w := newWorld(t, 1, false)
	w.wants(w.sends(1, 1, aJob,
		`"op":"create","type":"task","id":"`+taskB+`","set":{"what":"b","job":"`+jobA+`","owner":"lea"},"base":{"version":0}`,
		`"op":"delete","type":"job","id":"`+jobA+`","base":{"version":0,"after":1,"status":"planned"}`,
		`"op":"update","type":"task","id":"`+taskB+`","set":{"hours":"2"},"base":{"version":0,"after":2,"was":{"hours":null}}`,
		`"op":"create","type":"task","id":"0198c3ac-0000-7000-8000-00000000000c","set":{"what":"c","job":"`+jobA+`","owner":"lea"},"base":{"version":0}`),
		"applied, applied, applied, applied, issue validation")
}

// A claim holds against others until it ends.
func TestClaimHolds(t *testing.T) {
	w := newWorld(t, 1, false)
	ctx := context.Background()
	w.wants(w.sends(1, 1, `"op":"create","type":"memo","id":"`+jobA+`","base":{"version":0}`), "issue validation")
	id := w.m.Issues()[0].ID
	_, err := w.acc.ChangeUser(ctx, ws, w.admin, "", "lea", wire.UserChange{Grant: []string{app.Clerk}})
	w.must(err)
	_, err = w.desk.Claim(ctx, ws, landfall.Actor{User: "carl"}, id)
	w.must(err)
	if _, err = w.desk.Claim(ctx, ws, landfall.Actor{User: "lea"}, id); landfall.CodeOf(err) != landfall.CodeConflict {
		t.Errorf("claimed twice: %v", err)
	}
	w.now = w.now.Add(time.Hour)
	_, err = w.desk.Claim(ctx, ws, landfall.Actor{User: "lea"}, id)
	w.must(err)
	w.wants(w.m.Issues()[0].Assignee, "lea")
}

// What a transition stamps is stamped, whatever its author would have set, and
// did set too early.
func TestStampStands(t *testing.T) {
	w := newWorld(t, 1, false)
	w.wants(w.sends(1, 1, aJob, `"op":"transition","type":"job","id":"`+jobA+`","transition":"start","base":{"version":0,"after":1,"status":"planned"}`), "applied, applied")
	v := w.m.Head()
	w.atDeskOf("done_at", `"2026-03-01T08:30:00Z"`)
	w.wants(w.sends(1, 3, fmt.Sprintf(`"op":"transition","type":"job","id":"%s","transition":"finish","set":{"done_at":"2026-03-01T08:00:00Z"},"base":{"version":%d,"status":"working","was":{"done_at":null}}`, jobA, v)), "applied")
	w.wants(string(w.m.Record(jobA).Fields["done_at"]), `"`+w.now.Format(time.RFC3339)+`"`)
}

// What a device did in an earlier incarnation is not of the chain of this one.
func TestChainIsOfOneIncarnation(t *testing.T) {
	w := newWorld(t, 1, false)
	w.wants(w.sends(1, 1, aJob), "applied")
	v := w.m.Head()
	w.wants(w.sends(1, 2, `"op":"transition","type":"job","id":"`+jobA+`","transition":"start","base":{"version":0,"after":1,"status":"planned"}`), "applied")
	update := func(after int, site string) string {
		return fmt.Sprintf(`"op":"update","type":"job","id":"%s","set":{"site":"%s"},"base":{"version":%d,"after":%d,"status":"working","was":{"site":null}}`, jobA, site, v, after)
	}
	w.wants(w.sends(2, 1, update(0, "one"), update(1, "two"),
		fmt.Sprintf(`"op":"transition","type":"job","id":"%s","transition":"pause","base":{"version":%d,"after":2,"status":"working"}`, jobA, v)), "applied, applied, issue status-conflict")
}
