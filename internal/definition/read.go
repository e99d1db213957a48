package definition

import (
	"maps"
	"slices"
)

// Formerly are names of a type's fields, with those that they had in older
// definitions, and before that.
func (a *App) Formerly(typ string, names []string) []string {
	for i := len(a.Convert) - 1; i >= 0 && len(names) > 0; i-- {
		c := &a.Convert[i]
		if c.Type != typ {
			continue
		}
		for _, old := range slices.Sorted(maps.Keys(c.Rename)) {
			if slices.Contains(names, c.Rename[old]) && !slices.Contains(names, old) {
				names = append(names, old)
			}
		}
	}
	return names
}

// Seal is what is sealed when next takes the place of old: what old kept from some
// role, or had sealed, and next neither has nor calls by another name.
func Seal(old, next *App) map[string][]string {
	out := map[string][]string{}
	has := func(typ, field string) bool {
		t := next.Types[typ]
		return t != nil && slices.Contains(next.Formerly(typ, slices.Clone(t.Order)), field)
	}
	add := func(typ string, fields []string) {
		for _, name := range fields {
			if !has(typ, name) && !slices.Contains(out[typ], name) {
				out[typ] = append(out[typ], name)
			}
		}
		slices.Sort(out[typ])
	}
	for typ, fields := range old.Sealed {
		add(typ, fields)
	}
	for typ, t := range old.Types {
		add(typ, old.Formerly(typ, t.Guarded()))
	}
	for typ, fields := range out {
		if len(fields) == 0 {
			delete(out, typ)
		}
	}
	return out
}

// Guarded are the fields that some role may not read, in the type's order.
func (t *Type) Guarded() []string {
	var out []string
	for _, name := range t.Order {
		for _, right := range t.Rights {
			if slices.Contains(right.Unread, name) {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// Hidden are the fields that nobody with just these roles may read, in the type's
// order. A field that some role may not read is read by those who hold a role of
// the type's rights that may; any other field by all who may see the record.
func (t *Type) Hidden(roles []string) []string {
	var out []string
	for _, name := range t.Guarded() {
		if !slices.ContainsFunc(roles, func(role string) bool {
			right := t.Rights[role]
			return right != nil && !slices.Contains(right.Unread, name)
		}) {
			out = append(out, name)
		}
	}
	return out
}
