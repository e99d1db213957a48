package stories

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Proxy stands between devices and the server and does to their network what
// real networks do. It knows requests and replies, so a cut is always where the
// story says, never where timing happens to put it.
type Proxy struct {
	t      *testing.T
	URL    string
	target string
	client *http.Client

	mu    sync.Mutex
	hook  func(*Exchange)
	count map[string]int
}

// Exchange is one request on its way. A hook may change what happens to it.
type Exchange struct {
	Call  string // "push", "pull" or the path
	Query string
	// Nth counts the requests of this call from 1.
	Nth  int
	Body []byte
	// BeforeForward and BeforeReply run at their moments.
	BeforeForward func()
	BeforeReply   func(reply []byte)
	// Drop drops the request: the server never sees it.
	Drop bool
	// Twice sends the request a second time and answers with the second reply.
	Twice func(first, second []byte)
	// CutAfter cuts the connection after so many bytes of the reply's body; -1 does not.
	CutAfter int
	// DuringReply runs when a cut reply was sent up to the cut, before the connection closes.
	DuringReply func()
}

// NewProxy listens for devices of the world.
func NewProxy(w *World) *Proxy {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	p := &Proxy{t: w.t, URL: "http://" + l.Addr().String(), target: w.URL, count: map[string]int{},
		client: &http.Client{Transport: &http.Transport{DisableCompression: true, DisableKeepAlives: true}}}
	srv := &http.Server{Handler: p}
	go func() { _ = srv.Serve(l) }() // ends with Close
	w.t.Cleanup(func() { _ = srv.Close() })
	return p
}

// Hook makes f decide what happens to every request from now on; nil lets all pass.
func (p *Proxy) Hook(f func(*Exchange)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hook, p.count = f, map[string]int{}
}

func (p *Proxy) exchange(r *http.Request, body []byte) *Exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	call := strings.TrimPrefix(r.URL.Path, "/v1/sync/")
	p.count[call]++
	x := &Exchange{Call: call, Query: r.URL.RawQuery, Nth: p.count[call], Body: body, CutAfter: -1}
	if p.hook != nil {
		p.hook(x)
	}
	return x
}

func (p *Proxy) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	x := p.exchange(r, body)
	if x.BeforeForward != nil {
		x.BeforeForward()
	}
	if x.Drop {
		cut(rw, nil, nil)
		return
	}
	head, reply, err := p.forward(r.Context(), r, body)
	if err != nil {
		cut(rw, nil, nil)
		return
	}
	if x.Twice != nil {
		_, second, err := p.forward(r.Context(), r, body)
		if err != nil {
			p.t.Errorf("the second sending failed: %v", err)
		}
		x.Twice(reply, second)
		reply = second
	}
	if x.BeforeReply != nil {
		x.BeforeReply(reply)
	}
	if x.CutAfter >= 0 && x.CutAfter < len(reply) {
		lines := "HTTP/1.1 " + head.status + "\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(reply)) + "\r\n"
		if e := head.header.Get("Content-Encoding"); e != "" {
			lines += "Content-Encoding: " + e + "\r\n"
		}
		cut(rw, append([]byte(lines+"\r\n"), reply[:x.CutAfter]...), x.DuringReply)
		return
	}
	for k, v := range head.header {
		rw.Header()[k] = v
	}
	rw.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	rw.WriteHeader(head.code)
	_, _ = rw.Write(reply) // the device may be gone: that is the story
}

// answer is the head of a reply.
type answer struct {
	status string
	code   int
	header http.Header
}

func (p *Proxy) forward(ctx context.Context, r *http.Request, body []byte) (answer, []byte, error) {
	out, err := http.NewRequestWithContext(ctx, r.Method, p.target+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return answer{}, nil, err
	}
	out.Header = r.Header.Clone()
	res, err := p.client.Do(out)
	if err != nil {
		return answer{}, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	reply, err := io.ReadAll(res.Body)
	return answer{res.Status, res.StatusCode, res.Header}, reply, err
}

// cut writes what is given and closes the connection without more.
func cut(rw http.ResponseWriter, part []byte, during func()) {
	c, _, err := http.NewResponseController(rw).Hijack()
	if err != nil {
		return
	}
	_, _ = c.Write(part) // the device may be gone: that is the story
	if during != nil {
		during()
	}
	_ = c.Close()
}
