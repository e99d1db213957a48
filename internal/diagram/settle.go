package diagram

import (
	"cmp"
	"slices"
)

// want is where something would like to stand, and how much.
type want struct{ at, weight int }

// settle places things on a line in their order, at least apart[i] from the one
// before, so that the weighted distances to what they want are least. Things
// that push each other form a block, and a block stands at the median of its
// wants: lines become straight, and what has two neighbours stands between them.
func settle(wants [][]want, apart []int) []int {
	type block struct {
		wants  []want
		at     int
		first  int
		nobody bool // wants nothing
	}
	var blocks []block
	offset, sum := make([]int, len(wants)), 0
	for i, list := range wants {
		sum += apart[i]
		offset[i] = sum
		b := block{first: i, nobody: len(list) == 0}
		for _, w := range list {
			b.wants = append(b.wants, want{w.at - sum, w.weight})
		}
		b.at = median(b.wants)
		if b.nobody && len(blocks) > 0 {
			b.at = blocks[len(blocks)-1].at
		}
		blocks = append(blocks, b)
		for n := len(blocks) - 1; n > 0 && (blocks[n-1].at > blocks[n].at || blocks[n-1].nobody); n-- {
			a, b := &blocks[n-1], blocks[n]
			a.wants = append(a.wants, b.wants...)
			a.at, a.nobody = median(a.wants), a.nobody && b.nobody
			blocks = blocks[:n]
		}
	}
	out := make([]int, len(wants))
	for n, b := range blocks {
		end := len(wants)
		if n+1 < len(blocks) {
			end = blocks[n+1].first
		}
		for i := b.first; i < end; i++ {
			out[i] = b.at + offset[i]
		}
	}
	return out
}

// median is the middle of the weighted median's range.
func median(wants []want) int {
	if len(wants) == 0 {
		return 0
	}
	sorted := slices.Clone(wants)
	slices.SortStableFunc(sorted, func(a, b want) int { return cmp.Compare(a.at, b.at) })
	total := 0
	for _, w := range sorted {
		total += w.weight
	}
	sum := 0
	for i, w := range sorted {
		sum += w.weight
		switch {
		case 2*sum > total:
			return w.at
		case 2*sum == total:
			return floorHalf(w.at + sorted[min(i+1, len(sorted)-1)].at)
		}
	}
	return sorted[len(sorted)-1].at
}

func floorHalf(n int) int { return n >> 1 }
