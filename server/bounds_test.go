package server

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/landfall-sync/landfall/internal/store/memory"
)

// bounded serves with these bounds, and gives the address.
func bounded(t *testing.T, b Bounds) string {
	t.Helper()
	st := memory.New()
	if _, err := Init(t.Context(), st, InitOptions{Definition: expenses(t), Admin: "ada", Password: password}); err != nil {
		t.Fatal(err)
	}
	srv, err := New(Options{Store: st, Log: slog.New(slog.DiscardHandler), Bounds: b, Grace: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- srv.Run(ctx, ln) }()
	t.Cleanup(func() {
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return ln.Addr().String()
}

// line is a connection of its own.
type line struct {
	net.Conn
	t *testing.T
	r *bufio.Reader
}

func dialled(t *testing.T, addr string) *line {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // the test is over
	return &line{c, t, bufio.NewReader(c)}
}

func (l *line) send(text string) {
	l.t.Helper()
	if _, err := io.WriteString(l, text); err != nil {
		l.t.Fatal(err)
	}
}

// answered is what came over a line.
type answered struct {
	status int
	header http.Header
	closes bool
	body   string
}

func (l *line) answer() answered {
	l.t.Helper()
	res, err := http.ReadResponse(l.r, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read
	b, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return answered{res.StatusCode, res.Header, res.Close, string(b)}
}

const healthy = "GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n"

// Connections that are too many are told so; the others go on, and close when
// few are left.
func TestTooManyConnections(t *testing.T) {
	addr := bounded(t, Bounds{Connections: 2})
	first, second := dialled(t, addr), dialled(t, addr)
	for _, l := range []*line{first, second} {
		l.send("GET /v1/heal") // they are inside when the server reads
	}
	third := dialled(t, addr)
	third.send(healthy)
	if a := third.answer(); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") != "5" || !strings.Contains(a.body, "as many connections") || !json.Valid([]byte(a.body)) {
		t.Errorf("%+v", a)
	}
	first.send("th HTTP/1.1\r\nHost: x\r\n\r\n")
	if a := first.answer(); a.status >= 500 || !a.closes {
		t.Errorf("%+v", a)
	}
	if _, err := first.r.ReadByte(); err != io.EOF {
		t.Errorf("it stays open: %v", err)
	}
	for {
		again := dialled(t, addr)
		again.send(healthy)
		if again.answer().status != http.StatusServiceUnavailable {
			break // there is room again
		}
	}
}

// Who sends slowly is cut off: in the head, in the body, in a push. What they
// hold is free again.
func TestSlowSenders(t *testing.T) {
	const soon = 50 * time.Millisecond
	addr := bounded(t, Bounds{HeaderTime: soon, IdleTime: soon, Times: Times{Body: soon, Push: soon}})
	for name, c := range map[string]struct{ sent, want string }{
		"in the head":   {"GET /v1/health HTTP/1.1\r\nHost: x\r\nX-Slow: ", ""},
		"says nothing":  {"", ""},
		"in the body":   {"POST /v1/sessions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{", "408"},
		"idle, at last": {healthy, ""},
	} {
		l := dialled(t, addr)
		t.Log(name)
		l.send(c.sent)
		all, err := io.ReadAll(l.r) // ends when the server closes, whenever that is
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		status, _, _ := strings.Cut(strings.TrimPrefix(string(all), "HTTP/1.1 "), " ")
		if c.want != "" && status != c.want {
			t.Errorf("%s: %q, want %s", name, status, c.want)
		}
	}
}

// A head that is too large is refused as such.
func TestLargeHead(t *testing.T) {
	l := dialled(t, bounded(t, Bounds{}))
	l.send("GET / HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", maxHeader+4<<10)) // about what the server reads
	if a := l.answer(); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("%+v", a)
	}
	for err := error(nil); err == nil; { // until the server has done with it
		_, err = l.Write(make([]byte, 4096))
	}
}
