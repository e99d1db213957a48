package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// shownAlike is how many rows of a comparison are shown with those that nobody
// changed.
const shownAlike = 8

// compare prints an issue for a person: what both sides have, what waits, and
// how to decide.
func compare(w io.Writer, i *wire.IssueDetail) {
	device := whose(i.Author, i.DeviceName)
	fmt.Fprintf(w, "%s %s   sync issue %d · %s · in %s%s\n", or(i.RecordTitle, or(i.RecordType, "Change")), or(i.RecordNumber, abbreviate(i.Record)), i.Number, words(i.Kind), or(i.QueueTitle, i.Queue), holder(i))
	for _, m := range i.Messages {
		fmt.Fprintf(w, "%s\n", m.Text)
	}
	if len(i.Compare) > 0 {
		rows := [][]string{{"", "when " + capital(i.Author) + " saw it", device, "server now" + serverBy(i), "result"}}
		alike := 0
		for _, c := range i.Compare {
			if len(i.Compare) > shownAlike && !c.Hidden && !c.Status && !c.DeviceChanged && !c.ServerChanged {
				alike++
				continue
			}
			if c.Hidden {
				rows = append(rows, hiddenRow(&c))
				continue
			}
			value := func(v landfall.Value) string { return short(called(v, i.Names), 34) }
			rows = append(rows, []string{columnName(&c), value(c.Base), marked(value(c.Device), c.DeviceChanged), marked(value(c.Server), c.ServerChanged), or(called(c.Result, i.Names), "?")})
		}
		grid(w, rows)
		if alike > 0 {
			fmt.Fprintf(w, "%d more fields are the same on both sides.\n", alike)
		}
	}
	if i.ServerHidden {
		fmt.Fprintln(w, "You may not see the server's side of this record.")
	}
	if len(i.Compare) == 0 {
		for _, x := range i.Sent {
			if x.Raw != "" {
				fmt.Fprintf(w, "As it was sent: %s\n", short(x.Raw, 300))
			}
		}
	}
	for _, c := range i.Comments {
		fmt.Fprintf(w, "%s, %s: %s\n", capital(c.By), when(c.At), c.Text)
	}
	repairs(w, i.Repairs)
	tried(w, i)
	ending(w, i)
}

// holder is who claimed the issue, or else whom it was assigned to.
func holder(i *wire.IssueDetail) string {
	switch {
	case i.Assignee == "" || i.State == landfall.IssueResolved:
		return ""
	case i.State == landfall.IssueClaimed && i.ClaimedUntil != nil:
		return " · claimed by " + capital(i.Assignee) + " until " + when(*i.ClaimedUntil)
	}
	return " · for " + capital(i.Assignee)
}

// whose is a device as people call it: with its user's name, once.
func whose(user, name string) string {
	if strings.Contains(name, capital(user)) {
		return name
	}
	return capital(user) + "'s " + or(name, "device")
}

// hiddenRow is a field that the caller may not read: what they entered themselves,
// or else that it was set.
func hiddenRow(c *core.Column) []string {
	const hidden = "(hidden)"
	device := or(marked(short(plain(c.Device), 34), c.DeviceChanged), hidden)
	return []string{columnName(c), or(short(plain(c.Base), 34), hidden), device, hidden, hidden}
}

func ending(w io.Writer, i *wire.IssueDetail) {
	var behind []string
	for _, x := range i.Sent {
		if x.Waiting {
			what := "a change"
			if m := x.Mutation; m != nil {
				what = string(m.Op)
				if m.Transition != "" {
					what = m.Transition
				}
			}
			behind = append(behind, what)
		}
	}
	if len(behind) > 0 {
		fmt.Fprintf(w, "Waiting behind it: %d (%s).\n", len(behind), strings.Join(behind, ", "))
	}
	if !i.Open() {
		fmt.Fprintf(w, "Decided by %s, %s%s.\n", or(capital(i.Decider), "the server"), string(i.Settlement), note(i.Note))
		return
	}
	for _, m := range i.Messages {
		if m.Hint != "" {
			fmt.Fprintf(w, "To do:  %s\n", m.Hint)
		}
	}
	if mendable[i.Kind] {
		fmt.Fprintf(w, "Retry:  landfall issue retry %d\n", i.Number)
		fmt.Fprintf(w, "Repair: landfall issue repair %d FIELD=VALUE\n", i.Number)
	}
	moves := ""
	if len(i.Before) > 0 {
		moves = fmt.Sprintf("  --before %s  --after %s", strings.Join(i.Before, "|"), or(strings.Join(i.After, "|"), "…"))
	}
	fmt.Fprintf(w, "Decide: landfall issue resolve %d …\n  --take device|server|FIELD=SIDE  --set FIELD=VALUE%s  --to user:…|queue:…  --note …  --dry-run\n", i.Number, moves)
}

// mendable are the kinds that a retry or a repair can end; of the others both
// sides are compared.
var mendable = map[landfall.Kind]bool{
	landfall.KindAuthorization: true, landfall.KindValidation: true, landfall.KindConfiguration: true, landfall.KindOutdated: true,
	landfall.KindNotAvailable: true, landfall.KindMalformed: true, landfall.KindInternal: true,
}

func note(n string) string {
	if n == "" {
		return ""
	}
	return ": “" + n + "”"
}

func columnName(c *core.Column) string {
	if c.Status {
		return "status"
	}
	return strings.ToLower(c.Title)
}

// called is a value with records by what people call them.
func called(v landfall.Value, names map[string]string) string {
	if len(names) == 0 {
		return plain(v)
	}
	out := members(v)
	for i, id := range out {
		out[i] = or(names[id], id)
	}
	return strings.Join(out, ", ")
}

// members are those of a list, or the value itself.
func members(v landfall.Value) []string {
	var list []string
	if json.Unmarshal(v, &list) != nil {
		return []string{plain(v)}
	}
	return list
}

func marked(s string, changed bool) string {
	if changed {
		return or(s, "(none)") + " *"
	}
	return s
}

// serverBy names who changed the server's side last.
func serverBy(i *wire.IssueDetail) string {
	var last *landfall.Edit
	for k := range i.Compare {
		if e := i.Compare[k].ServerEdit; e != nil && i.Compare[k].ServerChanged && (last == nil || e.At.After(last.At)) {
			last = e
		}
	}
	if last == nil {
		return ""
	}
	by := last.Author
	if last.By != "" {
		by = last.By
	}
	return " (" + capital(by) + ", " + when(last.At) + ")"
}

// grid prints columns that are as wide as what is in them.
func grid(w io.Writer, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for k := range r {
			r[k] = short(r[k], 48)
			widths[k] = max(widths[k], utf8.RuneCountInString(r[k]))
		}
	}
	for _, r := range rows {
		line := ""
		for k, cell := range r {
			line += cell + strings.Repeat(" ", widths[k]-utf8.RuneCountInString(cell)+3)
		}
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}

// resolution prints what a decision did, or would do.
func resolution(w io.Writer, i *wire.IssueDetail, r *wire.Resolution) {
	verb := "is decided"
	if r.DryRun {
		verb = "would be decided"
	}
	fmt.Fprintf(w, "Sync issue %d %s: %s\n", i.Number, verb, r.Settlement)
	if rec := r.Record; rec != nil {
		fmt.Fprintf(w, "%s %s", or(i.RecordTitle, rec.Type), or(rec.Number, abbreviate(rec.ID)))
		if rec.Status != "" {
			fmt.Fprintf(w, " · %s", rec.Status)
		}
		if rec.Queue != "" || rec.Assignee != "" {
			fmt.Fprintf(w, " · waits %s", waits(rec.Queue, rec.Assignee))
		}
		fmt.Fprintln(w)
		for _, c := range r.Compare {
			if v := rec.Fields[c.Field]; !c.Status && !c.Hidden {
				fmt.Fprintf(w, "  %-14s %s\n", strings.ToLower(c.Title), or(plain(v), "(none)"))
			}
		}
	}
	released(w, r.Released, r.DryRun)
}

// released prints what became of changes that waited.
func released(w io.Writer, all []wire.Released, dry bool) {
	for _, x := range all {
		verb := "is"
		if dry {
			verb = "would be"
		}
		what := "applied"
		if x.Result != landfall.Applied {
			what = "an issue"
			if x.Kind != "" {
				what += " (" + words(x.Kind) + ")"
			}
		}
		fmt.Fprintf(w, "  change %d that waited %s %s\n", x.N, verb, what)
	}
}
