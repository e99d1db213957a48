package stories

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/landfall-sync/landfall"
)

// Wire stands where Proxy stands and passes on the very bytes of requests and
// replies, status line and chunks and all. It knows when a push is under way:
// from its first byte to the server until the last byte of the reply is with
// the device.
type Wire struct {
	t      *testing.T
	URL    string
	target string

	mu     sync.Mutex
	plain  bool // devices don't say that they can read compressed replies
	plan   func(*Passage)
	count  map[string]int
	under  int // pushes under way
	pushes []sentPush
	found  map[string]string // receipts by mutation, as they were first given
}

// sentPush is a push as the device sent it.
type sentPush struct {
	raw  []byte // the request, whole
	push pushBody
}

type pushBody struct {
	Replica     string            `json:"replica"`
	Incarnation int64             `json:"incarnation"`
	First       int64             `json:"first"`
	Mutations   []json.RawMessage `json:"mutations"`
}

// point is where on its way an exchange is stopped.
type point int

const (
	nowhere   point = iota
	inRequest       // after Bytes of the request went to the server; the rest never does
	asked           // the whole request went to the server, which has not answered yet
	answered        // the whole reply came from the server; the device has none of it
	inReply         // after Bytes of the reply went to the device; the rest never does
)

// Passage is one exchange on its way.
type Passage struct {
	Call    string // "push", "pull" or the path
	Nth     int    // of this call, from 1
	Request []byte
	Reply   []byte // as soon as it is there
	At      point
	Bytes   func(of int) int // how many of so many; nil: half
	Do      func()           // runs at the point
	push    pushBody
}

func (x *Passage) bytes(all []byte) int {
	if x.Bytes == nil {
		return len(all) / 2
	}
	return x.Bytes(len(all))
}

func (x *Passage) do() {
	if x.Do != nil {
		x.Do()
	}
}

// NewWire listens for devices of the world.
func NewWire(w *World) *Wire {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	p := &Wire{t: w.t, URL: "http://" + l.Addr().String(), target: strings.TrimPrefix(w.URL, "http://"), count: map[string]int{}, found: map[string]string{}}
	w.t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // the world ended
			}
			go p.serve(c)
		}
	}()
	return p
}

// Plan makes f decide where exchanges are stopped from now on; nil lets all pass.
func (p *Wire) Plan(f func(*Passage)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan, p.count = f, map[string]int{}
}

// PushUnderWay reports whether a push has begun and its reply is not there.
func (p *Wire) PushUnderWay() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.under > 0
}

// serve passes the exchanges of one connection of a device.
func (p *Wire) serve(down net.Conn) {
	defer func() { _ = down.Close() }()
	var raw bytes.Buffer
	in := bufio.NewReader(io.TeeReader(down, &raw))
	for {
		raw.Reset()
		r, err := http.ReadRequest(in)
		if err != nil {
			return // the device closed it
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		x := &Passage{Call: strings.TrimPrefix(r.URL.Path, "/v1/sync/"), Request: bytes.Clone(raw.Bytes())}
		if p.plain {
			x.Request = bytes.Replace(x.Request, []byte("Accept-Encoding: gzip\r\n"), nil, 1)
		}
		p.note(x, body)
		if !p.pass(x, r, down) {
			return
		}
	}
}

// note counts the exchange, keeps it if it is a push, and asks for the plan.
func (p *Wire) note(x *Passage, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[x.Call]++
	x.Nth = p.count[x.Call]
	if x.Call == "push" {
		s := sentPush{raw: x.Request}
		if err := json.Unmarshal(unzip(p.t, body), &s.push); err != nil {
			p.t.Errorf("a push is not readable: %v", err)
		}
		x.push = s.push
		p.pushes = append(p.pushes, s)
	}
	if p.plan != nil {
		p.plan(x)
	}
}

// pass passes an exchange on, and reports whether the connection goes on.
func (p *Wire) pass(x *Passage, r *http.Request, down net.Conn) bool {
	up, err := net.Dial("tcp", p.target)
	if err != nil {
		return false
	}
	defer func() { _ = up.Close() }()
	if x.Call == "push" {
		defer p.underWay()()
	}
	if x.At == inRequest {
		if _, err := up.Write(x.Request[:x.bytes(x.Request)]); err != nil {
			p.t.Errorf("the server did not take the beginning of a request: %v", err)
		}
		x.do()
		return false
	}
	if _, err := up.Write(x.Request); err != nil {
		return false
	}
	if x.At == asked {
		x.do()
	}
	if x.Reply, err = reply(up, r); err != nil {
		return false // the server is gone
	}
	if x.Call == "push" {
		p.keep(x.push, x.Reply)
	}
	if x.At == answered {
		x.do()
	}
	if x.At == inReply {
		_, _ = down.Write(x.Reply[:x.bytes(x.Reply)]) // the device may be gone: that is the story
		x.do()
		return false
	}
	_, err = down.Write(x.Reply)
	return err == nil
}

// underWay says that a push is, until the function it gives is called.
func (p *Wire) underWay() func() {
	add := func(n int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.under += n
	}
	add(1)
	return func() { add(-1) }
}

// reply reads one whole reply, as it is.
func reply(c io.Reader, r *http.Request) ([]byte, error) {
	var raw bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &raw)), r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	_, err = io.Copy(io.Discard, res.Body)
	return raw.Bytes(), err
}

// keep keeps the receipts of a reply, which are for ever: one that differs from
// what was said before is a fault.
func (p *Wire) keep(push pushBody, raw []byte) {
	status, list := receiptList(p.t, raw)
	if status != http.StatusOK {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(list) != len(push.Mutations) {
		p.t.Errorf("%d receipts for %d changes: %s", len(list), len(push.Mutations), raw)
	}
	for _, text := range list {
		var r landfall.Receipt
		if err := json.Unmarshal(text, &r); err != nil {
			p.t.Error(err)
		}
		if r.Result == landfall.Stored {
			continue // the verdict is to follow
		}
		k := landfall.Key{Replica: push.Replica, Incarnation: push.Incarnation, N: r.N}.String()
		if before, ok := p.found[k]; ok && before != string(text) {
			p.t.Errorf("another receipt for %s: first %s, then %s", k, before, text)
		}
		p.found[k] = string(text)
	}
}

// receiptList reads a reply to a push.
func receiptList(t *testing.T, raw []byte) (status int, list []json.RawMessage) {
	res, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(raw)), nil)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	var out struct {
		Receipts []json.RawMessage `json:"receipts"`
	}
	if err := json.Unmarshal(unzip(t, body), &out); err != nil {
		t.Errorf("%v in %s", err, body)
	}
	return res.StatusCode, out.Receipts
}

// Replay sends every push that ever began again, byte for byte. Each answer has
// to be what was said before; it returns how many pushes and changes these were.
func (p *Wire) Replay() (pushes, changes int) {
	p.t.Helper()
	for _, s := range p.pushes {
		c, err := net.Dial("tcp", p.target)
		if err != nil {
			p.t.Fatal(err)
		}
		_, err = c.Write(s.raw)
		if err != nil {
			p.t.Fatal(err)
		}
		raw, err := reply(c, &http.Request{Method: http.MethodPost})
		if err != nil {
			p.t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			p.t.Error(err)
		}
		status, list := receiptList(p.t, raw)
		if status != http.StatusOK || len(list) == 0 {
			p.t.Errorf("a push sent again is answered %s", raw)
		}
		before := p.given()
		p.keep(s.push, raw)
		same(p.t, "receipts that only the repetition has", p.given()-before, 0)
		pushes, changes = pushes+1, changes+len(list)
	}
	return pushes, changes
}

// given is how many changes have their receipts.
func (p *Wire) given() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.found)
}
