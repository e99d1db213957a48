package definition

import (
	"fmt"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

const costs = `
app: c
roles: [w]
types:
  order:
    fields:
      title: {type: text, max: 80}
      notes: {type: long_text}
      free: {type: text}
      tags: {type: choices, choices: [a, b, c]}
      people: {type: references, to: order}
      few: {type: references, to: order, max: 5}
      data: {type: json}
      hours: {type: decimal}
      count: {type: integer}
      total: {type: duration}
      photos: {type: attachments}
      owner: {type: user}
    audience: [all]
    rights: {w: {create: true}}
  task:
    part_of: order
    fields:
      name: {type: text, max: 60}
      story: {type: long_text}
      done: {type: boolean}
      hours: {type: decimal}
      pieces: {type: integer}
      took: {type: duration}
      kind: {type: choice, choices: [x, y]}
    rights: {w: {create: true}}
`

func costScope(t *testing.T) (*scope, *App) {
	t.Helper()
	app := compiled(t, costs)
	return newScope(view{record: app.Types["order"], parts: []*Type{app.Types["task"]}}), app
}

// Ordinary conditions pass; what could run long is refused, with what makes it so.
func TestCosts(t *testing.T) {
	s, _ := costScope(t)
	for _, text := range []string{
		"record.owner == me && record.title != ''",
		"parts.task.filter(t, t.done == false).size()",
		"parts.task.all(t, t.done == true && t.kind != 'x' && t.hours > 0.5)",
		"parts.task.map(t, t.hours).sum() > 8.0",
		"parts.task.filter(t, t.kind == 'x').map(t, t.pieces).sum()",
		"parts.task.exists(t, t.name == record.title)",
		"record.title.matches('^[A-Z]{2}-[0-9]+$')",
		"record.notes.size() > 3 && record.notes.contains('urgent')",
		"record.tags.exists(a, record.tags.exists(b, a == b && a != 'c'))",
		"record.few.exists(a, parts.task.exists(t, t.name == a))",
		"record.people.exists(p, p == record.id) || has_role('w') || in_team('x')",
		"record.photos.all(p, p.size < 1000 && p.type.startsWith('image/'))",
		"record.title + ' ' + record.free + string(record.count)",
	} {
		if e, faults := s.compile(text, nil); e == nil {
			t.Errorf("%s: %+v", text, faults)
		}
	}
	for text, hint := range map[string]string{
		"parts.task.all(t, parts.task.all(u, t.name != u.name))":            "a loop in a loop",
		"parts.task.exists(t, t.story.matches('a+b+c+'))":                   "matches() runs for each value",
		"parts.task.exists(t, t.story.contains('abc'))":                     "parts.task.story (up to 100000)",
		"record.people.exists(p, record.people.exists(q, p == q))":          "record.people (up to 500)",
		"record.notes.matches('" + strings.Repeat("a?", 60) + "')":          "give it a smaller max",
		"record.data.exists(a, record.data.exists(b, string(a) == 'text'))": "a loop in a loop",
	} {
		e, faults := s.compile(text, nil)
		if e != nil || len(faults) != 1 || !strings.Contains(faults[0].hint, hint) || !strings.Contains(faults[0].message, "could cost too much") {
			t.Errorf("%s: %v %+v", text, e != nil, faults)
		}
	}
}

// What passes the check runs to its end on the largest record there can be.
func TestCheckedRuns(t *testing.T) {
	s, app := costScope(t)
	task := app.Types["task"]
	var tasks []*landfall.Record
	for i := range MaxParts {
		tasks = append(tasks, &landfall.Record{Type: "task", ID: fmt.Sprint(i), Fields: landfall.Fields{
			"name": quote(strings.Repeat("n", 60)), "done": landfall.Value("false"), "hours": landfall.Value(`"1.5"`), "kind": quote("x"), "pieces": landfall.Value("3"), "took": quote("1h0m0s"),
			"story": quote(strings.Repeat("s", maxLongText)),
		}})
	}
	var ids []string
	for i := range maxMembers {
		ids = append(ids, fmt.Sprintf("%08d-0000-0000-0000-000000000000", i))
	}
	v := &Vars{Type: app.Types["order"], Parts: []Parts{{task, tasks}}, Actor: &landfall.Actor{User: "emma"}, Record: &landfall.Record{Fields: landfall.Fields{
		"title": quote(strings.Repeat("t", 80)), "notes": quote(strings.Repeat("x", maxLongText)), "people": encode(ids), "few": encode(ids[:5]), "tags": encode([]string{"a", "b", "c"}),
	}}}
	for text, want := range map[string]string{
		"parts.task.filter(t, t.done == false).size()":               "500",
		"parts.task.map(t, t.hours).sum()":                           "750",
		"parts.task.map(t, t.pieces).sum()":                          "1500",
		"parts.task.filter(t, t.kind == 'x').map(t, t.took).sum()":   "1800000s",
		"parts.task.filter(t, t.kind == 'y').map(t, t.pieces).sum()": "0",
		"parts.task.exists(t, t.name == record.title)":               "false",
		"record.few.exists(a, parts.task.exists(t, t.name == a))":    "false",
		"record.notes.contains('y') || record.notes.size() > 3":      "true",
		"record.people.exists(p, p == record.title)":                 "false",
		"record.notes.matches('^x*y')":                               "false",
	} {
		e, faults := s.compile(text, nil)
		if e == nil {
			t.Errorf("%s: %+v", text, faults)
			continue
		}
		if got, err := e.Text(v); got != want || err != nil {
			t.Errorf("%s: %q %v", text, got, err)
		}
	}
}
