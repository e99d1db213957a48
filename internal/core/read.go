package core

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// Sight is what somebody's roles let them read of the records that they receive:
// it takes the fields that they may not read out of what is sent to them. Who
// receives a record is its audience's matter. It is for one caller at one state,
// and not safe for concurrent use.
type Sight struct {
	app    *definition.App
	roles  []string
	hidden map[string][]string // by type, once asked for
}

// SightOf is the sight of somebody who holds just these roles. The app may be nil:
// then there is nothing that could be hidden.
func SightOf(app *definition.App, a *landfall.Actor) *Sight {
	return &Sight{app: app, roles: a.Roles, hidden: map[string][]string{}}
}

// Hidden are the fields of a type that may not be read, with the names that they
// had in older definitions, and those that are sealed. Usually there are none.
func (s *Sight) Hidden(typ string) []string {
	if s.app == nil {
		return nil
	}
	if names, known := s.hidden[typ]; known {
		return names
	}
	var names []string
	if t := s.app.Types[typ]; t != nil {
		names = t.Hidden(s.roles)
	}
	names = s.app.Formerly(typ, names)
	for _, name := range s.app.Sealed[typ] {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	s.hidden[typ] = names
	return names
}

// Hides reports whether a field may not be read.
func (s *Sight) Hides(typ, field string) bool { return slices.Contains(s.Hidden(typ), field) }

// Mark is short and says which fields are hidden, of all types: two sights of one
// mark read the same. It is empty when nothing is hidden.
func (s *Sight) Mark() string {
	if s.app == nil {
		return ""
	}
	var lines []string
	types := slices.AppendSeq(slices.Clone(s.app.Order), maps.Keys(s.app.Sealed))
	slices.Sort(types)
	for _, typ := range slices.Compact(types) {
		for _, name := range s.Hidden(typ) {
			lines = append(lines, typ+"."+name)
		}
	}
	if len(lines) == 0 {
		return ""
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:8])
}

// Record is the record as it may be read: its fields and their edits; nil for nil.
// The record itself is not changed.
func (s *Sight) Record(r *landfall.Record) *landfall.Record {
	if r == nil || len(s.Hidden(r.Type)) == 0 {
		return r
	}
	out := *r
	out.Fields = s.fields(r.Type, r.Fields)
	out.Edits = maps.Clone(r.Edits)
	for _, name := range s.Hidden(r.Type) {
		delete(out.Edits, name)
	}
	return &out
}

func (s *Sight) fields(typ string, of landfall.Fields) landfall.Fields {
	out := of.Clone()
	for _, name := range s.Hidden(typ) {
		delete(out, name)
	}
	return out
}

// Mutation is somebody else's mutation as it may be read.
func (s *Sight) Mutation(m *landfall.Mutation) *landfall.Mutation {
	if m == nil || len(s.Hidden(m.Type)) == 0 {
		return m
	}
	out := *m
	out.Set = s.fields(m.Type, m.Set)
	if m.Base != nil {
		base := *m.Base
		base.Was = s.fields(m.Type, base.Was)
		out.Base = &base
	}
	return &out
}

// Changes are a record's changes as they may be read. An update of which nothing
// is left is none.
func (s *Sight) Changes(changes []landfall.Change) []landfall.Change {
	out := make([]landfall.Change, 0, len(changes))
	for i := range changes {
		c := changes[i]
		if len(s.Hidden(c.Type)) > 0 {
			some := len(c.Set)+len(c.Lost) > 0
			c.Set, c.Was, c.Lost = s.fields(c.Type, c.Set), s.fields(c.Type, c.Was), s.fields(c.Type, c.Lost)
			if some && c.Action == landfall.Updated && len(c.Set)+len(c.Lost) == 0 {
				continue
			}
		}
		out = append(out, c)
	}
	return out
}
