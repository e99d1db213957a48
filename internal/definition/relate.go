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
