package definition

import (
	"slices"
	"strings"
	"testing"
)

// words has those that clients act on.
const words = `app: care
title: {en: Care, de: Pflege}
languages: [en, de]
mobile:
  mode: online
  hybrid: {recent: 20}
  sections:
    - {type: visit, title: {en: My visits, de: Meine Besuche}, roles: [nurse], where: "record.nurse == me", sort: [starts], show: [reason, status]}
    - {type: visit}
  carry: {visit: {statuses: [planned], days: 30}}
roles: [nurse, lead]
types:
  visit:
    title: {en: Visit, de: Besuch}
    schedule: {starts: starts, ends: ends, who: nurse, days: 7}
    form:
      - {title: {en: What, de: Was}, fields: [reason, nurse, kind]}
      - {fields: [starts, ends, order], roles: [lead]}
    fields:
      reason: {type: text, check: "reason != ''", message: {en: Say why, de: Sag warum}}
      nurse: {type: user, default: me}
      kind: {type: choice, choices: {first: {en: First, de: Erster}, again: Again}}
      starts: {type: datetime}
      ends: {type: datetime}
      order: {type: reference, to: visit}
    lifecycle:
      initial: planned
      statuses: {planned: {title: {en: Planned, de: Geplant}}, done: {resolved: true}}
      transitions:
        finish: {from: planned, to: done, roles: [nurse], set: {ends: now}}
    audience: [user:nurse, role:lead]
    rights: {nurse: {create: true, update: true}, lead: {update: true}}
`

func TestWordsOfClients(t *testing.T) {
	app := compiled(t, words)
	visit, m := app.Types["visit"], app.Mobile
	if app.Title != "Care" || visit.Title != "Visit" || visit.Fields["reason"].Message != "Say why" || visit.Fields["kind"].Choices[0].Title != "First" ||
		visit.Lifecycle.Statuses["planned"].Title != "Planned" || !slices.Equal(app.Languages, []string{"en", "de"}) {
		t.Error("the first language's texts are not kept")
	}
	if m.Recent != 20 || len(m.Sections) != 2 || m.Sections[0].Where == nil || m.Sections[1].Title != "Visit" || len(m.Carry) != 1 || m.Carry[0].Days != 30 {
		t.Errorf("mobile: %+v", m)
	}
	if s := visit.Schedule; s == nil || s.Starts != "starts" || s.Ends != "ends" || s.Who != "nurse" || s.Days != 7 {
		t.Errorf("schedule: %+v", s)
	}
	if len(visit.Form) != 2 || visit.Form[0].Title != "What" || !slices.Equal(visit.Form[1].Roles, []string{"lead"}) {
		t.Errorf("form: %+v", visit.Form)
	}
	for src, recent := range map[string]int{"hybrid: {recent: 7}": 7, "hybrid: off": 0, "request_access_email: a@b.example": 10} {
		if got := compiled(t, strings.Replace(words, "hybrid: {recent: 20}", src, 1)); got.Mobile.Recent != recent {
			t.Errorf("%s: %d", src, got.Mobile.Recent)
		}
	}
}

// replaced is one change of a definition that was right, and what is then said.
type replaced struct{ from, to, want string }

func said(t *testing.T, src string, all map[string]replaced) {
	t.Helper()
	for what, x := range all {
		changed := strings.Replace(src, x.from, x.to, 1)
		if changed == src {
			t.Fatalf("%s: nothing was changed", what)
		}
		if _, problems := Compile("a.yaml", []byte(changed)); !strings.Contains(problemText(problems), x.want) {
			t.Errorf("%s:\n%s", what, problemText(problems))
		}
	}
}

func TestWordsOfClientsMisspelt(t *testing.T) {
	said(t, words, map[string]replaced{
		"no translation":       {"{en: Care, de: Pflege}", "{en: Care}", `a.yaml:2:8: title has no translation into de`},
		"not a language":       {"de: Pflege", "fr: Soins", `a.yaml:2:19: language "fr" is not known`},
		"no tag":               {"languages: [en, de]", "languages: [english!]", "is no language tag"},
		"languages undeclared": {"languages: [en, de]\n", "", "is written in languages, but none is declared"},
		"hybrid what":          {"{recent: 20}", "{}", "hybrid does not say how many records"},
		"hybrid many":          {"{recent: 20}", "{recent: 2000}", "recent is 100 at most"},
		"section of what":      {"{type: visit}", "{type: vist}", `did you mean "visit"?`},
		"section of nothing":   {"{type: visit}", "{title: x}", "it does not say of which type"},
		"section's roles":      {"roles: [nurse], where", "roles: [nurs], where", `did you mean "nurse"?`},
		"section's condition":  {`"record.nurse == me"`, `"record.nurs == me"`, `did you mean "nurse"?`},
		"section's order":      {"sort: [starts]", "sort: [start]", `did you mean "starts"?`},
		"section's fields":     {"show: [reason, status]", "show: [reasons]", `did you mean "reason"?`},
		"carry what":           {"carry: {visit:", "carry: {visits:", `did you mean "visit"?`},
		"carry's statuses":     {"statuses: [planned], days", "statuses: [plan], days", `did you mean "planned"?`},
		"carry nothing":        {"{statuses: [planned], days: 30}", "{}", "carry does not say"},
		"schedule's start":     {"schedule: {starts: starts", "schedule: {starts: reason", "starts can't be a field of type text"},
		"schedule of nothing":  {"schedule: {starts: starts, ", "schedule: {", "does not say when a record starts"},
		"schedule's who":       {"who: nurse", "who: nurs", `did you mean "nurse"?`},
		"form's fields":        {"fields: [reason, nurse, kind]", "fields: [reson, nurse, kind]", `did you mean "reason"?`},
		"form's roles":         {"roles: [lead]}", "roles: [leed]}", `did you mean "lead"?`},
		"shown nowhere":        {"fields: [reason, nurse, kind]", "fields: [reason, nurse]", "the field kind is shown nowhere"},
		"form without":         {"fields: [starts, ends, order], ", "", "has no fields"},
		"form is a list":       {"form:\n      - {", "form: {a: b}\n    forms:\n      - {", "form is a list"},
	})
}

const automated = words + `automations:
  - {on: visit.create, when: "record.nurse != me", create: visit, set: {reason: "'again ' + record.reason"}}
  - {on: visit.finish, transition: {record: record.order, do: finish}}
  - {on: visit.update, notify: {user: record.nurse, message: {en: Changed, de: Anders}}}
  - {on: visit.delete, webhook: "https://example.com/gone"}
`

// Automations are checked in full, and refused in one place.
func TestAutomations(t *testing.T) {
	_, problems := Compile("a.yaml", []byte(automated))
	want := []string{
		"a.yaml:33:1: this version does not run automations yet", "a.yaml:34:5: automations go in a circle: visit.create → visit.create",
		"a.yaml:35:5: automations go in a circle: visit.finish → visit.finish",
	}
	var got []string
	for _, p := range problems {
		got = append(got, strings.Split(p.String(), " (")[0])
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	said(t, automated, map[string]replaced{
		"event":         {"on: visit.finish", "on: visit.finsh", `did you mean "finish"?`},
		"type":          {"on: visit.update", "on: vsit.update", `did you mean "visit"?`},
		"no event":      {"on: visit.update, ", "", "does not say what it runs on"},
		"condition":     {"record.nurse != me", "record.nurs != me", `did you mean "nurse"?`},
		"made":          {"create: visit", "create: visits", `did you mean "visit"?`},
		"set":           {"{reason: \"'again", "{reasn: \"'again", `did you mean "reason"?`},
		"set what":      {"'again ' + record.reason", "1 + 1", "the expression gives int"},
		"mandatory":     {"nurse: {type: user, default: me}", "nurse: {type: user, required: true}", "nurse of visit is mandatory, and is not set"},
		"of what":       {"record: record.order", "record: record.reason", "record is record.id, or record.FIELD of a field of type reference"},
		"do what":       {"do: finish", "do: finsh", `did you mean "finish"?`},
		"who":           {"user: record.nurse, ", "", "does not say who is told"},
		"what":          {", message: {en: Changed, de: Anders}", "", "does not say what they are told"},
		"address":       {"https://", "http://", "webhook is an https address"},
		"two things":    {"webhook: ", "notify: {role: lead, message: x}, webhook: ", "an automation does one thing"},
		"longer circle": {"create: visit, set: {reason: \"'again ' + record.reason\"}}", "transition: {record: record.id, do: finish}}\n  - {on: visit.finish, create: visit}", "visit.create → visit.finish → visit.create"},
	})
}
