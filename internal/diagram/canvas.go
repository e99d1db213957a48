package diagram

import (
	"bytes"
	"fmt"
	"strings"
)

// canvas writes SVG. All numbers are whole pixels of the page; dx and dy are
// where the card that is being drawn begins.
type canvas struct {
	b      bytes.Buffer
	dx, dy int
}

func (c *canvas) open(format string, args ...any) {
	fmt.Fprintf(&c.b, "<"+format+">\n", args...)
}

func (c *canvas) close(name string) { c.b.WriteString("</" + name + ">\n") }

// titled opens a group that screen readers announce and pointers explain.
func (c *canvas) titled(class, attributes, title string) {
	c.open(`g class="%s" role="img"%s`, class, attributes)
	c.b.WriteString("<title>" + escape(title) + "</title>\n")
}

func (c *canvas) rect(class string, r rect, radius int) {
	fmt.Fprintf(&c.b, `<rect class="%s" x="%d" y="%d" width="%d" height="%d" rx="%d"/>`+"\n", class, r.x+c.dx, r.y+c.dy, r.w, r.h, radius)
}

// text writes a line at its baseline; anchor is start, middle or end.
func (c *canvas) text(class, anchor string, x, y int, s string) {
	if anchor != "start" {
		class += " lf-" + anchor
	}
	fmt.Fprintf(&c.b, `<text class="%s" x="%d" y="%d">%s</text>`+"\n", class, x+c.dx, y+c.dy, escape(s))
}

func (c *canvas) path(class string, p *pen) {
	if p.b.Len() > 0 {
		fmt.Fprintf(&c.b, `<path class="%s" d="%s"/>`+"\n", class, strings.TrimSpace(p.b.String()))
	}
}

func (c *canvas) dot(class string, x, y, radius int) {
	fmt.Fprintf(&c.b, `<circle class="%s" cx="%d" cy="%d" r="%d"/>`+"\n", class, x+c.dx, y+c.dy, radius)
}

// pen collects the commands of a path.
type pen struct {
	b      strings.Builder
	dx, dy int
}

func (c *canvas) pen() *pen { return &pen{dx: c.dx, dy: c.dy} }

func (p *pen) move(x, y int) *pen {
	fmt.Fprintf(&p.b, "M%d %d", x+p.dx, y+p.dy)
	return p
}

func (p *pen) line(x, y int) *pen {
	fmt.Fprintf(&p.b, "L%d %d", x+p.dx, y+p.dy)
	return p
}

func (p *pen) curve(x1, y1, x2, y2, x, y int) *pen {
	fmt.Fprintf(&p.b, "C%d %d %d %d %d %d", x1+p.dx, y1+p.dy, x2+p.dx, y2+p.dy, x+p.dx, y+p.dy)
	return p
}

// down leads from one point to one below, and begins and ends upright.
func (p *pen) down(x1, y1, x2, y2 int) *pen {
	if x1 == x2 {
		return p.line(x2, y2)
	}
	m := (y1 + y2) / 2
	return p.curve(x1, m, x2, m, x2, y2)
}

// across leads from one point to one beside it, and begins and ends level.
func (p *pen) across(x1, y1, x2, y2 int) {
	if y1 == y2 {
		p.line(x2, y2)
		return
	}
	m := (x1 + x2) / 2
	p.curve(m, y1, m, y2, x2, y2)
}

// The size of arrow heads. A line ends before the tip, so it stays sharp.
const (
	headLong  = 9
	headWide  = 4
	headInner = 6
)

// diamond lies along a line from its tip to the left or to the right.
func (p *pen) diamond(x, y, long, wide int) *pen {
	p.move(x, y).line(x+long/2, y-wide).line(x+long, y).line(x+long/2, y+wide)
	p.b.WriteString("Z")
	return p
}

// head is an arrow head with its tip at a point; dx, dy is where it points to.
func (p *pen) head(x, y, dx, dy int) *pen {
	p.move(x, y)
	p.line(x-dx*headLong+dy*headWide, y-dy*headLong+dx*headWide)
	p.line(x-dx*headLong-dy*headWide, y-dy*headLong-dx*headWide)
	p.b.WriteString("Z")
	return p
}

// ring draws a circle.
func (p *pen) ring(x, y, r int) {
	p.move(x-r, y)
	fmt.Fprintf(&p.b, "a%d %d 0 1 0 %d 0a%d %d 0 1 0 %d 0", r, r, 2*r, r, r, -2*r)
}
