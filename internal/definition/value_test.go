package definition

import (
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
)

func TestCanonical(t *testing.T) {
	long := strings.Repeat("x", 4001)
	field := func(typ FieldType) *Field {
		return &Field{Name: "f", Title: "F", Type: typ, To: "site", Choices: []Choice{{"red", "Red"}, {"green", "Green"}, {"black", "Black"}}}
	}
	id := "0198c3aa-0000-7000-8000-00000000000a"
	for _, c := range []struct {
		typ      FieldType
		in, want string // want "": refused
		code     string
	}{
		{Text, `"<ü & 漢>"`, `"<ü & 漢>"`, ""}, {Text, `""`, `null`, ""}, {Text, `null`, `null`, ""}, {Text, `12`, "", "wrong_type"},
		{Text, `"` + long + `"`, "", "too_long"}, {LongText, `"` + long + `"`, `"` + long + `"`, ""}, {Text, `"a\u0000b"`, "", "wrong_type"},
		{Integer, `12`, `12`, ""}, {Integer, `-0`, `0`, ""}, {Integer, `1.5`, "", "wrong_type"}, {Integer, `"1"`, "", "wrong_type"}, {Integer, `9007199254740993`, "", "out_of_range"},
		{Decimal, `"120.50"`, `"120.5"`, ""}, {Decimal, `120.0`, `"120"`, ""}, {Decimal, `"-0"`, `"0"`, ""}, {Decimal, `"1e3"`, `"1000"`, ""}, {Decimal, `"0.10"`, `"0.1"`, ""},
		{Decimal, `"NaN"`, "", "wrong_type"}, {Decimal, `"Infinity"`, "", "wrong_type"}, {Decimal, `"1e99999"`, "", "out_of_range"}, {Decimal, `"ten"`, "", "wrong_type"}, {Decimal, `true`, "", "wrong_type"},
		{Boolean, `true`, `true`, ""}, {Boolean, `1`, "", "wrong_type"},
		{Date, `"2026-03-31"`, `"2026-03-31"`, ""}, {Date, `"2026-02-30"`, "", "wrong_type"}, {Date, `"31.3.2026"`, "", "wrong_type"},
		{Time, `"14:05"`, `"14:05:00"`, ""}, {Time, `"25:00"`, "", "wrong_type"},
		{DateTime, `"2026-03-31T14:05:00+02:00"`, `"2026-03-31T12:05:00Z"`, ""}, {DateTime, `"yesterday"`, "", "wrong_type"},
		{Duration, `"90m"`, `"1h30m0s"`, ""}, {Duration, `"soon"`, "", "wrong_type"},
		{ChoiceOne, `"red"`, `"red"`, ""}, {ChoiceOne, `"rde"`, "", "unknown_choice"}, {ChoiceMany, `["red","green","red"]`, `["green","red"]`, ""}, {ChoiceMany, `[]`, `null`, ""}, {ChoiceMany, `["blue"]`, "", "unknown_choice"},
		{Reference, `"` + strings.ToUpper(id) + `"`, `"` + id + `"`, ""}, {Reference, `"EXP-1"`, "", "wrong_type"}, {References, `["` + id + `"]`, `["` + id + `"]`, ""}, {References, `["x"]`, "", "wrong_type"},
		{UserRef, `"emma"`, `"emma"`, ""}, {UserRef, `"Emma!"`, "", "wrong_type"}, {TeamRef, `"north-1"`, `"north-1"`, ""},
		{JSON, `{"b":1,"a":[true,null]}`, `{"a":[true,null],"b":1}`, ""}, {JSON, `{`, "", "wrong_type"},
	} {
		got, msg := field(c.typ).Canonical(landfall.Value(c.in))
		switch {
		case c.want == "" && (msg == nil || msg.Code != c.code || msg.Field != "f"):
			t.Errorf("%s %.40s: want %s, got %s %v", c.typ, c.in, c.code, got, msg)
		case c.want != "" && (msg != nil || string(got) != c.want):
			t.Errorf("%s %.40s: want %.40s, got %.40s %v", c.typ, c.in, c.want, got, msg)
		case c.want != "":
			if again, msg := field(c.typ).Canonical(got); msg != nil || string(again) != string(got) {
				t.Errorf("%s: canonical is not canonical: %s %v", c.typ, again, msg)
			}
		case strings.Contains(msg.Text+msg.Hint, "rde") || strings.Contains(msg.Text, "ten "):
			t.Errorf("the message holds the value: %s", msg.Text)
		}
	}
}

func TestFromText(t *testing.T) {
	f := &Field{Name: "f", Title: "F", Type: ChoiceMany, Choices: []Choice{{"a", "A"}, {"b", "B"}}}
	if v, msg := FromText(f, "b, a"); msg != nil || string(v) != `["a","b"]` {
		t.Errorf("%s %v", v, msg)
	}
	for in, want := range map[string]string{"12": `12`, "": `null`} {
		if v, msg := FromText(&Field{Type: Integer}, in); msg != nil || string(v) != want {
			t.Errorf("%s %v", v, msg)
		}
	}
	if _, msg := FromText(&Field{Type: Integer, Title: "Size"}, "lots"); msg == nil || !strings.HasPrefix(msg.Text, "Size:") {
		t.Errorf("%v", msg)
	}
}

func TestNearest(t *testing.T) {
	known := []string{"submit", "approve", "reject", "reopen"}
	for in, want := range map[string]string{"submitt": "submit", "Approve": "approve", "reopn": "reopen", "rejcet": "reject", "sub": "submit", "fly": "", "": ""} {
		if got := Nearest(in, known); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

const conditions = `
app: c
roles: [worker, boss]
types:
  thing:
    fields:
      name: {type: text}
      size: {type: integer, check: "size > 0"}
      price: {type: decimal}
      tags: {type: choices, choices: [a, b]}
      due: {type: datetime}
      owner: {type: user}
    audience: [all]
    rights:
      worker: {create: true, update: "%s"}
      boss: {update: true}
`

// A condition is false where a value is missing, and never an error for it.
func TestConditions(t *testing.T) {
	rec := &landfall.Record{Type: "thing", ID: "x", Status: "open", CreatedBy: "emma", Fields: landfall.Fields{
		"size": landfall.Value(`3`), "price": landfall.Value(`"12.5"`), "tags": landfall.Value(`["a"]`), "due": landfall.Value(`"2026-03-01T00:00:00Z"`), "owner": landfall.Value(`"emma"`)}}
	actor := &landfall.Actor{User: "emma", Roles: []string{"worker"}, Teams: []string{"north"}}
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for expr, want := range map[string]bool{
		"record.owner == me": true, "record.owner != me": false, "record.size > 2": true, "record.size > 2.5": true, "record.price >= 12.5": true,
		"record.name == 'x'": false, "record.name == null": true, "record.name.size() > 2": false, "has_role('worker')": true, "has_role('boss')": false,
		"in_team('north')": true, "'a' in record.tags": true, "record.tags.size() == 1": true, "record.due < now": true, "today == '2026-03-02'": true,
		"record.status == 'open' && record.created_by == me": true, "record.name.startsWith('x') || record.size == 3": true, "was.size == 3": false,
	} {
		app, problems := Compile("c", []byte(strings.Replace(conditions, "%s", expr, 1)))
		if app == nil {
			t.Errorf("%s: %s", expr, problemText(problems))
			continue
		}
		typ := app.Types["thing"]
		got, err := typ.Rights["worker"].Update.When.Bool(&Vars{Type: typ, Record: rec, Actor: actor, Now: now})
		if err != nil || got != want {
			t.Errorf("%s: got %v %v", expr, got, err)
		}
	}
}

// What would cost too much is stopped, with an error and not a hang.
func TestCostLimit(t *testing.T) {
	nested := "record.tags.all(a, record.tags.all(b, record.tags.all(c, record.tags.all(d, a + b + c + d != 'x'))))"
	app, problems := Compile("c", []byte(strings.Replace(conditions, "%s", nested, 1)))
	if app == nil {
		t.Logf("refused when checked: %s", problemText(problems))
		return
	}
	many := `["` + strings.Join(strings.Split(strings.Repeat("a ", 40), " "), `","`) + `"]`
	typ := app.Types["thing"]
	_, err := typ.Rights["worker"].Update.When.Bool(&Vars{Type: typ, Record: &landfall.Record{Fields: landfall.Fields{"tags": landfall.Value(many)}}, Actor: &landfall.Actor{}})
	if err == nil {
		t.Error("it ran to its end")
	}
}

// A value that is missing is no cost, whatever it is called.
func TestMissingCost(t *testing.T) {
	app := MustCompile("f", []byte(fuzzed))
	typ := app.Types["thing"]
	scope := newScope(view{record: typ})
	for _, text := range []string{"record.data.cost == 1", "record.cost > 1", "record.data['the cost'] == 'x'"} {
		e, faults := scope.compile(text, nil)
		if e == nil {
			t.Fatalf("%s: %v", text, faults)
		}
		for _, v := range expressionVars(typ)[1:] {
			if yes, err := e.Bool(v); yes || err != nil {
				t.Errorf("%s: %v %v", text, yes, err)
			}
		}
	}
}
