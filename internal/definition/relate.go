package definition

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
)

// partOf reads what the records of a type are parts of, and gives the type the
// reference to it.
func (r *reader) partOf(a *App, d *draft) {
	e := d.o["part_of"]
	of := r.text(e, 63)
	if of == "" {
		return
	}
	whole := a.Types[of]
	if whole == nil {
		r.unknown(e.value, "type", of, sortedKeys(a.Types))
		return
	}
	if builtIn[of] != nil {
		r.errorf(e.value, "give the type another name", "every record has %s already, so parts can't name what they are a part of", of)
		return
	}
	d.PartOf = of
	whole.Parts = append(whole.Parts, d.Name)
	d.Fields[of] = &Field{Name: of, Title: whole.Title, Type: Reference, To: of, Required: true, Policy: Server}
	d.Order = append(d.Order, of)
}

// partsInCircles finds types that are parts of themselves, by whatever way.
func (r *reader) partsInCircles(a *App, drafts []*draft) {
	for _, d := range drafts {
		seen := map[string]bool{}
		for of := d.PartOf; of != "" && !seen[of]; of = a.Types[of].PartOf {
			if of == d.Name {
				r.errorf(d.o["part_of"].value, "take it out of one of them", "a record of type %s would be a part of itself", d.Name)
				d.PartOf = ""
				break
			}
			seen[of] = true
		}
	}
}

// viaInCircles finds audiences that lead back to themselves. What a record's
// audience comes from must end somewhere, whatever its references name.
func (r *reader) viaInCircles(drafts []*draft) {
	leads := map[string][]string{}
	for _, d := range drafts {
		for _, k := range d.Audience {
			if f := d.Fields[k.Name]; k.Kind == AudienceVia && f != nil {
				leads[d.Name] = append(leads[d.Name], f.To)
			}
		}
	}
	for _, d := range drafts {
		seen := map[string]bool{}
		next := slices.Clone(leads[d.Name])
		for len(next) > 0 {
			name := next[0]
			next = next[1:]
			if name == d.Name {
				at := d.at
				if d.o["audience"].at != nil {
					at = d.o["audience"].at
				}
				r.errorf(at, "name a role, user or team instead of via", "who may see a record of type %s would depend on itself", d.Name)
				break
			}
			if !seen[name] {
				seen[name] = true
				next = append(next, leads[name]...)
			}
		}
	}
}

// referring reads where and fill of a reference.
func (r *reader) referring(a *App, d *draft, f *Field, o map[string]entry) {
	where, fill := o["where"], o["fill"]
	if where.value == nil && fill.value == nil {
		return
	}
	target := a.Types[f.To]
	if target == nil {
		for _, e := range []entry{where, fill} {
			if e.value != nil && f.Type != Reference && f.Type != References {
				r.errorf(e.at, "type: reference", "a field of type %s refers to nothing", f.Type)
			}
		}
		return
	}
	s := d.targets[f.To]
	if s == nil {
		s = newScope(view{record: d.Type, target: target})
		d.targets[f.To] = s
	}
	f.Where = r.expr(where, s, types.BoolType)
	if fill.value == nil {
		return
	}
	if f.Type != Reference {
		r.errorf(fill.at, "type: reference", "only a single reference can fill other fields")
		return
	}
	for _, x := range r.entries(fill.value, "fill") {
		to := d.Fields[x.key]
		switch {
		case to == nil:
			r.unknown(x.at, "field", x.key, d.Order)
			continue
		case to == f || x.key == d.PartOf || d.fields[x.key]["computed"].value != nil:
			r.errorf(x.at, "fill another field", "%s can't be filled in", x.key)
			continue
		}
		if v := r.expr(x, s, celType(to.Type)); v != nil {
			f.Fill = append(f.Fill, SetExpr{x.key, v})
		}
	}
}

// computed reads what the server works out.
func (r *reader) computed(d *draft, f *Field, o map[string]entry) {
	e := o["computed"]
	if e.value == nil {
		return
	}
	for _, word := range []string{"required", "default", "conflict", "unique", "where", "fill"} {
		if o[word].value != nil {
			r.errorf(o[word].at, "take it out", "%s does not go with computed: nobody enters %s", word, f.Name)
		}
	}
	f.Computed = r.expr(e, d.record, celType(f.Type))
}

// computedInCircles finds computed fields that need themselves. Each is worked
// out once, after those that it looks at.
func (r *reader) computedInCircles(d *draft) {
	for _, name := range d.Order {
		f := d.Fields[name]
		if f.Computed == nil {
			continue
		}
		seen := map[string]bool{}
		next := slices.Clone(f.Computed.Fields())
		for len(next) > 0 {
			n := next[0]
			next = next[1:]
			if n == name {
				r.errorf(d.fields[name]["computed"].value, "look at fields that people enter", "%s is computed from itself", name)
				break
			}
			if g := d.Fields[n]; g != nil && g.Computed != nil && !seen[n] {
				seen[n] = true
				next = append(next, g.Computed.Fields()...)
			}
		}
	}
}

// file reads the bounds of files.
func (r *reader) files(f *Field, o map[string]entry) {
	is := f.Type == Attachment || f.Type == Attachments || f.Type == Signature
	for _, word := range []string{"max_size", "accept"} {
		if o[word].value != nil && !is {
			r.errorf(o[word].at, "type: attachment", "%s does not apply to a field of type %s", word, f.Type)
			return
		}
	}
	if e := o["max_size"]; e.value != nil {
		f.MaxSize = r.size(e)
	}
	for _, n := range r.names(o["accept"]) {
		if !mediaType.MatchString(n.text) {
			r.errorf(n.at, "image/* or application/pdf", "%q is no media type", n.text)
			continue
		}
		f.Accept = append(f.Accept, n.text)
	}
}

// convert reads what was renamed in which version.
func (r *reader) convert(a *App, e entry) {
	if e.value == nil {
		return
	}
	var all []renaming
	for _, n := range r.list(e, "convert: [{to: 2, type: visit, rename: {note: notes}}]") {
		o := r.object(n, "a conversion", "to", "type", "rename", "statuses", "transitions")
		c := Conversion{To: r.number(o["to"], 2), Type: r.text(o["type"], 63)}
		if o["to"].value == nil {
			r.errorf(n, "to: VERSION", "the conversion does not say in which version it happened")
		} else if a.Version > 0 && c.To > a.Version {
			r.errorf(o["to"].value, "convert to this version, or an earlier one", "this is version %d", a.Version)
		}
		t := a.Types[c.Type]
		if t == nil {
			at := n
			if o["type"].value != nil {
				at = o["type"].value
			}
			r.unknown(at, "type", c.Type, sortedKeys(a.Types))
			continue
		}
		var statuses, moves []string
		if t.Lifecycle != nil {
			statuses, moves = t.Lifecycle.Order, t.Lifecycle.Moves
		}
		past := c.To < a.Version // what has the name now may be something else
		c.Rename = r.renamed(o["rename"], "field", t.Order, past)
		c.Statuses = r.renamed(o["statuses"], "status", statuses, past)
		c.Transitions = r.renamed(o["transitions"], "transition", moves, past)
		a.Convert = append(a.Convert, c)
		for _, n := range []renaming{
			{o["rename"], "field", c, t.Order, func(c *Conversion) map[string]string { return c.Rename }},
			{o["statuses"], "status", c, statuses, func(c *Conversion) map[string]string { return c.Statuses }},
			{o["transitions"], "transition", c, moves, func(c *Conversion) map[string]string { return c.Transitions }},
		} {
			if n.e.value != nil {
				all = append(all, n)
			}
		}
	}
	r.leadOn(a, all)
	slices.SortStableFunc(a.Convert, func(x, y Conversion) int { return int(x.To - y.To) })
}

// renaming is one kind of names in a conversion.
type renaming struct {
	e     entry
	what  string
	of    Conversion
	known []string // that there are now
	names func(*Conversion) map[string]string
}

// leadOn finds names that lead nowhere: each is there now, or is renamed again in
// a later version.
func (r *reader) leadOn(a *App, all []renaming) {
	for _, n := range all {
		for _, x := range r.entries(n.e.value, n.e.key) {
			to := n.names(&n.of)[x.key]
			later := slices.ContainsFunc(a.Convert, func(c Conversion) bool {
				_, again := n.names(&c)[to]
				return again && c.Type == n.of.Type && c.To > n.of.To
			})
			if to != "" && !later && !slices.Contains(n.known, to) {
				r.unknown(x.value, n.what, to, n.known)
			}
		}
	}
}

// renamed reads old names with the new ones that they lead to.
func (r *reader) renamed(e entry, what string, known []string, past bool) map[string]string {
	if e.value == nil {
		return nil
	}
	out := map[string]string{}
	for _, x := range r.entries(e.value, e.key) {
		to := r.text(x, 63)
		switch {
		case slices.Contains(known, x.key) && !past:
			r.errorf(x.at, "name what it was called before; of an older conversion say which version this is", "%s %q is there now", what, x.key)
		default:
			out[x.key] = to
		}
	}
	return out
}

// sizes of files, in bytes.
var units = []struct {
	name  string
	bytes int64
}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"B", 1}}

// size reads bytes: 500KB, 10MB.
func (r *reader) size(e entry) int64 {
	text := r.text(e, 20)
	for _, u := range units {
		if number, ok := strings.CutSuffix(text, u.name); ok {
			n, err := parsePositive(number)
			if err == nil && n <= maxFile/u.bytes {
				return n * u.bytes
			}
			break
		}
	}
	r.errorf(e.value, "10MB, at most 1GB", "%s is a size such as 500KB or 10MB", e.key)
	return 0
}
