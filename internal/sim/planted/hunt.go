package planted

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of a hunt.
type Options struct {
	Root     string        // of the checkout; empty: the working directory
	Work     string        // where the programs are built; empty: a folder that is removed in the end
	Seeds    int           // instead of what each bug is given; 0: that
	Only     []string      // names of bugs; none: all
	Parallel int           // bugs that are hunted at a time; 0: 1
	Time     time.Duration // for the seeds of one bug; 0: 2 minutes
	Out      io.Writer     // progress and the table; nil: nowhere
}

// Outcome is how the hunt of one bug ended.
type Outcome string

// The outcomes. Only the first two find a bug.
const (
	ByRule     Outcome = "found"       // a checker told of a violation
	ByCrash    Outcome = "crash"       // a seed made the program panic, and the hunt could say which
	NotFound   Outcome = "not found"   // all seeds were clean
	OutOfTime  Outcome = "out of time" // it had to be ended before it said anything
	NoAnswer   Outcome = "no answer"   // it ended without saying anything
	NotPlanted Outcome = "not planted" // the code has changed, or does not compile with the bug
)

// Found is what the hunt of one bug came to.
type Found struct {
	Bug     *Bug
	Outcome Outcome
	Seed    uint64 // that found it
	Seeds   int    // that were run
	Within  int    // seeds that it was given
	Rule    string // that found it
	Text    string // of the violation, or what went wrong
}

// Good reports whether the simulation found the bug, in time and by a rule that
// is for it.
func (f *Found) Good() bool {
	switch f.Outcome {
	case ByRule:
		return f.Seeds <= f.Within && (len(f.Bug.Finds) == 0 || slices.Contains(f.Bug.Finds, f.Rule))
	case ByCrash:
		return f.Seeds <= f.Within && len(f.Bug.Finds) == 0
	default:
		return false
	}
}

// program is the package of the program that hunts, module that of the checkout.
const (
	program = "./internal/sim/planted/hunt"
	module  = "module github.com/landfall-sync/landfall"
)

// Hunt plants each bug in a program of its own and lets it run seeds of the
// simulation until one finds the bug. First it runs them without any: what the
// simulation finds there would be taken for the bugs. It prints what it is at
// and a table in the end, also when ctx ends before all are hunted: then with
// what is known, which it returns with the error. An error is trouble with the
// hunt itself; that a bug was not found is none.
func Hunt(ctx context.Context, o Options) ([]Found, error) { return hunt(ctx, All(), o) }

func hunt(ctx context.Context, bugs []*Bug, o Options) (found []Found, err error) {
	h, err := newHunter(bugs, o)
	if err != nil {
		return nil, err
	}
	if o.Work == "" {
		if h.o.Work, err = os.MkdirTemp("", "planted-"); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(h.o.Work)) }()
	}
	if err := h.control(ctx); err != nil {
		return nil, err
	}
	found = h.all(ctx)
	if err := table(h.o.Out, found); err != nil {
		return found, err
	}
	if ctx.Err() != nil {
		return found, fmt.Errorf("%d of %d bugs were hunted: %w", len(found), len(h.bugs), ctx.Err())
	}
	return found, nil
}

type hunter struct {
	o    Options
	bugs []*Bug
	mu   sync.Mutex // of what follows, and of o.Out
	done int
}

// newHunter checks what can be wrong before anything is built.
func newHunter(bugs []*Bug, o Options) (*hunter, error) {
	if o.Out == nil {
		o.Out = io.Discard
	}
	if o.Time <= 0 {
		o.Time = 2 * time.Minute
	}
	o.Parallel = max(1, o.Parallel)
	h := &hunter{o: o, bugs: bugs}
	if len(o.Only) > 0 {
		h.bugs = nil
		for _, name := range o.Only {
			at := slices.IndexFunc(bugs, func(b *Bug) bool { return b.Name == name })
			if at < 0 {
				return nil, fmt.Errorf("there is no bug %q; there are: %s", name, strings.Join(names(bugs), ", "))
			}
			h.bugs = append(h.bugs, bugs[at])
		}
	}
	var err error
	if h.o.Root, err = filepath.Abs(o.Root); err != nil {
		return nil, err
	}
	mod, err := os.ReadFile(filepath.Join(h.o.Root, "go.mod"))
	if err != nil || !strings.HasPrefix(string(mod), module+"\n") {
		return nil, fmt.Errorf("%s is not a checkout of Landfall: run this in one, since each bug is built from the source", h.o.Root)
	}
	if _, err := os.Stat(filepath.Join(h.o.Root, program)); err != nil {
		return nil, fmt.Errorf("the checkout has no %s, the program that bugs are planted in: use one of the same version as this program", program)
	}
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("there is no go command, and each bug is built from the source: install Go (https://go.dev/dl), or add its folder to PATH")
	}
	return h, nil
}

func names(bugs []*Bug) []string {
	out := make([]string, len(bugs))
	for i, b := range bugs {
		out[i] = b.Name
	}
	return out
}

func (h *hunter) seeds(b *Bug) int {
	if h.o.Seeds > 0 {
		return h.o.Seeds
	}
	return b.Within
}

// control runs the program as it is.
func (h *hunter) control(ctx context.Context) error {
	seeds := 1
	for _, b := range h.bugs {
		seeds = max(seeds, h.seeds(b))
	}
	h.say("%d bugs to find; first %d seeds without any", len(h.bugs), seeds)
	dir, err := h.folder("as-it-is")
	if err != nil {
		return err
	}
	exe, err := h.build(ctx, dir)
	if err != nil {
		return fmt.Errorf("the program does not build as it is: %w", err)
	}
	f := Found{}
	h.run(ctx, exe, seeds, &f)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.Outcome == NoAnswer:
		return fmt.Errorf("the program as it is can't hunt: %s", f.Text)
	case f.Outcome == ByRule || f.Outcome == ByCrash:
		return fmt.Errorf("the simulation finds something in the program as it is, at seed %d, by %s: %s; repair that first", f.Seed, f.Rule, f.Text)
	}
	return nil
}

// all hunts the bugs, and gives what is known when ctx ends.
func (h *hunter) all(ctx context.Context) []Found {
	results := make([]*Found, len(h.bugs))
	free := make(chan struct{}, h.o.Parallel)
	var wg sync.WaitGroup
	for i, b := range h.bugs {
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-free }()
			f := h.one(ctx, b)
			if ctx.Err() != nil && !f.Good() {
				return // it may have been ended before its end
			}
			results[i] = f
			h.told(f)
		})
	}
	wg.Wait()
	var out []Found
	for _, f := range results {
		if f != nil {
			out = append(out, *f)
		}
	}
	return out
}

// one hunts one bug.
func (h *hunter) one(ctx context.Context, b *Bug) *Found {
	f := &Found{Bug: b, Outcome: NotPlanted, Within: h.seeds(b)}
	dir, err := h.folder(b.Name)
	overlay := ""
	if err == nil {
		overlay, err = b.Overlay(h.o.Root, dir)
	}
	if err != nil {
		f.Text = err.Error()
		return f
	}
	exe, err := h.build(ctx, dir, "-overlay", overlay)
	if err != nil {
		f.Text = fmt.Sprintf("it does not compile with the bug: plant it anew (%v)", err)
		return f
	}
	h.run(ctx, exe, f.Within, f)
	return f
}

func (h *hunter) folder(name string) (string, error) {
	dir := filepath.Join(h.o.Work, name)
	return dir, os.MkdirAll(dir, 0o700)
}

func (h *hunter) told(f *Found) {
	h.mu.Lock()
	h.done++
	n := h.done
	h.mu.Unlock()
	at := ""
	if f.Outcome == ByRule || f.Outcome == ByCrash {
		at = fmt.Sprintf(" at seed %d", f.Seed)
	}
	h.say("%*d of %d  %s: %s%s", len(fmt.Sprint(len(h.bugs))), n, len(h.bugs), f.Bug.Name, f.Outcome, at)
}

func (h *hunter) say(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(h.o.Out, format+"\n", args...)
}
