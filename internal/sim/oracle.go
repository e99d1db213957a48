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
	u := w.model.User(user)
	if t := w.app().Type(k.typ); user != k.user && (u == nil || t != nil && t.Hides(u.Roles, k.field)) {
		return false
	}
	if user == k.user || w.model.Sees(user, k.record) {
		return true
	}
	a := u.Actor()
	keys := a.Keys()
	holds := func(audience []string) bool {
		return slices.ContainsFunc(audience, func(key string) bool { return slices.Contains(keys, key) })
	}
	r := w.model.Record(k.record)
	switch {
	case r == nil:
		return slices.ContainsFunc(w.canaries.would[k.record], func(x would) bool {
			t := w.app().Type(x.typ)
			return t != nil && holds(audience(t, x.fields, t.Initial))
		})
	case r.Deleted:
		t := w.app().Type(r.Type)
		return t != nil && holds(audience(t, r.Fields, r.Status))
	}
	return false
}

// audience lists who may receive a record in this state.
func audience(t *app.Type, fields landfall.Fields, status string) []string {
	var keys []string
	for _, k := range t.Audience {
		if len(k.Statuses) > 0 && !slices.Contains(k.Statuses, status) {
			continue
		}
		switch k.Kind {
		case "all":
			keys = append(keys, "all")
		case "role":
			keys = append(keys, "role:"+k.Name)
		default:
			if name := unquote(fields[k.Name]); name != "" {
				keys = append(keys, k.Kind+":"+name)
			}
		}
	}
	return keys
}
