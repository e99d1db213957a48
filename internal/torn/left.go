package torn

import (
	"math/rand/v2"
	"slices"
)

// Left is what the disk holds, by name, when the power goes after so many
// events. The same chance gives the same.
func (d *Disk) Left(chance *rand.Rand, moment int) map[string][]byte {
	mu.Lock()
	defer mu.Unlock()
	left := map[string][]byte{}
	for _, f := range d.files { // in the order in which they were made
		if f.there(chance, d.events[:moment]) {
			left[f.name] = f.left(chance, d.events[:moment], left[f.name])
		}
	}
	return left
}

// there: a file that was made or removed is so once its folder is on the disk;
// before that it may be.
func (f *file) there(chance *rand.Rand, events []event) bool {
	made, gone, folder := -1, -1, -1
	for i, e := range events {
		if e.folder {
			folder = i
		}
		if e.file == f && e.deed == create {
			made = i
		}
		if e.file == f && e.deed == remove {
			gone = i
		}
	}
	switch {
	case f.made && made < 0, gone >= 0 && folder >= gone:
		return false
	case f.made && folder < made, gone >= 0:
		return chance.IntN(2) == 0
	}
	return true
}

// left is what is left of a file. Where it grew, and what was written did not
// arrive, there are zeros, or what the disk had there before: dust, of another
// file or none.
func (f *file) left(chance *rand.Rand, events []event, dust []byte) []byte {
	flushed, most := 0, len(f.given)
	for _, e := range events {
		if e.file == f && e.deed == flush {
			flushed = e.upto
		}
		if e.file == f {
			most = max(most, e.end())
		}
	}
	var since []event
	b := append(make([]byte, 0, most), f.given...)
	for i, e := range events {
		switch {
		case !f.changed(e):
		case i < flushed:
			b = apply(b, e)
		default:
			since = append(since, e)
		}
	}
	if len(since) == 0 {
		return b
	}
	return survive(chance, b, since, dust)
}

// apply does what was done to a file.
func apply(b []byte, e event) []byte {
	b = sized(b, max(len(b), e.end()))
	if e.deed == truncate {
		return b[:e.at]
	}
	copy(b[e.at:], e.data)
	return b
}

// end is how long the file is at least, after the event.
func (e event) end() int { return int(e.at) + len(e.data) }

func sized(b []byte, size int) []byte {
	had := len(b)
	b = slices.Grow(b, max(size-had, 0))[:size]
	clear(b[min(had, size):])
	return b
}

// survive is one of the ways in which what was not synced can end: each sector
// is as it was after some of the writes to it, or half so and half as it was
// after some others.
func survive(chance *rand.Rand, synced []byte, since []event, dust []byte) []byte {
	sizes, most := []int{len(synced)}, len(synced)
	for _, e := range since {
		size := max(sizes[len(sizes)-1], e.end())
		if e.deed == truncate {
			size = int(e.at)
		}
		sizes, most = append(sizes, size), max(most, size)
	}
	ground := ground(chance, synced, most, dust)
	cut := ways[chance.IntN(len(ways))](chance, since)
	one, other := partly(ground, since, cut), partly(ground, since, cut)
	for at := 0; at < most; at += sector {
		if from, to := at, min(at+sector, most); chance.IntN(4) == 0 {
			from += chance.IntN(to - from)
			copy(one[from:to], other[from:to])
		}
	}
	size := sizes[chance.IntN(len(sizes))]
	if chance.IntN(4) == 0 {
		size = len(synced) + chance.IntN(most-len(synced)+1)
	}
	return one[:size]
}

// ground is what the disk has below a file that grew.
func ground(chance *rand.Rand, synced []byte, most int, dust []byte) []byte {
	b := sized(append([]byte(nil), synced...), most)
	grown := b[len(synced):]
	switch chance.IntN(3) {
	case 0:
		for i := range grown {
			grown[i] = byte(chance.Uint32())
		}
	case 1:
		if len(dust) > len(synced) {
			copy(grown, dust[len(synced):])
		}
	}
	return b
}

// partly is a file with those of the writes to each sector that cut lets pass.
func partly(ground []byte, since []event, cut func(sector int) int) []byte {
	b := append([]byte(nil), ground...)
	cuts := map[int]int{}
	for n, e := range since {
		for from, to := int(e.at), e.end(); from < to; {
			s := from / sector
			end := min(to, (s+1)*sector)
			if _, known := cuts[s]; !known {
				cuts[s] = cut(s)
			}
			if n < cuts[s] {
				copy(b[from:end], e.data[from-int(e.at):])
			}
			from = end
		}
	}
	return b
}

// ways say of each sector how many of the writes arrived.
var ways = []func(chance *rand.Rand, since []event) func(sector int) int{
	func(*rand.Rand, []event) func(int) int { return func(int) int { return 0 } },
	func(_ *rand.Rand, since []event) func(int) int { return func(int) int { return len(since) } },
	inOrder, anyHow, allOrNothing, oneAlone, allButOne,
}

// inOrder: the writes arrived as they were made, up to some moment.
func inOrder(chance *rand.Rand, since []event) func(int) int {
	n := chance.IntN(len(since) + 1)
	return func(int) int { return n }
}

func anyHow(chance *rand.Rand, since []event) func(int) int {
	return func(int) int { return chance.IntN(len(since) + 1) }
}

func allOrNothing(chance *rand.Rand, since []event) func(int) int {
	return func(int) int { return chance.IntN(2) * len(since) }
}

// oneAlone: a single sector arrived; often the first, as a log's header is.
func oneAlone(chance *rand.Rand, since []event) func(int) int {
	alone := written(chance, since)
	return func(s int) int {
		if s == alone {
			return len(since)
		}
		return 0
	}
}

func allButOne(chance *rand.Rand, since []event) func(int) int {
	lost := written(chance, since)
	return func(s int) int {
		if s == lost {
			return 0
		}
		return len(since)
	}
}

// written is a sector that was written; often the first that was.
func written(chance *rand.Rand, since []event) int {
	e := since[chance.IntN(len(since))]
	if chance.IntN(3) == 0 {
		e = since[0]
	}
	return (int(e.at) + chance.IntN(max(len(e.data), 1))) / sector
}
