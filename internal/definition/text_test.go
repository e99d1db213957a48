package definition

import (
	"testing"

	"github.com/landfall-sync/landfall"
)

func TestTextAndBack(t *testing.T) {
	choices := []Choice{{Value: "red"}, {Value: "a,b"}, {Value: " x "}, {Value: "[red"}, {Value: `["red"]`}}
	id := "0198c3ac-0000-7000-8000-000000000001"
	for _, c := range []struct {
		typ         FieldType
		value, text string
	}{
		{Text, `null`, ``},
		{Text, `"null"`, `null`},
		{Text, `" a\r\n\"b\" "`, " a\r\n\"b\" "},
		{Text, `"=1+1"`, `=1+1`},
		{LongText, `"[]"`, `[]`},
		{Integer, `-12`, `-12`},
		{Decimal, `"12.5"`, `12.5`},
		{Boolean, `false`, `false`},
		{Date, `"2026-03-31"`, `2026-03-31`},
		{Time, `"14:05:00"`, `14:05:00`},
		{DateTime, `"2026-03-31T14:05:00.5Z"`, `2026-03-31T14:05:00.5Z`},
		{Duration, `"1h30m0s"`, `1h30m0s`},
		{ChoiceOne, `" x "`, ` x `},
		{ChoiceMany, `["red"]`, `red`},
		{ChoiceMany, `["[red","red"]`, `["[red","red"]`},
		{ChoiceMany, `["[\"red\"]"]`, `["[\"red\"]"]`},
		{ChoiceMany, `["a,b","red"]`, `["a,b","red"]`},
		{ChoiceMany, `[" x "]`, `[" x "]`},
		{Reference, `"` + id + `"`, id},
		{References, `["` + id + `"]`, id},
		{UserRef, `"emma"`, `emma`},
		{JSON, `"x"`, `"x"`},
		{JSON, `{"a":[1,null]}`, `{"a":[1,null]}`},
	} {
		f := &Field{Name: "f", Title: "F", Type: c.typ, Choices: choices, To: "site"}
		text := ToText(f, landfall.Value(c.value))
		if text != c.text {
			t.Errorf("%s %s is written %q, want %q", c.typ, c.value, text, c.text)
		}
		back, bad := FromText(f, text)
		if bad != nil || string(back) != c.value {
			t.Errorf("%s %s comes back as %s, %+v", c.typ, c.value, back, bad)
		}
	}
}
