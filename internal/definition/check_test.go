package definition

import (
	"slices"
	"strings"
	"testing"
)

const checked = `app: a
roles: [w, boss]
types:
  area:
    fields: {owner: {type: user, default: me}, name: {type: text}}
    audience: [user:owner]
    rights: {w: {create: true}, boss: {update: true}}
  visit:
    fields:
      who: {type: user}
      team: {type: team}
      area: {type: reference, to: area, where: "target.name != 'x'", fill: {note: target.name}}
      note: {type: text, required: [done]}
      fee: {type: decimal, required: true}
      spare: {type: text}
      seen: {type: text, check: "seen != ''"}
      late: {type: boolean, computed: "record.fee > 1.0"}
    lifecycle:
      initial: open
      statuses: {open: {}, done: {resolved: true}}
      transitions:
        finish: {from: open, to: done, roles: [w], requires: [note], set: {seen: "'yes'"}}
    audience: [user:who, role:boss]
    rights: {w: {create: [who, fee, area, note], update: "record.who == me"}, boss: {update: [team], read: {not: [spare]}}}
  item:
    part_of: visit
    fields: {name: {type: text, required: true, unique: true}}
    number: {prefix: I-}
    rights: {w: {create: true}}
`

// What only the whole of a type shows is found, at its place; what is right is not.
func TestChecked(t *testing.T) {
	compiled(t, checked)
	said(t, checked, map[string]replaced{
		"mandatory, not writable": {`create: [who, fee, area, note], update: "record.who == me"`, `create: [who, area, note]`, "a.yaml:14:7: the field fee is mandatory, but no role may write it"},
		"mandatory, not readable": {`{w: {create: [who, fee, area, note], update: "record.who == me"}`, `{w: {create: true, read: {not: [fee]}}`, "a.yaml:14:7: the field fee is mandatory, but w, who may create records, may not read it"},
		"nobody ever sees":        {"audience: [user:owner]", "audience: [team:group]", "names no field of type team"},
		"never holds":             {`where: "target.name != 'x'"`, `where: "1 == 2"`, "where: the condition never holds"},
		"holds always":            {`where: "target.name != 'x'"`, `where: "1 == 1"`, "where: the condition holds always"},
		"an update that is never": {`update: "record.who == me"`, `update: "false && true"`, "update: the condition never holds"},
		"a moment":                {"record.fee > 1.0", "record.fee > 1.0 && today > '2026-01-01'", "a.yaml:17:39: late looks at today, but is worked out only when the record changes"},
		"a person":                {"record.fee > 1.0", "record.who == me", "late looks at me"},
		"sets what is computed":   {"set: {seen: \"'yes'\"}", "set: {late: \"true\"}", "late can't be set"},
		"read by nobody":          {`update: "record.who == me"}`, `update: "record.who == me", read: {not: [spare]}}`, "no role may read the field spare"},
		"an island":               {"done: {resolved: true}}", "done: {resolved: true}, island: {resolved: true}}", "no transition leads to the status island"},
		"a dead end":              {"done: {resolved: true}", "done: {}", "a case in the status done can't get on"},
	})
}

// Each of these is one definition, and what is said of it.
func TestCheckedWhole(t *testing.T) {
	for what, x := range map[string]struct {
		changes []string // old, new
		want    string
	}{
		"a transition asks for what nobody writes": {[]string{"requires: [note]", "requires: [spare]", `, update: "record.who == me"`, ""}, "a.yaml:22:63: the transition finish requires spare, but no role may write it"},
		"a status asks for what nobody writes":     {[]string{", fill: {note: target.name}", "", `area, note], update: "record.who == me"`, "area]"}, "a.yaml:13:7: the field note is mandatory, but no role may write it"},
		"filled in is written":                     {[]string{`area, note], update: "record.who == me"`, "area]"}, ""},
		"nobody may create is fine":                {[]string{`{create: [who, fee, area, note], update: "record.who == me"}`, `{update: [note]}`}, "the audience lets nobody in by user:who"},
		"nobody ever":                              {[]string{", default: me}", "}", "rights: {w: {create: true}, boss: {update: true}}", "rights: {w: {create: [name]}, boss: {update: [name]}}"}, "a.yaml:6:5: nobody may ever see a record of type area: user:owner (nothing ever sets owner)"},
		"nobody via nobody":                        {[]string{", default: me}", "}", "rights: {w: {create: true}, boss: {update: true}}", "rights: {w: {create: [name]}, boss: {update: [name]}}", "[user:who, role:boss]", "[via:area]"}, "a.yaml:23:5: nobody may ever see a record of type visit: via:area (nobody may see records of type area)"},
		"no parts":                                 {[]string{"rights: {w: {create: true}}\n", "", "number: {prefix: I-}\n", "number: {prefix: I-}\n    rights: {w: {update: true}}\n"}, "no role may create records of type item, which live as parts alone"},
	} {
		src := checked
		for i := 0; i < len(x.changes); i += 2 {
			at := strings.LastIndex(src, x.changes[i])
			if at < 0 {
				t.Fatalf("%s: %q is not there", what, x.changes[i])
			}
			src = src[:at] + x.changes[i+1] + src[at+len(x.changes[i]):]
		}
		_, problems := Compile("a.yaml", []byte(src))
		if text := problemText(problems); !strings.Contains(text, x.want) || x.want == "" && text != "" {
			t.Errorf("%s:\n%s", what, text)
		}
		if slices.ContainsFunc(problems, func(p Problem) bool { return p.Hint == "" }) {
			t.Errorf("%s: no hint:\n%s", what, problemText(problems))
		}
	}
}
