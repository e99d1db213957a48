package stories

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/landfall-sync/landfall"
	"github.com/landfall-sync/landfall/client"
	"github.com/landfall-sync/landfall/client/memory"
)

// pocket is a device within this process, for stories that need hundreds of syncs.
type pocket struct {
	*client.Client
	w       *World
	counter string // a record that is counted up by one a change
	count   int
	made    int // changes
	sheets  map[string]string
}

// Pocket enrols a device that lives in memory.
func (w *World) Pocket(name, user, url string) *pocket {
	w.t.Helper()
	code := w.Ada().Do("device", "enrol", "--user", user, "--quiet")
	st, credential := memory.New(), ""
	c, err := client.Open(w.t.Context(), client.Options{Storage: st, Transport: client.NewHTTP(url, func() string { return credential })})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Enrol(w.t.Context(), url, code, name); err != nil {
		w.t.Fatal(err)
	}
	if _, credential, err = client.Credential(w.t.Context(), st); err != nil {
		w.t.Fatal(err)
	}
	if err := c.Refresh(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	p := &pocket{Client: c, w: w, sheets: map[string]string{}}
	p.counter = p.create(name)
	return p
}

// create makes a sheet with a number that may be counted up.
func (p *pocket) create(title string, more ...string) string {
	p.w.t.Helper()
	set := landfall.Fields{"title": value(title), "add": landfall.Value("0")}
	for _, text := range more {
		set["append"] = value(text)
	}
	id, err := p.Create(p.w.t.Context(), "sheet", set)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.made, p.sheets[id] = p.made+1, title
	return id
}

func value(text string) landfall.Value { return landfall.Value(fmt.Sprintf("%q", text)) }

// work makes so many changes: one more on the counter, the rest new sheets.
func (p *pocket) work(changes int) {
	p.w.t.Helper()
	for range changes - 1 {
		p.create(fmt.Sprintf("sheet %d", p.made))
	}
	p.count++
	if err := p.Update(p.w.t.Context(), p.counter, landfall.Fields{"add": landfall.Value(fmt.Sprint(p.count))}); err != nil {
		p.w.t.Fatal(err)
	}
	p.made++
}

// sync syncs; trouble of the network is false, and nothing else may go wrong.
func (p *pocket) sync() bool {
	p.w.t.Helper()
	_, err := p.Sync(p.w.t.Context(), nil)
	if err != nil && landfall.CodeOf(err) != landfall.CodeUnavailable {
		p.w.t.Fatalf("a sync ended with %v", err)
	}
	return err == nil
}

// asMade compares what is stored with what the device made.
func (p *pocket) asMade(st state) {
	p.w.t.Helper()
	same(p.w.t, "records", len(st.Records), len(p.sheets))
	for id, title := range p.sheets {
		same(p.w.t, id, text(st.Records[id], "title"), title)
	}
	same(p.w.t, "counter", text(st.Records[p.counter], "add"), fmt.Sprint(p.count))
	same(p.w.t, "changes of the counter", len(st.Changes[p.counter]), p.count+1)
	same(p.w.t, "items", st.Items, p.made)
}

// The reply to a push is cut after each of its bytes, from none to all: status
// line, headers, body. The device sends the same again, gets the receipts that
// it missed, and nothing is doubled. Replies that are compressed or come in
// chunks are cut at each byte around the begin and the end of their body, and
// at some of the others.
func TestReplyCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		changes int
		plain   bool
		header  string // that the reply has
		least   int    // positions
		step    int    // between those that are not near an end of the body
	}{
		{"as it is", 2, false, "Content-Length: ", 400, 1},
		{"compressed", 55, false, "Content-Encoding: gzip", 30, 97},
		{"in chunks", 55, true, "Transfer-Encoding: chunked", 30, 397},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := NewWorld(t, "testdata/sheets.yaml")
			w.User("emma", "worker")
			wire := NewWire(w)
			wire.plain = c.plain
			p := w.Pocket("pocket", "emma", wire.URL)
			same(t, "the first sync", p.sync(), true)
			cuts, replied := 0, reach{of: 1}
			for at := 0; at <= replied.of; cuts++ {
				p.work(c.changes)
				replied = p.cut(wire, at)
				contains(t, "the reply", replied.head, "HTTP/1.1 200 OK", c.header)
				if t.Failed() {
					t.Fatalf("failed when cut after byte %d of %d", at, replied.of)
				}
				at = replied.next(at, c.step)
			}
			t.Logf("cut at %d positions", cuts)
			if cuts < c.least {
				t.Errorf("only %d positions", cuts)
			}
			same(t, "receipts", wire.given(), p.made)
			w.Stop()
			p.asMade(w.State())
			w.Start()
		})
	}
}

// reach is how far a reply goes.
type reach struct {
	head string // status line and headers
	of   int    // bytes in all
}

// next is the position after at: each byte near the begin and the end of the
// body, and every so many elsewhere.
func (r reach) next(at, step int) int {
	for _, edge := range []int{len(r.head) + 4, r.of} {
		if from := edge - 12; at >= from && at < edge+12 {
			return at + 1
		} else if at < from {
			return min(at+step, from)
		}
	}
	return at + step
}

// cut syncs, has the reply cut after so many bytes, and syncs again.
func (p *pocket) cut(wire *Wire, at int) (replied reach) {
	t := p.w.t
	t.Helper()
	pushes := 0
	wire.Plan(func(x *Passage) {
		if x.Call != "push" {
			return
		}
		if pushes++; pushes > 1 {
			return // the same again
		}
		x.At = inReply
		x.Bytes = func(of int) int {
			head, _, _ := bytes.Cut(x.Reply, []byte("\r\n\r\n"))
			replied = reach{string(head), of}
			return min(at, of)
		}
	})
	first, second := p.sync(), p.sync()
	wire.Plan(nil)
	same(t, "the sync after it", second, true)
	switch whole := at >= replied.of; {
	case whole: // the connection closed only after it
		same(t, "pushes", pushes, 1)
	case at >= replied.of-7: // the last chunk, of length 0, is not needed to read the reply
		same(t, "sent again, or taken", pushes == 2 && !first || pushes == 1, true)
	default:
		same(t, "the sync that was cut", first, false)
		same(t, "pushes", pushes, 2)
	}
	st, err := p.Status(t.Context())
	if err != nil || st.Waiting != 0 || st.Attention != 0 {
		t.Errorf("afterwards: %+v %v", st, err)
	}
	return replied
}
