package sim

import (
	"bytes"
	"slices"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/internal/sim/app"
)

// leaves searches the bytes that leave the server for what their receiver may
// not see: at this moment, by the model's own rules.
func (w *world) leaves(q request, b []byte, _ error) {
	seen := map[int]bool{}
	w.canaries.found(b, func(n int) {
		if seen[n] {
			return
		}
		seen[n] = true
		known := w.sent.of(q.user).seen[n] && (q.what == "list the inbox" || q.what == "show an issue")
		w.sent.of(q.user).seen[n] = true
		k := &w.canaries.all[n]
		if !known && !w.mayRead(q.user, k) { // what they changed holds what they saw then
			w.violate("leak", "%s is sent to %s, who may not see it: %s entered it in %s %s: %s", q.what, q.user, k.user, k.typ, short(k.record), w.canaries.around(b, n))
		}
	})
	w.sent.of(q.user).add(q.what, b)
}

// around is where in the bytes a canary was found.
func (c *canaries) around(b []byte, n int) string {
	at := 0
	for {
		i := bytes.Index(b[at:], []byte(canaryMark))
		if i < 0 {
			return ""
		}
		at += i
		hit := false
		c.found(b[at:min(len(b), at+len(canaryMark)+canaryDigits)], func(k int) { hit = hit || k == n })
		if hit {
			return string(b[max(0, at-160):min(len(b), at+60)])
		}
		at++
	}
}

// mayRead: whoever entered a value, and whoever may see its record and read its
// field. Of a record that is not there, or not any more, those who could if it were.
func (w *world) mayRead(user string, k *canary) bool {
	if slices.ContainsFunc(k.copies, func(c canary) bool { return w.mayRead(user, &c) }) {
		return true
	}
	u := w.model.User(user)
	if t := w.app().Type(k.typ); user != k.user && (u == nil || t != nil && t.Hides(u.Roles, w.app().Called(k.since, k.typ, k.field))) {
		return false
	}
	if user == k.user || w.model.Sees(user, k.record) {
		return true
	}
	if r := w.model.Record(k.record); r != nil && !r.Deleted {
		return false
	}
	a := u.Actor()
	keys := a.Keys()
	return slices.ContainsFunc(w.would(k.typ, k.record), func(key string) bool { return slices.Contains(keys, key) })
}

// would lists who could receive a record that is not there, or not any more, if it
// were. One that is there has those who do.
func (w *world) would(typ, id string) []string {
	t, r := w.app().Type(typ), w.model.Record(id)
	switch {
	case t == nil:
		return nil
	case r == nil:
		var keys []string
		for _, x := range w.canaries.would[id] {
			if x.typ == typ {
				keys = append(keys, w.audience(t, x.fields, t.Initial)...)
			}
		}
		return keys
	case r.Type != typ:
		return nil
	case r.Deleted:
		return w.audience(t, r.Fields, r.Status)
	}
	return w.model.Keys(typ, id)
}

// audience lists who may receive a record in this state.
func (w *world) audience(t *app.Type, fields landfall.Fields, status string) []string {
	var keys []string
	for _, k := range t.Seen() {
		if len(k.Statuses) > 0 && !slices.Contains(k.Statuses, status) {
			continue
		}
		name := unquote(fields[k.Name])
		switch {
		case k.Kind == "all":
			keys = append(keys, "all")
		case k.Kind == "role":
			keys = append(keys, "role:"+k.Name)
		case name == "":
		case k.Kind == "via":
			keys = append(keys, w.would(t.Field(k.Name).To, name)...)
		default:
			keys = append(keys, k.Kind+":"+name)
		}
	}
	return keys
}
