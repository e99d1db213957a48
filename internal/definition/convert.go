package definition

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// unread is a conversion before its names are looked up.
type unread struct {
	Conversion
	o map[string]entry
}

// convert reads what was renamed in which version. A name may have been renamed
// again later: the compiled conversion has the name of now.
func (r *reader) convert(a *App, e entry) {
	var all []unread
	for _, n := range r.list(e, "convert: [{to: 2, type: visit, rename: {note: notes}}]") {
		if c, ok := r.conversion(a, n); ok {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(x, y unread) int { return int(x.To - y.To) })
	later := map[string]map[string]string{} // by type and kind of name: what the names were renamed to since
	for i, c := range slices.Backward(all) {
		t := a.Types[c.Type]
		statuses, moves := lifecycleOf(t)
		for _, x := range []struct {
			word, what string
			known      []string
			to         *map[string]string
		}{{"rename", "field", t.Order, &all[i].Rename}, {"statuses", "status", statuses, &all[i].Statuses}, {"transitions", "transition", moves, &all[i].Transitions}} {
			since := later[c.Type+" "+x.word]
			if since == nil {
				since = map[string]string{}
				later[c.Type+" "+x.word] = since
			}
			*x.to = r.renamed(c.o[x.word], x.what, x.known, since)
			for from, to := range *x.to {
				since[from] = to
			}
		}
	}
	for _, c := range all {
		a.Convert = append(a.Convert, c.Conversion)
	}
}

func (r *reader) conversion(a *App, n *yaml.Node) (unread, bool) {
	o := r.object(n, "a conversion", "to", "type", "rename", "statuses", "transitions")
	c := unread{Conversion{To: r.number(o["to"], 2), Type: r.text(o["type"], 63)}, o}
	if o["to"].value == nil {
		r.errorf(n, "to: VERSION", "the conversion does not say in which version it happened")
	} else if a.Version > 0 && c.To > a.Version {
		r.errorf(o["to"].value, "convert to this version, or an earlier one", "this is version %d", a.Version)
	}
	if a.Types[c.Type] == nil {
		at := n
		if o["type"].value != nil {
			at = o["type"].value
		}
		r.unknown(at, "type", c.Type, sortedKeys(a.Types))
		return c, false
	}
	return c, true
}

// renamed reads old names with the new ones that they lead to, which may have been
// renamed again since.
func (r *reader) renamed(e entry, what string, known []string, since map[string]string) map[string]string {
	if e.value == nil {
		return nil
	}
	out := map[string]string{}
	for _, x := range r.entries(e.value, e.key) {
		to := r.text(x, 63)
		if now := since[to]; now != "" {
			to = now
		}
		switch {
		case !slices.Contains(known, to):
			r.unknown(x.value, what, to, known)
		case slices.Contains(known, x.key):
			r.errorf(x.at, "name what it was called before", "%s %q is there now", what, x.key)
		default:
			out[x.key] = to
		}
	}
	return out
}
