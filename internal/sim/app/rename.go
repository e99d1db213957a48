package app

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Next is a version that takes the place of this one. All names that were given
// stay; with rename, a few things get new ones.
func (a *App) Next(policy string, revised, rename bool) *App {
	n := Simulated(a.Version+1, policy, revised)
	for _, c := range a.Convert {
		n.renames(c)
	}
	n.Convert = slices.Clip(a.Convert)
	if rename {
		n.rename()
	}
	return n
}

// rename gives things new names as this version: of a job a field, a status and a
// transition, and a field of a part or of a task. Each time others, so that some of
// them have had three names when it comes round again.
func (a *App) rename() {
	turn := 0
	for i, c := range a.Convert {
		if i == 0 || a.Convert[i-1].To != c.To {
			turn++
		}
	}
	job := a.Type("job")
	field := job.Field([]string{a.now("job", "visits"), a.now("job", "code"), a.now("job", "visits"), a.now("job", "phone")}[turn%4])
	status, move := job.Statuses[1-turn%2], job.Moves[2*(turn%2)]
	other, name := a.Type("step"), a.now("step", "effort")
	if turn%2 == 1 {
		other, name = a.Type("task"), a.now("task", "place")
	}
	for _, c := range []Conversion{
		{Type: "job", Fields: a.again(field.Name), Statuses: a.again(status.Name), Moves: a.again(move.Name)},
		{Type: other.Name, Fields: a.again(name)},
	} {
		c.To = a.Version
		a.renames(c)
		a.Convert = append(a.Convert, c)
	}
}

// again is a name with the one that follows it.
func (a *App) again(name string) map[string]string {
	first, _, _ := strings.Cut(name, "_v")
	return map[string]string{name: first + "_v" + strconv.FormatInt(a.Version, 10)}
}

// now is what a field is called now that was called so at first.
func (a *App) now(typ, field string) string { return a.Called(0, typ, field) }

// Called is what a field is called now that was called so in a version.
func (a *App) Called(since int64, typ, field string) string {
	for _, c := range a.Convert {
		if to, is := c.Fields[field]; is && c.Type == typ && c.To > since {
			field = to
		}
	}
	return field
}

// renames gives the names of a conversion to all that has the old ones.
func (a *App) renames(c Conversion) {
	t := a.Type(c.Type)
	field, status := in(c.Fields), in(c.Statuses)
	for _, f := range t.Fields {
		field(&f.Name)
		if f.Where != nil {
			w := *f.Where
			field(&w.Unless)
			f.Where = &w
		}
		for i := range f.Fill {
			field(&f.Fill[i].Field)
		}
	}
	for i := range t.Rights {
		each(t.Rights[i].Fields, field)
	}
	for i := range t.Unread {
		each(t.Unread[i].Fields, field)
	}
	status(&t.Initial)
	for i := range t.Statuses {
		status(&t.Statuses[i].Name)
	}
	for i := range t.Audience {
		field(&t.Audience[i].Name)
		each(t.Audience[i].Statuses, status)
	}
	for _, m := range t.Moves {
		in(c.Moves)(&m.Name)
		status(&m.To)
		field(&m.Stamp)
		each(m.From, status)
		each(m.Requires, field)
	}
	for _, o := range a.Types {
		o.refers(t.Name, field, status)
	}
}

// refers renames what the fields of a type say of records of another.
func (t *Type) refers(to string, field, status func(*string)) {
	for _, f := range t.Fields {
		if typ, name, sums := strings.Cut(f.Sums, "."); sums && typ == to {
			field(&name)
			f.Sums = typ + "." + name
		}
		if f.To != to {
			continue
		}
		if f.Where != nil {
			w := *f.Where
			status(&w.Not)
			f.Where = &w
		}
		for i := range f.Fill {
			field(&f.Fill[i].From)
		}
	}
}

func in(names map[string]string) func(*string) {
	return func(name *string) {
		if to, is := names[*name]; is {
			*name = to
		}
	}
}

func each(names []string, rename func(*string)) {
	for i := range names {
		rename(&names[i])
	}
}

// Old are the conversions since a version, in order.
func (a *App) Old(since int64, typ string) []Conversion {
	var out []Conversion
	for _, c := range a.Convert {
		if c.Type == typ && c.To > since {
			out = append(out, c)
		}
	}
	return out
}

// Renamed are values under new names. A name of which two would become one stays.
func Renamed[V any](names map[string]string, values map[string]V) map[string]V {
	out := maps.Clone(values)
	for _, old := range slices.Sorted(maps.Keys(names)) {
		v, is := values[old]
		if _, taken := out[names[old]]; is && !taken {
			delete(out, old)
			out[names[old]] = v
		}
	}
	return out
}
