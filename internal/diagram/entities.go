package diagram

import (
	"fmt"
	"slices"

	"github.com/landfall-sync/landfall/internal/definition"
)

// The types and what they refer to, drawn to the right: a type stands left of
// what it refers to. References against that direction (there are some when
// types refer to each other) leave on the left side; those of a type to itself
// turn on its right side. Types without references stand in columns at the end.

// row is a field in a box.
type row struct {
	field      *definition.Field
	name, kind string
	y          int // of its line's middle, from the top of the box
}

// entity is a type as a box with its fields.
type entity struct {
	t       *definition.Type
	node    int // -1: stands alone
	title   string
	note    string
	rows    []row
	box     rect
	level   int
	outward bool // refers to others, or is referred to
	loops   int  // references to itself
}

// reference is a line from a row of one box to another box.
type reference struct {
	from, to *entity
	row      int
	links    []int // from left to right
	against  bool  // the line goes from right to left
	y1, y2   int   // at the referring row, and at the head of the other box
}

type entities struct {
	all        []*entity
	byName     map[string]*entity
	references []*reference
	selves     []*reference
	layers     layers
	columns    []band // where the boxes of a level stand, from left to right
	width      int
	height     int
}

const (
	headHeight       = 46
	headMargin       = 9
	footGap          = 14
	rowHeight        = 21
	rowMargin        = 12
	columnGap        = 96 // between levels, for the lines
	aloneGap         = 28
	entityGap        = 28
	nameLimit        = 190
	kindLimit        = 210
	entityTitleLimit = 300
	aloneHeight      = 520 // how high a column of types without references gets
)

func drawEntities(c *chosen) *entities {
	d := &entities{byName: map[string]*entity{}}
	for _, t := range c.types {
		e := newEntity(t, c.fields(t))
		d.all, d.byName[t.Name] = append(d.all, e), e
	}
	d.refer()
	d.level()
	d.link()
	d.layers.arrange()
	d.position()
	return d
}

func newEntity(t *definition.Type, fields []*definition.Field) *entity {
	e := &entity{t: t, node: -1, title: fit(said(t.Title, t.Name), nameFont, entityTitleLimit), note: t.Name}
	if t.Number != nil {
		e.note += fmt.Sprintf(" · %s%d, …", clean(t.Number.Prefix), t.Number.From)
	}
	e.note = fit(e.note, noteFont, entityTitleLimit)
	names, kinds := 0, 0
	for i, f := range fields {
		r := row{field: f, name: fit(f.Name, fieldFont, nameLimit), kind: fit(kind(f), noteFont, kindLimit)}
		r.y = headHeight + i*rowHeight + rowHeight/2 + 4
		names, kinds = max(names, px(r.name, fieldFont)), max(kinds, px(r.kind, noteFont))
		e.rows = append(e.rows, r)
	}
	e.box.w = max(names+kinds+2*rowMargin+24, px(e.title, nameFont)+2*rowMargin, px(e.note, noteFont)+2*rowMargin, 150)
	e.box.h = headHeight
	if len(fields) > 0 {
		e.box.h += len(fields)*rowHeight + 8
	}
	return e
}

// kind says what a field holds and what is asked of it.
func kind(f *definition.Field) string {
	s := string(f.Type)
	if f.To != "" {
		s += " → " + f.To
	}
	switch {
	case f.Required:
		s += ", required"
	case len(f.Statuses) > 0:
		s += ", sometimes required"
	}
	if f.Unique {
		s += ", unique"
	}
	return s
}

// refer collects the references between boxes.
func (d *entities) refer() {
	for _, e := range d.all {
		for i, r := range e.rows {
			to := d.byName[r.field.To]
			switch to {
			case nil:
			case e:
				d.selves = append(d.selves, &reference{from: e, to: e, row: i, against: true})
				e.loops++
			default:
				d.references = append(d.references, &reference{from: e, to: to, row: i})
				e.outward, to.outward = true, true
			}
		}
	}
}

// level gives each type a level right of those that refer to it. References that
// would close a circle count the other way.
func (d *entities) level() {
	const unseen, open, done = 0, 1, 2
	state := map[*entity]int{}
	var order []*entity // those that refer come after what they refer to
	var visit func(e *entity)
	visit = func(e *entity) {
		state[e] = open
		for _, r := range d.references {
			if r.from != e {
				continue
			}
			switch state[r.to] {
			case open:
				r.against = true
			case unseen:
				visit(r.to)
			}
		}
		state[e] = done
		order = append(order, e)
	}
	for _, e := range d.all {
		if state[e] == unseen {
			visit(e)
		}
	}
	slices.Reverse(order)
	for _, e := range order {
		for _, r := range d.references {
			if left, right := r.ends(); left == e {
				right.level = max(right.level, e.level+1)
			}
		}
	}
	for _, e := range slices.Backward(order) { // move up to what is referred to
		least := -1
		for _, r := range d.references {
			if left, right := r.ends(); left == e && (least < 0 || right.level < least) {
				least = right.level
			}
		}
		if least > e.level+1 && !d.leftOf(e) {
			e.level = least - 1
		}
	}
}

// leftOf says whether a line comes to e from the left.
func (d *entities) leftOf(e *entity) bool {
	return slices.ContainsFunc(d.references, func(r *reference) bool { _, right := r.ends(); return right == e })
}

// ends are the boxes at the left and at the right end of a reference.
func (r *reference) ends() (left, right *entity) {
	if r.against {
		return r.to, r.from
	}
	return r.from, r.to
}

func (d *entities) link() {
	for _, e := range d.all {
		if e.outward {
			e.node = d.layers.add(e.level, e.box.h, entityGap)
		}
	}
	for _, r := range d.references {
		left, right := r.ends()
		rowOff := r.from.rows[r.row].y - r.from.box.h/2
		headOff := headHeight/2 - r.to.box.h/2
		leftOff, rightOff := rowOff, headOff
		if r.against {
			leftOff, rightOff = headOff, rowOff
		}
		n, off, weight := left.node, leftOff, 1
		for level := left.level + 1; level < right.level; level++ {
			pass := d.layers.add(level, 2, passGap)
			r.links = append(r.links, d.layers.join(link{up: n, down: pass, upOff: off, weight: weight}))
			n, off, weight = pass, 0, 6
		}
		r.links = append(r.links, d.layers.join(link{up: n, down: right.node, upOff: off, downOff: rightOff, weight: 1}))
	}
}

// position gives everything its place in pixels.
func (d *entities) position() {
	wide := make([]int, len(d.layers.levels))
	for _, e := range d.all {
		if e.outward {
			wide[e.level] = max(wide[e.level], e.box.w)
		}
	}
	x, top := 0, 1<<30
	for _, w := range wide {
		d.columns = append(d.columns, band{x, x + w})
		d.width = x + w
		x += w + columnGap
	}
	for _, n := range d.layers.nodes {
		top = min(top, n.at-(n.size+1)/2)
	}
	for i := range d.layers.nodes {
		n := &d.layers.nodes[i]
		n.at -= top
		d.height = max(d.height, n.at+n.size/2+1)
	}
	for _, e := range d.all {
		if e.outward {
			column := d.columns[e.level]
			e.box.x, e.box.w = column.top, column.bottom-column.top
			e.box.y = d.layers.nodes[e.node].at - e.box.h/2
			d.room(e)
		}
	}
	d.alone()
	d.ports()
}

// room makes the drawing wide enough for the lines on the right of a box.
func (d *entities) room(e *entity) {
	if e.loops > 0 {
		d.width = max(d.width, e.box.right()+selfReach+selfGap*e.loops)
	}
}

// alone stands the types without references in columns.
func (d *entities) alone() {
	x, y, wide := 0, 0, 0
	if d.width > 0 {
		x = d.width + aloneGap
	}
	limit := max(d.height, aloneHeight)
	var column []*entity
	end := func() {
		for _, e := range column {
			e.box.w = wide
			d.width = max(d.width, e.box.right())
			d.room(e)
		}
		column, x, y, wide = nil, d.width+aloneGap, 0, 0
	}
	for _, e := range d.all {
		if e.outward {
			continue
		}
		if y > 0 && y+e.box.h > limit {
			end()
		}
		e.box.x, e.box.y = x, y
		y += e.box.h + entityGap
		wide = max(wide, e.box.w)
		d.height = max(d.height, e.box.bottom())
		column = append(column, e)
	}
	end()
}

// ports finds where the references meet the boxes: those that refer at their
// row, those that are referred to at their head.
func (d *entities) ports() {
	all := slices.Concat(d.references, d.selves)
	for _, r := range all {
		r.y1 = r.from.box.y + r.from.rows[r.row].y
	}
	for _, e := range d.all {
		for _, right := range []bool{false, true} {
			var ends []end
			for i, r := range all {
				if r.to == e && r.against == right {
					ends = append(ends, end{i, d.comesFrom(r)})
				}
			}
			sortEnds(ends)
			lo, hi := e.box.y+headMargin, e.box.y+headHeight-headMargin
			hi = min(max(hi, lo+(len(ends)-1)*footGap), e.box.bottom()-headMargin)
			for i, y := range spread(ends, lo, hi, footGap) {
				all[ends[i].link].y2 = y
			}
		}
	}
}

// comesFrom is the height from which a reference comes to the box it refers to.
func (d *entities) comesFrom(r *reference) int {
	if len(r.links) < 2 {
		return r.y1
	}
	if r.against {
		return d.layers.nodes[d.layers.links[r.links[0]].down].at
	}
	return d.layers.nodes[d.layers.links[r.links[len(r.links)-1]].up].at
}
