package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/core"
	"github.com/landfall-sync/landfall/internal/wire"
)

// Columns stay under their heads when the last ones are empty; the last one is
// never cut.
func TestTable(t *testing.T) {
	long := strings.Repeat("word ", 30) + "end"
	var b bytes.Buffer
	s := &session{out: &b}
	if err := s.table([]string{"NAME", "ROLES", "TEAMS"}, [][]string{{"ada", "administrator", ""}, {"tim", "lead", "south"}, {strings.Repeat("x", 70), "", long}}); err != nil {
		t.Fatal(err)
	}
	cut := strings.Repeat("x", 59) + "…"
	pad := strings.Repeat(" ", 57)
	want := "NAME" + pad + " ROLES          TEAMS\n" +
		"ada " + pad + " administrator\n" +
		"tim " + pad + " lead           south\n" +
		cut + "                 " + long + "\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestSaid(t *testing.T) {
	for _, c := range [][3]string{
		{"It is missing.", "Enter it.", "It is missing. Enter it."},
		{"A number was expected", "Enter one.", "A number was expected. Enter one."},
		{"Really?", "", "Really?"},
		{"", "Enter it.", "Enter it."},
	} {
		if got := said(&landfall.Message{Text: c[0], Hint: c[1]}); got != c[2] {
			t.Errorf("got %q, want %q", got, c[2])
		}
	}
}

func TestWhose(t *testing.T) {
	for _, c := range [][3]string{{"tim", "Tim Okoye's phone", "Tim Okoye's phone"}, {"tim", "phone", "Tim's phone"}, {"tim", "", "Tim's device"}} {
		if got := whose(c[0], c[1]); got != c[2] {
			t.Errorf("got %q, want %q", got, c[2])
		}
	}
}

func TestHolder(t *testing.T) {
	until := time.Date(2020, 3, 1, 10, 2, 0, 0, time.Local)
	for want, i := range map[string]wire.IssueView{
		"":            {State: landfall.IssueOpen},
		" · for Emma": {State: landfall.IssueOpen, Assignee: "emma"},
		" · claimed by Sven until 2020-03-01 10:02": {State: landfall.IssueClaimed, Assignee: "sven", Issue: landfall.Issue{ClaimedUntil: &until}},
	} {
		if got := holder(&wire.IssueDetail{IssueView: i}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := holder(&wire.IssueDetail{IssueView: wire.IssueView{State: landfall.IssueResolved, Assignee: "emma"}}); got != "" {
		t.Errorf("resolved: %q", got)
	}
}

// Of a record with many fields, those are compared that somebody changed; who
// decided is told when it was the server, too.
func TestCompareManyFields(t *testing.T) {
	i := &wire.IssueDetail{IssueView: wire.IssueView{
		Issue: landfall.Issue{Number: 17, Kind: landfall.KindValidation, Author: "emma", Settlement: landfall.SettledApplied, Note: "a role was granted"},
		State: landfall.IssueResolved,
	}}
	i.Issue.State = landfall.IssueResolved
	for n := range shownAlike {
		i.Compare = append(i.Compare, core.Column{Field: fmt.Sprint("f", n), Title: fmt.Sprint("F", n)})
	}
	text := func() string {
		var b bytes.Buffer
		compare(&b, i)
		return b.String()
	}
	if got := text(); !strings.Contains(got, "f3") || strings.Contains(got, "more fields") {
		t.Errorf("few fields:\n%s", got)
	}
	i.Compare = append(i.Compare, core.Column{Field: "report", Title: "Report", DeviceChanged: true})
	if got := text(); strings.Contains(got, "f3") || !strings.Contains(got, "report") || !strings.Contains(got, "8 more fields are the same on both sides.\n") || !strings.Contains(got, "Decided by the server, applied: “a role was granted”.") {
		t.Errorf("many fields:\n%s", got)
	}
}
