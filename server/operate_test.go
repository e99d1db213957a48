package server

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall/internal/wire"
)

// The guarded app without what leads entered, or with other rules for it.
var (
	withoutGuarded = func() string {
		head, _, _ := strings.Cut(guardedApp, "  slip:\n")
		return strings.NewReplacer("    label: \"record.title + ' ' + record.secret\"\n", "",
			"      remarks: {type: long_text, conflict: append}\n", "", "      secret: {type: text, max: 200}\n", "",
			"      total: {type: decimal, conflict: add}\n", "", "      who: {type: reference, to: slip}\n", "",
			"[fee, secret, marks, total, remarks, who]", "[fee, marks]").Replace(head)
	}()
	otherRules = strings.NewReplacer("secret: {type: text, max: 200}", "secret: {type: integer}",
		"title: {type: text, required: true}", "title: {type: text, required: true, max: 4}", "to: done, roles: [tech, lead, clerk]", "to: done, roles: [lead]").Replace(guardedApp)
)

// issueIDs are the ids of all issues that somebody is shown.
func (x *half) issueIDs(who string) (ids, causes []string) {
	x.t.Helper()
	var list struct {
		Items []struct{ ID, Cause string }
	}
	x.must(who, "GET /v1/issues?state=all&limit=100", "", &list)
	for _, i := range list.Items {
		ids, causes = append(ids, i.ID), append(causes, i.Cause)
	}
	return ids, causes
}

// operate does what people do to set right what was refused, each dry first, with
// all that there is to be set right.
func (x *half) operate() {
	x.t.Helper()
	ids, causes := x.issueIDs("carl")
	if len(ids) == 0 {
		x.t.Fatal("there is nothing to set right")
	}
	_, own := x.issueIDs("tina")
	for _, dry := range []string{"true", "false"} {
		for _, who := range restricted {
			x.now.add(time.Minute)
			for n, id := range ids {
				for _, body := range []string{
					`"set":{"fee":"731.64"}`, `"drop":["fee"]`, `"drop":["secret"]`, `"set":{"secret":null,"fee":"1.5"}`, `"set":{"who":"00000000-0000-7000-8000-0000000000a1"}`,
					`"transition":"finish"`, `"n":2,"set":{"marks":["a"]}`, `"set":{"title":"x"},"version":1`,
				} {
					x.ask(who, "POST /v1/issues/"+id+"/repair", `{"dry_run":`+dry+`,`+body+`}`)
				}
				x.ask(who, "POST /v1/issues/retry", `{"dry_run":`+dry+`,"cause":`+quote(causes[n])+`}`)
			}
			for _, cause := range own {
				x.ask(who, "POST /v1/issues/retry", `{"dry_run":`+dry+`,"cause":`+quote(cause)+`}`)
			}
			named, err := json.Marshal(ids)
			if err != nil {
				x.t.Fatal(err)
			}
			x.ask(who, "POST /v1/issues/retry", `{"dry_run":`+dry+`,"issues":`+string(named)+`}`)
			x.ask(who, "POST /v1/issues/retry", `{"dry_run":`+dry+`,"all":true}`)
			for _, path := range x.filled("POST /v1/inbox/{id}/retry") {
				x.ask(who, path, `{"dry_run":`+dry+`}`)
			}
			x.ask(who, "POST /v1/inbox/clean", `{"dry_run":`+dry+`,"older_than":"1m"}`)
			x.ask(who, "POST /v1/devices/resync", `{"role":"lead"}`)
			x.ask(who, "PUT /v1/settings/inbox.keep", `{"value":"400d"}`)
		}
	}
}

// land has somebody hand in what is on a lead's phone, and what they made up.
func (x *half) land() {
	x.t.Helper()
	e := x.phone["lena"]
	for _, who := range restricted {
		x.now.add(time.Minute)
		raw := x.v(`{"n":9,"op":"update","type":"visit","id":"` + visit1 + `","set":{"fee":"1.5","secret":$secret$},"base":{"version":1,"was":{"fee":$fee$}},"definition":1,"made_at":"2026-03-01T08:00:00Z"}`)
		body := fmt.Sprintf(`{"replica":%q,"incarnation":2,"clock":%q,"protocol":1,"definition":1,"first":9,"mutations":[%s]}`, e.Replica, x.now.get().Format(time.RFC3339), raw)
		x.ask(who, "POST /v1/devices/"+e.Replica+"/land", body)
		x.ask(who, "POST /v1/devices/"+x.phone["tina"].Replica+"/land", body)
		for n := 1; n < 3; n++ {
			x.said[len(x.said)-n].what = "landing" // what they hand in themselves is another in each world
		}
	}
}

// rehearse has a definition rehearsed. How far it is comes by the clock: only what
// comes last is kept; how many records have what trouble is told to those who
// publish, also where they may not read it.
func (x *half) rehearse(who, source string, same bool) {
	x.t.Helper()
	body, err := json.Marshal(wire.Rehearse{Source: source})
	if err != nil {
		x.t.Fatal(err)
	}
	before := len(x.said)
	_, got := x.answer(who, "POST /v1/definitions/rehearse", string(body))
	x.said = x.said[:before]
	lines := strings.Split(strings.TrimSpace(string(got)), "\n")
	last := lines[len(lines)-1]
	x.tells(who, "a rehearsal", last)
	if who == "ada" && !strings.Contains(last, `"result"`) {
		x.t.Fatalf("no rehearsal: %s", last)
	}
	if same {
		x.said = append(x.said, answer{who, "a rehearsal", last})
	}
}

// tells fails when a canary is in what somebody got.
func (x *half) tells(who, what, got string) {
	x.t.Helper()
	for _, c := range canaries {
		if strings.Contains(got, c) {
			x.t.Errorf("%s: %s tells %s:\n%s", who, what, c, got)
		}
	}
}

func (x *half) publish(source string) {
	x.t.Helper()
	body, err := json.Marshal(wire.Publish{Source: source})
	if err != nil {
		x.t.Fatal(err)
	}
	var out wire.Published
	x.must("ada", "POST /v1/definitions", string(body), &out)
	for _, p := range out.Problems {
		if !p.Warning {
			x.t.Fatalf("%d: %s", p.Line, p.Message)
		}
	}
	x.now.add(time.Minute)
}

// What leads entered stays theirs while people repair, retry, land, clean and
// rehearse, and when the definition has no place for it any more.
func TestWhatIsHiddenStaysHidden(t *testing.T) {
	var worlds [2]*half
	for n := range worlds {
		x := newHalf(t, hiddenValues[n])
		worlds[n] = x
		x.people()
		x.enter()
		x.probe()
		for _, who := range []string{"ada", "tina", "carl"} {
			x.rehearse(who, strings.Replace(guardedApp, "title: {type: text, required: true}", "title: {type: text, required: true, max: 4}", 1), true)
			x.rehearse(who, otherRules, false)
			x.rehearse(who, withoutGuarded, false)
		}
		x.operate()
		x.sweep()
		x.land()
		x.sweep()
		x.publish(withoutGuarded)
		x.sweep()
		x.rehearse("ada", guardedApp, false)
		x.operate()
		x.publish(withoutGuarded + "# again\n")
		x.sweep()
		x.publish(guardedApp)
		x.sweep()
		for _, a := range x.said {
			x.tells(a.who, a.what, a.got)
		}
		if strings.Contains(x.log.String(), "zqcanary") {
			t.Errorf("the log tells: %s", x.log)
		}
	}
	for i, a := range worlds[0].said {
		if b := worlds[1].said[i]; a != b {
			t.Fatalf("%s: %s\nin one world:\n%s\nin the other:\n%s", a.who, a.what, a.got, b.got)
		}
	}
	t.Logf("%d answers", len(worlds[0].said))
}
