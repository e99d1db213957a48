package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/store"
)

// contact notes what the push told of its device. What an administrator lands is
// no contact of it.
func (p *pushing) contact() error {
	rep, push := p.seq.rep, &p.c.push
	if p.c.row.By != "" {
		return p.landed()
	}
	rep.LastPush, rep.LastContact = p.l.Now(), p.l.Now()
	report := store.Report{
		Clock: push.Clock, Incarnation: push.Incarnation, Made: push.Made, Waiting: push.Waiting - len(push.Mutations), Oldest: push.Oldest,
		Definition: push.Definition, Client: push.Client, Obeys: push.Obeys,
	}
	if report.Made == 0 {
		report.Incarnation = 0 // it says nothing of its numbers
	}
	if report.Waiting <= 0 {
		report.Oldest = time.Time{}
	}
	if rep.Reports(report, p.c.row.Received) {
		if err := p.bar(store.DeviceRetired); err != nil {
			return err
		}
	}
	// A word from before it came back empty was under way when it was let in again.
	if push.Wiped && rep.WipedAt.IsZero() && push.Incarnation > rep.Emptied {
		rep.WipedAt, rep.Void, rep.Wiping = p.l.Now(), true, false
		if err := p.bar(store.DeviceWiped); err != nil {
			return err
		}
	}
	return p.w.PutReplica(p.ws, rep)
}

// bar tells the audit that the device may only hand in from now on.
func (p *pushing) bar(action string) error {
	rep := p.seq.rep
	e := store.Done("", action, rep.ID, p.l.Now()).With("user", rep.User).With("name", rep.Name)
	e.Device, p.barred = rep.ID, true
	return p.w.AddAudit(p.ws, e)
}

// declared counts a number that its device has declared lost.
func (p *pushing) declared(k landfall.Key) {
	rep := p.seq.rep
	rep.AddLost(k.Incarnation, 1)
	rep.Found(store.Mishap{At: p.l.Now(), What: store.MishapLost, Incarnation: k.Incarnation, From: k.N, To: k.N})
}

// codeNeverArrived is in the issue on what a device had reported and never sent.
const codeNeverArrived = "never_arrived"

// Losses opens the issues on what the device is found to have lost when it came
// back empty. Where the server dies before, the device's next push opens them.
func (in *Inbox) Losses(ctx context.Context, ws, replica string) error {
	due := false
	err := in.cfg.Store.View(ctx, func(r store.Reader) error {
		rep, err := r.Replica(ws, replica)
		due = rep != nil && anyDue(rep)
		return err
	})
	if err != nil || !due {
		return err
	}
	return in.judge(ctx, ws, func(j *judging) error {
		rep, err := j.w.Replica(ws, replica)
		if err != nil || rep == nil {
			return err
		}
		return j.losses(rep)
	})
}

func anyDue(rep *store.Replica) bool {
	for i := range rep.Mishaps {
		if rep.Mishaps[i].Due {
			return true
		}
	}
	return false
}

// losses opens the issues that are due on a replica: one each, whatever the
// number of changes.
func (j *judging) losses(rep *store.Replica) error {
	if !anyDue(rep) {
		return nil
	}
	rep.Mishaps = append([]store.Mishap(nil), rep.Mishaps...)
	for i := range rep.Mishaps {
		m := &rep.Mishaps[i]
		if !m.Due {
			continue
		}
		m.Due = false
		if err := j.loss(rep, m); err != nil {
			return err
		}
	}
	return j.w.PutReplica(j.ws, rep)
}

// loss keeps the first of the numbers as declared lost, with an issue that speaks
// of all of them.
func (j *judging) loss(rep *store.Replica, m *store.Mishap) error {
	now := j.l.Now()
	k := landfall.Key{Replica: rep.ID, Incarnation: m.Incarnation, N: m.From}
	raw, err := json.Marshal(landfall.Mutation{N: k.N, Op: landfall.OpLost, MadeAt: m.Reported})
	if err != nil {
		return err
	}
	u := &unit{to: 1, members: []member{{raw: raw}}}
	x := &u.members[0]
	x.m = landfall.Mutation{Replica: k.Replica, Incarnation: k.Incarnation, N: k.N, Op: landfall.OpLost, MadeAt: m.Reported}
	x.item = &store.Item{
		Key: k, User: rep.User, Hash: core.Hash(raw), Bytes: raw, Op: landfall.OpLost, ReceivedAt: now, EditedAt: now,
		History: []store.ItemEvent{{At: now, State: store.Queued}},
	}
	r := core.Refuse(j.app, landfall.KindLost, rep.User, &x.m, landfall.Message{Code: codeNeverArrived, Text: neverArrived(m), Hint: "The device came back without them. Ask its user what they were, and enter again what still matters."})
	issue, err := j.open(u, &r, k.Incarnation)
	if err != nil {
		return err
	}
	x.item.Holder = issue.ID
	x.item.Receipt = landfall.Receipt{N: k.N, Result: landfall.Issued, Seq: issue.Version, Issue: issue.ID, Kind: r.Kind, Messages: r.Messages}
	return j.finish(x.item, store.WithErrors, string(r.Kind))
}

func neverArrived(m *store.Mishap) string {
	n, what := m.To-m.From+1, "changes"
	if n == 1 {
		what = "change"
	}
	when := "at its last contact"
	if !m.Reported.IsZero() {
		when = "on " + m.Reported.UTC().Format("2006-01-02 at 15:04 MST")
	}
	return fmt.Sprintf("%d %s that the device reported %s never arrived.", n, what, when)
}
