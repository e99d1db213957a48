package definition

import (
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall"
)

// The same source gives the same definition and the same problems, always.
func FuzzCompile(f *testing.F) {
	for _, file := range []string{"testdata/broken.yaml", "../../examples/expenses/app.yaml", "../../examples/fieldservice/app-v2.yaml", "../../stories/testdata/sheets.yaml"} {
		src, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	for _, src := range []string{related, words, automated, costs, published} {
		f.Add([]byte(src))
	}
	f.Add([]byte("app: x\ntypes: [1]\nroles: {a: b}\nqueues: ~\nissues: 3"))
	f.Add([]byte("types: {a: {fields: {b: {type: [], choices: {c: {}}, default: {}}}, lifecycle: {statuses: [], transitions: 1}}}"))
	strandedFrom := MustCompile("a.yaml", []byte(related))
	f.Fuzz(func(t *testing.T, src []byte) {
		a, first := Compile("f", src)
		b, second := Compile("f", src)
		if problemText(first) != problemText(second) {
			t.Errorf("the same definition, other problems:\n%s\n%s", problemText(first), problemText(second))
		}
		if a == nil && len(first) == 0 {
			t.Error("nothing compiled, and no reason")
		}
		if a != nil {
			Stranded("f", a, b)
			Stranded("f", a, strandedFrom)
			Stranded("f", strandedFrom, a)
		}
		if one, other := appText(t, a), appText(t, b); one != other {
			t.Errorf("the same definition became another:\n%s\n%s", one, other)
		}
	})
}

func appText(t *testing.T, a *App) string {
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// everyField has a field of every type, and one of each limit.
func everyField() []*Field {
	choices := []Choice{{"red", "Red"}, {"green", "Green"}}
	var out []*Field
	for _, typ := range []FieldType{Text, LongText, Integer, Decimal, Boolean, Date, Time, DateTime, Duration, ChoiceOne, ChoiceMany, Reference, References, UserRef, TeamRef, JSON, Location, Attachment, Attachments, Signature} {
		out = append(out, &Field{Name: "f", Title: "F", Type: typ, To: "site", Choices: choices})
	}
	return append(out, &Field{Name: "f", Title: "F", Type: Text, Max: 3}, &Field{Name: "f", Title: "F", Type: References, Max: 1})
}

// canonicalOnce: a canonical value is JSON, and its own canonical form.
func canonicalOnce(t *testing.T, f *Field, size int, v landfall.Value, msg *landfall.Message) {
	t.Helper()
	if msg != nil {
		if msg.Code == "" || msg.Field != f.Name || msg.Text == "" {
			t.Errorf("%s: a message that does not say what is wrong: %+v", f.Type, msg)
		}
		return
	}
	if !json.Valid(v) || len(v) > 6*size+128 {
		t.Errorf("%s: %q is no value", f.Type, v)
	}
	if again, msg := f.Canonical(v); msg != nil || string(again) != string(v) {
		t.Errorf("%s: canonical is not canonical: %.200q became %.200q %v", f.Type, v, again, msg)
	}
}

// FuzzCanonical gives any bytes to fields of every type.
func FuzzCanonical(f *testing.F) {
	for _, v := range []string{
		`null`, `"<ü & 漢>"`, `"a\u0000b"`, "\"a\u2028b\"", `12`, `-0`, `+7`, `007`, `9007199254740993`, `"1e3"`, `"-0.10"`, `"1e99999"`, `"0.00000000000000000000000000000000001"`,
		`true`, `"2026-02-29"`, `"0000-01-01"`, `"14:05"`, `"14:05:09.5"`, `"0001-01-01T00:00:00+23:59"`, `"2026-03-31T14:05:00,25+02:00"`, `"90m"`, `"-9223372036854775808ns"`, `"1us"`,
		`["green","red","red"]`, `[null]`, `{"lat":1e2,"lon":-180}`, `{"lat":1,"lon":2,"accuracy":0.5}`, `[{"hash":"` + strings.Repeat("a", 64) + `","name":"a","size":1,"type":"image/png"}]`, `{"hash":1}`,
		`["0198C3AA-0000-7000-8000-00000000000A"]`, `"emma"`, `{"b":1.0,"a":[1e400,{}],"a":2}`, `1 ]`, "\"\xff\"",
		"\"" + strings.Repeat("\u2028", maxJSON/3-1) + "\"",
	} {
		f.Add([]byte(v))
	}
	f.Fuzz(func(t *testing.T, v []byte) {
		sent := string(v)
		for _, field := range everyField() {
			c, msg := field.Canonical(v)
			canonicalOnce(t, field, len(v), c, msg)
		}
		if string(v) != sent {
			t.Error("the value was changed under its owner")
		}
	})
}

// FuzzFromText types anything into fields of every type.
func FuzzFromText(f *testing.F) {
	for _, s := range []string{"", " ", "red, green", "12", "+1.50", "1_0", "0x1p4", "true", "2026-03-31", "14:05", "{} {}", "null", `"x"`, "a\x00\xff\u2028", ","} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, field := range everyField() {
			v, msg := FromText(field, s)
			canonicalOnce(t, field, len(s), v, msg)
		}
	})
}

const fuzzed = `
app: c
roles: [worker]
types:
  thing:
    fields:
      name: {type: text}
      cost: {type: integer}
      price: {type: decimal}
      tags: {type: choices, choices: [a, b]}
      due: {type: datetime}
      took: {type: duration}
      data: {type: json}
      done: {type: boolean}
      place: {type: location}
      files: {type: attachments}
    audience: [all]
    rights:
      worker: {create: true}
  item:
    part_of: thing
    fields:
      done: {type: boolean}
      cost: {type: integer}
      took: {type: duration}
    rights:
      worker: {create: true}
`

// FuzzExpression compiles any text as an expression, and evaluates it on
// records with everything and with nothing. It ends, the same way each time,
// with nothing but its cost for an error.
func FuzzExpression(f *testing.F) {
	for _, text := range []string{
		"record.name == me", "record.price > 12.5 && has_role('worker')", "parts.item.filter(i, i.done == false).size()", "parts.item.map(i, i.cost).sum()", "[].sum()", "[1, 2.5].sum()", "parts.item.map(i, i.took).sum()", "record.tags.sum()", "record.place.lat > 1.0", "record.files.map(x, x.size).sum()",
		"record.tags.all(a, record.tags.all(b, record.tags.all(c, a + b + c != 'x')))",
		"record.name.matches('(a+)+$')", "record.data.cost == 1", "record.data.x[3].y", "record.cost / 0 > 1", "9223372036854775807 + record.cost > 0", "record.due + record.took < now",
		"[1,2,3].map(x, x * record.cost)", "string(record.price) + record.name", "timestamp('9999-12-31T23:59:59Z') + duration('9000h')", "was.name == null", "{'a': record.tags}", "'\xff'", "((((((", "in_team(me)",
		"dyn(record.data) == dyn(record.tags)", "record.name.size() > 2 ? record.name : me", "b'\\xff'", "bytes(record.name)", "type(record.cost)", "-9223372036854775808", "double('NaN')", "1.0 / 0.0",
	} {
		f.Add(text)
	}
	app := MustCompile("f", []byte(fuzzed))
	typ := app.Types["thing"]
	item := app.Types["item"]
	scope := newScope(view{record: typ, parts: []*Type{item}})
	vars := expressionVars(typ)
	for i := range 3 {
		vars[0].Parts = append(vars[0].Parts, Parts{item, []*landfall.Record{{ID: "p", Fields: landfall.Fields{"cost": landfall.Value(strconv.Itoa(i)), "took": landfall.Value(`"1h0m0s"`), "done": landfall.Value("false")}}, {}}})
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, faults := scope.compile(text, nil)
		if e == nil {
			if len(faults) == 0 || faults[0].message == "" {
				t.Error("it is refused without a word")
			}
			return
		}
		for _, v := range vars {
			evaluateTwice(t, e, v)
		}
	})
}

// expressionVars are a record with everything, one with nothing, and none.
func expressionVars(typ *Type) []*Vars {
	full := &landfall.Record{Type: "thing", ID: "x", Status: "open", Number: "T-1", CreatedBy: "emma", Fields: landfall.Fields{
		"name": landfall.Value(`"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"`), "cost": landfall.Value(`3`), "price": landfall.Value(`"12.5"`), "tags": landfall.Value(`["a","b"]`),
		"due": landfall.Value(`"2026-03-01T00:00:00Z"`), "took": landfall.Value(`"1h0m0s"`), "data": landfall.Value(`{"x":[1,"b",null]}`), "done": landfall.Value(`true`),
	}}
	now := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	emma := &landfall.Actor{User: "emma", Roles: []string{"worker"}, Teams: []string{"north"}}
	return []*Vars{
		{Type: typ, Record: full, Was: full, Actor: emma, Now: now},
		{Type: typ, Record: &landfall.Record{}, Actor: emma, Now: now},
		{},
	}
}

func evaluateTwice(t *testing.T, e *Expr, v *Vars) {
	t.Helper()
	type outcome struct {
		yes  bool
		text string
	}
	var got [2]outcome
	for i := range got {
		var errYes, errText error
		got[i].yes, errYes = e.Bool(v)
		got[i].text, errText = e.Text(v)
		for _, err := range []error{errYes, errText} {
			if err != nil && !errors.Is(err, errCost) {
				t.Errorf("%s: %v", e, err)
			}
		}
	}
	if got[0] != got[1] {
		t.Errorf("%s gives %v, and then %v", e, got[0], got[1])
	}
	for _, f := range everyField() {
		c, err := e.Value(v, f)
		if err == nil {
			canonicalOnce(t, f, len(c), c, nil)
		}
	}
}
