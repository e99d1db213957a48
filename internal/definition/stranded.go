package definition

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Stranded says what of the published definition the next one leaves behind:
// records, or changes on their way, that have what the next one does not know any
// more, or lack what it asks for. Each is a warning at its place in the next one's
// source, with the conversion that would carry it over. Conversions of the next
// definition to a version after old's are taken into account; an old.Version of 0
// is one that is not known, and all of them are.
func Stranded(file string, old, next *App) []Problem {
	s := &stranding{reader: &reader{file: file}, old: old, next: next, to: next.Version}
	if s.to == 0 {
		s.to = old.Version + 1
	}
	s.to = max(s.to, 2)
	var doc yaml.Node
	if yaml.Unmarshal(next.Source, &doc) == nil && len(doc.Content) == 1 {
		s.root = doc.Content[0]
	}
	for _, name := range old.Order {
		s.typ(old.Types[name], next.Types[name])
	}
	s.conversions()
	s.unsealed()
	sort.SliceStable(s.problems, func(i, j int) bool { return s.problems[i].Line < s.problems[j].Line })
	return s.problems
}

type stranding struct {
	*reader
	old, next *App
	to        int64 // the version that a new conversion is to
	root      *yaml.Node
}

// place is the key at the end of the path, or the last one on it that is there.
func (s *stranding) place(path ...string) *yaml.Node {
	at, n := &yaml.Node{Line: 1, Column: 1}, s.root
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return at
		}
		i := 0
		for i+1 < len(n.Content) && n.Content[i].Value != key {
			i += 2
		}
		if i+1 >= len(n.Content) {
			return at
		}
		at, n = n.Content[i], n.Content[i+1]
	}
	return at
}

// converted follows a name through the conversions that come after the old version.
func (s *stranding) converted(typ, name string, of func(*Conversion) map[string]string) string {
	for i := range s.next.Convert {
		c := &s.next.Convert[i]
		if c.Type == typ && c.To > s.old.Version {
			if to := of(c)[name]; to != "" {
				name = to
			}
		}
	}
	return name
}

func fieldsRenamed(c *Conversion) map[string]string      { return c.Rename }
func statusesRenamed(c *Conversion) map[string]string    { return c.Statuses }
func transitionsRenamed(c *Conversion) map[string]string { return c.Transitions }

func (s *stranding) typ(was, is *Type) {
	if is == nil {
		s.warnf(s.place("types"), "leave it in, with rights: {ROLE: {}}; types can't be renamed",
			"the type %s of the published version is gone: its records stay readable, and changes to them become issues of the kind outdated", was.Name)
		s.sealed(s.place("types"), was, was.Guarded())
		return
	}
	if was.PartOf != is.PartOf {
		s.warnf(s.place("types", is.Name, "part_of"), "make a new type of it", "records of type %s were parts of %s before: those there are keep what they were made with", is.Name, orNothing(was.PartOf))
	}
	var gone []string
	guarded, left := was.Guarded(), is.Guarded()
	for _, name := range was.Order {
		to := s.converted(was.Name, name, fieldsRenamed)
		f := is.Fields[to]
		if f == nil {
			gone = append(gone, name)
			continue
		}
		s.field(is, was.Fields[name], f)
		if slices.Contains(guarded, name) && !slices.Contains(left, to) {
			s.warnf(s.place("types", is.Name, "rights"), fmt.Sprintf("keep read: {not: [%s]} with a role that is not to read it", to),
				"the field %s.%s was kept from some roles: from now on, all who receive the record read it, with what is stored there", is.Name, to)
		}
	}
	s.sealed(s.place("types", is.Name, "fields"), was, slices.DeleteFunc(guarded, func(name string) bool { return !slices.Contains(gone, name) }))
	fresh := func(field string) bool { return was.Fields[field] == nil }
	for _, name := range gone {
		candidates := slices.DeleteFunc(slices.Clone(is.Order), func(n string) bool { return !fresh(n) || is.Fields[n].Type != was.Fields[name].Type })
		s.gone(s.place("types", is.Name, "fields"), "field", "rename", is.Name, name, candidates, "values stay as they are stored, and changes to it become issues of the kind outdated")
	}
	for _, name := range is.Order {
		s.demanded(was, is.Name, is.Fields[name])
	}
	s.lifecycle(was, is)
}

// sealed tells of what nobody reads any more.
func (s *stranding) sealed(at *yaml.Node, was *Type, fields []string) {
	for _, name := range fields {
		s.warnf(at, "keep the field for those who are to read it, or clear it first",
			"the field %s.%s was kept from some roles: what is stored there is read by nobody from now on", was.Name, name)
	}
}

// unsealed tells of fields that are back without what kept them from some roles.
func (s *stranding) unsealed() {
	for _, typ := range sortedKeys(s.old.Sealed) {
		is := s.next.Types[typ]
		if is == nil {
			continue
		}
		guarded := is.Guarded()
		for _, field := range is.Order {
			if slices.Contains(guarded, field) {
				continue
			}
			for _, name := range s.next.Formerly(typ, []string{field}) {
				if slices.Contains(s.old.Sealed[typ], name) {
					s.warnf(s.place("types", typ, "fields", field), "give the field another name, or keep it from the roles that are not to read it",
						"the field %s.%s is back, and was kept from some roles before: all who receive the record read what is stored there", typ, name)
				}
			}
		}
	}
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// gone tells of a name that is not there any more, with the conversion to the most
// likely new one.
func (s *stranding) gone(at *yaml.Node, what, word, typ, name string, candidates []string, then string) {
	to := Nearest(name, candidates)
	if to == "" && len(candidates) == 1 {
		to = candidates[0]
	}
	ask := "if it was renamed"
	if to == "" {
		to, ask = "NEW_NAME", "name what takes its place"
	}
	s.warnf(at, fmt.Sprintf("%s: convert: [{to: %d, type: %s, %s: {%s: %s}}]", ask, s.to, typ, word, name, to),
		"the %s %s.%s of the published version is gone: %s", what, typ, name, then)
}

// field tells of values that the field does not take any more.
func (s *stranding) field(t *Type, was, is *Field) {
	at := func(word string) *yaml.Node { return s.place("types", t.Name, "fields", is.Name, word) }
	name := t.Name + "." + is.Name
	switch {
	case was.Type != is.Type && !widened[[2]FieldType{was.Type, is.Type}]:
		s.warnf(at("type"), "give the new field another name; a conversion renames, and does not change values",
			"the field %s was of type %s and is of type %s now: records that have a value keep it, and may be refused until it is set again", name, was.Type, is.Type)
		return
	case was.To != is.To:
		s.warnf(at("to"), "give the new field another name", "the field %s referred to %s and refers to %s now: references that are stored lead nowhere", name, was.To, is.To)
	}
	var lost []string
	for _, c := range was.Choices {
		if len(is.Choices) > 0 && !slices.ContainsFunc(is.Choices, func(x Choice) bool { return x.Value == c.Value }) {
			lost = append(lost, c.Value)
		}
	}
	if len(lost) > 0 {
		s.warnf(at("choices"), "leave them in, last and with titles that say so", "the field %s lost choices: %s: records that have them are refused until another is chosen", name, strings.Join(lost, ", "))
	}
	if was.limit() > is.limit() {
		s.warnf(at("max"), fmt.Sprintf("max: %d, as it was", was.limit()), "the field %s takes %d at most, and took %d: records that have more are refused until it is shorter", name, is.limit(), was.limit())
	}
	if is.Unique && !was.Unique {
		s.warnf(at("unique"), "`landfall app rehearse FILE` finds records that share a value; mend them first", "the field %s is unique now: while records share a value there, this can't be published", name)
	}
}

// widened are the changes of type under which every value stays what it is.
var widened = map[[2]FieldType]bool{{Text, LongText}: true, {LongText, Text}: true}

// demanded tells of fields that are mandatory now, and that records may lack.
func (s *stranding) demanded(was *Type, typ string, f *Field) {
	if !f.Required || f.Computed != nil {
		return
	}
	for old, g := range was.Fields {
		if s.converted(typ, old, fieldsRenamed) == f.Name && g.Required {
			return
		}
	}
	if f.Name == s.next.Types[typ].PartOf {
		return // said with part_of
	}
	s.warnf(s.place("types", typ, "fields", f.Name, "required"), "ask for it where it is needed: required: [STATUS]",
		"the field %s.%s is mandatory now: changes to records without it are refused until it is set", typ, f.Name)
}

func (s *stranding) lifecycle(was, is *Type) {
	if was.Lifecycle == nil && is.Lifecycle != nil {
		s.warnf(s.place("types", is.Name, "lifecycle"), "make a new type of it", "records of type %s had no status: those there are keep none", is.Name)
	}
	statuses, moves := lifecycleOf(was)
	now, can := lifecycleOf(is)
	if is.Lifecycle == nil && len(statuses) > 0 {
		s.warnf(s.place("types", is.Name), "leave it in", "the lifecycle of %s is gone: transitions that devices made become issues of the kind outdated", is.Name)
		return
	}
	fresh := func(list, before []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return slices.Contains(before, x) })
	}
	for _, x := range statuses {
		if !slices.Contains(now, s.converted(is.Name, x, statusesRenamed)) {
			s.gone(s.place("types", is.Name, "lifecycle", "statuses"), "status", "statuses", is.Name, x, fresh(now, statuses), "records in it can't get on")
		}
	}
	for _, x := range moves {
		if !slices.Contains(can, s.converted(is.Name, x, transitionsRenamed)) {
			s.gone(s.place("types", is.Name, "lifecycle", "transitions"), "transition", "transitions", is.Name, x, fresh(can, moves), "where devices made it, it becomes an issue of the kind outdated")
		}
	}
}

// conversions tells of those to this version that would convert nothing.
func (s *stranding) conversions() {
	names := s.place("convert")
	for i := range s.next.Convert {
		c := &s.next.Convert[i]
		was := s.old.Types[c.Type]
		if was == nil || c.To <= s.old.Version || c.To != s.to {
			continue
		}
		statuses, moves := lifecycleOf(was)
		for _, x := range []struct {
			what    string
			renamed map[string]string
			known   []string
		}{{"field", c.Rename, was.Order}, {"status", c.Statuses, statuses}, {"transition", c.Transitions, moves}} {
			for _, from := range sortedKeys(x.renamed) {
				if !slices.Contains(x.known, from) {
					s.warnf(names, suggest(from, x.known), "the published version has no %s %s.%s: nothing is converted", x.what, c.Type, from)
				}
			}
		}
	}
}
