package publish

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
	"github.com/landfall-sync/landfall/internal/wire"
)

// errShared ends a publication that would make unique what records share.
var errShared = landfall.Errorf(landfall.CodeConflict, "records share a value that would be unique")

// uniqueFields are those of a type, in its order; none of no type.
func uniqueFields(t *definition.Type) (out []string) {
	if t == nil {
		return nil
	}
	for _, name := range t.Order {
		if t.Fields[name].Unique {
			out = append(out, name)
		}
	}
	return out
}

// claims reports whether the values that records of a type hold as theirs alone
// are to be found anew: other fields are unique, or have other names.
func (a *audiences) claims(was, is *definition.Type) bool {
	now := uniqueFields(is)
	return !slices.Equal(uniqueFields(was), now) || len(now) > 0 && a.converts(is.Name)
}

// release lets go of all values of a type. A value may still be held that no field
// holds any more, so this comes before any is claimed.
func (a *audiences) release(typ string) error {
	for after := ""; ; {
		ids, err := a.r.RecordsOf(a.ws, typ, after, chunk)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := a.to.Release(typ, id); err != nil {
				return err
			}
		}
		after = ids[len(ids)-1]
	}
}

// shared are the fields of a type in which records hold what another one holds.
func (p placer) shared(typ string, n map[string]int) (out []wire.Problem) {
	for _, field := range slices.Sorted(maps.Keys(n)) {
		out = append(out, p.problem("types:", false,
			fmt.Sprintf("the field %s.%s can't be unique: %d of the records have a value there that another one has", typ, field, n[field]),
			"give each a value of its own first; `landfall app rehearse FILE` names some of them"))
	}
	return out
}

// Release implements mover.
func (m *moves) Release(typ, id string) error { return m.w.SetUnique(m.ws, typ, id, nil) }

// Claim implements mover.
func (m *moves) Claim(typ, id string, values map[string]string) (taken []string, err error) {
	free := maps.Clone(values)
	for _, field := range slices.Sorted(maps.Keys(values)) {
		holder, err := m.w.Unique(m.ws, typ, field, values[field])
		if err != nil {
			return nil, err
		}
		if holder != "" {
			taken = append(taken, field)
			delete(free, field)
		}
	}
	return taken, m.w.SetUnique(m.ws, typ, id, free)
}

// trial only counts. It remembers which values are taken, as their hashes.
type trial struct{ taken map[[16]byte]bool }

// Release implements mover.
func (trial) Release(string, string) error { return nil }

// Claim implements mover.
func (t trial) Claim(typ, _ string, values map[string]string) (taken []string, err error) {
	for _, field := range slices.Sorted(maps.Keys(values)) {
		sum := sha256.Sum256([]byte(typ + "\x00" + field + "\x00" + values[field]))
		key := [16]byte(sum[:])
		if t.taken[key] {
			taken = append(taken, field)
		}
		t.taken[key] = true
	}
	return taken, nil
}
