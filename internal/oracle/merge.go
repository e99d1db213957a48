package oracle

import (
	"slices"
	"strings"
	"time"
)

// merge works out the record with what was sent in it. It refuses nothing: the
// checks after it look at the result, and tell what it found.
func (j *judge) merge(x *try) *Outcome {
	x.next = x.r.clone()
	if x.Op == "create" {
		x.next = &Record{Type: x.Type, ID: x.ID, Fields: map[string]Value{}, CreatedBy: j.who.User, Edited: map[string]time.Time{}}
		if len(x.t.Statuses) > 0 {
			x.next.Status = x.t.Statuses[0].Name
		}
	}
	if x.Op == "delete" || x.Op == "restore" {
		return nil
	}
	if j.bad[x.ID] == nil {
		j.bad[x.ID] = map[string]bool{}
	}
	for name, entered := range x.Set {
		f := x.t.Field(name)
		if f == nil { // to clear what is not there is no fault
			j.bad[x.ID][name] = entered != "null"
			continue
		}
		v, ok := f.Stored(entered)
		j.bad[x.ID][name] = !ok
		seen := j.first(x, f)
		if ok {
			j.mergeField(x, f, v, seen)
		}
		key := x.ID + " " + name
		delete(j.tried, key)
		if j.bad[x.ID][name] {
			j.tried[key] = tried{f.form(entered), seen}
		}
	}
	return nil
}

// tried is a value that could not be taken, and the try with what it counts from.
type tried struct {
	value string
	from  *try
}

// form is how a device shows what was entered: as it would be stored, or as it is.
func (f *Field) form(entered string) string {
	if v, ok := f.Stored(entered); ok {
		return v
	}
	return entered
}

// first is the try with the base that its value of the field counts from: in an
// unbroken chain of what could not be taken, the first one's.
func (j *judge) first(x *try, f *Field) *try {
	t, is := j.tried[x.ID+" "+f.Name]
	if !is || t.value != f.form(x.Base.Was[f.Name]) {
		return x
	}
	s := *x.Step
	s.Base.Version, s.Base.Was = t.from.Base.Version, t.from.Base.Was
	c := *x
	c.Step = &s
	return &c
}

func (j *judge) mergeField(x *try, f *Field, sent Value, seen *try) {
	if x.Op == "create" {
		x.set(f.Name, sent)
		return
	}
	current := x.next.Fields[f.Name]
	was := f.form(seen.Base.Was[f.Name])
	touched := j.strange(seen)
	if !touched {
		for _, e := range seen.foreign() {
			touched = touched || slices.Contains(e.Fields, f.Name)
		}
	}
	if current == was || !touched {
		x.set(f.Name, sent)
		return
	}
	if current == sent && f.Merge != "add" {
		return
	}
	switch f.Merge {
	case "device":
		x.set(f.Name, sent)
	case "server":
		x.lost = true
	case "review":
		x.review = append(x.review, f.Name)
	case "add":
		v, fits := f.sum(current, sent, was)
		j.bad[x.ID][f.Name] = !fits
		if fits {
			x.set(f.Name, v)
		}
	case "union":
		j.take(x, f, union(current, sent, was))
	case "append":
		if !strings.HasPrefix(text(sent), text(was)) {
			x.review = append(x.review, f.Name)
			return
		}
		j.take(x, f, quoted(text(current)+strings.TrimPrefix(text(sent), text(was))))
	default:
		if x.Edited.After(x.next.Edited[f.Name]) {
			x.set(f.Name, sent)
		} else {
			x.lost = true
		}
	}
}

// take sets what a merge made, if the field takes it.
func (j *judge) take(x *try, f *Field, merged Value) {
	v, fits := f.Stored(merged)
	j.bad[x.ID][f.Name] = !fits
	if fits {
		x.set(f.Name, v)
	}
}
