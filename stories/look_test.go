package stories

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

// What the program says with --json, as far as the stories look at it.

type view struct {
	Record        *landfall.Record `json:"record"`
	Server        *landfall.Record `json:"server"`
	Pending       int              `json:"pending"`
	Issue         string           `json:"issue"`
	NeedsDecision bool             `json:"needs_decision"`
}

type indicator struct {
	State     string `json:"state"`
	Waiting   int    `json:"waiting"`
	Attention int    `json:"attention"`
}

type issueLine struct {
	ID         string              `json:"id"`
	Number     int64               `json:"number"`
	State      string              `json:"state"`
	Kind       landfall.Kind       `json:"kind"`
	Record     string              `json:"record"`
	N          int64               `json:"n"`
	Settlement landfall.Settlement `json:"settlement"`
	Through    int64               `json:"through"`
	Group      int                 `json:"group"`
	Messages   []landfall.Message  `json:"messages"`
}

type item struct {
	ID      string            `json:"id"`
	User    string            `json:"user"`
	State   string            `json:"state"`
	Device  string            `json:"device"`
	Op      landfall.Op       `json:"op"`
	Record  string            `json:"record"`
	Receipt *landfall.Receipt `json:"receipt"`
	Outcome *landfall.Outcome `json:"outcome"`
}

type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// text is a field as plain text; "" when it is unset.
func text(r *landfall.Record, field string) string {
	if r == nil || landfall.IsNull(r.Fields[field]) {
		return ""
	}
	var s string
	if json.Unmarshal(r.Fields[field], &s) == nil {
		return s
	}
	var b bytes.Buffer
	if json.Compact(&b, r.Fields[field]) != nil {
		return string(r.Fields[field])
	}
	return b.String()
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s: %q is not in\n%s", what, p, text)
		}
	}
}

// Show is the device's view of a record.
func (d *Device) Show(ref string) view {
	d.w.t.Helper()
	var v view
	d.JSON(&v, "show", ref)
	return v
}

// Indicator is the device's sync indicator.
func (d *Device) Indicator() indicator {
	d.w.t.Helper()
	var s indicator
	d.JSON(&s, "status")
	return s
}

// Record is the server's copy as the person sees it.
func (p *Person) Record(ref string) *landfall.Record {
	p.w.t.Helper()
	var r landfall.Record
	p.JSON(&r, "record", "show", ref)
	return &r
}

// Issues lists issues, oldest first.
func (p *Person) Issues(args ...string) []issueLine {
	p.w.t.Helper()
	var l list[issueLine]
	p.JSON(&l, append([]string{"issue", "list"}, args...)...)
	slices.Reverse(l.Items)
	return l.Items
}

// OneIssue is the only issue that the list has.
func (p *Person) OneIssue(kind landfall.Kind, args ...string) issueLine {
	p.w.t.Helper()
	all := p.Issues(args...)
	if len(all) != 1 || all[0].Kind != kind {
		p.w.t.Fatalf("want one issue %s, got %s", kind, dump(all))
	}
	return all[0]
}

// Inbox lists inbox items, newest first.
func (p *Person) Inbox(args ...string) []item {
	p.w.t.Helper()
	var all []item
	after := ""
	for {
		var l list[item]
		full := append([]string{"inbox", "list", "--limit", "500"}, args...)
		if after != "" {
			full = append(full, "--after", after)
		}
		p.JSON(&l, full...)
		all = append(all, l.Items...)
		if l.Next == "" {
			return all
		}
		after = l.Next
	}
}

func dump(v any) string {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
