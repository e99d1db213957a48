package oracle

import (
	"math/big"
	"slices"
)

// validity lists the fields that are at fault in what the run leaves: of all
// records that it changed, or tried to give values that can't be taken.
func (j *judge) validity() []string {
	var out []string
	for id, r := range j.w.Records {
		wrong := false
		for _, is := range j.bad[id] {
			wrong = wrong || is
		}
		if r.Deleted || j.after[id] == nil && !wrong {
			continue
		}
		for name, is := range j.bad[id] {
			if is {
				out = append(out, name)
			}
		}
		for _, f := range j.w.App.Type(r.Type).Fields {
			if !j.bad[id][f.Name] && !j.fine(r, f) {
				out = append(out, f.Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fine tells whether the record is valid as far as the field goes.
func (j *judge) fine(r *Record, f *Field) bool {
	v := r.Fields[f.Name]
	if v == "" {
		return !f.Required && !has(f.RequiredIn, r.Status) && !has(j.needs[r.ID], f.Name)
	}
	return f.aboveBound(r) && !j.taken(r, f) && j.leadsSomewhere(r, f)
}

// aboveBound: a check that meets an unset field does not run.
func (f *Field) aboveBound(r *Record) bool {
	if f.Above == "" {
		return true
	}
	bound, isNumber := new(big.Rat).SetString(f.Above)
	if !isNumber {
		if r.Fields[f.Above] == "" {
			return true
		}
		bound = number(r.Fields[f.Above])
	}
	return number(r.Fields[f.Name]).Cmp(bound) > 0
}

func (j *judge) taken(r *Record, f *Field) bool {
	for id, other := range j.w.Records {
		if f.Unique && id != r.ID && other.Type == r.Type && !other.Deleted && other.Fields[f.Name] == r.Fields[f.Name] {
			return true
		}
	}
	return false
}

// leadsSomewhere: a user, team or record that is named is there, and may be
// named by who does it. What was there before is left alone; what is restored
// is looked at as if it were entered.
func (j *judge) leadsSomewhere(r *Record, f *Field) bool {
	var before []string
	if old := j.stored[r.ID]; old != nil && !old.Deleted {
		before = members(old.Fields[f.Name])
	}
	for _, name := range members(r.Fields[f.Name]) {
		if !has(before, name) && !j.there(f, name) {
			return false
		}
	}
	return true
}

// there tells whether the field may name it.
func (j *judge) there(f *Field, name string) bool {
	switch f.Kind {
	case "user":
		return has(j.w.Users, name)
	case "team":
		return has(j.w.Teams, name)
	case "reference", "references":
		to := j.w.Records[name]
		return to != nil && !to.Deleted && to.Type == f.To && (j.made[to.ID] || j.w.MaySee(j.who, to))
	}
	return true
}
