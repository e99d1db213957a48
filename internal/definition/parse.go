package definition

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cel.dev/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"github.com/landfall-sync/landfall"
)

type typ = types.Type

// maxSource is how large a definition may be, in bytes.
const maxSource = 1 << 20

// Compile reads, checks and compiles a definition. It reports every problem at
// once, in order of place; the App is nil when one of them is an error.
func Compile(file string, src []byte) (*App, []Problem) {
	r := &reader{file: file}
	root := r.document(src)
	var app *App
	if root != nil {
		app = r.app(root)
		app.Source = slices.Clone(src)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	r.problems = slices.Compact(r.problems)
	if r.failed() {
		return nil, r.problems
	}
	return app, r.problems
}

// MustCompile is Compile for definitions that are known to be right, as in
// tests; it panics with the problems.
func MustCompile(file string, src []byte) *App {
	app, problems := Compile(file, src)
	if app == nil {
		panic(fmt.Sprint(problems))
	}
	return app
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func (r *reader) document(src []byte) *yaml.Node {
	at := &yaml.Node{Line: 1, Column: 1}
	if len(src) > maxSource {
		r.errorf(at, "take out what is not used", "the definition is larger than %d bytes", maxSource)
		return nil
	}
	dec := yaml.NewDecoder(strings.NewReader(string(src)))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
			at.Line, _ = strconv.Atoi(m[1]) // digits by the pattern
		}
		r.errorf(at, "see the YAML around here: indentation, colons and quotes", "this is not YAML: %s", strings.TrimPrefix(err.Error(), "yaml: "))
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		r.errorf(&second, "take out the line ---, or keep it in a file of its own", "a definition is one YAML document")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		r.errorf(at, "begin with app: NAME", "a definition is a mapping")
		return nil
	}
	if err := r.plain(doc.Content[0], 0); err != nil {
		return nil
	}
	return doc.Content[0]
}

// plain refuses anchors, aliases and deep nesting, which a definition does not need.
func (r *reader) plain(n *yaml.Node, depth int) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.errorf(n, "write it out", "anchors and aliases are not used in definitions")
		return errors.New("alias")
	}
	if depth > 20 {
		r.errorf(n, "see the brackets and the indentation around here", "this is nested too deeply")
		return errors.New("depth")
	}
	for _, c := range n.Content {
		if err := r.plain(c, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) app(root *yaml.Node) *App {
	o := r.object(root, "the definition", "app", "title", "version", "mobile", "roles", "queues", "types", "issues", "convert", "languages", "automations")
	a := &App{Name: r.text(o["app"], 63), Queues: map[string]*Queue{}, Types: map[string]*Type{}}
	r.speaks(a, o["languages"])
	a.Title = r.title(o["title"], 200)
	if a.Name == "" {
		r.errorf(root, "begin with app: NAME", "the app has no name")
	} else if !wordName.MatchString(a.Name) {
		r.errorf(o["app"].value, "lower-case letters, digits, - and _", "the app's name %q is not well formed", a.Name)
	}
	if a.Title == "" {
		a.Title = humanise(a.Name)
	}
	a.Version = r.number(o["version"], 1)
	mobile := r.mobile(o["mobile"], &a.Mobile)
	for _, n := range r.names(o["roles"]) {
		if !wordName.MatchString(n.text) || n.text == landfall.Administrator {
			r.errorf(n.at, "administrator is built in", "%q can't be the name of a role", n.text)
			continue
		}
		a.Roles = append(a.Roles, n.text)
	}
	if len(a.Roles) == 0 {
		r.errorf(root, "roles: [worker]", "no role is declared: nobody could do anything")
	}
	r.queues(a, o["queues"])
	drafts := r.types(a, o["types"], root)
	r.sections(a, drafts, mobile["sections"])
	r.carry(a, mobile["carry"])
	r.issues(a, o["issues"])
	r.automations(a, drafts, o["automations"])
	r.convert(a, o["convert"])
	r.shown(a, drafts)
	r.unused(a, o)
	return a
}

// mobile reads what does not depend on the types, and gives back what does.
func (r *reader) mobile(e entry, m *Mobile) map[string]entry {
	m.Mode, m.SyncEvery, m.Recent = "offline", "manual", defaultRecent
	if e.value == nil {
		return nil
	}
	o := r.object(e.value, "mobile", "mode", "sync", "request_access_email", "hybrid", "sections", "carry")
	if s := r.oneOf(o["mode"], "online", "offline"); s != "" {
		m.Mode = s
	}
	if s := o["sync"]; s.value != nil {
		if s.value.Kind == yaml.ScalarNode {
			m.SyncEvery = r.oneOf(s, "manual")
		} else if every := r.duration(r.object(s.value, "sync", "every")["every"]); every != "" {
			m.SyncEvery = every
		}
	}
	m.RequestAccessEmail = r.text(o["request_access_email"], 200)
	r.hybrid(o["hybrid"], m)
	return o
}

func (r *reader) queues(a *App, e entry) {
	if e.value == nil {
		return
	}
	escalations := map[string]entry{}
	for _, q := range r.entries(e.value, "queues") {
		if !r.wellNamed(q, "queue", wordName) {
			continue
		}
		if q.key == landfall.FallbackQueue {
			r.errorf(q.at, "it is built in", "the queue %s can't be declared", q.key)
			continue
		}
		o := r.object(q.value, "a queue", "title", "members", "due", "escalate")
		queue := &Queue{Name: q.key, Title: r.title(o["title"], 200), Due: r.duration(o["due"])}
		if queue.Title == "" {
			queue.Title = humanise(q.key)
		}
		queue.Members = r.known(r.names(o["members"]), "role", append(slices.Clone(a.Roles), landfall.Administrator))
		if len(queue.Members) == 0 {
			r.errorf(q.at, "members: [ROLE]", "the queue %s has no members: what is routed there would wait for ever", q.key)
		}
		if s := r.text(o["escalate"], 63); s != "" {
			queue.Escalate, escalations[q.key] = s, o["escalate"]
		}
		a.Queues[q.key] = queue
	}
	for _, from := range sortedKeys(escalations) {
		e := escalations[from]
		if a.Queues[e.value.Value] == nil {
			r.unknown(e.value, "queue", e.value.Value, sortedKeys(a.Queues))
			continue
		}
		seen := map[string]bool{}
		for q := from; q != "" && a.Queues[q] != nil; q = a.Queues[q].Escalate {
			if seen[q] {
				r.errorf(e.value, "end the chain somewhere", "escalation goes in a circle")
				break
			}
			seen[q] = true
		}
	}
}

func (r *reader) issues(a *App, e entry) {
	if e.value == nil {
		return
	}
	routes := r.object(e.value, "issues", "routes")["routes"]
	s := newScope(view{issue: true})
	for _, n := range r.list(routes, "routes: [{when: \"issue.kind == 'authorization'\", queue: QUEUE}]") {
		o := r.object(n, "a route", "when", "queue")
		route := Route{When: r.expr(o["when"], s, types.BoolType), Queue: r.text(o["queue"], 63)}
		if a.Queues[route.Queue] == nil && route.Queue != landfall.FallbackQueue {
			at := n
			if o["queue"].value != nil {
				at = o["queue"].value
			}
			r.unknown(at, "queue", route.Queue, sortedKeys(a.Queues))
		}
		a.Routes = append(a.Routes, route)
	}
}

// humanise makes a title of a name: resolved-approved → Resolved approved.
func humanise(s string) string {
	s = strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ").Replace(s))
	if s == "" {
		return s
	}
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}
