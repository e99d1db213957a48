package core

import (
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// waits is the earliest open issue that the run depends on: one that holds a
// mutation of the same replica on a record of the run, on what that is a part of
// or other parts of it, or the creation of a record that the run refers to.
func (j *judging) waits() (string, error) {
	earliest := ""
	consider := func(issue string, err error) error {
		if issue == "" || issue == earliest || err != nil {
			return err
		}
		older := earliest == ""
		if !older {
			older, err = j.in.World.Older(issue, earliest)
		}
		if older {
			earliest = issue
		}
		return err
	}
	for i := range j.in.Run {
		m := &j.in.Run[i].Mutation
		if !judged[m.Op] {
			continue
		}
		if err := consider(j.in.World.Holder(m.Replica, m.ID)); err != nil {
			return "", err
		}
		wholes, err := Wholes(j.in.App, m, j.in.World.Record)
		if err != nil {
			return "", err
		}
		for _, id := range wholes {
			if err := consider(j.in.World.Holder(m.Replica, id)); err != nil {
				return "", err
			}
		}
		for _, ref := range Refs(j.in.App, m)[1:] {
			if err := consider(j.in.World.CreationHolder(m.Replica, ref)); err != nil {
				return "", err
			}
		}
	}
	return earliest, nil
}

// Refs lists the records that a mutation depends on: its own first, then those
// that the reference fields in its set name, in the order of the definition.
func Refs(app *definition.App, m *landfall.Mutation) []string {
	out := []string{m.ID}
	t := app.Types[m.Type]
	if t == nil {
		return out
	}
	for _, name := range t.Order {
		f := t.Fields[name]
		if f.Type != definition.Reference && f.Type != definition.References {
			continue
		}
		for _, id := range texts(m.Set[name]) {
			id = strings.ToLower(id)
			if !contains(out, id) {
				out = append(out, id)
			}
		}
	}
	return out
}
