package torn

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Many is how many losses a test plays: a part of them with the race
// detector, which takes ten times as long, or in a hurry.
func Many(n int) int {
	if raced || testing.Short() {
		return n / 6
	}
	return n
}

// Life is what one database went through, and what it held.
type Life struct {
	*Disk
	file   string
	kinds  []string
	spans  map[string][]span // by kind
	states []state
}

// span are the moments of a step: the power goes after from, until to.
type span struct{ from, to int }

// state is what the database held after a change, which began after a moment,
// and was acknowledged at another.
type state struct {
	span
	holds string
}

// Live begins the life of the database in the file. first is its first step: it
// opens the database and tells what that holds.
func Live(t testing.TB, path string, first func() string) *Life {
	t.Helper()
	l := &Life{Disk: Watch(t, filepath.Dir(path)), file: filepath.Base(path), spans: map[string][]span{}}
	l.Change(first)
	return l
}

// Change is a step after which the database holds what f returns, by somebody
// who was told that it is so.
func (l *Life) Change(f func() string) {
	from := l.Now()
	holds := f()
	s := span{from, l.Now()}
	kind := "commit"
	switch {
	case len(l.states) == 0:
		kind = "create"
	case l.wrote(l.file, from, s.to):
		kind = "commit and checkpoint"
	case l.began(l.file+"-wal", from, s.to):
		kind = "start the log over"
	}
	l.states = append(l.states, state{s, holds})
	l.took(kind, s)
}

// Step is one after which the database holds what it held before.
func (l *Life) Step(kind string, f func()) {
	from := l.Now()
	f()
	l.took(kind, span{from, l.Now()})
}

func (l *Life) took(kind string, s span) {
	if s.from == s.to {
		return // nothing happened to the files
	}
	if l.spans[kind] == nil {
		l.kinds = append(l.kinds, kind)
	}
	l.spans[kind] = append(l.spans[kind], s)
}

// may lists what the database may hold if the power goes at a moment: the last
// change that was acknowledged, or the one under way, too.
func (l *Life) may(moment int) (all []string) {
	for _, s := range l.states {
		if s.to <= moment || all == nil {
			all = []string{s.holds}
		} else if s.from < moment {
			all = append(all, s.holds)
		}
	}
	return all
}

// After opens what a loss of power left in a folder, tells what it holds, and
// goes on with it.
type After func(dir string, chance *rand.Rand) (holds string, err error)

// Lose plays so many losses of power within the steps of each kind. Each is a
// subtest, which plays the same again when it is run alone.
func (l *Life) Lose(t *testing.T, n int, after After, kinds ...string) {
	t.Helper()
	for _, kind := range kinds {
		if len(l.spans[kind]) == 0 {
			t.Errorf("no step was: %s", kind)
			continue
		}
		for i := range n {
			t.Run(fmt.Sprintf("%s/%d", kind, i), func(t *testing.T) {
				if err := l.lose(t.TempDir(), kind, i, after); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// lose plays the loss of a number.
func (l *Life) lose(dir, kind string, i int, after After) error {
	seed := fnv.New64()
	fmt.Fprint(seed, kind)
	chance := rand.New(rand.NewPCG(seed.Sum64(), uint64(i)))
	moment := l.moment(chance, kind)
	if err := l.put(dir, chance, moment); err != nil {
		return err
	}
	stop, err := (&Disk{careless: true}).watch(dir)
	if err != nil {
		return err
	}
	defer stop()
	holds, err := after(dir, chance)
	if may := l.may(moment); err == nil && !slices.Contains(may, holds) {
		err = fmt.Errorf("it holds %s\nand should hold %s", holds, strings.Join(may, " or "))
	}
	if err != nil {
		return fmt.Errorf("the power went after %d events of %d: %w", moment, l.Now(), err)
	}
	return nil
}

// moment is within a step of the kind, and often just before a sync, when the
// most is at stake.
func (l *Life) moment(chance *rand.Rand, kind string) int {
	s := l.spans[kind][chance.IntN(len(l.spans[kind]))]
	if chance.IntN(3) == 0 {
		var last []int
		for i := s.from + 1; i < s.to; i++ {
			if l.events[i].deed == flush {
				last = append(last, i)
			}
		}
		if len(last) > 0 {
			return last[chance.IntN(len(last))]
		}
	}
	return s.from + 1 + chance.IntN(s.to-s.from)
}

// put makes the folder as the loss of power left it. What is shared between
// processes is never left; some of the time there is something else in its place.
func (l *Life) put(dir string, chance *rand.Rand, moment int) error {
	left := l.Left(chance, moment)
	if chance.IntN(4) == 0 {
		left[l.file+"-shm"] = bytes.Repeat([]byte{byte(chance.Uint32())}, 32768)
	}
	for name, b := range left {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}
