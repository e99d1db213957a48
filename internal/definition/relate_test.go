package definition

import (
	"slices"
	"strings"
	"testing"

	"github.com/landfall-sync/landfall"
)

const related = `app: a
title: A
version: 3
roles: [w, boss]
types:
  site:
    fields:
      name: {type: text, required: true}
      phone: {type: text}
      team: {type: team}
      fee: {type: decimal}
    audience: [team:team, role:boss]
    rights: {w: {create: true, read: {not: [fee]}}, boss: {update: true}}
  order:
    fields:
      site: {type: reference, to: site, where: "target.team != 'x' || record.done == true", fill: {phone: target.phone}}
      phone: {type: text}
      done: {type: boolean}
      open: {type: integer, computed: "parts.task.filter(t, t.done == false).size()"}
      ratio: {type: decimal, computed: "record.open * 2"}
      where: {type: location}
      photos: {type: attachments, max_size: 10MB, accept: [image/*]}
      proof: {type: signature}
    audience: [via:site]
    rights: {w: {create: true, update: true}}
  task:
    part_of: order
    fields:
      title: {type: text, required: true}
      done: {type: boolean, default: false}
    rights: {w: {create: true, update: true, delete: true}}
convert:
  - {to: 3, type: order, rename: {telephone: phone}}
  - {to: 2, type: task, rename: {name: title}}
`

func compiled(t *testing.T, src string) *App {
	t.Helper()
	app, problems := Compile("a.yaml", []byte(src))
	if app == nil || len(problems) > 0 {
		t.Fatal(problemText(problems))
	}
	return app
}

func TestRelated(t *testing.T) {
	app := compiled(t, related)
	order, task, site := app.Types["order"], app.Types["task"], app.Types["site"]
	if !slices.Equal(order.Parts, []string{"task"}) || task.PartOf != "order" || task.Order[0] != "order" || !task.Fields["order"].Required {
		t.Errorf("parts: %v %q %v", order.Parts, task.PartOf, task.Order)
	}
	if k := task.Audience; len(k) != 1 || k[0].Kind != AudienceVia || k[0].Name != "order" {
		t.Errorf("audience of parts: %v", k)
	}
	ref := order.Fields["site"]
	if ref.Where == nil || !slices.Equal(ref.Where.Fields(), []string{"done"}) || len(ref.Fill) != 1 || ref.Fill[0].Field != "phone" {
		t.Errorf("reference: %+v", ref)
	}
	if c := order.Fields["open"].Computed; !slices.Equal(c.Parts(), []string{"task"}) || len(c.Fields()) != 0 {
		t.Errorf("computed: %v %v", c.Parts(), c.Fields())
	}
	if c := app.Convert; len(c) != 2 || c[0].To != 2 || c[1].Rename["telephone"] != "phone" {
		t.Errorf("conversions: %+v", c)
	}
	for _, x := range []struct {
		roles []string
		want  []string
	}{{[]string{"w"}, []string{"fee"}}, {[]string{"boss", "w"}, nil}, {nil, []string{"fee"}}, {[]string{"other"}, []string{"fee"}}} {
		if got := site.Hidden(x.roles); !slices.Equal(got, x.want) {
			t.Errorf("%v: %v are hidden", x.roles, got)
		}
	}
}

func TestRelatedExpressions(t *testing.T) {
	app := compiled(t, related)
	order, task, site := app.Types["order"], app.Types["task"], app.Types["site"]
	part := func(done string) *landfall.Record {
		return &landfall.Record{Type: "task", Fields: landfall.Fields{"done": landfall.Value(done)}}
	}
	vars := &Vars{Type: order, Record: &landfall.Record{Fields: landfall.Fields{}}, Parts: []Parts{{task, []*landfall.Record{part("true"), part("false"), part("false")}}}}
	if v, err := order.Fields["open"].Computed.Value(vars, order.Fields["open"]); string(v) != "2" || err != nil {
		t.Errorf("open: %s %v", v, err)
	}
	target := &landfall.Record{Fields: landfall.Fields{"team": landfall.Value(`"x"`), "phone": landfall.Value(`"1"`)}}
	vars = &Vars{Type: order, Record: vars.Record, Target: target, TargetType: site}
	if ok, err := order.Fields["site"].Where.Bool(vars); ok || err != nil {
		t.Errorf("where: %v %v", ok, err)
	}
	if v, err := order.Fields["site"].Fill[0].Value.Value(vars, order.Fields["phone"]); string(v) != `"1"` || err != nil {
		t.Errorf("fill: %s %v", v, err)
	}
}

func TestFiles(t *testing.T) {
	app := compiled(t, related)
	photos, proof, where := app.Types["order"].Fields["photos"], app.Types["order"].Fields["proof"], app.Types["order"].Fields["where"]
	hash := func(c string) string { return strings.Repeat(c, 64) }
	one := func(c, typ, size string) string {
		return `{"name":"a.jpg","hash":"` + hash(c) + `","type":"` + typ + `","size":` + size + `}`
	}
	for _, x := range []struct {
		f       *Field
		in, out string
		code    string
	}{
		{photos, "[" + one("b", "image/png", "1") + "," + one("a", "image/jpeg", "2") + "]", `[{"hash":"` + hash("a") + `","name":"a.jpg","size":2,"type":"image/jpeg"},{"hash":"` + hash("b") + `","name":"a.jpg","size":1,"type":"image/png"}]`, ""},
		{photos, "[]", "null", ""},
		{photos, "[" + one("a", "text/plain", "1") + "]", "", "file_type"},
		{photos, "[" + one("a", "image/png", "99999999") + "]", "", "file_too_large"},
		{photos, `[{"hash":"zz"}]`, "", "wrong_type"},
		{proof, one("a", "image/png", "5"), `{"hash":"` + hash("a") + `","name":"a.jpg","size":5,"type":"image/png"}`, ""},
		{proof, one("a", "application/pdf", "5"), "", "file_type"},
		{where, `{"lon":21.5,"lat":52}`, `{"lat":52,"lon":21.5}`, ""},
		{where, `{"lat":91,"lon":0}`, "", "wrong_type"},
		{where, `{"lat":1}`, "", "wrong_type"},
		{where, `{"lat":1,"lon":2,"alt":3}`, "", "wrong_type"},
		{where, `{"lat":1,"lon":2,"accuracy":5.5}`, `{"accuracy":5.5,"lat":1,"lon":2}`, ""},
	} {
		got, bad := x.f.Canonical(landfall.Value(x.in))
		if bad == nil && string(got) != x.out || bad != nil && bad.Code != x.code || (bad == nil) != (x.code == "") {
			t.Errorf("%s: %s %v", x.in, got, bad)
		}
	}
}

// What can't be related so is said, each at its place.
func TestBadlyRelated(t *testing.T) {
	for what, x := range map[string]struct{ from, to, want string }{
		"a part of itself":    {"audience: [via:site]", "part_of: task", "would be a part of itself"},
		"via in a circle":     {"audience: [team:team, role:boss]", "audience: [via:back]", "names no field of type reference"},
		"computed by itself":  {"record.open * 2", "record.ratio", "ratio is computed from itself"},
		"entered, too":        {"computed: \"record.open * 2\"", "computed: \"record.open * 2\", default: 1", "default does not go with computed"},
		"where of no target":  {"phone: {type: text}\n      done", "phone: {type: text, where: \"true\"}\n      done", "refers to nothing"},
		"fills what is not":   {"{phone: target.phone}", "{phon: target.phone}", `did you mean "phone"?`},
		"target has not":      {"{phone: target.phone}", "{phone: target.phon}", `did you mean "phone"?`},
		"no such part":        {"parts.task", "parts.tasks", `did you mean "task"?`},
		"audience of a part":  {"part_of: order", "part_of: order\n    audience: [all]", "a part is seen by whoever"},
		"field of the whole":  {"part_of: order\n    fields:", "part_of: order\n    fields:\n      order: {type: text}", "a part has the field order already"},
		"renames to nothing":  {"{telephone: phone}", "{telephone: phon}", `did you mean "phone"?`},
		"renames what is":     {"{telephone: phone}", "{done: phone}", `field "done" is there now`},
		"reads what is not":   {"{not: [fee]}", "{not: [feee]}", `did you mean "fee"?`},
		"size":                {"10MB", "10 parsecs", "is a size such as"},
		"media type":          {"[image/*]", "[pictures]", "is no media type"},
		"where is no boolean": {"target.team != 'x' || record.done == true", "target.team", "but boolean is needed"},
	} {
		src := strings.Replace(related, x.from, x.to, 1)
		if src == related {
			t.Fatalf("%s: nothing was changed", what)
		}
		if app, problems := Compile("a.yaml", []byte(src)); app != nil || !strings.Contains(problemText(problems), x.want) {
			t.Errorf("%s: %v\n%s", what, app != nil, problemText(problems))
		}
	}
}
