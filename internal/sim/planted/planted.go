// Package planted proves that the simulation finds what it claims. It plants
// bugs: small differences of the source, such as a colleague in a hurry could
// make, that compile and that the rules forbid. The product has no switch for
// any of them: a bug is there only in a program that is built with its overlay,
// and the simulation must find it within a stated number of seeds.
package planted

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Bug is one planted bug.
type Bug struct {
	Name   string
	What   string   // is broken, in plain words
	Breaks string   // the promise that it breaks
	Within int      // seeds, at most, until it is found
	Finds  []string // the rules of which one must find it; none: any
	Edits  []Edit
}

// Edit replaces whole lines of a file that are there exactly once.
type Edit struct {
	File     string // path from the root of the checkout, with slashes
	Old, New string
}

//go:embed bugs
var files embed.FS

// All lists the bugs by name.
func All() []*Bug {
	names, err := fs.Glob(files, "bugs/*.txt")
	if err != nil {
		panic(err) // the pattern is a good one
	}
	out := make([]*Bug, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it is part of the program
		}
		b, err := parse(strings.TrimSuffix(path.Base(name), ".txt"), string(text))
		if err != nil {
			panic(err) // a test reads them all
		}
		out = append(out, b)
	}
	return out
}

// The lines around the texts of an edit.
const (
	oldBegins = "<<<<"
	newBegins = "===="
	editEnds  = ">>>>"
)

// parse reads a bug's file: what is broken, then its headers, then the edits,
// each under the name of its file.
func parse(name, text string) (*Bug, error) {
	b := &Bug{Name: name}
	p := parser{bug: b}
	for i, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("bug %s, line %d: %w", name, i+1, err)
		}
	}
	switch {
	case p.into != nil:
		return nil, fmt.Errorf("bug %s: the last edit does not end with %s", name, editEnds)
	case b.What == "" || b.Breaks == "" || b.Within < 1 || len(b.Edits) == 0:
		return nil, fmt.Errorf("bug %s: it needs what is broken, breaks:, within: and an edit", name)
	}
	return b, nil
}

type parser struct {
	bug  *Bug
	file string
	edit Edit
	into *string // the text of the edit that lines go into; nil outside of one
}

func (p *parser) line(line string) error {
	switch {
	case line == editEnds && p.into == &p.edit.New:
		p.bug.Edits, p.into = append(p.bug.Edits, p.edit), nil
	case line == newBegins && p.into == &p.edit.Old:
		p.into = &p.edit.New
	case p.into != nil:
		*p.into += line + "\n"
	case line == oldBegins && p.file != "":
		p.edit = Edit{File: p.file}
		p.into = &p.edit.Old
	case strings.HasPrefix(line, "-- ") && strings.HasSuffix(line, " --"):
		p.file = strings.TrimSuffix(strings.TrimPrefix(line, "-- "), " --")
	case strings.TrimSpace(line) == "":
	case p.file == "":
		return p.header(line)
	default:
		return fmt.Errorf("%q is neither a file nor an edit", line)
	}
	return nil
}

func (p *parser) header(line string) (err error) {
	b := p.bug
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "breaks":
		b.Breaks = value
	case "within":
		b.Within, err = strconv.Atoi(value)
	case "finds":
		b.Finds = strings.Fields(value)
	default:
		b.What = strings.TrimSpace(b.What + " " + line)
	}
	return err
}
