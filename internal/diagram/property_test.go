package diagram

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/landfall-sync/landfall/internal/definition"
)

// TestPicturesAreSound draws all kinds of definitions, and measures the pictures.
func TestPicturesAreSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		app := anyApp(t)
		svg, err := SVG(app, Options{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := SVG(app, Options{})
		if err != nil || !bytes.Equal(svg, again) {
			t.Fatalf("the same definition gives another picture: %v", err)
		}
		for _, wrong := range sound(app, svg) {
			t.Error(wrong)
		}
		if t.Failed() {
			t.Logf("%s", svg)
		}
		if _, err := Mermaid(app, Options{}); err != nil {
			t.Error(err)
		}
	})
}

// TestGoldenPicturesAreSound asks the same of the committed pictures.
func TestGoldenPicturesAreSound(t *testing.T) {
	for _, file := range []string{"../../examples/expenses/app.yaml", "testdata/workorders.yaml", "testdata/hostile.yaml"} {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		app := definition.MustCompile(file, src)
		svg, err := SVG(app, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range sound(app, svg) {
			t.Errorf("%s: %s", file, wrong)
		}
	}
}

// sound tells what is wrong with a picture.
func sound(app *definition.App, svg []byte) []string {
	p, err := readPicture(svg)
	if err != nil {
		return []string{"not well-formed, or not harmless: " + err.Error()}
	}
	return slices.Concat(complete(app, p), p.boxesApart(), p.textsFit(), p.linesAvoidBoxes())
}

// complete says which statuses and transitions are not there exactly once.
func complete(app *definition.App, p *picture) []string {
	var statuses, moves, wantStatuses, wantMoves []string
	card := 0
	for _, name := range app.Order {
		l := app.Types[name].Lifecycle
		if l == nil {
			continue
		}
		for _, s := range l.Order {
			wantStatuses = append(wantStatuses, fmt.Sprint(card, " ", s))
		}
		for _, m := range l.Moves {
			for _, from := range l.Transitions[m].From {
				wantMoves = append(wantMoves, fmt.Sprint(card, m, from, l.Transitions[m].To))
			}
			if len(l.Transitions[m].From) == 0 {
				wantMoves = append(wantMoves, fmt.Sprint(card, m, l.Transitions[m].To))
			}
		}
		card++
	}
	statuses = p.statuses
	for _, m := range p.moves {
		for _, from := range strings.Fields(m[2]) {
			moves = append(moves, m[0]+m[1]+from+m[3])
		}
		if m[2] == "" {
			moves = append(moves, m[0]+m[1]+m[3])
		}
	}
	for _, list := range [][]string{statuses, moves, wantStatuses, wantMoves} {
		slices.Sort(list)
	}
	var out []string
	if !slices.Equal(statuses, wantStatuses) {
		out = append(out, fmt.Sprintf("statuses %q instead of %q", statuses, wantStatuses))
	}
	if !slices.Equal(moves, wantMoves) {
		out = append(out, fmt.Sprintf("transitions %q instead of %q", moves, wantMoves))
	}
	return out
}

func (r rect) meets(o rect) bool {
	return r.x < o.right() && o.x < r.right() && r.y < o.bottom() && o.y < r.bottom()
}

func (r rect) holds(o rect) bool {
	return r.x <= o.x && o.right() <= r.right() && r.y <= o.y && o.bottom() <= r.bottom()
}

func (p *picture) boxesApart() []string {
	var out []string
	for i, a := range p.boxes {
		for _, b := range p.boxes[i+1:] {
			if a.meets(b.rect) {
				out = append(out, fmt.Sprintf("boxes overlap: %v and %v", a.rect, b.rect))
			}
		}
		if !p.frames[a.card].holds(a.rect) {
			out = append(out, fmt.Sprintf("the box %v leaves its card %v", a.rect, p.frames[a.card].rect))
		}
	}
	for i, a := range p.frames {
		for _, b := range p.frames[i+1:] {
			if a.meets(b.rect) {
				out = append(out, fmt.Sprintf("cards overlap: %v and %v", a.rect, b.rect))
			}
		}
		if !p.size.holds(a.rect) {
			out = append(out, fmt.Sprintf("the card %v leaves the page %v", a.rect, p.size))
		}
	}
	return out
}

// textsFit says which texts leave the page, their card, or the box they are in,
// or are written over another box.
func (p *picture) textsFit() []string {
	var out []string
	for _, l := range p.texts {
		place := rect{l.left, l.y - 11, l.right - l.left, 14}
		within := p.size
		if l.card >= 0 {
			within = p.frames[l.card].rect
		}
		for _, b := range p.boxes {
			if b.group == l.group {
				within = b.rect
			} else if place.meets(b.rect) {
				out = append(out, fmt.Sprintf("%q is written over %v", l.text, b.rect))
			}
		}
		if !within.holds(place) {
			out = append(out, fmt.Sprintf("%q at %v does not fit into %v", l.text, place, within))
		}
	}
	return out
}

func (p *picture) linesAvoidBoxes() []string {
	var out []string
	for _, s := range p.paths {
		for _, at := range s.points {
			point := rect{at[0], at[1], 1, 1}
			if !p.frames[s.card].holds(point) {
				out = append(out, fmt.Sprintf("a line leaves its card at %v", at))
			}
			for _, b := range p.boxes {
				if point.meets(rect{b.x + 2, b.y + 2, b.w - 4, b.h - 4}) {
					out = append(out, fmt.Sprintf("a line crosses the box %v at %v", b.rect, at))
				}
			}
		}
	}
	return slices.Compact(out)
}

// anyTitle is a title that somebody might write, or that nobody should.
func anyTitle(t *rapid.T) string {
	hard := []string{"", "<script>alert(1)</script>", `"quoted" & 'so'`, "a ]]> b", "two\nlines\ttab", "\x00\x1b[0m", "\u202Egnissem", "東京都港区", "👩🏽‍🚒🇩🇪", "مرحبا بالعالم",
		strings.Repeat("W", 190), strings.Repeat("very long ", 19), "<!-- -->", "&amp;", "Ż\u0301\u0302\u0303\u0304\u0305\u0306", "\xff\xfe", "-", "direction LR"}
	if rapid.Bool().Draw(t, "hard") {
		return rapid.SampledFrom(hard).Draw(t, "title")
	}
	return rapid.StringN(0, 40, 200).Draw(t, "title")
}

func anyApp(t *rapid.T) *definition.App {
	app := &definition.App{Name: "any", Title: anyTitle(t), Types: map[string]*definition.Type{}, Roles: []string{"worker", "checker", "a-role-with-a-name-that-goes-on-and-on"}, Queues: map[string]*definition.Queue{"q": {Name: "q", Title: anyTitle(t)}}}
	for i := range rapid.IntRange(1, 7).Draw(t, "types") {
		app.Order = append(app.Order, fmt.Sprintf("type_%d", i))
	}
	for _, name := range app.Order {
		app.Types[name] = anyType(t, app, name)
	}
	return app
}

func anyType(t *rapid.T, app *definition.App, name string) *definition.Type {
	out := &definition.Type{Name: name, Title: anyTitle(t), Fields: map[string]*definition.Field{}}
	kinds := []definition.FieldType{definition.Text, definition.Decimal, definition.ChoiceMany, definition.Reference, definition.Reference, definition.References, definition.UserRef}
	for i := range rapid.IntRange(1, 6).Draw(t, "fields") {
		f := &definition.Field{Name: fmt.Sprintf("field_%d", i), Type: rapid.SampledFrom(kinds).Draw(t, "kind"), Required: rapid.Bool().Draw(t, "required"), Unique: rapid.Bool().Draw(t, "unique")}
		if f.Type == definition.Reference || f.Type == definition.References {
			f.To = rapid.SampledFrom(app.Order).Draw(t, "to")
		}
		out.Fields[f.Name], out.Order = f, append(out.Order, f.Name)
	}
	if rapid.Bool().Draw(t, "case") {
		out.Lifecycle = anyLifecycle(t, app)
	}
	return out
}

func anyLifecycle(t *rapid.T, app *definition.App) *definition.Lifecycle {
	l := &definition.Lifecycle{Initial: "s0", Statuses: map[string]*definition.Status{}, Transitions: map[string]*definition.Transition{}}
	for i := range rapid.IntRange(1, 9).Draw(t, "statuses") {
		s := &definition.Status{Name: fmt.Sprintf("s%d", i), Title: anyTitle(t), Resolved: rapid.Bool().Draw(t, "resolved"), Frozen: rapid.Bool().Draw(t, "frozen"), Queue: rapid.SampledFrom([]string{"", "q"}).Draw(t, "queue")}
		l.Statuses[s.Name], l.Order = s, append(l.Order, s.Name)
	}
	for i := range rapid.IntRange(0, 14).Draw(t, "transitions") {
		m := &definition.Transition{Name: fmt.Sprintf("m%d", i), Title: anyTitle(t), To: rapid.SampledFrom(l.Order).Draw(t, "to")}
		m.From = rapid.SliceOfNDistinct(rapid.SampledFrom(l.Order), 0, min(4, len(l.Order)), rapid.ID[string]).Draw(t, "from")
		m.Roles = rapid.SliceOfNDistinct(rapid.SampledFrom(app.Roles), 1, 3, rapid.ID[string]).Draw(t, "roles")
		l.Transitions[m.Name], l.Moves = m, append(l.Moves, m.Name)
	}
	return l
}
