package main

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
)

type fieldStatusCmd struct{}

// Run shows the indicator.
func (c *fieldStatusCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		st, err := cl.Status(s.ctx)
		if err != nil {
			return err
		}
		return s.show(st, string(st.State), func() { fmt.Fprintln(s.out, indicator(st)) })
	})
}

// indicator is one line; the loss of a network is no failure.
func indicator(st *client.Status) string {
	out := map[client.Indicator]string{client.Offline: "offline", client.NeedsAttention: "needs attention", client.Waiting: "waiting", client.Synced: "synced"}[st.State]
	switch {
	case st.State == client.Waiting:
		out = fmt.Sprintf("%d waiting", st.Waiting)
	case st.Waiting > 0:
		out += fmt.Sprintf(", %d waiting", st.Waiting)
	}
	if st.Attention > 0 {
		out += fmt.Sprintf(", %d %s a decision", st.Attention, plural(st.Attention, "needs", "need"))
	}
	if !st.LastSync.IsZero() {
		out += ", last sync " + when(st.LastSync)
	}
	return out
}

type fieldLogCmd struct{}

// Run shows the sync log.
func (c *fieldLogCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		all, err := cl.Log(s.ctx)
		if err != nil {
			return err
		}
		if s.opts.JSON {
			return s.json(map[string]any{"items": all})
		}
		if len(all) == 0 && !s.opts.Quiet {
			fmt.Fprintln(s.out, "No conflicts and no refusals. Not sent yet: landfall field pending")
		}
		if s.opts.Quiet {
			for i := range all {
				fmt.Fprintln(s.out, all[i].Issue)
			}
			return nil
		}
		return s.log(cl, all)
	})
}

// log prints entries in the titles of the device's definition.
func (s *session) log(cl *client.Client, all []client.LogEntry) error {
	a, err := cl.App(s.ctx)
	if err != nil {
		return err
	}
	for i := range all {
		title := all[i].Type
		if t := a.Types[title]; t != nil {
			title = or(t.Title, title)
		}
		s.logEntry(&all[i], title)
	}
	return nil
}

func (s *session) logEntry(l *client.LogEntry, title string) {
	name := "new"
	if l.Number > 0 {
		name = fmt.Sprint(l.Number)
	}
	fmt.Fprintf(s.out, "%s  %s %s  ·  %s", name, or(title, "change"), or(l.Label, abbreviate(l.Record)), words(l.Kind))
	if l.Elsewhere {
		fmt.Fprint(s.out, "  ·  from another device of yours")
	}
	fmt.Fprintln(s.out)
	switch {
	case l.State == landfall.IssueResolved:
		fmt.Fprintf(s.out, "   decided by %s: %s%s\n", or(capital(l.Decider), "the server"), ends(l.Settlement), note(l.Note))
	case l.Reverting:
		fmt.Fprintln(s.out, "   you took it back; the server hears of it with the next sync")
	default:
		for _, m := range l.Messages {
			fmt.Fprintf(s.out, "   %s\n", said(&m))
		}
		fmt.Fprintf(s.out, "   needs a decision: %d %s of yours %s safe there", l.Changes, plural(l.Changes, "change", "changes"), plural(l.Changes, "is", "are"))
		if len(l.Actions) > 0 {
			fmt.Fprintf(s.out, "  (you can: %s)", strings.Join(l.Actions, ", "))
		}
		fmt.Fprintln(s.out)
	}
	for _, c := range l.Comments {
		fmt.Fprintf(s.out, "   %s: %s\n", capital(c.By), c.Text)
	}
}

// ends says how an issue ended, to its author.
func ends(e landfall.Settlement) string {
	return map[landfall.Settlement]string{
		landfall.SettledApplied: "what you entered is applied", landfall.SettledMerged: "part of what you entered is applied",
		landfall.SettledKept: "the server's side was kept", landfall.SettledAmended: "what you amended is applied",
		landfall.SettledWithdrawn: "you took it back",
	}[e]
}

type fieldPendingCmd struct{}

// Run lists what was not sent.
func (c *fieldPendingCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		all, err := cl.Pending(s.ctx)
		if err != nil {
			return err
		}
		if s.opts.JSON {
			return s.json(map[string]any{"items": all})
		}
		if s.opts.Quiet {
			for _, p := range all {
				fmt.Fprintln(s.out, p.N)
			}
			return nil
		}
		if len(all) == 0 {
			fmt.Fprintln(s.out, "Everything on this device has been sent.")
			return nil
		}
		rows := make([][]string, 0, len(all))
		for _, p := range all {
			rows = append(rows, []string{fmt.Sprint(p.N), string(p.State), string(p.Op) + " " + p.Transition, p.Type, or(p.Label, p.Record), when(p.MadeAt)})
		}
		return s.table([]string{"NO.", "STATE", "WHAT", "TYPE", "RECORD", "MADE"}, rows)
	})
}

type fieldRevertCmd struct {
	Ref string `arg:"" help:"An issue (number or id), or a record with changes that were not sent." name:"ref"`
}

// Run takes changes back.
func (c *fieldRevertCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		if err := cl.Revert(s.ctx, c.Ref); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "Taken back. What was sent stays readable in the issue.")
		return nil
	})
}

type fieldRetryCmd struct {
	Ref string `arg:"" help:"Which issue: its number or id." name:"issue"`
}

// Run asks for another try.
func (c *fieldRetryCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		if err := cl.Retry(s.ctx, c.Ref); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "It passed. Sync to see it.")
		return nil
	})
}

type fieldNetworkCmd struct {
	Switch string `arg:"" enum:"on,off" help:"on or off."`
}

// Run switches the network.
func (c *fieldNetworkCmd) Run(s *session) error {
	return s.device(0, func(cl *client.Client) error {
		if err := cl.SetNetwork(s.ctx, c.Switch == "on"); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "The network of this device is %s.\n", c.Switch)
		return nil
	})
}
