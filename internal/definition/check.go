package definition

import (
	"slices"
	"strings"
)

// What only a whole type shows: whether what must be entered can be, and whether
// anybody sees it.

// enters reports whether the grant lets a field be written.
func (g *Grant) enters(field string) bool {
	return g != nil && (g.Fields == nil || slices.Contains(g.Fields, field))
}

// entered reports whether a role may write the field.
func (t *Type) entered(field string) bool {
	for _, right := range t.Rights {
		if right.Create.enters(field) || right.Update.enters(field) {
			return true
		}
	}
	return false
}

// gets reports whether the field can ever have a value.
func (t *Type) gets(field string) bool {
	f := t.Fields[field]
	if f == nil || f.DefaultKind != NoDefault || f.Computed != nil || field == t.PartOf || t.entered(field) {
		return true
	}
	if t.Lifecycle != nil {
		for _, m := range t.Lifecycle.Transitions {
			if setsField(m.Set, field) {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.Order, func(name string) bool { return setsField(t.Fields[name].Fill, field) })
}

func setsField(all []SetExpr, field string) bool {
	return slices.ContainsFunc(all, func(s SetExpr) bool { return s.Field == field })
}

// created reports whether a role may create records of the type.
func (t *Type) created() bool {
	for _, right := range t.Rights {
		if right.Create != nil {
			return true
		}
	}
	return false
}

// writable finds mandatory fields that nobody can fill in.
func (r *reader) writable(d *draft) {
	if len(d.Rights) > 0 && !d.created() {
		if d.PartOf != "" {
			r.warnf(d.at, "rights: {ROLE: {create: true}}", "no role may create records of type %s, which live as parts alone", d.Name)
		}
		return // there are none that could lack something
	}
	for _, name := range d.Order {
		f := d.Fields[name]
		if !f.Required && len(f.Statuses) == 0 || d.places[name] == nil {
			continue
		}
		if !d.gets(name) {
			r.errorf(d.places[name], "give a role the right, or a default", "the field %s is mandatory, but no role may write it", name)
		}
		r.blind(d, name)
	}
	if d.Lifecycle == nil {
		return
	}
	for _, m := range d.Lifecycle.Moves {
		for _, n := range r.names(d.requires[m]) {
			if f := d.Fields[n.text]; f != nil && !d.gets(n.text) {
				r.errorf(n.at, "give a role the right to update it, or take it out", "the transition %s requires %s, but no role may write it", m, n.text)
			}
		}
	}
}

// blind finds mandatory fields that those who must enter them may not read.
func (r *reader) blind(d *draft, name string) {
	if d.Fields[name].DefaultKind != NoDefault || d.Fields[name].Computed != nil {
		return
	}
	for _, role := range sortedKeys(d.Rights) {
		if right := d.Rights[role]; right.Create != nil && slices.Contains(right.Unread, name) {
			r.warnf(d.places[name], "let the role read it, or give the field a default", "the field %s is mandatory, but %s, who may create records, may not read it", name, role)
		}
	}
}

// open finds the types whose records somebody can see. Where it can't be told,
// because another problem is in the way, they are taken for open.
func open(drafts []*draft) map[string]bool {
	seen := map[string]bool{}
	for more := true; more; {
		more = false
		for _, d := range drafts {
			if !seen[d.Name] && (len(d.Audience) == 0 || slices.ContainsFunc(d.Audience, func(k AudienceKey) bool { return d.shut(k, seen) == "" })) {
				seen[d.Name], more = true, true
			}
		}
	}
	return seen
}

// shut says why an audience key lets nobody in; "" when it lets somebody in.
func (d *draft) shut(k AudienceKey, open map[string]bool) string {
	switch {
	case k.Kind == AudienceAll || k.Kind == AudienceRole:
		return ""
	case !d.gets(k.Name):
		return "nothing ever sets " + k.Name
	case k.Kind != AudienceVia || d.Fields[k.Name] == nil || open[d.Fields[k.Name].To]:
		return ""
	}
	return "nobody may see records of type " + d.Fields[k.Name].To
}

// readable finds audiences that let nobody in, and fields that nobody sees.
func (r *reader) readable(a *App, d *draft, open map[string]bool) {
	at := d.at
	if e := d.o["audience"]; e.value != nil {
		at = e.at
	}
	var shut []string
	for _, k := range d.Audience {
		if why := d.shut(k, open); why != "" {
			shut = append(shut, string(k.Kind)+":"+k.Name+" ("+why+")")
		}
	}
	switch {
	case len(shut) == 0:
	case len(shut) == len(d.Audience):
		r.errorf(at, "let a role write the field, give it a default, or add role:ROLE", "nobody may ever see a record of type %s: %s", d.Name, strings.Join(shut, ", "))
	default:
		r.warnf(at, "let a role write the field, or take the key out", "the audience lets nobody in by %s", strings.Join(shut, ", "))
	}
	if len(d.Rights) == len(a.Roles) {
		for _, name := range d.Order {
			unread := 0
			for _, right := range d.Rights {
				if slices.Contains(right.Unread, name) {
					unread++
				}
			}
			if unread > 0 && unread == len(d.Rights) {
				r.warnf(d.places[name], "let a role read it, or take it out", "no role may read the field %s", name)
			}
		}
	}
}

// shown warns of fields that no part of a form has, and no section shows.
func (r *reader) shown(a *App, drafts []*draft) {
	for _, d := range drafts {
		if len(d.Form) == 0 {
			continue
		}
		seen := map[string]bool{d.PartOf: true}
		see := func(names []string) {
			for _, n := range names {
				seen[n] = true
			}
		}
		for _, part := range d.Form {
			see(part.Fields)
		}
		for _, s := range a.Mobile.Sections {
			if s.Type == d.Name {
				see(s.Show)
			}
		}
		if d.Label != nil {
			see(d.Label.Fields())
		}
		for _, name := range d.Order {
			if !seen[name] && d.places[name] != nil {
				r.warnf(d.places[name], "name it in form, or take it out", "the field %s is shown nowhere", name)
			}
		}
	}
}

// moments warns of computed fields that look at what moves on by itself.
func (r *reader) moments(d *draft) {
	for _, name := range d.Order {
		f := d.Fields[name]
		if f.Computed == nil || len(f.Computed.reads.moving) == 0 {
			continue
		}
		at := d.fields[name]["computed"].value
		r.warnf(at, "compare with now where the value is used", "%s looks at %s, but is worked out only when the record changes", name, strings.Join(f.Computed.reads.moving, ", "))
	}
}
