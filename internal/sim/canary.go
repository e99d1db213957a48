package sim

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/landfall-sync/landfall"
)

// Every text that somebody enters is a canary: it occurs nowhere else, and the
// world knows who entered it, and where. So every byte that leaves the server can
// be searched for what its receiver may not see.
type canary struct {
	user   string
	typ    string
	record string
	field  string
	since  int64    // version of the app in which the field is called so
	copies []canary // made by references that filled it in elsewhere
}

const (
	canaryMark   = "zq"
	canaryDigits = 7
)

// canaries are all that were entered. In a paired world, those in other are
// written differently, in as many bytes.
type canaries struct {
	all   []canary
	other map[int]bool
	would map[string][]would // by record
}

// would is how a record would be, were it there: who would receive it follows
// from that, and from the app in force.
type would struct {
	typ    string
	fields landfall.Fields
}

// be notes how a record would be.
func (c *canaries) be(record string, as would) {
	if c.would == nil {
		c.would = map[string][]would{}
	}
	c.would[record] = append(c.would[record], as)
}

// write makes a canary and its text.
func (c *canaries) write(k canary) (n int, text string) {
	n = len(c.all)
	c.all = append(c.all, k)
	shown := n
	if c.other[n] {
		shown |= 1 << (4*canaryDigits - 1)
	}
	return n, fmt.Sprintf("%s%0*x", canaryMark, canaryDigits, shown)
}

// found calls f for every canary in b.
func (c *canaries) found(b []byte, f func(n int)) {
	mark := []byte(canaryMark)
	for {
		i := bytes.Index(b, mark)
		if i < 0 || len(b) < i+len(mark)+canaryDigits {
			return
		}
		b = b[i+len(mark):]
		n, err := strconv.ParseUint(string(b[:canaryDigits]), 16, 32)
		if err != nil {
			continue
		}
		if n &^= 1 << (4*canaryDigits - 1); int(n) < len(c.all) {
			f(int(n))
		}
	}
}
