package definition

import "slices"

// Follower is a reference through which records are seen: who may see a record may
// see those of Type whose field Field names it, too.
type Follower struct{ Type, Field string }

// derive works out what follows from the types once all of them are known, so
// that nobody has to look for it again with every change.
func derive(a *App) {
	for _, name := range a.Order {
		t := a.Types[name]
		t.Computes = computedOrder(t)
		for _, field := range t.Order {
			f := t.Fields[field]
			if f.Where != nil {
				t.Narrowed = append(t.Narrowed, field)
			}
			if len(f.Fill) > 0 {
				t.Filling = append(t.Filling, field)
			}
		}
		for _, k := range t.Audience {
			f := t.Fields[k.Name]
			if k.Kind != AudienceVia || f == nil || slices.Contains(t.Linked, k.Name) {
				continue
			}
			t.Linked = append(t.Linked, k.Name)
			if to := a.Types[f.To]; to != nil {
				to.Followers = append(to.Followers, Follower{name, k.Name})
			}
		}
	}
	for range a.Order { // a chain has at most a step a type, and no chain is a circle
		for _, t := range a.Types {
			for _, field := range t.Linked {
				if to := a.Types[t.Fields[field].To]; to != nil {
					t.Depth = min(max(t.Depth, to.Depth+1), len(a.Order))
				}
			}
		}
	}
}

// computedOrder lists the computed fields, each after those that it looks at.
func computedOrder(t *Type) []string {
	var out []string
	var visit func(name string, depth int)
	visit = func(name string, depth int) {
		f := t.Fields[name]
		if f == nil || f.Computed == nil || slices.Contains(out, name) || depth > len(t.Order) {
			return
		}
		for _, n := range f.Computed.Fields() {
			visit(n, depth+1)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	for _, name := range t.Order {
		visit(name, 0)
	}
	return out
}
