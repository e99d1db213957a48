package core

import (
	"maps"
	"slices"
	"time"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/definition"
)

// ConvertMutation is a mutation that was made under an older definition in the
// names of the app's: step by step, through each version that renamed something
// since. What it says beside names stays, and so does a name of which two would
// become one: that is for a person to decide. m is not changed.
func ConvertMutation(app *definition.App, m landfall.Mutation) landfall.Mutation {
	if m.Definition <= 0 || m.Definition >= app.Version {
		return m
	}
	for i := range app.Convert {
		c := &app.Convert[i]
		if c.Type != m.Type || c.To <= m.Definition || c.To > app.Version {
			continue
		}
		m.Set = renamed(c.Rename, m.Set)
		m.Transition = newName(c.Transitions, m.Transition)
		if m.Base != nil {
			b := *m.Base
			b.Was, b.Status = renamed(c.Rename, b.Was), newName(c.Statuses, b.Status)
			m.Base = &b
		}
	}
	return m
}

// convertRun is the run with every mutation in the names of the app's definition.
func convertRun(app *definition.App, run []Step) []Step {
	old := func(s Step) bool { return s.Mutation.Definition > 0 && s.Mutation.Definition < app.Version }
	if len(app.Convert) == 0 || !slices.ContainsFunc(run, old) {
		return run
	}
	run = slices.Clone(run)
	for i := range run {
		run[i].Mutation = ConvertMutation(app, run[i].Mutation)
	}
	return run
}

func newName(names map[string]string, name string) string {
	if to, is := names[name]; is {
		return to
	}
	return name
}

// renamed are the fields under their new names.
func renamed[V any](names map[string]string, fields map[string]V) map[string]V {
	if !slices.ContainsFunc(slices.Collect(maps.Keys(names)), func(n string) bool { _, is := fields[n]; return is }) {
		return fields
	}
	out := make(map[string]V, len(fields))
	for name, v := range fields {
		if _, is := names[name]; !is {
			out[name] = v
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		to, is := names[name]
		if _, taken := out[to]; taken {
			to = name
		}
		if is {
			out[to] = fields[name]
		}
	}
	return out
}

// convertChanges are changes of records in the names of the app's definition. Each
// has the names of its place in the sequence, whatever definition the author of a
// mutation knew: a device may have a new one before it has the record.
func convertChanges(app *definition.App, changes []landfall.Change) []landfall.Change {
	if len(app.Convert) == 0 {
		return changes
	}
	changes = slices.Clone(changes)
	for i := range changes {
		x := &changes[i]
		for k := range app.Convert {
			c := &app.Convert[k]
			if c.Type == x.Type && c.To <= app.Version && (c.Seq == 0 || x.Seq < c.Seq) {
				x.Set = renamed(c.Rename, x.Set)
			}
		}
	}
	return changes
}

// Conversions are what the next definition renames in stored records when it takes
// the place of old: what it lists for its own version, and what it lists late. A
// late one leaves names alone that meanwhile mean something else.
func Conversions(old, next *definition.App) []definition.Conversion {
	var out []definition.Conversion
	for _, c := range next.Convert {
		t := next.Types[c.Type]
		was := old.Types[c.Type]
		if t == nil || was == nil || c.To > next.Version {
			continue
		}
		if c.To <= old.Version {
			if slices.ContainsFunc(old.Convert, func(o definition.Conversion) bool {
				return o.To == c.To && o.Type == c.Type && maps.Equal(o.Rename, c.Rename) && maps.Equal(o.Statuses, c.Statuses)
			}) {
				continue
			}
			late := c
			late.Rename, late.Statuses = maps.Clone(c.Rename), maps.Clone(c.Statuses)
			maps.DeleteFunc(late.Rename, func(name, _ string) bool { return was.Fields[name] != nil })
			maps.DeleteFunc(late.Statuses, func(name, _ string) bool { return was.Lifecycle != nil && was.Lifecycle.Statuses[name] != nil })
			c = late
		}
		if len(c.Rename)+len(c.Statuses) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// ConvertRecord is the record in new names; the record itself when nothing of it
// has another. A name of which two would become one stays.
func ConvertRecord(conversions []definition.Conversion, r *landfall.Record) *landfall.Record {
	out := r
	for i := range conversions {
		c := &conversions[i]
		if c.Type != r.Type {
			continue
		}
		n := *out
		n.Fields, n.Edits, n.Status = renamed(c.Rename, out.Fields), renamed(c.Rename, out.Edits), newName(c.Statuses, out.Status)
		out = &n
	}
	if out.Status == r.Status && sameNames(out.Fields, r.Fields) {
		return r
	}
	return out
}

// ConvertBase is a record as the author of a mutation saw it, in the names of the
// app's definition.
func ConvertBase(app *definition.App, made int64, r *landfall.Record) *landfall.Record {
	if r == nil || made <= 0 || made >= app.Version {
		return r
	}
	var since []definition.Conversion
	for _, c := range app.Convert {
		if c.To > made && c.To <= app.Version {
			since = append(since, c)
		}
	}
	return ConvertRecord(since, r)
}

func sameNames(a, b landfall.Fields) bool {
	return maps.EqualFunc(a, b, func(landfall.Value, landfall.Value) bool { return true })
}

// Converted is the history entry of a record that a publication converted.
func Converted(was, now *landfall.Record) landfall.Change {
	c := landfall.Change{Type: was.Type, ID: was.ID, Action: landfall.Updated, Derived: true}
	if was.Status != now.Status {
		c.Action, c.From, c.To = landfall.Moved, was.Status, now.Status
	}
	for _, name := range slices.Sorted(maps.Keys(was.Fields)) {
		if _, kept := now.Fields[name]; !kept {
			enter(&c.Set, name, nil)
			enter(&c.Was, name, was.Fields[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Fields)) {
		if _, had := was.Fields[name]; !had {
			enter(&c.Set, name, now.Fields[name])
			enter(&c.Was, name, nil)
		}
	}
	return c
}

// Unique are the values that the record holds in its unique fields; nil when its
// type has none.
func Unique(t *definition.Type, r *landfall.Record) map[string]string { return uniques(t, r) }

// Valid reports whether the record, by itself, is as the definition says: of the
// types, with what must be there, and with checks that hold.
func Valid(app *definition.App, r *landfall.Record, now time.Time) bool {
	t := app.Types[r.Type]
	if t == nil || (t.Lifecycle == nil) != (r.Status == "") || t.Lifecycle != nil && t.Lifecycle.Statuses[r.Status] == nil {
		return false
	}
	vars := &definition.Vars{Type: t, Record: r, Was: r, Now: now}
	return !slices.ContainsFunc(t.Order, func(name string) bool { return plainFault(t, t.Fields[name], vars) != nil })
}
