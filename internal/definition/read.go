package definition

import "slices"

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
