package sim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// Regressions is where scenarios are kept that once broke a rule, from the root
// of a checkout. A test plays them all.
const Regressions = "internal/sim/testdata/regressions"

// Kept is a scenario that once broke a rule.
type Kept struct {
	Why      string    `json:"why"`  // one sentence
	Rule     string    `json:"rule"` // that it broke
	Scenario *Scenario `json:"scenario"`
}

var keptName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Keep writes a scenario to the regressions of the checkout at root, and gives
// the file's path.
func Keep(root, name string, k *Kept) (string, error) {
	if !keptName.MatchString(name) {
		return "", fmt.Errorf("%q is no name for a kept scenario: use lower-case words with hyphens between them, such as lost-receipt", name)
	}
	dir := filepath.Join(root, filepath.FromSlash(Regressions))
	if _, err := os.Stat(filepath.Dir(filepath.Dir(dir))); err != nil {
		return "", fmt.Errorf("there is no %s here: run this at the root of a checkout, since what is kept goes into its tests", filepath.ToSlash(filepath.Dir(filepath.Dir(Regressions))))
	}
	b, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	path := filepath.Join(dir, name+".json")
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there already: choose another name", path)
	}
	if err != nil {
		return "", err
	}
	_, err = f.Write(append(b, '\n'))
	return path, errors.Join(err, f.Close())
}

// Read reads a kept scenario, or a scenario alone, and checks that it can be
// played.
func Read(b []byte) (*Kept, error) {
	k := &Kept{}
	if err := strictly(b, k); err != nil {
		s := &Scenario{}
		if strictly(b, s) != nil {
			return nil, fmt.Errorf("this is no scenario: %w", err)
		}
		k.Scenario = s
	}
	if k.Scenario == nil {
		return nil, errors.New(`this is no scenario: there is nothing under "scenario"`)
	}
	return k, k.Scenario.check()
}

func strictly(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// check says why a scenario can't be played.
func (s *Scenario) check() error {
	c := &s.Conf
	switch {
	case firsts[c.Policy] == nil:
		return fmt.Errorf("there is no status policy %q", c.Policy)
	case c.Devices < 1 || c.Workers < 1 || c.Workers > len(workers):
		return fmt.Errorf("a world needs devices, and 1 to %d workers", len(workers))
	case c.Page < 1 || c.KeptFrom < 1 || c.Hot < 1:
		return errors.New("page, kept_from and hot must be 1 or more")
	}
	for _, f := range c.Faults {
		if _, err := Faults([]string{string(f)}); err != nil {
			return err
		}
	}
	for i, a := range s.Actions {
		if deviceActs[a.Do] == nil && deskActs[a.Do] == nil && serverActs[a.Do] == nil {
			return fmt.Errorf("nobody can do %q", a.Do)
		}
		if a.At < 0 || a.Who < 0 || i > 0 && a.At < s.Actions[i-1].At {
			return fmt.Errorf("action %d is out of order", i+1)
		}
	}
	return nil
}
