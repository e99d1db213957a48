package planted

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// answer is what the program that hunts prints in one line: what a seed found,
// or that all were clean.
type answer struct {
	Seed  uint64 `json:"seed"`
	Seeds int    `json:"seeds"`
	Rule  string `json:"rule"`
	Text  string `json:"text"`
	Crash bool   `json:"crash"`
	Clean bool   `json:"clean"`
}

// build builds the program that hunts into dir.
func (h *hunter) build(ctx context.Context, dir string, flags ...string) (exe string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	exe = filepath.Join(dir, "hunt")
	args := append([]string{"build", "-o", exe}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, program)...) //nolint:gosec // the checkout that whoever hunts names
	cmd.Dir = h.o.Root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w: %s", err, bytes.TrimSpace(out))
	}
	return exe, nil
}

// run lets the program hunt, and notes what it says.
func (h *hunter) run(ctx context.Context, exe string, seeds int, f *Found) {
	ctx, cancel := context.WithTimeout(ctx, h.o.Time)
	defer cancel()
	cmd := exec.CommandContext(ctx, exe, "-seeds", strconv.Itoa(seeds)) //nolint:gosec // built right before
	cmd.Dir = h.o.Root
	cmd.WaitDelay = time.Second
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	err := cmd.Run()
	var a answer
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	switch said := json.Unmarshal([]byte(lines[len(lines)-1]), &a); {
	case said == nil && a.Clean:
		f.Outcome = NotFound
	case said == nil && a.Crash:
		f.Outcome, f.Rule = ByCrash, "crash"
	case said == nil && a.Rule != "":
		f.Outcome, f.Rule = ByRule, a.Rule
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		f.Outcome, f.Text = OutOfTime, fmt.Sprintf("it did not end within %s", h.o.Time)
		return
	default:
		f.Outcome, f.Text = NoAnswer, fmt.Sprintf("it ended without an answer (%v): %s", err, firstLine(trouble.String()))
		return
	}
	f.Seed, f.Seeds, f.Text = a.Seed, a.Seeds, a.Text
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return line
}
