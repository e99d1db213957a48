package diagram

import (
	"strings"

	"github.com/landfall-sync/landfall/internal/definition"
)

// draw puts a lifecycle on the canvas: statuses first, as one reads it, then
// the transitions.
func (d *lifecycle) draw(c *canvas) {
	initial := d.byName[d.t.Lifecycle.Initial].box
	c.dot("lf-start", initial.cx(), 9, 7)
	c.path("lf-line", c.pen().move(initial.cx(), 16).line(initial.cx(), initial.y-headInner))
	c.path("lf-head", c.pen().head(initial.cx(), initial.y, 0, 1))
	for _, b := range d.boxes {
		d.drawStatus(c, b)
	}
	upper, lower := d.ports()
	for _, p := range d.labels {
		c.titled("lf-move", p.attributes(), d.sentence(p))
		d.drawWays(c, p, upper, lower)
		d.drawLabel(c, p)
		c.close("g")
	}
	for _, b := range d.boxes {
		for _, p := range b.selves {
			c.titled("lf-move", p.attributes(), d.sentence(p))
			drawLoop(c, b, p)
			d.drawLabel(c, p)
			c.close("g")
		}
	}
}

func attribute(name, value string) string { return ` data-` + name + `="` + escape(value) + `"` }

// attributes say which transition a label is, for tests and for pages that hold
// the picture.
func (p *label) attributes() string {
	return attribute("transition", p.move.Name) + attribute("from", strings.Join(p.from, " ")) + attribute("to", p.move.To)
}

func (d *lifecycle) drawStatus(c *canvas, b *statusBox) {
	class := "lf-status"
	if b.status.Resolved {
		class += " lf-final"
	}
	c.titled(class, attribute("status", b.status.Name), d.about(b.status))
	c.rect("lf-box", b.box, 8)
	if b.status.Resolved {
		c.rect("lf-inner", rect{b.box.x + 3, b.box.y + 3, b.box.w - 6, b.box.h - 6}, 5)
	}
	y := b.box.y + boxPad + 13
	for _, line := range b.title {
		c.text("lf-name", "middle", b.box.cx(), y, line)
		y += lineHeight
	}
	y -= 2
	for _, line := range b.notes {
		c.text("lf-note", "middle", b.box.cx(), y, line)
		y += noteHeight
	}
	c.close("g")
}

func (d *lifecycle) drawLabel(c *canvas, p *label) {
	c.rect("lf-label", p.box, 10)
	y := p.box.y + 17
	for _, line := range p.title {
		c.text("lf-verb", "middle", p.box.cx(), y, line)
		y += lineHeight - 1
	}
	y -= 2
	for _, line := range p.notes {
		c.text("lf-note", "middle", p.box.cx(), y, line)
		y += noteHeight - 1
	}
}

// drawWays draws the lines of a label. They turn only between the levels, where
// no box stands.
func (d *lifecycle) drawWays(c *canvas, p *label, upper, lower []int) {
	lines, heads := c.pen(), c.pen()
	for _, w := range p.ways {
		k := d.layers.links[w.link]
		x1, y1 := upper[w.link], d.edge(k.up, true)
		x2, y2 := lower[w.link], d.edge(k.down, false)
		if w.arrowUp {
			heads.head(x1, y1, 0, -1)
			y1 += headInner
		}
		if w.arrow {
			heads.head(x2, y2, 0, 1)
			y2 -= headInner
		}
		from, to := d.bands[d.layers.nodes[k.up].level].bottom, d.bands[d.layers.nodes[k.down].level].top
		lines.move(x1, y1)
		if w.arrowUp {
			from = max(from, y1)
		}
		if w.arrow {
			to = min(to, y2)
		}
		if from > y1 && x1 != x2 {
			lines.line(x1, from)
		}
		if x1 == x2 {
			lines.line(x2, y2)
			continue
		}
		lines.down(x1, max(from, y1), x2, to)
		if y2 > to {
			lines.line(x2, y2)
		}
	}
	c.path("lf-line", lines)
	c.path("lf-head", heads)
}

// edge is where a line leaves a node: its lower or its upper side, or the middle
// of the level where lines only pass.
func (d *lifecycle) edge(n int, lower bool) int {
	box := d.boxOf(n)
	switch {
	case box == nil:
		return d.bands[d.layers.nodes[n].level].middle()
	case lower:
		return box.bottom()
	}
	return box.y
}

func (d *lifecycle) boxOf(n int) *rect {
	for _, b := range d.boxes {
		if b.node == n {
			return &b.box
		}
	}
	for _, p := range d.labels {
		if p.node == n {
			return &p.box
		}
	}
	return nil
}

// drawLoop draws a transition from a status to itself: out to its label beside
// the status, and back.
func drawLoop(c *canvas, b *statusBox, p *label) {
	x, far, y := b.box.right(), p.box.x, p.box.cy()
	at := min(max(y, b.box.y+12), b.box.bottom()-12)
	out := c.pen().move(x, at-6)
	out.across(x, at-6, far, y-6)
	out.move(far, y+6)
	out.across(far, y+6, x+headInner, at+6)
	c.path("lf-line", out)
	c.path("lf-head", c.pen().head(x, at+6, -1, 0))
}

// name of a status as it is said.
func (d *lifecycle) name(status string) string {
	return said(d.t.Lifecycle.Statuses[status].Title, status)
}

// sentence says what a label's transition does.
func (d *lifecycle) sentence(p *label) string { return moveSentence(d.t.Lifecycle, p.move, p.from) }

func moveSentence(l *definition.Lifecycle, t *definition.Transition, from []string) string {
	s := said(t.Title, t.Name) + ": "
	var names []string
	for _, f := range from {
		names = append(names, said(l.Statuses[f].Title, f))
	}
	if len(names) == 0 {
		names = []string{"no status"}
	}
	s += "from " + list(names, "or") + " to " + said(l.Statuses[t.To].Title, t.To) + ", by " + list(t.Roles, "or")
	if t.When != nil {
		s += ", if " + clean(t.When.String())
	}
	if len(t.Requires) > 0 {
		s += "; requires " + list(t.Requires, "and")
	}
	return s + "."
}

// about says what a status is.
func (d *lifecycle) about(s *definition.Status) string {
	out := d.name(s.Name) + " (" + s.Name + ")"
	if s.Name == d.t.Lifecycle.Initial {
		out += ", initial"
	}
	for _, note := range d.notes(s) {
		out += ", " + note
	}
	return out
}
