package sim

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
	"github.com/landfall-sync/landfall/internal/wire"
)

// vandal is a device whose program sends nonsense: gaps, other payloads under a
// number that was used, mutations that can't be read, numbers from nowhere. What
// it sends belongs to it alone: nobody else may be held up or hurt by it.
type vandal struct {
	w    *world
	d    *device
	next int64
	inc  int64
	last string // hash of the change before
}

// send pushes something that a program in order would not.
func (v *vandal) send(x dice) {
	w, d := v.w, v.d
	if v.next == 0 {
		v.next, v.inc = 1, 1
	}
	first, previous := v.next, v.last
	switch x.IntN(8) {
	case 0:
		first += 1 + x.Int64N(5) // a gap
	case 1:
		first, previous = max(1, first-1-x.Int64N(3)), "" // numbers that are taken
	case 2:
		previous = hashOf([]byte("another"))
	case 3:
		v.inc += x.Int64N(3)
		first, previous = 1, ""
	}
	p := wire.Push{Replica: d.replica(), Incarnation: v.inc, Clock: d.now(), Protocol: wire.Protocol, First: first, PreviousHash: previous, Client: "nonsense"}
	for n := range 1 + x.IntN(4) {
		p.Mutations = append(p.Mutations, v.mutation(x, first+int64(n)))
	}
	if x.chance(0.05) {
		p.Replica = w.devices[0].replica()
	}
	v.d.tampered = true
	body, err := json.Marshal(p)
	if err != nil {
		return
	}
	if x.chance(0.05) {
		body = body[:x.IntN(len(body))]
	}
	if len(body) == 0 {
		return
	}
	v.push(body, &p)
}

func (v *vandal) push(body []byte, p *wire.Push) {
	w, d := v.w, v.d
	d.run("nonsense", func(*client.Client) error {
		_, credential, err := client.Credential(w.ctx, memory.On(d.db))
		if err != nil {
			return err
		}
		out := &wire.PushReply{}
		if err := d.line.call(request{what: "push", user: d.user, credential: credential, push: body}, out); err != nil {
			w.met("garbage: " + string(landfall.CodeOf(err)))
			return err
		}
		w.acknowledged(d, p, out)
		v.next = max(1, out.Next)
		if out.Forked {
			v.inc++
			v.next, v.last = 1, ""
		} else if n := len(p.Mutations); n > 0 && !out.Gap {
			v.last = hashOf(p.Mutations[n-1])
		} else {
			v.last = out.LastHash
		}
		return nil
	})
}

// mutation is one that may be in order, or anything else.
func (v *vandal) mutation(x dice, n int64) json.RawMessage {
	w := v.w
	id := v.d.dice.Uint64()
	record := fmt.Sprintf("00000000-0000-7000-8000-%012x", id&(1<<48-1))
	if jobs := v.d.records(v.d.tabs[0], "job"); len(jobs) > 0 && x.chance(0.6) {
		record = pick(x, jobs).Record.ID
	}
	at := w.now.Format("2006-01-02T15:04:05Z")
	h := &hand{w: w, user: v.d.user, dice: x, app: w.app()}
	title := h.text(w.app().Type("job"), "title", record)
	h.entered(w.app().Type("job"), record, nil)
	all := []string{
		`{"n":%d,"op":"create","type":"job","id":"%s","set":{"title":"` + title + `"},"base":{"version":0},"made_at":"` + at + `"}`,
		`{"n":%d,"op":"update","type":"job","id":"%s","set":{"title":"` + title + `"},"base":{"version":1,"status":"planned","was":{"title":null}},"made_at":"` + at + `"}`,
		`{"n":%d,"op":"update","type":"job","id":"%s","set":{"nothing":1},"base":{"version":` + strconv.Itoa(x.IntN(50)) + `},"made_at":"` + at + `"}`,
		`{"n":%d,"op":"transition","type":"job","id":"%s","transition":"approve","base":{"version":1,"status":"working"},"made_at":"9999-12-31T23:59:59Z"}`,
		`{"n":%d,"op":"delete","type":"job","id":"%s","base":{"version":9007199254740993},"made_at":"` + at + `"}`,
		`{"n":%d,"n":2,"op":"create","type":"job","id":"%s"}`,
		`{"n":%d,"op":"explode","id":"%s","set":{"a":` + "[[[[[[[[[[]]]]]]]]]]" + `}}`,
		`{"n":%d,"op":"withdraw","issue":"%s","made_at":"` + at + `"}`,
		`[%d,"%s"]`, `"%d%s"`, `{"n":%d,"op":"lost","id":"%s","made_at":"` + at + `"}`, `{"n":%d,"op":"merge-into","type":"job","id":"%s"}`,
		`{"n":%d,"op":"update","type":"job","id":"%s","set":{"visits":1e400,"price":"-0"},"base":{"version":1},"group":{"id":"g","of":3},"made_at":"` + at + `"}`,
	}
	return json.RawMessage(fmt.Sprintf(pick(x, all), n, record))
}
