package diagram

import (
	"cmp"
	"slices"
)

// A layered drawing: nodes stand in levels, and links lead from a level to the
// next. The engine knows one axis alone, the one along the levels; who uses it
// decides whether that is across (lifecycles) or down (entities). Everything is
// in whole numbers, so that every machine draws the same bytes.

// node is a box on a level, or the place where a longer line passes it.
type node struct {
	level int
	size  int // along the level
	gap   int // to the neighbours
	at    int // the centre, once placed
	pos   int // among the nodes of its level
	ups   []int
	downs []int // links
}

// link joins nodes of neighbouring levels. The offsets are where it is attached,
// from the nodes' centres; a heavy link is straightened first.
type link struct {
	up, down       int
	upOff, downOff int
	weight         int
}

type layers struct {
	nodes  []node
	links  []link
	levels [][]int
}

func (l *layers) add(level, size, gap int) int {
	for len(l.levels) <= level {
		l.levels = append(l.levels, nil)
	}
	i := len(l.nodes)
	l.nodes = append(l.nodes, node{level: level, size: size, gap: gap, pos: len(l.levels[level])})
	l.levels[level] = append(l.levels[level], i)
	return i
}

func (l *layers) join(k link) int {
	i := len(l.links)
	l.links = append(l.links, k)
	l.nodes[k.up].downs = append(l.nodes[k.up].downs, i)
	l.nodes[k.down].ups = append(l.nodes[k.down].ups, i)
	return i
}

// arrange orders the levels so that few links cross, and places the nodes.
func (l *layers) arrange() {
	best, least := l.order(), l.crossings()
	for round := range 10 {
		l.sweep(round%2 == 0)
		l.swap()
		if n := l.crossings(); n < least {
			best, least = l.order(), n
		}
	}
	for _, level := range best {
		l.take(level)
	}
	l.place()
}

func (l *layers) order() [][]int {
	out := make([][]int, len(l.levels))
	for i, level := range l.levels {
		out[i] = slices.Clone(level)
	}
	return out
}

// take makes an order the order of its level.
func (l *layers) take(level []int) {
	for pos, n := range level {
		l.nodes[n].pos = pos
		l.levels[l.nodes[n].level][pos] = n
	}
}

// neighbours are the positions of what a node is linked to on one side.
func (l *layers) neighbours(n int, up bool) []int {
	var out []int
	if up {
		for _, k := range l.nodes[n].ups {
			out = append(out, l.nodes[l.links[k].up].pos)
		}
		return out
	}
	for _, k := range l.nodes[n].downs {
		out = append(out, l.nodes[l.links[k].down].pos)
	}
	return out
}

// sweep orders each level by where its neighbours on one side stand on average.
func (l *layers) sweep(downwards bool) {
	for i := range l.levels {
		level := i
		if !downwards {
			level = len(l.levels) - 1 - i
		}
		mean := map[int]int{}
		for _, n := range l.levels[level] {
			mean[n] = l.nodes[n].pos * 1024
			if near := l.neighbours(n, downwards); len(near) > 0 {
				sum := 0
				for _, p := range near {
					sum += p * 1024
				}
				mean[n] = sum / len(near)
			}
		}
		sorted := slices.Clone(l.levels[level])
		slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
		l.take(sorted)
	}
}

// swap exchanges neighbours of a level as long as that saves crossings.
func (l *layers) swap() {
	for range 4 {
		better := false
		for _, level := range l.levels {
			for i := 0; i+1 < len(level); i++ {
				a, b := level[i], level[i+1]
				if l.between(b, a) < l.between(a, b) {
					level[i], level[i+1] = b, a
					l.nodes[a].pos, l.nodes[b].pos = i+1, i
					better = true
				}
			}
		}
		if !better {
			return
		}
	}
}

// between counts the crossings of two nodes' links when a stands before b.
func (l *layers) between(a, b int) int {
	n := 0
	for _, up := range []bool{true, false} {
		for _, x := range l.neighbours(a, up) {
			for _, y := range l.neighbours(b, up) {
				if x > y {
					n++
				}
			}
		}
	}
	return n
}

func (l *layers) crossings() int {
	n := 0
	for _, level := range l.levels {
		for i, a := range level {
			for _, b := range level[i+1:] {
				for _, x := range l.neighbours(a, false) {
					for _, y := range l.neighbours(b, false) {
						if x > y {
							n++
						}
					}
				}
			}
		}
	}
	return n
}

// place moves the nodes, in their order, to where their links are straight.
func (l *layers) place() {
	for _, level := range l.levels {
		at := 0
		for i, n := range level {
			if i > 0 {
				at += l.apart(level[i-1], n)
			}
			l.nodes[n].at = at
		}
	}
	for pass := range 24 {
		both := pass >= 16
		for i := range l.levels {
			level := l.levels[i]
			if pass%2 == 1 {
				level = l.levels[len(l.levels)-1-i]
			}
			l.settle(level, both || pass%2 == 0, both || pass%2 == 1)
		}
	}
}

func (l *layers) apart(a, b int) int {
	return (l.nodes[a].size+1)/2 + (l.nodes[b].size+1)/2 + max(l.nodes[a].gap, l.nodes[b].gap)
}

// settle places one level as near as its order allows to what it is linked to.
func (l *layers) settle(level []int, ups, downs bool) {
	wants := make([][]want, len(level))
	apart := make([]int, len(level))
	for i, n := range level {
		if i > 0 {
			apart[i] = l.apart(level[i-1], n)
		}
		if ups {
			for _, k := range l.nodes[n].ups {
				k := l.links[k]
				wants[i] = append(wants[i], want{l.nodes[k.up].at + k.upOff - k.downOff, k.weight})
			}
		}
		if downs {
			for _, k := range l.nodes[n].downs {
				k := l.links[k]
				wants[i] = append(wants[i], want{l.nodes[k.down].at + k.downOff - k.upOff, k.weight})
			}
		}
	}
	for i, at := range settle(wants, apart) {
		if len(wants[i]) > 0 || len(level) > 1 {
			l.nodes[level[i]].at = at
		}
	}
}
