package diagram

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

func TestTextOfTitles(t *testing.T) {
	for _, c := range []struct{ title, clean, mermaid, markdown string }{
		{"Waiting for approval", "Waiting for approval", "Waiting for approval", "Waiting for approval"},
		{" two\nlines\tand\r\nmore ", "two lines and more", "two lines and more", "two lines and more"},
		{"a\x00b\x1b[1m\u202Ec\u2066\uFEFF", "a b [1mc", "a b #91;1mc", "a b \\[1mc"},
		{`say "no": <b>`, `say "no": <b>`, `say #34;no#34;#58; #60;b#62;`, `say "no": \<b\>`},
		{"sync_admin _x_", "sync_admin _x_", "sync_admin #95;x#95;", `sync\_admin \_x\_`},
		{"x Direction LR", "x Direction LR", "x #68;irection LR", "x Direction LR"},
		{"Łódź 東京", "Łódź 東京", "Łódź 東京", "Łódź 東京"},
		{"e\u0301\u0301\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301", "e\u0301\u0301\u0301\u0301"},
		{"\xff\u200b\u00AD\u3164", "", "", ""},
	} {
		got := clean(c.title)
		if got != c.clean || mermaidText(got) != c.mermaid || markdown(got) != c.markdown {
			t.Errorf("%q becomes %q, %q, %q", c.title, got, mermaidText(got), markdown(got))
		}
	}
	if got := said("\u202E\u200d", "name"); got != "name" {
		t.Errorf("%q", got)
	}
	if got := escape(`<a b='c'> & "]]>`); got != "&lt;a b=&#39;c&#39;&gt; &amp; &quot;]]&gt;" {
		t.Error(got)
	}
}

func TestLongTextsAreCut(t *testing.T) {
	long := strings.Repeat("word ", 50)
	for _, limit := range []int{40, 90, 200} {
		for _, lines := range []int{1, 2, 3} {
			got := wrap(long, nameFont, limit, lines)
			if len(got) != lines || !strings.HasSuffix(got[lines-1], "…") || widest(got, nameFont) > limit {
				t.Errorf("%d lines of %d: %q, %d wide", lines, limit, got, widest(got, nameFont))
			}
		}
	}
	if got := wrap("Waiting for approval", nameFont, 100, 3); !slices.Equal(got, []string{"Waiting", "for", "approval"}) && !slices.Equal(got, []string{"Waiting for", "approval"}) {
		t.Errorf("%q", got)
	}
	if got := fit("short", nameFont, 200); got != "short" {
		t.Error(got)
	}
}

// What is pushed apart stands as near as can be to what it wants.
func TestSettle(t *testing.T) {
	at := func(n ...int) []want {
		var out []want
		for _, x := range n {
			out = append(out, want{x, 1})
		}
		return out
	}
	for _, c := range []struct {
		wants [][]want
		apart []int
		want  []int
	}{
		{[][]want{at(5), at(100)}, []int{0, 10}, []int{5, 100}},
		{[][]want{at(50), at(50)}, []int{0, 10}, []int{45, 55}},
		{[][]want{at(0, 100)}, []int{0}, []int{50}},
		{[][]want{{{0, 1}, {100, 3}}}, []int{0}, []int{100}},
		{[][]want{at(80), at(0), at(200)}, []int{0, 20, 20}, []int{30, 50, 200}},
		{[][]want{nil, at(70), nil}, []int{0, 30, 30}, []int{40, 70, 100}},
	} {
		if got := settle(c.wants, c.apart); !slices.Equal(got, c.want) {
			t.Errorf("%v apart %v: %v instead of %v", c.wants, c.apart, got, c.want)
		}
	}
}

func TestWhatCannotBeDrawn(t *testing.T) {
	typ := &definition.Type{Name: "visit", Lifecycle: &definition.Lifecycle{Initial: "s0", Statuses: map[string]*definition.Status{}}}
	for i := range maxStatuses + 1 {
		name := fmt.Sprintf("s%d", i)
		typ.Lifecycle.Order = append(typ.Lifecycle.Order, name)
		typ.Lifecycle.Statuses[name] = &definition.Status{Name: name}
	}
	app := &definition.App{Name: "x", Order: []string{"visit"}, Types: map[string]*definition.Type{"visit": typ}}
	for _, c := range []struct {
		only string
		code landfall.Code
		hint string
	}{
		{"", landfall.CodeTooLarge, "--format mermaid"},
		{"vist", landfall.CodeNotFound, `did you mean "visit"?`},
		{"zzz", landfall.CodeNotFound, "there are: visit"},
	} {
		_, err := SVG(app, Options{Type: c.only})
		e := (*landfall.Error)(nil)
		if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%q: %v", c.only, err)
		}
	}
	if _, err := Mermaid(app, Options{}); err != nil {
		t.Error(err)
	}
}

// The largest picture that is drawn at all is drawn, and is sound.
func TestTheLargestLifecycle(t *testing.T) {
	l := &definition.Lifecycle{Initial: "s0", Statuses: map[string]*definition.Status{}, Transitions: map[string]*definition.Transition{}}
	for i := range maxStatuses {
		name := fmt.Sprintf("s%d", i)
		l.Order, l.Statuses[name] = append(l.Order, name), &definition.Status{Name: name, Title: name}
	}
	for i := range maxTransitions {
		m := &definition.Transition{Name: fmt.Sprintf("m%d", i), To: l.Order[(i+1)%maxStatuses], Roles: []string{"r"}, From: []string{l.Order[i%maxStatuses]}}
		if i >= maxStatuses { // and from afar
			m.From, m.To = append(m.From, l.Order[(i*7)%maxStatuses]), l.Order[(i*3)%maxStatuses]
			m.From = slices.Compact(m.From)
		}
		l.Moves, l.Transitions[m.Name] = append(l.Moves, m.Name), m
	}
	typ := &definition.Type{Name: "visit", Lifecycle: l}
	app := &definition.App{Name: "x", Order: []string{"visit"}, Types: map[string]*definition.Type{"visit": typ}}
	svg, err := SVG(app, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range sound(app, svg) {
		t.Error(wrong)
	}
}
