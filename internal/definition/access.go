package definition

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"github.com/landfall-sync/landfall"
)

func (r *reader) audience(a *App, d *draft) {
	e := d.o["audience"]
	if d.PartOf != "" {
		if e.value != nil {
			r.errorf(e.at, "take it out", "a part is seen by whoever sees what it is a part of")
		}
		d.Audience = []AudienceKey{{Kind: AudienceVia, Name: d.PartOf}}
		return
	}
	if e.value == nil {
		r.errorf(d.at, "audience: [all]", "nobody may see records of type %s: it has no audience", d.Name)
		return
	}
	nodes := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		nodes = e.value.Content
	}
	for _, n := range nodes {
		key, at := AudienceKey{}, n
		text := n.Value
		if n.Kind == yaml.MappingNode {
			o := r.object(n, "an audience key", "key", "statuses")
			text = r.text(o["key"], 200)
			if o["key"].value != nil {
				at = o["key"].value
			}
			var known []string
			if d.Lifecycle != nil {
				known = d.Lifecycle.Order
			}
			key.Statuses = r.known(r.names(o["statuses"]), "status", known)
		}
		kind, of, _ := strings.Cut(text, ":")
		key.Kind, key.Name = AudienceKind(kind), of
		if r.audienceKey(a, d, at, &key) {
			d.Audience = append(d.Audience, key)
		}
	}
	if len(d.Audience) == 0 {
		r.errorf(e.at, "audience: [all]", "nobody may see records of type %s", d.Name)
	}
}

func (r *reader) audienceKey(a *App, d *draft, at *yaml.Node, key *AudienceKey) bool {
	switch key.Kind {
	case AudienceAll:
		return true
	case AudienceRole:
		if !slices.Contains(a.Roles, key.Name) {
			r.unknown(at, "role", key.Name, a.Roles)
			return false
		}
		return true
	case AudienceUser, AudienceTeam:
		want := map[AudienceKind]FieldType{AudienceUser: UserRef, AudienceTeam: TeamRef}[key.Kind]
		if f := d.Fields[key.Name]; f == nil || f.Type != want {
			r.errorf(at, suggest(key.Name, d.fieldsOf(want)), "%s:%s names no field of type %s", key.Kind, key.Name, want)
			return false
		}
		return true
	case AudienceVia:
		if f := d.Fields[key.Name]; f == nil || f.Type != Reference {
			r.errorf(at, suggest(key.Name, d.fieldsOf(Reference)), "via:%s names no field of type reference", key.Name)
			return false
		}
		return true
	default:
		r.errorf(at, suggest(string(key.Kind), []string{"all", "role", "user", "team", "via"}), "an audience key is all, role:ROLE, user:FIELD, team:FIELD or via:FIELD")
	}
	return false
}

func (r *reader) rights(a *App, d *draft) {
	e := d.o["rights"]
	if e.value == nil {
		r.errorf(d.at, "rights: {ROLE: {create: true}}", "no role may write records of type %s", d.Name)
		return
	}
	for _, x := range r.entries(e.value, "rights") {
		if x.key == landfall.Administrator || !slices.Contains(a.Roles, x.key) {
			r.unknown(x.at, "role", x.key, a.Roles)
			continue
		}
		o := r.object(x.value, "a right", "create", "read", "update", "delete")
		right := &Right{Create: r.grant(d, o["create"]), Update: r.grant(d, o["update"]), Delete: r.grant(d, o["delete"]), Unread: r.unread(d, o["read"])}
		d.Rights[x.key] = right
	}
}

// grant reads true, false, a condition, a list of fields, or both in a mapping.
func (r *reader) grant(d *draft, e entry) *Grant {
	if e.value == nil {
		return nil
	}
	switch {
	case e.value.Tag == "!!bool":
		if !r.flag(e) {
			return nil
		}
		return &Grant{}
	case e.value.Kind == yaml.ScalarNode:
		return &Grant{When: r.expr(e, d.record, types.BoolType)}
	case e.value.Kind == yaml.SequenceNode:
		return &Grant{Fields: r.someFields(d, e)}
	default:
		o := r.object(e.value, "a grant", "fields", "when")
		g := &Grant{When: r.expr(o["when"], d.record, types.BoolType)}
		if o["fields"].value != nil {
			g.Fields = r.someFields(d, o["fields"])
		}
		return g
	}
}

// unread reads which fields a role may read: true, a list of them, or {not: LIST}.
func (r *reader) unread(d *draft, e entry) []string {
	if e.value == nil {
		return nil
	}
	var not []string
	switch {
	case e.value.Tag == "!!bool":
		if !r.flag(e) {
			not = slices.Clone(d.Order)
		}
	case e.value.Kind == yaml.MappingNode:
		not = r.someFields(d, r.object(e.value, "read", "not")["not"])
	default:
		only := r.someFields(d, e)
		not = slices.DeleteFunc(slices.Clone(d.Order), func(name string) bool { return slices.Contains(only, name) })
	}
	slices.SortFunc(not, func(a, b string) int { return slices.Index(d.Order, a) - slices.Index(d.Order, b) })
	return slices.DeleteFunc(not, func(name string) bool { return name == d.PartOf })
}

func (r *reader) someFields(d *draft, e entry) []string {
	if e.value == nil {
		return []string{}
	}
	fields := r.known(r.names(e), "field", d.Order)
	if len(fields) == 0 {
		r.errorf(e.value, "true allows every field", "no field is named")
		return []string{}
	}
	return fields
}

// unused warns of roles and queues that nothing refers to.
func (r *reader) unused(a *App, o map[string]entry) {
	roles, queues := map[string]bool{}, map[string]bool{}
	for _, q := range a.Queues {
		for _, m := range q.Members {
			roles[m] = true
		}
		queues[q.Escalate] = true
	}
	for _, route := range a.Routes {
		queues[route.Queue] = true
	}
	for _, t := range a.Types {
		queues[t.Queue] = true
		for role := range t.Rights {
			roles[role] = true
		}
		for _, k := range t.Audience {
			if k.Kind == AudienceRole {
				roles[k.Name] = true
			}
		}
		if t.Lifecycle == nil {
			continue
		}
		for _, s := range t.Lifecycle.Statuses {
			queues[s.Queue] = true
		}
		for _, m := range t.Lifecycle.Transitions {
			for _, role := range m.Roles {
				roles[role] = true
			}
		}
	}
	for _, n := range r.names(o["roles"]) {
		if slices.Contains(a.Roles, n.text) && !roles[n.text] {
			r.warnf(n.at, "take it out, or give it rights", "the role %s is used nowhere", n.text)
		}
	}
	if o["queues"].value == nil {
		return
	}
	for _, q := range r.entries(o["queues"].value, "queues") {
		if a.Queues[q.key] != nil && !queues[q.key] {
			r.warnf(q.at, "name it in a status, in conflicts or in a route", "the queue %s is used nowhere", q.key)
		}
	}
}
