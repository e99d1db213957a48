package definition

import (
	"reflect"
	"strings"
	"testing"
)

const published = `app: a
version: 3
roles: [w]
types:
  visit:
    fields:
      note: {type: text, max: 100}
      kind: {type: choice, choices: [a, b]}
      size: {type: integer}
      site: {type: reference, to: site}
    lifecycle:
      initial: sent
      statuses: {sent: {}, done: {resolved: true}}
      transitions: {finish: {from: sent, to: done, roles: [w]}}
    audience: [all]
    rights: {w: {create: true, update: true}}
  site:
    fields: {name: {type: text}}
    audience: [all]
    rights: {w: {create: true, update: true}}
`

// What the next version leaves behind is told at its place, with the conversion.
func TestStranded(t *testing.T) {
	old := compiled(t, published)
	next := strings.Replace(published, "version: 3\n", "", 1)
	for what, x := range map[string]struct{ from, to, want string }{
		"nothing":                  {"app: a\n", "app: a\ntitle: B\n", ""},
		"a field with a successor": {"note: {type: text, max: 100}", "notes: {type: text}", `n.yaml:5:5: the field visit.note of the published version is gone: values stay as they are stored, and changes to it become issues of the kind outdated (if it was renamed: convert: [{to: 4, type: visit, rename: {note: notes}}])`},
		"a field without":          {"      size: {type: integer}\n", "", `n.yaml:5:5: the field visit.size of the published version is gone`},
		"a type":                   {"  site:\n    fields:", "  place:\n    fields:", "the type site of the published version is gone"},
		"another type":             {"size: {type: integer}", "size: {type: text}", "n.yaml:8:14: the field visit.size was of type integer and is of type text now"},
		"a longer text":            {"note: {type: text, max: 100}", "note: {type: long_text}", ""},
		"a shorter text":           {"max: 100", "max: 10", "n.yaml:6:26: the field visit.note takes 10 at most, and took 100"},
		"a choice":                 {"choices: [a, b]", "choices: [a, c]", "n.yaml:7:28: the field visit.kind lost choices: b"},
		"a target":                 {"to: site}", "to: visit}", "n.yaml:9:31: the field visit.site referred to site and refers to visit now"},
		"mandatory":                {"size: {type: integer}", "size: {type: integer, required: true}", "n.yaml:8:29: the field visit.size is mandatory now"},
		"unique":                   {"size: {type: integer}", "size: {type: integer, unique: true}", "n.yaml:8:29: the field visit.size is unique now"},
		"a status":                 {"initial: sent\n      statuses: {sent: {}, done: {resolved: true}}\n      transitions: {finish: {from: sent", "initial: pending\n      statuses: {pending: {}, done: {resolved: true}}\n      transitions: {finish: {from: pending", "n.yaml:12:7: the status visit.sent of the published version is gone: records in it can't get on (if it was renamed: convert: [{to: 4, type: visit, statuses: {sent: pending}}])"},
		"a transition":             {"{finish: {", "{close: {", "convert: [{to: 4, type: visit, transitions: {finish: close}}]"},
		"the lifecycle":            {published[strings.Index(published, "    lifecycle:"):strings.Index(published, "    audience:")], "", "the lifecycle of visit is gone"},
	} {
		src := strings.Replace(next, x.from, x.to, 1)
		if src == next {
			t.Fatalf("%s: nothing was changed", what)
		}
		app, problems := Compile("n.yaml", []byte(strings.ReplaceAll(src, "to: site}", map[bool]string{true: "to: place}", false: "to: site}"}[what == "a type"])))
		if app == nil {
			t.Fatalf("%s: %s", what, problemText(problems))
		}
		got := Stranded("n.yaml", old, app)
		if text := problemText(got); (x.want == "") != (len(got) == 0) || !strings.Contains(text, x.want) {
			t.Errorf("%s:\n%s", what, text)
		}
		for _, p := range got {
			if !p.Warning || p.Hint == "" {
				t.Errorf("%s: %+v", what, p)
			}
		}
	}
}

// What is converted is not stranded; what is converted from nothing is told.
func TestStrandedConverted(t *testing.T) {
	old := compiled(t, published)
	src := strings.NewReplacer("version: 3\n", "", "note: {", "remarks: {", "finish: {", "close: {").Replace(published)
	convert := "convert:\n  - {to: 4, type: visit, rename: {note: text}, transitions: {finish: close}}\n  - {to: 5, type: visit, rename: {text: remarks}}\n"
	app := compiled(t, src+convert)
	if got := Stranded("n.yaml", old, app); len(got) > 0 {
		t.Error(problemText(got))
	}
	if _, problems := Compile("n.yaml", []byte(strings.Replace("version: 4\n"+src+convert, "{text: remarks}", "{text: remark}", 1))); !strings.Contains(problemText(problems), `did you mean "remarks"?`) || !strings.Contains(problemText(problems), "this is version 4") {
		t.Error(problemText(problems))
	}
	app = compiled(t, strings.Replace(src+convert, "note: text", "noet: text", 1))
	if text := problemText(Stranded("n.yaml", old, app)); !strings.Contains(text, `the published version has no field visit.noet: nothing is converted (did you mean "note"?)`) || !strings.Contains(text, "visit.note of the published version is gone") {
		t.Error(text)
	}
	if got := Stranded("n.yaml", old, old); len(got) > 0 {
		t.Errorf("the same: %s", problemText(got))
	}
}

// A guard that goes with its field, its type or its last rule is told of; what is
// stored in a field that is gone is sealed, until the field is back.
func TestSealed(t *testing.T) {
	guarded := strings.Replace(published, "    rights: {w: {create: true, update: true}}\n  site:", "    rights: {w: {create: true, update: true, read: {not: [note, size]}}, v: {update: true}}\n  site:", 1)
	guarded = strings.Replace(guarded, "roles: [w]", "roles: [w, v, u]", 1)
	old := lenient(t, guarded)
	next := strings.Replace(guarded, "version: 3\n", "", 1)
	type sealed = map[string][]string
	for what, x := range map[string]struct {
		from, to, want string
		sealed         sealed
	}{
		"nothing":                         {"app: a\n", "app: a\ntitle: B\n", "", sealed{}},
		"the field":                       {"      size: {type: integer}\n", "", "the field visit.size was kept from some roles: what is stored there is read by nobody from now on", sealed{"visit": {"size"}}},
		"the rule":                        {"read: {not: [note, size]}", "read: {not: [size]}", "the field visit.note was kept from some roles: from now on, all who receive the record read it", sealed{}},
		"another role that may not":       {"read: {not: [note, size]}}, v: {update: true}}", "update: true}, v: {update: true}, u: {read: {not: [note, size]}}}", "", sealed{}},
		"its name":                        {"note: {type: text, max: 100}", "remark: {type: text}", "the field visit.note was kept from some roles: what is stored there is read by nobody from now on", sealed{"visit": {"note"}}},
		"its name, and its guard with it": {"app: a\n", "app: a\nconvert: [{to: 4, type: visit, rename: {note: remark}}]\n", "", sealed{}},
		"the type":                        {"", "", "the field visit.note was kept from some roles: what is stored there is read by nobody from now on", sealed{"visit": {"note", "size"}}},
	} {
		src := next
		switch what {
		case "the type":
			head, rest, _ := strings.Cut(next, "  visit:")
			_, rest, _ = strings.Cut(rest, "\n  site:")
			src = head + "  site:" + rest
		case "the field":
			src = strings.Replace(next, ", size]", "]", 1)
		case "its name":
			src = strings.Replace(next, "[note, size]", "[size]", 1)
		case "its name, and its guard with it":
			src = strings.NewReplacer("note: {", "remark: {", "[note,", "[remark,").Replace(next)
		case "another role that may not":
			src = strings.Replace(next, "update: true, read:", "read:", 1)
		}
		src = strings.Replace(src, x.from, x.to, 1)
		app := lenient(t, src)
		got := problemText(Stranded("n.yaml", old, app))
		if said := strings.Contains(got, "kept from"); said != (x.want != "") || !strings.Contains(got, x.want) {
			t.Errorf("%s:\n%s", what, got)
		}
		if got := Seal(old, app); !reflect.DeepEqual(got, x.sealed) {
			t.Errorf("%s: %v", what, got)
		}
	}
	// What led to the new name goes with the conversion, and that of what is guarded is not.
	renamed := lenient(t, strings.NewReplacer("version: 3\n", "", "app: a\n", "app: a\nconvert: [{to: 2, type: visit, rename: {memo: text}}, {to: 3, type: visit, rename: {text: note}}]\n").Replace(guarded))
	if got := renamed.Formerly("visit", []string{"note"}); !reflect.DeepEqual(got, []string{"note", "text", "memo"}) {
		t.Error(got)
	}
	if got := Seal(renamed, old); !reflect.DeepEqual(got, sealed{"visit": {"memo", "text"}}) {
		t.Error(got)
	}
	// It stays so, whatever follows, until somebody declares the field.
	without := lenient(t, strings.NewReplacer("version: 3\n", "", "      size: {type: integer}\n", "").Replace(published))
	without.Sealed = Seal(old, without)
	if got := Seal(without, without); !reflect.DeepEqual(got, sealed{"visit": {"size"}}) {
		t.Error(got)
	}
	back := lenient(t, strings.Replace(published, "version: 3\n", "", 1))
	if got := problemText(Stranded("n.yaml", without, back)); !strings.Contains(got, "n.yaml:8:7: the field visit.size is back, and was kept from some roles before") || len(Seal(without, back)) != 0 {
		t.Error(got, Seal(without, back))
	}
}

// lenient compiles what may have warnings.
func lenient(t *testing.T, src string) *App {
	t.Helper()
	app, problems := Compile("a.yaml", []byte(src))
	if app == nil {
		t.Fatal(problemText(problems))
	}
	return app
}
