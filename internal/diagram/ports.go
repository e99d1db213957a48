package diagram

import (
	"cmp"
	"slices"
)

// Where lines meet a box. Lines spread over the side of a status, each as near
// as it can to where it leads; at a label they meet in one point.

const (
	portGap    = 18
	portMargin = 14
)

// end is a line's end at a side of a box: where it is, and where the line leads.
type end struct{ link, towards int }

// spread places the ends of lines on a side between lo and hi, gap apart where
// there is room.
func spread(ends []end, lo, hi, gap int) []int {
	if len(ends) == 0 {
		return nil
	}
	if len(ends) > 1 {
		gap = min(gap, (hi-lo)/(len(ends)-1))
	}
	wants, apart := make([][]want, len(ends)), make([]int, len(ends))
	for i, e := range ends {
		at, weight := min(max(e.towards, lo), hi), 1
		if at == e.towards {
			weight = 3 // this line can be straight
		}
		wants[i] = []want{{at, weight}}
		if i > 0 {
			apart[i] = gap
		}
	}
	out := settle(wants, apart)
	for i := range out {
		out[i] = max(out[i], lo+i*gap)
	}
	for i := range out {
		out[i] = min(out[i], hi-(len(out)-1-i)*gap)
	}
	return out
}

func sortEnds(ends []end) {
	slices.SortFunc(ends, func(a, b end) int {
		return cmp.Or(cmp.Compare(a.towards, b.towards), cmp.Compare(a.link, b.link))
	})
}

// ports finds the x of both ends of every link: the upper's and the lower's.
func (d *lifecycle) ports() (upper, lower []int) {
	upper, lower = make([]int, len(d.layers.links)), make([]int, len(d.layers.links))
	for i, k := range d.layers.links {
		upper[i], lower[i] = d.layers.nodes[k.up].at, d.layers.nodes[k.down].at
	}
	for _, p := range d.labels {
		d.labelPorts(p, lower)
	}
	for _, b := range d.boxes {
		n := d.layers.nodes[b.node]
		lo, hi := b.box.x+portMargin, b.box.right()-portMargin
		var above, below []end
		for _, k := range n.ups {
			above = append(above, end{k, upper[k]})
		}
		for _, k := range n.downs {
			below = append(below, end{k, lower[k]})
		}
		sortEnds(above)
		sortEnds(below)
		for i, x := range spread(above, lo, hi, portGap) {
			lower[above[i].link] = x
		}
		for i, x := range spread(below, lo, hi, portGap) {
			upper[below[i].link] = x
		}
	}
	d.straighten(upper, lower)
	return upper, lower
}

// straighten moves the end of a line at a label a little aside where that makes
// the line straight.
func (d *lifecycle) straighten(upper, lower []int) {
	for _, p := range d.labels {
		ups, downs := d.layers.nodes[p.node].ups, d.layers.nodes[p.node].downs
		if reach := p.box.w/2 - portMargin; len(ups) == 1 && near(upper[ups[0]], p.box.cx(), reach) {
			lower[ups[0]] = upper[ups[0]]
		}
		if reach := p.box.w/2 - portMargin; len(downs) == 1 && near(lower[downs[0]], p.box.cx(), reach) {
			upper[downs[0]] = lower[downs[0]]
		}
	}
}

// near says whether a and b are at most reach, and not far, apart.
func near(a, b, reach int) bool {
	apart := max(a-b, b-a)
	return apart <= reach && apart <= 14
}

// labelPorts keeps the line that leaves a label upwards apart from those that
// come to it from above.
func (d *lifecycle) labelPorts(p *label, lower []int) {
	var out, in []int
	for _, w := range p.ways {
		if d.layers.links[w.link].down != p.node {
			continue
		}
		if w.arrowUp {
			out = append(out, w.link)
		} else {
			in = append(in, w.link)
		}
	}
	if len(out) == 0 || len(in) == 0 {
		return
	}
	sum := 0
	for _, k := range in {
		sum += d.layers.nodes[d.layers.links[k].up].at
	}
	aside := 12
	if d.layers.nodes[d.layers.links[out[0]].up].at < sum/len(in) {
		aside = -aside
	}
	for _, k := range out {
		lower[k] += aside
	}
	for _, k := range in {
		lower[k] -= aside
	}
}
