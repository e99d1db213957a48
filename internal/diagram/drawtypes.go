package diagram

import "github.com/landfall-sync/landfall/internal/definition"

// How far the line of a type's reference to itself reaches to the right, and how
// much further the next.
const (
	selfReach = 44
	selfGap   = 8
)

func (d *entities) draw(c *canvas) {
	for _, r := range d.references {
		f := r.from.rows[r.row].field
		c.titled("lf-ref", attribute("reference", r.from.t.Name+"."+f.Name), referenceSentence(r.from.t, f, r.to.t))
		d.drawReference(c, r)
		c.close("g")
	}
	turns := map[*entity]int{}
	for _, r := range d.selves {
		f := r.from.rows[r.row].field
		c.titled("lf-ref", attribute("reference", r.from.t.Name+"."+f.Name), referenceSentence(r.from.t, f, r.to.t))
		r.drawSelf(c, turns[r.from])
		c.close("g")
		turns[r.from]++
	}
	for _, e := range d.all {
		e.draw(c)
	}
}

func referenceSentence(t *definition.Type, f *definition.Field, to *definition.Type) string {
	if f.Name == t.PartOf {
		return said(t.Title, t.Name) + " is a part of one " + said(to.Title, to.Name)
	}
	how := " refers to one "
	if f.Type == definition.References {
		how = " refers to any number of "
	}
	return said(t.Title, t.Name) + "." + f.Name + how + said(to.Title, to.Name)
}

func (e *entity) draw(c *canvas) {
	b := e.box
	title := said(e.t.Title, e.t.Name) + " (" + e.t.Name + ")"
	for i, r := range e.rows {
		if i == 0 {
			title += ": "
		} else {
			title += "; "
		}
		title += r.field.Name + " " + kind(r.field)
	}
	c.titled("lf-entity", attribute("type", e.t.Name), title)
	c.rect("lf-box", b, 8)
	c.text("lf-name", "start", b.x+rowMargin, b.y+20, e.title)
	c.text("lf-note", "start", b.x+rowMargin, b.y+36, e.note)
	if len(e.rows) > 0 {
		c.path("lf-rule", c.pen().move(b.x, b.y+headHeight).line(b.right(), b.y+headHeight))
	}
	for _, r := range e.rows {
		class := "lf-field"
		if r.field.Required {
			class += " lf-must"
		}
		c.text(class, "start", b.x+rowMargin, b.y+r.y+4, r.name)
		c.text("lf-kind", "end", b.right()-rowMargin, b.y+r.y+4, r.kind)
	}
	c.close("g")
}

// drawReference draws a line from column to column; it turns only between them.
func (d *entities) drawReference(c *canvas, r *reference) {
	left, right := r.ends()
	y, last := r.y1, r.y2
	if r.against {
		y, last = r.y2, r.y1
	}
	p := c.pen()
	x := left.box.right()
	p.move(x, y).line(x+footLong, y)
	x += footLong
	for i, k := range r.links {
		level := left.level + 1 + i
		next, column := last, d.columns[level]
		to := column.top
		if i < len(r.links)-1 {
			next = d.layers.nodes[d.layers.links[k].down].at
		} else {
			to -= footLong
		}
		p.across(x, y, to, next)
		x, y = to, next
		if i < len(r.links)-1 {
			p.line(column.bottom, y)
			x = column.bottom
		}
	}
	p.line(right.box.x, last)
	c.path("lf-line", p)
	feet := c.pen()
	out := 1
	if r.against {
		out = -1
	}
	f := r.from.rows[r.row].field
	fromX, toX := r.from.box.right(), r.to.box.x
	if r.against {
		fromX, toX = r.from.box.x, r.to.box.right()
	}
	foot(feet, fromX, r.y1, out, manyEnd)
	if f.Name == r.from.t.PartOf {
		c.path("lf-whole", c.pen().diamond(toX, r.y2, -out*diamondLong, diamondWide))
	} else {
		foot(feet, toX, r.y2, -out, ending(f))
	}
	c.path("lf-foot", feet)
}

// drawSelf turns back to the head of the same box, the outer ones further out.
func (r *reference) drawSelf(c *canvas, turn int) {
	x := r.from.box.right()
	far := x + selfReach + selfGap*turn
	p := c.pen().move(x, r.y1).line(x+footLong, r.y1)
	p.curve(far, r.y1, far, r.y2, x+footLong, r.y2).line(x, r.y2)
	c.path("lf-line", p)
	feet := c.pen()
	foot(feet, x, r.y1, 1, manyEnd)
	foot(feet, x, r.y2, 1, ending(r.from.rows[r.row].field))
	c.path("lf-foot", feet)
}

// The ends of references, as crow's feet: how many records can be there.
type footKind int

const (
	manyEnd   footKind = iota // none or more
	oneEnd                    // exactly one
	mayBeEnd                  // one or none
	footLong  = 20
	footWide  = 6
	footBar   = 8
	footRound = 4
)

// The end of a line at what holds the parts: a filled diamond.
const (
	diamondLong = 16
	diamondWide = 5
)

func ending(f *definition.Field) footKind {
	switch {
	case f.Type == definition.References:
		return manyEnd
	case f.Required:
		return oneEnd
	}
	return mayBeEnd
}

// foot draws the end of a line at the side of a box; out is 1 to the right.
func foot(p *pen, x, y, out int, kind footKind) {
	bar := func(at int) { p.move(x+out*at, y-footWide).line(x+out*at, y+footWide) }
	ring := func(at int) { p.ring(x+out*at, y, footRound) }
	switch kind {
	case oneEnd:
		bar(footBar)
		bar(footBar + 5)
	case mayBeEnd:
		bar(footBar)
		ring(footBar + 7)
	default:
		tip := x + out*(footLong-9)
		p.move(x, y-footWide).line(tip, y).move(tip, y).line(x, y+footWide)
		ring(footLong - 5)
	}
}
