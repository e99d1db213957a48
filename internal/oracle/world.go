package oracle

import (
	"maps"
	"slices"
	"time"
)

// Actor is who sends a change.
type Actor struct {
	User              string
	Roles, Teams      []string
	Disabled, Blocked bool
}

// World is what the oracle remembers.
type World struct {
	App     *App
	Version int64 // of the app
	Users   []string
	Teams   []string
	Records map[string]*Record
	Numbers map[string]int64 // the last one given, by type
	Held    []Hold           // what open issues hold, by the age of the issues
}

// Hold says that an open issue holds a change of the replica on the record; its
// creation, perhaps.
type Hold struct {
	Issue, Replica, Record string
	Creation               bool
}

// Record is a record with all that ever happened to it.
type Record struct {
	Type, ID  string
	Status    string
	Number    string
	Fields    map[string]Value // set ones only
	Deleted   bool
	CreatedBy string
	Version   int64
	Edited    map[string]time.Time // when the present value of a field was entered
	Past      []Event
}

// Event is something that happened to a record.
type Event struct {
	Seq     int64
	Replica string
	N       int64
	Fields  []string // that changed
	Moved   bool     // to another status
}

// Step is one change as it was sent.
type Step struct {
	Replica    string
	N          int64
	Op         string
	Type, ID   string
	Set        map[string]string // as it was entered, JSON text
	Transition string
	Definition int64
	Edited     time.Time
	// Base is what its author saw.
	Base struct {
		Version, After int64
		Status         string
		Was            map[string]string
	}
}

func (r *Record) clone() *Record {
	if r == nil {
		return nil
	}
	c := *r
	c.Fields, c.Edited, c.Past = maps.Clone(r.Fields), maps.Clone(r.Edited), slices.Clone(r.Past)
	return &c
}

// MaySee tells whether the actor may see the record; of a deleted one, whether
// they could at its end.
func (w *World) MaySee(who *Actor, r *Record) bool {
	for _, key := range w.Keys(r) {
		if key == "all" || key == "user:"+who.User {
			return true
		}
		for _, role := range who.Roles {
			if key == "role:"+role {
				return true
			}
		}
		for _, team := range who.Teams {
			if key == "team:"+team {
				return true
			}
		}
	}
	return false
}

// Waits is where the record waits: the queue of its status, or the user in the
// field that is its worklist.
func (w *World) Waits(r *Record) (queue, user string) {
	s := w.App.Type(r.Type).Status(r.Status)
	if s == nil || r.Deleted {
		return "", ""
	}
	return s.Queue, text(r.Fields[s.Worklist])
}

// Keys are the audience keys of the record, in order and each once.
func (w *World) Keys(r *Record) []string {
	var out []string
	for _, k := range w.App.Type(r.Type).Audience {
		if len(k.Statuses) > 0 && !has(k.Statuses, r.Status) {
			continue
		}
		switch k.Kind {
		case "all":
			out = append(out, "all")
		case "role":
			out = append(out, "role:"+k.Name)
		default:
			if v := r.Fields[k.Name]; v != "" {
				out = append(out, k.Kind+":"+text(v))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
