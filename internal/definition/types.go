package definition

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"github.com/landfall-sync/landfall"
)

// draft is a type while it is read: what refers to other parts is kept with its
// place until those are known.
type draft struct {
	*Type
	at     *yaml.Node
	o      map[string]entry
	fields map[string]map[string]entry
	places map[string]*yaml.Node // of the fields' names
	// requires of the transitions.
	requires map[string]entry
	record   *scope // record.field, was.field, parts.TYPE
	plain    *scope // without parts
	// targets have record and target, by the type of the target.
	targets map[string]*scope
	bare    *scope // field by its bare name
}

func (r *reader) types(a *App, e entry, root *yaml.Node) []*draft {
	var drafts []*draft
	for _, t := range r.entries(e.value, "types") {
		if !r.wellNamed(t, "type", fieldName) {
			continue
		}
		if t.key == landfall.IssueType {
			r.errorf(t.at, "it is built in", "the type %s can't be declared", t.key)
			continue
		}
		d := &draft{at: t.at, requires: map[string]entry{}, targets: map[string]*scope{}, Type: &Type{Name: t.key, Fields: map[string]*Field{}, Rights: map[string]*Right{}}}
		d.o = r.object(t.value, "a type", "title", "number", "label", "part_of", "fields", "lifecycle", "audience", "rights", "conflicts", "schedule", "form")
		d.Title = r.title(d.o["title"], 200)
		if d.Title == "" {
			d.Title = humanise(t.key)
		}
		a.Types[t.key] = d.Type
		a.Order = append(a.Order, t.key)
		drafts = append(drafts, d)
	}
	if len(drafts) == 0 {
		r.errorf(root, "types: {visit: {fields: …}}", "no type is declared")
	}
	for _, d := range drafts { // fields first: expressions look at those of other types
		r.partOf(a, d)
		r.fields(a, d)
	}
	r.partsInCircles(a, drafts)
	for _, d := range drafts {
		r.typ(a, d)
	}
	r.viaInCircles(drafts)
	seen := open(drafts)
	for _, d := range drafts {
		r.writable(d)
		r.readable(a, d, seen)
		r.moments(d)
	}
	if !r.failed() { // what follows from circles has no end
		derive(a)
	}
	return drafts
}

// scopes says what the type's expressions may name.
func (d *draft) scopes(a *App) {
	var parts []*Type
	for _, name := range d.Parts {
		parts = append(parts, a.Types[name])
	}
	d.record = newScope(view{record: d.Type, parts: parts})
	d.bare = newScope(view{record: d.Type, bare: true})
	d.plain = newScope(view{record: d.Type})
}

func (r *reader) typ(a *App, d *draft) {
	d.scopes(a)
	for _, name := range d.Order {
		o := d.fields[name]
		f := d.Fields[name]
		f.Check, f.Message = r.expr(o["check"], d.bare, types.BoolType), r.title(o["message"], 500)
		if o["message"].value != nil && o["check"].value == nil {
			r.errorf(o["message"].at, "add check: CONDITION", "a message without a check is never said")
		}
		r.referring(a, d, f, o)
		r.computed(d, f, o)
	}
	r.computedInCircles(d)
	d.Label = r.expr(d.o["label"], d.plain, nil)
	if n := d.o["number"]; n.value != nil {
		o := r.object(n.value, "number", "prefix", "from")
		d.Number = &Number{Prefix: r.text(o["prefix"], 20), From: max(1, r.number(o["from"], 0))}
		if d.Number.Prefix == "" {
			r.errorf(n.value, "prefix: ABC-", "a number has a prefix")
		}
	}
	r.lifecycle(a, d)
	r.required(d)
	r.audience(a, d)
	r.rights(a, d)
	r.conflicts(a, d)
	r.schedule(d)
	r.form(a, d)
}

var fieldTypes = []string{string(Text), string(LongText), string(Integer), string(Decimal), string(Boolean), string(Date), string(Time), string(DateTime),
	string(Duration), string(ChoiceOne), string(ChoiceMany), string(Reference), string(References), string(UserRef), string(TeamRef), string(JSON), string(Location), string(Attachment), string(Attachments), string(Signature)}

func (r *reader) fields(a *App, d *draft) {
	d.fields, d.places = map[string]map[string]entry{}, map[string]*yaml.Node{}
	e := d.o["fields"]
	if e.value == nil {
		r.errorf(d.at, "fields: {name: {type: text}}", "the type %s has no fields", d.Name)
		return
	}
	for _, x := range r.entries(e.value, "fields") {
		if !r.wellNamed(x, "field", fieldName) {
			continue
		}
		if builtIn[x.key] != nil {
			r.errorf(x.at, "choose another name", "every record has %s already", x.key)
			continue
		}
		if x.key == d.PartOf {
			r.errorf(x.at, "leave it out", "a part has the field %s already: it names what it is a part of", x.key)
			continue
		}
		o := r.object(x.value, "a field", "type", "title", "required", "max", "check", "message", "conflict", "choices", "default", "to", "unique", "computed", "where", "fill", "max_size", "accept")
		f := &Field{Name: x.key, Title: r.title(o["title"], 200), Max: int(r.number(o["max"], 1)), Unique: r.flag(o["unique"])}
		if f.Title == "" {
			f.Title = humanise(x.key)
		}
		switch t := r.text(o["type"], 63); {
		case o["type"].value == nil:
			r.errorf(x.at, "type: text", "the field %s has no type", x.key)
			f.Type = Text
		case !slices.Contains(fieldTypes, t):
			r.unknown(o["type"].value, "type", t, fieldTypes)
			f.Type = Text
		default:
			f.Type = FieldType(t)
		}
		r.choices(f, x, o["choices"])
		r.target(a, f, x, o["to"])
		r.policy(f, o["conflict"])
		r.fallback(f, o["default"])
		r.files(f, o)
		if f.Max > 0 && !slices.Contains([]FieldType{Text, LongText, ChoiceMany, References, Attachments}, f.Type) {
			r.errorf(o["max"].at, "use check", "max does not apply to a field of type %s", f.Type)
		}
		if f.Unique && slices.Contains([]FieldType{ChoiceMany, References, JSON, Boolean, Location, Attachment, Attachments, Signature}, f.Type) {
			r.errorf(o["unique"].at, "make a field of type text unique", "a field of type %s can't be unique", f.Type)
		}
		d.Fields[x.key], d.fields[x.key], d.places[x.key] = f, o, x.at
		d.Order = append(d.Order, x.key)
	}
}

func (r *reader) choices(f *Field, at, e entry) {
	is := f.Type == ChoiceOne || f.Type == ChoiceMany
	if e.value == nil {
		if is {
			r.errorf(at.at, "choices: [a, b]", "the field %s has no choices", f.Name)
		}
		return
	}
	if !is {
		r.errorf(e.at, "type: choice", "a field of type %s has no choices", f.Type)
	}
	if e.value.Kind == yaml.MappingNode {
		for _, c := range r.entries(e.value, "choices") {
			f.Choices = append(f.Choices, Choice{c.key, r.title(c, 200)})
		}
	} else {
		for _, n := range r.names(e) {
			f.Choices = append(f.Choices, Choice{n.text, humanise(n.text)})
		}
	}
	if len(f.Choices) == 0 {
		r.errorf(e.value, "choices: [a, b]", "the field %s has no choices", f.Name)
	}
}

func (r *reader) target(a *App, f *Field, at, e entry) {
	is := f.Type == Reference || f.Type == References
	f.To = r.text(e, 63)
	switch {
	case is && f.To == "":
		r.errorf(at.at, "to: TYPE", "the field %s does not say what it refers to", f.Name)
	case !is && e.value != nil:
		r.errorf(e.at, "type: reference", "a field of type %s refers to nothing", f.Type)
	case is && a.Types[f.To] == nil:
		r.unknown(e.value, "type", f.To, sortedKeys(a.Types))
	}
}

func (r *reader) policy(f *Field, e entry) {
	f.Policy = Latest
	p := Policy(r.oneOf(e, string(Latest), string(Server), string(Device), string(Add), string(Union), string(Append), string(Review)))
	if p == "" {
		return
	}
	f.Policy = p
	fits := map[Policy][]FieldType{Add: {Integer, Decimal, Duration}, Union: {ChoiceMany, References, Attachments}, Append: {Text, LongText}}[p]
	if fits != nil && !slices.Contains(fits, f.Type) {
		r.errorf(e.value, "it fits "+fieldTypesAsText(fits), "conflict: %s does not fit a field of type %s", p, f.Type)
	}
}

func fieldTypesAsText(all []FieldType) string {
	var out []string
	for _, t := range all {
		out = append(out, string(t))
	}
	return strings.Join(out, ", ")
}

func (r *reader) fallback(f *Field, e entry) {
	if e.value == nil {
		return
	}
	if e.value.Kind == yaml.ScalarNode {
		kinds := map[string]struct {
			kind DefaultKind
			fits []FieldType
		}{"me": {MeDefault, []FieldType{UserRef}}, "now": {NowDefault, []FieldType{DateTime}}, "today": {TodayDefault, []FieldType{Date}}}
		if k, ok := kinds[e.value.Value]; ok && slices.Contains(k.fits, f.Type) {
			f.Default, f.DefaultKind = e.value.Value, k.kind
			return
		}
		v, msg := FromText(f, e.value.Value)
		if msg != nil {
			r.errorf(e.value, literalHint(msg), "default: %s", msg.Text)
			return
		}
		f.Default, f.DefaultKind = string(v), LiteralDefault
		return
	}
	var list []string
	for _, n := range r.names(e) {
		list = append(list, n.text)
	}
	v, msg := FromText(f, strings.Join(list, ","))
	if msg != nil {
		r.errorf(e.value, literalHint(msg), "default: %s", msg.Text)
		return
	}
	f.Default, f.DefaultKind = string(v), LiteralDefault
}

// required reads true or a list of statuses, once the statuses are known.
func (r *reader) required(d *draft) {
	for _, name := range d.Order {
		e := d.fields[name]["required"]
		if e.value == nil {
			continue
		}
		if e.value.Kind == yaml.ScalarNode && e.value.Tag == "!!bool" {
			d.Fields[name].Required = r.flag(e)
			continue
		}
		var known []string
		if d.Lifecycle != nil {
			known = d.Lifecycle.Order
		}
		d.Fields[name].Statuses = r.known(r.names(e), "status", known)
	}
}

func (r *reader) conflicts(a *App, d *draft) {
	d.Status = Strict
	e := d.o["conflicts"]
	if e.value == nil {
		return
	}
	o := r.object(e.value, "conflicts", "status", "queue")
	if s := r.oneOf(o["status"], string(Strict), string(Transitions), string(Legal)); s != "" {
		d.Status = StatusPolicy(s)
		if d.Lifecycle == nil {
			r.errorf(o["status"].at, "add a lifecycle, or take it out", "%s has no status", d.Name)
		}
	}
	if q := r.text(o["queue"], 63); q != "" {
		if a.Queues[q] == nil && q != landfall.FallbackQueue {
			r.unknown(o["queue"].value, "queue", q, sortedKeys(a.Queues))
			return
		}
		d.Queue = q
	}
}

// literalHint is what to write as a default in the place of what is none.
func literalHint(m *landfall.Message) string {
	if m.Code == "wrong_type" {
		return "a literal; or me, now or today, where the type fits"
	}
	return m.Hint
}
