package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/sqlite"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/demo"
	"github.com/landfall-sync/landfall/internal/desk"
	"github.com/landfall-sync/landfall/internal/wire"
)

// story is the expense story under way: one real device and three people, all
// through the public interface.
type story struct {
	s         *session
	ctx       context.Context
	step      bool
	keys      *bufio.Reader
	n         int
	url       string
	phone     *client.Client
	ada, mara *desk.Desk
	id        string // of the report
	issue     *wire.IssueDetail
}

// tell tells the expense story on a running demo.
func (c *demoCmd) tell(s *session, dir, url string) (err error) {
	t := &story{s: s, ctx: s.ctx, step: c.Step, keys: bufio.NewReader(s.in), url: url}
	if t.ada, err = demo.Desk(t.ctx, url, demo.Admin); err != nil {
		return err
	}
	if t.mara, err = demo.Desk(t.ctx, url, "mara"); err != nil {
		return err
	}
	st, err := t.storage(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if t.phone, err = demo.Phone(t.ctx, url, "emma", "Emma's phone", st); err != nil {
		return err
	}
	t.say("", "THE EXPENSE STORY", "Emma travels. Mara approves what she spends. Ada looks after changes that met a case which had moved on.")
	for _, part := range []func() error{t.submits, t.flies, t.approves, t.lands, t.compares, t.decides, t.worklist, t.learns, t.ledger} {
		if err := part(); err != nil {
			return err
		}
	}
	fmt.Fprintf(s.out, "\nThe data stays in %s.\n", dir)
	return nil
}

// storage is a new device in the demo's folder.
func (t *story) storage(dir string) (*sqlite.Storage, error) {
	for n := 1; ; n++ {
		st, err := sqlite.Open(t.ctx, filepath.Join(dir, "phones", fmt.Sprintf("emma-%d", n)))
		if err != nil {
			return nil, err
		}
		server, _, err := client.Credential(t.ctx, st)
		if err != nil {
			return nil, errors.Join(err, st.Close())
		}
		if server == "" {
			return st, nil
		}
		if err := st.Close(); err != nil {
			return nil, err
		}
	}
}

// scene begins a step.
func (t *story) scene(who, text string) error {
	if t.step {
		fmt.Fprint(t.s.out, "\n[Enter] ")
		if _, err := t.keys.ReadString('\n'); err != nil {
			t.step = false // the keyboard is gone: go on
		}
	}
	t.n++
	t.say(fmt.Sprintf("%d. ", t.n), who, text)
	return t.ctx.Err()
}

func (t *story) say(number, who, text string) {
	fmt.Fprintf(t.s.out, "\n%s%s\n", number, who)
	line := "  "
	for _, w := range strings.Fields(text) {
		if len(line)+len(w) > 88 {
			fmt.Fprintln(t.s.out, line)
			line = "  "
		}
		line += " " + w
	}
	fmt.Fprintln(t.s.out, line)
}

// indicator shows what Emma's phone shows.
func (t *story) indicator() error {
	st, err := t.phone.Status(t.ctx)
	if err != nil {
		return err
	}
	v, err := t.phone.Get(t.ctx, t.id)
	if err != nil {
		return err
	}
	needs := ""
	if v.NeedsDecision {
		needs = "   (needs a decision; the server's copy is kept beside it)"
	}
	fmt.Fprintf(t.s.out, "      Emma's phone  [ %s ]   %s · %s EUR · %s%s\n", indicator(st), or(v.Record.Number, "new"), plain(v.Record.Fields["amount"]), v.Record.Status, needs)
	return nil
}

func value(s string) landfall.Value { return landfall.Value(`"` + s + `"`) }

func (t *story) submits() (err error) {
	if err := t.scene("EMMA, at the airport", "She writes an expense report, 120 EUR for a trip to Oslo, and submits it. There is a network, so it is on the server a moment later and waits for a manager."); err != nil {
		return err
	}
	t.id, err = t.phone.Create(t.ctx, "expense", landfall.Fields{"purpose": value("Oslo"), "amount": value("120"), "currency": value("EUR")})
	if err != nil {
		return err
	}
	if err := t.phone.Move(t.ctx, t.id, "submit", nil); err != nil {
		return err
	}
	if _, err := t.phone.Sync(t.ctx, nil); err != nil {
		return err
	}
	return t.indicator()
}

func (t *story) flies() error {
	if err := t.scene("EMMA, on the plane", "No network. She finds the taxi receipt, changes the amount to 140, adds a note, and submits again. Her phone keeps both changes durably, with what she saw when she made them. Having no network is no failure, and is not shown as one."); err != nil {
		return err
	}
	if err := t.phone.SetNetwork(t.ctx, false); err != nil {
		return err
	}
	if err := t.phone.Update(t.ctx, t.id, landfall.Fields{"amount": value("140"), "notes": value("taxi")}); err != nil {
		return err
	}
	if err := t.phone.Move(t.ctx, t.id, "submit", nil); err != nil {
		return err
	}
	return t.indicator()
}

func (t *story) approves() error {
	if err := t.scene("MARA, meanwhile in the office", "She cannot know of the 140. She approves the report as she sees it: 120 EUR."); err != nil {
		return err
	}
	done, err := t.mara.Do(t.ctx, wire.Do{Op: landfall.OpTransition, Type: "expense", ID: t.id, Transition: "approve"})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.s.out, "      Server        %s · %s EUR · %s\n", done.Record.Number, plain(done.Record.Fields["amount"]), done.Record.Status)
	return nil
}

func (t *story) lands() error {
	if err := t.scene("EMMA lands", "Her phone sends what she did. The case has moved on: applying her change would undo an approval, refusing it would lose her work. The server does neither. It opens a sync issue that holds everything she entered, and holds her second change behind it. The report stays as Mara left it."); err != nil {
		return err
	}
	if err := t.phone.SetNetwork(t.ctx, true); err != nil {
		return err
	}
	if _, err := t.phone.Sync(t.ctx, nil); err != nil {
		return err
	}
	if err := t.indicator(); err != nil {
		return err
	}
	return t.log()
}

func (t *story) log() error {
	all, err := t.phone.Log(t.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(t.s.out, "      Her sync log:")
	old := t.s.out
	defer func() { t.s.out = old }()
	t.s.out = &indent{w: old}
	return t.s.log(t.phone, all)
}

func (t *story) compares() error {
	if err := t.scene("ADA, who looks after sync conflicts", "The definition routes such an issue to her queue. She sees what Emma saw, what Emma entered, and what the server has now, side by side; a star marks what differs from what Emma saw."); err != nil {
		return err
	}
	l, err := t.ada.Issues(t.ctx, desk.Filter{Queue: "sync-conflicts", Record: t.id})
	if err != nil {
		return err
	}
	if len(l.Items) != 1 {
		return fmt.Errorf("the story expects one issue, and there are %d", len(l.Items))
	}
	if t.issue, err = t.ada.Issue(t.ctx, l.Items[0].ID); err != nil {
		return err
	}
	fmt.Fprintln(t.s.out)
	compare(&indent{w: t.s.out}, t.issue)
	return nil
}

func (t *story) decides() error {
	if err := t.scene("ADA decides, in one step", "Reopen the report, take what Emma entered, submit it again, and hand it to Mara. All of it is judged by the same rules as any change, and happens at once or not at all."); err != nil {
		return err
	}
	fmt.Fprintf(t.s.out, "      $ landfall issue resolve %d --take device --before reopen --after submit --to user:mara --note \"taxi receipt seen\"\n", t.issue.Number)
	dec := core.Decision{Take: core.DeviceSide, Before: []string{"reopen"}, After: []string{"submit"}, To: "user:mara", Note: "taxi receipt seen", Through: t.issue.Through, Version: t.issue.RecordVersion}
	r, err := t.ada.Resolve(t.ctx, t.issue.ID, wire.Resolve{Decision: dec})
	if err != nil {
		return err
	}
	resolution(&indent{w: t.s.out}, t.issue, r)
	return nil
}

func (t *story) worklist() error {
	if err := t.scene("MARA finds it in her worklist", "She sees the 140, and who entered and who applied it, and approves."); err != nil {
		return err
	}
	l, err := t.mara.Worklist(t.ctx, desk.Filter{Limit: 5})
	if err != nil {
		return err
	}
	for _, i := range l.Items {
		if i.ID == t.id {
			fmt.Fprintf(t.s.out, "      Worklist      %s · %s · %s\n", i.Number, i.Label, i.Status)
		}
	}
	done, err := t.mara.Do(t.ctx, wire.Do{Op: landfall.OpTransition, Type: "expense", ID: t.id, Transition: "approve"})
	if err != nil {
		return err
	}
	fmt.Fprintf(t.s.out, "      Server        %s · %s EUR · %s\n", done.Record.Number, plain(done.Record.Fields["amount"]), done.Record.Status)
	return nil
}

func (t *story) learns() error {
	if err := t.scene("EMMA's phone learns it", "With the next sync her phone shows the result, who decided, and why."); err != nil {
		return err
	}
	if _, err := t.phone.Sync(t.ctx, nil); err != nil {
		return err
	}
	if err := t.indicator(); err != nil {
		return err
	}
	return t.log()
}

// ledger accounts for every change that Emma's phone made in this story.
func (t *story) ledger() error {
	if err := t.scene("THE LEDGER", "Every change that the phone made is accounted for. Nothing was dropped, nothing was applied twice, and nobody was left guessing."); err != nil {
		return err
	}
	_, _, replica, err := t.phone.Identity(t.ctx)
	if err != nil {
		return err
	}
	dev, err := t.ada.Device(t.ctx, replica)
	if err != nil {
		return err
	}
	l, err := t.ada.Inbox(t.ctx, desk.Filter{Device: replica, Limit: 100})
	if err != nil {
		return err
	}
	st, err := t.phone.Status(t.ctx)
	if err != nil {
		return err
	}
	applied, decided, open := 0, 0, 0
	for _, i := range l.Items {
		switch {
		case i.Receipt != nil && i.Receipt.Result == landfall.Applied:
			applied++
		case i.Outcome != nil && i.Outcome.Settlement != landfall.SettledMoved:
			decided++
		default:
			open++
		}
	}
	made := int(dev.Next) - 1 + st.Waiting
	sum := applied + decided + open + st.Waiting
	fmt.Fprintf(t.s.out, "      made %d  =  applied at once %d  +  decided by a person %d  +  open %d  +  not sent yet %d\n", made, applied, decided, open, st.Waiting)
	if made != sum {
		return fmt.Errorf("the ledger does not balance: made %d, accounted for %d", made, sum)
	}
	return nil
}
