package diagram

import (
	"slices"

	"github.com/landfall-sync/landfall/internal/definition"
)

// The lifecycle of a type, drawn downwards. Statuses stand in rows by their
// distance from the initial one, so a transition leads at most one row down.
// Between the rows stand the labels of the transitions, as boxes of their own
// that lines lead through: nothing is written over a line or over a status.
//
// A transition has up to three labels: one above its status for those that
// come from the row above; one below for those that come back from further down
// or from the same row; one beside the status for the transition to itself.

// direction is how a label's transition leads.
type direction int

const (
	onward direction = iota
	backward
	toItself
)

// label is a transition from some statuses, written once.
type label struct {
	move  *definition.Transition
	dir   direction
	from  []string
	node  int // not for toItself
	box   rect
	title []string
	notes []string
	ways  []way
}

// way is a link of a label; it ends with an arrow at its upper or lower end.
type way struct {
	link           int
	arrowUp, arrow bool
}

// statusBox is a status with the labels of its transitions to itself.
type statusBox struct {
	status *definition.Status
	node   int
	box    rect
	title  []string
	notes  []string
	selves []*label
}

// lifecycle is the drawing of one lifecycle.
type lifecycle struct {
	t      *definition.Type
	app    *definition.App
	row    map[string]int
	boxes  []*statusBox
	byName map[string]*statusBox
	labels []*label
	layers layers
	bends  map[[2]int]int // of a label at a level: where its lines from below meet
	bands  []band
	width  int
	height int
}

// rect is a rectangle in pixels.
type rect struct{ x, y, w, h int }

func (r rect) cx() int     { return r.x + r.w/2 }
func (r rect) cy() int     { return r.y + r.h/2 }
func (r rect) right() int  { return r.x + r.w }
func (r rect) bottom() int { return r.y + r.h }

// band is the height that a level takes.
type band struct{ top, bottom int }

func (b band) middle() int { return (b.top + b.bottom) / 2 }

const (
	lineHeight            = 18
	noteHeight            = 15
	boxMargin, boxPad     = 18, 10
	labelMargin           = 12
	loopGap               = 34 // between a status and its transitions to itself
	startHeight           = 40 // of the dot and the arrow to the initial status
	nodeGap, passGap      = 26, 16
	titleLimit, noteLimit = 190, 200
)

func drawLifecycle(app *definition.App, t *definition.Type) *lifecycle {
	d := &lifecycle{t: t, app: app, byName: map[string]*statusBox{}, bends: map[[2]int]int{}}
	d.row = rows(t.Lifecycle)
	d.makeBoxes()
	d.makeLabels()
	d.layers.arrange()
	d.position()
	return d
}

// rows are the distances from the initial status; what can't be reached comes last.
func rows(l *definition.Lifecycle) map[string]int {
	row := map[string]int{l.Initial: 0}
	next := []string{l.Initial}
	for distance := 1; len(next) > 0; distance++ {
		var found []string
		for _, m := range l.Moves {
			move := l.Transitions[m]
			if _, seen := row[move.To]; !seen && slices.ContainsFunc(move.From, func(s string) bool { return slices.Contains(next, s) }) {
				row[move.To] = distance
				found = append(found, move.To)
			}
		}
		next = found
	}
	last := 0
	for _, n := range row {
		last = max(last, n)
	}
	for _, s := range l.Order {
		if _, seen := row[s]; !seen {
			row[s] = last + 1
		}
	}
	return row
}

func (d *lifecycle) makeBoxes() {
	l := d.t.Lifecycle
	for _, name := range l.Order {
		s := l.Statuses[name]
		b := &statusBox{status: s, title: wrap(said(s.Title, name), nameFont, titleLimit, 2)}
		for _, note := range d.notes(s) {
			b.notes = append(b.notes, fit(note, noteFont, noteLimit))
		}
		for _, m := range l.Moves {
			if t := l.Transitions[m]; t.To == name && slices.Contains(t.From, name) {
				b.selves = append(b.selves, newLabel(t, toItself, []string{name}))
			}
		}
		b.box.w = max(widest(b.title, nameFont), widest(b.notes, noteFont)) + 2*boxMargin
		b.box.w = max(b.box.w, 96, 18*d.busy(name)+2*boxMargin)
		b.box.h = len(b.title)*lineHeight + len(b.notes)*noteHeight + 2*boxPad
		d.boxes, d.byName[name] = append(d.boxes, b), b
	}
	slices.SortStableFunc(d.boxes, func(a, b *statusBox) int { return d.row[a.status.Name] - d.row[b.status.Name] })
	for _, b := range d.boxes {
		b.node = d.layers.add(2*d.row[b.status.Name], b.box.w+b.loops(), nodeGap)
	}
}

// aside is how far the box stands from its node's centre, for the loops beside it.
func (b *statusBox) aside() int { return -b.loops() / 2 }

// loops is the width that transitions to itself take beside a status.
func (b *statusBox) loops() int {
	w := 0
	for _, s := range b.selves {
		w = max(w, s.box.w+loopGap)
	}
	return w
}

// notes say what is special about a status.
func (d *lifecycle) notes(s *definition.Status) []string {
	var out []string
	switch {
	case s.Resolved && s.Frozen:
		out = append(out, "final, frozen")
	case s.Resolved:
		out = append(out, "final")
	case s.Frozen:
		out = append(out, "frozen")
	}
	if q := d.app.Queues[s.Queue]; q != nil {
		out = append(out, "queue: "+said(q.Title, q.Name))
	} else if s.Queue != "" {
		out = append(out, "queue: "+s.Queue)
	}
	if s.Worklist != "" {
		out = append(out, "worklist of: "+said(d.t.Fields[s.Worklist].Title, s.Worklist))
	}
	return out
}

// busy is the larger number of lines at the upper or the lower side of a status.
func (d *lifecycle) busy(name string) int {
	above, below := 0, 0
	for _, m := range d.t.Lifecycle.Moves {
		onward, back := d.split(d.t.Lifecycle.Transitions[m])
		to := d.t.Lifecycle.Transitions[m].To
		if to == name && len(onward) > 0 {
			above++
		}
		if to == name && len(back) > 0 {
			below++
		}
		if slices.Contains(onward, name) {
			below++
		}
		if slices.Contains(back, name) {
			if d.row[name] == d.row[to] {
				below++
			} else {
				above++
			}
		}
	}
	return max(above, below)
}

// split sorts the statuses that a transition leads from by direction.
func (d *lifecycle) split(t *definition.Transition) (on, back []string) {
	for _, s := range t.From {
		switch {
		case s == t.To:
		case d.row[s] < d.row[t.To]:
			on = append(on, s)
		default:
			back = append(back, s)
		}
	}
	return on, back
}

func newLabel(t *definition.Transition, dir direction, from []string) *label {
	p := &label{move: t, dir: dir, from: from}
	p.title = wrap(said(t.Title, t.Name), verbFont, titleLimit, 2)
	p.notes = wrap(list(t.Roles, "or"), noteFont, titleLimit, 3)
	if t.When != nil {
		p.notes = append(p.notes, fit("if "+clean(t.When.String()), noteFont, noteLimit))
	}
	p.box.w = max(widest(p.title, verbFont), widest(p.notes, noteFont)) + 2*labelMargin
	p.box.h = len(p.title)*(lineHeight-1) + len(p.notes)*(noteHeight-1) + 10
	return p
}

func (d *lifecycle) makeLabels() {
	for _, m := range d.t.Lifecycle.Moves {
		t := d.t.Lifecycle.Transitions[m]
		row := d.row[t.To]
		on, back := d.split(t)
		if len(on) > 0 {
			p := newLabel(t, onward, on)
			p.node = d.layers.add(2*row-1, p.box.w, nodeGap)
			for _, s := range on {
				d.way(p, link{up: d.byName[s].node, upOff: d.byName[s].aside(), down: p.node, weight: 2}, false, false)
			}
			d.way(p, link{up: p.node, down: d.byName[t.To].node, downOff: d.byName[t.To].aside(), weight: 3}, false, true)
			d.labels = append(d.labels, p)
		}
		if len(back) > 0 || len(t.From) == 0 {
			p := newLabel(t, backward, back)
			p.node = d.layers.add(2*row+1, p.box.w, nodeGap)
			d.way(p, link{up: d.byName[t.To].node, upOff: d.byName[t.To].aside(), down: p.node, weight: 2}, true, false)
			for _, s := range back {
				d.wayBack(p, s)
			}
			d.labels = append(d.labels, p)
		}
	}
}

func (d *lifecycle) way(p *label, k link, arrowUp, arrow bool) {
	p.ways = append(p.ways, way{d.layers.join(k), arrowUp, arrow})
}

// wayBack leads from a status up to a label. The lines from several statuses
// join where they meet, as rails do.
func (d *lifecycle) wayBack(p *label, from string) {
	n, aside, level := d.byName[from].node, d.byName[from].aside(), 2*d.row[from]
	target := d.layers.nodes[p.node].level
	if level < target { // in the same row
		d.way(p, link{up: n, upOff: aside, down: p.node, weight: 2}, false, false)
		return
	}
	weight := 2 // a long line is straight where it passes, and turns at its ends
	for level--; level > target; level-- {
		bend, met := d.bends[[2]int{p.node, level}]
		if !met {
			bend = d.layers.add(level, 2, passGap)
			d.bends[[2]int{p.node, level}] = bend
		}
		d.way(p, link{up: bend, down: n, downOff: aside, weight: weight}, false, false)
		if met {
			return
		}
		n, aside, weight = bend, 0, 8
	}
	d.way(p, link{up: p.node, down: n, downOff: aside, weight: min(weight, 3)}, false, false)
}

// position gives everything its place in pixels.
func (d *lifecycle) position() {
	high := make([]int, len(d.layers.levels))
	for _, b := range d.boxes {
		level := 2 * d.row[b.status.Name]
		loops := -8
		for _, s := range b.selves {
			loops += s.box.h + 8
		}
		high[level] = max(high[level], b.box.h, loops)
	}
	for _, p := range d.labels {
		level := d.layers.nodes[p.node].level
		high[level] = max(high[level], p.box.h)
	}
	y := startHeight
	for level, h := range high {
		d.bands = append(d.bands, band{y, y + h})
		y += h + d.gap(level)
	}
	d.height = d.bands[len(d.bands)-1].bottom
	left, right := 1<<30, -1<<30
	for _, n := range d.layers.nodes {
		left, right = min(left, n.at-n.size/2), max(right, n.at+n.size/2)
	}
	for i := range d.layers.nodes {
		d.layers.nodes[i].at -= left
	}
	d.width = right - left
	d.put()
}

func (d *lifecycle) put() {
	for _, b := range d.boxes {
		n := d.layers.nodes[b.node]
		b.box.x, b.box.y = n.at-n.size/2, d.bands[n.level].middle()-b.box.h/2
		total := -8
		for _, s := range b.selves {
			total += s.box.h + 8
		}
		y := d.bands[n.level].middle() - total/2
		for _, s := range b.selves {
			s.box.x, s.box.y = b.box.right()+loopGap, y
			y += s.box.h + 8
		}
	}
	for _, p := range d.labels {
		n := d.layers.nodes[p.node]
		p.box.x, p.box.y = n.at-p.box.w/2, d.bands[n.level].middle()-p.box.h/2
	}
}

// gap is the height between a level and the next: more where lines lead far
// aside, so that they don't lie flat.
func (d *lifecycle) gap(level int) int {
	far := 0
	for _, k := range d.layers.links {
		if u, v := d.layers.nodes[k.up], d.layers.nodes[k.down]; u.level == level {
			far = max(far, u.at-v.at, v.at-u.at)
		}
	}
	return min(28+far/8, 80)
}
