package definition

import (
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"
)

var webAddress = regexp.MustCompile(`^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s]*)?$`)

// automation is one rule that the server would run: on an event, under a
// condition, with effects that are events themselves.
type automation struct {
	at      *yaml.Node
	on      string
	effects []string
}

// automations reads and checks the rules that the language has for what the
// server does by itself. A definition does what it says or is not published, so
// one that has any is refused as long as they are not run; what else is wrong
// with them is said all the same.
func (r *reader) automations(a *App, drafts []*draft, e entry) {
	if e.value == nil {
		return
	}
	r.errorf(e.at, "take them out; a definition does what it says or is not published", "this version does not run automations yet")
	var all []automation
	for _, n := range r.list(e, "automations: [{on: TYPE.create, notify: {user: record.FIELD, message: Changed}}]") {
		if x := r.automation(a, drafts, n); x.on != "" {
			all = append(all, x)
		}
	}
	r.automationsInCircles(all)
}

func (r *reader) automation(a *App, drafts []*draft, n *yaml.Node) automation {
	o := r.object(n, "an automation", "on", "when", "create", "set", "transition", "notify", "webhook")
	x := automation{at: n}
	d := r.event(drafts, n, o["on"], &x)
	if d == nil {
		return automation{}
	}
	r.expr(o["when"], d.record, types.BoolType)
	does := 0
	for _, word := range []string{"create", "transition", "notify", "webhook"} {
		if o[word].value != nil {
			does++
		}
	}
	if does != 1 {
		r.errorf(n, "write another automation for each", "an automation does one thing: create, transition, notify or webhook")
	}
	r.creates(a, d, o, &x)
	r.makes(a, d, o["transition"], &x)
	r.notifies(a, d, o["notify"])
	if e := o["webhook"]; e.value != nil {
		if !webAddress.MatchString(r.text(e, 500)) {
			r.errorf(e.value, "https://example.com/hook", "webhook is an https address")
		}
	}
	return x
}

// event reads TYPE.create, TYPE.update, TYPE.delete or TYPE.TRANSITION.
func (r *reader) event(drafts []*draft, n *yaml.Node, e entry, x *automation) *draft {
	text := r.text(e, 200)
	if text == "" {
		r.errorf(n, "on: TYPE.create", "the automation does not say what it runs on")
		return nil
	}
	typ, event, _ := strings.Cut(text, ".")
	d := r.draftOf(drafts, n, e, typ)
	if d == nil {
		return nil
	}
	_, moves := lifecycleOf(d.Type)
	if known := append([]string{"create", "update", "delete"}, moves...); !slices.Contains(known, event) {
		r.unknown(e.value, "event", event, known)
		return nil
	}
	x.on = text
	return d
}

// creates reads a record that is made.
func (r *reader) creates(a *App, d *draft, o map[string]entry, x *automation) {
	name := r.text(o["create"], 63)
	if o["create"].value == nil {
		if o["set"].value != nil {
			r.errorf(o["set"].at, "create: TYPE", "set goes with create")
		}
		return
	}
	made := a.Types[name]
	if made == nil {
		r.unknown(o["create"].value, "type", name, a.Order)
		return
	}
	x.effects = append(x.effects, name+".create")
	set := map[string]bool{}
	if o["set"].value != nil {
		for _, s := range r.entries(o["set"].value, "set") {
			f := made.Fields[s.key]
			switch {
			case f == nil:
				r.unknown(s.at, "field", s.key, made.Order)
			case f.Computed != nil:
				r.errorf(s.at, "take it out", "%s is computed", s.key)
			default:
				set[s.key] = true
				r.expr(s, d.record, celType(f.Type))
			}
		}
	}
	for _, field := range made.Order {
		if f := made.Fields[field]; f.Required && f.DefaultKind == NoDefault && !set[field] {
			r.errorf(o["create"].value, "set: {"+field+": …}", "%s of %s is mandatory, and is not set", field, name)
		}
	}
}

// makes reads a transition of the record, or of one that it refers to.
func (r *reader) makes(a *App, d *draft, e entry, x *automation) {
	if e.value == nil {
		return
	}
	o := r.object(e.value, "an automatic transition", "record", "do")
	target := d.Type
	field, of := strings.CutPrefix(r.text(o["record"], 200), "record.")
	switch f := d.Fields[field]; {
	case o["record"].value == nil:
		r.errorf(e.value, "record: record.id, or record.FIELD", "it does not say of which record")
		return
	case of && field == "id":
	case of && f != nil && f.Type == Reference:
		target = a.Types[f.To]
	default:
		r.errorf(o["record"].value, suggest(field, append(d.fieldsOf(Reference), "id")), "record is record.id, or record.FIELD of a field of type reference")
		return
	}
	if target == nil {
		return // said where the field is
	}
	do := r.text(o["do"], 63)
	if _, moves := lifecycleOf(target); !slices.Contains(moves, do) {
		at := e.value
		if o["do"].value != nil {
			at = o["do"].value
		}
		r.unknown(at, "transition", do, moves)
		return
	}
	x.effects = append(x.effects, target.Name+"."+do)
}

func (r *reader) notifies(a *App, d *draft, e entry) {
	if e.value == nil {
		return
	}
	o := r.object(e.value, "a notification", "user", "role", "message")
	r.expr(o["user"], d.record, types.StringType)
	r.known(r.names(o["role"]), "role", a.Roles)
	if o["user"].value == nil && o["role"].value == nil {
		r.errorf(e.value, "user: record.FIELD, or role: ROLE", "it does not say who is told")
	}
	if r.title(o["message"], 500) == "" {
		r.errorf(e.value, "message: Changed", "it does not say what they are told")
	}
}

// automationsInCircles finds rules that would run for ever, and spells out how.
// A condition may end the circle some day, or not: nobody could tell.
func (r *reader) automationsInCircles(all []automation) {
	runs := map[string][]int{}
	for i, x := range all {
		runs[x.on] = append(runs[x.on], i)
	}
	for i, first := range all {
		came := map[int]int{i: -1} // from which automation
		next := []int{i}
		for len(next) > 0 {
			at := next[0]
			next = next[1:]
			for _, effect := range all[at].effects {
				if effect == first.on {
					r.errorf(first.at, "end it: let one of them run on something else", "automations go in a circle: %s", circle(all, came, at, effect))
					next = nil
					break
				}
				for _, j := range runs[effect] {
					if _, seen := came[j]; !seen {
						came[j] = at
						next = append(next, j)
					}
				}
			}
		}
	}
}

// circle is the way from the first automation's event back to it.
func circle(all []automation, came map[int]int, last int, effect string) string {
	path := []string{effect}
	for i := last; i >= 0; i = came[i] {
		path = append(path, all[i].on)
	}
	slices.Reverse(path)
	return strings.Join(path, " → ")
}
