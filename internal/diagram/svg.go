package diagram

import (
	"fmt"
	"strings"

	"github.com/landfall-sync/landfall/internal/definition"
)

// SVG draws an app as one picture: a card for each lifecycle, and one with the
// types. It holds no scripts and no fonts, and follows the reader's preference
// for light or dark.
func SVG(app *definition.App, o Options) ([]byte, error) {
	chosen, err := choose(app, o)
	if err != nil {
		return nil, err
	}
	if err := chosen.drawable(); err != nil {
		return nil, err
	}
	var cards []*card
	for _, t := range chosen.cases {
		d := drawLifecycle(app, t)
		cards = append(cards, &card{title: said(t.Title, t.Name) + ": lifecycle", w: d.width, h: d.height, draw: d.draw})
	}
	e := drawEntities(chosen)
	title := "Types and references"
	if len(chosen.types) == 1 {
		title = "Fields"
	}
	cards = append(cards, &card{title: title, w: e.width, h: e.height, draw: e.draw})
	p := &page{chosen: chosen, cards: cards}
	p.lay()
	return p.draw(), nil
}

// card is a part of the picture in a frame of its own.
type card struct {
	title string
	w, h  int // of what is drawn in it
	box   rect
	draw  func(*canvas)
}

type page struct {
	chosen *chosen
	cards  []*card
	w, h   int
}

const (
	pageMargin = 20
	pageHead   = 66
	pageWidth  = 1240 // beyond this, cards go on below
	cardGap    = 16
	cardMargin = 24
	cardHead   = 50
	pageLeast  = 420
)

// lay puts the cards in rows, as words in lines.
func (p *page) lay() {
	x, y := pageMargin, pageHead
	var line []*card
	end := func() {
		high := 0
		for _, c := range line {
			high = max(high, c.box.h)
		}
		for _, c := range line {
			c.box.h = high
		}
		x, y, line = pageMargin, y+high+cardGap, nil
	}
	for _, c := range p.cards {
		c.box.w = max(c.w+2*cardMargin, 220)
		c.box.h = c.h + cardHead + cardMargin
		if len(line) > 0 && x+c.box.w > pageWidth-pageMargin {
			end()
		}
		c.box.x, c.box.y = x, y
		x += c.box.w + cardGap
		line = append(line, c)
		p.w = max(p.w, x-cardGap+pageMargin)
	}
	end()
	p.w, p.h = max(p.w, pageLeast), y-cardGap+pageMargin
}

func (p *page) draw() []byte {
	c := &canvas{}
	app := p.chosen.app
	id := "lf-" + app.Name
	if p.chosen.focus != nil {
		id += "-" + p.chosen.focus.Name
	}
	c.open(`svg xmlns="http://www.w3.org/2000/svg" class="lf-diagram" role="graphics-document document" aria-labelledby="%s-title" aria-describedby="%s-desc" viewBox="0 0 %d %d" width="%d" height="%d"`, id, id, p.w, p.h, p.w, p.h)
	title := said(app.Title, app.Name)
	fmt.Fprintf(&c.b, "<title id=\"%s-title\">%s</title>\n<desc id=\"%s-desc\">%s</desc>\n", id, escape(title), id, escape(p.chosen.description()))
	c.b.WriteString("<style>\n" + style + "</style>\n")
	c.rect("lf-page", rect{0, 0, p.w, p.h}, 0)
	c.text("lf-title", "start", pageMargin+4, 34, fit(title, headFont, p.w-2*pageMargin-8))
	c.text("lf-note", "start", pageMargin+4, 53, fit(p.chosen.subtitle(), noteFont, p.w-2*pageMargin-8))
	for _, k := range p.cards {
		c.open(`g class="lf-card" role="group" aria-label="%s"`, escape(k.title))
		c.rect("lf-frame", k.box, 12)
		c.text("lf-head-line", "start", k.box.x+18, k.box.y+28, fit(k.title, cardFont, k.box.w-36))
		c.dx, c.dy = k.box.x+(k.box.w-k.w)/2, k.box.y+cardHead
		k.draw(c)
		c.dx, c.dy = 0, 0
		c.close("g")
	}
	c.close("svg")
	return c.b.Bytes()
}

func (c *chosen) subtitle() string {
	parts := []string{"app " + c.app.Name}
	if c.app.Version > 0 {
		parts = append(parts, fmt.Sprintf("version %d", c.app.Version))
	}
	if c.focus != nil {
		parts = append(parts, "type "+c.focus.Name)
	}
	if len(c.app.Roles) > 0 {
		parts = append(parts, "roles: "+list(c.app.Roles, "and"))
	}
	return strings.Join(parts, " · ")
}

// description says the whole picture in words.
func (c *chosen) description() string {
	var out []string
	for _, t := range c.cases {
		l := t.Lifecycle
		out = append(out, fmt.Sprintf("%s begins as %s.", said(t.Title, t.Name), said(l.Statuses[l.Initial].Title, l.Initial)))
		for _, m := range l.Moves {
			out = append(out, moveSentence(l, l.Transitions[m], l.Transitions[m].From))
		}
		var final []string
		for _, s := range l.Order {
			if l.Statuses[s].Resolved {
				final = append(final, said(l.Statuses[s].Title, s))
			}
		}
		if len(final) > 0 {
			out = append(out, "Final: "+list(final, "and")+".")
		}
	}
	for _, t := range c.types {
		for _, f := range c.fields(t) {
			if to := c.app.Types[f.To]; to != nil {
				out = append(out, referenceSentence(t, f, to)+".")
			}
		}
	}
	return strings.Join(out, " ")
}

// style is light first; dark overrides colours alone. Text takes its colour from
// the root's.
const style = `.lf-diagram{color:#1b2430;font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,"Helvetica Neue",Arial,sans-serif;font-size:12px;max-width:100%;height:auto}
.lf-diagram text{fill:currentColor}
.lf-page{fill:#f4f6f9}
.lf-frame{fill:#ffffff;stroke:#dde3ea}
.lf-title{font-size:20px;font-weight:650}
.lf-head-line{font-size:13px;font-weight:650}
.lf-diagram .lf-note,.lf-diagram .lf-kind{fill:#57636f}
.lf-note{font-size:11px}
.lf-kind{font-size:11px}
.lf-name{font-size:14px;font-weight:600}
.lf-verb{font-size:13px;font-weight:600}
.lf-field{font-size:12px}
.lf-must{font-weight:600}
.lf-middle{text-anchor:middle}
.lf-end{text-anchor:end}
.lf-box{fill:#eaf2fd;stroke:#3b76c4;stroke-width:1.5}
.lf-inner{fill:none;stroke:#3b76c4}
.lf-final .lf-box{fill:#e6f5ec;stroke:#2f855a}
.lf-final .lf-inner{stroke:#2f855a}
.lf-entity .lf-box{fill:#f8fafc;stroke:#a3afbd}
.lf-rule{fill:none;stroke:#a3afbd}
.lf-label{fill:#ffffff;stroke:#d3dae3}
.lf-line,.lf-foot{fill:none;stroke:#7a8794;stroke-width:1.5}
.lf-foot{fill:#ffffff}
.lf-whole{fill:#7a8794;stroke:#7a8794;stroke-width:1.5;stroke-linejoin:round}
.lf-head{fill:#7a8794}
.lf-start{fill:currentColor}
.lf-move:hover .lf-line,.lf-ref:hover .lf-line,.lf-ref:hover .lf-foot,.lf-ref:hover .lf-whole,.lf-move:hover .lf-label{stroke:#c2560c}
.lf-move:hover .lf-line,.lf-ref:hover .lf-line{stroke-width:2.5}
.lf-move:hover .lf-head{fill:#c2560c}
@media (prefers-color-scheme:dark){
.lf-diagram{color:#e8edf3}
.lf-page{fill:#0d1218}
.lf-frame{fill:#151c25;stroke:#2a3542}
.lf-diagram .lf-note,.lf-diagram .lf-kind{fill:#9fadbb}
.lf-box{fill:#16304f;stroke:#5b9bea}
.lf-inner{stroke:#5b9bea}
.lf-final .lf-box{fill:#123526;stroke:#4bb782}
.lf-final .lf-inner{stroke:#4bb782}
.lf-entity .lf-box{fill:#1b2430;stroke:#52606f}
.lf-rule{stroke:#52606f}
.lf-label{fill:#1e2833;stroke:#34414f}
.lf-line,.lf-foot{stroke:#8494a5}
.lf-foot{fill:#151c25}
.lf-head{fill:#8494a5}
.lf-move:hover .lf-line,.lf-ref:hover .lf-line,.lf-ref:hover .lf-foot,.lf-ref:hover .lf-whole,.lf-move:hover .lf-label{stroke:#ffa657}
.lf-move:hover .lf-head{fill:#ffa657}
}
`
